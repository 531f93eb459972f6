"""Cells of a spreadsheet that show an error, or that hold a formula which was never worked out.

What reads spreadsheets takes both for blank: a lookup that failed would read as 'has none'. Only of .xlsx and .xlsm,
which are XML in an archive (ECMA-376, part 1, 18.3.1.4).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection, Iterator
from functools import reduce
from pathlib import Path
from xml.etree import ElementTree

CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*?)(?<!/)>(.*?)</(?:\w+:)?c>", re.DOTALL)
PLACE = re.compile(rb'\br="([A-Z]+)(\d+)"')
VALUE = re.compile(rb"<(?:\w+:)?v>(.*?)</(?:\w+:)?v>", re.DOTALL)
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def unseen_cells(path: Path, sheet: str, first: int, columns: Collection[int]) -> list[str]:
    """Such cells of a sheet in some columns and from a row on, both counted from 0, with what is in them:
    'B12 (#N/A)', 'C3 (a formula without its result)'.
    """
    if path.suffix.lower() not in (".xlsx", ".xlsm"):
        return []
    with zipfile.ZipFile(path) as archive:
        text = archive.read(_part(archive, sheet))
    if b't="e"' not in text and b"<f" not in text and b":f" not in text:
        return []
    return [
        f"{letters}{row} ({what})" for letters, row, what in _found(text) if row > first and _number(letters) in columns
    ]


def _found(text: bytes) -> Iterator[tuple[str, int, str]]:
    for about, inside in CELL.findall(text):
        if not (place := PLACE.search(about)):
            continue
        value = VALUE.search(inside)
        if b't="e"' in about:
            what = value[1].decode() if value else "an error"
        elif re.search(rb"<(?:\w+:)?f\b", inside) and not re.search(rb"<(?:\w+:)?v\b", inside):
            what = "a formula without its result"
        else:
            continue
        yield place[1].decode(), int(place[2]), what


def _number(letters: str) -> int:
    """The place of a column from 0: A is 0, AA is 26."""
    return reduce(lambda sum_, letter: 26 * sum_ + ord(letter) - 64, letters, 0) - 1


def _part(archive: zipfile.ZipFile, sheet: str) -> str:
    """The part of the archive that a sheet is in."""
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    target = {of.attrib["Id"]: of.attrib["Target"] for of in relations}
    found = next(each for each in book.iter() if each.tag.endswith("}sheet") and each.attrib["name"] == sheet)
    part = target[found.attrib[RELATION]]
    return part.lstrip("/") if part.startswith("/") else f"xl/{part}"
