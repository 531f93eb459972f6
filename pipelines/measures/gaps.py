"""Gaps: each group against its reference group, or everyone else, with an interval, a p-value and words."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from pipelines.measures import intervals, sets

PLACE = ["academic_year", "part", "level", "unit", "metric", "characteristic"]
KEY = [*PLACE, "group"]
SUMS = ["n", "sx", "sxx", "sy", "syy", "sxy"]
ELSE = "everyone else"
FAMILY = ["metric", "characteristic", "academic_year", "part"]
SIGNIFICANT = 1 - intervals.CONFIDENCE

CLEAR, POSSIBLE, NONE, TOO_FEW = "clear gap", "possible gap", "no clear gap", "too few to say"


def newcombe(
    p1: np.ndarray, l1: np.ndarray, u1: np.ndarray, p2: np.ndarray, l2: np.ndarray, u2: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Limits of p1 − p2 from the two Wilson intervals (Newcombe, 1998, method 10)."""
    difference = p1 - p2
    return (
        difference - np.sqrt((p1 - l1) ** 2 + (u2 - p2) ** 2),
        difference + np.sqrt((u1 - p1) ** 2 + (p2 - l2) ** 2),
    )


def pooled_z(x1: np.ndarray, n1: np.ndarray, x2: np.ndarray, n2: np.ndarray) -> np.ndarray:
    """Two-sided p-value that two proportions are equal (score test with the pooled proportion)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        p = (x1 + x2) / (n1 + n2)
        z = (x1 / n1 - x2 / n2) / np.sqrt(p * (1 - p) * (1 / n1 + 1 / n2))
    return np.where((p == 0) | (p == 1), 1.0, 2 * special.ndtr(-np.abs(z)))


def welch(
    difference: np.ndarray, e1: np.ndarray, n1: np.ndarray, e2: np.ndarray, n2: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Limits and p-value of a difference between two means or ratios with standard errors e1, e2 (Welch, 1947).

    Two groups without any spread give no interval: the result is NaN, never a certain gap.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(e1**2 + e2**2)
        df = error**4 / (e1**4 / (n1 - 1) + e2**4 / (n2 - 1))
        lower, upper = intervals.student(difference, error, df)
        p = 2 * special.stdtr(df, -np.abs(difference / error))
    known = error > 0
    return np.where(known, lower, np.nan), np.where(known, upper, np.nan), np.where(known, p, np.nan)


def one_spread(
    difference: np.ndarray,
    e1: np.ndarray, n1: np.ndarray, sy1: np.ndarray,
    e2: np.ndarray, n2: np.ndarray, sy2: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Two-sided p-value of a difference between two means or ratios if both groups have the same spread (Student).

    The spread of a few students goes with their mean where counts are skewed: a group with few meetings by chance seems
    surer of it than it is. What both groups share does not.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        df = n1 + n2 - 2
        spread = ((n1 - 1) * e1**2 * sy1**2 / n1 + (n2 - 1) * e2**2 * sy2**2 / n2) / df
        error = np.sqrt(spread * (n1 / sy1**2 + n2 / sy2**2))
        return 2 * special.stdtr(df, -np.abs(difference / error))


def against_reference(cells: pd.DataFrame, kinds: pd.Series, references: pd.Series) -> pd.DataFrame:
    """Every group's gap to its reference group in the same unit, level and period.

    cells: with intervals, groups to be compared only. references: characteristic → reference group.
    Returns PLACE, group, reference, n, reference_n, value (group minus reference), lower, upper, p (means and ratios:
    the larger of Welch's and that of one spread), ratio (group over reference; NaN where the reference's value is 0).
    Groups whose reference has nobody are left out.
    """
    one, two = sets.pairs(cells, references, PLACE)
    return between(cells.take(one), cells.take(two), kinds)


def against_everyone_else(cells: pd.DataFrame, kinds: pd.Series, bounded: frozenset[str] = frozenset()) -> pd.DataFrame:
    """Every group's gap to all other groups of its characteristic together, in the same unit, level and period.

    cells: groups to be compared only. kinds, bounded: as `with_intervals` has them.
    Returns the same as `against_reference`, `reference` being the words 'everyone else'. A group without others in
    its place is left out.
    """
    of = sets.number(cells, PLACE)
    rows = np.flatnonzero((of.size > 1)[of.of])
    own = cells.take(rows)
    sums = {c: of.sum(cells[c].to_numpy(float))[of.of[rows]] - own[c].to_numpy(float) for c in SUMS}
    others = intervals.with_intervals(own[KEY].assign(group=sets.always(ELSE, len(own)), **sums), kinds, bounded)
    return between(own, others, kinds)


def between(one: pd.DataFrame, two: pd.DataFrame, kinds: pd.Series) -> pd.DataFrame:
    """The gap of each row of `one` to the same row of `two`, cells with intervals; see `against_reference`."""
    columns = ("n", "sx", "sy", "value", "lower", "upper", "error")
    n1, x1, y1, v1, l1, u1, e1 = (one[c].to_numpy(float) for c in columns)
    n2, x2, y2, v2, l2, u2, e2 = (two[c].to_numpy(float) for c in columns)
    is_p = sets.is_kind(one["metric"], kinds, "proportion")
    lower, upper, p = welch(v1 - v2, e1, n1, e2, n2)
    p = np.maximum(p, one_spread(v1 - v2, e1, n1, y1, e2, n2, y2))
    low_p, high_p = newcombe(v1, l1, u1, v2, l2, u2)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(v2 > 0, v1 / v2, np.nan)
    figures = {
        "n": n1,
        "reference_n": n2,
        "value": v1 - v2,
        "lower": np.where(is_p, low_p, lower),
        "upper": np.where(is_p, high_p, upper),
        "p": np.where(is_p, pooled_z(x1, n1, x2, n2), p),
        "ratio": ratio,
    }
    return one[KEY].reset_index(drop=True).assign(reference=two["group"].array, **figures)


def adjusted(p: pd.Series, family: list[pd.Series]) -> pd.Series:
    """p-values adjusted within each family (Benjamini & Hochberg, 1995). NaN stays NaN and is not counted."""
    rows = np.flatnonzero(p.notna())
    found = p.to_numpy(float)[rows]
    keys = pd.DataFrame({str(i): f.array[rows] for i, f in enumerate(family)})
    of = sets.number(keys, list(keys))
    order = np.lexsort((-found, of.of))  # family by family, the largest p first
    size, start = of.size[of.of[order]], (np.cumsum(of.size) - of.size)[of.of[order]]
    raised = found[order] * size / (size - (np.arange(len(order)) - start))
    out = np.full(len(p), np.nan)
    out[rows[order]] = pd.Series(raised).groupby(of.of[order]).cummin().clip(upper=1.0)
    return pd.Series(out, index=p.index)


def evidence(gaps: pd.DataFrame, material: pd.Series, too_wide: pd.Series) -> pd.Series:
    """Evidence in words for gaps with value, lower, upper, p and p_adjusted.

    clear gap       unlikely to be chance after adjusting for all gaps looked at, material, and 0 not in the interval
    possible gap    unlikely to be chance looked at alone, and material
    too few to say  the interval reaches further than `too_wide` and holds no evidence
    no clear gap    anything else
    material, too_wide: metric → size in the units of value.
    """
    needed, limit = (sets.lookup(gaps["metric"], m).astype(float) for m in (material, too_wide))
    large = gaps["value"].abs() >= needed
    reach = (gaps["upper"] - gaps["lower"]) / 2
    words = sets.said(
        [
            gaps["p"].isna() | gaps["lower"].isna(),
            (gaps["p_adjusted"] < SIGNIFICANT) & large & (gaps["lower"] * gaps["upper"] > 0),
            (gaps["p"] < SIGNIFICANT) & large,
            reach > limit,
        ],
        [TOO_FEW, CLEAR, POSSIBLE, TOO_FEW],
        default=NONE,
    )
    return pd.Series(words, index=gaps.index)


def direction(gaps: pd.DataFrame, better: pd.Series) -> pd.Series:
    """'worse' or 'better' for the group where there is evidence of a gap, else 'none'.

    better: metric → higher, lower or neither.
    """
    good = sets.lookup(gaps["metric"], better.map({"higher": 1, "lower": -1, "neither": 0})).astype(float)
    sign = np.sign(gaps["value"]) * good * gaps["evidence"].isin([CLEAR, POSSIBLE])
    return pd.Series(sets.said([sign > 0, sign < 0], ["better", "worse"], default="none"), index=gaps.index)
