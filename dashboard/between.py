"""Reading from a release how far the tutors of a school differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dashboard.published import Release


def tutors(release: Release, period: Mapping[Any, Any] | None = None, **keys: str) -> pd.DataFrame:
    """Published rows of `consistency` between tutors, of one period or of all, that match every key."""
    when = {} if period is None else {"academic_year": str(period["academic_year"]), "part": str(period["part"])}
    found = release.derived("consistency", **when, **keys)
    return found[found["between"] == "tutors"] if len(found) else found


def is_told(release: Release, metric: str, period: Mapping[Any, Any] | None = None, **keys: str) -> bool:
    """Whether it is told how far tutors differ on a measure, in a period, or in any."""
    return len(tutors(release, period, metric=metric, **keys)) > 0
