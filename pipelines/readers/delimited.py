"""CSV files into DuckDB: delimiter, column names, records, and proof that no record was lost."""

from __future__ import annotations

import csv
import io
from bisect import bisect_left
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import duckdb

from pipelines.errors import InputError
from pipelines.readers.mapping import Mapping, Read, Reject, count, header_of, literal
from pipelines.readers.text import TextFile, as_utf8, decoded, look_through

DELIMITERS = (",", ";", "\t", "|")
TITLE_ROWS = 20
LONGEST_RECORD = 2_000_000  # bytes
TRIM_ALL = r"trim({}, e' \t\r\n' || chr(160))"
RULES = {
    "MISSING COLUMNS": "The record has fewer fields than there are column names.",
    "TOO MANY COLUMNS": "The record has more fields than there are column names.",
    "LINE SIZE OVER MAXIMUM": "The record is longer than two million bytes.",
    "UNQUOTED VALUE": "The record has a quotation mark that is not closed or not doubled.",
}

csv.field_size_limit(2**31 - 1)  # long fields are rejected by rule, not by an exception


def read_delimited(con: duckdb.DuckDBPyConnection, path: Path, mapping: Mapping, target: str) -> Read:
    """Load a CSV file into the new temp table `target`, in file order.

    Records that are no rows come back as rejects. Raises InputError where the file as a whole cannot be
    used, or where records would be lost.
    """
    table, source = mapping.table.name, mapping.source
    file = look_through(path, source.encoding)
    delimiter, place, names = _header(file, mapping)
    if problems := mapping.problems(path.name, names):
        raise InputError(problems)

    fields = [f"c{i}" for i in range(len(names))]
    with as_utf8(file) as (readable, tally):
        options = {
            "header": "false",
            "skip": str(place + 1),
            "delim": literal(delimiter),
            "quote": "'\"'",
            "escape": "'\"'",
            "auto_detect": "false",
            "compression": "'gzip'" if file.zipped and file.tally else "'none'",
            "max_line_size": str(LONGEST_RECORD),
            "store_rejects": "true",
            "columns": "{" + ", ".join(f"'{f}': 'varchar'" for f in fields) + "}",
        }
        relation = f"read_csv({literal(readable)}, {', '.join(f'{k}={v}' for k, v in options.items())})"
        trim = TRIM_ALL if not file.tally or tally.padded else "trim({})"
        try:
            con.execute(f"create temp table {target} as {mapping.query(names, fields, relation, trim)}")
            rejects = _rejects(con, table, path, place + 1, len(names))
        except duckdb.InvalidInputException:  # its message quotes the record at fault
            raise InputError(_unreadable(table, path, delimiter)) from None
        finally:
            con.execute("drop table if exists reject_errors; drop table if exists reject_scans")  # hold whole records
    rows = count(con, target)
    if rows + len(rejects) != tally.records - place - 1:
        rejects = _numbered_exactly(file, delimiter, place, rows, rejects, table)
    if len(rejects) >= 5 and len(rejects) > rows:
        raise InputError(
            f"{table}: {path.name} has {len(names)} column names, but {len(rejects):,} of its "
            f"{rows + len(rejects):,} records do not have {len(names)} fields (the first has {rejects[0].found}). "
            f"Export it again, or say in sources.toml what separates its fields:\n"
            f'    [tables.{table}]\n    delimiter = ";"'
        )
    return Read(rows, mapping.columns(names), rejects, [*_notes(file, mapping), *mapping.notes(names)])


def _header(file: TextFile, mapping: Mapping) -> tuple[str, int, list[str]]:
    """The delimiter, the place of the row of column names, and those names."""
    source = mapping.source
    sample = next(decoded(file)).removeprefix("\ufeff")
    found = []
    for delimiter in [source.delimiter] if source.delimiter else DELIMITERS:
        first = 0 if source.skip_rows is None else source.skip_rows
        last = TITLE_ROWS if source.skip_rows is None else first + 1
        rows = islice(csv.reader(io.StringIO(sample), delimiter=delimiter), first, last)
        if header := header_of(rows, mapping):
            found.append((mapping.score(header[1]), len(header[1]), delimiter, first + header[0], header[1]))
    if not found:
        raise InputError(mapping.no_header(file.path.name))
    *_, delimiter, place, names = max(found, key=lambda each: each[:2])
    return delimiter, place, names


def _rejects(con: duckdb.DuckDBPyConnection, table: str, path: Path, skipped: int, width: int) -> list[Reject]:
    """What DuckDB noted about records that are no rows, as one reject each."""
    noted = con.execute(r"""
        select
            line,
            first(error_type order by column_idx nulls first),
            first(regexp_extract(error_message, 'Found: (\d+)', 1) order by column_idx),
            bool_or(contains(trim(csv_line, e'\r\n'), e'\n'))
        from reject_errors
        group by line
        order by line
    """).fetchall()
    for line, error, _, many_lines in noted:
        if many_lines and error in ("UNQUOTED VALUE", "LINE SIZE OVER MAXIMUM"):
            raise InputError(
                f"{table}: {path.name} has a quotation mark in record {line - skipped:,} that is never closed, so the "
                f"records after it cannot be told apart. Close or double it, or export the file again."
            )
    return [
        Reject(
            line - skipped,
            RULES.get(error, RULES["UNQUOTED VALUE"]),
            f"{found} fields instead of {width}" if found else "",
        )
        for line, error, found, _ in noted
    ]


def _numbered_exactly(
    file: TextFile, delimiter: str, place: int, rows: int, rejects: list[Reject], table: str
) -> list[Reject]:
    """Count the records once more with another reader, which knows blank lines, and number the rejects by it.

    Raises InputError where the two readers do not agree: then records would be lost or made up.
    """
    records, blank_lines = 0, []
    for line, record in enumerate(islice(csv.reader(_lines(file), delimiter=delimiter), place + 1, None), 1):
        records += bool(record)
        if not record:
            blank_lines.append(line)
    if records != rows + len(rejects):
        raise InputError(
            f"{table}: {file.path.name} cannot be read without loss: it has {records:,} records by one count and "
            f"{rows + len(rejects):,} by another, because its quotation marks or line ends are broken. "
            f"Export it again with every text in quotation marks."
        )
    return [Reject(r.row - bisect_left(blank_lines, r.row), r.rule, r.found) for r in rejects]


def _lines(file: TextFile) -> Iterator[str]:
    rest = ""
    for text in decoded(file):
        *whole, rest = (rest + text).split("\n")
        yield from (line + "\n" for line in whole)
    if rest:
        yield rest


def _notes(file: TextFile, mapping: Mapping) -> list[str]:
    if file.encoding in ("utf-8-sig", mapping.source.encoding):
        return []
    return [f"read as {'Windows-1252' if file.encoding == 'cp1252' else file.encoding.upper()}"]


def _unreadable(table: str, path: Path, delimiter: str) -> str:
    name = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "vertical bars"}.get(delimiter, f"'{delimiter}'")
    return (
        f"{table}: {path.name} cannot be read as CSV with fields separated by {name}. Open it to see whether it is "
        f"whole, and export it again as CSV UTF-8."
    )
