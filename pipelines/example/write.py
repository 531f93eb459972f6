"""Files: CSV in the conventions of several systems, and spreadsheets."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc
import xlsxwriter

from pipelines.example import mapping

ISO, BRITISH = "%Y-%m-%d", "%d/%m/%Y"


@dataclass(frozen=True)
class Style:
    """How a system writes its files."""

    dates: str = ISO
    delimiter: str = ","
    encoding: str = "utf-8"
    quoted: bool = False
    zipped: bool = False


class CsvExtract:
    """One CSV file, written piece by piece; the same pieces always give the same bytes."""

    def __init__(self, path: Path, table: str, style: Style = Style()) -> None:
        self.path, self.table, self.style = path, table, style
        self._empty = True
        self._file: Any = open(path, "wb")  # noqa: SIM115 (closed by __exit__)
        self._out: Any = self._file
        if style.zipped:  # without a name or a time, which would differ between runs
            self._out = gzip.GzipFile("", "wb", compresslevel=4, fileobj=self._file, mtime=0)

    def __enter__(self) -> CsvExtract:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        if self._out is not self._file:
            self._out.close()
        self._file.close()

    def write(self, piece: pa.Table) -> None:
        """Append rows; columns of the contract are written under the extract's own names."""
        first = self._empty
        options = pc.WriteOptions(
            include_header=first,
            delimiter=self.style.delimiter,
            quoting_style="all_valid" if self.style.quoted else "none",
            quoting_header="all_valid" if self.style.quoted else "none",
            batch_size=16_384,
        )
        buffer = pa.BufferOutputStream()
        pc.write_csv(piece.rename_columns([mapping.column(self.table, c) for c in piece.column_names]), buffer, options)
        data = buffer.getvalue()
        if self.style.encoding == "utf-8-sig":
            data = b"\xef\xbb\xbf" + data.to_pybytes() if first else data
        elif self.style.encoding != "utf-8":
            data = data.to_pybytes().decode().encode(self.style.encoding)
        self._out.write(data)
        self._empty = False


def write_sheet(path: Path, sheet: str, rows: list[list[str | float]], title: str = "", before: str = "") -> None:
    """Write a spreadsheet: header and rows, under a `title` row and after a sheet `before`, if given."""
    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    book.set_properties({"created": datetime(2026, 11, 27)})  # not today: the bytes must not differ
    if before:
        book.add_worksheet(before).write(0, 0, "Queries: the tutoring office")
    page = book.add_worksheet(sheet)
    for number, row in enumerate([[title], *rows] if title else rows):
        page.write_row(number, 0, row)
    book.close()
