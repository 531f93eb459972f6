"""Text that does nothing but be read: in spreadsheets no formula, in no format a control character."""

from __future__ import annotations

import re

import pandas as pd

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]")
MOST_CHARACTERS = 6000


def cell(value: object) -> object:
    """A value for a spreadsheet: text that one would take for a formula gets an apostrophe."""
    if not isinstance(value, str):
        return value
    text = CONTROL.sub("", value)
    return f"'{text}" if text.startswith(FORMULA) else text


def csv(frame: pd.DataFrame) -> bytes:
    """A table as a CSV file that spreadsheets open as text and numbers."""
    return str(frame.map(cell).to_csv(index=False)).encode("utf-8-sig")


def paragraphs(text: str) -> tuple[str, ...]:
    """What somebody wrote, as plain paragraphs without control characters; cut where it would fill the pack."""
    clean = CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))[:MOST_CHARACTERS]
    parts = (re.sub(r"[ \t]+", " ", part.replace("\n", " ")).strip() for part in re.split(r"\n\s*\n", clean))
    return tuple(part for part in parts if part)


def lines(text: str) -> tuple[str, ...]:
    """What somebody wrote, one entry per line."""
    clean = CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))[:MOST_CHARACTERS]
    return tuple(line.strip(" \t•-") for line in clean.split("\n") if line.strip(" \t•-"))
