"""Extract: find each table's files, read them, map their columns and codes; all of them or none."""

from __future__ import annotations

import glob
import itertools
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from pipelines import engines, readers
from pipelines.alike import alike
from pipelines.definitions import Definitions, Table
from pipelines.engines import Connection
from pipelines.errors import InputError, closest
from pipelines.progress import Report, quiet
from pipelines.readers.mapping import Mapping, Read, count, is_url, literal
from pipelines.settings import Settings
from pipelines.sources import Sources, TableSource
from pipelines.unknown_codes import unknown_codes

ENDINGS = ("csv", "csv.gz", "tsv", "tsv.gz", "txt", "txt.gz", "xlsx", "xlsm", "xls", "ods", "parquet")
REJECT = pa.schema({"row": pa.int64(), "rule": pa.string(), "found": pa.string()})


@dataclass(frozen=True)
class ExtractedFile:
    """One file of a table, and when it was last modified (UTC, without a zone).

    unchanged: an earlier run read it, so its rows are not in raw_<table>.
    """

    table: str
    file: str
    rows_read: int
    rows_rejected: int
    modified: datetime
    columns: frozenset[str]
    note: str
    fingerprint: str = ""
    unchanged: bool = False


class Earlier(Protocol):
    """What an earlier run read (`unchanged.Earlier`)."""

    def fingerprint(self, path: Path, table: Table, source: TableSource) -> str:
        """What tells whether an extract would be read to the same rows."""

    def known(self, table: str, file: str, fingerprint: str) -> ExtractedFile | None:
        """What that run noted of a file, if it is unchanged."""

    def rows(self, table: str, files: Sequence[str]) -> str:
        """SQL for the rows of unchanged files."""


@dataclass(frozen=True)
class Extracted:
    """What the extracts gave: the files read, for each table the contract columns in them, the files beside
    sources.toml that no table took, and sentences on what is odd in them.
    """

    files: list[ExtractedFile] = field(default_factory=list)
    present: dict[str, frozenset[str]] = field(default_factory=dict)
    date_formats: dict[str, tuple[str, ...]] = field(default_factory=dict)
    untaken: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def rows_read(self, table: str) -> int:
        """Rows read for `table`, from all its files, rejected ones included."""
        return sum(file.rows_read for file in self.files if file.table == table)

    def unchanged(self, table: str) -> list[str]:
        """The files of `table` whose rows an earlier run has."""
        return [file.file for file in self.files if file.table == table and file.unchanged]

    def share(self, tables: Collection[str]) -> float:
        """The share of all rows read that is in some tables."""
        return sum(map(self.rows_read, tables)) / max(1, sum(file.rows_read for file in self.files))


def extract(
    con: Connection,
    sources: Sources,
    definitions: Definitions,
    settings: Settings,
    report: Report = quiet,
    earlier: Earlier | None = None,
) -> Extracted:
    """Make raw_<table> for every table of the contract, and raw_reject, from the files that `sources` maps.

    raw_<table> has source_file, source_row (1 is the first row under the column names) and every contract
    column as text. Files that `earlier` has unchanged are not read again. Raises one InputError with every problem
    found; then none of these is left.
    """
    sources.verify(definitions)
    paths = [path for table in definitions.tables.values() for path in _any_files(table, sources)]
    extracted, problems = Extracted(untaken=_untaken(paths, sources.folder)), list[str]()
    read, size = 0, _size(paths)

    def said(label: str, rows: int, path: Path) -> None:
        nonlocal read
        read += _size([path])
        report(label, rows, done=min(1.0, read / max(size, 1)))  # a file of several sheets is told of at each

    con.execute("""
        create temp table raw_reject (table_name varchar, source_file varchar, source_row bigint,
            column_name varchar, value varchar, rule varchar)
    """)
    try:
        for table in definitions.tables.values():
            try:
                _extract_table(con, table, sources, extracted, said, earlier)
                problems += unknown_codes(con, table, extracted, settings, earlier)
            except InputError as error:
                problems += error.problems
        if not problems:
            problems, remarks = alike(con, extracted, settings)
            extracted.remarks.extend(remarks)
        if problems:
            raise InputError(problems)
    except BaseException:
        drop_raw(con)
        raise
    return extracted


def drop_raw(con: Connection, table: str | None = None) -> None:
    """Drop what extract made for `table`, or all it made."""
    engines.of(con).drop(con, f"^raw_{table}(_\\d+)?$" if table else "^raw_")


def _extract_table(
    con: Connection,
    table: Table,
    sources: Sources,
    extracted: Extracted,
    report: Callable[[str, int, Path], None],
    earlier: Earlier | None,
) -> None:
    """Read every file of one table that is not unchanged, then put them together as the view raw_<table>."""
    source = sources.of(table)
    paths = _files(table, source, sources.folder)
    names = _names(paths, sources.folder)
    problems: dict[str, str] = {}  # by its words without the file: many files often share one problem
    parts: list[str] = []
    raw = (f"raw_{table.name}_{number}" for number in itertools.count())
    for path, name in zip(paths, names, strict=True):
        try:
            sheets = _sheets(path, name, table, source)
        except InputError as error:
            problems |= {problem: problem for problem in error.problems}
            continue
        for file, own in sheets:
            try:
                part = _extract_file(con, path, Mapping(table, own, file), next(raw), extracted, report, earlier)
                parts += [part] if part else []
            except InputError as error:
                for problem in error.problems:
                    problems.setdefault(problem.replace(file, "").replace(path.name, ""), problem)
    if not problems:
        problems |= {problem: problem for problem in _in_no_file(table, source, extracted)}
    for pattern in source.constants_of:
        if not any(fnmatch(path.name, pattern) for path in paths):
            place = f"[tables.{table.name}.constants_of.{json.dumps(pattern)}]"
            problems[place] = f"sources.toml: {place} matches none of the files of {table.name}."
    if problems:
        raise InputError(list(problems.values()))
    nothing = f"select null::varchar as source_file, null::bigint as source_row, {_columns(table, frozenset())} limit 0"
    con.execute(f"create temp view raw_{table.name} as {' union all '.join(parts) or nothing}")
    given = [file.columns for file in extracted.files if file.table == table.name]
    extracted.present[table.name] = frozenset[str]().union(*given)
    extracted.date_formats[table.name] = source.date_formats


def _in_no_file(table: Table, source: TableSource, extracted: Extracted) -> Iterator[str]:
    """Columns that sources.toml speaks of and no file of the table has, though each may lack them."""
    mapping = Mapping(table, source)
    notes = [file.note for file in extracted.files if file.table == table.name]
    for column in source.columns.keys() & source.defaults.keys():
        if notes and all(mapping.lacks(column) in note for note in notes):
            wanted = " or ".join(map(repr, mapping.wanted(column)))
            yield (
                f"{table.name}: no file has a column {wanted} for '{column}', so that its default would stand in every "
                f"row. Map it in sources.toml under [tables.{table.name}.columns], or write it under "
                f"[tables.{table.name}.constants]."
            )
    for name in source.leave_out:
        if notes and all(mapping.lacks_to_leave_out(name) in note for note in notes):
            place = f"[tables.{table.name}.leave_out]"
            yield f"{table.name}: no file has a column '{name}', by which {place} leaves rows out."


def _sheets(path: Path, name: str, table: Table, source: TableSource) -> list[tuple[str, TableSource]]:
    """What is read of a file, and how: the file, or each of its sheets as one, called by the sheet too."""
    own = source.of_file(path.name)
    sheets = readers.sheets(path, Mapping(table, own))
    called = {sheet: f"{name} ({sheet})" if len(sheets) > 1 else name for sheet in sheets}
    return [(called[sheet], own.model_copy(update={"sheet": (sheet,)})) for sheet in sheets] or [(name, own)]


def _extract_file(
    con: Connection,
    path: Path,
    mapping: Mapping,
    raw: str,
    extracted: Extracted,
    report: Callable[[str, int, Path], None],
    earlier: Earlier | None,
) -> str | None:
    """Read one file into the temp table `raw`, unless it is unchanged; SQL for its rows."""
    table, source, file = mapping.table, mapping.source, mapping.file
    fingerprint = earlier.fingerprint(path, table, source) if earlier else ""
    if earlier and (known := earlier.known(table.name, file, fingerprint)):
        extracted.files.append(replace(known, modified=_modified(path), unchanged=True))
        report(f"{table.name}: {file}, unchanged", known.rows_read, path)
        return None
    got = engines.of(con).read(con, path, mapping, raw)
    if earlier and earlier.fingerprint(path, table, source) != fingerprint:
        fingerprint = ""  # changed meanwhile: next time it is read again
    _note_rejects(con, table, file, got)
    is_blank = _is_blank(got, source)
    left_out = count(con, f"{raw} where left_out") if source.leave_out else 0
    blank = count(con, f"{raw} where {is_blank}{' and not left_out' if source.leave_out else ''}")
    rows = got.rows - blank - left_out + len(got.rejects)
    notes = [
        *got.notes,
        *([f"{left_out:,} rows left out, as sources.toml says"] if left_out else []),
        *([f"{blank:,} blank rows skipped"] if blank else []),
        *([] if rows else ["no rows"]),
    ]
    modified, note = got.modified or _modified(path), "; ".join(notes)
    extracted.files.append(
        ExtractedFile(table.name, file, rows, len(got.rejects), modified, got.columns, note, fingerprint)
    )
    report(f"{table.name}: {file}", rows, path)
    skipped = [*(["left_out"] if left_out else []), *([is_blank] if blank else [])]
    return _rows_of(table, file, raw, got, skipped)


def _any_files(table: Table, sources: Sources) -> list[Path]:
    """The files of a table; none where that is a problem, which is said when they are read."""
    try:
        return _files(table, sources.of(table), sources.folder)
    except InputError:
        return []


def _untaken(taken: Iterable[Path], folder: Path) -> list[str]:
    """The files of the folder that are none of those, and not there for another reason."""
    known = {path.resolve() for path in taken}
    there = (p for p in folder.iterdir() if p.is_file() and p.suffix != ".toml" and p.name != "README.md")
    return sorted(p.name for p in there if not p.name.startswith((".", "~$")) and p.resolve() not in known)


def _size(paths: Iterable[Path]) -> int:
    """Bytes of files; a folder or a URL counts none."""
    return sum(path.stat().st_size for path in paths if path.is_file())


def _modified(path: Path) -> datetime:
    if is_url(path):  # an empty one, which tells nothing
        return datetime.now(UTC).replace(tzinfo=None)
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).replace(tzinfo=None)


def _note_rejects(con: Connection, table: Table, file: str, got: Read) -> None:
    con.register("rejects", pa.Table.from_pylist([vars(reject) for reject in got.rejects], schema=REJECT))
    con.execute(
        "insert into raw_reject select ?, ?, row, null, nullif(found, ''), rule from rejects", [table.name, file]
    )
    con.unregister("rejects")


def _rows_of(table: Table, file: str, raw: str, got: Read, skipped: Sequence[str]) -> str:
    """SQL for the rows of one file, numbered as in the file: rejected records count, and rows that are skipped.

    skipped: conditions of rows that are no rows of the table.
    """
    number, join, where = "rowid + 1", "", ""
    if got.rejects:
        number += " + coalesce(shift, 0)"
        join = f"""
            asof left join (
                select source_row - nth as after, max(nth) as shift
                from (
                    select source_row, row_number() over (order by source_row) as nth
                    from raw_reject
                    where table_name = {literal(table.name)} and source_file = {literal(file)}
                )
                group by after
            ) on {raw}.rowid >= after"""
    if skipped:
        where = f"where not ({' or '.join(skipped)})"
    return (
        f"select {literal(file)} as source_file, {number} as source_row, {_columns(table, got.columns)} "
        f"from {raw} {join} {where}"
    )


def _columns(table: Table, given: frozenset[str]) -> str:
    return ", ".join(name if name in given else f"null::varchar as {name}" for name in table.columns)


def _is_blank(got: Read, source: TableSource) -> str:
    from_file = sorted(got.columns - source.constants.keys() - source.defaults.keys())
    return f"coalesce({', '.join(from_file)}) is null" if from_file else "false"


def _files(table: Table, source: TableSource, folder: Path) -> list[Path]:
    """The files of a table, each once, in the order they are read. Raises InputError where there should be some."""
    if not source.files:
        patterns = [f"{table.name}*.{ending}" for ending in ENDINGS]
        there = sorted(folder.iterdir(), key=_place)
        there = [p for p in there if any(fnmatch(p.name.lower(), each) for each in patterns)]
        found = _once(p for p in there if _is_extract(p))
        if not found and not table.optional:
            raise InputError(_no_file(table, f"{table.name}*.csv, .xlsx or .parquet", folder))
        return found
    found, problems = [], []
    for pattern in source.files:
        matches = _matches(pattern, folder)
        found += matches
        if not matches:
            problems.append(_no_file(table, pattern, folder))
    if problems:
        raise InputError(problems)
    return _once(found)


def _matches(pattern: str, folder: Path) -> list[Path]:
    """The files of that very name, else those that the pattern matches, wherever `folder` is and whatever its name."""
    if is_url(pattern):
        return [Path(pattern)]
    named = folder / Path(pattern).expanduser()
    if named.exists():
        return [named]
    inside = named.relative_to(folder) if named.is_relative_to(folder) else named
    matches = sorted(map(Path, glob.glob(str(inside), root_dir=folder, recursive=True)), key=_place)
    return [p for p in (folder / each for each in matches) if _is_extract(p) and not p.name.startswith("~$")]


def _place(path: Path) -> tuple[tuple[str, ...], str, str]:
    """Where a file stands among others: by folder, then by its name without the ending, so that x-corrections.csv and
    "x (1).csv" come after x.csv, which they correct: of rows with the same key the last read counts.
    """
    endings = (f".{each}" for each in ENDINGS)
    ending = next((each for each in endings if path.name.lower().endswith(each)), "")
    return path.parent.parts, path.name[: len(path.name) - len(ending)].casefold(), path.name


def _is_extract(path: Path) -> bool:
    return path.is_file() or path.suffix == ".parquet"  # a folder of Parquet files goes by that name


def _once(paths: Iterable[Path]) -> list[Path]:
    """Each file once, however often and by whatever path it is named."""
    found: dict[Path, Path] = {}
    for path in paths:
        found.setdefault(path.resolve(), path)
    return list(found.values())


def _names(paths: list[Path], folder: Path) -> list[str]:
    """What each file is called: by its name, and from the folder of sources.toml on where names are the same."""
    names = [path.name for path in paths]
    return [name if names.count(name) == 1 else _from(folder, path) for path, name in zip(paths, names, strict=True)]


def _from(folder: Path, path: Path) -> str:
    return str(path) if is_url(path) else Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()


def _no_file(table: Table, pattern: str, folder: Path) -> str:
    there = sorted(p.name for p in folder.iterdir() if p.is_file() and p.suffix != ".toml")
    guess = closest(table.name, there) or "name of the file, or a pattern such as *.csv"
    return (
        f"{table.name}: no file matches {pattern} in {folder}.\n"
        f"    The files there are {', '.join(there[:20]) or 'none'}{' …' if len(there) > 20 else ''}.\n"
        f'    Write in sources.toml:\n        [tables.{table.name}]\n        files = ["{guess}"]'
    )
