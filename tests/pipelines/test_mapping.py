"""What sources.toml can say of extracts that systems write in their own ways, and that no row is miscounted by it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from pipelines import definitions, sources
from pipelines.errors import InputError
from pipelines.extract import Extracted, extract
from pipelines.settings import Settings
from tests.bad_input.tiny import SOURCES, STUDENTS, tables, write_csv

DEFINITIONS = definitions.load()


@pytest.fixture
def read(con: Any, inbox: Path) -> Callable[[str], Extracted]:
    def run(more: str = "", mapping: str = SOURCES) -> Extracted:
        (inbox / "sources.toml").write_text(mapping + more, encoding="utf-8")
        con.execute("drop table if exists raw_reject")
        for table in DEFINITIONS.tables:
            con.execute(f"drop view if exists raw_{table}")
            for number in range(3):
                con.execute(f"drop table if exists raw_{table}_{number}")
        return extract(con, sources.load(inbox / "sources.toml"), DEFINITIONS, Settings())

    return run


def rewrite(inbox: Path, table: str, change: Callable[[int, dict[str, str]], dict[str, str]]) -> None:
    write_csv(inbox / f"{table}.csv", [change(n, dict(row)) for n, row in enumerate(tables()[table])])


def in_zeros(_: int, row: dict[str, str]) -> dict[str, str]:
    return row | {"Student Number": f"00{row['Student Number'][1:]}@STUDENTS.AC.UK"}


def test_a_part_of_an_identifier_counts_in_every_table(con: Any, read: Any, inbox: Path) -> None:
    rewrite(inbox, "meetings", in_zeros)
    read("[parts]\nstudent_id = '[^0-9]*0*([0-9]+).*'")
    found = {value for (value,) in con.execute("select student_id from raw_meetings").fetchall()}
    assert found == {str(int(student[1:])) for student in STUDENTS}
    assert found <= {value for (value,) in con.execute("select student_id from raw_enrolments").fetchall()}


def test_what_a_part_does_not_fit_stays_as_it_is(con: Any, read: Any) -> None:
    read("[tables.meetings.parts]\nstudent_id = 'X([0-9]+)'")
    assert con.execute("select min(student_id) from raw_meetings").fetchall() == [("S0001",)]


@pytest.mark.parametrize("pattern", ["[0-9]+", "([0-9]+)(x)", "([", "(?<!X)0*([0-9]+)"])
def test_a_part_is_one_part_in_parentheses(read: Any, pattern: str) -> None:
    with pytest.raises(InputError, match="no regular expression with one part in parentheses"):
        read(f"[parts]\nstudent_id = '{pattern}'")


def test_ids_that_would_match_stop_a_run_with_lines_that_mend_it(con: Any, read: Any, inbox: Path) -> None:
    students = [f"0{500_000 + n}" for n in range(40)]
    rewrite(inbox, "meetings", lambda n, row: row | {"Student Number": students[n % 40]})
    rewrite(inbox, "enrolments", lambda n, row: row | {"Student ID": students[n][1:]})
    (inbox / "feedback.csv").unlink()
    with pytest.raises(InputError) as raised:
        read()
    assert "40 of 40 different values of 'student_id' are in no row of enrolments; 40 of them would be" in str(
        raised.value
    )
    assert "such as 9999999 for 999999" in str(raised.value)
    read(str(raised.value).partition("in every table:\n")[2])
    both = "select count(*) from raw_meetings where student_id in (select student_id from raw_enrolments)"
    assert con.execute(both).fetchall() == [(100,)]


def test_rows_are_left_out_by_a_column_of_the_extract_and_told_of(con: Any, read: Any, inbox: Path) -> None:
    rewrite(inbox, "meetings", lambda n, row: row | {"Booking": " booked" if n < 7 else "held"})
    extracted = read('[tables.meetings.leave_out]\n"booking" = ["Booked", "Rescheduled"]')
    (file,) = (file for file in extracted.files if file.table == "meetings")
    assert (file.rows_read, file.note) == (93, "7 rows left out, as sources.toml says")
    assert con.execute("select min(source_row), count(*) from raw_meetings").fetchall() == [(8, 93)]


def test_a_column_that_leaves_rows_out_and_is_in_no_file_stops_the_run(read: Any, inbox: Path) -> None:
    left_out = '[tables.meetings.leave_out]\nBooking = ["booked"]\nKind = ["e-mail"]'
    with pytest.raises(InputError, match="meetings: no file has a column 'Booking', by which") as raised:
        read(left_out)
    assert "no file has a column 'Kind'" in str(raised.value)
    write_csv(inbox / "meetings_2.csv", [{**row, "Booking": "booked"} for row in tables()["meetings"]])
    with pytest.raises(InputError, match="no file has a column 'Kind'") as raised:
        read(left_out)
    assert "'Booking'" not in str(raised.value)
    extracted = read(left_out.partition("\nKind")[0])
    notes = {file.file: file.note for file in extracted.files if file.table == "meetings"}
    assert notes == {
        "meetings.csv": "no column 'Booking' to leave rows out by",
        "meetings_2.csv": "100 rows left out, as sources.toml says; no rows",
    }


def test_files_may_have_constants_of_their_own(con: Any, read: Any, inbox: Path) -> None:
    (inbox / "meetings.csv").rename(inbox / "meetings_2024.csv")
    write_csv(inbox / "meetings_2025.csv", tables()["meetings"][:10])
    read('[tables.meetings.constants_of."*2025*"]\nmode = "phone"')
    found = con.execute("select distinct source_file, mode = 'phone' from raw_meetings order by all").fetchall()
    assert found == [("meetings_2024.csv", False), ("meetings_2025.csv", True)]
    with pytest.raises(InputError, match="matches none of the files of meetings"):
        read('[tables.meetings.constants_of."*2031*"]\nmode = "phone"')


def test_numbers_of_rows_may_start_anew_in_every_file(con: Any, read: Any, inbox: Path) -> None:
    write_csv(inbox / "meetings_2.csv", tables()["meetings"])
    different = "select count(distinct meeting_id), count(distinct student_id) from raw_meetings"
    read()
    assert con.execute(different).fetchall() == [(100, 40)]
    read("[tables.meetings]\nids_restart = true")
    assert con.execute(different).fetchall() == [(200, 40)]


def test_a_default_stands_for_a_column_that_some_files_lack(con: Any, read: Any, inbox: Path) -> None:
    write_csv(inbox / "meetings_2.csv", [{**row, "Minutes": "20"} for row in tables()["meetings"]])
    mapped = SOURCES.replace('mode = "How"', 'mode = "How"\nduration_minutes = "Minutes"')
    with pytest.raises(InputError, match=r"meetings\.csv has no column 'Minutes'"):
        read(mapping=mapped)
    extracted = read('[tables.meetings]\ndefaults.duration_minutes = ""', mapped)
    assert con.execute("select count(duration_minutes), count(*) from raw_meetings").fetchall() == [(100, 200)]
    assert "no column 'Minutes', so duration_minutes is as by default" in {file.note for file in extracted.files}
    (inbox / "meetings_2.csv").unlink()
    with pytest.raises(InputError, match="no file has a column 'Minutes' for 'duration_minutes'"):
        read('[tables.meetings]\ndefaults.duration_minutes = "5"', mapped)


@pytest.mark.parametrize(
    ("written", "read_as"),
    [("2024-25", "2024/25"), ("2024/2025", "2024/25"), ("2024-2025", "2024/25"), ("2024/5", "2024/25"),
     ("2029/0", "2029/30"), ("2025-10", "2025-10"), ("2024/25", "2024/25"), ("2024/7", "2024/7"), ("24/25", "24/25")],
)  # fmt: skip
def test_academic_years_may_be_written_as_people_do(
    con: Any, read: Any, inbox: Path, written: str, read_as: str
) -> None:
    rewrite(inbox, "calendar", lambda _, row: row | {"academic_year": written})
    read()
    assert con.execute("select academic_year from raw_calendar").fetchall() == [(read_as,)]


def test_of_two_columns_that_may_be_a_number_the_one_that_says_so_is_proposed(read: Any, inbox: Path) -> None:
    rewrite(inbox, "enrolments", lambda _, row: {"Student": "x", "Student No": row.pop("Student ID"), **row})
    with pytest.raises(InputError, match="Did you mean 'Student No'"):
        read()


class TestSheets:
    @pytest.fixture(autouse=True)
    def tutors(self, inbox: Path) -> None:
        (inbox / "tutors.csv").unlink()
        with xlsxwriter.Workbook(inbox / "tutors.xlsx") as book:
            for year, tutors in (("2023-24", ("T1",)), ("2024-25", ("T1", "T2"))):
                page = book.add_worksheet(year)
                page.write_row(0, 0, ["tutor_id", "school_code", "academic_year", "fte"])
                for n, tutor in enumerate(tutors, 1):
                    page.write_row(n, 0, [tutor, "ART", year, 0.5])
            book.add_worksheet("Notes").write(0, 0, "made in March")

    def test_several_that_could_be_read_stop_a_run_that_names_none(self, read: Any) -> None:
        with pytest.raises(InputError, match="has 2 sheets that can be read: '2023-24', '2024-25'") as raised:
            read()
        assert '    sheet = ["2023-24", "2024-25"]' in str(raised.value)

    @pytest.mark.parametrize("sheet", ['["2023-24", "2024-25"]', '["2024-25", "2023-24"]'])
    def test_are_read_as_files_of_their_own(self, con: Any, read: Any, sheet: str) -> None:
        extracted = read(f"[tables.tutors]\nsheet = {sheet}")
        files = {file.file: file.rows_read for file in extracted.files if file.table == "tutors"}
        assert files == {"tutors.xlsx (2023-24)": 1, "tutors.xlsx (2024-25)": 2}
        assert con.execute("select count(*), max(academic_year) from raw_tutors").fetchall() == [(3, "2024/25")]

    def test_all_of_them_means_those_with_something_in_them(self, read: Any) -> None:
        with pytest.raises(InputError, match=r"tutors\.xlsx \(Notes\) seems to have no header row"):
            read('[tables.tutors]\nsheet = "*"')  # 'Notes' is none of tutors

    def test_one_is_read_under_the_files_own_name(self, read: Any) -> None:
        extracted = read('[tables.tutors]\nsheet = "2024-25"')
        assert [(f.file, f.rows_read) for f in extracted.files if f.table == "tutors"] == [("tutors.xlsx", 2)]
