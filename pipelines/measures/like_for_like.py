"""Like-for-like gaps: the gap among students of the same school and level."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from pipelines.measures import gaps, sets
from pipelines.measures.intervals import CONFIDENCE

KEY = [*gaps.PLACE, "group"]
Z = special.ndtri(0.5 + CONFIDENCE / 2)
SUMS = ["strata", "n", "reference_n", "weight", "weighted", "p", "q", "variance", "fourth"]

TURNS, GONE, SCHOOLS, REMAINS, APPEARS, NEITHER = (
    "turns round",
    "gone, if anything turned round",
    "mostly which schools",
    "remains",
    "appears",
    "no clear gap either way",
)


def like_for_like(cells: pd.DataFrame, kinds: pd.Series, references: pd.Series, schools: pd.DataFrame) -> pd.DataFrame:
    """The gap of each group to its reference group within schools and levels, averaged over them.

    cells: with intervals, groups to be compared only; the strata are its rows of a school and one level.
    kinds: metric → proportion, mean or ratio. references: characteristic → reference group.
    schools: school_code, faculty_code.

    Returns PLACE, group, n and reference_n (in the strata that hold both groups: nobody else counts), strata (how
    many), value (group minus reference, in the metric's unit), lower, upper, p. Units are the university and the
    faculties, at each level and at all of them, and schools at all levels. A school at one level is one stratum: its
    like-for-like gap is its gap. Without anything to compare there is no row; limits and p are NaN where the data
    hold no variation at all, or fewer than two in a group of a mean or ratio: too few to say.

    Weights are n₁n₀/(n₁+n₀) (Mantel & Haenszel, 1959). Proportions: the risk difference with Sato's (1989) variance
    taken at each candidate value, which gives Klingenberg's (2014) interval and a p-value that agrees with it.
    Means and ratios: the weighted difference on Student's t with Welch–Satterthwaite degrees of freedom.
    """
    return _judged(_rolled_up(_strata(cells, kinds, references), schools), kinds)


def _strata(cells: pd.DataFrame, kinds: pd.Series, references: pd.Series) -> pd.DataFrame:
    """One row per group and stratum: its part of every sum."""
    one_level = (cells["level"] != sets.EVERY_LEVEL).to_numpy(bool)
    within = cells.take(np.flatnonzero(sets.is_school(cells["unit"]) & one_level))
    one, two = sets.pairs(within, references, gaps.PLACE)
    strata = within[KEY].take(one).reset_index(drop=True)
    n1, n0, x1, x0, v1, v0, e1, e0 = (
        within[c].to_numpy(float)[rows] for c in ("n", "sx", "value", "error") for rows in (one, two)
    )
    is_p = sets.is_kind(strata["metric"], kinds, "proportion")
    both = n1 + n0
    weight = n1 * n0 / both
    spread = e1**2 + e0**2
    sums = {
        "strata": np.ones(len(one)),
        "n": n1,
        "reference_n": n0,
        "weight": weight,
        "weighted": weight * (v1 - v0),
        "p": np.where(is_p, (n1**2 * x0 - n0**2 * x1 + n1 * n0 * (n0 - n1) / 2) / both**2, 0),
        "q": np.where(is_p, (x1 * (n0 - x0) + x0 * (n1 - x1)) / (2 * both), 0),
        "variance": np.where(is_p, 0, weight**2 * spread),
        "fourth": np.where(is_p, 0, weight**4 * (e1**4 / np.maximum(n1 - 1, 1) + e0**4 / np.maximum(n0 - 1, 1))),
    }
    known = is_p | np.isfinite(spread)
    return strata.assign(**sums).take(np.flatnonzero(known))


def _rolled_up(strata: pd.DataFrame, schools: pd.DataFrame) -> pd.DataFrame:
    """The sums of schools at all levels, of faculties and of the university."""
    university, faculty = sets.parents(schools)
    here = strata.assign(unit=sets.lookup(strata["unit"], faculty))
    faculties = sets.summed(here.take(np.flatnonzero(here["unit"].notna())), KEY, SUMS)
    # from the strata, so that a school without a faculty still counts
    inside = strata.take(np.flatnonzero(sets.lookup(strata["unit"], university).notna()))
    whole = sets.summed(inside.assign(unit=sets.always(sets.UNIVERSITY, len(inside))), KEY, SUMS)
    one_level = [part.assign(level=sets.always(sets.EVERY_LEVEL, len(part))) for part in (strata, faculties, whole)]
    return sets.stacked([faculties, whole, *(sets.summed(part, KEY, SUMS) for part in one_level)])


def _judged(sums: pd.DataFrame, kinds: pd.Series) -> pd.DataFrame:
    is_p = sets.is_kind(sums["metric"], kinds, "proportion")
    s = {c: sums[c].to_numpy(float) for c in SUMS}
    with np.errstate(divide="ignore", invalid="ignore"):
        value = s["weighted"] / s["weight"]
        p, q = s["p"] / s["weight"] ** 2, s["q"] / s["weight"] ** 2
        middle = value + Z**2 * p / 2
        reach = np.sqrt(np.maximum(middle**2 - value**2 + Z**2 * q, 0))
        chance = 2 * special.ndtr(-np.abs(value) / np.sqrt(q))

        error = np.sqrt(s["variance"]) / s["weight"]
        df = s["variance"] ** 2 / s["fourth"]
        t_reach = special.stdtrit(df, 0.5 + CONFIDENCE / 2) * error
        t_chance = 2 * special.stdtr(df, -np.abs(value) / error)
    known = np.where(is_p, q > 0, error > 0)
    lower = np.where(is_p, np.maximum(middle - reach, -1), value - t_reach)
    upper = np.where(is_p, np.minimum(middle + reach, 1), value + t_reach)
    return sums[KEY].assign(
        strata=s["strata"].astype(int),
        n=s["n"].astype(int),
        reference_n=s["reference_n"].astype(int),
        value=value,
        lower=np.where(known, lower, np.nan),
        upper=np.where(known, upper, np.nan),
        p=np.where(known, np.where(is_p, chance, t_chance), np.nan),
    )


def beside_raw(raw: pd.DataFrame, like: pd.DataFrame, material: pd.Series) -> pd.Series:
    """What the like-for-like gap says about the raw one, in words. The two frames have the same rows.

    raw, like: metric, value, lower, upper. material: metric → size in the units of value.

    turns round            the raw gap is clear and material, and like for like it is clear on the other side (Simpson,
                           1951), by at least a third of what is material
    gone, if anything turned round
                           the same, but like for like the interval holds no gap, and not half of the raw gap
    mostly which schools   the raw gap is clear and material, and like for like less than half of it is left: so the
                           whole interval says, which may hold no gap at all
    remains                clear both ways on the same side, and material in one of them
    appears                clear and material like for like only: which schools and levels students are in hides it
    no clear gap either way
                           neither is clear and material
    too few to say         one of them has no interval; or the raw gap is clear and material, and like for like none
                           of it may be left, or half of it and more
    Clear: the interval does not hold 0.
    """
    needed = sets.lookup(raw["metric"], material).astype(float).to_numpy()
    a, low_a, high_a = (raw[c].to_numpy(float) for c in ("value", "lower", "upper"))
    b, low, high = (like[c].to_numpy(float) for c in ("value", "lower", "upper"))
    clear, clear_like = (low_a > 0) | (high_a < 0), (low > 0) | (high < 0)
    large, large_like = np.abs(a) >= needed, np.abs(b) >= needed
    there, less = clear & large, np.maximum(low * np.sign(a), high * np.sign(a)) < np.abs(a) / 2
    other_side = there & (a * b < 0) & (np.abs(b) >= needed / 3)
    words = sets.said(
        [
            np.isnan(low_a) | np.isnan(low),
            other_side & clear_like,
            other_side & less,
            there & less,
            clear & clear_like & (large | large_like) & (a * b > 0),
            there,
            clear_like & large_like,
        ],
        [gaps.TOO_FEW, TURNS, GONE, SCHOOLS, REMAINS, gaps.TOO_FEW, APPEARS],
        default=NEITHER,
    )
    return pd.Series(words, index=raw.index)
