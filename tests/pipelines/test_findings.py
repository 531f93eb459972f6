"""Findings: the right sentences, from shown figures only, ranked and without repetition."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines import definitions
from pipelines.findings import COLUMNS, MOST, findings, ranked
from pipelines.findings.facts import Finding
from pipelines.findings.wording import sizes
from tests.dashboard.sample_release import Sample, _tables

POINTS = {"kind": "proportion", "suffix": "%", "gap_suffix": " points", "decimals": 0, "material": 3.0}
NOW = {"academic_year": "2025/26", "part": "year", "level": "all"}
SCHOOLS = ("LAWS", "MUSI", "CHEM")
CHARACTERISTICS = definitions.load(definitions.FOLDER).characteristics


def metric(name: str, label: str, theme: str, better: str = "higher", headline: bool = True) -> dict[str, Any]:
    return {"metric": name, "label": label, "theme": theme, "better": better, "headline": headline, **POINTS}


def tables(**more: list[dict[str, Any]]) -> dict[str, pd.DataFrame]:
    """A university of one faculty and three schools, with a cell of everyone per metric, and what is added."""
    units = [
        ("university", "university", "Example University", None),
        ("faculty:ART", "faculty", "Faculty of Arts", "university"),
        *((f"school:{s}", "school", f"School of {s.title()}", "faculty:ART") for s in SCHOOLS),
    ]
    metrics = [
        metric("any_meeting", "Met their tutor", "contact"),
        metric("no_meeting", "No recorded meeting", "contact", better="lower", headline=False),
        metric("trust", "I trust my tutor", "voice"),
        metric("knows_me", "My tutor knows me", "voice", headline=False),
        metric("response_rate", "Response rate", "voice", headline=False),
        metric("recorded_of_recalled", "Recorded of recalled meetings", "record", better="neither", headline=False),
    ]
    pairs = [("ethnicity", "Black"), ("ethnicity", "White"), ("fee_status", "International")]
    pairs += [("ethnicity_broad", "Minority ethnic groups"), ("ethnicity_broad", "White")]
    made: dict[str, Any] = {
        "unit": pd.DataFrame(units, columns=["unit", "kind", "name", "parent"]).assign(ordering=range(len(units))),
        "metric": pd.DataFrame(metrics).assign(ordering=range(len(metrics))),
        "characteristic": pd.DataFrame(
            {"characteristic": ["ethnicity", "ethnicity_broad"], "label": ["Ethnicity", "Ethnicity (two groups)"],
             "of": [None, "ethnicity"]}
        ),
        "characteristic_group": pd.DataFrame(
            {"characteristic": c, "group": g, "compared": True, "people": CHARACTERISTICS[c].students(g)}
            for c, g in pairs
        ),
        "period": pd.DataFrame(
            {"academic_year": ["2025/26", "2021/22"], "part": "year", "label": ["2025/26", "2021/22"],
             "is_current": [True, False], "has_groups": True, "ordering": [0, 1]}
        ),
    }  # fmt: skip
    values = {"no_meeting": 30, "recorded_of_recalled": 90, "response_rate": 38}
    everyone = [cell(m["metric"], values.get(m["metric"], 70)) for m in metrics]
    more = {"cell": [], "gap": [], **more}
    more["cell"] = everyone + more["cell"]
    columns = {"gap": [*gap("trust", 0), "against"]}
    for name, rows in more.items():
        made[name] = pd.DataFrame(rows) if rows else pd.DataFrame(columns=columns[name])
    return made


def cell(metric: str, value: float, unit: str = "university", **other: Any) -> dict[str, Any]:
    row = {**NOW, "unit": unit, "metric": metric, "characteristic": "all", "group": "all", "base": 1000}
    return {**row, "value": value, "lower": value - 2, "upper": value + 2, "status": "shown", **other}


def gap(metric: str, value: float, unit: str = "university", **other: Any) -> dict[str, Any]:
    worse = (value > 0) == (metric == "no_meeting")
    return {
        **NOW, "unit": unit, "metric": metric, "characteristic": "ethnicity", "group": "Black", "reference": "White",
        "against": "reference", "base": 1235, "reference_base": 3000, "value": value, "lower": value - 3,
        "upper": value + 3, "evidence": "clear gap", "direction": "worse" if worse else "better", "status": "shown",
        "like_for_like": np.nan, "like_for_like_lower": np.nan, "like_for_like_upper": np.nan,
        "like_for_like_says": "", **other,
    }  # fmt: skip


def trend(metric: str, value: float, says: str, unit: str, of: str) -> dict[str, Any]:
    who = ("ethnicity", "Black") if of == "gap" else ("all", "all")
    return {
        "level": "all", "unit": unit, "metric": metric, "characteristic": who[0], "group": who[1], "of": of,
        "first_year": "2021/22", "last_year": "2025/26", "years": 5, "change": value, "lower": value - 3,
        "upper": value + 3, "says": says, "status": "shown",
    }  # fmt: skip


def funnel(metric: str, unit: str, value: float, says: str) -> dict[str, Any]:
    limits = {"target": 70, "lower": 60, "upper": 80, "lower_outer": 55, "upper_outer": 85}
    return {**NOW, "metric": metric, "unit": unit, "value": value, **limits, "says": says, "status": "shown"}


def consistency(metric: str, ratio: tuple[float, float, float], says: str, **other: Any) -> dict[str, Any]:
    return {
        **NOW, "unit": "university", "metric": metric, "between": "schools", "members": 28, "value": 70.0,
        "odds_ratio": ratio[1], "odds_ratio_lower": ratio[0], "odds_ratio_upper": ratio[2], "low": 55.0, "high": 85.0,
        "says": says, "status": "shown", **other,
    }  # fmt: skip


def said(made: dict[str, pd.DataFrame], unit: str = "university", kind: str | None = None) -> list[str]:
    found = findings(made)
    return list(found[(found["unit"] == unit) & (found["kind"] == kind if kind else True)]["sentence"])


def test_a_gap_is_one_sentence_per_theme_with_its_numbers_and_its_doubt() -> None:
    like: dict[str, Any] = {"like_for_like": -10, "like_for_like_lower": -13, "like_for_like_upper": -7}
    rows = [gap("trust", -12, like_for_like_says="remains", **like), gap("knows_me", -9), gap("any_meeting", -6)]
    contact, voice = sorted(said(tables(gap=rows)))[1], sorted(said(tables(gap=rows)))[0]
    assert contact.startswith("‘Met their tutor’ is 6 points lower for Black students than for White students")
    assert voice == (
        "‘I trust my tutor’ is 12 points lower for Black students than for White students (9 to 15; about 1,235 "
        "Black students who answered); ‘My tutor knows me’ (9 points) is lower too. Among students of the same school "
        "and level it is 10 points (7 to 13)."
    )


@pytest.mark.parametrize(
    ("says", "like", "words"),
    [
        (
            "mostly which schools",
            (1, -3, 2),
            "nothing of it is left (−2 to 3): it comes mostly from which schools and levels",
        ),
        ("mostly which schools", (-2, -4, 1), "2 points of it are left (−1 to 4)"),
        ("mostly which schools", (-1, -4, 1), "1 point of it is left (−1 to 4)"),
        ("turns round", (2, 1, 4), "it turns round: 2 points higher (1 to 4)"),
        (
            "gone, if anything turned round",
            (2, -1, 4),
            "it is gone, and if anything turned round: 2 points higher (−1 to 4)",
        ),
    ],
)
def test_what_is_left_like_for_like_is_said(says: str, like: tuple[float, float, float], words: str) -> None:
    row = gap("trust", -12, like_for_like_says=says)
    row |= dict(zip(("like_for_like", "like_for_like_lower", "like_for_like_upper"), like, strict=True))
    assert words in said(tables(gap=[row]))[0]


def test_a_gap_in_favour_of_a_group_is_told_as_one_against_its_reference() -> None:
    (sentence,) = said(tables(gap=[gap("trust", 8)]))
    assert "8 points lower for White students than for Black students (5 to 11; about 1,235 Black " in sentence, (
        "the smaller of the two groups tells how much is known"
    )


def test_only_what_is_shown_clear_and_against_the_reference_is_said() -> None:
    unseen = [
        gap("trust", -12, status="suppressed"),
        gap("trust", -12, evidence="possible gap"),
        gap("trust", -12, against="everyone else", reference="everyone else"),
        gap("trust", -12, academic_year="2021/22"),
        gap("trust", -12, level="UG"),
        {**gap("trust", -12), "value": np.nan},
    ]
    assert not said(tables(gap=unseen))


def test_a_gap_that_closed_is_told_with_its_first_and_last_year_for_the_school_and_those_above() -> None:
    rows = [
        gap("trust", -20, "school:LAWS", academic_year="2021/22"),
        gap("trust", 1, "school:LAWS", evidence="no clear gap", direction="none"),
    ]
    closed = {"gap": rows, "trend": [trend("trust", 20, "narrowing", "school:LAWS", "gap")]}
    (own,) = said(tables(**closed), "school:LAWS")
    assert own == (
        "A gap has closed: ‘I trust my tutor’ was 20 points lower (17 to 23) for Black students than for White "
        "students in 2021/22, and 1 point higher (−2 to 4) in 2025/26."
    )
    assert said(tables(**closed))[0].startswith("A gap has closed in the School of Laws: ")
    assert not said(tables(**closed), "school:CHEM")
    turned = trend("trust", 40, "turned round", "school:LAWS", "gap")
    assert not said(tables(gap=rows, trend=[turned]), "school:LAWS")
    still_open = [rows[0], gap("trust", -8, "school:LAWS")]
    sentence = said(tables(gap=still_open, trend=closed["trend"]), "school:LAWS")
    assert sentence[0].endswith("It has narrowed by 20 points (17 to 23) from 2021/22 to 2025/26.")
    assert not said(tables(gap=[{**r, "status": "suppressed"} for r in rows], trend=closed["trend"]))


@pytest.mark.parametrize(
    ("last", "evidence", "lead"),
    [
        (-2, "no clear gap", "A gap has closed: "),
        (-3, "no clear gap", "A gap has narrowed and is no longer clear: "),
        (-2, "possible gap", "A gap has narrowed and is no longer clear: "),
        (-1, "too few to say", "A gap has narrowed and is no longer clear: "),
    ],
)
def test_a_gap_has_closed_only_where_it_can_be_called_none(last: float, evidence: str, lead: str) -> None:
    rows = [gap("trust", -20, academic_year="2021/22"), gap("trust", last, evidence=evidence, direction="none")]
    (sentence,) = said(tables(gap=rows, trend=[trend("trust", 18, "narrowing", "university", "gap")]))
    assert sentence.startswith(lead)


def test_a_gap_has_closed_only_where_the_last_year_is_clearly_not_as_the_first() -> None:
    rows = [gap("trust", -4, academic_year="2021/22", lower=-7, upper=-1)]
    rows += [gap("trust", -2, evidence="no clear gap", direction="none", lower=-5, upper=1)]
    narrowed = trend("trust", 4, "narrowing", "university", "gap")
    (sentence,) = said(tables(gap=rows, trend=[narrowed]))
    assert sentence.startswith("A gap has narrowed and is no longer clear: ")
    rows[1] |= {"lower": -3, "upper": -1}
    assert said(tables(gap=rows, trend=[narrowed]))[0].startswith("A gap has closed: ")


def test_a_gap_on_the_other_side_is_told_by_what_it_was_and_is() -> None:
    left = trend("trust", 7, "no longer there", "university", "gap")
    rows = [gap("trust", -5, academic_year="2021/22"), gap("trust", 2, evidence="no clear gap", direction="none")]
    (sentence,) = said(tables(gap=rows, trend=[left]))
    assert sentence == (
        "A gap has closed: ‘I trust my tutor’ was 5 points lower (2 to 8) for Black students than for White "
        "students in 2021/22, and 2 points higher (−1 to 5) in 2025/26."
    )
    rows[1] |= {"evidence": "possible gap"}
    assert said(tables(gap=rows, trend=[left]))[0].startswith("A gap is no longer clear: ")
    turned = trend("trust", 13, "turned round", "university", "gap")
    rows = [rows[0], gap("trust", 8)]
    (sentence,) = said(tables(gap=rows, trend=[turned]))
    assert sentence.endswith(
        "It has turned round: for Black students it was 5 points lower (2 to 8) in 2021/22, and 8 points higher "
        "(5 to 11) in 2025/26."
    )
    assert "13" not in sentence
    same_side = [{**rows[0], "value": 1, "lower": -2, "upper": 4}, rows[1]]
    assert said(tables(gap=same_side, trend=[turned]))[0].endswith("It has turned round from 2021/22 to 2025/26.")


BROAD = {"characteristic": "ethnicity_broad", "group": "Minority ethnic groups"}


def test_a_broader_characteristic_speaks_only_where_the_finer_one_says_nothing() -> None:
    rows = [gap("trust", -9), gap("trust", -12, **BROAD), gap("any_meeting", -12, **BROAD)]
    contact, voice = said(tables(gap=rows))
    assert contact.startswith(
        "‘Met their tutor’ is 12 points lower for students of minority ethnic groups than for White"
    )
    assert voice.startswith("‘I trust my tutor’ is 9 points lower for Black students")
    rows[0] |= {"evidence": "possible gap"}
    assert len(said(tables(gap=rows))) == 2
    assert not any("Black" in sentence for sentence in said(tables(gap=rows)))
    answered = [cell("response_rate", 38)]
    answered += [
        cell("response_rate", 20, **BROAD),
        cell("response_rate", 25, characteristic="ethnicity", group="Black"),
    ]
    (sentence,) = said(tables(response=answered))
    assert "Black" in sentence
    assert "minority ethnic" not in sentence


def test_a_broader_gap_has_closed_only_where_no_finer_one_is_told_or_clear() -> None:
    both = [
        {**row, **who}
        for who in ({}, BROAD)
        for row in (
            gap("trust", -20, academic_year="2021/22"),
            gap("trust", -2, evidence="no clear gap", direction="none"),
        )
    ]
    narrowing = trend("trust", 18, "narrowing", "university", "gap")
    (sentence,) = said(tables(gap=both, trend=[narrowing, {**narrowing, **BROAD}]))
    assert "Black" in sentence
    (sentence,) = said(tables(gap=both[2:], trend=[{**narrowing, **BROAD}]))
    assert "minority ethnic groups" in sentence
    (sentence,) = said(tables(gap=[gap("trust", -9), *both[2:]], trend=[{**narrowing, **BROAD}]))
    assert sentence.startswith("‘I trust my tutor’ is 9 points lower for Black students")


def drawn(value: float, lower: float, upper: float) -> dict[str, Any]:
    row = {k: v for k, v in gap("trust", value).items() if k in (*NOW, "metric", "characteristic", "group")}
    row |= {"unit": "university", "school": "school:LAWS", "value": value, "lower": lower, "upper": upper}
    return {**row, "status": "shown"}


def test_a_schools_gap_is_told_with_what_is_left_of_it_beside_other_schools_or_with_the_doubt() -> None:
    rows = [gap("trust", -12, "school:LAWS")]
    (sentence,) = said(tables(gap=rows, pooled_gap_school=[drawn(-7, -11, -3)]), "school:LAWS")
    assert sentence.endswith("Allowing for chance in small numbers, it is more likely to be 7 points (3 to 11).")
    for nothing in (drawn(-3, -7, 1), drawn(2, -3, 6), drawn(-4, -8, 0), drawn(3, 1, 5)):
        assert not said(tables(gap=rows, pooled_gap_school=[nothing]), "school:LAWS")
    (alone,) = said(tables(gap=rows), "school:LAWS")
    assert alone.endswith("How much of it is chance in small numbers cannot be told from so few schools.")


def test_schools_gaps_are_ranked_as_drawn() -> None:
    rows = [gap("trust", -20, "school:LAWS"), gap("knows_me", -12, "school:LAWS")]
    both = [drawn(-5, -8, -2), {**drawn(-11, -14, -9), "metric": "knows_me"}]
    assert said(tables(gap=rows, pooled_gap_school=both), "school:LAWS")[0].startswith("‘My tutor knows me’")


def test_an_interval_that_leaves_0_out_is_not_told_as_touching_it() -> None:
    (sentence,) = said(tables(gap=[gap("trust", -4, lower=-7.7, upper=-0.4)]))
    assert "4 points lower for Black students than for White students (0.4 to 7.7; " in sentence
    assert not said(tables(gap=[gap("trust", -4, lower=-8, upper=0)]))


def test_a_school_is_outstanding_on_contact_and_on_voice_or_not_at_all() -> None:
    far = [funnel("trust", "school:LAWS", 90, "worth learning from")]
    both = [cell("trust", 90, "school:LAWS"), cell("any_meeting", 80, "school:LAWS")]
    (sentence,) = said(tables(cell=both, funnel=far))
    assert "the School of Laws (‘Met their tutor’ 80%, 78% to 82%; ‘I trust my tutor’ 90%, 88% to 92%)" in sentence
    assert "The university is at 70%" in sentence
    assert said(tables(cell=both, funnel=far), "school:LAWS")
    assert not said(tables(cell=both, funnel=far), "school:CHEM"), "a school's findings are about that school"
    assert not said(tables(cell=both[:1], funnel=far)), "voice alone is not enough"
    assert not said(tables(cell=[both[0], cell("any_meeting", 60, "school:LAWS")], funnel=far))
    unlogged = cell("recorded_of_recalled", 30, "school:LAWS")
    assert not said(tables(cell=[*both, unlogged], funnel=far), kind="outstanding")


def test_a_school_on_the_worse_side_is_worth_a_conversation_on_its_own_list_only() -> None:
    low = [funnel("any_meeting", "school:LAWS", 50, "worth a conversation")]
    (sentence,) = said(tables(funnel=low), "school:LAWS")
    assert "‘Met their tutor’ is worth a conversation: 50%, outside the usual range of 60% to 80%" in sentence
    assert sentence.endswith("Of one measure looked at, hardly one would lie outside in any case.")
    assert not said(tables(funnel=low))
    many = [funnel("trust", "school:LAWS", 70, "within the limits"), *low]
    assert "Of two measures looked at, hardly one would" in said(tables(funnel=many), "school:LAWS")[0]
    unlogged = [cell("recorded_of_recalled", 30, "school:LAWS")]
    assert not said(tables(funnel=low, cell=unlogged), "school:LAWS", "conversation"), "it may only not log"


def test_schools_whose_record_looks_incomplete_are_said_to_be() -> None:
    low = [cell("recorded_of_recalled", 30, f"school:{s}") for s in SCHOOLS[:2]] + [
        cell("recorded_of_recalled", 69, "school:CHEM")
    ]
    (sentence,) = said(tables(cell=low))
    assert "the School of Laws (30%, 28% to 32%) and the School of Musi (30%, 28% to 32%)" in sentence
    assert "about 30 are on record" in said(tables(cell=low), "school:LAWS")[0]
    assert not said(tables(cell=low), "school:CHEM")


def test_the_missing_voice_is_the_group_clearly_lowest_and_says_what_weighting_changes() -> None:
    def rate(value: float, characteristic: str, group: str) -> dict[str, Any]:
        return cell("response_rate", value, characteristic=characteristic, group=group)

    answered = [rate(38, "all", "all"), rate(20, "fee_status", "International"), rate(30, "ethnicity", "Black")]
    answered += [rate(5, "ethnicity", "Unknown")]
    weighted = [{**NOW, "unit": "university", "metric": "trust", "value": 70, "weighted": 68, "status": "shown"}]
    (sentence,) = said(tables(response=answered, weighted=weighted))
    assert sentence == (
        "The voice most missing is that of international students: 20% (18% to 22%; about 1,000 students) answered the "
        "survey, against 38% of everybody; Black students (30%) answered less often too. Weighted to everyone "
        "enrolled, ‘I trust my tutor’ is 68% rather than 70%."
    )
    assert said(tables(cell=answered[1:])) == [sentence.split(" Weighted")[0]], "from the cells where there is no table"
    assert not said(tables(response=[answered[0], rate(36, "fee_status", "International")]))


def test_consistency_names_the_measure_that_differs_most_and_what_changed() -> None:
    now, then = (1.6, 1.8, 2.1), (2.2, 2.5, 3.0)
    rows = [
        consistency("trust", now, "differs beyond chance"),
        consistency("trust", then, "differs beyond chance", academic_year="2021/22", low=40.0, high=90.0),
        consistency("any_meeting", (1.1, 1.2, 1.4), "differs beyond chance"),
    ]
    (sentence,) = said(tables(consistency=rows))
    assert "about eight in ten of 28 lie between 55% and 85% (55% to 81% at the least), clearly closer" in sentence
    assert "closer together than the 40% and 90% of 2021/22" in sentence
    alike = [consistency(m, (1.0, 1.0, 1.2), "no more than chance") for m in ("trust", "any_meeting")]
    assert said(tables(consistency=alike)) == [
        "On all two headline measures, no more than chance can be seen between schools; on ‘I trust my tutor’, about "
        "eight in ten of 28 could lie as far apart as 65% and 75%."
    ]
    vague = consistency("trust", (1.0, 1.3, 3.0), "too few to say")
    (sentence,) = said(tables(consistency=[vague, alike[1]]))
    assert sentence.startswith("On one of two headline measures, no more than chance can be seen")
    assert not said(tables(consistency=[vague]))


def test_a_value_that_rose_or_fell_is_said() -> None:
    rows = [trend("trust", 9, "rising", "university", "value")]
    assert said(tables(trend=rows)) == ["‘I trust my tutor’ rose by 9 points (6 to 12) from 2021/22 to 2025/26."]


def test_good_and_bad_news_are_both_among_the_first_three() -> None:
    bad = [Finding("university", "gap", f"Bad {i}.", "equity", 9 - i, "bad") for i in range(4)]
    good = Finding("university", "closed gap", "Good.", "equity", 0.1, "good")
    assert [f.sentence for f in ranked([*bad, good])][:4] == ["Bad 0.", "Bad 1.", "Good.", "Bad 2."]
    assert len(ranked([replace(good, kind=str(i)) for i in range(20)])) == MOST


@pytest.fixture(scope="module")
def sample() -> dict[str, pd.DataFrame]:
    return _tables(Sample())


def test_a_whole_university_reads_well(sample: dict[str, pd.DataFrame]) -> None:
    found = sample["finding"]
    assert list(found.columns) == COLUMNS
    assert set(found["unit"]) <= set(sample["unit"]["unit"])
    assert found.groupby("unit")["ordering"].apply(lambda o: list(o) == list(range(len(o)))).all()
    assert found.groupby("unit").size().max() <= MOST
    assert set(found["view"]) <= {"schools", "equity", "voice", "overview", "quality"}
    for sentence in found["sentence"]:
        assert sentence.endswith(".")
        assert sentence[0] in "‘" or sentence[0].isupper()
        assert not re.search(r"nan|None|−0\b|\b1 points|  |\.\.|odds|p-value|because|\bdue to\b", sentence), sentence
        assert re.search(r"\d", sentence), sentence
    own = found[found["unit"].str.startswith("school:")].merge(sample["unit"], on="unit")
    names = list(sample["unit"].loc[sample["unit"]["kind"] == "school", "name"])
    for row in own.to_dict("records"):
        assert not [n for n in names if n in row["sentence"] and n != row["name"]]


def test_row_order_and_text_types_change_nothing(sample: dict[str, pd.DataFrame]) -> None:
    given = {name: frame for name, frame in sample.items() if name != "finding"}
    shuffled = {
        name: frame.sample(frac=1, random_state=3).astype(
            {c: "category" for c in ("unit", "metric", "group", "status", "academic_year") if c in frame}
        )
        for name, frame in given.items()
        if name in ("cell", "gap")
    }
    pd.testing.assert_frame_equal(findings({**given, **shuffled}), sample["finding"])


def test_a_release_with_nothing_to_say_says_nothing() -> None:
    empty = {name: frame.head(0) if name in ("cell", "gap") else frame for name, frame in tables().items()}
    assert findings(empty).empty
    assert list(findings(empty).columns) == COLUMNS


def test_groups_and_limits_read_as_people_and_sizes() -> None:
    assert CHARACTERISTICS["disability"].students("Disabled") == "disabled students"
    assert CHARACTERISTICS["imd_quintile"].students("IMD 1 (most deprived)") == "students in IMD 1 (most deprived)"
    assert CHARACTERISTICS["ethnicity"].students("Asian") == "Asian students"
    assert CHARACTERISTICS["ethnicity"].students("Other") == "students in the ‘Other’ ethnic group"
    assert sizes(-15, -8, POINTS) == "8 to 15"
    assert sizes(-8, 2, POINTS) == "−2 to 8"
    assert sizes(0, 4, POINTS) == "0 to 4"
