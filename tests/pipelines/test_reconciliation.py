"""What becomes of every row that was read, and when too many of a file or a school are lost."""

from dataclasses import replace

import duckdb
import pytest

from pipelines.check import CheckFailed, check
from pipelines.reconciliation import ReconciliationError
from pipelines.settings import Settings
from tests.pipelines.checking import DEFINITIONS, checked, unmet
from tests.pipelines.inputs import TODAY, Row, valid, write


def test_exact_duplicates_are_dropped_and_counted(con: duckdb.DuckDBPyConnection) -> None:
    tables = valid()
    tables["meetings"] += tables["meetings"][:3]
    account = checked(con, tables).tables["reconciliation"].set_index("table_name").loc["meetings"]
    assert (account.rows_read, account.rows_loaded, account.duplicates_dropped) == (43, 40, 3)


def test_the_last_row_of_a_key_is_kept_and_the_earlier_ones_quarantined(con: duckdb.DuckDBPyConnection) -> None:
    tables = valid()
    tables["meetings"].append(tables["meetings"][0] | {"status": "missed"})
    checked(con, tables)
    kept = con.execute("select status, count(*) from stg_meetings group by all order by all").fetchall()
    assert kept == [("attended", 39), ("missed", 1)]
    assert con.execute("select source_row, rule, value from quarantine").fetchall() == [
        (1, "A row is not superseded by a later row with the same key.", "meetings.csv, row 41")
    ]


def test_records_that_are_no_rows_are_quarantined_too(con: duckdb.DuckDBPyConnection) -> None:
    extracted = write(con, DEFINITIONS, valid())
    con.execute("insert into raw_reject values ('meetings', 'meetings.csv', 41, null, 'a,b', 'Too few fields.')")
    extracted.files[:] = [
        replace(file, rows_read=file.rows_read + 1) if file.table == "meetings" else file for file in extracted.files
    ]
    outcome = check(con, DEFINITIONS, extracted, Settings(), as_of=TODAY)
    assert unmet(outcome) == {"meetings.whole_records": 1}
    assert list(outcome.tables["quarantine"]["rule"]) == ["Too few fields."]


def test_rows_that_do_not_add_up_stop_everything(con: duckdb.DuckDBPyConnection) -> None:
    extracted = write(con, DEFINITIONS, valid())
    con.execute("delete from input_meetings where source_row = 7")
    with pytest.raises(ReconciliationError, match=r"meetings\.csv: 40 read, but 39 loaded"):
        check(con, DEFINITIONS, extracted, Settings(), as_of=TODAY)


def many_files(lost: int) -> dict[str, list[Row]]:
    """Two hundred meetings more in one file, and ten in another, of which some have no date."""
    tables = valid()
    first = tables["meetings"][0]
    more = [first | {"meeting_id": f"more {n}"} for n in range(200)]
    late = [first | {"meeting_id": f"late {n}", "source_file": "late.csv"} for n in range(10)]
    for row in late[:lost]:
        row["meeting_date"] = None
    return tables | {"meetings": [*tables["meetings"], *more, *late]}


@pytest.mark.parametrize(("lost", "share"), [(6, "60.0%"), (10, "100.0%")])
def test_a_file_mostly_quarantined_is_critical(con: duckdb.DuckDBPyConnection, lost: int, share: str) -> None:
    with pytest.raises(CheckFailed) as failed:
        checked(con, many_files(lost), most=0.10)
    said = f"meetings: Of each file at most 50% of rows are quarantined. Not so: late.csv: {share}."
    assert said in str(failed.value)


def test_a_file_quarantined_above_the_limit_is_a_warning(con: duckdb.DuckDBPyConnection) -> None:
    said = "meetings: Of each file at most 10% of rows are quarantined. Not so: late.csv: 20.0%."
    assert said in checked(con, many_files(2), most=0.10).warnings
    assert not any("Of each file" in said for said in checked(con, many_files(1), most=0.10).warnings)


def test_a_few_rows_are_no_file_to_warn_of(con: duckdb.DuckDBPyConnection) -> None:
    tables = valid()
    bad = [
        tables["meetings"][0] | {"meeting_id": f"m{n}", "meeting_date": None, "source_file": "b.csv"} for n in (1, 2)
    ]
    assert checked(con, tables | {"meetings": [*tables["meetings"], *bad]}, most=0.10).warnings == []


def test_rows_that_a_later_file_supersedes_are_not_lost(con: duckdb.DuckDBPyConnection) -> None:
    tables = valid()
    late = [row | {"mode": "in person", "source_file": "late.csv"} for row in tables["meetings"]]
    more = [row | {"meeting_id": f"more {n}"} for n, row in enumerate(tables["meetings"] * 10)]
    for row in more:
        row["source_file"] = "more.csv"
    outcome = checked(con, tables | {"meetings": [*tables["meetings"], *more, *late]}, most=0.10)
    assert unmet(outcome) == {"meetings.key_unique": 40}


def test_a_school_that_is_lost_is_a_warning_and_names_it(con: duckdb.DuckDBPyConnection) -> None:
    tables = valid()
    enrolled = tables["enrolments"][0]
    others = [enrolled | {"student_id": f"other {n}"} for n in range(150)]
    lost = [enrolled | {"student_id": f"lost {n}", "school_code": "LAW"} for n in range(6)]
    personal = [enrolled | {"student_id": f"left {n}", "school_code": "Anna Maria Schmidt"} for n in range(5)]
    outcome = checked(con, tables | {"enrolments": [*tables["enrolments"], *others, *lost, *personal]}, most=0.10)
    said = next(said for said in outcome.warnings if "Of each school" in said)
    assert said.startswith("enrolments: ")
    assert "LAW: 100.0%" in said
    assert "a school whose code is not shown: 100.0%" in said
    assert "Schmidt" not in said
