"""Who answered, how evenly, and what weighting makes of it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.measures import response
from tests.measures.building import assert_no_infinity

HERE = {"academic_year": "2024/25", "part": "year", "level": "all", "unit": "university"}


def counts(groups, characteristic="sex", **where):
    return pd.DataFrame(
        [{**HERE, **where, "characteristic": characteristic, "group": g, "n": n} for g, n in groups.items()]
    )


def judged(enrolled, answered):
    found = response.rates(counts(enrolled), counts(answered))
    return found, response.representativeness(found)


def test_response_rates_and_how_even_they_are():
    found, whole = judged({"Female": 400, "Male": 600}, {"Female": 200, "Male": 150})
    found = found.set_index("group")
    assert found["value"].to_dict() == {"Female": 0.5, "Male": 0.25}
    # Schouten, Cobben & Bethlehem (2009): R = 1 − 2 S, S² = 0.4·0.15² + 0.6·0.10² = 0.015, S = 0.1225
    assert whole["r_indicator"][0] == pytest.approx(1 - 2 * 0.015**0.5, abs=0.005)
    assert whole["lower"][0] < whole["r_indicator"][0] < whole["upper"][0] < 1
    assert response.verdict(whole).tolist() == ["some are heard less"]


def test_the_r_indicator_is_not_misled_by_chance_and_covers():
    rng = np.random.default_rng(1)
    n, p = np.array([60, 90, 150, 80, 120]), np.array([0.3, 0.35, 0.4, 0.45, 0.5])
    share = n / n.sum()
    true = 1 - 2 * np.sqrt((share * (p - share @ p) ** 2).sum())
    rows = []
    for t in range(2_000):
        for kind, x in (("uneven", rng.binomial(n, p)), ("alike", rng.binomial(n, 0.4))):
            rows += [(f"{kind}{t}", g, a, b) for g, a, b in zip("abcde", n, x, strict=True)]
    frame = pd.DataFrame(rows, columns=["unit", "group", "n", "x"]).assign(
        academic_year="y", part="year", level="all", characteristic="c"
    )
    found = response.representativeness(response.rates(frame, frame.assign(n=frame["x"])))
    uneven = found["unit"].str.startswith("uneven")
    assert found.loc[uneven, "r_indicator"].mean() == pytest.approx(true, abs=0.01)
    assert found.loc[~uneven, "r_indicator"].mean() > 0.95, "uncorrected it would be about 0.91"
    assert 0.03 < (found.loc[~uneven, "p"] < 0.05).mean() < 0.07
    covered = found.loc[uneven, "lower"].le(true) & found.loc[uneven, "upper"].ge(true)
    assert 0.91 < covered.mean() < 0.99


def test_feedback_declared_otherwise_than_enrolled_says_nothing_for_that_group():
    found, whole = judged({"Female": 40, "Male": 60, "Other": 2}, {"Female": 20, "Male": 20, "Other": 5})
    assert found.loc[found["group"] == "Other", ["value", "lower", "upper"]].isna().all(axis=None)
    assert whole["n"][0] == 100


@pytest.mark.parametrize(
    ("enrolled", "rate", "words"),
    [
        ((4_000, 6_000), (0.40, 0.30), "some are heard less"),
        ((40_000, 60_000), (0.36, 0.34), "no clear difference"),  # certain, and too small to matter
        ((4_000, 6_000), (0.35, 0.35), "no clear difference"),
        ((40, 60), (0.40, 0.35), "too few to say"),
    ],
)
def test_what_is_said_of_how_evenly_groups_answer(enrolled, rate, words):
    answered = {g: round(n * r) for g, n, r in zip("ab", enrolled, rate, strict=True)}
    _, whole = judged(dict(zip("ab", enrolled, strict=True)), answered)
    assert response.verdict(whole).tolist() == [words]


def test_groups_that_answer_alike_are_seldom_said_not_to():
    rng = np.random.default_rng(3)
    n = np.tile([300, 500, 60], 3_000)
    frame = pd.DataFrame({"unit": np.repeat(range(3_000), 3), "group": np.tile(list("abc"), 3_000), "n": n})
    frame = frame.assign(x=rng.binomial(n, 0.35), academic_year="y", part="year", level="all", characteristic="c")
    found = response.representativeness(response.rates(frame, frame.assign(n=frame["x"])))
    assert (response.verdict(found) == "some are heard less").mean() < 0.002


@pytest.mark.parametrize("share", [0, 1])
def test_nobody_or_everybody_answered_is_too_few_to_say(share):
    _, whole = judged({"Female": 40, "Male": 60}, {"Female": 40 * share, "Male": 60 * share})
    assert whole[["r_indicator", "lower", "upper", "p"]].isna().all(axis=None)
    assert response.verdict(whole).tolist() == ["too few to say"]


def test_nobody_to_ask_and_one_group_only():
    empty = counts({"Female": 1})[:0]
    assert response.representativeness(response.rates(empty, empty)).empty
    assert judged({"Female": 40}, {"Female": 10})[1].empty


def population(rng, size=40_000, units=4):
    frame = pd.DataFrame(
        {"unit": rng.integers(0, units, size), "sex": rng.choice(["Female", "Male"], size),
         "ethnicity": rng.choice(["Asian", "Black", "White"], size, p=[0.2, 0.1, 0.7])}
    )  # fmt: skip
    female, black = frame["sex"] == "Female", frame["ethnicity"] == "Black"
    frame["sx"] = (rng.random(size) < 0.55 + 0.2 * female - 0.15 * black).astype(int)
    answered = rng.random(size) < 0.25 + 0.2 * female - 0.1 * black
    margins = [
        frame.groupby(["unit", c])
        .size()
        .rename("n")
        .reset_index()
        .rename(columns={c: "group"})
        .assign(characteristic=c)
        for c in ("sex", "ethnicity")
    ]
    return frame, pd.concat(margins), frame[answered].assign(n=1)


def test_raked_respondents_have_the_make_up_of_the_students_and_the_value_moves_to_the_truth():
    frame, margins, respondents = population(np.random.default_rng(2))
    found = response.raked(respondents, margins, ["unit"], ["sex", "ethnicity"])
    for characteristic in ("sex", "ethnicity"):
        weighted = found.groupby(["unit", characteristic])["weight"].sum()
        wanted = frame.groupby(["unit", characteristic]).size()
        share = [x / x.groupby("unit").transform("sum") for x in (weighted, wanted)]
        np.testing.assert_allclose(*share, atol=1e-9)
    assert found.groupby("unit")["weight"].mean().tolist() == pytest.approx([1] * 4)
    after = response.weighted(found, ["unit"])
    truth = frame.groupby("unit")["sx"].mean().loc[after["unit"]].to_numpy()
    assert (np.abs(after["weighted"] - truth) < np.abs(after["value"] - truth)).all()
    assert (after["weighted_lower"] <= truth).all()
    assert (after["weighted_upper"] >= truth).all()
    assert (after["effective_n"] < after["n"]).all()


def test_rows_may_stand_for_many_respondents():
    _, margins, respondents = population(np.random.default_rng(3), 5_000)
    together = respondents.groupby(["unit", "sex", "ethnicity"])[["n", "sx"]].sum().reset_index()
    one, many = (
        response.weighted(response.raked(r, margins, ["unit"], ["sex", "ethnicity"]), ["unit"]).sort_values(
            "unit", ignore_index=True
        )
        for r in (respondents, together)
    )
    pd.testing.assert_frame_equal(one, many)


def test_groups_that_nobody_answered_from_and_unknown_ones_are_left_as_they_are():
    margins = counts({"Female": 50, "Male": 40, "Other": 10})
    answers = pd.DataFrame(
        {**{k: [v] * 3 for k, v in HERE.items()}, "sex": ["Female", "Male", "Unknown"], "n": [10, 20, 5]}
    )
    found = response.raked(answers, margins, list(HERE), ["sex"])
    weight = found["weight"].to_numpy() * found["n"]
    assert weight[0] / weight[1] == pytest.approx(50 / 40)
    assert weight[2] == pytest.approx(5)
    assert weight.sum() == pytest.approx(35)


def test_no_respondent_stands_for_more_than_five_times_the_average():
    margins = counts({"Female": 990, "Male": 10})
    answers = pd.DataFrame({**{k: [v] * 2 for k, v in HERE.items()}, "sex": ["Female", "Male"], "n": [5, 95]})
    found = response.raked(answers, margins, list(HERE), ["sex"])
    assert found["weight"].tolist() == pytest.approx([5, 75 / 95])
    assert np.average(found["weight"], weights=found["n"]) == pytest.approx(1)


def test_equal_weights_change_nothing():
    answers = pd.DataFrame({"unit": "u", "n": [30, 20], "sx": [20, 15], "weight": 1.0})
    one = response.weighted(answers, ["unit"]).iloc[0]
    assert (one["weighted"], one["weighted_lower"], one["weighted_upper"]) == pytest.approx(
        (one["value"], one["lower"], one["upper"])
    )
    assert response.weighted(answers[:0], ["unit"]).empty
    assert response.raked(answers[:0].assign(sex=""), counts({}), ["unit"], []).empty


@settings(max_examples=30)
@given(st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=6))
def test_anything_goes_in_and_nothing_infinite_comes_out(groups):
    columns = [*HERE, "characteristic", "group", "n"]
    enrolled = counts({g: n for g, (n, _) in groups.items()}).reindex(columns=columns)
    answered = counts({g: x for g, (_, x) in groups.items()}).reindex(columns=columns)
    found = response.rates(enrolled, answered)
    assert_no_infinity(found)
    whole = response.representativeness(found)
    assert_no_infinity(whole)
    assert whole["r_indicator"].dropna().between(-0.001, 1).all()
