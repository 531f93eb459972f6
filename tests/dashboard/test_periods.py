"""The periods a reader may choose."""

from pathlib import Path

import pandas as pd

from dashboard.periods import periods_with
from dashboard.published import Release
from tests.dashboard.test_pages import text, visit


def test_of_years_to_date_the_last_two_are_offered_and_all_whole_years(release: Release) -> None:
    offered, every = periods_with(release, "any_meeting", "all"), release.periods
    assert years(offered, "to_date") == years(every, "to_date")[-2:]
    assert len(years(every, "to_date")) > 2
    assert years(offered, "year") == years(every, "year")


def test_a_link_to_a_period_that_is_not_offered_says_so(sample: Path, serve) -> None:
    serve(sample)
    for page in ("equity", "year"):
        said = text(visit(page, period="2024-25-to-date"))
        assert "The period asked for, 2024/25 to week 9, is not among those to choose here: this is 2026/27" in said
    assert "is not among those" not in text(visit("equity", period="2025-26-to-date"))


def test_what_carries_no_date_is_not_compared_with_the_year_before(release: Release, sample: Path, serve) -> None:
    assert years(periods_with(release, "has_tutor", "all"), "to_date") == ["2026/27"]
    serve(sample)
    rows = text(visit("profile", unit="school:SCI3")).split('role="rowheader">')
    since = {row.partition("<")[0]: "no figure to compare with" in row for row in rows}
    assert since["Has a named tutor"]
    assert since["Tutees per full-time tutor"]
    assert not since["Met their tutor"]
    over_years = visit("schools", metric="has_tutor", drawn="years")
    assert not over_years.exception
    assert "% in 2026/27 to week 9" in text(over_years)
    earlier = text(over_years).partition('role="rowheader">2025/26 to week 9<')[2].partition("</tr>")[0]
    assert ">no figure<" in earlier


def years(periods: pd.DataFrame, part: str) -> list[str]:
    return sorted(periods.loc[periods["part"] == part, "academic_year"])
