"""Codes of schools that the schools extract does not have are told, with lines that work, and quote nobody."""

import tomllib

import duckdb
import pytest

from pipelines.unknown_schools import guess
from tests.pipelines.checking import checked
from tests.pipelines.inputs import Row, valid

SCHOOLS = {
    "LAWS": "School of Law",
    "BUSI": "Business School",
    "BIOL": "School of Biology",
    "LANG": "School of Languages, Cultures and Societies",
}


def told(con: duckdb.DuckDBPyConnection, table: str, codes: dict[str, int], most: float = 1.0) -> list[str]:
    """What is said of so many rows more with each code, in a university of schools with names."""
    tables: dict[str, list[Row]] = valid()
    tables["schools"] += [
        {"school_code": code, "school_name": name, "faculty_code": "F", "faculty_name": "Faculty"}
        for code, name in SCHOOLS.items()
    ]
    key = {"meetings": "meeting_id", "enrolments": "student_id", "feedback": "response_id"}[table]
    tables[table] += [
        tables[table][0] | {key: f"{code} {number}", "school_code": code}
        for code, rows in codes.items()
        for number in range(rows)
    ]
    return [said for said in checked(con, tables, most).remarks if "schools extract" in said]


def test_codes_are_told_with_counts_and_lines_to_write(con: duckdb.DuckDBPyConnection) -> None:
    (said,) = told(con, "meetings", {"School of Law": 7, "busi school": 2, "LAN": 6, "ZZZZ": 5})
    assert said == (
        "Rows whose school is not in the schools extract are set aside (meetings 20), with the codes "
        "'School of Law' (7), 'LAN' (6), 'ZZZZ' (5), 1 more not shown here.\n"
        "    Add the schools to their extract, or write in sources.toml which school each is (these are guesses):\n"
        "        [codes.school_code]\n"
        '        "School of Law" = "LAWS"\n'
        '        "LAN" = "LANG"\n'
        '        "ZZZZ" = "…"'
    )
    lines = tomllib.loads(said.partition(":\n")[2])
    assert lines["codes"]["school_code"] == {"School of Law": "LAWS", "LAN": "LANG", "ZZZZ": "…"}


def test_a_small_share_is_told_of_and_a_few_rows_are_not(con: duckdb.DuckDBPyConnection) -> None:
    assert len(told(con, "enrolments", {"ZZZZ": 5})) == 1
    assert told(con, "enrolments", {"ZZZZ": 4}) == []
    assert told(con, "feedback", {"ZZZZ": 2, "YYYY": 2}) == []


def test_a_schools_name_is_quoted_however_seldom_and_a_persons_is_not(con: duckdb.DuckDBPyConnection) -> None:
    (said,) = told(con, "meetings", {"school of languages, cultures and societies": 1, "Anna Maria Schmidt": 5})
    assert "'school of languages, cultures and societies' (1), 1 more not shown here" in said
    assert '"school of languages, cultures and societies" = "LANG"' in said
    assert "Schmidt" not in said
    (said,) = told(con, "meetings", {"Anna Maria Schmidt": 5, "Bo Li Chan": 6})
    assert said == (
        "Rows whose school is not in the schools extract are set aside (meetings 11), with the codes 2 not shown here. "
        "Look at school_code in the extracts: it seems to hold something else."
    )


def test_ten_codes_are_told_at_most(con: duckdb.DuckDBPyConnection) -> None:
    (said,) = told(con, "meetings", {f"Q{number}": 5 for number in range(12)})
    assert said.count(' = "') == 10
    assert "2 more not shown here" in said
    assert "guesses" not in said


@pytest.mark.parametrize(
    ("value", "code"),
    [
        *(("School of Law", "LAWS"), ("SCHOOL OF LAW", "LAWS"), ("Law School", "LAWS"), ("Law", "LAWS")),
        *(("laws", "LAWS"), ("LAW", "LAWS"), ("Business", "BUSI"), ("School of Business", "BUSI"), ("Biol.", "BIOL")),
        *(("Languages", "LANG"), ("ZZZZ", None), ("N/A", None)),
    ],
)
def test_which_school_is_meant_is_guessed_by_name_and_code(value: str, code: str | None) -> None:
    assert guess(value, SCHOOLS) == code
