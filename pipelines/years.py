"""Academic years: how they are written, and which days they own."""

from __future__ import annotations

import re

BEFORE_TEACHING = 42  # days from the beginning of a year to that of its teaching
LONGEST = 430  # days that an enrolment, or a year that no other follows, may reach


def first_year(text: str) -> int:
    """The year in which an academic year begins: 2023 for '2023' and '2023/24'. Raises ValueError."""
    found = re.fullmatch(r"(\d{4})(?:/(\d{2}))?", text)
    if not found or (found[2] and int(found[2]) != (int(found[1]) + 1) % 100):
        raise ValueError(f"'{text}' is no academic year; write 2023/24 or 2023")
    return int(found[1])


def academic_year(first: int) -> str:
    """As it is written: '2023/24' for 2023."""
    return f"{first}/{(first + 1) % 100:02}"
