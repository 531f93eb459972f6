"""95% intervals for proportions, means and ratios of sums, from sufficient statistics."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from pipelines.measures import sets

CONFIDENCE = 0.95
KINDS = ("proportion", "mean", "ratio")


def proportion(x: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Value and limits of x out of n, as fractions (Wilson, 1927). NaN where n is 0."""
    x, n = np.asarray(x, float), np.asarray(n, float)
    safe = np.where(n > 0, n, np.nan)
    value, z = x / safe, special.ndtri(0.5 + CONFIDENCE / 2)
    shrunk = 1 + z**2 / safe
    centre = (value + z**2 / (2 * safe)) / shrunk
    reach = z * np.sqrt(value * (1 - value) / safe + z**2 / (4 * safe**2)) / shrunk
    # of nobody or everybody a limit is the value itself, which rounding may miss
    return value, np.clip(centre - reach, 0, value), np.clip(centre + reach, value, 1)


def mean(n: np.ndarray, sx: np.ndarray, sxx: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and its standard error from n, Σx and Σx². The error is NaN below two rows."""
    n, sx, sxx = np.asarray(n, float), np.asarray(sx, float), np.asarray(sxx, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = sx / n
        squares = np.maximum(sxx - sx * value, 0)
        error = np.where(n > 1, np.sqrt(squares / (n - 1) / n), np.nan)
    return value, error


def ratio(
    n: np.ndarray, sx: np.ndarray, sxx: np.ndarray, sy: np.ndarray, syy: np.ndarray, sxy: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Σx / Σy and its standard error, each row (a student, a tutor) being one cluster.

    Linearised (Taylor series) variance: n/(n−1) · Σ(x − r·y)² / (Σy)²; see Cochran (1977), section 6.4.
    """
    n, sx, sxx = np.asarray(n, float), np.asarray(sx, float), np.asarray(sxx, float)
    sy, syy, sxy = np.asarray(sy, float), np.asarray(syy, float), np.asarray(sxy, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(sy > 0, sx / sy, np.nan)
        squares = np.maximum(sxx - 2 * value * sxy + value**2 * syy, 0)
        error = np.where(n > 1, np.sqrt(n / (n - 1) * squares) / sy, np.nan)
    return value, error


def student(
    value: np.ndarray, error: np.ndarray, df: np.ndarray, of: np.ndarray | slice = slice(None)
) -> tuple[np.ndarray, np.ndarray]:
    """Limits of a value with its standard error on Student's t with `df` degrees of freedom.

    of: for each value its place in `df`, where many share theirs.
    """
    reach = special.stdtrit(np.where(np.asarray(df) > 0, df, np.nan), 0.5 + CONFIDENCE / 2)[of] * error
    return value - reach, value + reach


def with_values(cells: pd.DataFrame, kinds: pd.Series) -> pd.DataFrame:
    """Add `value` and `error` (standard error; NaN for proportions) to cells.

    cells: metric, n, sx, sxx, sy, syy, sxy. kinds: metric → proportion, mean or ratio.
    """
    value, error = np.full(len(cells), np.nan), np.full(len(cells), np.nan)
    n, sx, sxx, sy, syy, sxy = (cells[c].to_numpy(float) for c in ("n", "sx", "sxx", "sy", "syy", "sxy"))
    is_p, is_m, is_r = (np.flatnonzero(sets.is_kind(cells["metric"], kinds, k)) for k in KINDS)
    with np.errstate(divide="ignore", invalid="ignore"):
        value[is_p] = np.where(n[is_p] > 0, sx[is_p] / n[is_p], np.nan)
    value[is_m], error[is_m] = mean(n[is_m], sx[is_m], sxx[is_m])
    value[is_r], error[is_r] = ratio(*(sums[is_r] for sums in (n, sx, sxx, sy, syy, sxy)))
    return cells.assign(value=value, error=error)


def with_limits(cells: pd.DataFrame, kinds: pd.Series, bounded: frozenset[str] = frozenset()) -> pd.DataFrame:
    """Add `lower` and `upper`, the 95% interval, to cells with values.

    bounded: ratios that can never exceed 1.
    Means and ratios are of counts, so that no limit lies below 0. Of one row, or rows all alike, limits are NaN.
    """
    lower, upper = np.full(len(cells), np.nan), np.full(len(cells), np.nan)
    n, sx, value, error = (cells[c].to_numpy(float) for c in ("n", "sx", "value", "error"))
    is_p = sets.is_kind(cells["metric"], kinds, KINDS[0])
    at, is_t = np.flatnonzero(is_p), np.flatnonzero(~is_p)
    _, lower[at], upper[at] = proportion(sx[at], n[at])

    spread = np.where(error[is_t] > 0, error[is_t], np.nan)
    size, of = np.unique(n[is_t], return_inverse=True)  # sizes repeat, and a quantile is dear
    low, high = student(value[is_t], spread, size - 1, of)
    is_bounded = cells["metric"].isin(bounded).to_numpy(bool)[is_t]
    lower[is_t], upper[is_t] = np.maximum(low, 0), np.where(is_bounded, np.minimum(high, 1), high)
    return cells.assign(lower=lower, upper=upper)


def with_intervals(cells: pd.DataFrame, kinds: pd.Series, bounded: frozenset[str] = frozenset()) -> pd.DataFrame:
    """Add `value`, `error`, `lower` and `upper` to cells: see `with_values` and `with_limits`."""
    return with_limits(with_values(cells, kinds), kinds, bounded)
