"""From an extract's own columns and codes to the contract's: finding the columns, and the SQL that maps them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pipelines.definitions import Column, Table
from pipelines.engines import Connection
from pipelines.errors import closest, is_personal, plain
from pipelines.sources import TableSource

PLACEHOLDER = "the name of the column in your extract"
YEAR = "academic_year"
NUMBERED = re.compile(r"\b(number|no|num|id|code|ref|reference|username)\b", re.IGNORECASE)  # of a column's name
OWN_IDS = ("meeting", "response")  # whose identifiers may restart in each file: they stand for rows, not people


@dataclass(frozen=True)
class Reject:
    """A record that is no row: its number in the file, what is wrong, and how (never what it holds)."""

    row: int
    rule: str
    found: str = ""


@dataclass(frozen=True)
class Read:
    """One file read into a table: the rows in it, the records rejected, the contract columns it gave."""

    rows: int
    columns: frozenset[str]
    rejects: list[Reject] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    modified: datetime | None = None  # UTC, without a zone; where it is not a local file


def is_url(place: str | Path) -> bool:
    """Whether a file is named by a URL, such as s3a://bucket/meetings; a Path has one of its slashes only."""
    return re.match(r"[a-z][a-z0-9]+:/", str(place)) is not None


def part_of(value: str, pattern: str) -> str:
    """SQL for the part of a value that a regular expression has in parentheses; the value where it does not fit."""
    return f"coalesce(nullif(regexp_extract({value}, {literal(f'^(?:{pattern})$')}, 1), ''), {value})"


def year_of(value: str) -> str:
    """SQL for an academic year as the contract has it, 2025/26, of one written 2025-26, 2025/2026 or 2025/6."""
    ends = f"cast(try_cast(left({value}, 4) as integer) + 1 as varchar)"
    return (
        f"case when ({value} like '20__-__' or {value} like '20__/20__' or {value} like '20__-20__') "
        f"and right({ends}, 2) = right({value}, 2) then left({value}, 4) || '/' || right({value}, 2) "
        f"when {value} like '20__/_' and right({ends}, 1) = right({value}, 1) "
        f"then left({value}, 4) || '/' || right({ends}, 2) else {value} end"
    )


def literal(text: str) -> str:
    """`text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def count(con: Connection, relation: str) -> int:
    """How many rows there are in `relation` (a table, or a table with a where clause)."""
    row = con.execute(f"select count(*) from {relation}").fetchall()[0]
    return int(row[0]) if row else 0


@dataclass(frozen=True)
class Mapping:
    """How one file of a table maps to the contract's columns. file: what it is called."""

    table: Table
    source: TableSource
    file: str = ""

    def score(self, names: Sequence[str]) -> int:
        """How many contract columns a row of column names would fill: the header has the most."""
        return len(self.find(names))

    def wanted(self, column: str) -> tuple[str, ...]:
        """What a contract column may be called in an extract; the first of these that a file has is the one."""
        return self.source.columns.get(column, (column,))

    def find(self, names: Sequence[str]) -> dict[str, int]:
        """Contract column → position of the extract's column, for those found."""
        exact, loose = _positions(names), _positions(plain(name) for name in names)
        found = {}
        for column in self.table.columns:
            if column in self.source.constants:
                continue
            places = [exact.get(name) or loose.get(plain(name)) or [] for name in self.wanted(column)]
            first = next(filter(None, places), [])
            if len(first) == 1:
                found[column] = first[0]
        return found

    def problems(self, file: str, names: Sequence[str]) -> list[str]:
        """What is wrong with a file that has these columns, in words, with what to write."""
        found = self.find(names)
        problems = [
            self._missing(file, column, names)
            for column in self.table.columns.values()
            if column.name not in found
            and column.name not in self.source.constants
            and column.name not in self.source.defaults
            and (column.name in self.source.columns or column.required)
        ]
        # where no name is known, the row may be one of data: then it is not quoted
        return problems if found or not problems else [self._no_known_name(file)]

    def notes(self, names: Sequence[str]) -> list[str]:
        """Which columns that sources.toml speaks of a file lacks, where that is no problem as others may have them."""
        found, known = self.find(names), {plain(name) for name in names}
        by_default = [c for c in self.source.columns if c in self.source.defaults and c not in found]
        left_out = [name for name in self.source.leave_out if plain(name) not in known]
        return [
            *(self.lacks(column) for column in by_default if column not in self.source.constants),
            *(self.lacks_to_leave_out(name) for name in left_out),
        ]

    def lacks(self, column: str) -> str:
        """What is noted of a file without a column that has a default."""
        return f"no column {_either(self.wanted(column))}, so {column} is as by default"

    def lacks_to_leave_out(self, name: str) -> str:
        """What is noted of a file without a column by which rows are left out."""
        return f"no column '{name}' to leave rows out by"

    def places(self, names: Sequence[str]) -> list[int]:
        """The positions of the extract's columns that are read."""
        return sorted({*self.find(names).values(), *self._left_out_by(names)})

    def _left_out_by(self, names: Sequence[str]) -> dict[int, tuple[str, ...]]:
        """The positions of the columns by which rows are left out, and the values of those that are."""
        known = {plain(name): values for name, values in self.source.leave_out.items()}
        return {place: known[plain(name)] for place, name in enumerate(names) if plain(name) in known}

    def columns(self, names: Sequence[str]) -> frozenset[str]:
        """The contract columns that an extract with these columns gives, by constant and default too."""
        given = {**self.source.defaults, **self.source.constants}
        return frozenset([*self.find(names), *(column for column, value in given.items() if value)])

    def query(
        self,
        names: Sequence[str],
        fields: Sequence[str],
        relation: str,
        trim: str = "trim({})",
        kept: Sequence[str] = (),
    ) -> str:
        """SQL for the contract columns of `relation` as text: trimmed, codes mapped, blank → null.

        `fields` are the SQL names of the columns called `names`; `trim` is how to trim one. Only mapped
        columns are read, and those of `relation` that are `kept`; contract columns that the extract does not give are
        left out. Where sources.toml leaves rows out, `left_out` says which.
        """
        found = self.find(names)
        trimmed = [f"nullif({trim.format(fields[place])}, '') as {column}" for column, place in found.items()]
        if self.source.leave_out:
            told = []
            for place, values in self._left_out_by(names).items():
                listed = ", ".join(literal(value.strip().lower()) for value in values)
                told.append(f"coalesce(lower({trim.format(fields[place])}) in ({listed}), false)")
            trimmed.append(f"{' or '.join(told) or 'false'} as left_out")
        given = [self.table.columns[name] for name in self.table.columns if name in self.columns(names)]
        mapped = [f"{self._mapped(column, column.name in found)} as {column.name}" for column in given]
        told_of_rows = [*kept, *(["left_out"] if self.source.leave_out else [])]
        return (
            f"with trimmed as (select {', '.join([*trimmed, *kept]) or 'null'} from {relation}) "
            f"select {', '.join([*mapped, *told_of_rows])} from trimmed"
        )

    def _mapped(self, column: Column, found: bool) -> str:
        name = column.name
        if name in self.source.constants:
            return literal(self.source.constants[name])
        if not found:
            return literal(self.source.defaults[name])
        value = name
        if column.type in ("identifier", "code"):
            # spreadsheets and data frames write the number 123 as 123.0
            whole = f"{name} like '%.0' and regexp_matches({name}, '^[0-9]+[.]0$')"
            value = f"case when {whole} then left({name}, length({name}) - 2) else {name} end"
        if name in self.source.parts:
            value = part_of(value, self.source.parts[name])
        codes = {v.lower(): v for v in column.values}
        codes |= {code.strip().lower(): meant for code, meant in self.source.codes.get(name, {}).items()}
        if codes:
            whens = " ".join(f"when {literal(code)} then nullif({literal(meant)}, '')" for code, meant in codes.items())
            value = f"case lower({value}) {whens} else {year_of(value) if name == YEAR else value} end"
        elif name == YEAR:
            value = year_of(value)
        if self.source.ids_restart and column.person in OWN_IDS:
            value = f"{literal(self.file + ' ')} || {value}"
        if name in self.source.defaults:
            value = f"coalesce({value}, {literal(self.source.defaults[name])})"
        return value

    def no_header(self, file: str) -> str:
        """The message for a file in which no row of column names was found."""
        return (
            f"{self.table.name}: {file} has no row of column names in its first 20 rows that sources.toml or the "
            f"contract knows.\n{self._how_to_name()}"
        )

    def _no_known_name(self, file: str) -> str:
        column = next(c for c in self.table.columns.values() if c.required)
        return (
            f"{self.table.name}: {file} seems to have no header row: it has no column "
            f"{_either(self.wanted(column.name))} for '{column.name}', nor any other that sources.toml or the contract "
            f"knows.\n{self._how_to_name()}"
        )

    def _how_to_name(self) -> str:
        column = next(c for c in self.table.columns.values() if c.required)
        entry = f"tables.{self.table.name}"
        return (
            f"    Export it with its column names. If there are some, write in sources.toml how many rows stand above "
            f"them:\n"
            f"        [{entry}]\n        skip_rows = 3\n"
            f"    and what they are called, long ones whole, for every column of the contract:\n"
            f"        [{entry}.columns]\n"
            f'        {column.name} = "{PLACEHOLDER}"'
        )

    def _missing(self, file: str, column: Column, names: Sequence[str]) -> str:
        wanted = self.wanted(column.name)
        entry = f"tables.{self.table.name}"
        found = [plain(name) for name in names]
        if twice := next((name for name in wanted if found.count(plain(name)) > 1), None):
            return (
                f"{self.table.name}: {file} has more than one column called '{twice}', so '{column.name}' is "
                f"ambiguous. Rename one of them in the extract, or map '{column.name}' to another column in "
                f'sources.toml:\n    [{entry}.columns]\n    {column.name} = "…"'
            )
        told = [name for name in names if name and not is_personal(name)]
        guess = _meant((*wanted, column.name), column, told)
        new = guess or PLACEHOLDER
        lines = [
            f"{self.table.name}: {file} has no column {_either(wanted)} for '{column.name}' ({column.says}).",
            f"    Its columns are {_listed(told, sum(map(bool, names)) - len(told))}."
            + (f" Did you mean '{guess}'?" if guess else ""),
            f"    Write in sources.toml:\n        [{entry}.columns]",
        ]
        if len(wanted) == 1:
            lines.append(f"        {column.name} = {json.dumps(new, ensure_ascii=False)}")
        if column.name in self.source.columns:  # by its other names it may be in other files
            if len(wanted) == 1:
                lines.append(
                    f"    or, if other files call it {_either(wanted)}, all its names, of which the first there counts:"
                )
            lines.append(f"        {column.name} = {json.dumps([*wanted, new], ensure_ascii=False)}")
        if column.type in ("code", "integer", "number"):
            value = column.values[0] if column.values else "…"
            lines.append(f"    or, if it is the same in every row:\n        [{entry}.constants]")
            lines.append(f'        {column.name} = "{value}"')
        return "\n".join(lines)


def _meant(wanted: Sequence[str], column: Column, told: Sequence[str]) -> str | None:
    """The extract's column that is probably the one wanted; of identifiers rather 'Student No.' than 'Student'."""
    numbers = [name for name in told if NUMBERED.search(name)] if column.type == "identifier" else []
    guesses = (closest(name, names) for names in (numbers, told) for name in wanted)
    return next(filter(None, guesses), None)


def _either(names: Sequence[str]) -> str:
    return " or ".join(f"'{name}'" for name in names)


def _listed(told: Sequence[str], untold: int) -> str:
    """Column names, and how many there are that may say something about a person."""
    listed = [f"'{name}'" for name in told]
    more = f"{untold} {'column whose name is' if untold == 1 else 'columns whose names are'} not shown"
    if not listed:
        return more
    return ", ".join(listed) + (f", and {more}" if untold else "")


def _positions(names: Iterable[str]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name, []).append(place)
    return places


def looks_like_data(names: Sequence[str]) -> bool:
    """Whether a row of supposed column names is rather a row of data: then nobody should quote it."""
    return any(is_personal(name) for name in names) or not any(name.strip() for name in names)


def header_of(rows: Iterable[Sequence[str]], mapping: Mapping) -> tuple[int, list[str]] | None:
    """The row of column names among `rows` and its place: the one that fills most contract columns.

    None where no row fills any and the first looks like data.
    """
    best: tuple[tuple[int, int], int, list[str]] = ((0, 0), 0, [])
    for place, row in enumerate(rows):
        names = [name.strip() for name in row]
        rank = (mapping.score(names), sum(map(bool, names)))
        if rank > best[0]:
            best = (rank, place, names)
    rank, place, names = best
    return None if rank[0] == 0 and looks_like_data(names) else (place, names)
