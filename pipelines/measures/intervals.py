"""95% intervals for proportions, means and ratios of sums, from sufficient statistics."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special
from statsmodels.stats.proportion import proportion_confint

CONFIDENCE = 0.95


def proportion(x: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Value and limits of x out of n, as fractions (Wilson, 1927). NaN where n is 0."""
    x, n = np.asarray(x, float), np.asarray(n, float)
    safe = np.where(n > 0, n, np.nan)
    lower, upper = proportion_confint(x, safe, alpha=1 - CONFIDENCE, method="wilson")
    return x / safe, np.asarray(lower), np.asarray(upper)


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


def student(value: np.ndarray, error: np.ndarray, df: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Limits of a value with its standard error on Student's t with `df` degrees of freedom."""
    reach = special.stdtrit(np.where(np.asarray(df) > 0, df, np.nan), 0.5 + CONFIDENCE / 2) * error
    return value - reach, value + reach


def with_intervals(cells: pd.DataFrame, kinds: pd.Series, bounded: frozenset[str] = frozenset()) -> pd.DataFrame:
    """Add `value`, `lower`, `upper` and `error` (standard error; NaN for proportions) to cells.

    cells: metric, n, sx, sxx, sy, syy, sxy. kinds: metric → proportion, mean or ratio.
    bounded: ratios that can never exceed 1.
    Means and ratios are of counts, so that no limit lies below 0. Of one row, or rows all alike, limits are NaN.
    """
    out = cells.copy()
    kind = out["metric"].astype(object).map(kinds).to_numpy()
    n, sx, sxx = (out[c].to_numpy(float) for c in ("n", "sx", "sxx"))
    sy, syy, sxy = (out[c].to_numpy(float) for c in ("sy", "syy", "sxy"))
    value, lower, upper, error = (np.full(len(out), np.nan) for _ in range(4))

    is_p = kind == "proportion"
    value[is_p], lower[is_p], upper[is_p] = proportion(sx[is_p], n[is_p])

    is_m = kind == "mean"
    value[is_m], error[is_m] = mean(n[is_m], sx[is_m], sxx[is_m])

    is_r = kind == "ratio"
    value[is_r], error[is_r] = ratio(n[is_r], sx[is_r], sxx[is_r], sy[is_r], syy[is_r], sxy[is_r])

    is_t = is_m | is_r
    spread = np.where(error[is_t] > 0, error[is_t], np.nan)
    lower[is_t], upper[is_t] = student(value[is_t], spread, n[is_t] - 1)
    lower[is_t] = np.maximum(lower[is_t], 0)
    is_b = out["metric"].isin(bounded).to_numpy()
    upper[is_b] = np.minimum(upper[is_b], 1)
    out["value"], out["lower"], out["upper"], out["error"] = value, lower, upper, error
    return out
