"""Inequality: how unequal the groups of a characteristic are, in one number per view."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import special

from pipelines.measures import gaps, sets
from pipelines.measures.intervals import CONFIDENCE

Z = special.ndtri(0.5 + CONFIDENCE / 2)
LEAST = 0.01  # of the line's lower end, for a ratio to it to mean something
WIDEST = 10  # times: a relative index with a wider interval says nothing

DIFFER, CHANCE = "groups differ", "no more than chance"


def inequality(cells: pd.DataFrame, kinds: pd.Series, groups: pd.DataFrame, better: pd.Series) -> pd.DataFrame:
    """Summary measures of inequality over the groups of each characteristic.

    cells: with intervals, groups to be compared only. kinds: metric → proportion, mean or ratio.
    groups: characteristic, group, ordering (from most to least disadvantaged), ordered, is_reference.
    better: metric → higher, lower or neither.

    Returns PLACE, groups (how many) and the measures below, for every place with two groups or more. NaN where a
    measure does not apply (an order, a better direction, a value above 0). y is a group's value, s its share of the
    base, µ = Σsy the value of all of them, X the middle of its place in the order (0 most disadvantaged, 1 least).

    any groups, in the metric's unit
      range (highest − lowest; ordered groups: last − first), between_variance Σs(y−µ)², between_sd its root,
      distance mean|y−µ|, distance_weighted Σs|y−µ|, to_best and to_best_weighted the same to the best group,
      to_reference and to_reference_weighted to the reference, potential (how far µ would move if everybody had the
      value of the best group; ordered groups: of the least disadvantaged)
    any groups, relative
      ratio (of the range), variation (100 between_sd/µ), disparity (index of disparity, 100 distance/µ) and
      disparity_weighted, theil (1000 Σs·y/µ·ln(y/µ)), mld (−1000 Σs·ln(y/µ)), potential_share (100 potential/µ)
    ordered groups
      slope (slope index of inequality: least minus most disadvantaged on the weighted line of y on X), slope_lower,
      slope_upper, relative (relative index: their ratio), relative_lower, relative_upper, concentration (2 cov(y, X)),
      concentration_relative (over µ)
    p  that the groups are all alike (proportions: χ² test, 1 where all have the same value; else Welch's, 1951, F): a
      range is never negative, so read it with this. reach: how far the 95% interval of the difference of two such
      groups typically reaches.

    Formulas and scales: WHO, Handbook on health inequality monitoring (2013), and its Health Inequality Monitor.
    Slope limits: the line's weights are taken as given, each group's standard error is carried through; those of the
    relative index on the log scale (delta method). A proportion's error is √(p̃(1−p̃)/n) with p̃ = (x + 2P)/(n + 2), P
    being that of all groups, so that it is never 0. The relative index is NaN where the line's lower end is below 0.01,
    or its interval spans more than a factor of 10.
    """
    order = sets.number(cells, ["characteristic", "group"])
    named = cells[["characteristic", "group"]].take(order.first).astype(object)
    known = named.merge(groups, on=["characteristic", "group"], how="left")
    place_in = known["ordering"].to_numpy(float)[order.of]
    is_ordered, is_reference = (known[c].fillna(False).to_numpy(bool) for c in ("ordered", "is_reference"))
    usable = np.isfinite(place_in) & np.isfinite(cells["value"].to_numpy(float)) & (cells["sy"] > 0).to_numpy(bool)
    rows = np.flatnonzero(usable)
    rows = rows[np.argsort(place_in[rows], kind="stable")]
    cells = cells[[*gaps.PLACE, "n", "sx", "sy", "value", "error"]].take(rows)
    of = sets.number(cells, gaps.PLACE)
    ordered = is_ordered[order.of[rows]][of.first]
    sign = sets.lookup(cells["metric"], better.map({"higher": 1.0, "lower": -1.0, "neither": 0.0})).astype(float)
    every = _Groups(
        of=of,
        y=cells["value"].to_numpy(float),
        population=cells["sy"].to_numpy(float),
        reference=is_reference[order.of[rows]],
        is_p=sets.is_kind(cells["metric"], kinds, "proportion"),
        **{c: cells[c].to_numpy(float) for c in ("n", "sx", "error")},
    )
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        figures = {**every.spread(ordered, sign.to_numpy()[of.first]), "p": every.alike(), "reach": every.reach()}
        for name, figure in every.only(ordered).order().items():
            figures[name] = np.full(len(of), np.nan)
            figures[name][ordered] = figure
    several = np.flatnonzero(of.size > 1)
    out = cells[gaps.PLACE].take(of.first[several]).reset_index(drop=True)
    return out.assign(
        groups=of.size[several],
        **{name: np.where(np.isfinite(x), x, np.nan)[several] for name, x in figures.items()},
    )


@dataclass(frozen=True)
class _Groups:
    """The groups of every place, in order within it."""

    of: sets.Sets
    y: np.ndarray
    population: np.ndarray
    reference: np.ndarray
    is_p: np.ndarray
    n: np.ndarray
    sx: np.ndarray
    error: np.ndarray

    @cached_property
    def share(self) -> np.ndarray:
        """Each group's part of the population of its place."""
        return self.population / self.of.sum(self.population)[self.of.of]

    @cached_property
    def mu(self) -> np.ndarray:
        """The value of all groups together."""
        return self.of.sum(self.share * self.y)

    @cached_property
    def variance(self) -> np.ndarray:
        """Each value's squared standard error."""
        drawn_in = (self.sx + 2 * self.mu[self.of.of]) / (self.n + 2)
        return np.where(self.is_p, drawn_in * (1 - drawn_in) / self.n, self.error**2)

    def only(self, wanted: np.ndarray) -> _Groups:
        """The places where `wanted` is true."""
        rows = wanted[self.of.of]
        place = np.cumsum(wanted) - 1
        renumbered = (np.cumsum(rows) - 1)[self.of.first[wanted]]
        of = sets.Sets(place[self.of.of[rows]], renumbered)
        columns = ("y", "population", "reference", "is_p", "n", "sx", "error")
        return _Groups(of, **{c: getattr(self, c)[rows] for c in columns})

    def mean(self, x: np.ndarray) -> np.ndarray:
        return self.of.sum(x) / self.of.size

    def weighted(self, x: np.ndarray) -> np.ndarray:
        return self.of.sum(self.share * x)

    def pick(self, at: np.ndarray) -> np.ndarray:
        """y of the one row of each place where `at` is true; NaN where none is."""
        out = np.full(len(self.of), np.nan)
        out[self.of.of[at]] = self.y[at]
        return out

    def spread(self, ordered: np.ndarray, sign: np.ndarray) -> dict[str, np.ndarray]:
        """Measures that need no order. sign: 1 where higher is better, −1 where lower is."""
        of, y, mu = self.of, self.y, self.mu
        highest, lowest = of.max(y), of.min(y)
        last = np.zeros(len(of), int)
        last[of.of] = np.arange(len(y))
        first_y, last_y = (y[of.first], y[last]) if len(y) else (mu, mu)
        best = np.where(sign > 0, highest, np.where(sign < 0, lowest, np.nan))
        reference = self.pick(self.reference)
        apart = np.abs(y - mu[of.of])
        top, bottom = np.where(ordered, last_y, highest), np.where(ordered, first_y, lowest)
        variance = self.weighted(apart**2)
        away, away_weighted = self.mean(apart), self.weighted(apart)
        away = np.where(of.size > 1, away, np.nan)
        moved = np.where(ordered, last_y, best) - mu
        potential = np.where(sign > 0, np.maximum(moved, 0), np.where(sign < 0, np.minimum(moved, 0), np.nan))
        relative = y / mu[of.of]
        to_best, to_reference = np.abs(y - best[of.of]), np.abs(y - reference[of.of])
        return {
            "range": top - bottom,
            "ratio": top / bottom,
            "between_variance": variance,
            "between_sd": np.sqrt(variance),
            "variation": 100 * np.sqrt(variance) / mu,
            "distance": away,
            "distance_weighted": away_weighted,
            "disparity": 100 * away / mu,
            "disparity_weighted": 100 * away_weighted / mu,
            "to_best": self.mean(to_best),
            "to_best_weighted": self.weighted(to_best),
            "to_reference": self.mean(to_reference),
            "to_reference_weighted": self.weighted(to_reference),
            "theil": 1000 * self.weighted(special.xlogy(relative, relative)),
            "mld": -1000 * self.weighted(np.log(relative)),
            "potential": potential,
            "potential_share": 100 * potential / mu,
        }

    def order(self) -> dict[str, np.ndarray]:
        """Measures over ordered groups: the slope and relative index, and the concentration index."""
        of, s, y = self.of, self.share, self.y
        by_place = np.argsort(of.of, kind="stable")
        run = np.cumsum(s[by_place])
        start = (np.cumsum(of.size) - of.size)[of.of[by_place]]
        before = np.append(0, run)[start]
        x = np.empty(len(y))
        x[by_place] = run - s[by_place] / 2 - before
        centred = x - self.weighted(x)[of.of]
        spread = self.weighted(centred**2)
        pull = s * centred / spread[of.of]  # of each group's value on the slope
        slope = of.sum(pull * y)
        level = s + pull * (1 - self.weighted(x))[of.of]  # on the line's end for the least disadvantaged
        high, low = of.sum(level * y), of.sum((level - pull) * y)
        reach = Z * np.sqrt(of.sum(pull**2 * self.variance))
        together = (level / high[of.of] - (level - pull) / low[of.of]) ** 2
        factor = np.exp(Z * np.sqrt(of.sum(together * self.variance)))
        vague = (np.minimum(high, low) < LEAST) | (factor**2 > WIDEST)
        relative = np.where(vague, np.nan, high / low)
        concentration = 2 * self.weighted((y - self.mu[of.of]) * centred)
        return {
            "slope": slope,
            "slope_lower": slope - reach,
            "slope_upper": slope + reach,
            "relative": relative,
            "relative_lower": relative / factor,
            "relative_upper": relative * factor,
            "concentration": concentration,
            "concentration_relative": concentration / self.mu,
        }

    def alike(self) -> np.ndarray:
        """p that the groups of a place have the same value."""
        of, is_p = self.of, self.is_p[self.of.first]
        df = np.maximum(of.size - 1, 1)
        chance = self.mu * (1 - self.mu)
        alike = special.chdtrc(df, of.sum(self.n * (self.y - self.mu[of.of]) ** 2) / chance)
        alike[of.max(self.y) == of.min(self.y)] = 1.0  # at exactly 0 or 100% there is no chance either
        weight = 1 / self.error**2
        total = of.sum(weight)
        q = of.sum(weight * (self.y - (of.sum(weight * self.y) / total)[of.of]) ** 2)
        doubt = of.sum((1 - weight / total[of.of]) ** 2 / (self.n - 1)) / (of.size**2 - 1)
        f = q / df / (1 + 2 * (of.size - 2) * doubt)
        return np.where(of.size > 1, np.where(is_p, alike, special.fdtrc(df, 1 / (3 * doubt), f)), np.nan)

    def reach(self) -> np.ndarray:
        """How far the interval of the difference of two groups typically reaches."""
        return Z * np.sqrt(2 * self.mean(self.variance))


def verdict(frame: pd.DataFrame, too_wide: pd.Series) -> pd.Series:
    """Whether groups differ, in words, judged together with the other places of the metric, characteristic and period.

    groups differ        unlikely to be chance (Benjamini & Hochberg, 1995)
    too few to say       no evidence, and differences between groups that reach further than `too_wide` could be missed
    no more than chance  anything else
    frame: gaps.FAMILY, p and reach, as from `inequality`. too_wide: metric → size in the units of value.
    """
    limit = sets.lookup(frame["metric"], too_wide).astype(float)
    differ = gaps.adjusted(frame["p"], [frame[c] for c in gaps.FAMILY]) < gaps.SIGNIFICANT
    words = sets.said([differ, frame["p"].isna() | (frame["reach"] > limit)], [DIFFER, gaps.TOO_FEW], default=CHANCE)
    return pd.Series(words, index=frame.index)
