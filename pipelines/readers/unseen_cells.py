"""Cells of a spreadsheet that show an error, or that hold a formula which was never worked out.

What reads spreadsheets takes both for blank: a lookup that failed would read as 'has none'. Only of .xlsx and .xlsm,
which are XML in an archive (ECMA-376, part 1, 18.3.1.4).
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Collection, Iterator
from functools import reduce
from pathlib import Path
from xml.etree import ElementTree

SIGNS = (b'"e"', b"'e'", b"<f", b":f")  # a sheet without any of them has no such cell


def unseen_cells(path: Path, sheet: str, first: int, columns: Collection[int]) -> list[str]:
    """Such cells of a sheet in some columns and from a row on, both counted from 0, with what is in them:
    'B12 (#N/A)', 'C3 (a formula without its result)'. Raises KeyError where the sheet is not in the archive.
    """
    if path.suffix.lower() not in (".xlsx", ".xlsm"):
        return []
    with zipfile.ZipFile(path) as archive:
        text = _sheet(archive, sheet)
    if not any(sign in text for sign in SIGNS):
        return []
    return [
        f"{_letters(column)}{row + 1} ({what})"
        for row, column, what in _found(text)
        if row >= first and column in columns
    ]


def _found(text: bytes) -> Iterator[tuple[int, int, str]]:
    """Row and column, counted from 0, of each such cell. Where a row or cell does not say its place it is the next."""
    row = column = -1
    for event, element in ElementTree.iterparse(io.BytesIO(text), events=("start", "end")):
        name = _plain(element.tag)
        if event == "start" and name == "row":
            row, column = int(element.get("r", row + 2)) - 1, -1
        elif event == "start" and name == "c":
            letters = re.match(r"[A-Z]+", element.get("r", ""))
            column = _number(letters[0]) if letters else column + 1
        elif event == "end" and name == "c":
            inside = {_plain(child.tag): child.text or "" for child in element}
            if element.get("t") == "e":
                yield row, column, inside.get("v") or "an error"
            elif "f" in inside and "v" not in inside:
                yield row, column, "a formula without its result"
        elif event == "end" and name == "row":
            element.clear()


def _plain(name: str) -> str:
    """A name without its namespace, of which there are two kinds of workbook."""
    return name.rpartition("}")[2]


def _number(letters: str) -> int:
    """The place of a column from 0: A is 0, AA is 26."""
    return reduce(lambda number, letter: 26 * number + ord(letter) - 64, letters, 0) - 1


def _letters(column: int) -> str:
    return (_letters(column // 26 - 1) if column >= 26 else "") + chr(65 + column % 26)


def _sheet(archive: zipfile.ZipFile, sheet: str) -> bytes:
    """The part of the archive that a sheet is in; programs do not agree on capitals in the names of parts."""
    parts = {name.casefold(): name for name in archive.namelist()}

    def read(name: str) -> bytes:
        return archive.read(parts[name.casefold()])

    relations = ElementTree.fromstring(read("xl/_rels/workbook.xml.rels"))
    target = {of.attrib["Id"]: of.attrib["Target"] for of in relations}
    for each in ElementTree.fromstring(read("xl/workbook.xml")).iter():
        if _plain(each.tag) == "sheet" and each.get("name") == sheet:
            (of,) = (value for name, value in each.attrib.items() if _plain(name) == "id" and name != "id")
            return read(posixpath.normpath(posixpath.join("/xl", target[of])).lstrip("/"))
    raise KeyError(sheet)
