"""The extracts' tables: what was drawn, as text, in the university's own codes.

Columns bear the contract's names here; columns the contract does not know (names, e-mail addresses,
notes) bear the extract's own, and must be dropped by whoever reads it.
"""

from __future__ import annotations

from datetime import datetime, time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.example import mapping
from pipelines.example.academic_years import TEACHING_WEEKS, AcademicYear
from pipelines.example.contact import DURATIONS, MODES, STARTERS, STATUSES
from pipelines.example.planted import STATEMENTS
from pipelines.example.students import GROUPS, Columns
from pipelines.example.tutors import Tutors
from pipelines.example.university import LEVELS, SCHOOL_CODES

FORENAMES = (
    "Aisha", "Amélie", "Amir", "Ben", "Callum", "Chidi", "Chloë", "Daniel", "Eilidh", "Ella", "Fatima", "Femi",
    "François", "Grace", "Hannah", "Ibrahim", "Isla", "Jack", "José", "Kofi", "Leila", "Li", "Lucía", "Mateusz",
    "Megan", "Mohammed", "Niamh", "Noor", "Olivia", "Oscar", "Priya", "Rhys", "Ruby", "Søren", "Sean", "Sofia",
    "Tom", "Wei", "Yusuf", "Zoë",
)  # fmt: skip
SURNAMES = (
    "Adeyemi", "Ahmed", "Begum", "Björk", "Brown", "Chen", "Clarke", "Davies", "Evans", "Fernández", "García",
    "Green", "Hall", "Hughes", "Hussain", "Iqbal", "Jones", "Khan", "Kowalski", "Lewis", "Li", "MacDonald",
    "Mensah", "Müller", "Murphy", "Nguyen", "Núñez", "O'Brien", "Okafor", "Patel", "Peña", "Roberts", "Singh",
    "Smith", "Taylor", "Thomas", "Walker", "Wang", "Williams", "Zhang",
)  # fmt: skip
NOTES = (None, "Discussed module choice", "Progress fine", "Follow up next month", "Referred to careers service")


def day_texts(year: AcademicYear, dates: str) -> list[str]:
    """Every day of a year's teaching as the extract writes it."""
    return [year.day(d).strftime(dates) for d in range(TEACHING_WEEKS * 7)]


def enrolments(rows: Columns, tutors: Tutors, year: AcademicYear, dates: str) -> pa.Table:
    """The student record system's extract."""
    number = pc.cast(pa.array(rows["number"]), pa.string())
    days = day_texts(year, dates)
    columns = {
        "student_id": number,
        "Forename": _lookup(rows["name"] % len(FORENAMES), FORENAMES),
        "Surname": _lookup(rows["name"] // 64 % len(SURNAMES), SURNAMES),
        "E-mail": pc.binary_join_element_wise("s", number, "@student.university.example", ""),
        "academic_year": _same(year.label, len(number)),
        "school_code": _lookup(rows["school"], SCHOOL_CODES),
        "level": _coded("enrolments", "level", rows["level"], LEVELS),
        "year_of_study": pc.cast(pa.array(rows["year_of_study"]), pa.string()),
        "study_mode": _coded("enrolments", "study_mode", rows["part_time"], ("full-time", "part-time")),
        "start_date": _lookup(rows["start"], days),
        "end_date": _lookup(rows["end"], days),
        "tutor_id": _lookup(rows["post"], tutors.ids),
    }
    for name, groups in GROUPS.items():
        columns[name] = _coded("enrolments", name, rows[name], (*groups, "Unknown"))
    return pa.table(columns)


def meetings(
    rng: np.random.Generator, record: Columns, enrolments: Columns, tutors: Tutors, year: AcademicYear,
    dates: str, spelling: int, first: int,
) -> pa.Table:  # fmt: skip
    """The tutoring system's extract: the meetings on record, numbered from `first` on."""
    who, n = record["who"], len(record["who"])
    # The students a tutor meets in one group on one day share a meeting; all others have their own.
    together = 500_000_000 + record["post"].astype(np.int64) * 256 + record["day"]
    own = first + np.arange(n)
    ref = year.starts_in % 100 * 10**9 + np.where(record["mode"] == MODES.index("group"), together, own)
    # The system sometimes leaves the school out, though not for students of two schools.
    no_school = ~enrolments["joint"][who] & (rng.random(n) < 0.02)
    return pa.table(
        {
            "meeting_id": pc.cast(pa.array(ref), pa.string()),
            "student_id": pc.cast(pa.array(enrolments["number"][who]), pa.string()),
            "tutor_id": _lookup(record["post"], tutors.ids),
            "meeting_date": _lookup(record["day"], day_texts(year, dates)),
            "mode": _coded("meetings", "mode", record["mode"], MODES, spelling),
            "status": _coded("meetings", "status", record["status"], STATUSES, spelling),
            "school_code": _lookup(np.where(no_school, -1, enrolments["school"][who]), SCHOOL_CODES),
            "duration_minutes": _lookup(record["duration"], [str(minutes) for minutes in DURATIONS]),
            "initiated_by": _coded("meetings", "initiated_by", record["starter"], STARTERS),
            "Notes": _lookup(np.maximum(rng.integers(-95, len(NOTES), n), 0), NOTES),
        }
    )


def feedback(responses: Columns, enrolments: Columns, year: AcademicYear, first: int) -> pa.Table:
    """The survey tool's extract: responses numbered from `first` on."""
    who, n = responses["who"], len(responses["who"])
    midnight = datetime.combine(year.teaching_start, time())
    seconds = responses["day"].astype("timedelta64[D]") + responses["minute"].astype("timedelta64[m]")
    submitted = np.datetime64(midnight, "s") + seconds.astype("timedelta64[s]")
    answers = [None, "1", "2", "3", "4", "5"]
    return pa.table(
        {
            "response_id": pc.cast(pa.array(year.starts_in % 100 * 10**8 + first + np.arange(n)), pa.string()),
            "student_id": pc.cast(pa.array(enrolments["number"][who]), pa.string()),
            "academic_year": _same(year.label, n),
            "school_code": _lookup(enrolments["school"][who], SCHOOL_CODES),
            "level": _lookup(enrolments["level"][who], LEVELS),
            "response_date": pc.strftime(pa.array(submitted), "%Y-%m-%d %H:%M:%S"),
        }
        | {name: _lookup(responses[name], answers) for name in STATEMENTS}
        | {"recalled_meetings": pc.cast(pa.array(responses["recalled"]), pa.string())}
    )


def tutor_names(tutors: Tutors) -> list[str]:
    return [f"Dr {FORENAMES[n % len(FORENAMES)]} {SURNAMES[n // 64 % len(SURNAMES)]}" for n in tutors.name.tolist()]


def _same(text: str, n: int) -> pa.Array:
    return _lookup(np.zeros(n, np.int8), [text])


def _coded(table: str, column: str, index: np.ndarray, values: tuple[str, ...], spelling: int = 0) -> pa.Array:
    """The extract's own code for each value; blank where it has none."""
    return _lookup(index, [mapping.code(table, column, value, spelling) or None for value in values])


def _lookup(index: np.ndarray, texts: list[str] | list[str | None] | tuple[str | None, ...]) -> pa.Array:
    """The text at each index; blank for -1."""
    index = np.asarray(index).astype(np.int32)
    return pa.array(texts, pa.string()).take(pa.array(index, mask=index < 0))
