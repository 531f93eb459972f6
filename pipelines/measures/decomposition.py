"""Decomposition: how much of a gap arises within schools, and how much from which schools students are in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from pipelines.measures import gaps, sets
from pipelines.measures.intervals import CONFIDENCE

Z = special.ndtri(0.5 + CONFIDENCE / 2)
FAMILY = [c for c in gaps.PLACE if c != "unit"]
SUMS = ["n", "sx", "sxx", "sy", "syy", "sxy"]

TURNS, GONE, WITHIN, WHICH, BOTH, APPEARS, NEITHER = (
    "turns round",
    "gone, if anything turned round",
    "mostly within schools",
    "mostly which schools",
    "both",
    "appears within schools",
    "no clear gap to explain",
)


@dataclass(frozen=True)
class Decomposition:
    """whole: a row per gap of the university or a faculty. schools: each school's part of each of them."""

    whole: pd.DataFrame
    schools: pd.DataFrame


def decompose(
    cells: pd.DataFrame, references: pd.Series, schools: pd.DataFrame, absent: pd.DataFrame | None = None
) -> Decomposition:
    """The gaps of the university and of each faculty, split exactly in two (Kitagawa, 1955).

    cells: groups to be compared only; its rows of schools are used, at each level and at all of them. Schools in which
    the cell of either group of a gap is `hidden` (where there is such a column) count as one school, so that nothing is
    told of them that their sum does not. absent: the keys of cells that count nobody, which is not to be told either.
    references: characteristic → reference group. schools: school_code, faculty_code.

    whole: PLACE, group, value (the raw gap: group minus reference), within_schools (from different values within the
    same school), which_schools (from being in different schools), and their limits within_lower, within_upper,
    which_lower, which_upper. value = within_schools + which_schools. together: the share of the group, or of its
    reference, that is in schools which count as one.
    schools: PLACE (unit: the university or faculty), school (unit), group, within_schools, which_schools. They add up
    to those of the whole. A school's part of *which schools* is set against the average of the group's and the
    reference's value: above zero where the group is over-represented in a school with a high value, or
    under-represented in one with a low value.
    All in the metric's unit. A school without the group, or without its reference, has no gap of its own: its whole
    part is *which schools*. Limits take the shares of schools as given, and a group's spread within schools as common
    to the schools; they are NaN where no spread can be seen.
    """
    rows = cells.take(np.flatnonzero(sets.is_school(cells["unit"]) & (cells["sy"] > 0).to_numpy()))
    if absent is not None and len(absent):
        keys = [*gaps.PLACE, "group"]
        nobody = absent.loc[sets.is_school(absent["unit"]), keys].assign(**dict.fromkeys(SUMS, 0.0), hidden=True)
        rows = sets.stacked([rows[[*keys, *SUMS, "hidden"]], sets.coded(nobody, keys)])
    both = [_of_parents(rows, references, parent) for parent in sets.parents(schools)]
    return Decomposition(*(sets.stacked(frames) for frames in zip(*both, strict=True)))


def _of_parents(rows: pd.DataFrame, references: pd.Series, parent: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables for one kind of parent unit. Slot 0 is the reference, the others are the groups compared with it."""
    rows = rows.assign(parent=sets.lookup(rows["unit"], parent))
    slot, names = _slots(rows, references)
    counted = np.flatnonzero((slot >= 0) & rows["parent"].notna().to_numpy())
    rows, slot, names = rows.take(counted), slot[counted], names[counted]
    places = sets.number(rows, gaps.PLACE)
    at = rows[["unit", "parent", *FAMILY]].take(places.first)
    families = sets.number(at, [*FAMILY, "parent"])
    width = max(int(slot.max(initial=0)) + 1, 2)
    cell = places.of * width + slot
    sums = np.array([
        np.bincount(cell, rows[c].to_numpy(float), len(places) * width).reshape(-1, width).T for c in SUMS
    ])  # fmt: skip
    unseen = np.zeros((width, len(places)), bool)
    if "hidden" in rows:
        unseen[slot, places.of] = rows["hidden"].to_numpy(bool)
    named = np.full((width, len(families)), -1)
    named[slot, families.of[places.of]] = names.codes
    keys = at[[*FAMILY, "parent"]].rename(columns={"parent": "unit"})
    wholes, parts = [], []
    for k in range(1, width):
        apart = ~unseen[[k, 0]].any(axis=0)  # the other schools count as one
        number = np.where(apart, np.arange(len(places)), len(places) + families.of)
        member, of = np.unique(number, return_inverse=True)
        family = np.zeros(len(member), int)
        family[of] = families.of
        own = np.array([[np.bincount(of, total, len(member)) for total in each[[k, 0]]] for each in sums])
        split, whole = _of_one_gap(own, family, len(families))
        of_y = sums[SUMS.index("sy")][[k, 0]]
        with np.errstate(divide="ignore", invalid="ignore"):
            together = [families.sum(np.where(apart, 0, each)) / families.sum(each) for each in of_y]
        whole["together"] = np.nan_to_num(np.max(together, axis=0))
        seen = whole.pop("seen").to_numpy(bool)
        head = keys.take(families.first).assign(group=pd.Categorical.from_codes(named[k], dtype=names.dtype))
        wholes.append(pd.concat([head.reset_index(drop=True), whole], axis=1)[seen])
        here = np.flatnonzero(seen[families.of] & apart & (sums[SUMS.index("sy")][[k, 0]].sum(axis=0) > 0))
        group = pd.Categorical.from_codes(named[k][families.of[here]], dtype=names.dtype)
        head = keys.take(here).assign(school=at["unit"].take(here), group=group)
        parts.append(head.assign(**{c: split[c][of[here]] for c in ("within_schools", "which_schools")}))
    return sets.stacked(wholes), sets.stacked(parts)


def _of_one_gap(sums: np.ndarray, family: np.ndarray, families: int) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """The parts of each school (or schools that count as one), and of each family of them: the columns of
    `Decomposition.whole` after the group, and `seen`, whether there is anybody of both.

    sums: SUMS × the group and its reference × school. family: of each school.
    """

    def summed(figures: np.ndarray) -> np.ndarray:
        return np.array([np.bincount(family, each, families) for each in figures])

    n, sx, sxx, sy, syy, sxy = sums
    with np.errstate(divide="ignore", invalid="ignore"):
        value = sx / sy
        squares = np.maximum(sxx - 2 * np.nan_to_num(value) * sxy + np.nan_to_num(value) ** 2 * syy, 0)
        total, overall, squares, df = map(summed, (sy, sx, squares, np.maximum(n - 1, 0)))
        share, overall, spread = sy / total[:, family], overall / total, squares / df
        variance = spread[:, family] * n / sy**2
    split = _split(value, share, variance, overall.mean(axis=0)[family])
    whole = pd.DataFrame(dict(zip(split, summed(np.array([*split.values()])), strict=True)))
    whole.insert(0, "value", whole["within_schools"] + whole["which_schools"])
    for part in ("within", "which"):
        reach = Z * np.sqrt(whole.pop(f"{part}_variance"))
        reach = reach.where((reach > 0) & np.isfinite(spread).all(axis=0))
        whole[f"{part}_lower"] = whole[f"{part}_schools"] - reach
        whole[f"{part}_upper"] = whole[f"{part}_schools"] + reach
    return split, whole.assign(seen=total.min(axis=0) > 0)


def _slots(rows: pd.DataFrame, references: pd.Series) -> tuple[np.ndarray, pd.Categorical]:
    """Each row's slot (0 the reference, 1… the characteristic's other groups, −1 no reference) and its group's name."""
    kinds = sets.number(rows, ["characteristic", "group"])
    named = rows[["characteristic", "group"]].take(kinds.first).astype(object).reset_index(drop=True)
    is_reference = (named["group"] == named["characteristic"].map(references)).to_numpy(bool)
    slot = named.assign(compared=~is_reference).groupby("characteristic")["compared"].cumsum().to_numpy()
    slot = np.where(named["characteristic"].isin(references.index), np.where(is_reference, 0, slot), -1)
    return slot[kinds.of], rows["group"].astype("category").array


def _split(value: np.ndarray, share: np.ndarray, variance: np.ndarray, centre: np.ndarray) -> dict[str, np.ndarray]:
    """Each school's part of one gap. Arrays of two rows, the group's and its reference's; centre: any constant."""
    there = np.isfinite(value)
    both, none = there.all(axis=0), ~there.any(axis=0)
    v1, v0 = (np.where(none, centre, np.where(there[i], value[i], value[1 - i])) for i in (0, 1))
    p1, p0 = np.nan_to_num(share)
    error = np.where(np.isfinite(variance), variance, 0).sum(axis=0)
    return {
        "within_schools": (p1 + p0) / 2 * (v1 - v0),
        "which_schools": ((v1 + v0) / 2 - centre) * (p1 - p0),
        "within_variance": np.where(both, (p1 + p0) ** 2 / 4 * error, 0),
        "which_variance": np.where(both, (p1 - p0) ** 2 / 4, (p1 - p0) ** 2) * error,
    }


def verdict(whole: pd.DataFrame, material: pd.Series) -> pd.Series:
    """Where a gap arises, in words.

    whole: metric, the columns of `Decomposition.whole`, and lower and upper, the limits of the raw gap.

    turns round            the raw gap is clear, and within schools it is clear on the other side (Simpson, 1951), by at
                           least a third of what is material
    gone, if anything turned round
                           the same, but within schools the interval holds no gap, and not half of the raw gap
    mostly within schools  more than half of the gap arises within schools: so the whole interval says
    mostly which schools   less than half of it does, likewise
    both                   some of the gap arises within schools and some does not: the interval holds half of it, but
                           neither none nor all
    appears within schools clear and material within schools only: which schools students are in hides it
    no clear gap to explain
                           neither the gap nor what arises within schools is clear and material
    too few to say         no interval, or one that holds half of the gap and none of it, or all
    Clear: the interval does not hold 0. material: metric → size in the units of value.
    """
    needed = sets.lookup(whole["metric"], material).astype(float).to_numpy()
    value, raw_low, raw_high, within, low, high = (
        whole[c].to_numpy(float) for c in ("value", "lower", "upper", "within_schools", "within_lower", "within_upper")
    )
    clear, clear_within = (raw_low > 0) | (raw_high < 0), (low > 0) | (high < 0)
    size = np.abs(value)
    least, most = np.sort([low * np.sign(value), high * np.sign(value)], axis=0)  # within schools, on the gap's side
    other_side = clear & (value * within < 0) & (np.abs(within) >= needed / 3)
    words = sets.said(
        [
            np.isnan(low),
            ~((clear & (size >= needed)) | (clear_within & (np.abs(within) >= needed))),
            other_side & clear_within,
            other_side & (most < size / 2),
            ~clear,
            least > size / 2,
            most < size / 2,
            (least > 0) & (most < size),
        ],
        [gaps.TOO_FEW, NEITHER, TURNS, GONE, APPEARS, WITHIN, WHICH, BOTH],
        default=gaps.TOO_FEW,
    )
    return pd.Series(words, index=whole.index)
