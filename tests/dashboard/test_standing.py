"""Sentences about a faculty or school beside the university say what the figures say."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from dashboard.findings import standing
from dashboard.findings.consistency import Comparison, compare

METRIC = {"label": "Met their tutor", "suffix": "%", "decimals": 0, "better": "higher"}
NAME = "School of Law"


def row(value: float, half: float = 2.0, status: str = "shown") -> dict[str, object]:
    return {"base": 100, "value": value, "lower": value - half, "upper": value + half, "status": status}


def comparison(own: dict[str, object], better: str = "higher") -> Comparison:
    units = pd.DataFrame(
        [
            {"unit": "university", "kind": "university", "name": "U", "short_name": "U", "parent": None},
            {"unit": "school:LAW", "kind": "school", "name": NAME, "short_name": "Law", "parent": "faculty:F"},
        ]
    )
    cells = pd.DataFrame([{"unit": "university", **row(70, 1)}, {"unit": "school:LAW", **own}])
    side = {True: "above", False: "within the limits"}[float(own["value"]) > 75]
    side = "below" if float(own["value"]) < 65 else side
    limits = {"lower": 65, "upper": 75, "lower_outer": 55, "upper_outer": 85}
    limited = [{"unit": "school:LAW", **limits, "position": side, "says": "", "status": own["status"]}]
    found = compare(cells, units, METRIC | {"better": better}, "2025/26", funnel=pd.DataFrame(limited))
    return replace(found, partial=True)


def answer(*pairs: tuple[dict[str, object], str]) -> str:
    compared = [comparison(own, better) for own, better in pairs]
    return standing.answer(NAME, compared, [c.figure("school:LAW") for c in compared])


def test_a_unit_is_said_to_be_better_or_worse_by_what_is_good() -> None:
    high, low, near = row(80), row(60), row(71)
    said = answer((high, "higher"), (low, "higher"), (near, "higher"))
    assert (
        "the School of Law is better than usual on one and worse than usual on one of three headline measures" in said
    )
    assert "‘Met their tutor’: 60% here, 70% across the university." in said
    assert "worse than usual on both headline measures" in answer((high, "lower"), (low, "higher"))
    assert "better than usual on one headline measure" in answer((low, "lower"))
    assert "within the usual range for schools on both" in answer((near, "higher"), (near, "lower"))
    assert "not clearly apart" in answer((near, "higher"), (high, "neither"))
    assert "too few figures" in answer((row(50, status="suppressed"), "higher"))


def test_contact_is_not_judged_where_the_record_is_in_doubt() -> None:
    contact, trust = comparison(row(60)), comparison(row(60))
    trust = replace(trust, metric={**trust.metric, "theme": "voice", "label": "Trust"})
    contact = replace(contact, metric={**contact.metric, "theme": "contact"})
    own = [row(60) | {"unit": "school:LAW"}] * 2
    assert "worse than usual on both headline measures" in standing.answer(NAME, [contact, trust], own)
    said = standing.answer(NAME, [contact, trust], own, in_doubt=True)
    assert "worse than usual on the one of two headline measures that can be judged" in said
    assert "‘Trust’" in said
    assert standing.answer(NAME, [contact], own[:1], in_doubt=True) == (
        "How the School of Law compares cannot be said before its record of meetings is checked."
    )
    assert standing.beside(own[0], contact, in_doubt=True).endswith("check the record first")
    assert standing.beside(own[0], trust, in_doubt=True).endswith("lower than usual")


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (row(60), "The School of Law is at 60%, below the usual range around the university’s 70%."),
        (row(71), "The School of Law is at 71%, within the usual range around the university’s 70%."),
        (row(60, status="suppressed"), "School of Law: hidden to protect people. The university is at 70%."),
    ],
)
def test_a_single_school_is_set_beside_the_university(own: dict[str, object], said: str) -> None:
    assert standing.schools_answer(comparison(own), None) == said


def test_a_value_beside_the_universitys_says_whether_it_is_apart() -> None:
    def said(own: dict[str, object], unit: str = "school:LAW") -> str:
        c = comparison(own)
        return standing.beside({**own, "unit": unit}, c)

    assert said(row(60)) == "University 70%: lower than usual"
    assert said(row(80)) == "University 70%: higher than usual"
    assert said(row(71)) == "University 70%: within the usual range"
    assert said(row(71), "faculty:F") == "University 70%: not clearly apart"
    assert said(row(60), "faculty:F") == "University 70%: clearly lower"
    assert said(row(60, status="suppressed"), "faculty:F") == "University 70%"


def test_the_band_is_named_only_where_all_of_it_is_published() -> None:
    rows = pd.DataFrame([{"group": "all", "lowest": 40, "low": 50, "middle": 60, "high": 70, "highest": 80}])
    band = standing.band(rows)
    assert band is not None
    said = standing.schools_answer(comparison(row(60)), band)
    assert "Across the university, the middle 80% of schools lie between 50% and 70%." in said
    assert standing.band(rows.assign(highest=None)) is None
    assert standing.band(rows, "Black") is None


def test_own_schools_are_said_to_lie_on_their_side() -> None:
    units = ["school:A", "school:B", "school:C"]

    def of(label: str, *values: float) -> Comparison:
        cells = pd.DataFrame(
            [{"unit": u, **row(v, 1)} for u, v in zip(["university", *units], (70, *values), strict=True)]
        )
        listed = pd.DataFrame([{"unit": u, "kind": "school", "name": u, "short_name": u, "parent": "f"} for u in units])
        return replace(compare(cells, listed, METRIC | {"label": label}, ""), observed=(60.0, 80.0), partial=True)

    compared = [of("Met", 50, 55, 70), of("Trust", 50, 70, 90)]
    assert standing.strips_title(compared) == (
        "Two of your three schools lie below where most schools are on one measure or more, one above on ‘Trust’"
    )
    assert standing.strips_title(compared[1:], "the faculty’s").startswith(
        "One of the faculty’s three schools lies below"
    )


@pytest.mark.parametrize(
    ("observed", "said"),
    [
        ((55, 90), "Your school lies within"),
        ((65, 90), "Your school lies below where most schools are on ‘Met their tutor’"),
        (None, "Your school and the"),
    ],
)
def test_own_schools_are_said_to_lie_within_the_band_or_beyond_it(observed, said: str) -> None:
    assert standing.strips_title([replace(comparison(row(60)), observed=observed)]).startswith(said)
