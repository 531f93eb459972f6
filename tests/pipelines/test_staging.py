"""Staged rows: which enrolment a meeting or response counts for, and which days belong to which year."""

from datetime import date, timedelta

import duckdb
import pytest

from pipelines import definitions as definition_files
from pipelines import models
from pipelines.check import _prepare, _stage
from tests.pipelines.inputs import Row, valid, write

START = date(2025, 9, 29)
DEFINITIONS = definition_files.load()


def staged(tables: dict[str, list[Row]]) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    _prepare(con, write(con, DEFINITIONS, tables))
    for table in DEFINITIONS.tables.values():
        _stage(con, table, DEFINITIONS)
    return con


def meeting(**changes: object) -> Row:
    return {
        "meeting_id": "m",
        "student_id": "student 0",
        "tutor_id": "tutor A",
        "school_code": "A",
        "meeting_date": START,
        "status": "attended",
    } | changes


def linked(*meetings: Row, enrolments: tuple[Row, ...] = (), tutors: tuple[Row, ...] = ()) -> list[tuple]:
    """(school, academic year, teaching week) that each meeting counts for, None where it counts for none."""
    tables = valid() | {"meetings": [m | {"meeting_id": str(i)} for i, m in enumerate(meetings)]}
    tables["enrolments"] += enrolments
    tables["tutors"] += tutors
    return (
        staged(tables)
        .execute("""
            select e.school_code, e.academic_year, m.teaching_week
            from stg_meetings m left join stg_enrolments e on e.enrolment = m.enrolment
            order by m.source_row
        """)
        .fetchall()
    )


def second_enrolment(**changes: object) -> Row:
    return {"student_id": "student 0", "academic_year": "2025/26", "school_code": "B", "level": "UG"} | changes


def test_a_year_begins_six_weeks_before_teaching_and_ends_where_the_next_begins() -> None:
    years = staged(valid()).execute(
        "select year_begins, year_ends, teaching_weeks, ordering from stg_calendar order by ordering"
    )
    first, second = date(2024, 8, 19), date(2025, 8, 18)
    assert years.fetchall() == [(first, second, 31, 1), (second, second + timedelta(days=430), 31, 2)]


def test_teaching_weeks_start_on_the_first_day_of_teaching_and_induction_is_week_0() -> None:
    days = {-42: 0, -1: 0, 0: 1, 6: 1, 7: 2, 214: 31}
    found = linked(*[meeting(meeting_date=START + timedelta(days=d)) for d in days])
    assert found == [("A", "2025/26", week) for week in days.values()]


def test_a_meeting_before_induction_belongs_to_the_year_before() -> None:
    assert linked(meeting(meeting_date=START - timedelta(days=43)))[0][:2] == ("A", "2024/25")


def test_a_meeting_after_the_last_enrolment_ran_out_belongs_to_none() -> None:
    late = START - timedelta(days=42) + timedelta(days=430)
    assert linked(meeting(meeting_date=late)) == [(None, None, None)]
    assert linked(meeting(meeting_date=late - timedelta(days=1)))[0][1] == "2025/26"


def test_a_meeting_counts_for_the_school_it_names() -> None:
    found = linked(meeting(), meeting(school_code="B"), enrolments=(second_enrolment(),))
    assert [school for school, *_ in found] == ["A", "B"]


def test_a_named_school_without_the_students_enrolment_is_not_replaced_by_a_guess() -> None:
    assert linked(meeting(school_code="B")) == [(None, None, None)]


def test_without_a_school_a_meeting_counts_for_its_tutors_school() -> None:
    found = linked(meeting(school_code=None, tutor_id="tutor B"), enrolments=(second_enrolment(),))
    assert found == [("B", "2025/26", 1)]


@pytest.mark.parametrize("tutor", [None, "tutor of nobody", "tutor B"])
def test_without_a_school_or_a_tutors_school_a_meeting_counts_for_the_only_enrolment(tutor: str | None) -> None:
    assert linked(meeting(school_code=None, tutor_id=tutor)) == [("A", "2025/26", 1)]


def test_a_tutor_of_two_schools_does_not_decide_between_two_enrolments() -> None:
    both = {"tutor_id": "tutor B", "school_code": "A", "academic_year": "2025/26", "fte": 0.5}
    found = linked(meeting(school_code=None, tutor_id="tutor B"), enrolments=(second_enrolment(),), tutors=(both,))
    assert found == [(None, None, None)]


def test_a_tutor_of_two_schools_decides_as_the_named_tutor_of_one_enrolment() -> None:
    both = {"tutor_id": "tutor B", "school_code": "A", "academic_year": "2025/26", "fte": 0.5}
    named = second_enrolment(tutor_id="tutor B")
    found = linked(meeting(school_code=None, tutor_id="tutor B"), enrolments=(named,), tutors=(both,))
    assert found == [("B", "2025/26", 1)]


def test_a_tutor_named_in_both_enrolments_decides_by_the_own_school_only() -> None:
    named = second_enrolment(tutor_id="tutor A")
    assert linked(meeting(school_code=None), enrolments=(named,)) == [("A", "2025/26", 1)]
    both = {"tutor_id": "tutor A", "school_code": "B", "academic_year": "2025/26", "fte": 0.5}
    assert linked(meeting(school_code=None), enrolments=(named,), tutors=(both,)) == [(None, None, None)]


def test_without_a_school_a_student_who_changed_school_meets_in_the_latest_year() -> None:
    last_year = second_enrolment() | {"academic_year": "2024/25"}
    assert linked(meeting(school_code=None, tutor_id=None), enrolments=(last_year,)) == [("A", "2025/26", 1)]


def test_every_meeting_is_staged_once() -> None:
    many = [meeting(school_code=school) for school in ("A", None, "B", "elsewhere")] + [meeting(student_id="unknown")]
    assert len(linked(*many, enrolments=(second_enrolment(),))) == len(many)


def test_enrolments_are_numbered_once_each_and_blank_characteristics_are_unknown() -> None:
    found = staged(valid()).execute("select enrolment, ethnicity from stg_enrolments").fetchall()
    assert sorted(number for number, _ in found) == list(range(1, 21))
    assert {group for _, group in found} == {"Unknown"}


def test_a_linked_response_takes_its_characteristics_from_the_enrolment() -> None:
    tables = valid()
    tables["feedback"] = [
        tables["feedback"][0] | {"sex": "Male"},
        tables["feedback"][0] | {"response_id": "declared", "student_id": None, "sex": "Male"},
        tables["feedback"][0] | {"response_id": "silent", "student_id": None, "sex": None},
    ]
    found = staged(tables).execute(
        "select sex, enrolment is not null, teaching_week from stg_feedback order by source_row"
    )
    assert found.fetchall() == [("Female", True, 9), ("Male", False, 9), ("Unknown", False, 9)]


def test_of_rows_with_one_key_the_last_read_is_not_superseded() -> None:
    tables = valid()
    first, changed = meeting(), meeting(status="missed")
    tables["meetings"] = [first, changed, first, meeting(source_file="later.csv")]
    found = staged(tables).execute("select source_file, source_row, superseded_by from stg_meetings order by all")
    assert found.fetchall() == [("later.csv", 1, None), ("meetings.csv", 2, "later.csv, row 1")]


def test_a_failing_model_is_named_and_quoted_whole() -> None:
    with pytest.raises(models.ModelError, match=r"(?s)model stg_schools failed: .*input_schools.*select \* from final"):
        models.run(duckdb.connect(), "stg_schools")


def test_a_model_that_misses_a_value_or_does_not_exist_is_named() -> None:
    with pytest.raises(models.ModelError, match="model volume could not be rendered: 'weekly' is undefined"):
        models.render("volume", table="x")
    with pytest.raises(models.ModelError, match="there is no model 'stg_nothing'"):
        models.render("stg_nothing")
