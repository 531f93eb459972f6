"""Extract: what of a university's files arrives in the raw tables, and where it says it came from."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
import xlsxwriter

from pipelines import definitions, sources
from pipelines.errors import InputError
from pipelines.extract import Extracted, extract
from pipelines.readers.text import CHUNK
from pipelines.readers.unseen_cells import unseen_cells
from pipelines.settings import Settings
from tests.bad_input.tiny import SOURCES, tables, tiny_university, write_csv

DEFINITIONS = definitions.load()


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    return tiny_university(tmp_path / "inbox").parent


@pytest.fixture
def read(inbox: Path) -> Callable[..., Extracted]:
    """Extract the inbox, with `mode` mapped so and lines added to its sources.toml, into the connection given."""

    def run(con: duckdb.DuckDBPyConnection, more: str = "", mode: str = '"How"') -> Extracted:
        mapping = SOURCES.replace('mode = "How"', f"mode = {mode}")
        (inbox / "sources.toml").write_text(mapping + more, encoding="utf-8")
        return extract(con, sources.load(inbox / "sources.toml"), DEFINITIONS, Settings())

    return run


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return con.execute(query).fetchall()


def test_columns_and_codes_are_mapped_and_the_rest_is_not_read(con: Any, read: Any) -> None:
    extracted = read(con)
    assert rows(con, "select * from raw_meetings limit 1") == [
        ("meetings.csv", 1, "M00000", "S0001", "T1", "30/09/2024", "in person", "attended", None, None, None)
    ]
    assert extracted.present["meetings"] == {
        "meeting_id", "student_id", "tutor_id", "meeting_date", "mode", "status"
    }  # fmt: skip
    everything = rows(con, "select raw_enrolments::varchar from raw_enrolments")
    assert not any("Zoë" in text or "@" in text for (text,) in everything)


def test_every_contract_table_exists_even_without_an_extract(con: Any, read: Any, inbox: Path) -> None:
    (inbox / "feedback.csv").unlink()
    extracted = read(con)
    assert rows(con, "select count(*) from raw_feedback") == [(0,)]
    assert extracted.present["feedback"] == frozenset()
    assert extracted.rows_read("feedback") == 0


def test_constants_and_defaults_fill_columns(con: Any, read: Any, inbox: Path) -> None:
    meetings = [{**row, "How": "" if n < 60 else row["How"]} for n, row in enumerate(tables()["meetings"])]
    write_csv(inbox / "meetings.csv", meetings)
    extracted = read(
        con,
        """
        [tables.meetings]
        constants.initiated_by = "tutor"
        constants.duration_minutes = ""
        defaults.mode = "phone"
        defaults.school_code = "ART"
        """,
    )
    assert rows(con, "select distinct initiated_by, duration_minutes, school_code from raw_meetings") == [
        ("tutor", None, "ART")
    ]
    assert rows(con, "select mode, count(*) from raw_meetings group by mode order by 2 desc")[0] == ("phone", 60)
    assert {"initiated_by", "school_code"} <= extracted.present["meetings"]
    assert "duration_minutes" not in extracted.present["meetings"]


def test_a_code_may_stand_for_blank(con: Any, read: Any) -> None:
    read(con, '[tables.meetings.codes.tutor_id]\n"t1" = ""')
    assert rows(con, "select count(*) from raw_meetings where tutor_id is null") == [(25,)]


def test_several_files_keep_their_names_and_row_numbers(con: Any, read: Any, inbox: Path) -> None:
    meetings = tables()["meetings"]
    (inbox / "meetings.csv").unlink()
    write_csv(inbox / "meetings_a.csv", meetings[:30])
    other_order = [dict(sorted(row.items())) for row in meetings[30:]]
    write_csv(inbox / "meetings_b.csv", other_order, delimiter="|", encoding="utf-16")
    extracted = read(con)
    assert rows(con, "select source_file, source_row from raw_meetings where meeting_id in ('M00029', 'M00030')") == [
        ("meetings_a.csv", 30),
        ("meetings_b.csv", 1),
    ]
    assert [(f.file, f.rows_read) for f in extracted.files if f.table == "meetings"] == [
        ("meetings_a.csv", 30),
        ("meetings_b.csv", 70),
    ]


@pytest.mark.parametrize("more", ["", '[tables.meetings]\nfiles = ["meetings*"]'])
def test_what_corrects_a_file_is_read_after_it(con: Any, read: Any, inbox: Path, more: str) -> None:
    (inbox / "meetings.csv").unlink()
    names = ["meetings.csv", "meetings (1).csv", "meetings-corrections.csv", "meetings.v2.CSV", "meetings_2024.csv"]
    for name in names:
        write_csv(inbox / name, tables()["meetings"][:5])
    assert [f.file for f in read(con, more).files if f.table == "meetings"] == names


def test_folders_are_read_in_the_order_of_their_names_and_patterns_in_that_of_the_list(
    con: Any, read: Any, inbox: Path
) -> None:
    for name in ("2024/a.csv", "2024/a-new.csv", "2024-late/a.csv", "z.csv"):
        (inbox / name).parent.mkdir(exist_ok=True)
        write_csv(inbox / name, tables()["meetings"][:5])
    extracted = read(con, '[tables.meetings]\nfiles = ["z.csv", "2024*/*.csv"]')
    assert [f.file for f in extracted.files if f.table == "meetings"] == [
        "z.csv", "2024/a.csv", "a-new.csv", "2024-late/a.csv",
    ]  # fmt: skip


def test_a_column_may_have_several_names_of_which_the_first_there_counts(con: Any, read: Any, inbox: Path) -> None:
    meetings = [{**row, "Way": "online"} for row in tables()["meetings"]]
    renamed = [{"How met" if name == "How" else name: value for name, value in row.items()} for row in meetings[50:]]
    write_csv(inbox / "meetings.csv", meetings[:50])
    write_csv(inbox / "meetings_new.csv", renamed)
    with pytest.raises(InputError) as raised:
        read(con)
    assert "meetings_new.csv has no column 'How' for 'mode'" in str(raised.value)
    assert 'mode = ["How", "How met"]' in str(raised.value)  # not the new name alone, which the other file lacks
    read(con, mode='["How", "How met", "Way"]')
    found = rows(con, "select source_file, mode, count(*) from raw_meetings group by all order by all")
    assert found == [
        ("meetings.csv", "in person", 25), ("meetings.csv", "online", 25),
        ("meetings_new.csv", "in person", 25), ("meetings_new.csv", "online", 25),
    ]  # fmt: skip


def test_a_file_that_has_none_of_several_names_is_told_all_of_them(con: Any, read: Any) -> None:
    with pytest.raises(InputError, match="no column 'Way' or 'Haw' for 'mode'") as raised:
        read(con, mode='["Way", "Haw"]')
    assert 'mode = ["Way", "Haw", "How"]' in str(raised.value)


QUESTION = "My tutor knows me well enough to notice when something is wrong"


def test_long_column_names_can_be_mapped_and_are_counted_where_they_are_not_quoted(
    con: Any, read: Any, inbox: Path
) -> None:
    questions = {"knows_me": QUESTION, "trust": QUESTION.replace("knows", "trusts"), "level": "Level of study"}
    survey = [{questions.get(name, name): value for name, value in row.items()} for row in tables()["feedback"]]
    write_csv(inbox / "feedback.csv", survey)
    with pytest.raises(InputError) as raised:
        read(con)
    assert "'recalled_meetings', and 2 columns whose names are not shown." in str(raised.value)
    assert QUESTION not in str(raised.value)
    only_long = [
        {f"{name} as it was written in the questionnaire of this year": row[name] for name in row} for row in survey
    ]
    write_csv(inbox / "feedback.csv", only_long)
    with pytest.raises(InputError, match="no row of column names") as raised:
        read(con)
    assert "[tables.feedback.columns]" in str(raised.value)
    named = [f'{name} = "{long}"' for name, long in zip(tables()["feedback"][0], only_long[0], strict=True)]
    read(con, "\n".join(["[tables.feedback.columns]", *named]))
    assert rows(con, "select distinct knows_me, trust from raw_feedback") == [("4", "5")]


def test_files_of_the_same_name_are_told_apart(con: Any, read: Any, inbox: Path) -> None:
    for year in ("2023", "2024"):
        (inbox / year).mkdir()
        write_csv(inbox / year / "m.csv", tables()["meetings"][:5])
    read(con, '[tables.meetings]\nfiles = ["*/m.csv"]')
    assert rows(con, "select distinct source_file from raw_meetings order by 1") == [("2023/m.csv",), ("2024/m.csv",)]


@pytest.mark.parametrize("blank_line", ["", "\r\n"], ids=["", "and a blank line"])
@pytest.mark.parametrize("quote", ["", '"'], ids=["", "and quotes"])
def test_rejected_records_keep_their_place_in_the_numbering(
    con: Any, read: Any, inbox: Path, blank_line: str, quote: str
) -> None:
    lines = [f"{quote}M{n}{quote},S0001,T1,2024-10-01,F2F,attended\r\n" for n in range(1, 5001)]
    for bad in (2, 3, 7, 4000):
        lines[bad - 1] = "M,S\r\n"
    lines[9] += blank_line
    header = "Meeting No,Student Number,Tutor,Date,How,Outcome\r\n"
    (inbox / "meetings.csv").write_text(header + "".join(lines), newline="")
    extracted = read(con)
    assert rows(con, "select source_row from raw_reject order by 1") == [(2,), (3,), (7,), (4000,)]
    assert rows(con, "select count(*) from raw_meetings where meeting_id <> 'M' || source_row") == [(0,)]
    assert extracted.rows_read("meetings") == 5000
    assert rows(con, "select distinct value from raw_reject") == [("2 fields instead of 6",)]


def test_a_long_file_is_counted_right_across_chunks(con: Any, read: Any, inbox: Path) -> None:
    note = "Zoë said:\r\n" + "é" * 500
    many = 2 * CHUNK // len(note) + 10
    text = "Meeting No,Student Number,Tutor,Date,How,Outcome,Notes\r\n" + "".join(
        f'M{n},S0001,T1,2024-10-01,F2F,attended,"{note}"\r\n' for n in range(many)
    )
    for encoding, file in (("utf-8", "meetings.csv"), ("cp1252", "meetings_old.csv")):
        (inbox / file).write_bytes(text.encode(encoding))
    with gzip.open(inbox / "meetings_zipped.csv.gz", "wb") as zipped:
        zipped.write(text.encode())
    extracted = read(con)
    assert [f.rows_read for f in extracted.files if f.table == "meetings"] == [many] * 3


def test_texts_arrive_as_they_were_written_in_any_encoding(con: Any, read: Any, inbox: Path) -> None:
    school = "École d’Études – Zoë’s “Old” School"
    for encoding in ("utf-8", "utf-8-sig", "cp1252", "utf-16"):
        write_csv(
            inbox / "schools.csv", [{**row, "school_name": school} for row in tables()["schools"]], encoding=encoding
        )
        read(con)
        assert rows(con, "select distinct school_name from raw_schools") == [(school,)]
        con.execute("drop view raw_schools; drop table raw_schools_0; drop table raw_reject")
        for name in DEFINITIONS.tables:
            if name != "schools":
                con.execute(f"drop view raw_{name}; drop table raw_{name}_0")


def test_a_spreadsheet_gives_dates_and_whole_numbers_as_people_see_them(con: Any, read: Any, inbox: Path) -> None:
    (inbox / "calendar.csv").unlink()
    (inbox / "tutors.csv").unlink()
    with xlsxwriter.Workbook(inbox / "calendar.xlsx") as book:
        page, style = book.add_worksheet(), book.add_format({"num_format": "dd/mm/yyyy"})
        page.write_row(0, 0, ["academic_year", "teaching_start", "teaching_end"])
        page.write(1, 0, "2024/25")
        page.write_datetime(1, 1, datetime(2024, 9, 30), style)
        page.write_datetime(1, 2, date(2025, 5, 2), style)
    with xlsxwriter.Workbook(inbox / "tutors.xlsx") as book:
        book.add_worksheet("Notes")
        page = book.add_worksheet("Staff")
        page.write_row(4, 1, ["Staff No", "School Code", "Academic Year", "FTE"])
        page.write_row(5, 1, [100123.0, "ART", "2024/25", 0.5])
        page.write_formula(6, 1, "=100000+124", None, 100124)
        page.write_row(6, 2, ["BIO", "2024/25", 1.0])
    read(con, '[tables.tutors]\nsheet = "Staff"\ncolumns.tutor_id = "Staff No"')
    assert rows(con, "select teaching_start, teaching_end from raw_calendar") == [("2024-09-30", "2025-05-02")]
    assert rows(con, "select source_row, tutor_id, fte from raw_tutors") == [(1, "100123", "0.5"), (2, "100124", "1")]


def workbook_of_tutors(path: Path, fte: str, aside: Any = "") -> None:
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Notes").write_formula(0, 0, "=NA()", None, "#N/A")
        page = book.add_worksheet("Staff")
        page.write_row(2, 1, ["tutor_id", "school_code", "academic_year", "fte", "Note"])
        page.write_row(3, 1, ["T1", "ART", "2024/25", 0.5])
        page.write_row(4, 1, ["T2", "ART", "2024/25"])
        page.write_formula(4, 4, "=1/0", None, fte)
        page.write_formula(4, 5, "=NA()", None, aside or "a note")


def test_an_error_in_a_cell_is_not_read_as_blank(con: Any, read: Any, inbox: Path) -> None:
    (inbox / "tutors.csv").unlink()
    mapping = '[tables.tutors]\nsheet = "Staff"'
    workbook_of_tutors(inbox / "tutors.xlsx", "#DIV/0!")
    with pytest.raises(InputError, match=r"has 1 cells in sheet 'Staff' .* the first in E5 \(#DIV/0!\)"):
        read(con, mapping)
    workbook_of_tutors(inbox / "tutors.xlsx", "0.5", aside="#N/A")
    read(con, mapping)  # no column of the contract has one
    assert rows(con, "select tutor_id, fte from raw_tutors") == [("T1", "0.5"), ("T2", "0.5")]


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (b't="e"', b"t='e'"),
        (b'<c r="E5"', b"<c"),
        (b'<row r="5" spans="2:6">', b"<row>"),
        (b"<c ", b"<x:c "),
    ],
)
def test_an_error_is_found_however_a_program_writes_it(inbox: Path, was: bytes, now: bytes) -> None:
    workbook_of_tutors(inbox / "plain.xlsx", "#DIV/0!")
    with zipfile.ZipFile(inbox / "plain.xlsx") as plain, zipfile.ZipFile(inbox / "other.xlsx", "w") as other:
        for name in plain.namelist():
            text = plain.read(name)
            if name.endswith("sheet2.xml"):
                assert was in text
                text = text.replace(was, now).replace(b"<x:c ", b'<x:c xmlns:x="urn:x" ')
                text = text.replace(b"</c>", b"</x:c>") if now == b"<x:c " else text
            other.writestr(name.replace("sheet2", "Sheet2"), text)
    assert unseen_cells(inbox / "other.xlsx", "Staff", 3, {4}) == ["E5 (#DIV/0!)"]


def test_a_formula_without_its_result_is_not_read_as_blank(con: Any, read: Any, inbox: Path) -> None:
    (inbox / "tutors.csv").unlink()
    workbook_of_tutors(inbox / "whole.xlsx", "0.5")
    with zipfile.ZipFile(inbox / "whole.xlsx") as whole, zipfile.ZipFile(inbox / "tutors.xlsx", "w") as copy:
        for name in whole.namelist():
            text = whole.read(name)
            copy.writestr(name, text.replace(b'<v>0.5</v></c><c r="F5"', b'</c><c r="F5"'))
    (inbox / "whole.xlsx").unlink()
    with pytest.raises(InputError, match=r"the first in E5 \(a formula without its result\)"):
        read(con, '[tables.tutors]\nsheet = "Staff"')


def test_identifiers_lose_what_spreadsheets_add(con: Any, read: Any, inbox: Path) -> None:
    text = (inbox / "meetings.csv").read_text().replace("S0001", "123.0").replace("S0002", " S0002\t").replace(
        "S0003", "AB.0"
    )  # fmt: skip
    (inbox / "meetings.csv").write_text(text)
    read(con)
    found = rows(con, "select student_id from raw_meetings where source_row <= 3 order by source_row")
    assert found == [("123",), ("S0002",), ("AB.0",)]


def test_many_files_with_one_problem_are_named_once(con: Any, read: Any, inbox: Path) -> None:
    for year in range(6):
        write_csv(inbox / f"meetings_{year}.csv", [{"Meeting No": "M1"}])
    with pytest.raises(InputError) as raised:
        read(con)
    assert len(raised.value.problems) == 5  # one for each missing column
    assert "meetings_0.csv" in str(raised.value)


def test_problems_of_all_tables_are_named_together(con: Any, read: Any, inbox: Path) -> None:
    (inbox / "schools.csv").unlink()
    (inbox / "meetings.csv").write_bytes(b"")
    (inbox / "tutors.csv").write_text("name\nJo\n")
    with pytest.raises(InputError) as raised:
        read(con)
    said = str(raised.value)
    assert "no file matches schools" in said
    assert "meetings.csv is empty" in said
    assert "tutors.csv seems to have no header row: it has no column 'tutor_id'" in said
    assert "skip_rows" in said
    assert "Jo" not in said
    assert rows(con, "show all tables") == []


def test_a_handful_of_unknown_codes_is_left_for_the_check(con: Any, read: Any, inbox: Path) -> None:
    text = (inbox / "tutors.csv").read_text()
    (inbox / "tutors.csv").write_text(text)
    feedback = [{**row, "level": "Foundation" if n < 4 else "UG"} for n, row in enumerate(tables()["feedback"])]
    write_csv(inbox / "feedback.csv", feedback)
    read(con)
    assert rows(con, "select count(*) from raw_feedback where level = 'Foundation'") == [(4,)]


def test_unknown_codes_of_a_column_of_which_nothing_is_made_stop_nothing(con: Any, read: Any, inbox: Path) -> None:
    write_csv(inbox / "enrolments.csv", [{**row, "Study Mode": "evenings"} for row in tables()["enrolments"]])
    read(con)
    assert rows(con, "select distinct study_mode from raw_enrolments") == [("evenings",)]


def test_a_line_with_a_person_s_data_is_never_taken_for_column_names(con: Any, read: Any, inbox: Path) -> None:
    (inbox / "tutors.csv").write_text("900123,Jo Smith,2024/25,1\n900124,Al Jones,2024/25,1\n")
    with pytest.raises(InputError) as raised:
        read(con)
    assert "no row of column names" in str(raised.value)
    assert "Smith" not in str(raised.value)


def test_progress_is_told_for_every_file(inbox: Path, con: Any) -> None:
    told: list[tuple[str, int, float | None]] = []

    def report(label: str, rows: int, /, done: float | None = None) -> None:
        told.append((label, rows, done))

    extract(con, sources.load(inbox / "sources.toml"), DEFINITIONS, Settings(), report)
    assert ("meetings: meetings.csv", 100) in [each[:2] for each in told]
    assert len(told) == 7
    shares = [done for *_, done in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_files_of_the_same_name_in_folders_of_the_same_name_are_told_apart(con: Any, read: Any, inbox: Path) -> None:
    for above in ("a", "b"):
        (inbox / above / "2024").mkdir(parents=True)
        write_csv(inbox / above / "2024" / "meetings.csv", tables()["meetings"][:5])
    extracted = read(con, '[tables.meetings]\nfiles = ["*/2024/meetings.csv", "meetings.csv"]')
    assert [f.file for f in extracted.files if f.table == "meetings"] == [
        "a/2024/meetings.csv", "b/2024/meetings.csv", "meetings.csv"
    ]  # fmt: skip
    assert rows(con, "select count(*), count(distinct (source_file, source_row)) from raw_meetings") == [(110, 110)]


def test_a_file_named_twice_is_read_once(con: Any, read: Any, inbox: Path) -> None:
    (inbox / "sub").mkdir()
    (inbox / "meetings_link.csv").symlink_to(inbox / "meetings.csv")
    absolute = inbox / "meetings.csv"
    names = f'["meetings.csv", "m*.csv", "./sub/../meetings.csv", "{absolute}", "meetings_link.csv"]'
    extracted = read(con, f"[tables.meetings]\nfiles = {names}")
    assert [(f.file, f.rows_read) for f in extracted.files if f.table == "meetings"] == [("meetings.csv", 100)]


@pytest.mark.parametrize("pattern", ["meetings [final].csv", "meetings*.csv", ""], ids=["name", "pattern", "default"])
def test_brackets_in_names_are_no_patterns(con: Any, inbox: Path, tmp_path: Path, pattern: str) -> None:
    (inbox / "meetings.csv").rename(inbox / "meetings [final].csv")
    folder = inbox.rename(tmp_path / "in[box]")
    more = f'[tables.meetings]\nfiles = ["{pattern}"]' if pattern else ""
    (folder / "sources.toml").write_text(SOURCES + more, encoding="utf-8")
    extracted = extract(con, sources.load(folder / "sources.toml"), DEFINITIONS, Settings())
    assert [(f.file, f.rows_read) for f in extracted.files if f.table == "meetings"] == [("meetings [final].csv", 100)]


def test_only_what_looks_like_a_code_is_quoted(con: Any, read: Any, inbox: Path) -> None:
    people = ["Anna Maria Schmidt", "a@b.ac", "X12345", "Rarely", "y" * 21]
    often = [*["Zoom"] * 6, *[p for p in people if p != "Rarely"] * 5, *["Rarely"] * 4]
    meetings = tables()["meetings"]
    for row, value in zip(meetings, often, strict=False):
        row["How"] = value
    write_csv(inbox / "meetings.csv", meetings)
    with pytest.raises(InputError) as raised:
        read(con)
    said = str(raised.value)
    assert "'Zoom' (6), 5 more different values not shown here." in said
    assert not any(value in said for value in people)


def test_no_name_in_a_file_without_a_header_is_quoted(con: Any, read: Any, inbox: Path) -> None:
    (inbox / "tutors.csv").write_text("T1,Smith,Art,full\nT2,Jones,Art,full\n")
    with pytest.raises(InputError) as raised:
        read(con)
    said = str(raised.value)
    assert "seems to have no header row" in said
    assert "skip_rows" in said
    assert "Smith" not in said
