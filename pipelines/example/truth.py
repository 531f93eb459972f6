"""The truths of the example university, for tests only: what a right analysis finds in the extracts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.example import planted
from pipelines.example.academic_years import AcademicYear
from pipelines.example.contact import Contact
from pipelines.example.mess import FileCounts, rows_by_table
from pipelines.example.planted import STATEMENTS, Effects
from pipelines.example.students import GROUPS, Columns, take
from pipelines.example.tutors import Tutors
from pipelines.example.university import SCHOOL_CODES
from pipelines.example.voice import Voice

REFERENCE = {
    "sex": "Male",
    "ethnicity": "White",
    "disability": "No known disability",
    "imd_quintile": "IMD 5 (least deprived)",
    "tundra_quintile": "TUNDRA 5 (highest participation)",
    "age_on_entry": "Young",
    "first_in_family": "Parent with a degree",
    "care_experienced": "Not care experienced",
    "fee_status": "Home",
    "commuter": "Not a commuter",
}
GAP_STATEMENTS = ("trust", "knows_me")


@dataclass
class YearTruth:
    """Collects one year's probabilities, piece by piece, into sums by school and group."""

    year: AcademicYear
    sums: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)  # -> (schools, groups + 1, [Σp, n])

    def add(self, enrolments: Columns, met: Contact, said: Voice) -> None:
        self._add("any_meeting", enrolments, met.any_recorded)
        for statement in GAP_STATEMENTS:
            answered = np.flatnonzero(said.responses[statement] > 0)
            people = take(enrolments, said.responses["who"][answered])
            self._add(statement, people, said.agrees[answered, STATEMENTS.index(statement)])

    def _add(self, metric: str, people: Columns, p: np.ndarray) -> None:
        for characteristic, groups in GROUPS.items():
            shape = (len(SCHOOL_CODES), len(groups) + 1)
            cell = people["school"].astype(np.int64) * shape[1] + people[characteristic]
            size = shape[0] * shape[1]
            both = np.stack([np.bincount(cell, p, size), np.bincount(cell, minlength=size)], axis=-1)
            key = metric, characteristic
            self.sums[key] = self.sums.get(key, 0) + both.reshape(*shape, 2)

    def gaps(self) -> list[dict[str, Any]]:
        """One row per school, metric, characteristic and group but the reference; gaps in points."""
        rows = []
        for (metric, characteristic), sums in self.sums.items():
            groups, reference = GROUPS[characteristic], REFERENCE[characteristic]
            n = sums[:, :, 1]
            mean = 100 * sums[:, :, 0] / np.where(n > 0, n, 1)
            r = groups.index(reference)
            for s, school in enumerate(SCHOOL_CODES):
                for g, group in enumerate(groups):
                    if g == r or not n[s, g] or not n[s, r]:
                        continue
                    rows.append(
                        {
                            "academic_year": self.year.label,
                            "school_code": school,
                            "metric": metric,
                            "characteristic": characteristic,
                            "group": group,
                            "reference": reference,
                            "true_gap": mean[s, g] - mean[s, r],
                            "n": int(n[s, g]),
                            "reference_n": int(n[s, r]),
                        }
                    )
        return rows


def write_tables(
    folder: Path, gaps: list[dict[str, Any]], effects: Effects, tutors: list[tuple[AcademicYear, Tutors]]
) -> None:
    """Write truth.parquet (gaps), schools.parquet and tutors.parquet (effects, on the logit scale)."""
    pq.write_table(pa.Table.from_pylist(gaps), folder / "truth.parquet")
    schools = {"school_code": SCHOOL_CODES, "contact": effects.contact, "logged": effects.logged}
    schools |= {name: effects.voice[:, i] for i, name in enumerate(STATEMENTS)}
    pq.write_table(pa.table(schools), folder / "schools.parquet")
    per_year = [
        {
            "academic_year": np.full(len(t.number), year.label),
            "tutor_id": t.ids,
            "school_code": np.array(SCHOOL_CODES)[t.school],
            "contact": t.contact,
        }
        | {name: t.voice[:, i] for i, name in enumerate(STATEMENTS)}
        for year, t in tutors
    ]
    pq.write_table(pa.concat_tables([pa.table(columns) for columns in per_year]), folder / "tutors.parquet")


def write_planted(folder: Path, asked: dict[str, int], years: list[AcademicYear], files: list[FileCounts]) -> None:
    """Write planted.json: the roles of schools and groups, and what was injected into each file."""
    characteristic, group = planted.COMPOSITION_ONLY
    said: dict[str, Any] = asked | {
        "academic_years": [year.label for year in years],
        "year_in_progress": years[-1].label,
        "data_through": years[-1].day(years[-1].last_day).isoformat(),
        "outstanding_schools": planted.OUTSTANDING,
        "non_logging_schools": planted.NON_LOGGING,
        "closing_school": {
            "school_code": planted.CLOSING,
            "characteristic": "disability",
            "group": "Disabled",
            "metrics": ["any_meeting", "trust", "knows_me"],
            "open": [y.label for y in years if y.starts_in < planted.CLOSED_FROM],
            "closed": [y.label for y in years if y.starts_in >= planted.CLOSED_FROM],
        },
        "composition_only": {
            "characteristic": characteristic,
            "group": group,
            "reference": REFERENCE[characteristic],
            "metric": "any_meeting",
        },
        "within_schools": _within_schools(),
        "answers_less": [
            {"characteristic": c, "group": g, "effect": effect} for (c, g), effect in planted.ANSWERS_LESS.items()
        ],
        "files": [vars(f) | {"loaded": f.loaded, "quarantined": f.quarantined} for f in files],
        "rows": rows_by_table(files),
    }
    (folder / "planted.json").write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _within_schools() -> list[dict[str, Any]]:
    contact = [(key, {"any_meeting": effect}) for key, effect in planted.CONTACT_GAPS.items()]
    return [
        {"characteristic": c, "group": g, "effects": effects}
        for (c, g), effects in [*contact, *planted.VOICE_GAPS.items()]
    ]
