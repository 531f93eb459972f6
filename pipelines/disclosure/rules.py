"""The primary rules: which cells would say too much about a person, and how figures are rounded."""

from __future__ import annotations

import numpy as np
import pandas as pd

SHOWN, SUPPRESSED, NONE = "shown", "suppressed", "none"


def primary(
    cells: pd.DataFrame,
    *,
    percentage: frozenset[str],
    part_of_whole: frozenset[str],
    private: frozenset[str],
    voice: frozenset[str],
    smallest_base: int,
    smallest_percentage_base: int,
    smallest_mean_base: int,
    smallest_margin: int,
    smallest_respondents: int,
) -> pd.Series:
    """True for the cells that must be hidden for what they are.

    cells: metric, n (rows), sx (numerator), sy (denominator). The sets name the metrics that are shown as
    percentages, that are a part of a whole (so that near 0% or 100% says something about everyone), that
    say something private, and that rest on survey answers. Rules as published by HESA (rounding and
    suppression) and the Office for Students (transparency return).
    """
    metric = cells["metric"]
    n, x, y = cells["n"], cells["sx"], cells["sy"]
    is_percentage = metric.isin(percentage)
    few = n < smallest_base
    few |= is_percentage & (n < smallest_percentage_base)
    few |= ~is_percentage & (n < smallest_mean_base)
    few |= metric.isin(voice) & (n < smallest_respondents)
    at_an_end = (x < smallest_margin) | (y - x < smallest_margin)
    return few | (metric.isin(part_of_whole) & metric.isin(private) & at_an_end)


def half_up(values: pd.Series | np.ndarray, decimals: int | pd.Series = 0) -> np.ndarray:
    """Round halves up (away from the even rule of floating point), to `decimals` places."""
    scale = 10.0 ** np.asarray(decimals, float)
    # the small nudge undoes binary representation: 0.285 × 100 is 28.499999…
    return np.floor(np.asarray(values, float) * scale + 0.5 + 1e-9) / scale + 0.0  # + 0.0: no negative zero


def down(values: pd.Series | np.ndarray, decimals: int | pd.Series = 0) -> np.ndarray:
    """Round down, to `decimals` places: the lower limit of an interval, which a printed interval must reach."""
    scale = 10.0 ** np.asarray(decimals, float)
    return np.floor(np.asarray(values, float) * scale + 1e-9) / scale + 0.0  # + 0.0: no negative zero


def up(values: pd.Series | np.ndarray, decimals: int | pd.Series = 0) -> np.ndarray:
    """Round up, to `decimals` places: the upper limit of an interval."""
    scale = 10.0 ** np.asarray(decimals, float)
    return np.ceil(np.asarray(values, float) * scale - 1e-9) / scale + 0.0


def to_nearest(values: pd.Series, step: int) -> np.ndarray:
    """Round counts to the nearest multiple of `step`, halves up."""
    return np.floor(np.asarray(values, float) / step + 0.5) * step
