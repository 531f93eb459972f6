"""Absent: what of the contract the extracts do not have, and what is left out for want of it, in words."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.definitions import Definitions, Table
from pipelines.extract import Extracted
from pipelines.model import Present, lacking, missing_characteristic

MOST_LISTED = 6


def absent(definitions: Definitions, extracted: Extracted) -> list[str]:
    """What is odd in extracts; a line for each table that is not there or lacks columns; files that no table took."""
    lines = [*extracted.remarks]
    lines += [_of_table(table, definitions, extracted.present) for table in definitions.tables.values()]
    if extracted.untaken:
        lines.append(f"Files that no table took: {_listed(extracted.untaken)}.")
    return [line for line in lines if line]


def _of_table(table: Table, definitions: Definitions, present: Present) -> str:
    there = present[table.name]
    characteristics = [c for c in definitions.characteristics.values() if not c.of and c.column in table.columns]
    wanted = [name for name in table.columns if name not in there]
    if table.name == "feedback":  # answers have the characteristics of the student, where there is one
        useful = present["enrolments"] if "student_id" not in there else frozenset[str]()
        wanted = [name for name in wanted if name in useful or name not in {c.column for c in characteristics}]
    if there and not wanted:
        return ""
    without = [m.label for m in definitions.metrics.values() if table.name in dict(lacking(m, present))]
    if table.name == "enrolments":
        without += [c.label for c in definitions.characteristics.values() if missing_characteristic(c, present)]
    elif there:
        without += [f"answers by {c.label}" for c in characteristics if c.column in wanted]
    said = (
        f"Not in the extract of {table.name}: {_listed(wanted)}." if there else f"There is no extract of {table.name}."
    )
    return f"{said} Left out: {_listed(without)}." if without else f"{said} No figure is left out."


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_LISTED
    return ", ".join(names[:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
