"""Identifiers that two systems write in different ways are found before they count as people without meetings."""

from __future__ import annotations

import re

import pytest

from pipelines.alike import FORMS, said_of

LISTED = [str(500_000 + n) for n in range(100)]


def said(unmatched: list[str], listed: list[str] = LISTED, total: int = 100) -> str:
    return said_of("meetings", "enrolments", "student_id", dict.fromkeys(unmatched, 2), listed, total, 0.01)


@pytest.mark.parametrize(
    ("written", "part"),
    [
        ("0{}", "0*(.+)"),
        ("{}@STAFF.AC.UK", "([^@]+)(?:@.*)?"),
        ("S{}", "[^0-9]*0*([0-9]+).*"),
        ("S0{}@STUDENTS.AC.UK", "[^0-9]*0*([0-9]+).*"),
    ],
)
def test_what_would_match_is_told_with_the_part_that_counts(written: str, part: str) -> None:
    told = said([written.format(value) for value in LISTED[:20]])
    assert told.startswith("meetings: 20 of 100 different values of 'student_id' are in no row of enrolments; 20 of")
    assert told.endswith(f"        [parts]\n        student_id = '{part}'")
    assert not re.search(r"5000\d\d", told), "nobody's number is quoted"


def test_zeros_lost_in_the_table_that_lists_people_are_found_too() -> None:
    assert "0*(.+)" in said(LISTED[:20], [f"0{value}" for value in LISTED])


@pytest.mark.parametrize("form", FORMS, ids=[form.part for form in FORMS])
def test_a_part_leaves_what_its_form_does(form) -> None:
    for value in ("0012345", "S0012345", "AB.CD@X.AC.UK", "12345@X.AC.UK", "7"):
        left = form.of(value)
        found = re.fullmatch(form.part, value)
        assert not left or (found and found[1] == left)


def test_a_way_of_writing_that_would_make_different_people_one_is_not_proposed() -> None:
    listed = [f"{letter}{number}" for letter in "ABCD" for number in range(500_000, 500_025)]
    assert "[parts]" not in said([str(number) for number in range(500_000, 500_025)], listed)


def test_a_few_strangers_are_not_told_of() -> None:
    assert said(["0500001", "0500002", "999999", "999998"]) == ""
    assert said([str(n) for n in range(900_000, 900_050)]) == ""


def test_several_in_one_value_are_told_of_with_their_rows() -> None:
    told = said(["500001, 500002", "500003;500004;500005"])
    assert told.startswith("meetings: 4 rows name several in 'student_id' (such as 999999, 999999)")
    assert "Export a row for each." in told


def test_a_value_with_a_space_is_not_several_people() -> None:
    listed = [f"{letter}{letter}SMITH" for letter in "ABCDEFGHIJ"]
    assert "name several" not in said([f"JANE SMITH{letter}" for letter in "ABCDEFGHIJ"], listed, total=10)


def test_tables_that_speak_of_people_in_different_ways_are_told_of() -> None:
    told = said([f"{letter}.SMITH@X.AC.UK" for letter in "ABCDEFGHIJ"], total=10)
    assert "10 of 10 different values" in told
    assert "they look like x.xxxxx@x.xx.xx, there like 999999" in told
