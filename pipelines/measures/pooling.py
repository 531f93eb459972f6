"""Pooling: is a gap the same in every school? A random-effects meta-analysis of the schools' gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from pipelines.measures import gaps, sets
from pipelines.measures.intervals import CONFIDENCE

UPPER = 0.5 + CONFIDENCE / 2
Z = special.ndtri(UPPER)
FAMILY = [*(c for c in gaps.PLACE if c != "unit"), "group"]
STEPS = 100
CLOSE = 1e-12

SAME, DIFFERS = "no clear difference between schools", "differs between schools"


@dataclass(frozen=True)
class Pooled:
    """whole: a row per gap of the university or a faculty. schools: each school's gap, drawn towards the pooled one."""

    whole: pd.DataFrame
    schools: pd.DataFrame


def paule_mandel(
    value: np.ndarray,
    variance: np.ndarray,
    of: sets.Sets,
    target: np.ndarray | None = None,
    growth: np.ndarray | None = None,
) -> np.ndarray:
    """The variance between the members of each set (τ²) at which Σ(value − mean)²/(variance + growth·τ²) = target.

    target: by default the members less one, which is Paule & Mandel's (1982) estimate; a quantile of χ² with that many
    degrees of freedom gives a limit of its interval (Viechtbauer, 2007). growth: 1 by default.
    Newton's method from 0, for all sets at once (DerSimonian & Kacker, 2007). NaN with fewer than two members.
    """
    growth = np.ones_like(value) if growth is None else growth
    wanted = of.size - 1.0 if target is None else target
    tau2 = np.where(of.size < 2, np.nan, 0.0)
    active = np.arange(len(of))
    rows, member = np.arange(len(value)), of.of
    for _ in range(STEPS):
        count = len(active)
        weight = 1 / (variance[rows] + growth[rows] * np.nan_to_num(tau2[active])[member])
        total = np.bincount(member, weight, count)
        mean = np.bincount(member, weight * value[rows], count) / total
        squares = weight * (value[rows] - mean[member]) ** 2
        excess = np.bincount(member, squares, count) - wanted[active]
        slope = np.bincount(member, growth[rows] * weight * squares, count)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.where((excess > 0) & (slope > 0), excess / slope, 0)
        tau2[active] += step
        going = step > CLOSE * tau2[active]
        if not going.any():
            break
        kept = going[member]
        rows, member = rows[kept], (np.cumsum(going) - 1)[member[kept]]
        active = active[going]
    return tau2


def pooled(cells: pd.DataFrame, kinds: pd.Series, references: pd.Series, schools: pd.DataFrame) -> Pooled:
    """The schools' gaps, pooled for the university and for each faculty.

    cells: with intervals, groups to be compared only; its rows of schools are used, at each level and at all of them.
    kinds: metric → proportion, mean or ratio. references: characteristic → reference group.
    schools: school_code, faculty_code.

    whole: PLACE, group, schools (how many have both groups), value (the pooled gap: that of the average school),
    lower, upper, tau (standard deviation of true gaps between schools), tau_upper, i2 (share of the differences
    between schools beyond chance), p (that all schools have the same gap), likely_lower, likely_upper (where the gap
    of another such school would lie, 95%).
    schools: PLACE (unit: the university or faculty), school (unit), group, gap, error, value (the gap drawn towards
    the pooled one), lower, upper.
    All in the metric's unit. With one school tau, i2, p and every limit of `whole` are NaN; the likely range needs
    three. Schools whose gap has no standard error (no spread, or one student) are left out.

    τ²: Paule & Mandel (1982). Pooled gap: inverse-variance weights and Student's t with schools − 1, which with this τ²
    is Hartung & Knapp's (2001) interval, never narrower than without it. τ's upper limit: Q-profile (Viechtbauer,
    2007). I²: (Q − (k − 1))/Q (Higgins & Thompson, 2002). Likely range: Higgins, Thompson & Spiegelhalter (2009).
    Drawn towards: empirical Bayes (Raudenbush & Bryk, 1985).
    """
    every = school_gaps(cells, kinds, references)
    both = [_of_parents(every, parent) for parent in sets.parents(schools)]
    whole, members = (pd.concat(frames, ignore_index=True) for frames in zip(*both, strict=True))
    return Pooled(whole, members)


def school_gaps(cells: pd.DataFrame, kinds: pd.Series, references: pd.Series) -> pd.DataFrame:
    """FAMILY, unit, gap (group minus reference) and its standard error, for every school that has one.

    Proportions: the error that gives the width of Newcombe's limits, so that it is never 0.
    """
    rows = cells.take(np.flatnonzero(sets.is_school(cells["unit"])))
    one, two = sets.pairs(rows, references, gaps.PLACE)
    keys = rows[[*FAMILY, "unit"]].take(one).reset_index(drop=True)
    v1, v0, l1, l0, u1, u0, e1, e0 = (
        rows[c].to_numpy(float)[at] for c in ("value", "lower", "upper", "error") for at in (one, two)
    )
    lower, upper = gaps.newcombe(v1, l1, u1, v0, l0, u0)
    from_limits = np.sqrt(((v1 - v0 - lower) ** 2 + (upper - v1 + v0) ** 2) / 2) / Z
    is_p = sets.is_kind(keys["metric"], kinds, "proportion")
    error = np.where(is_p, from_limits, np.sqrt(e1**2 + e0**2))
    return keys.assign(gap=v1 - v0, error=error).take(np.flatnonzero(error > 0))


def _of_parents(every: pd.DataFrame, parent: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    every = every.assign(parent=sets.lookup(every["unit"], parent))
    every = every.take(np.flatnonzero(every["parent"].notna()))
    of = sets.number(every, [*FAMILY, "parent"])
    d, v = every["gap"].to_numpy(float), every["error"].to_numpy(float) ** 2
    k = of.size
    tau2 = paule_mandel(d, v, of)
    with np.errstate(divide="ignore", invalid="ignore"):
        highest = paule_mandel(d, v, of, target=special.chdtri(k - 1, UPPER))
        fixed = of.sum(d / v) / of.sum(1 / v)
        q = of.sum((d - fixed[of.of]) ** 2 / v)
        between = np.nan_to_num(tau2)[of.of]
        weight = 1 / (v + between)
        mean, error = of.sum(weight * d) / of.sum(weight), np.sqrt(1 / of.sum(weight))
        reach = np.where(k > 1, special.stdtrit(np.maximum(k - 1, 1), UPPER), np.nan) * error
        likely = np.where(k > 2, special.stdtrit(np.maximum(k - 2, 1), UPPER), np.nan) * np.sqrt(tau2 + error**2)
        i2 = np.where(k > 1, np.maximum(1 - (k - 1) / np.maximum(q, k - 1), 0), np.nan)
        own = between / (between + v)  # how far a school's gap stands for itself
    whole = every[[*FAMILY, "parent"]].take(of.first).rename(columns={"parent": "unit"})
    whole = whole.assign(
        schools=k, value=mean, lower=mean - reach, upper=mean + reach,
        tau=np.sqrt(tau2), tau_upper=np.sqrt(highest), i2=i2,
        p=np.where(k > 1, special.chdtrc(np.maximum(k - 1, 1), q), np.nan),
        likely_lower=mean - likely, likely_upper=mean + likely,
    )  # fmt: skip
    drawn = own * d + (1 - own) * mean[of.of]
    unsure = Z * np.sqrt(own * v + ((1 - own) * error[of.of]) ** 2)
    members = every.rename(columns={"unit": "school", "parent": "unit"})
    return whole, members.assign(value=drawn, lower=drawn - unsure, upper=drawn + unsure)


def verdict(whole: pd.DataFrame) -> pd.Series:
    """Whether the gap differs between schools, in words. whole: as in `Pooled.whole`, with p or p_adjusted."""
    p = whole["p_adjusted"] if "p_adjusted" in whole else whole["p"]
    words = sets.said([p.isna(), p < gaps.SIGNIFICANT], [gaps.TOO_FEW, DIFFERS], default=SAME)
    return pd.Series(words, index=whole.index)
