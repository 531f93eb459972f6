"""Consistency: how far schools, or tutors within a school, differ beyond chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import special

from pipelines.measures import gaps, sets
from pipelines.measures.intervals import CONFIDENCE
from pipelines.measures.pooling import paule_mandel

UPPER = 0.5 + CONFIDENCE / 2
MEDIAN = np.sqrt(2) * special.ndtri(0.75)  # of the distance between two draws with standard deviation 1
TENTH = special.ndtri(0.9)
WIDEST = 4.0  # standard deviations on the logit scale above this are given as this: a median odds ratio of 45
STEPS = 60
BY_PARENT = ["academic_year", "part", "level", "metric", "parent"]
FAMILY = ["metric", "academic_year", "part"]
# one-sided, since members are never more alike than chance: so that the words and the two-sided limits agree
SIGNIFICANT = (1 - CONFIDENCE) / 2

CHANCE, DIFFERS = "no more than chance", "differs beyond chance"


def consistency(members: pd.DataFrame, by: Sequence[str], fewest: int = 3, smallest: int = 1) -> pd.DataFrame:
    """How far the members of each set differ in a proportion.

    members: `by`, n, sx (how many of the n): a row per school, or per tutor. fewest: a set needs this many members.
    smallest: members with fewer than this do not count.

    Returns `by`, members, n, value (of the middle member), odds_ratio (median odds ratio), odds_ratio_lower,
    odds_ratio_upper, low, high (the range of the middle 80% of members), p (that all are alike). Values are fractions.
    Only sets with enough members; everything but members and n is NaN where nobody, or everybody, counts.

    The median odds ratio (Larsen & Merlo, 2005): of two members picked at random, by how much the odds of the higher
    exceed those of the lower, in the median; 1 is perfectly consistent. It is exp(√2 · 0.6745 · σ) with σ the standard
    deviation between members on the logit scale. σ and the middle are those of the logit-normal distribution whose
    mean and variance are the members': the variance V solves Σ(x/n − mean)²/(V + (P(1−P) − V)/n) = members − 1
    (Kleinman, 1973, with Paule & Mandel's, 1982, equation), which stays right for members with few students, where
    the variance of observed logits does not. Limits: Q-profile (Viechtbauer, 2007). p: χ² test.
    """
    rows = members.take(np.flatnonzero((members["n"] >= max(smallest, 1)).to_numpy(bool)))
    of = sets.number(rows, by)
    rows = rows.take(np.flatnonzero(of.size[of.of] >= fewest))
    of = sets.number(rows, by)
    n, x = rows["n"].to_numpy(float), rows["sx"].to_numpy(float)
    k, total = of.size, of.sum(n)
    overall = of.sum(x) / total
    chance = overall * (1 - overall)
    varies = chance > 0
    known = varies[of.of]
    share = np.where(known, x / n, 0)
    alone = np.where(known, chance[of.of], 1) / n
    df = np.maximum(k - 1, 1)
    between, lowest, highest = (
        paule_mandel(share, alone, of, target.astype(float), 1 - 1 / n)
        for target in (df, special.chdtri(df, 1 - UPPER), special.chdtri(df, UPPER))
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = 1 / (alone + (1 - 1 / n) * np.nan_to_num(between)[of.of])
        mean = of.sum(weight * share) / of.sum(weight)
    middle, spread = logit_normal(np.tile(mean, 3), np.concatenate([between, lowest, highest]))
    middle, (spread, *limits) = middle[: len(of)], spread.reshape(3, -1)
    q = of.sum((share - overall[of.of]) ** 2 / alone)
    figures = {
        "value": special.expit(middle),
        "odds_ratio": np.exp(MEDIAN * spread),
        "odds_ratio_lower": np.exp(MEDIAN * limits[0]),
        "odds_ratio_upper": np.exp(MEDIAN * limits[1]),
        "low": special.expit(middle - TENTH * spread),
        "high": special.expit(middle + TENTH * spread),
        "p": special.chdtrc(df, q),
    }
    ok = varies & (k > 1)
    out = rows[list(by)].take(of.first).assign(members=k, n=total.astype(int))
    return out.assign(**{c: np.where(ok, f, np.nan) for c, f in figures.items()}).reset_index(drop=True)


def logit_normal(mean: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation, on the logit scale, of the logit-normal shares with this mean and variance.

    Newton's method on both at once with Gauss–Hermite quadrature. NaN in, NaN out; at most WIDEST.
    """
    z, weights = np.polynomial.hermite_e.hermegauss(41)
    weights = weights / weights.sum()
    wanted = np.clip(mean, 1e-9, 1 - 1e-9)
    flat = wanted * (1 - wanted)
    second = wanted**2 + np.clip(variance, 0, flat)
    spread = np.minimum(np.sqrt(second - wanted**2) / flat, WIDEST / 2)
    spread = np.where(variance > 0, spread, 0)
    middle = special.logit(wanted) * np.sqrt(1 + 0.346 * spread**2)
    active = np.flatnonzero(spread > 0)
    for _ in range(STEPS):
        m, s = middle[active], spread[active]
        share = special.expit(m[:, None] + s[:, None] * z)
        slope = share * (1 - share)
        f, f_m, f_s = share @ weights - wanted[active], slope @ weights, slope @ (z * weights)
        slope *= 2 * share
        g, g_m, g_s = (share**2) @ weights - second[active], slope @ weights, slope @ (z * weights)
        with np.errstate(divide="ignore", invalid="ignore"):
            step_s = np.nan_to_num((g * f_m - f * g_m) / (f_m * g_s - f_s * g_m))
            held = np.clip(s - np.clip(step_s, -0.5, 0.5), 0, WIDEST)
            step_m = (f - f_s * (s - held)) / f_m
        middle[active], spread[active] = m - np.clip(step_m, -1, 1), held
        active = active[np.maximum(np.abs(step_m), np.abs(held - s)) > 1e-10]
        if not len(active):
            break
    missing = np.isnan(second)
    return np.where(missing, np.nan, middle), np.where(missing, np.nan, spread)


def between_schools(cells: pd.DataFrame, kinds: pd.Series, schools: pd.DataFrame) -> pd.DataFrame:
    """The consistency of every proportion between the schools of the university and of each faculty, all students.

    cells: the rows of schools for everyone together (characteristic 'all') are used. Returns academic_year, part,
    level, metric, unit (the university or faculty) and the figures of `consistency`.
    """
    everyone = (cells["characteristic"] == "all").to_numpy(bool) & sets.is_kind(cells["metric"], kinds, "proportion")
    rows = cells.take(np.flatnonzero(everyone & sets.is_school(cells["unit"])))
    parts = []
    for parent in sets.parents(schools):
        inside = rows.assign(parent=sets.lookup(rows["unit"], parent))
        parts.append(consistency(inside.dropna(subset="parent"), BY_PARENT))
    return sets.stacked(parts).rename(columns={"parent": "unit"})


def between_tutors(tutors: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """The same between the tutors of each school: only where 10 tutors have 5 students or more, and never by tutor.

    tutors: `by`, n, sx; a row per tutor, without saying whom.
    """
    return consistency(tutors, by, fewest=10, smallest=5)


def verdict(frame: pd.DataFrame) -> pd.Series:
    """Whether members differ, in words, judged together with the other sets of the metric and period.

    frame: FAMILY and p: sets of one kind of member, as from `consistency`. p is adjusted (Benjamini & Hochberg, 1995).
    """
    p = gaps.adjusted(frame["p"], [frame[c] for c in FAMILY])
    words = sets.said([p.isna(), p < SIGNIFICANT], [gaps.TOO_FEW, DIFFERS], default=CHANCE)
    return pd.Series(words, index=frame.index)
