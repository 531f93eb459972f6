"""Funnel limits agree with two published implementations."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.measures import funnel
from tests.measures.building import BETTER, KINDS, assert_no_infinity, random_cells, shared

# FunnelPlotR (NHS-R community), proportions of `binom10`; limits of the run with overdispersion, Winsorised at 10%:
# n, x, z, OD95LCL, OD95UCL, OD99LCL, OD99UCL
BINOM10 = [
    (82, 12, -4.24559861722561, 0.162293963893268, 0.553809587628152, 0.0829706175587042, 0.672730083539392),
    (99, 36, 0.404174247296873, 0.165841493479651, 0.549045349294465, 0.0871841404869845, 0.665623836798722),
    (98, 30, -0.805296486486441, 0.165664244152215, 0.549282523277586, 0.0869722452807642, 0.665978343512606),
    (100, 26, -1.83807041392268, 0.166015469299151, 0.548812643430825, 0.0873922607233585, 0.665275933909211),
    (125, 50, 1.2912146610042, 0.169516870426071, 0.544147595986061, 0.0916096183443572, 0.658286111482254),
    (162, 42, -2.36098584292928, 0.172814221348723, 0.539785843017487, 0.0956301763261012, 0.65172473919564),
    (151, 71, 3.16064541350016, 0.171993653946566, 0.540868484027339, 0.0946252817308382, 0.653355650614436),
    (12, 4, -0.0796370580170333, 0.08188723836735, 0.674577140804983, 0.00919064991108147, 0.839011747378479),
    (100, 29, -1.16597649057566, 0.166015469299151, 0.548812643430825, 0.0873922607233585, 0.665275933909211),
    (82, 48, 4.42283033165498, 0.162293963893268, 0.553809587628152, 0.0829706175587042, 0.672730083539392),
]
LIMITS = ["lower", "upper", "lower_outer", "upper_outer"]
PLACE = {"academic_year": "y", "part": "year", "level": "all", "characteristic": "all", "group": "all", "metric": "met"}


def cells(n, x):
    n, x = np.asarray(n, float), np.asarray(x, float)
    units = [f"school:{i}" for i in range(len(n))]
    return pd.DataFrame({"unit": units, "n": n, "sx": x, "sy": n, "value": x / n, "error": np.nan}).assign(**PLACE)


def test_proportions_as_funnelplotr_has_them():
    n, x, z, *limits = map(np.array, zip(*BINOM10, strict=True))
    found = funnel.funnel(cells(n, x), KINDS)
    assert found["phi"][0] == pytest.approx(4.00905291702055, abs=1e-12)
    assert found["tau"][0] ** 2 == pytest.approx(0.00868825971002332, abs=1e-14)
    np.testing.assert_allclose(found["z"], z, atol=1e-12)
    for name, expected in zip(LIMITS, limits, strict=True):
        np.testing.assert_allclose(found[name], expected, atol=1e-7)  # theirs uses z rounded to six decimals
    assert found["position"].tolist() == ["below", *["within the limits"] * 8, "above"]
    untrimmed = funnel.funnel(cells(n, x), KINDS, trim=0)
    assert untrimmed["phi"][0] == pytest.approx(6.03739099798277, abs=1e-12)
    assert untrimmed["tau"][0] ** 2 == pytest.approx(0.0143564578711592, abs=1e-14)


@pytest.mark.parametrize(
    ("run", "trim"), [("binom10_PR_od_trim10", 0.1), ("binom10_PR_od_trim0", 0), ("phe_pct_PR_od_trim10", 0.1)]
)
def test_whole_runs_of_funnelplotr(run, trim):
    theirs = pd.read_csv(shared(f"funnel/funnelplotr_{run}.csv"))
    meta = json.loads(shared("funnel/funnelplotr_meta.json").read_text())[run]
    found = funnel.funnel(cells(theirs["denominator"], theirs["numerator"]), KINDS, trim=trim)
    assert (found["phi"][0], found["tau"][0] ** 2) == pytest.approx((meta["phi"], meta["tau2"]), rel=1e-9)
    for ours, column in zip(LIMITS, ["OD95LCL", "OD95UCL", "OD99LCL", "OD99UCL"], strict=True):
        np.testing.assert_allclose(found[ours], theirs[column], atol=1e-7)
    far = (
        found["position"].isin(["far above", "far below"])
        if meta["args"]["limit"] == 99
        else found["position"] != "within the limits"
    )
    assert (far == (theirs["outlier"] == 1)).all()


def test_classes_of_303_areas_as_public_health_england_has_them():
    theirs = pd.read_csv(shared("funnel/phe_funnel_prop_inputs.csv"))
    z = funnel.funnel(cells(theirs["denominator"], theirs["numerator"]), KINDS)["z"]
    names = ["Low (0.001)", "Low (0.025)", "Not significant", "High (0.025)", "High (0.001)"]
    edges = [-np.inf, -funnel.Z998, -funnel.Z95, funnel.Z95, funnel.Z998, np.inf]
    assert (pd.cut(z, edges, labels=names).astype(str) == theirs["significance"]).all()


def test_without_overdispersion_few_stand_out_and_with_it_the_outstanding_one_does():
    rng = np.random.default_rng(1)
    n = rng.integers(60, 900, (500, 28))
    x = rng.binomial(n, 0.7)
    many = pd.concat([cells(n[i], x[i]).assign(academic_year=str(i)) for i in range(500)], ignore_index=True)
    found = funnel.funnel(many, KINDS)
    out = found["position"] != "within the limits"
    assert 0.02 < out.mean() < 0.06
    p = np.append(np.clip(0.7 + 0.04 * rng.normal(size=27), 0, 1), 0.95)
    one = funnel.funnel(cells(n[0], rng.binomial(n[0], p)), KINDS)
    assert one["position"].iloc[-1] == "far above"
    assert funnel.words(one, BETTER).iloc[-1] == "worth learning from"


def test_means_and_ratios_use_their_own_error():
    schools = random_cells(4, schools=9)
    schools = schools[schools["unit"].str.startswith("school:")]
    found = funnel.funnel(schools, KINDS)
    assert_no_infinity(found)
    meetings = found[found["metric"] == "meetings"].dropna(subset="z")
    whole = schools[schools["metric"] == "meetings"].groupby(funnel.FAMILY)[["sx", "sy"]].sum()
    key = pd.MultiIndex.from_frame(meetings[funnel.FAMILY])
    np.testing.assert_allclose(meetings["target"], (whole["sx"] / whole["sy"])[key], atol=1e-12)


def test_limits_stay_within_what_is_possible():
    n = np.array([9, 12, 15, 40, 200, 300])
    x = np.array([0.3, 0.99, 0.6, 0.9, 0.95, 0.97]) * n
    few = cells(n, x).assign(metric="attendance", error=0.3 / np.sqrt(n))
    whole, free = funnel.funnel(few, KINDS, frozenset({"attendance"})), funnel.funnel(few, KINDS)
    assert whole[LIMITS].le(1).all(axis=None)
    assert free["upper_outer"].max() > 1
    assert funnel.funnel(few.assign(sx=x / 20, value=x / n / 20), KINDS)[LIMITS].ge(0).all(axis=None)


def test_positions_without_how_far():
    said = funnel.side(pd.Series(["far above", "above", "within the limits", "below", "far below"]))
    assert said.tolist() == ["above", "above", "within the limits", "below", "below"]


@pytest.mark.parametrize(
    ("position", "better", "words"),
    [
        ("far above", "higher", "worth learning from"),
        ("far below", "lower", "worth learning from"),
        ("above", "higher", "may be worth learning from"),
        ("above", "neither", "worth a conversation"),
        ("far below", "higher", "worth a conversation"),
        ("far above", "neither", "worth a conversation"),
        ("within the limits", "higher", "within the limits"),
        ("too few to say", "higher", "too few to say"),
    ],
)
def test_words(position, better, words):
    frame = pd.DataFrame({"metric": ["met"], "position": [position]})
    assert funnel.words(frame, pd.Series({"met": better}))[0] == words


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(1, 300), st.floats(0, 1)), max_size=12))
def test_anything_goes_in_and_nothing_infinite_comes_out(members):
    n = np.array([n for n, _ in members], float)
    x = np.round(n * [p for _, p in members])
    found = funnel.funnel(cells(n, x), KINDS)
    assert_no_infinity(found)
    assert len(found) == len(members)
    if len(members) < funnel.FEWEST:
        assert (found["position"] == "too few to say").all()
        assert found[LIMITS].isna().all(axis=None)
    order = np.random.default_rng(0).permutation(len(n))
    again = funnel.funnel(cells(n, x).iloc[order], KINDS).sort_index()
    pd.testing.assert_frame_equal(found, again, rtol=1e-9, check_dtype=False)


@pytest.mark.parametrize("share", [0, 1])
def test_no_variation_is_too_few_to_say(share):
    found = funnel.funnel(cells([40] * 8, [40 * share] * 8), KINDS)
    assert set(found["position"]) == {"too few to say"}
