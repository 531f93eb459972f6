"""The periods a reader may choose."""

import pandas as pd

from dashboard.periods import periods_with
from dashboard.published import Release


def test_of_years_to_date_the_last_two_are_offered_and_all_whole_years(release: Release) -> None:
    offered, every = periods_with(release, "any_meeting", "all"), release.periods
    assert years(offered, "to_date") == years(every, "to_date")[-2:]
    assert len(years(every, "to_date")) > 2
    assert years(offered, "year") == years(every, "year")


def years(periods: pd.DataFrame, part: str) -> list[str]:
    return sorted(periods.loc[periods["part"] == part, "academic_year"])
