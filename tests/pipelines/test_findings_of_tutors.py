"""Findings about the differences between tutors: of which measure, of which year, and where nothing is said."""

from __future__ import annotations

from tests.pipelines.test_findings import consistency, said, tables


def test_whether_tutors_differ_is_told_of_the_measure_on_which_they_do_most() -> None:
    differ, few = "differs beyond chance", "too few to say"
    nan = float("nan")
    rows = [
        consistency("trust", (nan, 2.0, 2.6), differ, between="tutors"),
        consistency("any_meeting", (nan, 1.5, 1.9), differ, between="tutors"),
        consistency("knows_me", (nan, 3.0, 3.9), differ, between="tutors"),  # no headline measure
        consistency("trust", (nan, 3.0, 3.9), differ, between="tutors", academic_year="2021/22"),  # years ago
        consistency("trust", (nan, 2.0, 3.4), differ, between="tutors", unit="school:LAWS"),
        consistency("trust", (nan, 2.0, 4.4), few, between="tutors", unit="school:MUSI"),
        consistency("trust", (nan, 5.0, 5.0), differ, between="tutors", unit="school:CHEM"),  # hardly known
    ]
    made = tables(consistency=rows)
    assert said(made, kind="tutors") == [
        "‘I trust my tutor’ differed from tutor to tutor by more than chance: about eight in ten tutors in a typical "
        "school lay between 55% and 85%. Which students they have may play a part."
    ]
    (here,) = said(made, "school:LAWS", "tutors")
    assert "about eight in ten tutors here lay between 55% and 85%" in here
    assert not said(made, "school:MUSI", "tutors")
    assert not said(made, "school:CHEM", "tutors")
    before = {"between": "tutors", "academic_year": "2021/22"}
    contact = tables(consistency=[consistency("any_meeting", (nan, 1.5, 1.9), differ, **before)])
    (sentence,) = said(contact, kind="tutors")
    assert "by more than chance in 2021/22: about" in sentence
    assert sentence.endswith("Which students they have may play a part, and what they log.")
    assert not said(made, kind="consistency"), "how schools differ is another matter"
