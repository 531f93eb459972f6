"""Unreadable: of dates and numbers that cannot be read as such, how they are written, and what to write for them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import product

from pipelines.definitions import Column, Definitions, Table
from pipelines.engines import Connection
from pipelines.errors import FEWEST_TO_TELL, MOST_QUOTED, entries, is_like_a_code, plain, quotable, shape
from pipelines.extract import Extracted
from pipelines.pseudonymise import UK_DATES

KINDS = {"date": "a date", "integer": "a whole number", "number": "a number"}
DAYS = (
    *("%d/%m/%y", "%d/%m/%Y", "%d.%m.%Y", "%d.%m.%y", "%d-%m-%Y", "%d-%m-%y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y"),
    *("%d %b %y", "%d %B %Y", "%A %d %B %Y", "%Y/%m/%d", "%Y%m%d", "%m/%d/%Y", "%m/%d/%y", "%b %d, %Y", "%B %d, %Y"),
)
TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", "T%H:%M:%S")
EARLIEST, LATEST = 1980, 2100  # years of dates that a format may make of the values; others show that it is wrong
MOST_OF = 0.9  # of the values that a format reads, to be suggested
MOST_TRIED = 1000  # different values, the most frequent
ANSWERS = {
    **dict.fromkeys(("strongly disagree", "definitely disagree"), "1"),
    **dict.fromkeys(("disagree", "mostly disagree"), "2"),
    **dict.fromkeys(("neither agree nor disagree", "neither", "neutral"), "3"),
    **dict.fromkeys(("agree", "mostly agree"), "4"),
    **dict.fromkeys(("strongly agree", "definitely agree"), "5"),
    **dict.fromkeys(("n/a", "not applicable", "prefer not to say", "don't know"), ""),
}
_MEANT = {plain(words): number for words, number in ANSWERS.items()}


def unreadable(con: Connection, definitions: Definitions, extracted: Extracted, most: float) -> list[str]:
    """For each column in use of which more than the share `most` cannot be read (and five values or more): how many,
    how they are written without quoting what may be a person's, and the lines for sources.toml. Needs input_<table>.
    """
    return [said for table in definitions.tables.values() for said in _of_table(con, table, extracted, most)]


def _of_table(con: Connection, table: Table, extracted: Extracted, most: float) -> Iterator[str]:
    columns = [
        c for c in table.columns.values() if c.type in KINDS and c.used and c.name in extracted.present[table.name]
    ]
    if not columns:
        return
    counts = ", ".join(f"count({c.name}), count({c.name}_unreadable)" for c in columns)
    row = con.execute(f"select {counts} from input_{table.name}").fetchall()[0]
    for column, read, lost in zip(columns, row[::2], row[1::2], strict=True):
        if lost >= FEWEST_TO_TELL and lost > most * (read + lost):
            found = con.execute(f"""
                select {column.name}_unreadable, count(*) from input_{table.name}
                where {column.name}_unreadable is not null
                group by {column.name}_unreadable order by count(*) desc, {column.name}_unreadable
                limit {MOST_TRIED}
            """).fetchall()
            said = (
                f"{table.name}: {lost:,} of {read + lost:,} values of '{column.name}' cannot be read as "
                f"{KINDS[column.type]}"
            )
            yield said + (
                _dates(table, found, extracted.date_formats.get(table.name, ()))
                if column.type == "date"
                else _numbers(table, column, found)
            )


def _dates(table: Table, found: Sequence[tuple[str, int]], known: Sequence[str]) -> str:
    shapes = Counter[str]()
    for value, rows in found:
        shapes[shape(value)] += rows
    usual, rows = shapes.most_common(1)[0]
    looks = f"; most look like {usual}" if is_like_a_code(usual, rows) else ""
    format_ = fitting(dict(found)) or "…"
    # a list takes the place of the formats that need no mapping
    others = () if format_.startswith("%m") else known or UK_DATES
    return (
        f"{looks} (9: a digit, x: a letter).\n"
        f"    Write in sources.toml how they are written (docs/sources.md: formats of dates):\n"
        f"        [tables.{table.name}]\n"
        f"        date_formats = {json.dumps([*dict.fromkeys([*others, format_])], ensure_ascii=False)}"
        if looks or format_ != "…"
        else ". Look at the column in the extract: it seems to hold something else."
    )


def fitting(values: Mapping[str, int]) -> str | None:
    """The format that reads the most of these dates (value → rows), if it reads most of them; the UK's goes first."""
    total = sum(values.values())
    best = max((format_ for format_ in map("".join, product(DAYS, TIMES))), key=lambda f: _read(values, f))
    return best if _read(values, best) >= MOST_OF * total else None


def _read(values: Mapping[str, int], format_: str) -> int:
    """Rows whose date the format reads, to a year that it may be of."""
    return sum(rows for value, rows in values.items() if _is_read(value, format_))


def _is_read(value: str, format_: str) -> bool:
    try:
        return EARLIEST <= datetime.strptime(value, format_).year < LATEST
    except ValueError:
        return False


def _numbers(table: Table, column: Column, found: Sequence[tuple[str, int]]) -> str:
    may = set(quotable(found))
    quoted = [each for each in found if each in may or plain(each[0]) in _MEANT][:MOST_QUOTED]
    if not quoted:
        return ". Look at the column in the extract: it seems to hold something else."
    listed = ", ".join(f"'{value}' ({rows:,})" for value, rows in quoted)
    if hidden := len(found) - len(quoted):
        listed += f", {hidden:,} more not shown here"
    meant = {value: _MEANT.get(plain(value), "…") for value, _ in quoted}
    return "\n".join([
        f": {listed}.",
        "    Write in sources.toml what each means, a number, or an empty text for blank:",
        *entries(f"tables.{table.name}.codes.{column.name}", meant),
    ])  # fmt: skip
