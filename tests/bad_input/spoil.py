"""Ways to spoil the tiny university's extracts: each returns a function of the folder they are in."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from tests.bad_input.tiny import SOURCES, Rows, tables, write_csv

Spoil = Callable[[Path], None]


def bytes_of(file: str, change: Callable[[bytes], bytes]) -> Spoil:
    """Change the bytes of an extract."""

    def spoil(folder: Path) -> None:
        (folder / file).write_bytes(change((folder / file).read_bytes()))

    return spoil


def replaced(file: str, old: str, new: str, times: int = -1, encoding: str = "utf-8") -> Spoil:
    """Replace a text in an extract, which must hold it."""

    def change(content: bytes) -> bytes:
        text = content.decode()
        assert old in text, f"{file} holds no {old!r}"
        return text.replace(old, new, times).encode(encoding)

    return bytes_of(file, change)


def rows_of(table: str, change: Callable[[Rows], Rows], **how: str) -> Spoil:
    """Change the rows of a table, then write it as CSV."""

    def spoil(folder: Path) -> None:
        write_csv(folder / f"{table}.csv", change(tables()[table]), **how)

    return spoil


def cell(table: str, column: str, value: str, rows: int = 1) -> Spoil:
    """Put a value into the first rows of a column."""

    def change(content: Rows) -> Rows:
        return [{**row, column: value} if number < rows else row for number, row in enumerate(content)]

    return rows_of(table, change)


def without(table: str, column: str) -> Spoil:
    """Leave a column out."""
    return rows_of(table, lambda rows: [{k: v for k, v in row.items() if k != column} for row in rows])


def mapped(more: str, *others: Spoil) -> Spoil:
    """Add lines to sources.toml, after spoiling something else."""

    def spoil(folder: Path) -> None:
        for other in others:
            other(folder)
        (folder / "sources.toml").write_text(SOURCES + more, encoding="utf-8")

    return spoil


def zipped(keep: Callable[[bytes], bytes]) -> Spoil:
    """The meetings gzipped, with something done to the gzip stream."""

    def spoil(folder: Path) -> None:
        plain = folder / "meetings.csv"
        (folder / "meetings.csv.gz").write_bytes(keep(gzip.compress(plain.read_bytes(), mtime=0)))
        plain.unlink()

    return spoil


def workbook(table: str, sheet: str = "Sheet1", titles: int = 0, blank_rows: int = 0) -> Spoil:
    """A table as XLSX instead of CSV, with title rows above it and blank rows below."""

    def spoil(folder: Path) -> None:
        (folder / f"{table}.csv").unlink()
        rows = tables()[table]
        with xlsxwriter.Workbook(folder / f"{table}.xlsx") as book:
            page = book.add_worksheet(sheet)
            for number in range(titles):
                page.write(number, 0, f"Report, part {number + 1}")
            for number, values in enumerate([list(rows[0]), *(list(row.values()) for row in rows)]):
                for column, value in enumerate(values):
                    page.write_string(titles + number, column, value)
            if blank_rows:
                page.write_blank(titles + len(rows) + blank_rows, 0, None, book.add_format({"bold": True}))

    return spoil


def parquet(table: str) -> Spoil:
    """A table as Parquet instead of CSV, with real numbers in it."""

    def spoil(folder: Path) -> None:
        (folder / f"{table}.csv").unlink()
        rows = tables()[table]
        columns = {name: pa.array([row[name] for row in rows]) for name in rows[0]}
        if "fte" in columns:
            columns["fte"] = pa.array([float(row["fte"]) for row in rows])
        pq.write_table(pa.table(columns), folder / f"{table}.parquet")

    return spoil


def removed(file: str) -> Spoil:
    """An extract that is not there."""
    return lambda folder: (folder / file).unlink()


def renamed(old: str, new: str) -> Spoil:
    """An extract under another name."""
    return lambda folder: (folder / old).replace(folder / new)
