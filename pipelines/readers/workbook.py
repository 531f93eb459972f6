"""Spreadsheets into DuckDB."""

from __future__ import annotations

import zipfile
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


def read_workbook(con: duckdb.DuckDBPyConnection, path: Path, mapping: Mapping, target: str) -> Read:
    """Load one sheet of a spreadsheet into the new temp table `target`. Raises InputError.

    Dates become ISO text and whole numbers lose their '.0'; a formula counts as the value it shows.
    """
    table, source = mapping.table.name, mapping.source
    sheet, rows = _rows(path, table, source.sheet)
    first = source.skip_rows or 0
    titles = rows[first : first + 1] if source.skip_rows is not None else rows[:TITLE_ROWS]
    header = header_of(([_text(cell) or "" for cell in row] for row in titles), mapping)
    if header is None:
        raise InputError(mapping.no_header(path.name))
    place, names = first + header[0], header[1]
    if problems := mapping.problems(path.name, names):
        raise InputError(problems)

    body = rows[place + 1 :]
    wanted = sorted(set(mapping.find(names).values()))
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
    return Read(count(con, target), mapping.columns(names))


def _rows(path: Path, table: str, sheet: str | None) -> tuple[str, list[list[Any]]]:
    """The name and the rows of the sheet asked for, or of the first."""
    try:
        workbook = calamine.CalamineWorkbook.from_path(path)
        if sheet is not None and sheet not in workbook.sheet_names:
            raise InputError(
                f"{table}: {path.name} has no sheet '{sheet}'.{did_you_mean(sheet, workbook.sheet_names)} "
                f"Its sheets are {', '.join(map(repr, workbook.sheet_names))}. Write in sources.toml:\n"
                f'    [tables.{table}]\n    sheet = "{workbook.sheet_names[0]}"'
            )
        chosen = workbook.get_sheet_by_index(0) if sheet is None else workbook.get_sheet_by_name(sheet)
        rows = chosen.to_python(skip_empty_area=False)
    except calamine.PasswordError:
        raise InputError(f"{table}: {path.name} is protected by a password. Save it without one.") from None
    except PermissionError as error:
        raise InputError(f"{table}: {path.name} cannot be read: {error.strerror}.") from None
    except (calamine.CalamineError, calamine.ZipError, calamine.XmlError, OSError, ValueError):
        raise InputError(
            f"{table}: {path.name} is not a whole spreadsheet. Open it, save it as .xlsx or CSV UTF-8, and try again."
        ) from None
    if not any(cell not in ("", None) for row in rows for cell in row):
        raise InputError(f"{table}: {path.name} has an empty sheet '{chosen.name}'. Name another one: sheet = \"…\"")
    return chosen.name, rows


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
