"""Inequality measures agree with WHO's and Public Health England's own implementations."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.measures import inequality
from pipelines.measures.intervals import with_intervals
from tests.measures.building import BETTER, KINDS, PLACE, assert_no_infinity, random_cells, shared, sorted_rows

# the healthequal package's names for the measures
NAMES = {
    "d": "range", "r": "ratio", "par": "potential", "paf": "potential_share", "aci": "concentration",
    "rci": "concentration_relative", "sii": "slope", "rii": "relative", "bgv": "between_variance", "bgsd": "between_sd",
    "cov": "variation", "mdmu": "distance", "mdmw": "distance_weighted", "idisu": "disparity",
    "idisw": "disparity_weighted", "mdbu": "to_best", "mdbw": "to_best_weighted", "mdru": "to_reference",
    "mdrw": "to_reference_weighted", "ti": "theil", "mld": "mld",
}  # fmt: skip


def measured(y, population, *, ordered=False, reference=None, better="higher", error=None):
    """The measures of one place, from its groups in order."""
    k = len(y)
    names = [f"g{i:02d}" for i in range(k)]
    y, population = np.asarray(y, float), np.asarray(population, float)
    cells = pd.DataFrame(
        {"group": names, "n": population, "sx": y * population, "sy": population, "value": y,
         "lower": np.nan, "upper": np.nan, "error": np.full(k, 1e-9) if error is None else error}
    ).assign(academic_year="y", part="year", level="all", unit="u", metric="meetings", characteristic="c")  # fmt: skip
    groups = pd.DataFrame(
        {"characteristic": "c", "group": names, "ordering": range(k), "ordered": ordered,
         "is_reference": [i == reference for i in range(k)]}
    )  # fmt: skip
    found = inequality.inequality(cells, KINDS, groups, pd.Series({"meetings": better}))
    return found.iloc[0] if len(found) else None


def test_ordered_groups_as_who_has_them():
    # healthequal (WHO), tests/testthat, data `ordered5`; slope and relative index: its linear option, full precision
    found = measured([20, 30, 40, 50, 60], [78, 91, 162, 103, 105], ordered=True, reference=4)
    expected = {
        "range": 40, "ratio": 3, "concentration": 7.32842032073413, "concentration_relative": 0.17776861174058,
        "slope": 46.253810942431, "relative": 3.5558002721554,
        "potential": 18.7755102040816, "potential_share": 45.5445544554455,
    }  # fmt: skip
    assert found[list(expected)].astype(float).to_dict() == pytest.approx(expected, rel=1e-12)


NONORDERED25 = (
    [61, 74, 58, 59, 72, 75, 74, 68, 75, 67, 73, 63, 66, 62, 60, 66, 71, 73, 71, 61, 74, 84, 55, 69, 60],
    [832, 931, 1468, 1021, 1039, 1515, 1138, 620, 794, 866, 1367, 1108, 1120, 1033, 833, 1536, 1149, 410, 1210, 858,
     680, 935, 692, 781, 812],
)  # fmt: skip


def test_any_groups_as_who_has_them():
    # healthequal (WHO), tests/testthat, data `nonordered25`; group 14 is the reference
    found = measured(*NONORDERED25, reference=13)
    expected = {
        "between_variance": 46.198325539737, "between_sd": 6.79693501070424, "variation": 10.0387708376422,
        "distance": 5.89172620009698, "distance_weighted": 5.83486869447816, "disparity": 8.70181766748687,
        "disparity_weighted": 8.6178416594173, "to_best": 16.36, "to_best_weighted": 16.2931550024244,
        "to_reference": 7.24, "to_reference_weighted": 7.22284629060934, "theil": 5.03598030334592,
        "mld": 5.05235520719557, "potential": 16.2931550024244, "potential_share": 24.0642655894066,
    }  # fmt: skip
    assert found[list(expected)].astype(float).to_dict() == pytest.approx(expected, rel=1e-12)
    assert found[["slope", "relative", "concentration"]].isna().all()
    adverse = measured(*NONORDERED25, better="lower")
    assert (adverse["potential"], adverse["to_best"]) == pytest.approx((-12.7068449975756, 12.64))


def test_slope_and_relative_index_as_public_health_england_has_them():
    # PHEindicatormethods, testdata_SII, default parameters, area 1
    y = [75.9334590103081, 78.3442382727843, 83.8360631041654, 83.6375399664931, 80.4655031529559,
         81.1156759857022, 81.6930835718562, 84.1900062060987, 80.5955641081472, 86.2894349578624]  # fmt: skip
    population = [7291, 7997, 6105, 7666, 5790, 6934, 5918, 5974, 7147, 7534]
    found = measured(y, population, ordered=True)
    assert (found["slope"], found["relative"]) == pytest.approx((6.934616473668819, 1.0888180804446217), rel=1e-9)


def test_every_applicable_figure_of_the_who_package():
    expected = pd.read_csv(shared("inequality/healthequal_computed_full_precision.csv"))
    checked = 0
    for name, figures in expected.groupby("dataset"):
        file, _, indicator = name.partition(": ")
        data = pd.read_csv(shared(f"inequality/{file}.csv"))
        data = data[data["indicator"] == indicator] if indicator else data
        ordered = "subgroup_order" in data
        reference = None if ordered else int(np.argmax(data["reference_subgroup"]))
        for figure in figures.assign(variant=figures["variant"].fillna("")).itertuples():
            adverse, measure = figure.variant.startswith("adverse"), figure.measure
            if figure.variant.startswith("logit") or (measure in ("d", "r") and figure.variant.endswith(", reference")):
                continue  # not measures of ours
            # their slope and relative index round the population up first, nothing else does
            population = np.ceil(data["population"]) if measure in ("sii", "rii") else data["population"]
            better = "lower" if adverse else "higher"
            found = measured(data["estimate"], population, ordered=ordered, reference=reference, better=better)
            expected_figure = figure.estimate
            if ordered and adverse:  # theirs turns round for adverse indicators; ours is always last against first
                expected_figure = (
                    -expected_figure if measure == "d" else 1 / expected_figure if measure == "r" else expected_figure
                )
            assert found[NAMES[measure]] == pytest.approx(expected_figure, rel=1e-9, abs=1e-9), figure
            checked += 1
    assert checked == 140


def test_every_untransformed_case_of_public_health_england():
    cases = pd.read_csv(shared("inequality/phe_sii_cases.csv"))
    cases = cases[~cases["TestDescription"].str.contains("transform")]
    checked = 0
    for (what, _), area in cases.groupby(["TestDescription", "Area"], sort=False):
        found = measured(area["Value"], area["Population"], ordered=True)
        theirs = area.iloc[0]
        multiplier = 100 if "(x 100)" in what else -100 if "(x -100)" in what else 1
        assert found["slope"] * multiplier == pytest.approx(theirs["sii"], rel=1e-6)
        if np.isfinite(theirs["rii"]):  # a negative multiplier turns their relative index upside down
            assert found["relative"] ** np.sign(multiplier) == pytest.approx(theirs["rii"], rel=1e-6)
        checked += 1
    assert checked == 24


def test_limits_of_the_slope_cover_and_alike_groups_are_not_told_apart():
    rng = np.random.default_rng(9)
    n, p = np.array([90, 120, 200, 150, 80]), np.array([0.6, 0.65, 0.7, 0.75, 0.8])
    truth = measured(p, n, ordered=True)
    cells = []
    for t in range(3_000):
        for kind, x in (("differ", rng.binomial(n, p)), ("alike", rng.binomial(n, 0.7))):
            cells.append(pd.DataFrame({"academic_year": f"{kind}{t}", "group": list("abcde"), "n": n, "sx": x}))
    cells = pd.concat(cells).assign(
        part="year",
        level="all",
        unit="u",
        metric="met",
        characteristic="c",
        sy=lambda f: f["n"],
        sxx=0.0,
        syy=0.0,
        sxy=0.0,
    )
    groups = pd.DataFrame(
        {"characteristic": "c", "group": list("abcde"), "ordering": range(5), "ordered": True, "is_reference": False}
    )
    found = inequality.inequality(with_intervals(cells, KINDS), KINDS, groups, BETTER)
    differ = found["academic_year"].str.startswith("differ")
    for measure in ("slope", "relative"):
        covered = found[f"{measure}_lower"].le(truth[measure]) & found[f"{measure}_upper"].ge(truth[measure])
        assert 0.93 < covered[differ].mean() < 0.97
    assert 0.03 < (found.loc[~differ, "p"] < 0.05).mean() < 0.07


def many_places(kind, n, draw, places=2_500):
    """So many places with groups of sizes n; draw: sizes → values of the students of each group, as (Σx, Σx²)."""
    size = np.tile(n, places)
    sx, sxx = draw(size)
    names = [f"g{i}" for i in range(len(n))]
    cells = pd.DataFrame({"unit": np.repeat(range(places), len(n)), "group": np.tile(names, places), "n": size,
                          "sx": sx, "sxx": sxx, "sy": size, "syy": size, "sxy": sx})  # fmt: skip
    cells = cells.assign(academic_year="y", part="year", level="all", metric=kind, characteristic="c")
    groups = pd.DataFrame({"characteristic": "c", "group": names, "ordering": range(len(n)), "ordered": True,
                           "is_reference": False})  # fmt: skip
    return inequality.inequality(with_intervals(cells, KINDS), KINDS, groups, BETTER)


@pytest.mark.parametrize("share", [0.5, 0.92])
@pytest.mark.parametrize("n", [[25] * 5, [30, 30, 30, 30, 400], [1000] * 5, [25, 1000]])
def test_groups_that_are_alike_are_seldom_told_apart(n, share):
    rng = np.random.default_rng(2)
    found = many_places("met", n, lambda size: [rng.binomial(size, share)] * 2)
    assert 0.02 < (found["p"] < 0.05).mean() < 0.075
    covered = found["slope_lower"].le(0) & found["slope_upper"].ge(0)
    assert covered.mean() > (0.92 if len(n) > 2 else 0.85)
    assert (inequality.verdict(found, TOO_WIDE) == "groups differ").mean() < 0.002


@pytest.mark.parametrize("n", [[8] * 5, [40, 60]])
def test_so_are_groups_whose_means_are_alike(n):
    rng = np.random.default_rng(3)

    def draw(size):
        each = [rng.negative_binomial(2, 0.3, k) for k in size]
        return np.array([x.sum() for x in each]), np.array([(x**2).sum() for x in each])

    assert 0.02 < (many_places("meetings", n, draw)["p"] < 0.05).mean() < 0.08


TOO_WIDE = pd.Series({"met": 0.105, "meetings": 0.875})


def test_what_is_said_of_groups():
    rows = [("a", 1e-6, 0.2), ("b", 0.04, 0.02), ("c", 0.6, 0.02), ("d", 0.6, 0.2), ("e", np.nan, 0.02)]
    frame = pd.DataFrame(rows, columns=["unit", "p", "reach"]).assign(
        metric="met", characteristic="c", academic_year="y", part="year"
    )
    said = dict(zip(frame["unit"], inequality.verdict(frame, TOO_WIDE), strict=True))
    assert said == {
        "a": "groups differ", "b": "no more than chance", "c": "no more than chance", "d": "too few to say",
        "e": "too few to say",
    }  # fmt: skip


@pytest.mark.parametrize("share", [0.0, 1.0, 0.5])
def test_groups_that_are_all_at_one_value_are_alike_and_not_too_few(share):
    same = measured([share] * 3, [400] * 3)
    assert same["p"] == 1
    frame = pd.DataFrame([same]).assign(metric="met", characteristic="c", academic_year="y", part="year")
    assert inequality.verdict(frame, TOO_WIDE).item() == "no more than chance"


def test_a_relative_index_to_next_to_nothing_is_not_given():
    assert np.isnan(measured([0.004, 0.1, 0.2], [100] * 3, ordered=True)["relative"])
    vague = measured([0.2, 0.3, 0.4], [100] * 3, ordered=True, error=[0.2] * 3)
    assert vague[["relative", "relative_lower", "relative_upper"]].isna().all()
    assert np.isfinite(vague["slope_upper"])


GROUPS = pd.DataFrame(
    [("sex", "Female", 0, False, False), ("sex", "Male", 1, False, True),
     *(("ethnicity", g, i, True, g == "White") for i, g in enumerate(["Asian", "Black", "White"]))],
    columns=["characteristic", "group", "ordering", "ordered", "is_reference"],
)  # fmt: skip


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_order_and_doubling_do_not_matter_and_nothing_is_infinite(seed):
    cells = random_cells(seed, schools=3)
    found = sorted_rows(inequality.inequality(cells, KINDS, GROUPS, BETTER), PLACE)
    assert_no_infinity(found)
    shuffled = inequality.inequality(cells.sample(frac=1, random_state=seed), KINDS, GROUPS, BETTER)
    pd.testing.assert_frame_equal(sorted_rows(shuffled, PLACE), found, check_dtype=False)
    doubled = inequality.inequality(cells.assign(sy=cells["sy"] * 2), KINDS, GROUPS, BETTER)
    pd.testing.assert_frame_equal(sorted_rows(doubled, PLACE), found, check_dtype=False)


def test_edge_cases_say_nothing():
    assert measured([0.5], [10]) is None
    zero = measured([0, 0, 0], [10, 20, 30], ordered=True, error=[0, 0, 0])
    assert zero["range"] == 0
    assert zero[["theil", "mld", "disparity", "relative", "p", "slope_lower"]].fillna("none").eq("none").sum() >= 5
    one = measured([1, 1, 1], [10, 20, 30], ordered=True)
    assert (one["range"], one["theil"], one["mld"], one["slope"]) == pytest.approx((0, 0, 0, 0), abs=1e-12)
    assert inequality.inequality(random_cells()[:0], KINDS, GROUPS, BETTER).empty
    unnamed = inequality.inequality(random_cells(), KINDS, GROUPS[:0], BETTER)
    assert unnamed.empty
