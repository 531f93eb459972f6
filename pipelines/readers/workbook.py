"""Spreadsheets into DuckDB."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import pyarrow as pa
import python_calamine as calamine

from pipelines.errors import InputError, did_you_mean
from pipelines.readers.delimited import TITLE_ROWS, TRIM_ALL
from pipelines.readers.mapping import Mapping, Read, count, header_of
from pipelines.readers.unseen_cells import unseen_cells

EVERY_SHEET = "*"


def read_workbook(con: duckdb.DuckDBPyConnection, path: Path, mapping: Mapping, target: str) -> Read:
    """Load the sheet that sources.toml names, or the first, into the new temp table `target`. Raises InputError, also
    where none is named and another would do as well: its rows would be missing without a word.

    Dates become ISO text and whole numbers lose their '.0'; a formula counts as the value it shows.
    """
    table, source = mapping.table.name, mapping.source
    workbook, name = _open(path, table), mapping.file or path.name
    sheet, rows = _rows(path, table, workbook, next(iter(source.sheet), None))
    first = source.skip_rows or 0
    titles = rows[first : first + 1] if source.skip_rows is not None else rows[:TITLE_ROWS]
    header = header_of(([_text(cell) or "" for cell in row] for row in titles), mapping)
    if header is None:
        raise InputError(mapping.no_header(name))
    place, names = first + header[0], header[1]
    if problems := mapping.problems(name, names):
        raise InputError(problems)
    if not source.sheet and (others := _alike(path, mapping, workbook)):
        every = [sheet, *others]
        listed = ", ".join(f"'{name}'" for name in every)
        raise InputError(
            f"{table}: {path.name} has {len(every)} sheets that can be read: {listed}. Write in sources.toml "
            f"which to read:\n"
            f'    [tables.{table}]\n    sheet = {json.dumps(every, ensure_ascii=False)}   # or "*" for all'
        )

    body = rows[place + 1 :]
    wanted = mapping.places(names)
    try:
        unseen = unseen_cells(path, sheet, place + 1, wanted)
    except (KeyError, ValueError, ElementTree.ParseError, zipfile.BadZipFile):
        raise InputError(
            f"{table}: {path.name} is put together in an unusual way, so that errors in its cells cannot be told from "
            f"blanks. Open it in Excel or LibreOffice, save it as .xlsx or CSV UTF-8, and try again."
        ) from None
    if unseen:
        raise InputError(
            f"{table}: {path.name} has {len(unseen):,} cells in sheet '{sheet}' with an error or a formula without its "
            f"result, the first in {unseen[0]}. They would read as blank. Mend them, or copy the column and paste its "
            f"values, and save it again."
        )
    fields = {at: f"c{at}" for at in wanted}
    cells = {fields[at]: pa.array([_text(row[at]) for row in body], pa.string()) for at in wanted}
    con.register("sheet", pa.table(cells) if cells else pa.table({"c": pa.nulls(len(body), pa.string())}))
    try:
        every = [fields.get(at, "null") for at in range(len(names))]
        con.execute(f"create temp table {target} as {mapping.query(names, every, 'sheet', TRIM_ALL)}")
    finally:
        con.unregister("sheet")
    return Read(count(con, target), mapping.columns(names), notes=mapping.notes(names))


def sheets(path: Path, mapping: Mapping) -> list[str]:
    """The sheets to read of a spreadsheet: those that sources.toml names, or each with something in it for '*'; none
    where it names none, and the first is read.
    """
    if mapping.source.sheet != (EVERY_SHEET,):
        return list(mapping.source.sheet)
    workbook = _open(path, mapping.table.name)
    names = workbook.sheet_names
    found = [name for name in names if _filled(_cells(path, mapping.table.name, workbook, name, TITLE_ROWS))]
    if not found:
        raise InputError(f"{mapping.table.name}: {path.name} has nothing in its sheets.")
    return found


def _alike(path: Path, mapping: Mapping, workbook: calamine.CalamineWorkbook) -> list[str]:
    """The sheets after the first that have all columns a table needs."""
    found = []
    for name in workbook.sheet_names[1:]:
        rows = _cells(path, mapping.table.name, workbook, name, TITLE_ROWS)
        header = header_of(([_text(cell) or "" for cell in row] for row in rows), mapping)
        if header and not mapping.problems(path.name, header[1]) and len(rows) > header[0] + 1:
            found.append(name)
    return found


def _rows(
    path: Path, table: str, workbook: calamine.CalamineWorkbook, sheet: str | None
) -> tuple[str, list[list[Any]]]:
    """The name and the rows of the sheet asked for, or of the first."""
    if sheet is not None and sheet not in workbook.sheet_names:
        raise InputError(
            f"{table}: {path.name} has no sheet '{sheet}'.{did_you_mean(sheet, workbook.sheet_names)} "
            f"Its sheets are {', '.join(map(repr, workbook.sheet_names))}. Write in sources.toml:\n"
            f'    [tables.{table}]\n    sheet = "{workbook.sheet_names[0]}"'
        )
    name = workbook.sheet_names[0] if sheet is None else sheet
    rows = _cells(path, table, workbook, name)
    if not _filled(rows):
        raise InputError(f"{table}: {path.name} has an empty sheet '{name}'. Name another one: sheet = \"…\"")
    return name, rows


def _open(path: Path, table: str) -> calamine.CalamineWorkbook:
    with _whole(path, table):
        return calamine.CalamineWorkbook.from_path(path)


def _cells(
    path: Path, table: str, workbook: calamine.CalamineWorkbook, sheet: str, most: int | None = None
) -> list[list[Any]]:
    """The rows of a sheet, or the first of them."""
    with _whole(path, table):
        return workbook.get_sheet_by_name(sheet).to_python(skip_empty_area=False, nrows=most)


@contextmanager
def _whole(path: Path, table: str) -> Iterator[None]:
    """Say in words what is wrong with a spreadsheet that cannot be read."""
    try:
        yield
    except calamine.PasswordError:
        raise InputError(f"{table}: {path.name} is protected by a password. Save it without one.") from None
    except PermissionError as error:
        raise InputError(f"{table}: {path.name} cannot be read: {error.strerror}.") from None
    except (calamine.CalamineError, calamine.ZipError, calamine.XmlError, OSError, ValueError):
        raise InputError(
            f"{table}: {path.name} is not a whole spreadsheet. Open it, save it as .xlsx or CSV UTF-8, and try again."
        ) from None


def _filled(rows: list[list[Any]]) -> bool:
    return any(cell not in ("", None) for row in rows for cell in row)


def _text(cell: Any) -> str | None:
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ")
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell)
