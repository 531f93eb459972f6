"""Students: who they are, how they progress from year to year, and their enrolments."""

from __future__ import annotations

import numpy as np

from pipelines.example.academic_years import AcademicYear
from pipelines.example.planted import Effects
from pipelines.example.tutors import Tutors
from pipelines.example.university import FACULTIES, LEVELS, SCHOOLS, level_shares, whole_numbers

Columns = dict[str, np.ndarray]  # arrays of one length, by name: a table

UG, PGT, PGR = range(len(LEVELS))
JOINT = 0.03  # share of students who belong to two schools, hence have two enrolments

# The characteristics and their groups; a student is an index into these, Unknown being the last.
GROUPS: dict[str, tuple[str, ...]] = {
    "sex": ("Female", "Male", "Other"),
    "ethnicity": ("Asian", "Black", "Mixed", "Other", "White"),
    "disability": ("Disabled", "No known disability"),
    "imd_quintile": ("IMD 1 (most deprived)", "IMD 2", "IMD 3", "IMD 4", "IMD 5 (least deprived)"),
    "tundra_quintile": (
        "TUNDRA 1 (lowest participation)", "TUNDRA 2", "TUNDRA 3", "TUNDRA 4",
        "TUNDRA 5 (highest participation)",
    ),
    "age_on_entry": ("Mature", "Young"),
    "first_in_family": ("First in family", "Parent with a degree"),
    "care_experienced": ("Care experienced", "Not care experienced"),
    "fee_status": ("International", "Home"),
    "commuter": ("Commuter", "Not a commuter"),
}  # fmt: skip
UNKNOWN_SHARE = {"sex": 0.005, "fee_status": 0.03, "age_on_entry": 0.03}
USUAL_UNKNOWN_SHARE = 0.04


def first_year(rng: np.random.Generator, effects: Effects, tutors: Tutors, enrolments: int) -> Columns:
    """Everyone enrolled in the first year, spread over their years of study."""
    return _enrol(rng, effects, tutors, enrolments, 200_000_000, None)


def next_year(rng: np.random.Generator, effects: Effects, tutors: Tutors, enrolments: int, before: Columns) -> Columns:
    """Everyone enrolled a year later: those who go on, and new students in the place of those who left."""
    goes_on = (before["year_of_study"] < before["length"]) & ~before["leaves"]
    goes_on &= rng.random(len(goes_on)) > 0.02
    staying = take(before, np.flatnonzero(goes_on))
    staying["year_of_study"] = staying["year_of_study"] + np.int8(1)
    # A few change tutor.
    for school, post in (("school", "post"), ("second_school", "second_post")):
        moves = (rng.random(len(staying[post])) < 0.08) & (staying[post] >= 0)
        staying[post] = np.where(moves, tutors.any_post(rng, staying[school]), staying[post])
    # Last year's newest students are all in `before`: no number is given twice.
    return _enrol(rng, effects, tutors, enrolments, int(before["number"].max()), staying)


def enrolments_of(people: Columns, year: AcademicYear, rng: np.random.Generator) -> Columns:
    """One row per student and school, with the days they started and left (-1: did not).

    Marks in `people` who leaves, so that they are not there next year.
    """
    n = len(people["number"])
    level = people["level"]
    chance = rng.random(n)
    late = (rng.integers(1, 5, n) * 7).astype(np.int16)
    start = np.where(chance < 0.015, late, 0)
    start = np.where((level == PGT) & (people["year_of_study"] == 1) & (chance > 0.9), 15 * 7, start)
    people["leaves"] = rng.random(n) < 0.03
    end = np.where(people["leaves"], np.maximum(start, 21) + rng.integers(7, 80, n), -1)
    end = np.where(end > year.last_day, -1, end)  # not known yet
    rows = people | {"start": start.astype(np.int16), "end": end.astype(np.int16)}
    rows["joint"] = people["second_school"] >= 0
    second = take(rows, np.flatnonzero(rows["joint"]))
    second["school"], second["post"] = second["second_school"], second["second_post"]
    return join(rows, second)


def take(columns: Columns, rows: np.ndarray | slice) -> Columns:
    return {name: values[rows] for name, values in columns.items()}


def join(a: Columns, b: Columns) -> Columns:
    return {name: np.concatenate([values, b[name]]) for name, values in a.items()}


def is_group(columns: Columns, characteristic: str, group: str) -> np.ndarray:
    return columns[characteristic] == GROUPS[characteristic].index(group)


def _enrol(
    rng: np.random.Generator, effects: Effects, tutors: Tutors, enrolments: int, last_number: int,
    staying: Columns | None,
) -> Columns:  # fmt: skip
    """Fill every school and level up to its size with new students, numbered on from `last_number`."""
    joint = round(enrolments * JOINT / (1 + JOINT))
    wanted = whole_numbers(level_shares(), enrolments - joint)
    if staying is not None:
        there = np.bincount(staying["school"] * len(LEVELS) + staying["level"], minlength=wanted.size)
        wanted = wanted - there.reshape(wanted.shape)
        joint -= int((staying["second_school"] >= 0).sum())
    new = _new_students(rng, effects, tutors, wanted, joint, last_number, spread=staying is None)
    return new if staying is None else join(staying, new)


def _new_students(
    rng: np.random.Generator, effects: Effects, tutors: Tutors, wanted: np.ndarray, joint: int,
    last_number: int, spread: bool,
) -> Columns:  # fmt: skip
    """New students, `wanted` of them in each school and level; `spread`: over all years of study."""
    cell = np.repeat(np.arange(wanted.size), wanted.ravel())
    rng.shuffle(cell)
    school, level = (cell // len(LEVELS)).astype(np.int8), (cell % len(LEVELS)).astype(np.int8)
    n = len(cell)
    part_time = rng.random(n) < np.array([0.04, 0.15, 0.2])[level]
    length = np.array([3, 1, 4], np.int8)[level]
    length = (length + ((level == UG) & (rng.random(n) < 0.3)) + ((level == PGT) & part_time)).astype(np.int8)

    post = np.where(rng.random(n) < effects.tutored[school], tutors.any_post(rng, school), -1)
    second_school = _second_schools(rng, school, level, joint)
    second_post = np.where(second_school >= 0, tutors.any_post(rng, second_school), -1)
    years_in = (rng.random(n) * length).astype(np.int8) if spread else np.zeros(n, np.int8)
    people: Columns = {
        "number": last_number + 1 + np.arange(n),
        "school": school,
        "second_school": second_school,
        "level": level,
        "year_of_study": years_in + np.int8(1),
        "length": length,
        "part_time": part_time,
        "post": post.astype(np.int32),
        "second_post": second_post.astype(np.int32),
        "name": rng.integers(0, 2**31, n),
        "engagement": rng.normal(0, 0.4, n).astype(np.float32),
        "satisfaction": rng.normal(0, 0.5, n).astype(np.float32),
        "leaves": np.zeros(n, bool),
    }
    return people | _characteristics(rng, effects, school, level)


def _second_schools(rng: np.random.Generator, school: np.ndarray, level: np.ndarray, joint: int) -> np.ndarray:
    """The second school of `joint` undergraduates, from the same faculty; -1 for everyone else."""
    second = np.full(len(school), -1, np.int8)
    who = rng.choice(np.flatnonzero(level == UG), joint, replace=False)
    for faculty in FACULTIES:
        members = np.array([i for i, s in enumerate(SCHOOLS) if s.faculty == faculty], np.int8)
        theirs = who[np.isin(school[who], members)]
        step = rng.integers(1, len(members), len(theirs))
        second[theirs] = members[(np.searchsorted(members, school[theirs]) + step) % len(members)]
    return second


def _characteristics(rng: np.random.Generator, effects: Effects, school: np.ndarray, level: np.ndarray) -> Columns:
    n = len(school)

    def chance(share: np.ndarray | float) -> np.ndarray:
        """0 (the first group) with probability `share`, else 1."""
        return (rng.random(n) >= share).astype(np.int8)

    def pick(*shares: float) -> np.ndarray:
        return np.searchsorted(np.cumsum(shares)[:-1], rng.random(n), side="right").astype(np.int8)

    women, international, minority = (
        np.array([getattr(s, name) for s in SCHOOLS])[school] for name in ("women", "international", "minority")
    )
    fee = chance(np.minimum(np.array([0.14, 0.5, 0.4])[level] * international, 0.9))
    home = fee == 1
    # Minority groups in the shares of home and of international students; White is the rest.
    abroad, here = pick(0.68, 0.12, 0.04, 0.06, 0.10), pick(0.46, 0.27, 0.16, 0.11)
    ethnicity = np.where(home, np.where(rng.random(n) < 0.27 * minority, here, 4), abroad)
    imd = pick(0.15, 0.17, 0.2, 0.22, 0.26)
    values: Columns = {
        "fee_status": fee,
        "sex": np.where(rng.random(n) < 0.01, 2, chance(women)),
        "ethnicity": ethnicity,
        "disability": chance(0.17),
        "imd_quintile": imd,
        "tundra_quintile": np.clip(imd + pick(0.1, 0.2, 0.4, 0.2, 0.1) - 2, 0, 4),
        "age_on_entry": chance(np.array([0.14, 0.55, 0.7])[level]),
        "first_in_family": chance(np.where(home, np.array([0.6, 0.52, 0.45, 0.36, 0.28])[imd], 0.3)),
        "care_experienced": chance(0.02),
        "commuter": chance(effects.commuters[school]),
    }
    for name, value in values.items():
        unknown = rng.random(n) < UNKNOWN_SHARE.get(name, USUAL_UNKNOWN_SHARE)
        if name in ("imd_quintile", "tundra_quintile"):  # from the postcodes of home students
            unknown |= values["fee_status"] != 1
        values[name] = np.where(unknown, len(GROUPS[name]), value).astype(np.int8)
    return values
