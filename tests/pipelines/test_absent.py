"""What the extracts do not have is told, with what is left out for it."""

from dataclasses import replace

from pipelines import definitions as definition_files
from pipelines.absent import absent
from pipelines.extract import Extracted

DEFINITIONS = definition_files.load()
EVERYTHING = {name: frozenset(table.columns) for name, table in DEFINITIONS.tables.items()}


def told(untaken=(), **without):
    """What is said where tables lack columns; of 'all' of them there is no extract."""
    present = {
        name: frozenset() if without.get(name) == "all" else columns - set(without.get(name, ()))
        for name, columns in EVERYTHING.items()
    }
    return absent(DEFINITIONS, replace(Extracted(present=present), untaken=list(untaken)))


def test_nothing_is_said_where_nothing_is_missing():
    assert told() == []


def test_a_missing_table_is_named_with_the_metrics_that_rest_on_it():
    assert told(tutors="all") == ["There is no extract of tutors. Left out: Tutees per full-time tutor."]
    (line,) = told(feedback="all")
    assert line.startswith("There is no extract of feedback. Left out: My tutor knows me, ")
    assert line.endswith(" and 1 more.")


def test_missing_columns_are_named_with_metrics_and_characteristics_broader_ones_too():
    assert told(enrolments=["tutor_id", "ethnicity"], meetings=["school_code"]) == [
        "Not in the extract of enrolments: tutor_id, ethnicity. Left out: Has a named tutor, "
        "Tutees per full-time tutor, Ethnicity, Ethnicity (two groups).",
        "Not in the extract of meetings: school_code. No figure is left out.",
    ]


def test_characteristics_of_answers_are_missed_only_where_the_survey_is_not_linked():
    assert told(feedback=["sex", "commuter"]) == []
    assert told(enrolments=["sex"], feedback=["sex", "commuter", "student_id"])[1] == (
        "Not in the extract of feedback: student_id, commuter. Left out: Response rate, "
        "Recorded of recalled meetings, answers by Commuting."
    )


def test_long_lists_are_counted():
    (line,) = told(untaken=[f"{n}.csv" for n in range(9)])
    assert line == "Files that no table took: 0.csv, 1.csv, 2.csv, 3.csv, 4.csv, 5.csv and 3 more."
