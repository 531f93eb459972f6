"""Inequality: how unequal the groups of a characteristic are, in one number per view."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from pipelines.measures import gaps, sets
from pipelines.measures.intervals import CONFIDENCE

Z = special.ndtri(0.5 + CONFIDENCE / 2)


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
    p  that the groups are all alike (χ² from each group's error): a range is never negative, so read it with this.

    Formulas and scales: WHO, Handbook on health inequality monitoring (2013), and its Health Inequality Monitor.
    Slope limits: the line's weights are taken as given, each group's standard error is carried through; those of the
    relative index on the log scale (delta method).
    """
    order = sets.number(cells, ["characteristic", "group"])
    named = cells[["characteristic", "group"]].take(order.first).astype(object)
    known = named.merge(groups, on=["characteristic", "group"], how="left")
    place_in = known["ordering"].to_numpy(float)[order.of]
    is_ordered, is_reference = (known[c].fillna(False).to_numpy(bool) for c in ("ordered", "is_reference"))
    usable = np.isfinite(place_in) & np.isfinite(cells["value"].to_numpy(float)) & (cells["sy"] > 0).to_numpy(bool)
    rows = np.flatnonzero(usable)
    rows = rows[np.argsort(place_in[rows], kind="stable")]
    cells = cells[[*gaps.PLACE, "sy", "value", "lower", "upper", "error"]].take(rows)
    of = sets.number(cells, gaps.PLACE)
    ordered = is_ordered[order.of[rows]][of.first]
    sign = sets.lookup(cells["metric"], better.map({"higher": 1.0, "lower": -1.0, "neither": 0.0})).astype(float)
    every = _Groups(
        of=of,
        y=cells["value"].to_numpy(float),
        population=cells["sy"].to_numpy(float),
        error=sets.standard_error(cells, kinds),
        reference=is_reference[order.of[rows]],
    )
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        figures = {**every.spread(ordered, sign.to_numpy()[of.first]), "p": every.alike()}
        for name, figure in every.only(ordered).order().items():
            figures[name] = np.full(len(of), np.nan)
            figures[name][ordered] = figure
    several = np.flatnonzero(of.size > 1)
    out = cells[gaps.PLACE].take(of.first[several]).reset_index(drop=True)
    return out.assign(
        groups=of.size[several],
        **{name: np.where(np.isfinite(x), x, np.nan)[several] for name, x in figures.items()},
    )


class _Groups:
    """The groups of every place, in order within it."""

    def __init__(
        self, of: sets.Sets, y: np.ndarray, population: np.ndarray, error: np.ndarray, reference: np.ndarray
    ) -> None:
        self.of, self.y, self.population, self.error, self.reference = of, y, population, error, reference
        self.share = population / of.sum(population)[of.of]
        self.mu = of.sum(self.share * y)

    def only(self, wanted: np.ndarray) -> _Groups:
        """The places where `wanted` is true."""
        rows = wanted[self.of.of]
        place = np.cumsum(wanted) - 1
        renumbered = (np.cumsum(rows) - 1)[self.of.first[wanted]]
        of = sets.Sets(place[self.of.of[rows]], renumbered)
        return _Groups(of, self.y[rows], self.population[rows], self.error[rows], self.reference[rows])

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
        v = self.error**2
        reach = Z * np.sqrt(of.sum(pull**2 * v))
        relative = np.where((high > 0) & (low > 0), high / low, np.nan)
        together = (level / high[of.of] - (level - pull) / low[of.of]) ** 2
        factor = np.exp(Z * np.sqrt(of.sum(together * v)))
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
        """p that the groups of a place have the same value (Cochran's Q)."""
        of, weight = self.of, 1 / self.error**2
        average = of.sum(weight * self.y) / of.sum(weight)
        q = of.sum(weight * (self.y - average[of.of]) ** 2)
        return np.where(of.size > 1, special.chdtrc(np.maximum(of.size - 1, 1), q), np.nan)
