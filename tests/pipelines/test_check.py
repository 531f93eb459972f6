"""What the checks find, what they do with it, and that no row is ever lost silently."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import duckdb
import pytest

from pipelines import sentences
from pipelines.check import CheckFailed, CheckOutcome, check
from pipelines.publish import FILE
from pipelines.settings import Settings
from tests.pipelines.checking import DEFINITIONS, checked, unmet
from tests.pipelines.inputs import TODAY, Row, valid, write

SUPPLIED = {name: frozenset(table.columns) for name, table in DEFINITIONS.tables.items()}

# (table, what is wrong with a row, the expectation it fails, the value kept; None: not looked at)
BAD_ROWS: list[tuple[str, Row, str, str | None]] = [
    ("standards", {"academic_year": "2031/32"}, "year_known", "2031/32"),
    ("standards", {"school_code": "Z"}, "school_known", "Z"),
    ("standards", {"level": "PGT", "meetings_per_year": 61}, "meetings_per_year_range", "61"),
    ("standards", {"level": "PGR", "first_meeting_by_week": 0}, "first_meeting_by_week_range", "0"),
    ("standards", {"level": "UGX"}, "level_in_list", "UGX"),
    ("tutors", {"fte": 0.0}, "fte_range", "0.0"),
    ("tutors", {"fte": 1.6}, "fte_range", "1.6"),
    ("tutors", {"fte": None, "fte_unreadable": "half"}, "fte_readable", "half"),
    ("tutors", {"school_code": "Z"}, "school_known", "Z"),
    ("enrolments", {"student_id": None}, "student_id_given", None),
    ("enrolments", {"school_code": "Z"}, "school_known", "Z"),
    ("enrolments", {"academic_year": "2031/32"}, "year_known", "2031/32"),
    ("enrolments", {"level": None}, "level_given", None),
    ("enrolments", {"sex": "woman"}, "sex_in_list", "woman"),
    ("enrolments", {"commuter": "x" * 200}, "commuter_in_list", "x" * 80),
    ("enrolments", {"end_date": date(2020, 1, 1)}, "end_after_start", "2020-01-01"),
    ("enrolments", {"start_date": date(2052, 9, 1)}, "starts_in_time", "2052-09-01"),
    ("enrolments", {"start_date": None, "end_date": date(1985, 6, 1)}, "ends_in_time", "1985-06-01"),
    ("meetings", {"meeting_date": None}, "meeting_date_given", None),
    (
        "meetings",
        {"meeting_date": None, "meeting_date_unreadable": "31/02/2026"},
        "meeting_date_readable",
        "31/02/2026",
    ),
    ("meetings", {"meeting_date": TODAY + timedelta(days=1)}, "date_not_future", "2026-06-02"),
    ("meetings", {"meeting_date": date(2019, 1, 1)}, "enrolment_found", None),
    ("meetings", {"student_id": "nobody"}, "enrolment_found", None),
    ("meetings", {"school_code": "Z"}, "school_known", "Z"),
    ("meetings", {"status": "late"}, "status_in_list", "late"),
    ("feedback", {"trust": 0}, "trust_range", "0"),
    ("feedback", {"trust": 6}, "trust_range", "6"),
    ("feedback", {"recalled_meetings": 101}, "recalled_meetings_range", "101"),
    ("feedback", {"response_date": date(2023, 1, 1)}, "date_in_year", "2023-01-01"),
    ("feedback", {"student_id": "nobody"}, "student_enrolled", None),
    ("feedback", {"school_code": "Z", "student_id": None}, "school_known", "Z"),
]


class TestAValidUniversity:
    @pytest.fixture(scope="class")
    def outcome(self) -> CheckOutcome:
        with duckdb.connect() as con:
            return checked(con, valid())

    def test_meets_every_expectation(self, outcome: CheckOutcome) -> None:
        assert unmet(outcome) == {}
        assert outcome.warnings == []

    def test_loses_no_row(self, outcome: CheckOutcome) -> None:
        account = outcome.tables["reconciliation"]
        assert list(account["rows_read"]) == list(account["rows_loaded"]) == [2, 2, 2, 4, 20, 40, 20]
        assert outcome.tables["quarantine"].empty

    def test_is_reported_in_the_shape_of_the_release_contract(self, outcome: CheckOutcome) -> None:
        assert {name: list(frame.columns) for name, frame in outcome.tables.items()} == {
            "check": [
                *("table_name", "expectation", "column_name", "rule", "severity"),
                *("passed", "rows_checked", "rows_failing", "observed"),
            ],
            "reconciliation": [
                *("table_name", "file", "rows_read", "rows_loaded", "rows_quarantined"),
                *("duplicates_dropped", "modified", "note"),
            ],
            "quarantine": ["table_name", "file", "rule", "column_name", "rows"],
        }

    def test_says_what_was_observed_of_tables_as_a_whole(self, outcome: CheckOutcome) -> None:
        results = outcome.tables["check"].set_index("expectation")
        assert results.loc["meetings.volume", "observed"] == "2025/26 to week 8: +0%"
        assert results.loc["enrolments.volume", "observed"] == "2025/26: +0%"
        assert results.loc["meetings.fresh", "observed"] == "last meeting 25/11/2025, newest file 29/05/2026"
        assert results.loc["meetings.volume", "rows_failing"] is None


class TestBadRows:
    """Every kind of bad row at once, each in a file of its own, beside a valid university."""

    @pytest.fixture(scope="class")
    def con(self) -> Iterator[duckdb.DuckDBPyConnection]:
        tables, good = valid(), valid()
        for number, (table, wrong, *_) in enumerate(BAD_ROWS):
            row = good[table][-1] | wrong | {"source_file": f"bad {number}.csv"}
            new_key = {
                "meetings": "meeting_id",
                "feedback": "response_id",
                "tutors": "tutor_id",
                "enrolments": "student_id",
            }
            if table in new_key and new_key[table] not in wrong:
                row |= {new_key[table]: f"new {number}"}
            tables[table].append(row)
        with duckdb.connect() as con:
            checked(con, tables)
            yield con

    @pytest.mark.parametrize(("number", "case"), enumerate(BAD_ROWS), ids=[f"{t}-{e}" for t, _, e, _ in BAD_ROWS])
    def test_go_to_quarantine_with_their_rule(
        self, con: duckdb.DuckDBPyConnection, number: int, case: tuple[str, Row, str, str | None]
    ) -> None:
        table, _, expectation, value = case
        found = con.execute(
            "select table_name, source_row, expectation, value from quarantine where source_file = ?",
            [f"bad {number}.csv"],
        ).fetchall()
        assert [row[:3] for row in found] == [(table, 1, f"{table}.{expectation}")]
        assert value is None or found[0][3] == value

    def test_leave_the_staged_rows_as_they_were(self, con: duckdb.DuckDBPyConnection) -> None:
        counts = [con.execute(f"select count(*) from stg_{table}").fetchall()[0][0] for table in DEFINITIONS.tables]
        assert counts == [2, 2, 2, 4, 20, 40, 20]

    def test_count_once_so_that_quarantine_adds_up_to_the_reconciliation(self, con: duckdb.DuckDBPyConnection) -> None:
        by_rule = con.execute("select sum(rows) from quarantine_summary").fetchall()
        by_file = con.execute("select sum(rows_quarantined) from reconciliation").fetchall()
        by_expectation = con.execute(
            "select sum(rows_failing) from check_result where severity = 'row-level'"
        ).fetchall()
        assert by_rule == by_file == by_expectation == [(len(BAD_ROWS),)]


def test_a_row_in_quarantine_has_no_say_in_what_is_said_of_the_whole_table(con: duckdb.DuckDBPyConnection) -> None:
    tables = valid()
    last = max(row["meeting_date"] for row in tables["meetings"])
    tables["meetings"].append(
        tables["meetings"][0] | {"meeting_id": "typo", "meeting_date": TODAY + timedelta(days=90)}
    )
    results = checked(con, tables).tables["check"].set_index("expectation")
    assert f"last meeting {last:%d/%m/%Y}" in results.loc["meetings.fresh", "observed"]


def test_meetings_that_only_an_old_as_of_puts_in_the_future_are_told_of(con: duckdb.DuckDBPyConnection) -> None:
    tables = valid()
    last = max(row["meeting_date"] for row in tables["meetings"])
    tables["meetings"].append(
        tables["meetings"][0] | {"meeting_id": "typo", "meeting_date": date.today() + timedelta(days=90)}
    )

    def told(as_of: date | None) -> tuple[list[str], str]:
        outcome = check(con, DEFINITIONS, write(con, DEFINITIONS, tables), Settings(most_quarantined=1), as_of=as_of)
        rules = con.execute("select distinct rule from quarantine").fetchall()
        return [said for said in outcome.warnings if "as_of" in said], rules[0][0]

    late = sum(row["meeting_date"] > last - timedelta(days=7) for row in tables["meetings"]) - 1
    assert told(last - timedelta(days=7)) == (
        [
            f"meetings: {late} rows are set aside because as_of in sources.toml says that the extracts were taken on "
            f"{last - timedelta(days=7):%d/%m/%Y}. Leave as_of out, and the day of the run counts."
        ],
        f"The meeting is not in the future (after {last - timedelta(days=7):%d/%m/%Y}).",
    )
    assert told(last)[0] == []
    assert told(None) == ([], f"The meeting is not in the future (after {date.today():%d/%m/%Y}).")


def test_every_critical_failure_is_listed_with_where_to_look_and_what_to_do(con: duckdb.DuckDBPyConnection) -> None:
    tables = valid()
    tables["schools"].append(tables["schools"][0] | {"faculty_code": "G", "faculty_name": "Faculty"})
    tables["calendar"][0]["teaching_end"] = date(2025, 10, 1)
    with pytest.raises(CheckFailed) as failed:
        checked(con, tables)
    message = str(failed.value)
    assert "schools: A school is listed once, and so belongs to exactly one faculty. Not so: 1 of 3 rows" in message
    assert "first in schools.csv, row 1" in message
    assert "calendar: Teaching of one year ends before that of the next starts. Not so: 1 of 2 rows" in message
    assert "sources.toml" in message


def test_what_else_was_found_follows_what_stopped_the_run(con: duckdb.DuckDBPyConnection) -> None:
    tables = valid()
    tables["calendar"][0]["teaching_end"] = date(2025, 10, 1)
    del tables["tutors"][0]
    meeting, response = tables["meetings"][0], tables["feedback"][0]
    tables["meetings"] += [meeting | {"meeting_id": f"o{n}", "student_id": "nobody"} for n in range(12)]
    tables["meetings"] += [meeting | {"meeting_id": f"l{n}", "status": "late"} for n in range(3)]
    tables["enrolments"] += [tables["enrolments"][0] | {"student_id": f"z{n}", "school_code": "ZZZ"} for n in range(5)]
    tables["feedback"] += [response | {"response_id": f"r{n}", "trust": 6} for n in range(4)]
    extracted = write(con, DEFINITIONS, tables)
    extracted.remarks.append("Identifiers look alike.")
    with pytest.raises(CheckFailed) as failed:
        check(
            con, DEFINITIONS, extracted, Settings(most_quarantined=1), as_of=TODAY, lost=["a.csv (meetings) is gone."]
        )
    said = str(failed.value).splitlines()
    at = {line: number for number, line in enumerate(said)}
    assert said[0] == "The checks stopped this run; nothing was published."
    assert said[1].startswith("- calendar: Teaching of one year ends before that of the next starts. Not so: 1 of 2")
    assert said[2].startswith("- Rows whose school is not in the schools extract are set aside (enrolments 5)")
    assert said[at["Rows set aside:"] - 1] == "- Identifiers look alike."
    assert said[at["Rows set aside:"] : at["Warnings:"]] == [
        "Rows set aside:",
        "- meetings: 12 against 'The student is enrolled, in the school where one is given, at the date of the "
        "meeting'",
        "- meetings: 3 against 'status is one of: attended, missed, cancelled'",
        "- enrolments: 5 against 'The school is in the schools extract'",
        "- feedback: 4 against 'The answer to 'I trust my tutor' is from 1 to 5'",
        "- feedback: 1 against 'A student answers once a year and school; the latest answer counts'",
    ]
    assert said[at["Warnings:"] + 1] == "- a.csv (meetings) is gone."
    assert said[at["Warnings:"] + 2].startswith("- enrolments: The tutor is in the tutors extract for that year.")
    assert said[-1] == (
        "Correct what stopped the run, listed first, in the extracts or in their mapping in sources.toml; then run "
        "again."
    )


def test_ten_rules_that_set_rows_aside_are_listed_and_the_rest_counted(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("create table check_result (table_name varchar, rule varchar, severity varchar, passed boolean, "
                "rows_failing bigint)")  # fmt: skip
    for n in range(12):
        con.execute("insert into check_result values ('meetings', ?, 'row-level', false, ?)", [f"Rule {n}.", n + 1])
    said = sentences.set_aside(con)
    assert said[0] == "meetings: 12 against 'Rule 11'"
    assert said[9:] == ["meetings: 3 against 'Rule 2'", "3 against other rules"]


def test_a_run_that_is_stopped_by_nothing_else_says_no_more(con: duckdb.DuckDBPyConnection) -> None:
    tables = valid()
    tables["calendar"][0]["teaching_end"] = date(2025, 10, 1)
    with pytest.raises(CheckFailed) as failed:
        checked(con, tables)
    assert len(str(failed.value).splitlines()) == 3


@pytest.mark.parametrize("code", ["A/B", "Arts & Humanities", "../x", "A\\B", "(X)"])
def test_a_faculty_code_that_cannot_name_a_file_is_critical(con: duckdb.DuckDBPyConnection, code: str) -> None:
    tables = valid()
    for row in tables["schools"]:
        row["faculty_code"] = code
    with pytest.raises(CheckFailed, match="schools: A faculty code, which names a file") as failed:
        checked(con, tables)
    assert "[tables.schools.codes.faculty_code]" in str(failed.value)
    assert code not in str(failed.value)


@pytest.mark.parametrize("code", ["F", "LAW-2", "h_1.a", "Zürich", "法学"])
def test_any_other_faculty_code_will_do(con: duckdb.DuckDBPyConnection, code: str) -> None:
    tables = valid()
    for row in tables["schools"]:
        row["faculty_code"] = code
    assert unmet(checked(con, tables)) == {}
    assert FILE.fullmatch(f"faculty-{code}.duckdb")


def test_faculty_codes_that_differ_by_case_only_are_critical(con: duckdb.DuckDBPyConnection) -> None:
    tables = valid()
    for row, code, name in zip(tables["schools"], ("SCI", "Sci"), ("Science", "Sciences"), strict=True):
        row |= {"faculty_code": code, "faculty_name": name}
    with pytest.raises(CheckFailed, match=r"No two faculty codes differ only by case.* Not so: 2 of 2 rows") as failed:
        checked(con, tables)
    assert "has one code" not in str(failed.value)
    assert "[tables.schools.codes.faculty_code]" in str(failed.value)


@pytest.mark.parametrize("name", ["Faculty", "FACULTY"])
def test_a_faculty_name_under_two_codes_is_critical(con: duckdb.DuckDBPyConnection, name: str) -> None:
    tables = valid()
    tables["schools"][1] |= {"faculty_code": "G", "faculty_name": name}
    with pytest.raises(CheckFailed, match=r"A faculty name has one code.* Not so: 2 of 2 rows") as failed:
        checked(con, tables)
    assert "differ only by case" not in str(failed.value)


def test_two_faculties_of_their_own_codes_and_names_will_do(con: duckdb.DuckDBPyConnection) -> None:
    tables = valid()
    tables["schools"][1] |= {"faculty_code": "G", "faculty_name": "Another"}
    assert unmet(checked(con, tables)) == {}


def test_a_year_listed_twice_is_said_first_though_rows_no_longer_add_up(con: duckdb.DuckDBPyConnection) -> None:
    tables = valid()
    tables["calendar"].append(tables["calendar"][1] | {"teaching_end": date(2026, 5, 20)})
    with pytest.raises(CheckFailed, match="calendar: An academic year is listed once"):
        checked(con, tables)


@pytest.mark.parametrize("table", ["schools", "calendar", "enrolments", "meetings"])
def test_an_empty_table_that_everything_rests_on_is_critical(con: duckdb.DuckDBPyConnection, table: str) -> None:
    extracted = write(con, DEFINITIONS, valid() | {table: []})
    extracted.present[table] = SUPPLIED[table]
    with pytest.raises(CheckFailed, match=f"{table}: There is at least one"):
        check(con, DEFINITIONS, extracted, Settings(most_quarantined=1), as_of=TODAY)


def test_a_wrong_date_format_cannot_publish_an_empty_year(con: duckdb.DuckDBPyConnection) -> None:
    tables = valid()
    for row in tables["meetings"][:10]:
        row |= {"meeting_date": None, "meeting_date_unreadable": "09-29-2025"}
    with pytest.raises(CheckFailed) as failed:
        checked(con, tables, most=0.10)
    assert (
        "meetings: At most 10% of rows are quarantined. "
        "Not so: 25.0%, most often against 'meeting_date can be read as a date'." in str(failed.value)
    )


def test_warnings_are_reported_and_move_no_row(con: duckdb.DuckDBPyConnection) -> None:
    tables = valid()
    del tables["tutors"][0]
    tables["meetings"] = [m for m in tables["meetings"] if m["meeting_date"].year == 2024][:18] + tables["meetings"][
        20:25
    ]
    tables["meetings"][0]["tutor_id"] = None
    tables["meetings"][1]["tutor_id"] = None
    extracted = write(con, DEFINITIONS, tables, modified=datetime(2026, 3, 2))
    outcome = check(con, DEFINITIONS, extracted, Settings(), as_of=TODAY)
    assert set(unmet(outcome)) == {
        *("enrolments.tutor_known", "meetings.tutor_known", "meetings.tutor_recorded", "meetings.volume"),
        "meetings.fresh",
    }
    assert "meetings: The number of meetings is within 30% of the year before. Not so:" in "\n".join(outcome.warnings)
    assert outcome.tables["quarantine"].empty


def test_a_meeting_that_could_be_in_either_school_of_a_student_is_set_aside_by_a_rule_that_says_so(
    con: duckdb.DuckDBPyConnection,
) -> None:
    tables = valid()
    tables["enrolments"].append(tables["enrolments"][0] | {"school_code": "B", "tutor_id": None})
    told, untold = ({"school_code": None, "tutor_id": tutor} for tutor in ("tutor A", None))
    tables["meetings"] += [
        tables["meetings"][0] | {"meeting_id": "told"} | told,
        tables["meetings"][0] | {"meeting_id": "untold"} | untold,
        tables["meetings"][0] | {"meeting_id": "nobody", "student_id": "nobody"} | untold,
    ]
    assert unmet(checked(con, tables)) == {"meetings.school_told": 1, "meetings.enrolment_found": 1}


@pytest.mark.parametrize(("ending", "told"), [(6, True), (3, False)])
def test_end_dates_that_are_expected_ends_are_told_of(con: duckdb.DuckDBPyConnection, ending: int, told: bool) -> None:
    tables = valid()
    last = max(row["teaching_end"] for row in tables["calendar"])
    of_year = [row for row in tables["enrolments"] if row["academic_year"] == "2025/26"]
    tables["enrolments"] += [row | {"student_id": f"{row['student_id']} too"} for row in of_year]
    for number, row in enumerate(row for row in tables["enrolments"] if row["academic_year"] == "2025/26"):
        row["end_date"] = last - timedelta(days=1 if number < ending else 0)
    said = [said for said in checked(con, tables).warnings if "end date" in said]
    expected = (
        "enrolments: At most 15% of a year's enrolments have an end date before teaching ends, as it is the day a "
        "student left early, not the day the course is expected to end; leave it out of the extract where that is all "
        "there is. Not so: 2025/26: 30%."
    )
    assert said == [expected] * told


def test_a_few_who_left_are_no_expected_ends(con: duckdb.DuckDBPyConnection) -> None:
    tables = valid()
    for row in tables["enrolments"][:4]:
        row["end_date"] = date(2024, 12, 1)
    assert "enrolments.end_date_of_those_who_left" not in unmet(checked(con, tables))


def test_schools_without_a_standard_are_told_of(con: duckdb.DuckDBPyConnection) -> None:
    tables = valid()
    own = tables["standards"].pop() | {"school_code": "A"}
    tables["standards"].append(own)
    tables["enrolments"][0]["level"] = "PGT"
    (said,) = checked(con, tables).warnings
    assert "Not so: 2024/25 PGT: without in one school, 2025/26 UG: without in one school." in said


def test_what_is_wrong_in_columns_of_which_nothing_is_made_costs_no_row(con: duckdb.DuckDBPyConnection) -> None:
    tables = valid()
    for row in tables["enrolments"]:
        row |= {"year_of_study": 9, "study_mode": "evenings"}
    for row in tables["meetings"]:
        row |= {"duration_minutes": None, "duration_minutes_unreadable": "an hour", "initiated_by": "parent"}
    tables["meetings"][0] |= {"duration_minutes": -5, "duration_minutes_unreadable": None}
    outcome = checked(con, tables, most=0.10)
    assert unmet(outcome) == {
        "enrolments.study_mode_in_list": 20,
        "enrolments.year_of_study_range": 20,
        "meetings.duration_minutes_readable": 39,
        "meetings.initiated_by_in_list": 40,
        "meetings.duration_minutes_range": 1,
    }
    assert len(outcome.warnings) == 5
    assert outcome.tables["quarantine"].empty


def test_a_year_in_progress_is_compared_in_its_complete_weeks_only(con: duckdb.DuckDBPyConnection) -> None:
    tables = valid()
    early = [m for m in tables["meetings"] if m["meeting_date"].year == 2024 or m["meeting_date"].month < 11]
    reached = early[-1] | {"meeting_id": "first of the week", "meeting_date": date(2025, 10, 13)}
    outcome = checked(con, tables | {"meetings": [*early, reached]})
    results = outcome.tables["check"].set_index("expectation")
    assert results.loc["meetings.volume", "observed"] == "2025/26 to week 2: +0%"


def test_a_missing_optional_table_or_column_has_no_expectations(con: duckdb.DuckDBPyConnection) -> None:
    outcome = checked(con, valid() | {"tutors": [], "feedback": []})
    names = set(outcome.tables["check"]["expectation"])
    assert not [name for name in names if name.startswith(("tutors.", "feedback."))]
    assert "meetings.tutor_known" not in names
    assert "meetings.duration_minutes_range" not in names
    assert "meetings.status_in_list" in names


def test_messages_hold_no_identifier_and_no_value_of_a_student(
    con: duckdb.DuckDBPyConnection, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    tables = valid()
    for row in tables["enrolments"]:
        row["sex"] = "secret word"
    with pytest.raises(CheckFailed) as failed:
        checked(con, tables, most=0.10)
    identifiers = con.execute("select distinct cast(student_id as varchar) from input_enrolments").fetchall()
    shown = str(failed.value) + caplog.text + "".join(capfd.readouterr())
    assert "secret word" not in shown
    assert not any(identifier in shown for (identifier,) in identifiers)


def test_great_expectations_keeps_quiet(con: duckdb.DuckDBPyConnection, capfd: pytest.CaptureFixture[str]) -> None:
    checked(con, valid())
    assert capfd.readouterr() == ("", "")


def test_the_connection_keeps_its_database_and_settings(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("set memory_limit = '1GB'")
    checked(con, valid())
    assert con.execute("select current_setting('memory_limit'), count(*) from stg_meetings").fetchall()[0][1] == 40
