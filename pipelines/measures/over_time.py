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
FAMILY = 10  # series, for their movement between years to be told together
MOST_LENT = 60  # degrees of freedom
HARDLY, HARDLY_OF_AVERAGE = 5, 0.1  # contacts expected in a week below which a departure says nothing

OUTSIDE, TREND, TWO_OF_THREE, SHIFT, HABIT = (
    "outside the limits",
    "seven rising or falling",
    "two of three near a limit",
    "seven on one side",
    "usual",
)
FIRST_YEAR = "no earlier year"
NARROWING, WIDENING, CROSSED, LEFT = "narrowing", "widening", "turned round", "no longer there"
RISING, FALLING, NO_CHANGE = "rising", "falling", "no clear change"
CHANGES = (NARROWING, WIDENING, CROSSED, LEFT, RISING, FALLING)


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
    y, place = points["value"].to_numpy(float), _place(of)
    used = place < (baseline or np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = of.sum(np.where(used, y, 0)) / of.sum(used)
    reach = np.where(of.size >= fewest, _reach(np.where(used, _moved(y, place), np.nan), of), np.nan)
    return points.assign(**_judged(y, of, mean[of.of], reach[of.of]))


def beside_earlier_years(weeks: pd.DataFrame, by: Sequence[str], fewest: int = FEWEST) -> pd.DataFrame:
    """Each week's contacts beside those of the same week of earlier years, and the weeks that depart unusually.

    weeks: `by`, academic_year, week, n (enrolments) and contacts, one row each.

    Returns the same rows with expected (contacts per enrolment in the same week of earlier years, on average, for this
    year's enrolments), lower, upper, rule and side as `xmr` has them, around what is expected; rule is 'no earlier
    year' where there is none. NaN limits there and, 'too few to say', where hardly anything is expected (under
    5 contacts, or a tenth of an average week), or limits would rest on fewer than `fewest` weeks.

    The points of the XmR chart are departures, contacts ÷ expected, so that the teaching calendar is no signal. The
    centre is 1; moving ranges are those of earlier years' departures, so that a year has limits from its first week,
    and of the year's own where it is the first to have departures. Chance moves a small count by a larger share, as
    around vacations. So the same is done with departures in units of chance, (contacts − expected) ÷ √expected (a U′
    chart: Laney, 2002), and each week has the wider of both limits.
    """
    weeks = weeks.sort_values([*by, "academic_year", "week"], ignore_index=True)
    n, contacts = weeks["n"].to_numpy(float), weeks["contacts"].to_numpy(float)
    rates = weeks[[*by, "academic_year", "week"]].assign(rate=contacts / n, rows=1.0)
    expected = _earlier(rates, [*by, "week"]) * n
    average = _earlier(sets.summed(rates, [*by, "academic_year"], ["rate", "rows"]), by)
    average = average[sets.number(rates, [*by, "academic_year"]).of] * n
    usable = np.flatnonzero((expected >= HARDLY) & (expected >= HARDLY_OF_AVERAGE * average))
    points = weeks[[*by, "academic_year"]].take(usable)
    departure = contacts[usable] / expected[usable]
    place = _place(sets.number(points, [*by, "academic_year"]))
    chance = 1 / np.sqrt(expected[usable])  # of a departure, where contacts are counts
    moved, moved_by_chance = (_moved(y, place) for y in (departure, (departure - 1) / chance))
    of, year = sets.number(points, by), points["academic_year"].astype(object).to_numpy()
    first = pd.Series(year).groupby(of.of).transform("min").to_numpy()
    figures: dict[str, np.ndarray] = {}
    for name, missing in {"lower": np.nan, "upper": np.nan, "rule": gaps.TOO_FEW, "side": 0}.items():
        figures[name] = np.full(len(weeks), missing, object if name == "rule" else None)
    for now in np.unique(year):
        base = (year < now) | ((year == now) & (first == now))
        reach, by_chance = (_reach(np.where(base, m, np.nan), of)[of.of] for m in (moved, moved_by_chance))
        reach = np.where((of.sum(base) >= fewest)[of.of], np.fmax(reach, by_chance * chance), np.nan)
        rows = np.flatnonzero(year == now)
        here = sets.number(points.take(rows), by)
        found = _judged(departure[rows], here, np.ones(len(rows)), reach[rows])
        for name in figures:
            figures[name][usable[rows]] = found[name]
    figures["rule"] = np.where(np.isnan(expected), FIRST_YEAR, figures["rule"])
    limits = {name: np.maximum(figures[name], 0) * expected for name in ("lower", "upper")}
    return weeks.assign(expected=expected, **{**figures, **limits})


def _earlier(rates: pd.DataFrame, by: Sequence[str]) -> np.ndarray:
    """Σ rate / Σ rows over the rows of the same set in earlier years; NaN where there are none. Rows: year by year."""
    known = rates[["rate", "rows"]].groupby(sets.number(rates, by).of).cumsum() - rates[["rate", "rows"]]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(known["rows"] > 0, known["rate"] / known["rows"], np.nan)


def _place(of: sets.Sets) -> np.ndarray:
    """Each row's place in its set, from 0, where the rows of a set stand together."""
    return np.arange(len(of.of)) - (np.cumsum(of.size) - of.size)[of.of]


def _moved(y: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Moving ranges: how far each point is from the one before; NaN for the first of a series."""
    return np.where(place > 0, np.abs(np.diff(y, prepend=np.nan)), np.nan)


def _reach(moved: np.ndarray, of: sets.Sets) -> np.ndarray:
    """How far each series' limits lie from its mean; NaN where nothing moves."""
    with np.errstate(divide="ignore", invalid="ignore"):
        usual = moved < UNUSUAL * _mean(moved, of)[of.of]
        reach = REACH * _mean(np.where(usual, moved, np.nan), of)
    return np.where(reach > 0, reach, np.nan)


def _judged(y: np.ndarray, of: sets.Sets, mean: np.ndarray, reach: np.ndarray) -> dict[str, np.ndarray]:
    """Mean, limits, rule and side of each point, from the mean at it and how far limits lie from that."""
    place = _place(of)
    known = np.isfinite(reach)
    step = np.diff(y, prepend=np.nan)
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
    return {
        "mean": np.where(known, mean, np.nan), "lower": mean - reach, "upper": mean + reach, "rule": rule,
        "side": np.select(found, [0 * side, side, rising, side, shift], default=0).astype(int),
    }  # fmt: skip


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


def trend(figures: pd.DataFrame, by: Sequence[str], alike: Sequence[str] = ()) -> pd.DataFrame:
    """How values, or gaps, change over the years.

    figures: `by`, academic_year (`2025/26`), value, lower, upper (95%), one per year. alike: columns whose series may
    be taken to move alike between years without a change; none by default.

    Returns `by`, years (how many), first_year, last_year, start and end (on the line through them), change (end −
    start), lower, upper, p (that there is no change). In the metric's unit. Figures without an interval are left out,
    and so is what has fewer than two years.

    A line weighted by 1/error², each error from its interval. Its own error is reckoned twice, and the wider limits and
    the larger p hold: from the years' errors alone (normal), and from how the years scatter about the line (Birge,
    1932; Student's t with years − 2, since the scatter is itself an estimate). So a change must stand out from chance
    in each year as well as from the usual movement between years. Two years show no such movement: their limits are
    from the errors alone, and p is NaN.

    Few years tell little of that movement, so ten or more series that are `alike` tell it together: its variance is
    added to every error² (DerSimonian & Laird's, 1986, moment estimate over all of them), and each series' scatter is
    drawn towards the usual one by as much as their scatters are of a kind, with the degrees of freedom this lends
    (Smyth, 2004).
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
    y, df = rows["value"].to_numpy(float), np.where(of.size > 2, of.size - 2, np.nan)
    line, lent, usual = _Line(of, x, y, error**2), np.zeros(len(of)), np.ones(len(of))
    if alike:
        family = sets.number(rows.take(of.first), alike)
        line = _Line(of, x, y, error**2 + _movement(line, df, family)[family.of][of.of])
        lent, usual = (f[family.of] for f in _usual_scatter(line.scatter, df, family))
    first, last = of.min(x), of.max(x)
    with np.errstate(divide="ignore", invalid="ignore"):
        change, by_chance = line.slope * (last - first), np.sqrt(1 / line.squares) * (last - first)
        by_scatter = np.sqrt((lent * usual + line.scatter) / (lent + df)) * by_chance
        df = lent + df
        reach = np.fmax(Z * by_chance, special.stdtrit(df, 0.5 + CONFIDENCE / 2) * by_scatter)
        p = 2 * np.fmax(special.ndtr(-np.abs(change) / by_chance), special.stdtr(df, -np.abs(change) / by_scatter))
    out = rows[list(by)].take(of.first).assign(
        years=of.size, first_year=first, last_year=last, start=line.at(first), end=line.at(last),
        change=change, lower=change - reach, upper=change + reach, p=np.where(of.size > 2, p, np.nan),
    )  # fmt: skip
    return out.take(np.flatnonzero(last > first)).astype({"first_year": int, "last_year": int}).reset_index(drop=True)


class _Line:
    """The weighted least-squares line through each set of points."""

    def __init__(self, of: sets.Sets, x: np.ndarray, y: np.ndarray, variance: np.ndarray) -> None:
        weight = 1 / variance
        total = of.sum(weight)
        self.middle, self.level = of.sum(weight * x) / total, of.sum(weight * y) / total
        centred = x - self.middle[of.of]
        with np.errstate(divide="ignore", invalid="ignore"):
            self.squares = of.sum(weight * centred**2)
            self.slope = of.sum(weight * centred * y) / self.squares
            self.scatter = of.sum(weight * (y - self.level[of.of] - self.slope[of.of] * centred) ** 2)
            # how much a variance common to all points adds to the scatter
            self.pull = total - of.sum(weight**2) / total - of.sum((weight * centred) ** 2) / self.squares

    def at(self, x: np.ndarray) -> np.ndarray:
        """The line of each set at one x."""
        return self.level + self.slope * (x - self.middle)


def _movement(line: _Line, df: np.ndarray, family: sets.Sets) -> np.ndarray:
    """The variance between years that each family's series share beyond their errors."""
    known = np.isfinite(df) & np.isfinite(line.pull) & (family.size >= FAMILY)[family.of]
    excess, pull = (family.sum(np.where(known, f, 0)) for f in (line.scatter - df, line.pull))
    return np.where(pull > 0, np.maximum(excess, 0) / np.where(pull > 0, pull, 1), 0)


def _usual_scatter(scatter: np.ndarray, df: np.ndarray, family: sets.Sets) -> tuple[np.ndarray, np.ndarray]:
    """How many degrees of freedom a family lends each of its series, and the scatter that is usual in it.

    From the mean and variance of log(scatter / df) over the family (Smyth, 2004, section 6.2).
    """
    known = np.isfinite(df) & (scatter > 0)
    rows = np.flatnonzero(known & (family.sum(known) >= FAMILY)[family.of])
    of, half = family.of[rows], df[rows] / 2
    logs = np.log(scatter[rows] / df[rows]) - special.digamma(half) + np.log(half)
    k = np.bincount(of, minlength=len(family))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.bincount(of, logs, len(family)) / k
        spread = np.bincount(of, (logs - mean[of]) ** 2, len(family)) / (k - 1)
        extra = spread - np.bincount(of, special.polygamma(1, half), len(family)) / k
    halves = np.geomspace(0.05, MOST_LENT / 2, 500)
    lent = 2 * np.interp(-extra, -special.polygamma(1, halves), halves)
    usual = np.exp(mean + special.digamma(lent / 2) - np.log(lent / 2))
    return np.where(k > 0, lent, 0), np.where(k > 0, usual, 1)


def verdict(trends: pd.DataFrame, material: pd.Series, too_wide: pd.Series, of_gaps: bool = False) -> pd.Series:
    """What a trend says, in words: of values rising or falling, of gaps narrowing or widening, or one of these:

    turned round     a clear change of a gap that ends on the other side of 0, and is material there
    no longer there  the same, but too small to matter there
    no clear change  anything that may be chance, or is less than material
    too few to say   two years only; or the change's interval reaches further than `too_wide` and holds no evidence
    trends: metric and the columns of `trend`; p_adjusted is used where it is there.
    material, too_wide: metric → size in the units of value.
    """
    needed, limit = (sets.lookup(trends["metric"], m).astype(float) for m in (material, too_wide))
    p = trends["p_adjusted"] if "p_adjusted" in trends else trends["p"]
    clear = (p < gaps.SIGNIFICANT) & (trends["change"].abs() >= needed)
    grows = trends["end"].abs() > trends["start"].abs() if of_gaps else trends["change"] > 0
    up, down = (WIDENING, NARROWING) if of_gaps else (RISING, FALLING)
    vague = p.isna() | ((p >= gaps.SIGNIFICANT) & ((trends["upper"] - trends["lower"]) / 2 > limit))
    crossed = clear & of_gaps & (trends["start"] * trends["end"] < 0)
    words = sets.said(
        [vague, crossed & (trends["end"].abs() >= needed), crossed, clear & grows, clear],
        [gaps.TOO_FEW, CROSSED, LEFT, up, down],
        default=NO_CHANGE,
    )
    return pd.Series(words, index=trends.index)
