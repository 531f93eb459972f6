"""Over time: which weeks stand out from a series' own habit, and whether values and gaps change over the years."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import special

from pipelines.measures import gaps, sets
from pipelines.measures.intervals import CONFIDENCE

Z = special.ndtri(0.5 + CONFIDENCE / 2)
REACH = 2.66  # natural limits lie this many mean moving ranges from the mean: 3/d₂, d₂ = 1.128
UNUSUAL = 3.267  # a moving range as large as this many mean ones is left out of the mean once: D₄
FEWEST = 13  # points, for limits to mean something
RUN, WINDOW = 7, 3

OUTSIDE, TREND, TWO_OF_THREE, SHIFT, HABIT = (
    "outside the limits",
    "seven rising or falling",
    "two of three near a limit",
    "seven on one side",
    "usual",
)
NARROWING, WIDENING, RISING, FALLING, NO_CHANGE = "narrowing", "widening", "rising", "falling", "no clear change"


def xmr(
    points: pd.DataFrame, by: Sequence[str], order: str, baseline: int | None = None, fewest: int = FEWEST
) -> pd.DataFrame:
    """Natural limits of each series, and the points that break its habit: an XmR (individuals) chart.

    points: `by` (one series per set; a new phase is a series of its own), `order` (a number: the teaching week),
    value. baseline: how many first points the limits rest on; all by default. fewest: points a series needs.

    Returns `by`, `order`, value, mean, lower, upper, rule (outside the limits; seven rising or falling; two of three
    near a limit; seven on one side; usual; too few to say) and side (1 high or rising, −1 low or falling, 0 usual),
    in order. Points without a value are left out. Shorter series have NaN limits.

    Limits: mean ± 2.66 mean moving ranges, ranges of 3.267 times their mean or more left out once (Wheeler, 2000).
    Rules, in this order: NHS England, Making Data Count; near a limit is beyond two thirds of the way to it, with all
    three points on one side.
    """
    points = points[[*by, order, "value"]].dropna(subset="value")
    of = sets.number(points, by)
    sequence = np.lexsort((points[order].to_numpy(float), of.of))
    points = points.take(sequence).reset_index(drop=True)
    of = sets.number(points, by)
    y = points["value"].to_numpy(float)
    start = np.cumsum(of.size) - of.size
    place = np.arange(len(y)) - start[of.of]
    used = place < (baseline or np.inf)
    step = np.diff(y, prepend=np.nan)
    moved = np.where(used & (place > 0), np.abs(step), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (of.sum(np.where(used, y, 0)) / of.sum(used))[of.of]
        usual = moved < UNUSUAL * _mean(moved, of)[of.of]
        reach = REACH * _mean(np.where(usual, moved, np.nan), of)[of.of]
    known = (of.size >= fewest)[of.of] & np.isfinite(reach) & (reach > 0)
    reach = np.where(known, reach, np.nan)

    side = np.sign(y - mean)
    away = np.abs(y - mean)
    outside = away > reach
    near = (away > reach * 2 / 3) & ~outside
    direction = np.where(place > 0, np.sign(step), 0)
    rising = _stretch(direction, of.of, RUN - 1, also_before=True)
    three = _windows(near, side, of.of) & near
    shift = _stretch(side, of.of, RUN)
    found = [~known, outside, rising != 0, three, shift != 0]
    rule = sets.said(found, [gaps.TOO_FEW, OUTSIDE, TREND, TWO_OF_THREE, SHIFT], default=HABIT)
    return points.assign(
        mean=np.where(known, mean, np.nan), lower=mean - reach, upper=mean + reach, rule=rule,
        side=np.select(found, [0 * side, side, rising, side, shift], default=0).astype(int),
    )  # fmt: skip


def _mean(x: np.ndarray, of: sets.Sets) -> np.ndarray:
    there = np.isfinite(x)
    return of.sum(np.where(there, x, 0)) / of.sum(there)


def _stretch(sign: np.ndarray, series: np.ndarray, length: int, also_before: bool = False) -> np.ndarray:
    """The sign of every point in a run of `length` or more equal signs, else 0.

    also_before: signs are of steps, so the point before a run's first step belongs to it too.
    """
    if not len(sign):
        return sign
    new = (sign != np.roll(sign, 1)) | (series != np.roll(series, 1))
    new[0] = True
    run = np.cumsum(new) - 1
    long = (np.bincount(run)[run] >= length) & (sign != 0)
    out = np.where(long, sign, 0)
    if also_before:
        first = np.flatnonzero(long & new)
        first = first[out[first - 1] == 0]
        out[first - 1] = sign[first]
    return out


def _windows(near: np.ndarray, side: np.ndarray, series: np.ndarray) -> np.ndarray:
    """Which points lie in three in a row, all on one side, of which two or more are near a limit."""
    out = np.zeros(len(near), bool)
    if len(near) < WINDOW:
        return out
    a, b, c = (slice(i, len(near) - WINDOW + 1 + i) for i in range(WINDOW))
    alike = (series[a] == series[c]) & (side[a] == side[b]) & (side[b] == side[c]) & (side[a] != 0)
    hit = alike & (near[a].astype(int) + near[b] + near[c] >= 2)
    for part in (a, b, c):
        out[part] |= hit
    return out


def signal(points: pd.DataFrame, better: pd.Series) -> pd.Series:
    """'better', 'worse' or 'none' for each point. points: metric and side. better: metric → higher, lower, neither."""
    good = sets.lookup(points["metric"], better.map({"higher": 1, "lower": -1, "neither": 0})).astype(float)
    way = points["side"].to_numpy(float) * good.to_numpy()
    return pd.Series(sets.said([way > 0, way < 0], ["better", "worse"], default="none"), index=points.index)


def trend(figures: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """How values, or gaps, change over the years.

    figures: `by`, academic_year (`2025/26`), value, lower, upper (95%), one per year.

    Returns `by`, years (how many), first_year, last_year, start and end (on the line through them), change (end −
    start), lower, upper, p (that there is no change). In the metric's unit. Figures without an interval are left out,
    and so is what has fewer than two years.

    A line weighted by 1/error², each error from its interval. Where years scatter about the line by more than their
    errors explain, its own error is raised by the root of that excess (Birge, 1932): with few years a change must
    stand out from the usual movement between years. Normal limits.
    """
    with np.errstate(invalid="ignore"):
        error = (figures["upper"].to_numpy(float) - figures["lower"].to_numpy(float)) / 2 / Z
        usable = np.isfinite(figures["value"].to_numpy(float)) & (error > 0)
    rows, error = figures.take(np.flatnonzero(usable)), error[usable]
    several = sets.number(rows, by)
    kept = np.flatnonzero((several.size > 1)[several.of])
    rows, error = rows.take(kept), error[kept]
    of = sets.number(rows, by)
    named = rows["academic_year"].astype("category")
    x = np.array([float(str(year)[:4]) for year in named.cat.categories] + [np.nan])[named.cat.codes]
    y, weight = rows["value"].to_numpy(float), 1 / error**2
    total = of.sum(weight)
    middle, level = of.sum(weight * x) / total, of.sum(weight * y) / total
    centred = x - middle[of.of]
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = of.sum(weight * centred**2)
        slope = of.sum(weight * centred * y) / squares
        scatter = of.sum(weight * (y - level[of.of] - slope[of.of] * centred) ** 2)
        excess = np.where(of.size > 2, np.maximum(scatter / np.maximum(of.size - 2, 1), 1), 1)
        first, last = of.min(x), of.max(x)
        change, reach = slope * (last - first), np.sqrt(excess / squares) * (last - first)
        p = 2 * special.ndtr(-np.abs(change) / reach)
    out = rows[list(by)].take(of.first).assign(
        years=of.size, first_year=first, last_year=last,
        start=level + slope * (first - middle), end=level + slope * (last - middle),
        change=change, lower=change - Z * reach, upper=change + Z * reach, p=p,
    )  # fmt: skip
    return out.take(np.flatnonzero(last > first)).astype({"first_year": int, "last_year": int}).reset_index(drop=True)


def verdict(trends: pd.DataFrame, material: pd.Series, too_wide: pd.Series, of_gaps: bool = False) -> pd.Series:
    """What a trend says, in words: of values rising or falling, of gaps narrowing or widening.

    no clear change  anything that may be chance, or is less than material
    too few to say   the change's interval reaches further than `too_wide` and holds no evidence
    trends: metric and the columns of `trend`; p_adjusted is used where it is there.
    material, too_wide: metric → size in the units of value.
    """
    needed, limit = (sets.lookup(trends["metric"], m).astype(float) for m in (material, too_wide))
    p = trends["p_adjusted"] if "p_adjusted" in trends else trends["p"]
    clear = (p < gaps.SIGNIFICANT) & (trends["change"].abs() >= needed)
    grows = trends["end"].abs() > trends["start"].abs() if of_gaps else trends["change"] > 0
    up, down = (WIDENING, NARROWING) if of_gaps else (RISING, FALLING)
    vague = p.isna() | ((p >= gaps.SIGNIFICANT) & ((trends["upper"] - trends["lower"]) / 2 > limit))
    words = sets.said([vague, clear & grows, clear], [gaps.TOO_FEW, up, down], default=NO_CHANGE)
    return pd.Series(words, index=trends.index)
