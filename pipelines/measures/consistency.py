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
VAGUE = 2.0  # a median odds ratio that may be this large says little of how alike members are
LEAST_SCALE = 0.5  # of a χ² whose members have short tails
BY_PARENT = ["academic_year", "part", "level", "metric", "parent"]
FAMILY = ["metric", "academic_year", "part"]
# one-sided, since members are never more alike than chance: so that the words and the two-sided limits agree
SIGNIFICANT = (1 - CONFIDENCE) / 2

CHANCE, DIFFERS = "no more than chance", "differs beyond chance"


def consistency(members: pd.DataFrame, by: Sequence[str], fewest: int = 3, smallest: int = 1) -> pd.DataFrame:
    """How far the members of each set differ in a proportion.

    members: `by`, n, sx (how many of the n): a row per school, or per tutor; where there is a column `alike`, a row
    stands for so many members with the same counts. fewest: a set needs this many members. smallest: members with
    fewer than this do not count.

    Returns `by`, members, n, value (of the middle member), odds_ratio (median odds ratio), odds_ratio_lower,
    odds_ratio_upper, low, high (the range of the middle 80% of members), p (that all are alike). Values are fractions.
    Only sets with enough members; everything but members and n is NaN where nobody, or everybody, counts.

    The median odds ratio (Larsen & Merlo, 2005): of two members picked at random, by how much the odds of the higher
    exceed those of the lower, in the median; 1 is perfectly consistent. It is exp(√2 · 0.6745 · σ) with σ the standard
    deviation between members on the logit scale. σ and the middle are those of the logit-normal distribution whose
    mean and variance are the members': the variance V solves Σ(x/n − mean)²/(V + (P(1−P) − V)/n) = members − 1
    (Kleinman, 1973, with Paule & Mandel's, 1982, equation), which stays right for members with few students, where
    the variance of observed logits does not. Limits: Q-profile (Viechtbauer, 2007); for the upper one the sum is
    taken as a scaled χ² (Satterthwaite, 1946) with the variance that the tails of the members' shares give it, since
    near 0 and 1 those are long. p: χ² test.
    """
    rows = members.take(np.flatnonzero((members["n"] >= max(smallest, 1)).to_numpy(bool)))
    of = _sets(rows, by)
    rows = rows.take(np.flatnonzero(of.size[of.of] >= fewest))
    of = _sets(rows, by)
    n, x = rows["n"].to_numpy(float), rows["sx"].to_numpy(float)
    k, total = of.size, of.sum(n)
    overall = of.sum(x) / total
    chance = overall * (1 - overall)
    varies = chance > 0
    known = varies[of.of]
    share = np.where(known, x / n, 0)
    alone = np.where(known, chance[of.of], 1) / n
    df = np.maximum(k - 1, 1)
    targets = df.astype(float), special.chdtri(df, 1 - UPPER)
    between, lowest = (paule_mandel(share, alone, of, target, 1 - 1 / n) for target in targets)
    true = (1 - 1 / n) * np.nan_to_num(between)[of.of]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = of.sum(share / (alone + true)) / of.sum(1 / (alone + true))
    middle, spread = logit_normal(mean, between)
    tails = of.sum((true / (alone + true)) ** 2) / k * excess_kurtosis(middle, spread)
    scale = np.maximum(1 + tails / 2, LEAST_SCALE)
    highest = paule_mandel(share, alone, of, scale * special.chdtri(df / scale, UPPER), 1 - 1 / n)
    limits = [logit_normal(mean, limit)[1] for limit in (lowest, highest)]
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


def _sets(members: pd.DataFrame, by: Sequence[str]) -> sets.Sets:
    return sets.number(members, by, members["alike"].to_numpy(float) if "alike" in members else None)


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


def range_at(value: float, odds_ratio: float) -> tuple[float, float]:
    """The middle 80% of members around the middle one's value, both in per cent, at a median odds ratio."""
    reach = TENTH * np.log(max(odds_ratio, 1.0)) / MEDIAN
    low, high = (100 * special.expit(special.logit(value / 100) + side * reach) for side in (-1, 1))
    return float(low), float(high)


def excess_kurtosis(middle: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """How much longer the tails of logit-normal shares are than the normal's; 0 where they do not vary."""
    z, weights = np.polynomial.hermite_e.hermegauss(41)
    weights = weights / weights.sum()
    share = special.expit(middle[:, None] + spread[:, None] * z)
    squares = (share - (share @ weights)[:, None]) ** 2
    variance = squares @ weights
    varies = variance > 1e-12
    return np.where(varies, squares**2 @ weights / np.where(varies, variance, 1) ** 2 - 3, 0)


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

    tutors: `by`, n, sx, alike: how many tutors have such counts, without saying whom.
    """
    return consistency(tutors, by, fewest=10, smallest=5)


def verdict(frame: pd.DataFrame) -> pd.Series:
    """Whether members differ, in words, judged together with the other sets of the metric and period.

    differs beyond chance  unlikely to be chance (Benjamini & Hochberg, 1995)
    too few to say         not so, and they may still differ by a median odds ratio of 2 or more
    no more than chance    anything else
    frame: FAMILY, p and odds_ratio_upper: sets of one kind of member, as from `consistency`.
    """
    p = gaps.adjusted(frame["p"], [frame[c] for c in FAMILY])
    vague = p.isna() | ~(frame["odds_ratio_upper"] < VAGUE)
    words = sets.said([p < SIGNIFICANT, vague], [DIFFERS, gaps.TOO_FEW], default=CHANCE)
    return pd.Series(words, index=frame.index)
