"""Sentences say what the figures say: no more, and never without doubt where there is doubt."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from dashboard.findings import consistency, equity
from dashboard.findings.consistency import LEARN, TALK, Comparison

PERCENT = {
    "metric": "m",
    "label": "Met their tutor",
    "decimals": 0,
    "suffix": "%",
    "gap_suffix": " points",
    "better": "higher",
}


LIMITS = (60, 80)  # of every school, in these tests


def schools_at(
    values: list[tuple[float, float, float] | None], says: str = "", middle: tuple[float, float] = (55, 85)
) -> Comparison:
    """A comparison of schools at (value, lower, upper); None is hidden. `says`: what is published of all of them."""
    units = pd.DataFrame(
        [("university", "university", "University", "University", None)]
        + [(f"school:{i}", "school", f"School {i}", f"School {i}", "faculty:F") for i in range(len(values))],
        columns=["unit", "kind", "name", "short_name", "parent"],
    )
    rows = [("university", 1000, 70, 69, 71, "shown")]
    for i, v in enumerate(values):
        rows.append((f"school:{i}", 100, *v, "shown") if v else (f"school:{i}", None, None, None, None, "suppressed"))
    cells = pd.DataFrame(rows, columns=["unit", "base", "value", "lower", "upper", "status"])
    odds = {"value": 70.0, "odds_ratio_upper": 1.2}
    published = pd.DataFrame([{"low": middle[0], "high": middle[1], "says": says, **odds}]) if says else None
    return consistency.compare(cells, units, PERCENT, "2025/26", published, funnel(values))


def funnel(values: list[tuple[float, float, float] | None]) -> pd.DataFrame:
    """The published funnel of such schools: none for fewer than five."""
    rows = []
    for i, v in enumerate(values):
        if v and len(values) >= 5:
            side = "above" if v[0] > LIMITS[1] else "below" if v[0] < LIMITS[0] else "within the limits"
            says = {"above": LEARN, "below": TALK}.get(side, side)
            limits = {"lower": LIMITS[0], "upper": LIMITS[1], "lower_outer": 50, "upper_outer": 90}
            rows.append({"unit": f"school:{i}", **limits, "position": side, "says": says, "status": "shown"})
    return pd.DataFrame(rows)


def test_schools_stand_apart_by_the_published_funnel_alone() -> None:
    c = schools_at([(85, 71, 99), (75, 74, 76), (55, 40, 70), (66, 62, 70), None])
    assert c.schools["side"].tolist() == ["above", "near", "below", "near", ""], "intervals do not count"
    assert c.on_side("above")["name"].tolist() == ["School 0"]
    assert c.called(TALK)["name"].tolist() == ["School 2"]
    assert consistency.schools_answer(c).startswith("Two of four schools stand apart on ‘Met their tutor’: one above")


def test_absent_schools_have_nobody() -> None:
    units = pd.DataFrame(
        [("school:0", "school", "A", "A", None), ("school:9", "school", "B", "B", None)],
        columns=["unit", "kind", "name", "short_name", "parent"],
    )
    cells = pd.DataFrame([{"unit": "school:0", "base": 5, "value": 1, "lower": 1, "upper": 1, "status": "shown"}])
    assert consistency.compare(cells, units, PERCENT, "").schools["status"].tolist() == ["shown", "none"]


def test_whether_schools_differ_is_what_is_published() -> None:
    apart = schools_at([(85, 80, 90)] * 10 + [(55, 50, 60)] * 10, "differs beyond chance")
    alike = schools_at([(85, 80, 90)] * 10 + [(55, 50, 60)] * 10, "no more than chance")
    unsaid = schools_at([(85, 80, 90)] * 10 + [(55, 50, 60)] * 10)
    assert (apart.differs, alike.differs, unsaid.differs) == (True, False, None)
    assert consistency.consistency_answer([apart]).startswith("No. On the headline measure")
    said = consistency.consistency_answer([alike])
    assert said.startswith("No difference between schools beyond chance can be seen on one headline measure.")
    assert "about eight in ten could still lie as far apart as 65% and 75%" in said
    assert "yes" not in said.lower(), "that no difference is seen does not show that there is none"
    assert consistency.consistency_answer([apart, alike]).startswith("Only in part. On one of two headline measures")
    assert consistency.consistency_answer([unsaid]) == "There are too few figures to say."
    assert consistency.schools_answer(apart).endswith("Schools differ by more than chance.")
    assert consistency.schools_answer(alike).endswith("could still lie as far apart as 65% and 75%.")
    assert "Schools differ" not in consistency.schools_answer(unsaid)


def test_without_limits_no_school_is_said_to_stand_apart() -> None:
    few = schools_at([(95, 90, 99), (40, 35, 45), None])
    assert not few.limited
    assert few.middle is None
    assert consistency.schools_answer(few).startswith("Too few schools have figures on ‘Met their tutor’")
    assert consistency.funnel_title(schools_at([(70, 60, 80)] * 5)) == "All five schools lie within the usual range"


def test_the_good_side_is_for_learning_and_only_the_other_for_a_conversation() -> None:
    c = schools_at([(95, 90, 99), (85, 71, 99), (55, 40, 70), (70, 60, 80), (70, 60, 80)])
    c.schools.loc[1, "says"] = consistency.MAYBE
    assert c.called(LEARN)["name"].tolist() == ["School 0", "School 1"]
    assert c.called(TALK)["name"].tolist() == ["School 2"]
    assert [said[0] for said in consistency.named(c.called(LEARN), PERCENT)] == ["★", "☆"]
    assert [said[0] for said in consistency.named(c.called(TALK), PERCENT)] == ["◆"]
    assert [said[0] for said in consistency.named(c.called(TALK), PERCENT, doubted=True)] == ["○"]
    some = replace(c, schools=c.schools.iloc[1:])
    assert some.called(LEARN)["name"].tolist() == ["School 1"], "of some of the schools too"
    assert some.called(TALK)["name"].tolist() == ["School 2"]
    c.schools.loc[1, "says"] = TALK
    assert c.called(TALK)["name"].tolist() == ["School 2"], "older releases called it so"
    assert consistency.funnel_title(c).startswith("Three schools outside the usual range: two worth learning from and")
    neither = replace(c, metric={**PERCENT, "better": "neither"})
    assert neither.called(LEARN).empty
    assert len(neither.called(TALK)) == 3


@pytest.mark.parametrize(
    ("n", "said"),
    [(4, "hardly one"), (10, "about one"), (20, "about one"), (28, "about one or two"), (60, "about three")],
)
def test_how_many_would_stand_apart_in_any_case_is_said(n: int, said: str) -> None:
    assert consistency.by_chance(n) == said
    c = schools_at([(85, 80, 90)] + [(70, 60, 80)] * (n - 1) if n > 4 else [(85, 80, 90)] * 6)
    assert f"{said[:1].upper()}{said[1:]} of " in (told := consistency.schools_answer(c))
    assert "would in any case." in told


def test_how_far_schools_may_lie_apart_all_the_same() -> None:
    assert consistency.range_at(70.0, 1.0) == pytest.approx((70, 70))
    low, high = consistency.range_at(70.0, 1.2)
    assert (round(low), round(high)) == (65, 75)
    assert consistency.range_at(100.0, 2.0) == (100.0, 100.0)


def test_the_published_range_of_schools_comes_before_the_observed_one() -> None:
    published = schools_at([(x, x - 5, x + 5) for x in (56, 60, 70, 80, 87)], "differs beyond chance", (53, 90))
    observed = replace(published, modelled=None, observed=(57.0, 84.0))
    assert consistency.spread(published) == "on ‘Met their tutor’ about eight in ten schools lie between 53% and 90%"
    assert "the middle 80% of schools range from 57% to 84%" in consistency.spread(observed)
    assert published.reach == 37
    assert "all at about 70%" in consistency.spread(replace(observed, modelled=(70.0, 70.0)))


def test_the_count_of_schools_says_whose_records_the_university_includes() -> None:
    c = schools_at([(85, 75, 90)] * 5)
    assert "70% (which includes two schools whose record looks incomplete)." in consistency.schools_answer(c, 2)
    assert "incomplete" not in consistency.schools_answer(c)


@pytest.mark.parametrize(
    ("side", "better", "expected"),
    [
        ("above", "higher", "well"),
        ("below", "higher", "attention"),
        ("above", "lower", "attention"),
        ("below", "lower", "well"),
        ("above", "neither", "context"),
        ("near", "higher", "context"),
    ],
)
def test_direction_follows_what_is_good_for_students(side: str, better: str, expected: str) -> None:
    assert consistency.verdict(side, better) == expected


def test_a_change_within_doubt_is_not_called_a_change() -> None:
    now = {"status": "shown", "value": 75, "lower": 73, "upper": 77}
    little = consistency.change(now, {"status": "shown", "value": 74, "lower": 72, "upper": 76})
    large = consistency.change(now, {"status": "shown", "value": 65, "lower": 63, "upper": 67})
    hidden = consistency.change(now, {"status": "suppressed", "value": None})
    assert consistency.change_words(little, PERCENT, "2024/25").startswith("No clear change on 2024/25")
    assert consistency.change_words(large, PERCENT, "2024/25").startswith("Up 10 points on 2024/25 (+7 to +13")
    assert consistency.change_words(hidden, PERCENT, "2024/25") == "No figure to compare with for 2024/25."
    assert consistency.change_verdict(large, "lower") == "attention"
    assert consistency.change_verdict(little, "higher") == "context"


def test_a_record_is_called_incomplete_only_beyond_doubt() -> None:
    cells = pd.DataFrame(
        [
            {"unit": "school:A", "value": 50, "upper": 60, "status": "shown"},
            {"unit": "school:B", "value": 65, "upper": 74, "status": "shown"},
            {"unit": "school:C", "value": None, "upper": None, "status": "suppressed"},
            {"unit": "faculty:D", "value": 50, "upper": 60, "status": "shown"},
        ]
    )
    assert consistency.incomplete_records(cells) == {"school:A": 50}


def gap(characteristic: str, group: str, value: float, evidence: str, direction: str) -> dict[str, object]:
    return {
        "metric": "m",
        "characteristic": characteristic,
        "group": group,
        "reference": "Ref",
        "value": value,
        "lower": value - 2,
        "upper": value + 2,
        "evidence": evidence,
        "direction": direction,
        "status": "shown",
    }


METRICS = pd.DataFrame({"material": [3.0]}, index=["m"])
LABELS = pd.DataFrame(
    {"label": ["Ethnicity", "Ethnicity (two groups)", "Sex"], "of": [None, "ethnicity", None]},
    index=["ethnicity", "ethnicity_broad", "sex"],
).assign(people=[{"Black": "Black students"}, {}, {}])


def test_gaps_are_told_from_the_side_of_who_is_worse_off() -> None:
    gaps = pd.DataFrame(
        [gap("ethnicity", "Black", -9, "clear gap", "worse"), gap("sex", "Female", 5, "clear gap", "better")]
    )
    found = equity.missing_out(gaps, METRICS).to_dict("records")
    people = {"people": {"Black": "Black students", "Female": "female students", "Ref": "all the others"}}
    told = [equity.gap_words(each, PERCENT, people) for each in found]
    assert told == [
        "9 points lower for Black students than for all the others (7 to 11 points)",
        "5 points lower for all the others than for female students (3 to 7 points)",
    ]


def test_the_equity_answer_is_honest_about_doubt() -> None:
    clear = pd.DataFrame(
        [gap("ethnicity", "Black", -9, "clear gap", "worse"), gap("sex", "Female", 1, "no clear gap", "none")]
    )
    possible = clear.assign(evidence=["possible gap", "no clear gap"])
    few = clear.assign(evidence="too few to say", direction="none")
    told = equity.equity_answer(clear, METRICS, PERCENT, LABELS, "in the School of Law")
    assert "a clear gap in the School of Law by one of two characteristics" in told
    assert "one gap may be real" in equity.equity_answer(possible, METRICS, PERCENT, LABELS)
    assert equity.equity_answer(few, METRICS, PERCENT, LABELS).startswith("Too few students to say")
    assert equity.equity_answer(clear.assign(status="suppressed"), METRICS, PERCENT, LABELS).startswith(
        "There are no gaps"
    )
    neither = {**PERCENT, "better": "neither"}
    assert "neither direction is better" in equity.equity_answer(clear, METRICS, neither, LABELS)


def test_characteristics_without_a_gap_are_those_that_the_answer_counts() -> None:
    broad = gap("ethnicity_broad", "Minority ethnic groups", 0, "no clear gap", "none")
    gaps = pd.DataFrame(
        [gap("ethnicity", "Black", -9, "clear gap", "worse"), broad, gap("sex", "Female", 1, "no clear gap", "none")]
    )
    assert equity.without_gap(gaps, LABELS) == ["sex"]
    assert "one of two characteristics" in equity.equity_answer(gaps, METRICS, PERCENT, LABELS)
    none = pd.DataFrame([gap("ethnicity", "Black", 0, "no clear gap", "none"), broad])
    assert equity.without_gap(none, LABELS) == ["ethnicity"]
    assert equity.without_gap(none.assign(evidence="too few to say"), LABELS) == []


def test_a_group_that_is_too_few_to_say_is_not_said_to_have_no_gap() -> None:
    def of(characteristic: str, group: str, evidence: str = "too few to say") -> dict[str, object]:
        return gap(characteristic, group, 0, evidence, "none")

    sex = [of("sex", "Female", "no clear gap")]
    some = [*sex, of("ethnicity", "Black"), of("ethnicity", "Asian", "no clear gap"), of("ethnicity", "Mixed")]
    broad = of("ethnicity_broad", "Minority ethnic groups", "no clear gap")

    def note(*rows: dict[str, object]) -> str:
        return equity.no_gap_note(pd.DataFrame(rows), LABELS)

    assert note(*some) == "No clear or possible gap by sex. Too few to say: Black and Mixed by ethnicity."
    assert note(*some, broad) == (
        "No clear or possible gap by sex and ethnicity (two groups). Too few to say: Black and Mixed by ethnicity."
    ), "by the broader one all can say"
    many = [of("ethnicity", group) for group in ("Black", "Mixed", "Other", "Any other")]
    assert note(*sex, *many) == "No clear or possible gap by sex. Too few to say: ethnicity."
    assert note(*many, of("ethnicity", "Asian", "no clear gap")) == "Too few to say: four groups by ethnicity."
    assert note(*many, of("ethnicity", "Asian", "possible gap"), broad) == "", "drawn in the chart"
    assert note(*sex) == "No clear or possible gap by sex."
    hidden = {**of("ethnicity", "Black"), "status": "suppressed"}
    assert note(*sex, hidden) == "No clear or possible gap by sex."


def test_one_groups_gap_is_told_with_its_doubt_or_as_hidden() -> None:
    gap = {"group": "B", "reference": "A", "value": -3, "lower": -5, "upper": 2, "evidence": "no clear gap"}
    people = {"people": {"B": "commuters", "A": "others"}}

    def told(status: str) -> str:
        return equity.one_gap(pd.DataFrame([{**gap, "status": status}]), "B", PERCENT, people, "in the School of Law")

    assert told("shown") == (
        "No clear gap in the School of Law: 3 points lower for commuters than for others (5 lower to 2 points higher)."
    )
    assert told("suppressed") == "Commuters and others in the School of Law: hidden to protect people."
    assert told("none") == ""


def test_a_broader_characteristic_counts_only_where_the_finer_one_has_no_clear_gap() -> None:
    broad = gap("ethnicity_broad", "Minority ethnic groups", -12, "clear gap", "worse")
    both = pd.DataFrame([gap("ethnicity", "Black", -9, "clear gap", "worse"), broad])
    answer = equity.equity_answer(both, METRICS, PERCENT, LABELS)
    assert "a clear gap at the university by one of one characteristic" in answer
    assert "for Black students than" in answer
    clear = equity.missing_out(both, METRICS)
    assert equity.widest_by_characteristic(clear, LABELS, 3)["group"].tolist() == ["Black"]
    only = pd.DataFrame([gap("ethnicity", "Black", -9, "possible gap", "worse"), broad])
    assert "The widest is by ethnicity (two groups)" in equity.equity_answer(only, METRICS, PERCENT, LABELS)


def test_too_few_to_say_is_never_counted_as_no_gap() -> None:
    rows = [gap("ethnicity", "Black", -20, "too few to say", "none")] * 3 + [
        gap("ethnicity", "Black", 0, "no clear gap", "none")
    ]
    gaps = pd.DataFrame(rows)
    title = equity.places_title(gaps, "Black", "White")
    assert (
        title == "Black and White: no clear gap in the one school with enough students to say, too few to say in three"
    )
    clear, possible = (
        pd.DataFrame([gap("ethnicity", "Black", -9, f"{kind} gap", "worse")]) for kind in ("clear", "possible")
    )
    assert equity.places_title(pd.concat([gaps, clear, possible]), "Black", "White") == (
        "Black and White: a clear gap in one of six schools shown, a possible one in one, too few to say in three"
    )
    hidden = equity.places_title(gaps.head(3).assign(status="suppressed"), "Black", "White")
    assert hidden == "Black and White: no gap to show in any school, hidden in three"


def test_titles_read_well_without_any_gap() -> None:
    none = pd.DataFrame([gap("sex", "Female", 0, "no clear gap", "none")] * 3)
    one = pd.concat([none, pd.DataFrame([gap("sex", "Other", -9, "clear gap", "worse")])])
    assert equity.equity_title(none) == "None of three comparisons shows a clear gap"
    assert equity.equity_title(one) == "One of four comparisons shows a clear gap"


def test_hidden_groups_are_named_or_counted() -> None:
    places = pd.DataFrame({"unit": [f"school:{i}" for i in range(8)], "short_name": [f"S{i}" for i in range(8)]})
    cells = pd.DataFrame({"unit": places["unit"], "group": "Black", "status": "suppressed"})
    assert equity.hidden_words(cells.head(2), places) == "Hidden to protect people: Black in S0 and S1."
    assert equity.hidden_words(cells, places).startswith("8 of 8 figures are hidden")
    assert equity.hidden_words(cells.assign(status="shown"), places) == ""
    nobody = pd.concat([cells, cells.assign(group="Mixed", status="none")])
    assert equity.hidden_words(nobody, places).startswith("8 of 8 figures"), "nobody is no figure"


def test_a_gap_no_school_shows_is_not_left_unexplained() -> None:
    clear = pd.DataFrame([gap("commuter", "Commuter", -6, "clear gap", "worse")])
    flat = pd.DataFrame([gap("commuter", "Commuter", 0, "no clear gap", "none")] * 3)
    assert "which schools the group studies in" in equity.elsewhere(clear, flat)
    assert equity.elsewhere(clear, clear) == ""
    assert equity.elsewhere(flat, flat) == ""


def test_unknown_is_never_compared() -> None:
    groups = pd.DataFrame(
        {"group": ["A", "B", "Unknown"], "compared": [True, True, False], "is_reference": [False, True, False]}
    )
    cells = pd.DataFrame({"group": ["A", "B", "Unknown"], "value": [60, 70, 10], "status": "shown"})
    assert equity.groups_title(cells, groups, PERCENT, "Here") == "Here: from A at 60% to B at 70%"


def test_of_groups_at_one_value_the_reference_is_named() -> None:
    groups = pd.DataFrame({"group": ["A", "B", "C"], "compared": True, "is_reference": [False, False, True]})
    cells = pd.DataFrame({"group": ["A", "B", "C"], "value": [73, 83, 83], "status": "shown"})
    assert equity.groups_title(cells, groups, PERCENT, "Here") == "Here: from A at 73% to C at 83%"
    alike = equity.groups_title(cells.assign(value=73), groups, PERCENT, "Here")
    assert alike == "Here: all groups at 73%"


def test_too_few_to_say_is_not_headed_no_clear_gap() -> None:
    few = pd.DataFrame([gap("sex", "Female", 9, "too few to say", "none")] * 2)
    none = pd.DataFrame([gap("sex", "Female", 0, "no clear gap", "none")])
    assert equity.no_gap_title(few).startswith("Too few students to say")
    assert equity.no_gap_title(pd.concat([few, none])).startswith(
        "In most comparisons on the headline measures too few"
    )
    hidden = few.assign(status="suppressed")
    assert equity.no_gap_title(pd.concat([hidden, none])).startswith("No clear gap"), "hidden is not too few"
    assert equity.no_gap_words(pd.concat([hidden, none])) == (
        "Of three comparisons one can say, two are hidden or without a figure."
    )
    assert equity.no_gap_title(pd.concat([few, none, none])).startswith("No clear gap")
    possible = none.assign(evidence="possible gap")
    assert equity.no_gap_words(pd.concat([few, none])) == "Of three comparisons one can say."
    assert equity.no_gap_words(few) == "Of two comparisons none can say."
    assert equity.no_gap_words(pd.concat([few, none, possible])) == (
        "Of four comparisons two can say, and one gap may be real."
    )
    assert equity.no_gap_title(few.assign(status="suppressed")).startswith("No gap between groups to show")


def test_the_question_is_about_the_year_that_is_shown() -> None:
    assert consistency.consistency_question("2026/27 to week 9", True) == "Is tutoring consistent this year?"
    assert consistency.consistency_question("2014/15", False) == "Was tutoring consistent in 2014/15?"
