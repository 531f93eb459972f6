"""Schools' gaps are pooled as published meta-analyses are."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels.stats.meta_analysis import combine_effects

from pipelines.measures import pooling, sets
from pipelines.measures.intervals import with_intervals
from tests.measures.building import (
    KINDS,
    REFERENCES,
    assert_no_infinity,
    berkeley,
    cell,
    random_cells,
    schools_of,
    sorted_rows,
    table,
)

KEYS = [*pooling.FAMILY, "unit"]


def one_set(value):
    return sets.Sets(np.zeros(len(value), int), np.array([0]))


def pooled(cells, faculties=("F",), bounded=frozenset()):
    return pooling.pooled(cells, KINDS, REFERENCES, schools_of(cells, faculties), bounded)


def universities(many, n1, n0, gap, tau=0.0, seed=1):
    """Universities, one per year, of schools whose true gaps have a mean and a spread; and each school's true gap."""
    rng = np.random.default_rng(seed)
    k = len(n1)
    p0 = np.clip(0.7 + rng.normal(0, 0.06, (many, k)), 0.03, 0.97)
    p1 = np.clip(p0 + gap + rng.normal(0, tau, (many, k)), 0.02, 0.98)
    columns = {
        "academic_year": np.repeat(np.arange(many), k).astype(str),
        "unit": np.tile([f"school:{i}" for i in range(k)], many),
    }
    where = {"part": "year", "level": "UG", "metric": "met", "characteristic": "sex"}
    parts = []
    for group, n, p in (("Female", n1, p1), ("Male", n0, p0)):
        n = np.tile(n, (many, 1))
        x = rng.binomial(n, p).ravel().astype(float)
        n = n.ravel()
        parts.append(pd.DataFrame({**columns, **where, "group": group, "n": n, "sx": x, "sxx": x, "sxy": x}))
        parts[-1][["sy", "syy"]] = np.c_[n, n]
    cells = with_intervals(pd.concat(parts, ignore_index=True), KINDS)
    return cells, pd.DataFrame({**columns, "true": (p1 - p0).ravel()}).rename(columns={"unit": "school"})


def test_diuretics_in_pregnancy_as_viechtbauer_has_them():
    # Collins, Yusuf & Peto (1985), pre-eclampsia in nine trials; Viechtbauer (2007), Statistics in Medicine 26:37,
    # table II, as asserted in metafor: Q-profile limits of tau² 0.072 and 2.203
    x1, n1 = np.array([14, 21, 14, 6, 12, 138, 15, 6, 65]), np.array([131, 385, 57, 38, 1011, 1370, 506, 108, 153])
    x0, n0 = np.array([14, 17, 24, 18, 35, 175, 20, 2, 40]), np.array([136, 134, 48, 40, 760, 1336, 524, 103, 102])
    d = np.log(x1 / (n1 - x1) / (x0 / (n0 - x0)))
    v = 1 / x1 + 1 / (n1 - x1) + 1 / x0 + 1 / (n0 - x0)
    assert combine_effects(d, v, method_re="chi2").tau2 == pytest.approx(0.230, abs=5e-4), "the data are typed in right"
    limits = [pooling.paule_mandel(d, v, one_set(d), np.array([stats.chi2.ppf(q, 8)]))[0] for q in (0.975, 0.025)]
    assert limits == pytest.approx([0.072, 2.203], abs=5e-4)


def test_ten_thousand_random_sets_agree_with_statsmodels_and_scipy():
    rng = np.random.default_rng(6)
    k, many = 6, 10_000
    v = rng.uniform(0.5, 3, (many, k)) * 1e-3
    d = rng.normal(-0.05, np.sqrt(v + rng.choice([0, 0.002], (many, 1))))
    of = sets.Sets(np.repeat(np.arange(many), k), np.arange(many) * k)
    tau2 = pooling.paule_mandel(d.ravel(), v.ravel(), of)

    def q(t):  # the generalised Q, all sets at once
        w = 1 / (v + t[:, None])
        return (w * (d - (w * d).sum(1, keepdims=True) / w.sum(1, keepdims=True)) ** 2).sum(1)

    positive = q(np.zeros(many)) > k - 1
    assert 0.2 < positive.mean() < 0.9
    assert (tau2[~positive] == 0).all()
    assert np.abs(q(tau2)[positive] - (k - 1)).max() < 1e-9
    for i in np.flatnonzero(positive)[:200]:
        exact = optimize.brentq(lambda t, i=i: q_of(d[i], v[i], t) - (k - 1), 0, 1, xtol=1e-15, rtol=1e-14)
        assert tau2[i] == pytest.approx(exact, rel=1e-9)
        theirs = combine_effects(d[i], v[i], method_re="iterated", use_t=True)
        if theirs.tau2 > 0:  # it falls back to 0 where its last step overshoots by rounding
            assert tau2[i] == pytest.approx(theirs.tau2, rel=1e-4, abs=1e-8)  # they stop at 1e-5 in Q


def q_of(d, v, t):
    w = 1 / (v + t)
    return (w * (d - (w * d).sum() / w.sum()) ** 2).sum()


def test_every_column_agrees_with_statsmodels():
    cells = random_cells(11, schools=9)
    found = pooled(cells)
    gaps_of = found.schools.groupby(KEYS, observed=True)
    checked = 0
    for _, row in found.whole.iterrows():
        if row["schools"] < 5:
            continue
        members = gaps_of.get_group(tuple(row[KEYS]))
        d, v = members["gap"].to_numpy(), members["error"].to_numpy() ** 2
        assert len(d) == row["schools"]
        w = 1 / (v + row["tau"] ** 2)
        mean, error = (w * d).sum() / w.sum(), w.sum() ** -0.5
        fixed = combine_effects(d, v)
        assert row["value"] == pytest.approx(mean, abs=1e-12)
        assert row["p"] == pytest.approx(fixed.test_homogeneity().pvalue, abs=1e-9)
        assert row["i2"] == pytest.approx(max(fixed.i2, 0), abs=1e-9)
        reach = stats.t.ppf(0.975, len(d) - 1) * error
        assert (row["lower"], row["upper"]) == pytest.approx((mean - reach, mean + reach), abs=1e-9)
        likely = stats.t.ppf(0.975, len(d) - 2) * np.hypot(row["tau"], error)
        assert row["likely_upper"] - row["value"] == pytest.approx(likely, abs=1e-9)
        if row["tau"] > 0:  # then Hartung & Knapp's interval is the same
            knapp = combine_effects(d, v + row["tau"] ** 2, use_t=True)
            assert error == pytest.approx(np.sqrt((w * (d - mean) ** 2).sum() / (len(d) - 1) / w.sum()), rel=1e-6)
            assert knapp.mean_effect_fe == pytest.approx(mean, abs=1e-12)
        checked += 1
    assert checked > 20


def test_a_drawn_gap_lies_between_its_own_and_the_pooled_one():
    found = pooled(random_cells(5, schools=8))
    members = found.schools.merge(found.whole[[*KEYS, "value", "tau"]], on=KEYS, suffixes=("", "_pooled"))
    low, high = members[["gap", "value_pooled"]].min(axis=1), members[["gap", "value_pooled"]].max(axis=1)
    assert ((members["value"] >= low - 1e-12) & (members["value"] <= high + 1e-12)).all()
    none = members["tau"] == 0
    np.testing.assert_allclose(members.loc[none, "value"], members.loc[none, "value_pooled"])


def test_schools_that_differ_are_told_from_schools_that_do_not():
    rng = np.random.default_rng(2)
    rows = []
    for t in range(400):
        for s in range(20):
            for year, gap in ((f"same{t}", -0.08), (f"other{t}", rng.normal(-0.08, 0.12))):
                rows.append(cell(f"school:{s}", "Female", 150, rng.binomial(150, np.clip(0.7 + gap, 0, 1)), year=year))
                rows.append(cell(f"school:{s}", "Male", 150, rng.binomial(150, 0.7), year=year))
    whole = pooled(table(rows)).whole
    whole = whole[(whole["unit"] == "university") & (whole["level"] == "UG")]
    differs = pooling.verdict(whole) == "differs between schools"
    same = whole["academic_year"].str.startswith("same")
    assert 0.01 < differs[same].mean() < 0.09
    assert differs[~same].mean() > 0.95
    assert whole.loc[~same, "tau"].mean() == pytest.approx(0.12, abs=0.015)
    covered = (whole["lower"] <= -0.08) & (whole["upper"] >= -0.08)
    assert 0.92 < covered.mean() < 0.98


# most schools have two to twenty students of the group: as many answers as come from care-experienced students
@pytest.mark.parametrize("gap", [0, -0.13])
def test_small_schools_that_do_not_differ_are_rarely_said_to(gap):
    cells, _ = universities(800, np.linspace(2, 20, 28).astype(int), np.full(28, 200), gap)
    whole = pooled(cells).whole.query("unit == 'university'")
    assert 0.02 < (pooling.verdict(whole) == "differs between schools").mean() < 0.09
    assert whole["tau"].median() < 0.02
    assert whole["value"].mean() == pytest.approx(gap, abs=0.01)
    assert 0.92 < ((whole["lower"] <= gap) & (gap <= whole["upper"])).mean() < 0.99


@pytest.mark.parametrize("schools", [5, 28])
def test_drawn_gaps_are_no_surer_than_they_should_be(schools):
    n1 = np.tile([15, 25, 30, 40, 60], 6)[:schools]
    cells, true = universities(500, n1, n1 * 9, -0.12, tau=0.04)
    drawn = pooled(cells).schools.query("unit == 'university'").merge(true, on=["academic_year", "school"])
    assert len(drawn) == 500 * schools
    assert ((drawn["lower"] <= drawn["true"]) & (drawn["true"] <= drawn["upper"])).mean() > 0.89
    lowest = drawn.loc[drawn.groupby("academic_year")["gap"].idxmin()]
    assert ((lowest["lower"] <= lowest["true"]) & (lowest["true"] <= lowest["upper"])).mean() > 0.95


def test_below_five_schools_there_is_neither_a_likely_range_nor_a_drawn_gap():
    four, five = (pooled(universities(3, np.full(k, 40), np.full(k, 40), -0.1)[0]) for k in (4, 5))
    assert four.whole[["value", "lower", "upper", "tau", "p"]].notna().all(axis=None)
    assert four.whole[["likely_lower", "likely_upper"]].isna().all(axis=None)
    assert four.schools.empty
    assert five.whole[["likely_lower", "likely_upper"]].notna().all(axis=None)
    assert len(five.schools) == 2 * 3 * 5, "of the university and of its one faculty"


def test_no_limit_lies_beyond_a_hundred_points():
    rows = []
    for i, x in enumerate([0, 5, 0, 5, 0]):  # schools that could not differ more
        rows += [cell(f"school:{i}", "Female", 5, x), cell(f"school:{i}", "Male", 5, 5 - x)]
        for y in ("meetings", "attendance"):
            rows += [
                cell(f"school:{i}", "Female", 5, x + 1, (x + 1) ** 2, metric=y),
                cell(f"school:{i}", "Male", 5, 6 - x, (6 - x) ** 2, metric=y),
            ]
    found = pooled(table(rows), bounded=frozenset({"attendance"}))
    for frame, names in ((found.whole, ["lower", "upper", "likely_lower", "likely_upper"]), (found.schools, ["lower"])):
        inside = frame[names].abs().max(axis=1) <= 1
        assert inside[frame["metric"] != "meetings"].all()
        assert not inside[frame["metric"] == "meetings"].any()


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.integers(1, 7))
def test_order_does_not_matter_and_nothing_is_infinite(seed, schools):
    cells = random_cells(seed, schools)
    found = pooled(cells, ("F", "G"))
    assert_no_infinity(found.whole)
    assert_no_infinity(found.schools)
    other = pooled(cells.sample(frac=1, random_state=seed), ("F", "G"))
    pd.testing.assert_frame_equal(sorted_rows(other.whole, KEYS), sorted_rows(found.whole, KEYS), check_dtype=False)


def test_one_school_is_too_few_to_say():
    found = pooled(table([cell("school:A", "Female", 60, 30), cell("school:A", "Male", 50, 40)]))
    assert (found.whole["value"] == 30 / 60 - 40 / 50).all()
    assert found.whole[["tau", "i2", "p", "lower", "upper", "likely_lower"]].isna().all(axis=None)
    assert set(pooling.verdict(found.whole)) == {"too few to say"}


def test_nothing_to_pool_gives_empty_tables():
    for cells in (berkeley()[:0], berkeley().query("group == 'Female'")):
        assert pooled(cells).whole.empty


@pytest.mark.parametrize("share", [0, 1])
def test_no_variation_is_no_difference(share):
    found = pooled(table([cell(f"school:{s}", g, 40, 40 * share) for s in "ABC" for g in ("Female", "Male")]))
    assert (found.whole["tau"] == 0).all()
    assert set(pooling.verdict(found.whole)) == {"no clear difference between schools"}
