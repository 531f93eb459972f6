"""The mess of real extracts, injected at small known rates and counted.

Rows that a check must reject are added beside the good ones, never in their place, so that the truths
hold exactly for the rows that remain.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.example.academic_years import AcademicYear

DUPLICATES = 0.0005
TRAILING_SPACES = 0.001
NO_TUTOR = 0.001  # of meetings

UNKNOWN_SCHOOL = {"school_code": "ZZZZ"}

# Rows to reject: table -> kind -> share of rows, and what makes them wrong. {number} is a running number,
# {impossible} a date that does not exist.
REJECTS: dict[str, dict[str, tuple[float, dict[str, str]]]] = {
    "enrolments": {
        "unknown school": (0.0002, UNKNOWN_SCHOOL),
        "impossible date": (0.0002, {"start_date": "{impossible}"}),
    },
    "meetings": {
        "unknown school": (0.0003, UNKNOWN_SCHOOL),
        "impossible date": (0.0003, {"meeting_date": "{impossible}"}),
        "no such student": (0.0005, {"student_id": "9{number}"}),
    },
    "feedback": {
        "unknown school": (0.0003, UNKNOWN_SCHOOL),
        "answer of 0": (0.0005, {"trust": "0"}),
        "answer of 6": (0.0005, {"supported": "6"}),
    },
}
# Rows to reject have a key of their own, so that they are nobody's duplicate.
OWN_KEY = {
    "enrolments": {"student_id": "8{number}"},
    "meetings": {"meeting_id": "9{number}"},
    "feedback": {"response_id": "9{number}"},
}


@dataclass
class FileCounts:
    """What one file holds: rows, and what of them was counts."""

    file: str
    table: str
    rows: int = 0
    duplicates: int = 0
    rejects: Counter[str] = field(default_factory=Counter)  # rows to quarantine, by kind
    changes: Counter[str] = field(default_factory=Counter)  # rows to load all the same, by kind

    @property
    def quarantined(self) -> int:
        return self.rejects.total()

    @property
    def loaded(self) -> int:
        return self.rows - self.duplicates - self.quarantined


def rows_by_table(files: list[FileCounts]) -> dict[str, int]:
    """Rows in the extracts of each table, good and bad."""
    rows: Counter[str] = Counter()
    for file in files:
        rows[file.table] += file.rows
    return dict(rows)


def spoil(rng: np.random.Generator, table: pa.Table, year: AcademicYear, dates: str, counts: FileCounts) -> pa.Table:
    """Inject the mess of an extract into a piece of it, and count the piece's rows and mess in `counts`.

    `table` has the contract's columns as text; `dates` is the strftime format of its dates.
    """
    if not len(table):
        return table
    clean = table
    table = _change(rng, table, "school_code", TRAILING_SPACES, lambda old: f"{old} ", "trailing space", counts)
    if counts.table == "meetings":
        table = _change(rng, table, "tutor_id", NO_TUTOR, lambda _: None, "no tutor", counts)

    pieces = [table]
    impossible = dates.replace("%d", "31").replace("%m", "02").replace("%Y", str(year.starts_in + 1))
    for kind, (rate, wrong) in REJECTS[counts.table].items():
        rows = clean.take(_some(rng, len(clean), rate))
        numbers = [f"{year.starts_in % 100:02}{counts.rejects.total() + i + 1:06}" for i in range(len(rows))]
        for column, text in (OWN_KEY[counts.table] | wrong).items():
            values = pa.array([text.format(number=number, impossible=impossible) for number in numbers])
            rows = rows.set_column(rows.column_names.index(column), column, values)
        pieces.append(rows)
        counts.rejects[kind] += len(rows)
    duplicates = table.take(_some(rng, len(table), DUPLICATES))
    counts.duplicates += len(duplicates)
    spoilt = pa.concat_tables([*pieces, duplicates])
    counts.rows += len(spoilt)
    return spoilt


def _change(
    rng: np.random.Generator, table: pa.Table, column: str, rate: float, change: Callable[[str], str | None],
    kind: str, counts: FileCounts,
) -> pa.Table:  # fmt: skip
    """Change a share of a column's values; blank ones stay as they are."""
    values = table[column]
    filled = np.flatnonzero(values.is_valid().to_numpy())
    rows = filled[_some(rng, len(filled), rate)]
    mask = np.zeros(len(table), bool)
    mask[rows] = True
    changed = pa.array([change(old) for old in values.take(rows).to_pylist()], pa.string())
    counts.changes[kind] += len(rows)
    return table.set_column(
        table.column_names.index(column), column, pc.replace_with_mask(values, pa.array(mask), changed)
    )


def _some(rng: np.random.Generator, n: int, rate: float) -> np.ndarray:
    """A share of n rows, at least one, in order."""
    return np.sort(rng.choice(n, min(n, max(1, round(n * rate))), replace=False))
