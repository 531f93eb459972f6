"""Files in part of which day and month have changed places are told of, and no others."""

from collections.abc import Iterable
from datetime import date, timedelta

import duckdb
import pandas as pd
import pytest

from pipelines.swapped import Swapped, in_words, swapped
from tests.pipelines.checking import checked, unmet
from tests.pipelines.inputs import TODAY, valid

AUTUMN = (date(2025, 9, 29), date(2025, 12, 12))


def weekdays(first: date, last: date) -> list[date]:
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in days if day.weekday() < 5]


def turned(day: date) -> date:
    """As a spreadsheet turns it: days after the 12th stay."""
    return day.replace(month=day.day, day=day.month) if day.day <= 12 else day


def counts(days: Iterable[date], rows: int = 10, file: str = "CRM_T1.csv") -> pd.DataFrame:
    """So many meetings on each day of a file."""
    dates = pd.Series(pd.to_datetime(list(days))).value_counts()
    return pd.DataFrame({"source_file": file, "meeting_date": dates.index, "counted": dates.to_numpy() * rows})


@pytest.mark.parametrize(
    ("first", "last"),
    [AUTUMN, (date(2026, 1, 12), date(2026, 4, 30)), (date(2025, 10, 6), date(2025, 10, 19)), (AUTUMN[0], TODAY)],
    ids=["a term", "another", "two weeks", "a year of teaching"],
)
def test_a_file_in_part_of_which_dates_are_turned_is_told_of(first: date, last: date) -> None:
    days = weekdays(first, last)
    (found,) = swapped(counts([*days, *map(turned, days)]))
    assert found.of == 20 * len(days)
    changed = 10 * sum(turned(day) != day for day in days)
    assert 0.5 * changed < found.rows <= changed
    assert swapped(counts(days)) == []


@pytest.mark.parametrize("first", [date(2024, 8, 1), date(2025, 1, 1)], ids=["academic year", "calendar year"])
def test_a_whole_year_of_dates_is_as_it_should_be(first: date) -> None:
    assert swapped(counts(weekdays(first, first + timedelta(days=364)))) == []


def test_weeks_of_reviews_far_apart_are_as_they_should_be() -> None:
    """All of them in the first days of a month: with day and month swapped, some would lie among the others."""
    spring = [*weekdays(date(2025, 1, 20), date(2025, 1, 24)), *weekdays(date(2025, 3, 17), date(2025, 3, 21))]
    assert swapped(counts([*spring, *weekdays(date(2025, 5, 1), date(2025, 5, 9))])) == []


def test_few_slips_and_files_without_later_days_are_not_told_of() -> None:
    days = weekdays(*AUTUMN)
    slips = [turned(day) for day in days if day.day < 8][:4]
    assert swapped(counts([*days, *slips], rows=1)) == [], "fewer than five"
    assert swapped(pd.concat([counts(days, rows=100), counts(slips)])) == [], "under 2% of the file"
    assert swapped(counts(turned(day) for day in days if day.day <= 12)) == [], "nothing tells when they were"


def test_meetings_that_come_to_lie_in_the_future_count() -> None:
    days = [turned(day) for day in weekdays(date(2026, 1, 12), date(2026, 3, 31))]
    late = sum(day > TODAY for day in days)
    (found,) = swapped(counts(days))
    assert late > 0
    assert found.rows >= 10 * late


def test_a_sentence_says_how_many_and_what_to_do_and_a_few_files_are_named() -> None:
    assert in_words([Swapped("CRM_T1.csv", 2117, 17000)]) == [
        "meetings: 2,117 of 17,000 dates in CRM_T1.csv lie outside the rest of the file and would lie inside with day "
        "and month swapped. Export it again with dates as text, year first."
    ]
    many = in_words([Swapped(f"{n}.csv", 10, 100) for n in range(7)])
    assert len(many) == 6
    assert many[-1] == "meetings: It is so in 2 more files."


def test_the_checks_warn_of_it_and_the_release_has_it(con: duckdb.DuckDBPyConnection) -> None:
    tables = valid()
    first = tables["meetings"][0]
    tables["meetings"] += [
        first | {"meeting_id": f"more {n}", "meeting_date": turned(day) if n % 2 else day, "source_file": "CRM_T1.csv"}
        for n, day in enumerate(weekdays(*AUTUMN))
    ]
    outcome = checked(con, tables)
    (said,) = [said for said in outcome.warnings if "swapped" in said]
    assert said.startswith("meetings: 9 of 55 dates in CRM_T1.csv lie outside the rest of the file")
    assert "meetings.day_and_month_in_order" in unmet(outcome)
    results = outcome.tables["check"].set_index("expectation")
    assert results.loc["meetings.day_and_month_in_order", "observed"] == "CRM_T1.csv: 16.4%"
    assert results.loc["meetings.day_and_month_in_order", "severity"] == "warning"
