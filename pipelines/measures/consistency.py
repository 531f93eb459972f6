"""Consistency: how far schools, or tutors within a school, differ beyond chance."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TypeVar

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
FEWEST_TUTORS = 10  # of a school
FEWEST_STUDENTS = 5  # of a tutor who counts
FEWEST_SCHOOLS = 3
STEPS, HALVINGS, NODES, CLOSE = 60, 10, 41, 1e-5
VAGUE = 2.0  # a median odds ratio that may be this large says little of how alike members are
LEAST_SCALE = 0.5  # of a χ² whose members have short tails
BY_PARENT = ["academic_year", "part", "level", "metric", "parent"]
FAMILY = ["metric", "academic_year", "part"]
SIGNIFICANT = (1 - CONFIDENCE) / 2  # one-sided, since members are never more alike than chance

T = TypeVar("T", float, np.ndarray)

CHANCE, MAY, DIFFERS = "no more than chance", "may differ", "differs beyond chance"


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
    near 0 and 1 those are long; for the lower one and p with the variance it has where members are alike but
    of different sizes (Haldane, 1940; `chance_scale`).
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
    scatter = chance_scale((1 / np.where(varies, chance, 1) - 6) * (of.sum(1 / n) - k**2 / total), df)
    targets = df.astype(float), scatter * special.chdtri(df / scatter, 1 - UPPER)
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
        "p": special.chdtrc(df / scatter, q / scatter),
    }
    ok = varies & (k > 1)
    out = rows[list(by)].take(of.first).assign(members=k, n=total.astype(int))
    return out.assign(**{c: np.where(ok, f, np.nan) for c, f in figures.items()}).reset_index(drop=True)


def chance_scale(excess: np.ndarray, df: np.ndarray) -> np.ndarray:
    """The scale of the χ² of members who are alike: their squares vary more than χ² where shares are near 0 or 1 and
    sizes differ (Haldane, 1940). excess: (1/P(1−P) − 6)·(Σ1/n − members²/Σn).
    """
    return np.maximum(1 + excess / (2 * df), LEAST_SCALE)


def _sets(members: pd.DataFrame, by: Sequence[str]) -> sets.Sets:
    return sets.number(members, by, members["alike"].to_numpy(float) if "alike" in members else None)


def logit_normal(mean: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation, on the logit scale, of the logit-normal shares with this mean and variance.

    Newton's method on both at once with Gauss–Hermite quadrature. NaN in, NaN out; at most WIDEST.
    """
    z, weights = _nodes()
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


@cache
def _nodes() -> tuple[np.ndarray, np.ndarray]:
    """Where to look at a normal distribution, and how much each place weighs (Gauss–Hermite). Never change them."""
    z, weights = np.polynomial.hermite_e.hermegauss(NODES)
    return z, weights / weights.sum()


def shares_at(mean: np.ndarray, spread: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The middle on the logit scale, and the variance, of logit-normal shares with this mean, and this standard
    deviation on the logit scale. Newton's method.
    """
    z, weights = _nodes()
    middle = special.logit(mean) * np.sqrt(1 + 0.346 * spread**2)
    for _ in range(STEPS):
        share = special.expit(middle[:, None] + spread[:, None] * z)
        step = (share @ weights - mean) / ((share * (1 - share)) @ weights)
        middle = middle - np.clip(step, -1, 1)
        if not (np.abs(step) > CLOSE).any():
            break
    share = special.expit(middle[:, None] + spread[:, None] * z)
    return middle, np.asarray(share**2 @ weights - (share @ weights) ** 2)


def upper_at(mean: np.ndarray, odds_ratio: np.ndarray, members: np.ndarray, size: np.ndarray) -> np.ndarray:
    """The upper limit that `consistency` has where so many members of one size have this mean share and median odds
    ratio: what can be said of how sure that is without telling more than these.
    """
    spread = np.log(np.maximum(odds_ratio, 1)) / MEDIAN
    (middle, variance), df, grows = shares_at(mean, spread), np.maximum(members - 1, 1), 1 - 1 / size
    alone, true = mean * (1 - mean) / size, grows * variance
    tails = (true / (alone + true)) ** 2 * excess_kurtosis(middle, spread)
    scale = np.maximum(1 + tails / 2, LEAST_SCALE)
    widest = ((alone + true) * df / (scale * special.chdtri(df / scale, UPPER)) - alone) / grows
    return np.maximum(np.exp(MEDIAN * logit_normal(mean, np.maximum(widest, 0))[1]), odds_ratio)


def range_at(value: T, odds_ratio: T) -> tuple[T, T]:
    """The middle 80% of members around the middle one's value, both in per cent, at a median odds ratio; of one or of
    many.
    """
    reach = TENTH * np.log(np.maximum(odds_ratio, 1.0)) / MEDIAN
    low, high = (100 * special.expit(special.logit(value / 100) + side * reach) for side in (-1, 1))
    return low, high


def excess_kurtosis(middle: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """How much longer the tails of logit-normal shares are than the normal's; 0 where they do not vary."""
    z, weights = _nodes()
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
    return consistency(tutors, by, fewest=FEWEST_TUTORS, smallest=FEWEST_STUDENTS)


def within(tutors: pd.DataFrame, by: Sequence[str], school: str, smallest: int = FEWEST_STUDENTS) -> pd.DataFrame:
    """How far the tutors of a typical school of each set differ: all of them around the middle of their own school.

    tutors: `by`, `school` (a column), n, sx and alike, as in `between_tutors`. Left out are tutors with fewer than
    `smallest` students, schools with fewer than FEWEST_TUTORS tutors or where nobody or everybody counts, and sets with
    fewer than FEWEST_SCHOOLS schools.

    Returns `by`, schools (how many), members (tutors), n, odds_ratio with its limits, and p. Tutors differ by the same
    σ on the logit scale in each school of mean P, so that with V(σ, P) the variance of their shares
    Σ(x/n − mean)²/(V + (P(1−P) − V)/n) = tutors − schools, over all schools. Limits and p as in `consistency`.
    """
    rows = tutors.take(np.flatnonzero((tutors["n"] >= max(smallest, 1)).to_numpy(bool)))
    schools = _sets(rows, [*by, school])
    total, having = (schools.sum(rows[c].to_numpy(float)) for c in ("n", "sx"))
    kept = (schools.size >= FEWEST_TUTORS) & (having > 0) & (having < total)
    rows = rows.take(np.flatnonzero(kept[schools.of]))
    schools = _sets(rows, [*by, school])
    of = sets.number(rows.take(schools.first), by)
    rows = rows.take(np.flatnonzero((of.size >= FEWEST_SCHOOLS)[of.of][schools.of]))
    schools = _sets(rows, [*by, school])
    of = sets.number(rows.take(schools.first), by)
    spreads = _Spreads(rows, schools, of)
    k = of.sum(schools.size)
    df = k - of.size
    scatter = chance_scale(spreads.excess(), df)
    spread, lowest = (spreads.at(target) for target in (df, scatter * special.chdtri(df / scatter, 1 - UPPER)))
    scale = np.maximum(1 + of.sum(spreads.tails(spread)) / k / 2, LEAST_SCALE)
    highest = spreads.at(scale * special.chdtri(df / scale, UPPER))
    out = rows[list(by)].take(schools.first).take(of.first).reset_index(drop=True)
    return out.assign(
        schools=of.size.astype(int),
        members=k.astype(int),
        n=of.sum(schools.sum(rows["n"].to_numpy(float))).astype(int),
        odds_ratio=np.exp(MEDIAN * spread),
        odds_ratio_lower=np.exp(MEDIAN * lowest),
        odds_ratio_upper=np.exp(MEDIAN * highest),
        p=special.chdtrc(df / scatter, spreads.squares(np.zeros(len(of))) / scatter),
    )


class _Spreads:
    """Tutors of schools of sets, at one standard deviation on the logit scale for each set."""

    def __init__(self, rows: pd.DataFrame, schools: sets.Sets, of: sets.Sets) -> None:
        n, x = rows["n"].to_numpy(float), rows["sx"].to_numpy(float)
        self._of, self._overall = of, schools.sum(x) / schools.sum(n)
        # tutors with as many students in a school: how many they are, their shares and the squares of these, summed
        one_size = sets.number(pd.DataFrame({"school": schools.of, "n": n}), ["school", "n"], schools.alike)
        self._schools, self._n = sets.Sets(schools.of[one_size.first], schools.first), n[one_size.first]
        self._tutors, self._shares, self._squares = (one_size.sum((x / n) ** power) for power in range(3))
        self._chance = self._overall * (1 - self._overall)
        self._alone = self._chance[self._schools.of] / self._n

    def shares(self, spread: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of each school the middle on the logit scale, and the variance of its tutors' shares."""
        return shares_at(self._overall, spread[self._of.of])

    def squares(self, spread: np.ndarray) -> np.ndarray:
        """Of each set how far tutors lie from their schools' means, in variances there would be at this spread."""
        weight, of = 1 / (self._alone + self._true(spread)), self._schools
        mean = (of.sum(weight * self._shares) / of.sum(weight * self._tutors))[of.of]
        apart = self._squares - 2 * mean * self._shares + mean**2 * self._tutors
        return np.asarray(self._of.sum(of.sum(weight * apart)))

    def at(self, target: np.ndarray) -> np.ndarray:
        """The spread of each set at which the squares are a target: between halves, then along a line."""
        low, high = np.zeros(len(self._of)), np.full(len(self._of), WIDEST)
        above, below = (self.squares(end) - target for end in (low, high))
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            over = self.squares(middle) - target
            wider = over > 0
            low, above = np.where(wider, middle, low), np.where(wider, over, above)
            high, below = np.where(wider, high, middle), np.where(wider, below, over)
        between = low + (high - low) * above / np.where(above > below, above - below, 1)
        return np.asarray(np.select([above <= 0, below >= 0], [0.0, WIDEST], between))

    def excess(self) -> np.ndarray:
        """Of each set what `chance_scale` asks for, over its schools."""
        size = self._schools.sum(self._tutors)
        uneven = self._schools.sum(self._tutors / self._n) - size**2 / self._schools.sum(self._tutors * self._n)
        return np.asarray(self._of.sum((1 / self._chance - 6) * uneven))

    def tails(self, spread: np.ndarray) -> np.ndarray:
        """Of each school what the tails of its tutors' shares add to the squares' variance, as in `consistency`."""
        true = self._true(spread)
        heavy = self._schools.sum(self._tutors * (true / (self._alone + true)) ** 2)
        return np.asarray(heavy * excess_kurtosis(self.shares(spread)[0], spread[self._of.of]))

    def _true(self, spread: np.ndarray) -> np.ndarray:
        return np.asarray((1 - 1 / self._n) * self.shares(spread)[1][self._schools.of])


def verdict(frame: pd.DataFrame) -> pd.Series:
    """Whether members differ, in words, judged together with the other sets of the metric and period.

    differs beyond chance  unlikely to be chance (Benjamini & Hochberg, 1995)
    may differ             unlikely by itself, but not among so many looked at
    too few to say         neither, and they may still differ by a median odds ratio of 2 or more
    no more than chance    anything else
    frame: FAMILY, p and odds_ratio_upper: sets of one kind of member, as from `consistency`.
    """
    p = gaps.adjusted(frame["p"], [frame[c] for c in FAMILY])
    vague = p.isna() | ~(frame["odds_ratio_upper"] < VAGUE)
    alone = frame["p"] < SIGNIFICANT
    words = sets.said([p < SIGNIFICANT, alone, vague], [DIFFERS, MAY, gaps.TOO_FEW], default=CHANCE)
    return pd.Series(words, index=frame.index)
