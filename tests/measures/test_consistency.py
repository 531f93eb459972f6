"""How far members differ is found again when it was planted, whatever their size."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, special, stats

from pipelines.measures import consistency
from tests.measures.building import KINDS, assert_no_infinity, random_cells, schools_of


def simulate(rng, many, members, smallest, largest, middle, spread):
    n = rng.integers(smallest, largest, (many, members))
    x = rng.binomial(n, special.expit(middle + spread * rng.normal(size=(many, members))))
    return pd.DataFrame({"unit": np.repeat(np.arange(many), members), "n": n.ravel(), "sx": x.ravel()})


@pytest.mark.parametrize("spread", [0.0, 0.3, 0.6, 1.0])
@pytest.mark.parametrize(("members", "smallest", "largest"), [(28, 50, 1000), (28, 10, 60), (30, 5, 25)])
def test_planted_differences_are_found_and_covered(members, smallest, largest, spread):
    rng = np.random.default_rng(7)
    found = consistency.consistency(simulate(rng, 500, members, smallest, largest, 1.4, spread), ["unit"])
    true = np.exp(consistency.MEDIAN * spread)
    assert found["odds_ratio"].median() == pytest.approx(true, rel=0.06)
    covered = (found["odds_ratio_lower"] <= true + 1e-9) & (found["odds_ratio_upper"] >= true - 1e-9)
    assert 0.92 < covered.mean() <= 1
    if spread == 0:
        assert (found["p"] < 0.05).mean() < 0.09
    low, high = special.expit(1.4 + np.array([-1, 1]) * stats.norm.ppf(0.9) * spread)
    assert (found["low"].median(), found["high"].median()) == pytest.approx((low, high), abs=0.03)


@pytest.mark.parametrize("spread", [0.3, 0.6, 1.0])
def test_so_they_are_where_nearly_everybody_counts(spread):
    """There shares have a long tail on one side; without allowing for it 80 in 100 would hold a spread of 1."""
    rng = np.random.default_rng(8)
    found = consistency.consistency(simulate(rng, 500, 28, 50, 1000, 3.0, spread), ["unit"])
    true = np.exp(consistency.MEDIAN * spread)
    assert 0.88 < ((found["odds_ratio_lower"] <= true) & (found["odds_ratio_upper"] >= true)).mean() < 0.98


def test_a_median_odds_ratio_is_larsen_and_merlos():
    # Larsen & Merlo (2005), American Journal of Epidemiology 161:81: MOR = exp(0.95 · sigma), 0.95 = 2^0.5 · 0.6745
    assert pytest.approx(0.9539, abs=5e-5) == consistency.MEDIAN
    draws = np.random.default_rng(1).normal(scale=0.7, size=(2, 200_000))
    assert np.exp(np.median(np.abs(draws[0] - draws[1]))) == pytest.approx(np.exp(consistency.MEDIAN * 0.7), rel=0.01)


def likeliest_spread(n, x, school, nodes):
    """By maximum likelihood, with a middle for each school and one spread of all, by quadrature over members."""
    z, w = np.polynomial.hermite_e.hermegauss(nodes)
    n, x = n[:, None], x[:, None]

    def minus_log_likelihood(at):
        p = special.expit(at[school][:, None] + np.exp(at[-1]) * z)
        log_p = special.xlogy(x, p) + special.xlogy(n - x, 1 - p)
        top = log_p.max(axis=1, keepdims=True)
        return -(np.log((np.exp(log_p - top) * w).sum(axis=1)) + top[:, 0]).sum()

    start = [*[1.0] * (school.max() + 1), -0.5]
    return np.exp(optimize.minimize(minus_log_likelihood, start, method="Nelder-Mead").x[-1])


def test_it_comes_close_to_maximum_likelihood():
    rng = np.random.default_rng(3)
    ratios = []
    for _ in range(12):
        frame = simulate(rng, 1, 28, 40, 200, 1.2, 0.6)
        n, x = frame["n"].to_numpy(), frame["sx"].to_numpy()
        found = consistency.consistency(frame, ["unit"]).iloc[0]
        best = likeliest_spread(n, x, np.zeros(len(frame), int), 201)
        ratios.append(np.log(found["odds_ratio"]) / (consistency.MEDIAN * best))
    assert np.mean(ratios) == pytest.approx(1, abs=0.06)
    assert np.std(ratios) < 0.15


def test_a_logit_normal_has_the_mean_and_variance_asked_for():
    rng = np.random.default_rng(5)
    middle, spread = rng.uniform(-3, 3, 200), rng.uniform(0.05, 2, 200)
    moments = []
    for m, s in zip(middle, spread, strict=True):

        def power(k, m=m, s=s):
            return integrate.quad(lambda z: special.expit(m + s * z) ** k * stats.norm.pdf(z), -9, 9, epsabs=1e-12)[0]

        moments.append((power(1), power(2) - power(1) ** 2))
    mean, variance = np.array(moments).T
    found_m, found_s = consistency.logit_normal(mean, variance)
    np.testing.assert_allclose(found_m, middle, atol=1e-4)
    np.testing.assert_allclose(found_s, spread, atol=1e-4)
    assert consistency.logit_normal(np.array([0.5]), np.array([0.249]))[1][0] == consistency.WIDEST


def test_units_of_schools():
    cells = random_cells(2, schools=8)
    everyone = cells[cells["characteristic"] == "sex"].groupby(["academic_year", "part", "level", "unit", "metric"])
    everyone = (
        everyone[["n", "sx", "sxx", "sy", "syy", "sxy"]].sum().reset_index().assign(characteristic="all", group="all")
    )
    found = consistency.between_schools(everyone, KINDS, schools_of(cells, ("F", "G")))
    assert set(found["unit"]) == {"university", "faculty:F", "faculty:G"}
    assert set(found["metric"]) == {"met"}
    assert (found.loc[found["unit"] == "university", "members"] == 8).all()
    assert (found["low"] <= found["value"]).all()
    assert (found["value"] <= found["high"]).all()
    assert_no_infinity(found)


def test_between_tutors_only_where_there_are_enough():
    rng = np.random.default_rng(0)
    ten, nine = simulate(rng, 1, 10, 5, 20, 1, 0.5), simulate(rng, 1, 9, 5, 20, 1, 0.5).assign(unit=1)
    small = ten.assign(unit=2, n=[4] + [8] * 9, sx=3)
    found = consistency.between_tutors(pd.concat([ten, nine, small]), ["unit"])
    assert found["unit"].tolist() == [0]
    assert found["members"].tolist() == [10]


def tutors_of_schools(rng, many, schools, tutors, smallest, largest, spread):
    """Tutors around the middle of their own school, and schools far apart."""
    middle = rng.normal(1.0, 0.7, (many, schools, 1))
    n = rng.integers(smallest, largest, (many, schools, tutors))
    x = rng.binomial(n, special.expit(middle + spread * rng.normal(size=n.shape)))
    unit, school, _ = np.indices(n.shape)
    return pd.DataFrame({"unit": unit.ravel(), "school": school.ravel(), "n": n.ravel(), "sx": x.ravel()})


@pytest.mark.parametrize("spread", [0.0, 0.35, 0.8])
@pytest.mark.parametrize(("schools", "tutors", "largest"), [(20, 40, 20), (4, 30, 20), (3, 12, 10)])
def test_tutors_within_schools_are_told_from_schools(schools, tutors, largest, spread):
    rng = np.random.default_rng(11)
    found = consistency.within(tutors_of_schools(rng, 250, schools, tutors, 5, largest, spread), ["unit"], "school")
    true = np.exp(consistency.MEDIAN * spread)
    assert found["odds_ratio"].median() == pytest.approx(true, rel=0.06 if schools > 3 else 0.15)
    covered = (found["odds_ratio_lower"] <= true + 1e-9) & (found["odds_ratio_upper"] >= true - 1e-9)
    assert 0.92 < covered.mean() <= 1
    assert (found["schools"] == schools).all()
    assert (found["members"] == schools * tutors).all()
    if spread == 0:
        assert (found["p"] < 0.05).mean() < 0.09


def test_a_typical_school_comes_close_to_maximum_likelihood():
    rng = np.random.default_rng(5)
    ratios = []
    for _ in range(6):
        frame = tutors_of_schools(rng, 1, 3, 60, 8, 25, 0.6)
        n, x, school = (frame[c].to_numpy() for c in ("n", "sx", "school"))
        found = consistency.within(frame, ["unit"], "school").iloc[0]
        ratios.append(np.log(found["odds_ratio"]) / (consistency.MEDIAN * likeliest_spread(n, x, school, 61)))
    assert np.mean(ratios) == pytest.approx(1, abs=0.06)
    assert np.std(ratios) < 0.15


def test_a_typical_school_is_one_of_three_with_ten_tutors_each():
    rng = np.random.default_rng(2)
    three = tutors_of_schools(rng, 1, 3, 10, 6, 12, 0.5)
    whole = consistency.within(three, ["unit"], "school")
    assert whole["schools"].tolist() == [3]
    assert consistency.within(three.iloc[1:], ["unit"], "school").empty, "one school has nine tutors"
    small = three.assign(n=three["n"].where(three.index > 0, 4), sx=0)
    assert consistency.within(small, ["unit"], "school").empty, "one tutor has four students, and nobody has met theirs"
    everybody = three.assign(school=3, sx=three["n"])
    pd.testing.assert_frame_equal(
        consistency.within(pd.concat([three, everybody]), ["unit"], "school"),
        whole,
    )  # a school in which everybody has says nothing of how tutors differ
    counted = three.groupby(["unit", "school", "n", "sx"]).size().rename("alike").reset_index()
    pd.testing.assert_frame_equal(consistency.within(counted, ["unit"], "school"), whole, rtol=1e-9)
    assert consistency.within(three.head(0), ["unit"], "school").empty


def test_a_row_may_stand_for_several_members_alike():
    rng = np.random.default_rng(4)
    one_each = simulate(rng, 3, 400, 5, 9, 0.5, 0.6)
    together = one_each.groupby(["unit", "n", "sx"], as_index=False).size().rename(columns={"size": "alike"})
    assert len(together) < len(one_each) / 5
    pd.testing.assert_frame_equal(
        consistency.between_tutors(together, ["unit"]), consistency.between_tutors(one_each, ["unit"]), rtol=1e-9
    )
    one = together[together["unit"] == 0].head(1)
    assert consistency.between_tutors(one.assign(alike=9), ["unit"]).empty
    assert consistency.between_tutors(one.assign(alike=10), ["unit"])["members"].tolist() == [10]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(1, 60), st.floats(0, 1)), min_size=0, max_size=12), st.randoms())
def test_anything_goes_in_and_nothing_infinite_comes_out(members, random):
    frame = pd.DataFrame({"unit": "u", "n": [n for n, _ in members], "sx": [round(n * p) for n, p in members]})
    frame = frame.astype({"n": int, "sx": float})
    found = consistency.consistency(frame, ["unit"])
    assert len(found) == (len(members) >= 3)
    assert_no_infinity(found)
    shuffled = consistency.consistency(frame.sample(frac=1, random_state=random.randrange(100)), ["unit"])
    pd.testing.assert_frame_equal(found, shuffled, rtol=1e-6)
    if len(found) and found["p"].notna()[0]:
        turned = consistency.consistency(frame.assign(sx=frame["n"] - frame["sx"]), ["unit"])
        assert turned["odds_ratio"][0] == pytest.approx(found["odds_ratio"][0], rel=1e-4)
        assert turned["low"][0] == pytest.approx(1 - found["high"][0], abs=1e-4)


@pytest.mark.parametrize("share", [0, 1])
def test_no_variation_is_too_few_to_say(share):
    frame = pd.DataFrame({**PERIOD, "n": [20] * 5, "sx": [20.0 * share] * 5})
    found = consistency.consistency(frame, list(PERIOD))
    assert found.drop(columns=[*PERIOD, "members", "n"]).isna().all(axis=None)
    assert consistency.verdict(found).tolist() == ["too few to say"]


PERIOD = {"metric": "met", "academic_year": "2024/25", "part": "year"}


def test_few_members_are_not_called_alike():
    rows = [("large", 1.2, 0.6), ("few", 3.0, 0.6), ("differ", 3.0, 1e-6), ("none", np.nan, np.nan)]
    frame = pd.DataFrame(rows, columns=["unit", "odds_ratio_upper", "p"]).assign(**PERIOD)
    said = consistency.verdict(frame).tolist()
    assert said == ["no more than chance", "too few to say", "differs beyond chance", "too few to say"]


def test_the_range_at_a_median_odds_ratio():
    value = consistency.consistency(pd.DataFrame({"u": 1, "n": 80, "sx": [30, 50, 60, 40, 70]}), ["u"]).iloc[0]
    low, high = consistency.range_at(100 * value["value"], value["odds_ratio"])
    assert (low, high) == pytest.approx((100 * value["low"], 100 * value["high"]))
    assert consistency.range_at(70, 1.0) == pytest.approx((70, 70))


def test_schools_that_do_not_differ_are_seldom_said_to_and_never_against_their_limits():
    rng = np.random.default_rng(6)
    n = np.tile(rng.integers(60, 900, 12), 2_000)
    frame = pd.DataFrame({"academic_year": np.repeat(range(2_000), 12), "n": n, "sx": rng.binomial(n, 0.8)})
    frame = frame.assign(metric="met", part="year")
    found = consistency.consistency(frame, list(PERIOD))
    differ = consistency.verdict(found) == "differs beyond chance"
    assert 0.015 < differ.mean() < 0.037
    assert (found.loc[differ, "odds_ratio_lower"] > 1).all()
    alone = found.assign(academic_year="2024/25")  # looked at together, hardly any is left
    assert (consistency.verdict(alone) == "differs beyond chance").mean() < 0.002
