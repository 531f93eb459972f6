"""Funnel: which schools stand out from the whole, given how many students each has and how schools differ anyway."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import special

from pipelines.measures import gaps, sets

FAMILY = [*(c for c in gaps.PLACE if c != "unit"), "group"]
Z95, Z998 = special.ndtri(0.975), special.ndtri(0.999)
FEWEST = 5
TRIM = 0.1

FAR_ABOVE, ABOVE, WITHIN, BELOW, FAR_BELOW = "far above", "above", "within the limits", "below", "far below"
LEARN, MAYBE, TALK = "worth learning from", "may be worth learning from", "worth a conversation"


def funnel(
    cells: pd.DataFrame,
    kinds: pd.Series,
    bounded: frozenset[str] = frozenset(),
    by: Sequence[str] = FAMILY,
    trim: float = TRIM,
    whole: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Limits around the whole's value for each school, wide enough for chance and for how schools differ anyway.

    cells: `by`, unit, metric, n, sx, sy, value, error: rows of one kind of unit (schools). whole: `by` and value of
    what they are part of; by default they make it up.
    kinds: metric → proportion, mean or ratio. bounded: ratios that can never exceed 1; nothing is ever below 0.
    trim: share of schools at either end that is drawn in before judging how schools differ.

    Returns `by`, unit, n, value, target (the whole's value), lower and upper (95% limits around the target at this
    school's size), lower_outer and upper_outer (99.8%), z (distance from the target in standard errors), phi
    (overdispersion: 1 is chance alone), tau (its standard deviation between schools, on the scale of the limits'
    calculation), position (far above, above, within the limits, below, far below, too few to say). Values in the
    metric's unit. A family needs 5 schools; limits are NaN with fewer, or where nothing varies.

    Spiegelhalter (2005): proportions as arcsine of the square root, with error 1/(2√n); means and ratios as they are,
    with their own standard error. z-scores are Winsorised at `trim` and 1 − `trim`; φ is the mean of their squares;
    τ² is DerSimonian & Laird's (1986) from them, used where φ is above (k − 1)/k.
    """
    of = sets.number(cells, by)
    is_p = sets.is_kind(cells["metric"], kinds, "proportion")
    n, sx, sy, value = (cells[c].to_numpy(float) for c in ("n", "sx", "sy", "value"))
    with np.errstate(divide="ignore", invalid="ignore"):
        target = (of.sum(sx) / of.sum(sy))[of.of] if whole is None else _target(cells, whole, by)
        y = np.where(is_p, np.arcsin(np.sqrt(value)), value)
        centre = np.where(is_p, np.arcsin(np.sqrt(target)), target)
        error = np.where(is_p, 1 / (2 * np.sqrt(n)), cells["error"].to_numpy(float))
        z = (y - centre) / error
    usable = np.isfinite(z)
    rows = np.flatnonzero(usable)
    used = sets.Sets(of.of[rows], of.first)
    phi, tau2 = overdispersion(z[rows], error[rows], used, trim)
    varied = used.sum(np.abs(z[rows])) > 0
    enough = (used.size >= FEWEST) & varied
    known = usable & enough[of.of]

    is_bounded = cells["metric"].isin(bounded).to_numpy(bool)
    spread = np.sqrt(error**2 + tau2[of.of])
    limits = {
        name: np.where(known, _back(centre + side * spread, is_p, is_bounded), np.nan)
        for name, side in {"lower": -Z95, "upper": Z95, "lower_outer": -Z998, "upper_outer": Z998}.items()
    }
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.where(known, (y - centre) / spread, np.nan)
    position = sets.said(
        [~known, distance > Z998, distance > Z95, distance < -Z998, distance < -Z95],
        [gaps.TOO_FEW, FAR_ABOVE, ABOVE, FAR_BELOW, BELOW],
        default=WITHIN,
    )
    return cells[[*by, "unit"]].assign(
        n=cells["n"], value=value, target=target, **limits, z=np.where(known, z, np.nan),
        phi=np.where(known, phi[of.of], np.nan), tau=np.where(known, np.sqrt(tau2)[of.of], np.nan), position=position,
    )  # fmt: skip


def _target(cells: pd.DataFrame, whole: pd.DataFrame, by: Sequence[str]) -> np.ndarray:
    """The whole's value for each row; NaN where there is none."""
    return np.append(whole["value"].to_numpy(float), np.nan)[sets.find(cells, whole, list(by))]


def overdispersion(
    z: np.ndarray, error: np.ndarray, of: sets.Sets, trim: float = TRIM
) -> tuple[np.ndarray, np.ndarray]:
    """φ and τ² of each set from its members' z-scores and their standard errors (Spiegelhalter, 2005)."""
    low, high = _quantiles(z, of, (trim, 1 - trim))
    drawn_in = np.clip(z, low[of.of], high[of.of])
    weight, k = 1 / error**2, of.size
    with np.errstate(divide="ignore", invalid="ignore"):
        phi = of.sum(drawn_in**2) / k
        w = of.sum(weight)
        tau2 = (k * phi - (k - 1)) / (w - of.sum(weight**2) / w)
    return phi, np.where(k * phi > k - 1, np.maximum(np.nan_to_num(tau2, posinf=0, neginf=0), 0), 0)


def _quantiles(x: np.ndarray, of: sets.Sets, wanted: Sequence[float]) -> list[np.ndarray]:
    """Quantiles of each set, between neighbours in proportion (Hyndman & Fan, 1996, type 7); NaN for an empty set."""
    by_size = np.argsort(x)
    ordered = np.append(x[by_size[np.argsort(of.of[by_size], kind="stable")]], np.nan)
    start = np.cumsum(of.size) - of.size
    found = []
    for q in wanted:
        at = q * np.maximum(of.size - 1, 0)
        low, high = (np.where(of.size > 0, start + f(at).astype(int), len(x)) for f in (np.floor, np.ceil))
        found.append(ordered[low] + (at % 1) * (ordered[high] - ordered[low]))
    return found


def _back(y: np.ndarray, is_p: np.ndarray, is_bounded: np.ndarray) -> np.ndarray:
    """From the scale of the calculation to the metric's own, and to what is possible there."""
    return np.where(is_p, np.sin(np.clip(y, 0, np.pi / 2)) ** 2, np.clip(y, 0, np.where(is_bounded, 1, np.inf)))


def side(position: pd.Series) -> pd.Series:
    """A position without how far: above, below or within the limits."""
    return position.astype(object).replace({FAR_ABOVE: ABOVE, FAR_BELOW: BELOW})


def words(funnels: pd.DataFrame, better: pd.Series) -> pd.Series:
    """What a school's position asks for. funnels: metric, position. better: metric → higher, lower or neither.

    worth learning from         beyond the outer limits on the good side
    may be worth learning from  beyond the inner ones only, on the good side
    worth a conversation        outside them on the other side, or on either where neither is good
    """
    good = sets.lookup(funnels["metric"], better.map({"higher": 1, "lower": -1, "neither": 0})).astype(float)
    side = sets.lookup(funnels["position"], pd.Series({FAR_ABOVE: 2, ABOVE: 1, BELOW: -1, FAR_BELOW: -2})).astype(float)
    asks = sets.said(
        [funnels["position"] == gaps.TOO_FEW, side * good == 2, side * good == 1, side.notna()],
        [gaps.TOO_FEW, LEARN, MAYBE, TALK],
        default=WITHIN,
    )
    return pd.Series(asks, index=funnels.index)
