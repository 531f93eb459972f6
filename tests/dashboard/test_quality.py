"""Whether figures can be trusted, in words: from what was set aside, what checks found, and what is not on record."""

from __future__ import annotations

import pandas as pd
import pytest

from dashboard.findings import quality


def read_rows(**tables: tuple[int, int, int]) -> pd.DataFrame:
    """A file of each table: rows read, loaded and set aside; the rest are duplicates."""
    return pd.DataFrame(
        {
            "table_name": table,
            "file": f"{table}.csv",
            "rows_read": read,
            "rows_loaded": loaded,
            "rows_quarantined": aside,
            "duplicates_dropped": read - loaded - aside,
        }
        for table, (read, loaded, aside) in tables.items()
    )


def checked_rules(*found: tuple[str, bool, int], table: str = "meetings") -> pd.DataFrame:
    """Rules of a table: severity, whether passed, rows failing. The last of them is that of rows superseded."""
    return pd.DataFrame(
        {
            "table_name": table,
            "expectation": f"{table}.rule_{number}" if number < len(found) else f"{table}.key_unique",
            "rule": f"Rule {number} holds.",
            "severity": severity,
            "passed": passed,
            "rows_failing": failing,
        }
        for number, (severity, passed, failing) in enumerate(found, 1)
    )


def test_trust_is_withheld_where_many_rows_are_set_aside() -> None:
    rows = read_rows(meetings=(1100, 920, 80), feedback=(50, 50, 0))
    broken = checked_rules(
        ("row-level", False, 30), ("row-level", False, 44), ("warning", False, 0), ("row-level", False, 6)
    )
    assert quality.quality_answer(rows, broken, {"School of Law": 34.0}) == (
        "Not yet: 7.4% of meetings were set aside, most often for breaking the rule ‘Rule 2 holds’, so contact figures "
        "may be too low."
    )
    assert quality.badge(None, rows, broken) == (
        "No meetings on record · not to be trusted yet: 7.4% of meetings were set aside, so contact figures may be too "
        "low · one warning"
    )
    of_both = pd.concat([broken, checked_rules(("row-level", False, 4), ("row-level", True, 0), table="feedback")])
    said = quality.quality_answer(rows, of_both)
    assert "‘Rule 2 holds’, so contact figures may be too low; 7.4% of answers were set aside" in said
    assert said.endswith("‘Rule 1 holds’, so the figures of student voice rest on too few.")


@pytest.mark.parametrize("aside", [30, 970])
def test_rows_that_a_later_row_supersedes_are_not_lost(aside: int) -> None:
    """30 rows that are lost are 3% of a thousand; of rows superseded there may be any number."""
    rows = read_rows(meetings=(1000 + aside, 970, 30 + aside))
    superseded = checked_rules(("row-level", False, 30), ("row-level", False, aside))
    assert quality.quality_answer(rows, superseded).startswith("Yes: every one of")
    assert "every row accounted for" in quality.badge(None, rows, superseded)
    one_more = checked_rules(("row-level", False, 31), ("row-level", False, aside))
    assert quality.quality_answer(rows, one_more).startswith("Not yet: 3.1% of meetings were set aside")


def test_trust_is_withheld_when_rows_are_lost_or_a_critical_check_fails() -> None:
    rows = read_rows(tutors=(10, 8, 1))
    fine = checked_rules(("critical", True, 0), ("warning", True, 0))
    assert quality.quality_answer(rows, fine).startswith("Yes: every one of 10 rows")
    assert quality.quality_answer(rows, fine.assign(passed=[True, False])).endswith("One warning to look at.")
    assert quality.quality_answer(rows, fine.assign(passed=[False, True])) == "Not yet: one critical check failed."
    assert quality.quality_answer(rows.assign(rows_loaded=7), fine) == "Not yet: some rows are unaccounted for."
    lost = {"School of Law": 34.0}
    assert quality.quality_answer(rows.assign(rows_loaded=7), fine, lost).startswith("Not yet")
    assert "tutors.csv" in quality.reconciliation_title(rows.assign(rows_loaded=7))


def test_the_first_reason_for_doubt_is_what_is_not_on_record() -> None:
    rows = read_rows(tutors=(1000, 999, 1))
    fine = checked_rules(("warning", False, 0))
    said = quality.quality_answer(rows, fine, {"School of Law": 34.0, "History": 29.0})
    assert said == (
        "Yes, with care: in two schools 66% to 71% of the meetings that students recall are not on record "
        "(the School of Law and History). Every one of 1,000 rows is accounted for, and 0.1% of them were set aside "
        "because a check failed. One warning to look at."
    )
    one = quality.quality_answer(rows, fine.assign(passed=True), {"School of Law": 34.0})
    assert one.startswith("Yes, with care: in the School of Law 66% of the meetings that students recall are not on")
    many = quality.quality_answer(rows, fine, {f"School {n}": 30.0 for n in range(5)})
    assert "in five schools 70% of the meetings" in many
    assert "School 1" not in many


def test_each_rule_with_a_warning_has_a_line_and_what_was_seen_where_it_is_published() -> None:
    checks = pd.DataFrame(
        [
            {"table_name": "meetings", "rule": "Few rows.", "severity": "warning", "passed": False, "observed": "12%"},
            {"table_name": "feedback", "rule": "Few rows.", "severity": "warning", "passed": False, "observed": "12%"},
            {"table_name": "meetings", "rule": "Few ids", "severity": "warning", "passed": False, "observed": None},
            {"table_name": "meetings", "rule": "Known.", "severity": "row-level", "passed": False, "observed": "3"},
            {"table_name": "feedback", "rule": "Known.", "severity": "warning", "passed": True, "observed": "3"},
        ]
    )
    assert quality.warnings(checks) == [
        "Warning, meetings and feedback: a rule is broken: ‘Few rows’. Seen: 12%.",
        "Warning, meetings: a rule is broken: ‘Few ids’.",
    ]


def test_what_is_missing_is_said_with_its_reason() -> None:
    metrics = pd.DataFrame(
        {
            "label": ["Trust", "Belonging", "Met"],
            "available": [False, False, True],
            "unavailable_because": ["there is no feedback extract", "there is no feedback extract", None],
        }
    )
    assert quality.not_available(metrics) == [
        "Not shown, because there is no feedback extract: ‘Trust’ and ‘Belonging’."
    ]
    columns = ["the meetings extract has no tutor_id", "the meetings extract has no attended"] * 2
    missing = pd.DataFrame({"label": list("ABCD"), "available": False, "unavailable_because": columns})
    assert quality.not_available(missing) == [
        "Not shown, because the meetings extract lacks a column they need: ‘A’, ‘B’, ‘C’ and ‘D’."
    ]
    missing = pd.DataFrame(
        {
            "label": ["Ethnicity", "Ethnicity (two groups)", "Sex", "Commuting"],
            "available": [False, False, True, False],
            "of": [None, "ethnicity", None, None],
        }
    )
    assert quality.not_in_extract(missing) == "Not in the extract: Ethnicity, Commuting."
    assert quality.not_in_extract(missing.assign(available=True)) == ""


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "No rows were set aside"),
        ([1], "1 row was set aside for breaking one rule: ‘R0’"),
        ([5], "5 rows were set aside, all of them for breaking one rule: ‘R0’"),
        ([5, 2], "7 rows were set aside, most of them for breaking one rule: ‘R0’"),
        ([4, 3, 2], "9 rows were set aside; the rule broken most is ‘R0’"),
        ([3, 3, 1], "7 rows were set aside; two rules are broken most, by 3 each"),
    ],
)
def test_rows_set_aside_name_a_rule_only_where_one_stands_out(rows: list[int], said: str) -> None:
    quarantine = pd.DataFrame({"rule": [f"R{i}." for i in range(len(rows))], "rows": rows})
    assert quality.quarantine_title(quarantine) == said


def test_checks_are_counted_in_a_sentence() -> None:
    checks = pd.DataFrame({"severity": ["critical", "row-level", "warning"], "passed": [True, False, False]})
    assert quality.checks_title(checks) == (
        "Of three checks, no critical one failed, one set rows aside and one gave a warning"
    )
