"""Gaps agree with published intervals, keep their sign, and are judged with doubt."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.stats.proportion import test_proportions_2indep as proportions_2indep

from pipelines.measures import gaps
from pipelines.measures.intervals import proportion, with_intervals
from tests.measures.building import shared

KINDS = pd.Series({"met": "proportion", "meetings": "mean"})
REFERENCES = pd.Series({"sex": "Male"}, dtype=object)


def cells(metric, group_stats):
    """Cells of one unit: {group: (n, sx, sxx)}."""
    rows = [
        {
            "academic_year": "2024/25", "part": "year", "level": "all", "unit": "university",
            "metric": metric, "characteristic": "sex", "group": group,
            "n": n, "sx": sx, "sxx": sxx, "sy": n, "syy": n, "sxy": sx,
        }
        for group, (n, sx, sxx) in group_stats.items()
    ]  # fmt: skip
    return with_intervals(pd.DataFrame(rows), KINDS)


@pytest.mark.parametrize(
    ("x1", "n1", "x2", "n2", "lower", "upper"),
    [  # Newcombe (1998), Statistics in Medicine 17:873, table II, method 10
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (6, 7, 2, 7, 0.0582, 0.8062),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 20, -0.1611, 0.2775),
        (0, 10, 0, 10, -0.2775, 0.2775),
        (10, 10, 0, 20, 0.6791, 1.0000),
        (10, 10, 0, 10, 0.6075, 1.0000),
    ],
)
def test_a_gap_between_proportions_has_newcombes_interval(x1, n1, x2, n2, lower, upper):
    p1, p2 = proportion(np.array([x1]), np.array([n1])), proportion(np.array([x2]), np.array([n2]))
    low, high = gaps.newcombe(*p1, *p2)
    assert (low[0], high[0]) == pytest.approx((lower, upper), abs=5e-5)


def test_a_gap_between_means_is_welchs():
    rng = np.random.default_rng(3)
    a, b = rng.poisson(3, 40).astype(float), rng.poisson(4, 25).astype(float)
    found = gaps.against_reference(
        cells("meetings", {"Female": (40, a.sum(), (a**2).sum()), "Male": (25, b.sum(), (b**2).sum())}),
        KINDS,
        REFERENCES,
    ).iloc[0]
    expected = stats.ttest_ind(a, b, equal_var=False)
    limits = expected.confidence_interval()
    assert found["value"] == pytest.approx(a.mean() - b.mean())
    assert found["p"] == pytest.approx(max(expected.pvalue, stats.ttest_ind(a, b).pvalue))
    assert (found["lower"], found["upper"]) == pytest.approx((limits.low, limits.high))


def test_swapping_group_and_reference_turns_the_gap_round():
    both = cells("met", {"Female": (60, 30, 30), "Male": (50, 40, 40)})
    one = gaps.against_reference(both, KINDS, REFERENCES).iloc[0]
    other = gaps.against_reference(both, KINDS, pd.Series({"sex": "Female"}, dtype=object)).iloc[0]
    assert (one["value"], one["lower"], one["upper"]) == pytest.approx(
        (-other["value"], -other["upper"], -other["lower"])
    )
    assert one["p"] == pytest.approx(other["p"])


def test_without_a_reference_there_is_no_gap():
    assert gaps.against_reference(cells("met", {"Female": (60, 30, 30)}), KINDS, REFERENCES).empty


def test_groups_without_any_spread_give_no_certain_gap():
    found = gaps.against_reference(
        cells("meetings", {"Female": (30, 30.0, 30.0), "Male": (30, 60.0, 120.0)}), KINDS, REFERENCES
    ).iloc[0]
    assert np.isnan(found["p"])
    assert np.isnan(found["lower"])


def test_p_values_are_adjusted_within_families_as_statsmodels_does():
    rng = np.random.default_rng(5)
    p = pd.Series(rng.uniform(0, 0.2, 60))
    p[[3, 40]] = np.nan
    family = pd.Series(["a"] * 30 + ["b"] * 30)
    found = gaps.adjusted(p, [family])
    for name in ("a", "b"):
        known = p[(family == name) & p.notna()]
        assert found[known.index].to_list() == pytest.approx(multipletests(known, method="fdr_bh")[1].tolist())
    assert found[[3, 40]].isna().all()


@pytest.mark.parametrize(
    ("value", "reach", "p", "p_adjusted", "words"),
    [
        (-0.10, 0.04, 0.0001, 0.001, "clear gap"),
        (-0.10, 0.09, 0.03, 0.20, "possible gap"),
        (-0.10, 0.10, 0.01, 0.04, "possible gap"),  # an interval that touches 0 is never beside 'clear gap'
        (-0.02, 0.01, 0.0001, 0.001, "no clear gap"),  # certain, and too small to matter
        (-0.04, 0.05, 0.30, 0.60, "no clear gap"),
        (-0.10, 0.20, 0.30, 0.60, "too few to say"),
        (-0.10, np.nan, np.nan, np.nan, "too few to say"),
    ],
)
def test_evidence_in_words(value, reach, p, p_adjusted, words):
    gap = pd.DataFrame(
        {
            "metric": ["met"],
            "value": [value],
            "lower": [value - reach],
            "upper": [value + reach],
            "p": [p],
            "p_adjusted": [p_adjusted],
        }
    )
    assert gaps.evidence(gap, pd.Series({"met": 0.03}), pd.Series({"met": 0.105}))[0] == words


@pytest.mark.parametrize(
    ("value", "evidence", "better", "words"),
    [
        (-0.1, "clear gap", "higher", "worse"),
        (-0.1, "possible gap", "lower", "better"),
        (-0.1, "no clear gap", "higher", "none"),
        (-0.1, "clear gap", "neither", "none"),
    ],
)
def test_direction_is_said_only_with_evidence(value, evidence, better, words):
    gap = pd.DataFrame({"metric": ["met"], "value": [value], "evidence": [evidence]})
    assert gaps.direction(gap, pd.Series({"met": better}))[0] == words


NEWCOMBE = {  # the name of the method there, and to how much the limits are given
    "newcombe1998_table2_method10": ("newcombe_method10_score_no_cc", 5.1e-5),
    "sas_wuss2016_diff": ("newcombe-score", 5.1e-5),
    "statsmodels_0150_computed": ("newcomb", 1e-9),
    "statsmodels_fagerland_propcis": ("newcomb", 5e-3),
}


@pytest.mark.parametrize("file", NEWCOMBE)
def test_every_published_interval_by_newcombes_method(file):
    method, close = NEWCOMBE[file]
    theirs = pd.read_csv(shared(f"prop_diff/{file}.csv"))
    theirs = theirs[theirs["method"] == method]
    if "compare" in theirs:
        theirs = theirs[theirs["compare"] == "diff"]
    x1, n1, x2, n2 = (theirs[c].to_numpy(float) for c in ("x1", "n1", "x2", "n2"))
    limits = gaps.newcombe(*proportion(x1, n1), *proportion(x2, n2))
    for ours, column in zip(limits, ("lower", "upper"), strict=True):
        np.testing.assert_allclose(ours, theirs[column], rtol=0, atol=close)
    assert len(theirs) >= 1


def test_nobody_against_nobody_and_everybody_against_nobody_keep_an_interval_within_1():
    n = np.arange(1, 300)
    none, every = proportion(np.zeros_like(n), n), proportion(n, n)
    for low, high in (gaps.newcombe(*none, *none), gaps.newcombe(*every, *none), gaps.newcombe(*every, *every)):
        assert ((high > low) & (low >= -1 - 1e-12) & (high <= 1 + 1e-12)).all()


def test_ten_thousand_random_gaps_agree_with_statsmodels_and_scipy():
    rng = np.random.default_rng(2)
    n1, n2 = rng.integers(2, 2_000, (2, 10_000))
    x1, x2 = rng.binomial(n1, rng.random(10_000)), rng.binomial(n2, rng.random(10_000))
    low, high = gaps.newcombe(*proportion(x1, n1), *proportion(x2, n2))
    p = gaps.pooled_z(*(a.astype(float) for a in (x1, n1, x2, n2)))
    theirs = confint_proportions_2indep(x1, n1, x2, n2, method="newcomb", compare="diff")
    np.testing.assert_allclose((low, high), theirs, rtol=0, atol=1e-9)
    some = (x1 + x2 > 0) & (x1 + x2 < n1 + n2)
    # χ² of the two by two table, without Yates' correction, which scipy takes one by one
    for i in np.flatnonzero(some)[::20]:
        theirs = stats.chi2_contingency([[x1[i], n1[i] - x1[i]], [x2[i], n2[i] - x2[i]]], correction=False)
        assert p[i] == pytest.approx(theirs.pvalue, abs=1e-9)
    with np.errstate(divide="ignore", invalid="ignore"):
        theirs = proportions_2indep(x1, n1, x2, n2, method="score", correction=False)
    np.testing.assert_allclose(p[some], theirs.pvalue[some], rtol=0, atol=1e-9)

    m1, m2 = rng.normal(3, 1, (2, 10_000))
    s1, s2 = rng.uniform(0.2, 3, (2, 10_000))
    limits = gaps.welch(m1 - m2, s1 / n1**0.5, n1, s2 / n2**0.5, n2)
    theirs = stats.ttest_ind_from_stats(m1, s1, n1, m2, s2, n2, equal_var=False)
    np.testing.assert_allclose(limits[2], theirs.pvalue, rtol=0, atol=1e-9)
    theirs = stats.ttest_ind_from_stats(m1, s1, n1, m2, s2, n2)
    p = gaps.one_spread(m1 - m2, s1 / n1**0.5, n1, n1, s2 / n2**0.5, n2, n2)
    np.testing.assert_allclose(p, theirs.pvalue, rtol=0, atol=1e-9)
    error = np.sqrt(s1**2 / n1 + s2**2 / n2)
    df = error**4 / ((s1**2 / n1) ** 2 / (n1 - 1) + (s2**2 / n2) ** 2 / (n2 - 1))
    np.testing.assert_allclose(limits[:2], stats.t.interval(0.95, df, loc=m1 - m2, scale=error), rtol=0, atol=1e-9)
