"""Reading from a release how far the tutors of a school differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dashboard.published import Release


def tutors(release: Release, period: Mapping[Any, Any] | None = None, **keys: str) -> pd.DataFrame:
    """Published rows of `consistency` between tutors, of one whole year or of all, that match every key; releases made
    before those were told of whole years alone have others.
    """
    when = {} if period is None else {"academic_year": str(period["academic_year"])}
    found = release.derived("consistency", part="year", level="all", **when, **keys)
    return found[found["between"] == "tutors"] if len(found) else found


def is_told(release: Release, metric: str) -> bool:
    """Whether it is told in any year how far tutors differ on a measure."""
    return len(tutors(release, metric=metric)) > 0


def year_told(release: Release, metric: str, period: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """The whole year to look at for a period: the latest told of that is not after it; of several years the latest."""
    years = sorted(tutors(release, metric=metric)["academic_year"].unique())
    until = [year for year in years if year <= str(period["academic_year"]) or period["part"] == "pooled"]
    return release.periods.loc[((until or years)[-1], "year")]
