"""Weeks that stand out, and trends, agree with published figures."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.api import WLS, add_constant

from pipelines.measures import over_time
from tests.measures.building import MATERIAL, assert_no_infinity, shared

# NHSRplotthedots, tests: rnorm(20) in R with seed 123
RNORM20 = [
    -0.560475646552213, -0.23017748948328, 1.55870831414912, 0.070508391424576, 0.129287735160946, 1.71506498688328,
    0.460916205989202, -1.26506123460653, -0.686852851893526, -0.445661970099958, 1.22408179743946, 0.359813827057364,
    0.400771450594052, 0.11068271594512, -0.555841134754075, 1.78691313680308, 0.497850478229239, -1.96661715662964,
    0.701355901563686, -0.472791407727934,
]  # fmt: skip
# Luteinising hormone in blood at ten-minute intervals (Diggle, 1990; R: datasets::lh)
LH = [
    2.4, 2.4, 2.4, 2.2, 2.1, 1.5, 2.3, 2.3, 2.5, 2.0, 1.9, 1.7, 2.2, 1.8, 3.2, 3.2, 2.7, 2.2, 2.2, 1.9, 1.9, 1.8, 2.7,
    3.0, 2.3, 2.0, 2.0, 2.9, 2.9, 2.7, 2.7, 2.3, 2.6, 2.4, 1.8, 1.7, 1.5, 1.4, 2.1, 3.3, 3.5, 3.5, 3.1, 2.6, 2.1, 3.4,
    3.0, 2.9,
]  # fmt: skip


def chart(y, **options):
    points = pd.DataFrame({"unit": "u", "week": range(1, len(y) + 1), "value": np.asarray(y, float)})
    return over_time.xmr(points, ["unit"], "week", **options)


def unusual(found):
    rows = found[found["side"] != 0]
    return {int(w): (str(r), int(s)) for w, r, s in zip(rows["week"], rows["rule"], rows["side"], strict=True)}


def test_limits_as_nhs_plot_the_dots_has_them():
    # printed by its tests (snapshots): mean, lower and upper limit
    one = chart(RNORM20).iloc[0]
    assert (one["mean"], one["lower"], one["upper"]) == pytest.approx((0.1416238, -3.01138, 3.294627), rel=1e-6)
    outlier = [*RNORM20[:14], 10, *RNORM20[15:]]
    one = chart(outlier)
    assert one[["mean", "lower", "upper"]].iloc[0].tolist() == pytest.approx([0.6694159, -2.383666, 3.722497], rel=1e-6)
    assert unusual(one) == {15: ("outside the limits", 1)}


def test_rules_as_nhs_plot_the_dots_has_them():
    outside, two = "outside the limits", "two of three near a limit"
    assert unusual(chart(LH)) == {
        6: (outside, -1), 12: (two, -1), 14: (two, -1), 15: (outside, 1), 16: (outside, 1), 35: (two, -1),
        36: (two, -1), 37: (outside, -1), 38: (outside, -1), 40: (outside, 1),
        41: (outside, 1), 42: (outside, 1), 46: (outside, 1),
    }  # fmt: skip
    opposite = [1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 5.5, -5.5]
    assert unusual(chart(opposite)) == {}


@pytest.mark.parametrize(
    ("signs", "length", "before", "expected"),
    [  # NHSRplotthedots, test-ptd_calculate_point_type
        ([1] * 6, 7, False, [0] * 6),
        ([1] * 6 + [-1], 7, False, [0] * 7),
        ([1] * 8 + [-1], 7, False, [1] * 8 + [0]),
        ([-1] * 8 + [1], 7, False, [-1] * 8 + [0]),
        (np.sign(np.diff([1, 2, 3, 4, 5, 6], prepend=1)), 6, True, [0] * 6),
        (np.sign(np.diff([1, 2, 3, 3, 4, 5, 6], prepend=1)), 6, True, [0] * 7),
        (np.sign(np.diff([1, 2, 3, 4, 5, 6, 7], prepend=1)), 6, True, [1] * 7),
        (np.sign(np.diff([2, 1, 2, 3, 4, 5, 6, 7, 3], prepend=2)), 6, True, [0] + [1] * 7 + [0]),
        (np.sign(np.diff([2, 7, 6, 5, 4, 3, 2, 1, 3], prepend=2)), 6, True, [0] + [-1] * 7 + [0]),
    ],
)
def test_runs(signs, length, before, expected):
    signs = np.asarray(signs, float)
    assert over_time._stretch(signs, np.zeros(len(signs), int), length, also_before=before).tolist() == expected


@pytest.mark.parametrize(
    ("near", "side", "expected"),
    [
        ([1, 0, 1], [1, 1, 1], [1, 1, 1]),
        ([0, 0, 1, 0, 1, 0, 0], [1] * 7, [0, 0, 1, 1, 1, 0, 0]),
        ([0, 0, 1, 1, 0, 0, 0], [1] * 7, [0, 1, 1, 1, 1, 0, 0]),
        ([1, 0, 1], [1, -1, 1], [0, 0, 0]),
        ([0, 0, 1, 1, 0, 0, 0], [-1, 1, -1, 1, -1, 1, -1], [0] * 7),
    ],
)
def test_two_of_three(near, side, expected):
    found = over_time._windows(np.array(near, bool), np.array(side), np.zeros(len(near), int))
    assert found.astype(int).tolist() == expected


WORDS = {"Above UCL": over_time.OUTSIDE, "Below LCL": over_time.OUTSIDE, "7 Point Trend": over_time.TREND,
         "2 in 3": over_time.TWO_OF_THREE, "7 Points": over_time.SHIFT, "Common Cause": over_time.HABIT}  # fmt: skip


def test_942_points_of_16_series(monkeypatch):
    points = pd.read_csv(shared("spc/ptd_points.csv")).rename(columns={"y": "value"})
    cases = {c["case"]: c for c in json.loads(shared("spc/ptd_summary.json").read_text())}
    checked = 0
    for name, series in points.groupby("case"):
        monkeypatch.setattr(over_time, "UNUSUAL", 3.267 if cases[name]["screen_outliers"] else np.inf)
        found = over_time.xmr(series, ["case", "rebase_group"], "t", cases[name]["fix_after_n_points"], fewest=2)
        for ours, theirs in (("mean", "mean_col"), ("lower", "lpl"), ("upper", "upl")):
            np.testing.assert_allclose(found[ours], series[theirs], atol=1e-9)
        types = series["special_cause_type"]
        rules = types.map(lambda t: next(w for start, w in WORDS.items() if t.startswith(start)))
        assert found["rule"].astype(str).tolist() == rules.tolist(), name
        up = types.str.contains("Above|Increasing").astype(int) - types.str.contains("Below|Decreasing").astype(int)
        assert found["side"].tolist() == up.tolist(), name
        checked += len(series)
    assert checked == 942


def test_a_quiet_series_seldom_breaks_its_habit_and_a_shift_does():
    rng = np.random.default_rng(0)
    quiet = pd.DataFrame(
        {"unit": np.repeat(range(2_000), 26), "week": np.tile(range(26), 2_000), "value": rng.normal(size=52_000)}
    )
    found = over_time.xmr(quiet, ["unit"], "week")
    assert (found["rule"] == "outside the limits").mean() < 0.01
    assert (found["rule"] != "usual").mean() < 0.07
    shifted = chart([*rng.normal(0, 1, 13), *rng.normal(3, 1, 13)])
    assert (shifted["rule"].iloc[13:] != "usual").any()


CALENDAR = np.array([17, 16, 12, 5, 4, 3, 3, 7, 8, 7, 2, 2, 0, 0, 6, 7, 2, 2, 2, 5, 5])  # meetings per 38 students


def weekly(years, n=600, change=None, seed=0, reached=99):
    """Contacts by week over so many years, the last as far as it has reached. change: (year, week) → a factor."""
    rng = np.random.default_rng(seed)
    rows = []
    for year in range(years):
        for week, usual in enumerate(CALENDAR[: reached if year == years - 1 else None], 1):
            mean = usual / 38 * n * (change or {}).get((year, week), 1)
            rows.append(("u", str(year), week, n, rng.poisson(mean)))
    return pd.DataFrame(rows, columns=["unit", "academic_year", "week", "n", "contacts"])


def test_the_teaching_calendar_is_no_signal_and_the_year_in_progress_has_limits_from_its_first_week():
    found = pd.concat([over_time.beside_earlier_years(weekly(4, seed=s, reached=9), ["unit"]) for s in range(100)])
    first, now = found[found["academic_year"] == "0"], found[found["academic_year"] == "3"]
    assert set(first["rule"]) == {"no earlier year"}
    assert first[["expected", "lower", "upper"]].isna().all(axis=None)
    assert now[["lower", "upper"]].notna().all(axis=None)
    assert (now["side"] != 0).mean() < 0.05
    assert (found.loc[found["academic_year"] != "0", "side"] != 0).mean() < 0.10
    hardly = found[found["week"].isin([13, 14]) & (found["academic_year"] != "0")]
    assert set(hardly["rule"]) == {"too few to say"}


def test_a_week_unlike_the_same_week_of_earlier_years_is_a_signal():
    found = over_time.beside_earlier_years(weekly(4, change={(3, 2): 0.5, (3, 8): 1.8}, reached=9), ["unit"])
    now = found[found["academic_year"] == "3"].set_index("week")
    assert now.loc[now["side"] != 0, "side"].to_dict() == {2: -1, 8: 1}
    assert set(now.loc[[2, 8], "rule"]) == {"outside the limits"}


def test_what_is_expected_is_for_this_years_enrolments_and_rests_on_earlier_years_only():
    weeks = pd.DataFrame({"unit": "u", "academic_year": ["0", "1", "2"], "week": 1, "n": [100, 200, 50],
                          "contacts": [100, 400, 99]})  # fmt: skip
    found = over_time.beside_earlier_years(weeks.sample(frac=1, random_state=2), ["unit"])
    assert found["academic_year"].tolist() == ["0", "1", "2"]
    np.testing.assert_allclose(found["expected"], [np.nan, 200, 75])
    assert set(found["rule"]) == {"no earlier year", "too few to say"}
    later = pd.concat([weekly(3), weekly(4).query("academic_year == '3'").assign(contacts=9_999)])
    before = over_time.beside_earlier_years(weekly(3), ["unit"])
    pd.testing.assert_frame_equal(over_time.beside_earlier_years(later, ["unit"]).head(len(before)), before)
    assert over_time.beside_earlier_years(weeks[:0], ["unit"]).empty


def test_limits_of_departures_are_those_of_an_xmr_chart():
    found = over_time.beside_earlier_years(weekly(2), ["unit"]).query("academic_year == '1'").dropna(subset="lower")
    departures = found.assign(value=found["contacts"] / found["expected"])
    limits = over_time.xmr(departures, ["unit"], "week")
    reach = (limits["upper"] - limits["mean"]).to_numpy()
    # and of a U' chart (Laney, 2002), where that is wider: in weeks with few contacts
    chance = departures.assign(value=(departures["value"] - 1) * departures["expected"] ** 0.5)
    limits = over_time.xmr(chance, ["unit"], "week")
    by_chance = (limits["upper"] - limits["mean"]).to_numpy() / departures["expected"].to_numpy() ** 0.5
    assert 0 < (by_chance > reach).mean() < 1
    reach = np.maximum(reach, by_chance)
    np.testing.assert_allclose(found["upper"], (1 + reach) * found["expected"])
    np.testing.assert_allclose(found["lower"], np.maximum(1 - reach, 0) * found["expected"])


def test_weeks_around_vacations_are_no_oftener_a_signal_than_others():
    found = pd.concat([over_time.beside_earlier_years(weekly(5, seed=s), ["unit"]) for s in range(100)])
    found = found.dropna(subset="lower")
    few = found["week"].isin([11, 12, 17, 18, 19])  # two or three meetings per 38 students
    outside = found["rule"] == "outside the limits"
    assert outside[few].mean() < 0.012  # 3 in 100 with limits that know nothing of small counts
    assert outside[~few].mean() < 0.01


def test_fewer_than_thirteen_points_or_no_movement_is_too_few_to_say():
    for y in (RNORM20[:12], [5.0] * 20, []):
        found = chart(y)
        assert set(found["rule"].astype(str)) <= {"too few to say"}
        assert found[["mean", "lower", "upper"]].isna().all(axis=None)


@settings(max_examples=40)
@given(st.lists(st.one_of(st.none(), st.integers(-50, 50)), max_size=40))
def test_xmr_takes_anything_and_turns_round_with_its_series(y):
    found = chart([np.nan if v is None else v for v in y])
    assert_no_infinity(found)
    turned = chart([np.nan if v is None else -v for v in y])
    assert found["rule"].astype(str).tolist() == turned["rule"].astype(str).tolist()
    assert (found["side"] == -turned["side"]).all()
    both = pd.concat([found.assign(unit="b"), found], ignore_index=True)[["unit", "week", "value"]]
    again = over_time.xmr(both.sample(frac=1, random_state=1), ["unit"], "week")
    for unit in ("u", "b"):
        one = again[again["unit"] == unit].reset_index(drop=True)
        pd.testing.assert_frame_equal(one.drop(columns="unit"), found.drop(columns="unit"), check_dtype=False)


def years(values, reach, start=2019):
    return pd.DataFrame(
        {"unit": "u", "metric": "met",
         "academic_year": [f"{start + i}/{(start + i + 1) % 100:02d}" for i in range(len(values))],
         "value": values, "lower": np.subtract(values, reach), "upper": np.add(values, reach)}
    )  # fmt: skip


def test_ten_thousand_random_trends_agree_with_statsmodels():
    rng = np.random.default_rng(1)
    many, k = 10_000, 5
    value, reach = rng.normal(0.6, 0.03, (many, k)), rng.uniform(0.02, 0.08, (many, k))
    frame = years(value.ravel(), reach.ravel(), 0).assign(
        unit=np.repeat(range(many), k), academic_year=np.tile([str(2019 + i) for i in range(k)], many)
    )
    found = over_time.trend(frame, ["unit"])
    x = np.arange(k)
    w = (over_time.Z / reach) ** 2
    middle = (w * x).sum(1, keepdims=True) / w.sum(1, keepdims=True)
    slope = (w * (x - middle) * value).sum(1) / (w * (x - middle) ** 2).sum(1)
    assert np.abs(found["change"] - 4 * slope).max() < 1e-9
    for i in range(200):
        fit = WLS(value[i], add_constant(x), weights=w[i]).fit()
        by_chance = over_time.Z * fit.bse[1] / fit.scale**0.5  # theirs knows the years' scatter only, as Student's t
        assert found["change"][i] == pytest.approx(4 * fit.params[1], abs=1e-9)
        reach = max(by_chance, fit.conf_int()[1][1] - fit.params[1])
        assert (found["upper"] - found["change"])[i] == pytest.approx(4 * reach, abs=1e-9)
        assert found["p"][i] >= fit.pvalues[1] - 1e-9
        assert (found["p"][i] < 0.05) == (found["lower"][i] > 0 or found["upper"][i] < 0)


@pytest.mark.parametrize(
    ("values", "reach", "of_gaps", "words"),
    [
        ([-0.15, -0.12, -0.08, -0.06, -0.03], 0.02, True, "narrowing"),
        ([0.15, 0.12, 0.08, 0.06, 0.03], 0.02, True, "narrowing"),
        # on the other side, and too small to matter: it neither narrowed by more than it was, nor widened
        ([-0.15, -0.10, -0.06, -0.02, 0.02], 0.02, True, "no longer there"),
        ([-0.020, -0.008, 0.005, 0.017, 0.029], 0.005, True, "no longer there"),
        ([0.020, 0.008, -0.005, -0.017, -0.029], 0.005, True, "no longer there"),
        ([-0.26, -0.15, -0.04, 0.08, 0.19], 0.02, True, "turned round"),
        ([0.19, 0.08, -0.04, -0.15, -0.26], 0.02, True, "turned round"),
        ([-0.03, -0.06, -0.08, -0.12, -0.15], 0.02, True, "widening"),
        ([-0.08, -0.07, -0.08, -0.07, -0.08], 0.02, True, "no clear change"),
        ([-0.08, -0.02, -0.09], 0.60, True, "too few to say"),
        ([0.50, 0.53, 0.57, 0.59, 0.62], 0.02, False, "rising"),
        ([0.62, 0.59, 0.57, 0.53, 0.50], 0.02, False, "falling"),
        ([0.500, 0.505, 0.510, 0.515], 0.002, False, "no clear change"),  # certain, and too small to matter
        ([0.50, 0.80], 0.02, False, "too few to say"),  # two years: nobody knows how much years differ anyway
    ],
)
def test_words(values, reach, of_gaps, words):
    found = over_time.trend(years(values, reach), ["unit", "metric"])
    assert over_time.verdict(found, MATERIAL, MATERIAL * 3.5, of_gaps)[0] == words


@pytest.mark.parametrize("wobble", [0, 0.01, 0.04])
@pytest.mark.parametrize("many", [3, 4, 5, 6])
def test_no_trend_is_seldom_called_one(many, wobble):
    """wobble: how much years differ anyway, beyond what their intervals of ± 1.6 points say."""
    rng, series = np.random.default_rng(5), 3_000
    value = 0.6 + rng.normal(0, 0.008, (series, many)) + rng.normal(0, wobble, (series, many))
    frame = years(value.ravel(), 0.008 * over_time.Z, 0).assign(
        unit=np.repeat(range(series), many), academic_year=np.tile([str(2019 + i) for i in range(many)], series)
    )
    found = over_time.trend(frame, ["unit"])
    assert len(found) == series
    assert (found["p"] < 0.05).mean() < 0.07


@pytest.mark.parametrize("wobble", [0, 0.01, 0.04, "half of the series"])
def test_series_that_move_alike_tell_together_how_much_years_differ(wobble):
    rng, series, many = np.random.default_rng(6), 3_000, 4
    error = np.exp(rng.uniform(np.log(0.004), np.log(0.06), (series, 1)))
    moves = np.resize([[0.0], [0.04]], (series, 1)) if wobble == "half of the series" else wobble
    usual = 0.6 + error * rng.normal(size=(series, many)) + moves * rng.normal(size=(series, many))
    value = usual.copy()
    value[::10] += np.linspace(0, 0.3, many)
    frame = years(value.ravel(), np.repeat(error, many) * over_time.Z, 0).assign(
        unit=np.repeat(range(series), many), academic_year=np.tile([str(2019 + i) for i in range(many)], series),
        family=np.repeat(np.arange(series) // 100, many),
    )  # fmt: skip
    by = ["unit", "family"]
    together, alone = over_time.trend(frame, by, ["family"]), over_time.trend(frame, by)
    changed = together["unit"] % 10 == 0
    assert (together.loc[~changed, "p"] < 0.05).mean() < 0.07
    assert ((together["p"] < 0.05) == ((together["lower"] > 0) | (together["upper"] < 0))).all()
    assert (together.loc[changed, "p"] < 0.001).mean() > 2 * (alone.loc[changed, "p"] < 0.001).mean()
    few = frame[frame["unit"] < 9]
    pd.testing.assert_frame_equal(over_time.trend(few, by, ["family"]), over_time.trend(few, by))


def test_two_years_have_a_change_and_no_evidence():
    (found,) = over_time.trend(years([0.5, 0.8], 0.02), ["unit"]).to_dict("records")
    assert found["change"] == pytest.approx(0.3)
    assert np.isnan(found["p"])
    assert np.isfinite([found["lower"], found["upper"]]).all()


def test_one_year_or_none_gives_no_trend():
    assert over_time.trend(years([0.5], 0.1), ["unit"]).empty
    assert over_time.trend(years([0.5], 0.1)[:0], ["unit"]).empty
    assert over_time.trend(years([0.5, 0.6], [np.nan, 0.1]), ["unit"]).empty
