"""Sums and pairs over many sets of rows at once: what every measure here is built from.

A set is the rows that share some key columns. Each measure numbers its sets once and adds up with
`numpy.bincount`, so that its cost grows with the number of rows and not with the number of sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

EVERY_LEVEL = "all"
UNIVERSITY = "university"
SCHOOL = "school:"


@dataclass(frozen=True)
class Sets:
    """Rows told apart by key columns. of: each row's set number; first: one row of each set.

    alike: how many such rows each row stands for, by default itself alone; sums and sizes count them all.
    """

    of: np.ndarray
    first: np.ndarray
    alike: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.first)

    def sum(self, x: np.ndarray) -> np.ndarray:
        """Σ of x in each set."""
        return np.bincount(self.of, x if self.alike is None else x * self.alike, len(self))

    def max(self, x: np.ndarray) -> np.ndarray:
        """The largest x in each set; NaN where there is none."""
        return self._extreme(np.fmax, x)

    def min(self, x: np.ndarray) -> np.ndarray:
        """The smallest x in each set; NaN where there is none."""
        return self._extreme(np.fmin, x)

    def _extreme(self, of_two: np.ufunc, x: np.ndarray) -> np.ndarray:
        out = np.full(len(self), np.nan)
        of_two.at(out, self.of, x)
        return out

    @property
    def size(self) -> np.ndarray:
        """How many rows each set has, or stands for."""
        return np.bincount(self.of, self.alike, len(self)).astype(np.int64)


def coded(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The frame with `columns` as categories: numbers its sets many times faster. Worth it before several measures."""
    return frame.assign(**{c: frame[c].astype("category") for c in columns})


def number(frame: pd.DataFrame, columns: Sequence[str], alike: np.ndarray | None = None) -> Sets:
    """The sets of rows that share their values in `columns` (missing is a value of its own). alike: see `Sets`."""
    of = np.zeros(len(frame), np.int64)
    for column in columns:
        of = _combined(of, *_codes(frame[column]))
    of, found = pd.factorize(of)
    first = np.zeros(len(found), np.int64)
    first[of[::-1]] = np.arange(len(of))[::-1]
    return Sets(of, first, alike)


def _combined(of: np.ndarray, codes: np.ndarray, count: int) -> np.ndarray:
    """Numbers that tell apart what either of two does. count: how many codes there may be."""
    if len(of) and int(of.max()) * count > 2**62:
        of = pd.factorize(of)[0].astype(np.int64)
    return of * count + codes


def _codes(column: pd.Series) -> tuple[np.ndarray, int]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy(np.int64) + 1, len(column.cat.categories) + 1
    codes, found = pd.factorize(column, use_na_sentinel=False)
    return codes.astype(np.int64), max(len(found), 1)


def summed(frame: pd.DataFrame, keys: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
    """Σ of `columns` in each set of `keys`: one row per set, in order of first appearance."""
    sets = number(frame, keys)
    out = frame[list(keys)].take(sets.first).reset_index(drop=True)
    return out.assign(**{c: sets.sum(frame[c].to_numpy(float)) for c in columns})


def stacked(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """The rows of all frames. What is categories in each of them stays so, which `pandas.concat` turns into objects."""
    frames = list(frames)
    for column in [c for c in frames[0] if all(c in f for f in frames)]:
        columns = [f[column] for f in frames]
        if all(isinstance(c.dtype, pd.CategoricalDtype) for c in columns) and len({c.dtype for c in columns}) > 1:
            names = pd.Index(np.concatenate([c.cat.categories.astype(object) for c in columns])).unique()
            frames = [f.assign(**{column: f[column].cat.set_categories(names)}) for f in frames]
    return pd.concat(frames, ignore_index=True)


def only_used(column: pd.Series) -> pd.Categorical:
    """A column of categories without those that no row has; as `remove_unused_categories`, without sorting the rows."""
    of = column.cat
    used = np.zeros(len(of.categories) + 1, bool)
    used[of.codes] = True  # missing, −1, is the last
    codes = np.append(np.cumsum(used[:-1]) - 1, -1)[of.codes]
    return pd.Categorical.from_codes(codes, categories=of.categories[used[:-1]])


def always(value: str, rows: int) -> pd.Categorical:
    """A column that holds one value."""
    return pd.Categorical.from_codes(np.zeros(rows, np.int8), categories=[value])


def find(frame: pd.DataFrame, table: pd.DataFrame, keys: Sequence[str]) -> np.ndarray:
    """For each row of `frame` the number of the row of `table` with the same keys, −1 where there is none.

    `table` has each set of keys once.
    """
    of = np.zeros(len(table) + len(frame), np.int64)
    for key in keys:
        known, asked = table[key].astype("category").cat, frame[key].astype("category").cat
        place = np.append(known.categories.get_indexer(asked.categories), -1)
        codes = np.append(known.codes, place[asked.codes.to_numpy()]) + np.int64(1)
        of = _combined(of, codes, len(known.categories) + 1)
    of = pd.factorize(of)[0]
    row = np.full(len(of), -1)
    row[of[: len(table)]] = np.arange(len(table))
    return row[of[len(table) :]]


def lookup(column: pd.Series, table: pd.Series) -> pd.Series:
    """Each value of `column` replaced by `table`'s entry for it, as a category; missing where it has none."""
    coded_column = column.astype("category")
    values = pd.Categorical(table.reindex(coded_column.cat.categories))
    codes = np.append(values.codes, -1)[coded_column.cat.codes]
    return pd.Series(pd.Categorical.from_codes(codes, dtype=values.dtype), index=column.index)


def is_kind(metrics: pd.Series, kinds: pd.Series, kind: str) -> np.ndarray:
    """Which rows are of a metric of this kind. kinds: metric → proportion, mean or ratio."""
    column = metrics.astype("category")
    named = kinds.reindex(column.cat.categories).eq(kind).to_numpy(bool)
    return np.append(named, False)[column.cat.codes]


def is_school(units: pd.Series) -> np.ndarray:
    """Which rows are of a school."""
    column = units.astype("category")
    schools = np.array([str(unit).startswith(SCHOOL) for unit in column.cat.categories] + [False])
    return schools[column.cat.codes]


def parents(schools: pd.DataFrame) -> list[pd.Series]:
    """What a school belongs to, as maps from unit to unit: the university, then its faculty.

    schools: school_code, faculty_code.
    """
    units = pd.Index(SCHOOL + schools["school_code"].astype(str))
    faculties = ("faculty:" + schools["faculty_code"].astype(str)).to_numpy()
    return [pd.Series(UNIVERSITY, index=units, dtype=object), pd.Series(faculties, index=units, dtype=object)]


def pairs(cells: pd.DataFrame, references: pd.Series, place: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers of each compared group and, in the same order, of its reference group in the same place.

    cells: `place`, characteristic, group. references: characteristic → reference group.
    Groups whose reference has nobody are left out, as are characteristics without a reference.
    """
    kinds = number(cells, ["characteristic", "group"])
    named = cells[["characteristic", "group"]].take(kinds.first).astype(object)
    reference = named["characteristic"].map(references)
    is_reference = (named["group"] == reference).to_numpy(bool)[kinds.of]
    is_compared = reference.notna().to_numpy(bool)[kinds.of] & ~is_reference
    places = number(cells, place)
    row = np.full(len(places), -1)
    row[places.of[is_reference]] = np.flatnonzero(is_reference)
    rows = np.flatnonzero(is_compared & (row[places.of] >= 0))
    return rows, row[places.of[rows]]


def said(conditions: Sequence[np.ndarray | pd.Series], words: Sequence[str], default: str) -> pd.Categorical:
    """For each row the word of the first condition that holds, else `default`."""
    names = list(dict.fromkeys([*words, default]))
    codes = np.select(
        [np.asarray(c, bool) for c in conditions], [names.index(w) for w in words], default=names.index(default)
    )
    return pd.Categorical.from_codes(codes, categories=names)
