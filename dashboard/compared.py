"""Schools set against the university as one viewer sees them: all of them, or one's own beside an unnamed band."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from dashboard.access import UNIVERSITY
from dashboard.findings import consistency, standing
from dashboard.findings.consistency import Comparison
from dashboard.kept import kept
from dashboard.published import Release


def compare(release: Release, metric: pd.Series, period: pd.Series, level: str) -> Comparison:
    """All schools that the viewer sees, on one metric, with what is published of them and of all schools together."""
    return _compare(release, str(metric["metric"]), level, str(period["academic_year"]), str(period["part"]))


@kept
def _compare(release: Release, name: str, level: str, year: str, part: str) -> Comparison:
    period = release.periods.loc[(year, part)]
    found = consistency.compare(
        release.everyone(name, level, period),
        release.units,
        release.metrics.loc[name],
        str(period["label"]),
        release.consistency(name, level, period),
        release.derived("funnel", metric=name, level=level, academic_year=year, part=part),
    )
    spread = standing.band(release.band(name, level, period))
    observed = (spread.low, spread.high) if spread else None
    return replace(found, partial=release.viewer.home != UNIVERSITY, observed=observed)


def with_faculty(release: Release, c: Comparison, level: str, period: pd.Series) -> Comparison:
    """A single school's comparison with its faculty beside it, as a further benchmark."""
    units = release.units
    faculty = units[units["kind"] == "faculty"]
    found = consistency.compare(
        release.everyone(str(c.metric["metric"]), level, period),
        units.assign(kind=units["kind"].where(units["kind"] != "faculty", "school")),
        c.metric,
        c.period,
    )
    beside = found.schools[found.schools["unit"].isin(faculty["unit"])]
    return replace(c, schools=pd.concat([c.schools, beside], ignore_index=True))


def parts_of(release: Release, unit: str) -> pd.DataFrame:
    """The university, a unit and the units it is made of, as far as the viewer sees them; for a school its faculty's.

    What leads see of the university is their own faculty.
    """
    units = release.units
    top = release.viewer.home if unit == UNIVERSITY else unit
    top = str(units.loc[top, "parent"]) if units.loc[top, "kind"] == "school" else top
    return units[units["unit"].isin([UNIVERSITY, top]) | (units["parent"] == top)]
