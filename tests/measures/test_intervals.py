"""Intervals agree with figures that others published or computed."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from pipelines.measures import intervals
from tests.measures.building import shared


@pytest.mark.parametrize(
    ("x", "n", "lower", "upper"),
    [
        # Newcombe (1998), Statistics in Medicine 17:857, method 3
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
        # PHEindicatormethods, testdata_Proportion
        (1, 100, 0.0017674320641406511, 0.054486196178705294),
        (65, 100, 0.5525444329688797, 0.7363575175690247),
        (9856, 12345, 0.7912101752909069, 0.8053640073614909),
    ],
)
def test_a_proportion_has_the_wilson_interval(x, n, lower, upper):
    value, low, high = intervals.proportion(np.array([x]), np.array([n]))
    assert value[0] == pytest.approx(x / n)
    assert low[0] == pytest.approx(lower, abs=5e-5)
    assert high[0] == pytest.approx(upper, abs=5e-5)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_proportion_agrees_with_statsmodels(x_of_n):
    x, n = x_of_n
    value, low, high = intervals.proportion(np.array([x]), np.array([n]))
    assert (low[0], high[0]) == pytest.approx(proportion_confint(x, n, method="wilson"), abs=1e-12)
    assert 0 <= low[0] <= value[0] <= high[0] <= 1


def test_a_proportion_of_nobody_is_no_number():
    assert np.isnan(intervals.proportion(np.array([0]), np.array([0]))).all()


def test_a_mean_has_students_t_interval():
    # PHEindicatormethods, testdata_Mean, Area1
    x = np.array([33.09375, 48.38596, 64.83495, 67.98475, 22.93556, 71.23587, 38.78465, 82.37927])
    value, error = intervals.mean(np.array([8]), np.array([x.sum()]), np.array([(x**2).sum()]))
    low, high = intervals.student(value, error, np.array([7]))
    assert value[0] == pytest.approx(53.704345)
    assert (low[0], high[0]) == pytest.approx((36.168325241336504, 71.24036475866352), abs=1e-6)


@given(st.lists(st.integers(0, 40), min_size=2, max_size=200))
def test_a_mean_agrees_with_scipy(values):
    x = np.array(values, float)
    value, error = intervals.mean(np.array([len(x)]), np.array([x.sum()]), np.array([(x**2).sum()]))
    assert value[0] == pytest.approx(x.mean())
    assert error[0] == pytest.approx(stats.sem(x), abs=1e-6)


def test_a_ratio_with_equal_denominators_is_a_mean():
    x = np.array([1.0, 0, 2, 5, 3, 1])
    n, y = len(x), np.ones(6)
    value, error = intervals.ratio(
        *(np.array([s]) for s in (n, x.sum(), (x * x).sum(), y.sum(), (y * y).sum(), (x * y).sum()))
    )
    assert (value[0], error[0]) == pytest.approx((x.mean(), stats.sem(x)))


def test_a_ratio_interval_covers_the_truth_with_clustered_rows():
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(400):
        y = rng.integers(1, 8, 120).astype(float)
        x = rng.binomial(y.astype(int), rng.beta(8, 2, 120)).astype(float)  # students differ: clustered
        value, error = intervals.ratio(
            *(np.array([s]) for s in (120, x.sum(), (x * x).sum(), y.sum(), (y * y).sum(), (x * y).sum()))
        )
        low, high = intervals.student(value, error, np.array([119]))
        covered += low[0] <= 0.8 <= high[0]
    assert 0.91 <= covered / 400 <= 0.98


def test_each_kind_of_metric_gets_its_interval():
    cells = pd.DataFrame(
        {
            "metric": ["p", "m", "r", "whole"],
            "n": [50, 10, 20, 20],
            "sx": [25.0, 30.0, 40.0, 60.0],
            "sxx": [25.0, 120.0, 100.0, 182.0],
            "sy": [50.0, 10.0, 60.0, 60.5],
            "syy": [50.0, 10.0, 200.0, 185.0],
            "sxy": [25.0, 30.0, 140.0, 183.0],
        }
    )
    kinds = pd.Series({"p": "proportion", "m": "mean", "r": "ratio", "whole": "ratio"})
    out = intervals.with_intervals(cells, kinds, frozenset({"whole"})).set_index("metric")
    assert out["value"].to_list() == pytest.approx([0.5, 3.0, 2 / 3, 60 / 60.5])
    assert ((out["lower"] < out["value"]) & (out["value"] < out["upper"])).all()
    assert out.loc["whole", "upper"] <= 1


def test_one_row_has_a_value_and_no_interval():
    one = pd.DataFrame({"metric": ["m"], "n": [1], "sx": [3.0], "sxx": [9.0], "sy": [1.0], "syy": [1.0], "sxy": [3.0]})
    out = intervals.with_intervals(one, pd.Series({"m": "mean"}))
    assert out["value"][0] == 3
    assert np.isnan(out["lower"][0])


def test_rows_all_alike_have_no_interval_and_no_limit_is_below_0():
    cells = pd.DataFrame({"metric": ["alike", "few"], "n": [9, 8], "sx": [18.0, 3.0], "sxx": [36.0, 9.0]})
    cells = cells.assign(sy=cells["n"], syy=cells["n"], sxy=cells["sx"])
    out = intervals.with_intervals(cells, pd.Series({"alike": "mean", "few": "mean"})).set_index("metric")
    assert out.loc["alike", "value"] == 2
    assert out.loc["alike", ["lower", "upper"]].isna().all()
    assert out.loc["few", "lower"] == 0 < out.loc["few", "value"] < out.loc["few", "upper"]


WILSON = {
    "newcombe1998_single": 5.1e-5,  # printed to four decimals
    "r_binom_package_95": 5.1e-8,  # to seven
    "phe_byars_wilson": 1e-9,
    "phe_proportion_wilson": 1e-9,
    "phe_proportion_grouped": 1e-9,
}


@pytest.mark.parametrize("file", WILSON)
def test_every_published_wilson_interval(file):
    theirs = pd.read_csv(shared(f"wilson/{file}.csv")).rename(columns={"Numerator": "x", "Denominator": "n"})
    theirs = theirs.rename(columns=lambda c: c.replace("lower95_0cl", "lower").replace("upper95_0cl", "upper"))
    theirs = theirs.rename(columns={"lowercl": "lower", "uppercl": "upper"})
    theirs = theirs[theirs["method"].str.lower() == "wilson"]
    if "confidence" in theirs:
        theirs = theirs[theirs["confidence"] == "95%"]
    scale = theirs["multiplier"].to_numpy() if "multiplier" in theirs else 1
    _, low, high = intervals.proportion(theirs["x"].to_numpy(float), theirs["n"].to_numpy(float))
    # a blank numerator or denominator gives a blank result there, and no number here
    for ours, column in ((low, "lower"), (high, "upper")):
        np.testing.assert_allclose(ours * scale, theirs[column], rtol=0, atol=WILSON[file] * np.max(scale))
    assert len(theirs) >= 3


def test_limits_of_a_proportion_never_leave_0_and_1():
    n = np.arange(1, 2_000)
    for x in (np.zeros_like(n), n):
        value, low, high = intervals.proportion(x, n)
        assert ((low >= 0) & (low <= value) & (value <= high) & (high <= 1)).all()


def test_every_published_interval_of_a_mean():
    raw = pd.read_csv(shared("wilson/phe_mean_inputs.csv"))
    raw = pd.concat([raw, raw.assign(area="No grouping")]).assign(squares=lambda f: f["values"] ** 2)
    sums = raw.groupby("area").agg(n=("values", "size"), sx=("values", "sum"), sxx=("squares", "sum"))
    theirs = pd.read_csv(shared("wilson/phe_mean_t_results.csv")).set_index("area").loc[sums.index]
    value, error = intervals.mean(*(sums[c].to_numpy(float) for c in ("n", "sx", "sxx")))
    low, high = intervals.student(value, error, sums["n"].to_numpy() - 1)
    for ours, column in ((value, "value"), (low, "lower95_0cl"), (high, "upper95_0cl")):
        np.testing.assert_allclose(ours, theirs[column], rtol=1e-9)


def test_ten_thousand_random_intervals_agree_with_scipy():
    rng = np.random.default_rng(4)
    n = rng.integers(1, 3_000, 10_000)
    x = rng.binomial(n, rng.random(10_000))
    _, low, high = intervals.proportion(x, n)
    # Wilson's limits are where the score test says exactly 5%
    for limit, inside in ((low, x > 0), (high, x < n)):
        at, p, m = limit[inside], (x / n)[inside], n[inside]
        z = (p - at) / np.sqrt(at * (1 - at) / m)
        np.testing.assert_allclose(2 * stats.norm.sf(np.abs(z)), 0.05, rtol=0, atol=1e-9)
    for i in range(0, 10_000, 50):
        theirs = stats.binomtest(int(x[i]), int(n[i])).proportion_ci(method="wilson")
        assert (low[i], high[i]) == pytest.approx((theirs.low, theirs.high), abs=1e-9)

    y = 1.0 + rng.poisson(3, (10_000, 25))
    x = rng.binomial(y.astype(int), rng.random((10_000, 1)) * 0.8 + 0.1).astype(float)
    sums = [s.sum(axis=1) for s in (x, x * x, y, y * y, x * y)]
    value, error = intervals.mean(np.full(10_000, 25), *sums[:2])
    theirs = stats.t.interval(0.95, 24, loc=x.mean(axis=1), scale=stats.sem(x, axis=1))
    np.testing.assert_allclose(intervals.student(value, error, np.full(10_000, 24)), theirs, rtol=0, atol=1e-9)
    value, error = intervals.ratio(np.full(10_000, 25), *sums)
    residual = x - y * value[:, None]
    np.testing.assert_allclose(error, stats.sem(residual, axis=1) / y.mean(axis=1), rtol=0, atol=1e-9)
