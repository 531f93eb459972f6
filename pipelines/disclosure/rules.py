"""The primary rules: which cells would say too much about a person, and how figures are rounded."""

from __future__ import annotations

import numpy as np
import pandas as pd

SHOWN, SUPPRESSED, NONE = "shown", "suppressed", "none"
PRIMARY = (  # the settings that `primary` takes
    "smallest_base", "smallest_percentage_base", "smallest_margin", "smallest_mean_base", "smallest_respondents",
)  # fmt: skip


def primary(
    cells: pd.DataFrame,
    *,
    percentage: frozenset[str],
    private: frozenset[str],
    voice: frozenset[str],
    counts_respondents: frozenset[str],
    smallest_base: int,
    smallest_percentage_base: int,
    smallest_mean_base: int,
    smallest_margin: int,
    smallest_respondents: int,
) -> pd.Series:
    """True for the cells that must be hidden for what they are.

    cells: metric, n (rows), sx (numerator), have_some and lack_some (rows with any of what is measured, and
    with less than all of it). The sets name the metrics that are shown as percentages, that say something
    private (so that a figure that nearly everybody or nearly nobody shares is hidden), that rest on survey
    answers, and whose numerator counts those who answered. Rules as published by HESA (rounding and
    suppression) and the Office for Students (transparency return).
    """
    metric = cells["metric"]
    n = cells["n"]
    is_percentage = metric.isin(percentage)
    few = n < smallest_base
    few |= is_percentage & (n < smallest_percentage_base)
    few |= ~is_percentage & (n < smallest_mean_base)
    few |= metric.isin(voice) & (n < smallest_respondents)
    few |= metric.isin(counts_respondents) & (cells["sx"] < smallest_respondents)
    at_an_end = (cells["have_some"] < smallest_margin) | (cells["lack_some"] < smallest_margin)
    return few | (metric.isin(private) & at_an_end)


def half_up(values: pd.Series | np.ndarray, decimals: int | pd.Series = 0) -> np.ndarray:
    """Round to `decimals` places, halves up (of negative numbers: down), not to even as floating point does."""
    values = np.asarray(values, float)
    scale = 10.0 ** np.asarray(decimals, float)
    # the small nudge undoes binary representation: 0.285 × 100 is 28.499999…
    return np.copysign(np.floor(np.abs(values) * scale + 0.5 + 1e-9) / scale, values) + 0.0  # no negative zero


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
