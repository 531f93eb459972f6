"""Gaps agree with published intervals, keep their sign, and are judged with doubt."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from pipelines.measures import gaps
from pipelines.measures.intervals import proportion, with_intervals

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
    assert found["p"] == pytest.approx(expected.pvalue)
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
