"""Dates and numbers that cannot be read: messages say how they are written, quote nobody, and give lines that work."""

from datetime import datetime

import duckdb
import pytest

from pipelines.check import CheckFailed
from pipelines.unreadable import DAYS, TIMES, fitting
from tests.pipelines.checking import checked
from tests.pipelines.inputs import Row, valid

MOMENTS = [datetime(2025, month, day, 13, 5, 9) for month, day in ((1, 3), (9, 29), (10, 31), (12, 12))]


def unread(column: str, values: list[str], table: str = "meetings") -> dict[str, list[Row]]:
    """The valid university, the first rows of a table with a column that cannot be read."""
    tables = valid()
    for row, value in zip(tables[table], values, strict=False):
        row |= {column: None, f"{column}_unreadable": value}
    return tables


def told(tables: dict[str, list[Row]]) -> list[str]:
    """What the checks say of values that cannot be read."""
    with duckdb.connect() as con:
        return [said for said in checked(con, tables).remarks if "cannot be read" in said]


@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("day", DAYS)
def test_every_format_that_may_be_suggested_is_found_in_dates_written_so(day: str, time: str) -> None:
    written = {moment.strftime(day + time): 3 for moment in MOMENTS}
    assert fitting(written) == day + time


def test_the_order_of_day_and_month_is_told_by_days_after_the_twelfth() -> None:
    assert fitting({"10/31/2025": 5, "09/12/2025": 50}) == "%m/%d/%Y"
    assert fitting({"09/12/25": 50}) == "%d/%m/%y"


@pytest.mark.parametrize("written", ["soon", "week 3", "99/99/99"])
def test_no_format_is_suggested_for_what_is_no_date(written: str) -> None:
    assert fitting({written: 10}) is None


def test_dates_of_two_digit_years_stop_a_run_with_the_lines_to_write() -> None:
    with duckdb.connect() as con, pytest.raises(CheckFailed) as failed:
        checked(con, unread("meeting_date", ["29/09/25 14:30"] * 20), most=0.1)
    assert (
        "- meetings: 20 of 40 values of 'meeting_date' cannot be read as a date; most look like 99/99/99 99:99 "
        "(9: a digit, x: a letter).\n"
        "    Write in sources.toml how they are written (docs/sources.md: formats of dates):\n"
        "        [tables.meetings]\n"
        '        date_formats = ["%d/%m/%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%y %H:%M"]'
    ) in str(failed.value)


def test_answers_in_words_are_told_with_the_numbers_they_stand_for() -> None:
    words = ["Strongly agree"] * 8 + ["Neither agree nor disagree"] * 6 + ["Meh"] * 5
    (said,) = told(unread("trust", words, "feedback"))
    assert said == (
        "feedback: 19 of 20 values of 'trust' cannot be read as a whole number: 'Strongly agree' (8), "
        "'Neither agree nor disagree' (6), 'Meh' (5).\n"
        "    Write in sources.toml what each means, a number, or an empty text for blank:\n"
        "        [tables.feedback.codes.trust]\n"
        '        "Strongly agree" = "5"\n'
        '        "Neither agree nor disagree" = "3"\n'
        '        "Meh" = "…"'
    )


def test_what_may_be_about_a_person_is_not_quoted() -> None:
    said_by_few = [f"my tutor {name} is great" for name in "ABCDEFGH"]
    (said,) = told(unread("trust", said_by_few, "feedback"))
    assert said.endswith("a whole number. Look at the column in the extract: it seems to hold something else.")
    (said,) = told(unread("meeting_date", ["met Ann Smith at her home in Leeds"] * 6))
    assert "Ann" not in said
    assert "it seems to hold something else" in said


def test_a_few_slips_are_not_told_of() -> None:
    assert told(unread("meeting_date", ["31/02/25"] * 4)) == []
