"""Pooling: is a gap the same in every school? A random-effects meta-analysis of the schools' gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from pipelines.measures import gaps, sets
from pipelines.measures.intervals import CONFIDENCE

UPPER = 0.5 + CONFIDENCE / 2
FAMILY = [*(c for c in gaps.PLACE if c != "unit"), "group"]
STEPS = 100
CLOSE = 1e-12
FEW = 5  # below as many schools, how much they differ is too little known to say where one of them lies
SURE = 0.02  # no school's share is taken to be nearer to 0 or 1, where it would have no error
COUNTS = ["n", "sx", "reference_n", "reference_sx"]

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
    alike = np.ones(len(value)) if of.alike is None else of.alike
    for _ in range(STEPS):
        count = len(active)
        weight = 1 / (variance[rows] + growth[rows] * np.nan_to_num(tau2[active])[member])
        heavy = alike[rows] * weight
        total = np.bincount(member, heavy, count)
        mean = np.bincount(member, heavy * value[rows], count) / total
        squares = heavy * (value[rows] - mean[member]) ** 2
        excess = np.bincount(member, squares, count) - wanted[active]
        slope = np.bincount(member, growth[rows] * weight * squares, count)
        with np.errstate(over="ignore"):  # an excess that no variance takes away: infinite
            step = np.divide(excess, slope, out=np.zeros(count), where=(excess > 0) & (slope > 0))
        tau2[active] += step
        going = step > CLOSE * tau2[active]
        if not going.any():
            break
        kept = going[member]
        rows, member = rows[kept], (np.cumsum(going) - 1)[member[kept]]
        active = active[going]
    return tau2


def pooled(
    cells: pd.DataFrame,
    kinds: pd.Series,
    references: pd.Series,
    schools: pd.DataFrame,
    bounded: frozenset[str] = frozenset(),
) -> Pooled:
    """The schools' gaps, pooled for the university and for each faculty.

    cells: with intervals, groups to be compared only; its rows of schools are used, at each level and at all of them.
    kinds: metric → proportion, mean or ratio. references: characteristic → reference group.
    schools: school_code, faculty_code. bounded: ratios that can never exceed 1; limits of their gaps, and of those of
    proportions, stay within −1 and 1.

    whole: PLACE, group, schools (how many have both groups), value (the pooled gap: that of the average school),
    lower, upper, tau (standard deviation of true gaps between schools), tau_upper, i2 (share of the differences
    between schools beyond chance), p (that all schools have the same gap), likely_lower, likely_upper (where the gap
    of another such school would lie, 95%).
    schools: PLACE (unit: the university or faculty), school (unit), group, gap, error, value (the gap drawn towards
    the pooled one), lower, upper.
    All in the metric's unit. With one school tau, i2, p and every limit of `whole` are NaN; below five there is no
    likely range and no row in `schools`. Schools whose gap has no standard error (of means: no spread, or one student)
    are left out.

    Errors of proportions: as if every school had the set's like-for-like gap, see `_of_same_gap`. τ²: Paule & Mandel
    (1982). Pooled gap: inverse-variance weights and Student's t with schools − 1, which with this τ² is Hartung &
    Knapp's (2001) interval, never narrower than without it. τ's upper limit: Q-profile (Viechtbauer, 2007). I²:
    (Q − (k − 1))/Q (Higgins & Thompson, 2002). Likely range: Higgins, Thompson & Spiegelhalter (2009). Drawn towards:
    empirical Bayes (Raudenbush & Bryk, 1985), its error with Morris's (1983) term for a τ² that is not known,
    Student's t with schools − 1.
    """
    every = school_gaps(cells, kinds, references)
    is_p = sets.is_kind(every["metric"], kinds, "proportion")
    every["is_proportion"], every["limit"] = is_p, np.where(is_p | every["metric"].isin(bounded), 1, np.inf)
    both = [_of_parents(every, parent) for parent in sets.parents(schools)]
    return Pooled(*(sets.stacked(frames) for frames in zip(*both, strict=True)))


def school_gaps(cells: pd.DataFrame, kinds: pd.Series, references: pd.Series) -> pd.DataFrame:
    """FAMILY, unit, gap (group minus reference), its standard error and COUNTS, for every school that has a gap.

    Proportions: an error that rests on a school's own few students goes with its gap and makes schools seem to
    differ. Theirs is NaN here; it comes with the set of schools.
    """
    rows = cells.take(np.flatnonzero(sets.is_school(cells["unit"])))
    one, two = sets.pairs(rows, references, gaps.PLACE)
    keys = rows[[*FAMILY, "unit"]].take(one).reset_index(drop=True)
    v1, v0, e1, e0, n1, n0, x1, x0 = (
        rows[c].to_numpy(float)[at] for c in ("value", "error", "n", "sx") for at in (one, two)
    )
    error = np.sqrt(e1**2 + e0**2)
    found = keys.assign(gap=v1 - v0, error=error, **dict(zip(COUNTS, (n1, x1, n0, x0), strict=True)))
    return found.take(np.flatnonzero((error > 0) | sets.is_kind(keys["metric"], kinds, "proportion")))


def _of_same_gap(x1: np.ndarray, n1: np.ndarray, x0: np.ndarray, n0: np.ndarray, of: sets.Sets) -> np.ndarray:
    """The variance of each school's difference of two proportions, if all schools of its set had the same one.

    That is the set's like-for-like difference (Mantel & Haenszel, 1959), laid about the school's own share of both
    groups together, with two students of the set's share added to it: then the error does not go with the gap.
    """
    n = n1 + n0
    weight, own = n1 * n0 / n, n1 / n
    gap = (of.sum(weight * (x1 / n1 - x0 / n0)) / of.sum(weight))[of.of]
    overall = (of.sum(x1 + x0) / of.sum(n))[of.of]
    share = (x1 + x0 + 2 * overall) / (n + 2)
    p1, p0 = np.clip(share + gap * (1 - own), SURE, 1 - SURE), np.clip(share - gap * own, SURE, 1 - SURE)
    return p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0


def _of_parents(every: pd.DataFrame, parent: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    every = every.assign(parent=sets.lookup(every["unit"], parent))
    every = every.take(np.flatnonzero(every["parent"].notna()))
    of = sets.number(every, [*FAMILY, "parent"])
    d, n1, x1, n0, x0 = (every[c].to_numpy(float) for c in ("gap", *COUNTS))
    own_error, bound = every["error"].to_numpy(float), every["limit"].to_numpy(float)
    v = np.where(every["is_proportion"], _of_same_gap(x1, n1, x0, n0, of), own_error**2)
    k = of.size
    tau2 = paule_mandel(d, v, of)
    with np.errstate(divide="ignore", invalid="ignore"):
        highest = paule_mandel(d, v, of, target=special.chdtri(k - 1, UPPER))
        fixed = of.sum(d / v) / of.sum(1 / v)
        q = of.sum((d - fixed[of.of]) ** 2 / v)
        between = np.nan_to_num(tau2)[of.of]
        weight = 1 / (v + between)
        mean, error = of.sum(weight * d) / of.sum(weight), np.sqrt(1 / of.sum(weight))
        t = special.stdtrit(np.maximum(k - 1, 1), UPPER)
        reach = np.where(k > 1, t, np.nan) * error
        likely = np.where(k >= FEW, special.stdtrit(np.maximum(k - 2, 1), UPPER), np.nan) * np.sqrt(tau2 + error**2)
        i2 = np.where(k > 1, np.maximum(1 - (k - 1) / np.maximum(q, k - 1), 0), np.nan)
        p = np.where(k > 1, special.chdtrc(np.maximum(k - 1, 1), q), np.nan)
    whole = every[[*FAMILY, "parent"]].take(of.first).rename(columns={"parent": "unit"})
    limit = bound[of.first]
    whole = whole.assign(
        schools=k, value=mean, lower=np.maximum(mean - reach, -limit), upper=np.minimum(mean + reach, limit),
        tau=np.sqrt(tau2), tau_upper=np.sqrt(highest), i2=i2, p=p,
        likely_lower=np.maximum(mean - likely, -limit), likely_upper=np.minimum(mean + likely, limit),
    )  # fmt: skip
    rows = np.flatnonzero((k >= FEW)[of.of])
    place, d, v, between, limit = of.of[rows], d[rows], v[rows], between[rows], bound[rows]
    own = between / (between + v)  # how far a school's gap stands for itself
    drawn = own * d + (1 - own) * mean[place]
    vague = 2 / (k[place] - 3) * (d - mean[place]) ** 2  # what not knowing τ² adds
    unsure = t[place] * np.sqrt(own * v + (1 - own) ** 2 * (error[place] ** 2 + vague))
    members = every[[*FAMILY, "unit", "parent", "gap"]].take(rows)
    members = members.rename(columns={"unit": "school", "parent": "unit"}).assign(error=np.sqrt(v), value=drawn)
    return whole, members.assign(lower=np.maximum(drawn - unsure, -limit), upper=np.minimum(drawn + unsure, limit))


def verdict(whole: pd.DataFrame) -> pd.Series:
    """Whether the gap differs between schools, in words. whole: as in `Pooled.whole`, with p or p_adjusted."""
    p = whole["p_adjusted"] if "p_adjusted" in whole else whole["p"]
    words = sets.said([p.isna(), p < gaps.SIGNIFICANT], [gaps.TOO_FEW, DIFFERS], default=SAME)
    return pd.Series(words, index=whole.index)
