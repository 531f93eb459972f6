"""Half empty: columns of enrolments that are blank in one place far more than elsewhere, which a gap in the extract
would show as students without a tutor, or whose group is not known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from pipelines.definitions import UNKNOWN, Definitions
from pipelines.engines import Connection
from pipelines.noticed import Noticed, listed
from pipelines.settings import Settings

TUTOR = "tutor_id"
MUCH = 0.3  # of a school's students without a named tutor
FURTHER = 0.2  # beyond what it is compared with
FEWEST = 20  # students; more where percentages on so few are hidden
NEARLY = 1e-9  # for shares that floating point makes a trifle smaller
SEE = "See whether the system it comes from has more."


@dataclass(frozen=True)
class Place:
    """Where a column is blank far more than elsewhere: in a school, or (None) in the university, in a year.

    against: what it was compared with, in words.
    """

    column: str
    year: str
    school: str | None
    students: int
    share: float
    against: str


def look(con: Connection, definitions: Definitions, given: frozenset[str], settings: Settings) -> list[Noticed]:
    """Whether the named tutor, or a characteristic, is blank in one place far more than elsewhere.

    given: the columns that the extracts have.
    """
    characteristics = [c.name for c in definitions.characteristics.values() if not c.of and c.name in given]
    columns = [*([TUTOR] if TUTOR in given else []), *characteristics]
    if not columns:
        return []
    is_blank = {c: f"{c} is null" if c == TUTOR else f"{c} = '{UNKNOWN}'" for c in columns}
    blank = ", ".join(f"count(case when {condition} then 1 end) as {c}" for c, condition in is_blank.items())
    counts = con.execute(f"""
        select academic_year, school_code, count(*) as students, {blank}
        from stg_enrolments group by academic_year, school_code order by academic_year, school_code
    """).df()
    names = dict(con.execute("select school_code, school_name from stg_schools").fetchall())
    found = half_empty(counts, columns, max(FEWEST, settings.rules.smallest_percentage_base))
    of_tutors = [place for place in found if place.column == TUTOR]
    of_others = [place for place in found if place.column != TUTOR]
    return [
        *([_tutors(of_tutors, names)] if TUTOR in given else []),
        *([_characteristics(of_others)] if characteristics else []),
    ]


def half_empty(counts: pd.DataFrame, columns: Sequence[str], fewest: int) -> list[Place]:
    """The places where a column is blank far more than elsewhere, the whole university first, then by students.

    counts: academic_year, school_code, students, and for each column how many of them it is blank for. fewest:
    students, below which nothing is said.
    """
    by_year = counts.groupby("academic_year")[["students", *columns]].sum()
    found = [place for column in columns for place in _of_years(by_year, column, fewest)]
    if TUTOR in columns:
        found += _of_schools(counts, by_year, {p.year for p in found if p.column == TUTOR}, fewest)
    return sorted(found, key=lambda place: (place.school is not None, -place.students, place.year, place.column))


def _of_years(by_year: pd.DataFrame, column: str, fewest: int) -> Iterator[Place]:
    """Years in which a column is blank for far more of the university than in the middle of its years."""
    shares = by_year[column] / by_year["students"]
    if len(shares) < 2:
        return
    usual = shares.sort_values().iloc[(len(shares) - 1) // 2]  # of two in the middle the lower, which is a year's own
    for year, share in shares.items():
        blank = int(by_year.loc[year, column])
        if blank >= fewest and share >= usual + FURTHER - NEARLY:
            when = "most years" if len(shares) > 2 else next(other for other in shares.index if other != year)
            yield Place(column, str(year), None, blank, float(share), f"{usual:.0%} in {when}")


def _of_schools(counts: pd.DataFrame, by_year: pd.DataFrame, told: set[str], fewest: int) -> Iterator[Place]:
    """Schools in which far more students than elsewhere have no named tutor. told: years told of as a whole."""
    years = list(by_year.index)
    rows = counts[counts["students"] >= fewest].itertuples(index=False)
    schools = {(row.school_code, row.academic_year): (int(row.tutor_id), row.tutor_id / row.students) for row in rows}
    for (school, year), (blank, share) in schools.items():
        enough, at = share - FURTHER + NEARLY, years.index(year)
        usual = by_year.loc[year, TUTOR] / by_year.loc[year, "students"]
        beside = [y for y in years[max(0, at - 1) : at + 2] if y != year and (school, y) in schools]
        before_and_after = {y: schools[school, y][1] for y in beside}
        if share < MUCH - NEARLY:
            continue
        if usual <= enough:
            yield Place(TUTOR, year, school, blank, share, f"{usual:.0%} in the university")
        elif year not in told and len(beside) == 2 and max(before_and_after.values()) <= enough:
            against = ", ".join(f"{other:.0%} in {y}" for y, other in before_and_after.items())
            yield Place(TUTOR, year, school, blank, share, against)


def _tutors(found: Sequence[Place], names: Mapping[str, str]) -> Noticed:
    """Which schools is told to the data team alone: their share may be hidden in the release."""

    def where(place: Place) -> str:
        return f"{names.get(place.school, place.school)} in {place.year}" if place.school else f"in {place.year}"

    told = [f"{place.share:.0%} {'of ' if place.school else ''}{where(place)} ({place.against})" for place in found]
    schools = Counter(place.year for place in found if place.school)  # which, may be hidden
    observed = [f"{place.share:.0%} {where(place)}" for place in found if not place.school]
    observed += [
        f"{count} {'school' if count == 1 else 'schools'} in {year}" for year, count in sorted(schools.items())
    ]
    return Noticed(
        "enrolments.tutors_named_everywhere",
        TUTOR,
        "No school has far more students without a named tutor than the university or the years beside; a gap in the "
        "extract would show as students without a tutor.",
        (
            f"enrolments: {TUTOR} is blank for {listed(told)}: a gap in the extract would show as students without a "
            f"tutor. {SEE}",
        )
        if found
        else (),
        listed(observed) or None,
    )


def _characteristics(found: Sequence[Place]) -> Noticed:
    told = [f"{p.column} is blank for {p.share:.0%} in {p.year} ({p.against})" for p in found]
    observed = [f"{p.column} {p.share:.0%} in {p.year} ({p.against})" for p in found]
    return Noticed(
        "enrolments.characteristics_known_every_year",
        None,
        "No characteristic is blank for far more students in one year than in the others; a gap in the extract would "
        "show as students whose group is not known.",
        (f"enrolments: {listed(told)}. {SEE}",) if found else (),
        listed(observed) or None,
    )
