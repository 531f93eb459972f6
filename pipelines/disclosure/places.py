"""Cells as numbers, for the disclosure attacker: which periods belong together, and what is known of every place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from pipelines.disclosure.ranges import Axis, Family, share
from pipelines.disclosure.search import CAP, HAVE, LACK, N, Terms

KEY = ["academic_year", "part", "level", "unit", "metric", "characteristic", "group"]
COUNTS = ["n", "have", "lack"]
EVERYONE, WHOLE_YEAR, POOLED, UNIVERSITY = "all", "year", "pooled", "university"
ALWAYS = 20  # places in which two metrics must agree, and none in which they differ, to be taken for the same

Period = tuple[str, str]  # academic_year, part
Broader = Mapping[str, tuple[str, Mapping[str, Sequence[str]]]]
Pooled = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Metrics:
    """What is publicly known of the metrics, by name: grain, kind (proportion, mean, ratio), which are private."""

    grain: Mapping[str, str]
    kind: Mapping[str, str]
    private: frozenset[str]


@dataclass(frozen=True)
class _Groups:
    """How the groups of a characteristic and its broader ones add up: everyone, broad groups, fine ones."""

    axis: Axis
    characteristic: list[str]  # of each position
    place: dict[tuple[str, str], int]  # of a characteristic's group


_EVERYONE = _Groups(Axis(1, []), [EVERYONE], {(EVERYONE, EVERYONE): 0})


class Places:
    """Every listed cell, by the number of its task (periods attacked together), period, unit, level and group."""

    def __init__(
        self, shown: pd.DataFrame, hidden: pd.DataFrame, old: pd.DataFrame, schools: pd.DataFrame, metrics: Metrics,
        broader: Broader, pooled: Pooled, inner: pd.DataFrame | None, known: pd.DataFrame,
    ) -> None:  # fmt: skip
        """shown, hidden: of this release; old: shown by an earlier one, of use where this one hides or says nothing;
        inner: the counts of the smallest cells, where it is known to whoever makes the release; known: all that tells
        which metrics belong together.
        """
        past = pd.MultiIndex.from_frame(old[KEY]).isin(pd.MultiIndex.from_frame(hidden[KEY]))
        past |= ~_kinds(old).isin(_kinds(pd.concat([shown[KEY], hidden[KEY]])))
        cells = pd.concat([shown, old[past], hidden], ignore_index=True)
        self._counts = cells[COUNTS].fillna(0).to_numpy(np.int32)
        row = np.arange(len(cells))
        self._number = np.where(row < len(cells) - len(hidden), -1, row - len(cells) + len(hidden))
        self.old = (row >= len(shown)) & (self._number < 0)

        self._pooled = pooled
        self.tasks = _together(set(zip(cells["academic_year"], cells["part"], strict=True)), pooled)
        at = {period: (i, t) for i, task in enumerate(self.tasks) for t, period in enumerate(task)}
        period, periods = _distinct(cells, KEY[:2])
        self._task, t = np.array([at[p] for p in periods], int).reshape(-1, 2)[period].T

        self._units, unit, self._kind_of_unit = _units(schools)
        level = {name: i for i, name in enumerate([EVERYONE, *sorted(set(cells["level"]) - {EVERYONE})])}
        self._levels = Axis(len(level), [(0, list(range(1, len(level))))] if len(level) > 1 else [])
        self._metrics = {name: i for i, name in enumerate(sorted(set(cells["metric"])))}
        self._place = [
            _codes(cells["metric"], self._metrics),
            t,
            _codes(cells["unit"], unit),
            _codes(cells["level"], level),
        ]
        self._families = _families(cells, broader)
        pairs, of_pair = _distinct(cells, ["characteristic", "group"])
        self._group = [np.array([f.place.get(p, -1) for p in of_pair], int)[pairs] for f in self._families]
        about = at, self._metrics, unit, level, self._levels, len(self.tasks)
        self._inner = None if inner is None else _Inner(inner, *about)

        self._characteristic = {c: i for i, c in enumerate(dict.fromkeys(cells["characteristic"]))}
        of_metric, _, of_unit, of_level = (codes[~self.old] for codes in self._place)
        listed = cells[~self.old]
        of_period, when = _distinct(listed, KEY[:2])
        self._when = {period: i for i, period in enumerate(when)}
        kinds = len(self._metrics), len(self._when) + 1, 3, 2, len(self._characteristic) + 1
        self._kinds = np.zeros(kinds, bool)
        c = _codes(listed["characteristic"], self._characteristic)
        self._kinds[of_metric, of_period, self._kind_of_unit[of_unit], (of_level > 0).astype(int), c] = True
        self.alike, self.opposites = _across(known[known["metric"].isin(self._metrics.keys())], self._metrics, metrics)
        self.complementary = np.array([metrics.kind[m] != "ratio" for m in self._metrics])
        self.private = np.array([m in metrics.private for m in self._metrics])

    def families(self, task: int, terms: Terms, *, hold_someone: bool, with_old: bool = True) -> list[Family]:
        """What is known of the periods of a task, for each family of characteristics that has groups in one of them, or
        of everyone alone: a family without groups there would tell nothing of everyone.
        """
        periods = self.tasks[task]
        number = {period: t for t, period in enumerate(periods)}
        lines = [
            (number[label, part], [number[year, WHOLE_YEAR] for year in self._pooled[label]])
            for label, part in periods
            if part == POOLED and label in self._pooled
        ]
        # of years that this release says nothing of, cells may be anything; of others, those not listed are empty
        kind = [self._when.get(p, len(self._when)) for p in periods]
        is_level = (np.arange(self._levels.size) > 0).astype(int)
        kinds = self._kinds[:, kind][:, :, self._kind_of_unit][:, :, :, is_level]
        rows = (self._task == task) & (with_old | ~self.old)
        families = []
        for groups, group in self._with_groups(rows):
            empty = kinds[..., [self._characteristic.get(c, -1) for c in groups.characteristic]]
            high = np.where(empty, 0, CAP).astype(np.int32)[:, None].repeat(3, axis=1)
            low = np.zeros_like(high)
            hidden = np.full(empty.shape, -1, np.int32)
            own = rows & (group >= 0)
            at = tuple(codes[own & (self._number >= 0)] for codes in (*self._place, group))
            hidden[at] = self._number[own & (self._number >= 0)]
            seen = own & (self._number < 0)
            where = tuple(codes[seen] for codes in (*self._place, group))
            for quantity in (N, HAVE, LACK):
                high[:, quantity][at] = CAP
                low[:, quantity][where] = high[:, quantity][where] = self._counts[seen, quantity]
            unseen = (hidden >= 0) & (low[:, N] != high[:, N])
            low[:, N][unseen] = int(hold_someone)
            share(low, high, terms)
            axes = Axis(len(periods), lines), self._units, self._levels, groups.axis
            inner = self._inner.of(task, axes, groups.place) if self._inner else None
            families.append(Family(axes, low, high, hidden, inner))
        return families

    def _with_groups(self, rows: np.ndarray) -> list[tuple[_Groups, np.ndarray]]:
        """The families of which there are groups in some rows, and each cell's position in them; everyone alone where
        there are none.
        """
        every = zip(self._families, self._group, strict=True)
        there = [(groups, group) for groups, group in every if (group[rows] > 0).any()]
        return there or [(_EVERYONE, np.where(self._group[0] == 0, 0, -1))]


class _Inner:
    """The smallest cells (schools by level and group, or as few sums as there are), by number."""

    def __init__(
        self, cells: pd.DataFrame, at: Mapping[Period, tuple[int, int]], metrics: Mapping[str, int],
        units: Mapping[str, int], levels: Mapping[str, int], axis: Axis, tasks: int,
    ) -> None:  # fmt: skip
        leaves = {name for name, i in levels.items() if i in set(axis.leaves)}
        which = cells["unit"].isin(units.keys()) & cells["unit"].str.startswith("school:")
        own = cells[which & cells["level"].isin(leaves) & cells["metric"].isin(metrics.keys())]
        period, periods = _distinct(own, KEY[:2])
        task, t = np.array([at.get(p, (-1, -1)) for p in periods], int).reshape(-1, 2).T
        self._of_task = [np.flatnonzero(task[period] == i) for i in range(tasks)]
        places = _codes(own["metric"], metrics), t[period], _codes(own["unit"], units), _codes(own["level"], levels)
        self._place, self._metrics = np.stack(places), len(metrics)
        self._pair, self._pairs = _distinct(own, ["characteristic", "group"])
        n, have, lack = own[COUNTS].to_numpy(np.int32).T
        self._kinds = np.stack([n - lack, n - have, have + lack - n])

    def of(self, task: int, axes: tuple[Axis, ...], place: Mapping[tuple[str, str], int]) -> np.ndarray:
        """Those of a task who only have, only lack and do both, of a family of characteristics: metric × 3 × the inner
        positions of each axis.
        """
        rows = self._of_task[task]
        metric, *places = self._place[:, rows]
        group = np.array([place.get(pair, -1) for pair in self._pairs], int)[self._pair[rows]]
        at, own = [metric], np.ones(len(rows), bool)
        for codes, axis in zip((*places, group), axes, strict=True):
            leaf = np.full(axis.size + 1, -1)
            leaf[axis.leaves] = np.arange(len(axis.leaves))
            at.append(leaf[codes])
            own &= at[-1] >= 0
        counts = np.zeros((3, self._metrics, *(len(axis.leaves) for axis in axes)), np.int32)
        counts[:, *(codes[own] for codes in at)] = self._kinds[:, rows[own]]
        return counts.swapaxes(0, 1)


def _distinct(cells: pd.DataFrame, columns: list[str]) -> tuple[np.ndarray, list[tuple[str, str]]]:
    """Of each cell the number of its values in two columns, and these values by number."""
    number = cells.groupby(columns, sort=False).ngroup().to_numpy()
    first = cells[columns].iloc[np.unique(number, return_index=True)[1]]
    return number, list(first.itertuples(index=False, name=None))


def _kinds(cells: pd.DataFrame) -> pd.MultiIndex:
    """Of each cell what decides whether cells like it are listed at all."""
    kind_of_unit, by_level = cells["unit"].str.split(":").str[0], cells["level"] != EVERYONE
    return pd.MultiIndex.from_frame(
        cells[[*KEY[:2], "metric", "characteristic"]].assign(kind=kind_of_unit, by_level=by_level)
    )


def _codes(values: pd.Series, number: Mapping[str, int]) -> np.ndarray:
    codes = values.astype(object).map(number)
    if codes.isna().any():
        raise ValueError(f"Unknown {values.name}: {', '.join(map(str, values[codes.isna()].unique()[:5]))}")
    return codes.to_numpy(int)


def _together(periods: set[Period], pooled: Pooled) -> list[list[Period]]:
    """Periods by what is attacked together: pooled ones with their years, others by themselves. Sums come first."""
    tasks: list[set[Period]] = []
    for label, part in sorted(periods):
        task = {(label, part)} | ({(year, WHOLE_YEAR) for year in pooled.get(label, [])} if part == POOLED else set())
        tasks, linked = [t for t in tasks if not t & task], [t for t in tasks if t & task]
        tasks.append(task.union(*linked))
    return [
        sorted(task, key=lambda period: (period[1] != POOLED, period)) for task in sorted(tasks, key=len, reverse=True)
    ]


def _units(schools: pd.DataFrame) -> tuple[Axis, dict[str, int], np.ndarray]:
    """How units add up, their numbers, and of each whether it is the university (0), a faculty (1) or a school (2)."""
    of = schools.groupby("faculty_code")["school_code"].agg(list)
    names = [UNIVERSITY, *(f"faculty:{f}" for f in of.index), *(f"school:{s}" for codes in of for s in codes)]
    number = {name: i for i, name in enumerate(names)}
    parts = [(number[f"faculty:{f}"], [number[f"school:{s}"] for s in codes]) for f, codes in of.items()]
    axis = Axis(len(names), [(0, [faculty for faculty, _ in parts]), *parts])
    return axis, number, np.array([0] + [1] * len(parts) + [2] * (len(names) - len(parts) - 1))


def _families(cells: pd.DataFrame, broader: Broader) -> list[_Groups]:
    """One for each characteristic that is not broader than another, with those that are broader than it."""
    of = cells.groupby("characteristic")["group"].agg(lambda groups: sorted(set(groups))).to_dict()
    of.pop(EVERYONE, None)
    families = []
    for fine in sorted({broader[c][0] if c in broader else c for c in of}):
        coarse = [c for c in sorted(of) if c in broader and broader[c][0] == fine]
        broad = [(c, group) for c in coarse for group in of[c]]
        parts = [broader[c][1].get(group, [group]) for c, group in broad]
        inner = [(fine, group) for group in sorted({*of.get(fine, []), *(g for groups in parts for g in groups)})]
        place = {pair: i for i, pair in enumerate([*broad, *inner], 1)}
        lines = [(0, [place[pair] for pair in inner])]
        lines += [(place[pair], [place[fine, g] for g in groups]) for pair, groups in zip(broad, parts, strict=True)]
        names = [EVERYONE, *(c for c, _ in place)]
        families.append(_Groups(Axis(1 + len(place), lines), names, _EVERYONE.place | place))
    return families or [_EVERYONE]


def _across(
    shown: pd.DataFrame, number: Mapping[str, int], metrics: Metrics
) -> tuple[list[tuple[list[int], list[int]]], list[tuple[int, int]]]:
    """Which metrics of a grain are out of everybody, and which are the opposite of each other, by what is shown.

    Out of everybody are two or more whose bases are the largest of their grain wherever two are shown.
    """
    place = shown.groupby([k for k in KEY if k != "metric"], sort=False, observed=True).ngroup()
    wide = {
        count: shown.assign(place=place).pivot(index="place", columns="metric", values=count).astype(float)
        for count in COUNTS
    }
    alike, opposites = [], []
    for grain in sorted({metrics.grain[m] for m in number}):
        names = [m for m in number if metrics.grain[m] == grain and m in wide["n"]]
        n = wide["n"][names]
        n = n[n.count(axis=1) > 1]
        whole = [m for m in names if n[m].count() >= ALWAYS and (n[m].isna() | (n[m] == n.max(axis=1))).all()]
        if len(whole) > 1:
            everything = [m for m in number if metrics.grain[m] == grain]
            alike.append(([number[m] for m in whole], [number[m] for m in everything if m not in whole]))
        for a, b in combinations([m for m in names if metrics.kind[m] == "proportion"], 2):
            both = wide["n"][a].notna() & wide["n"][b].notna()
            mirrored = (wide["have"][a] == wide["lack"][b]) & (wide["lack"][a] == wide["have"][b])
            if both.sum() >= ALWAYS and mirrored[both].all():
                opposites.append((number[a], number[b]))
    return alike, opposites
