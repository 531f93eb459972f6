"""Tables: cells that are tied by sums, as disclosure control protects them together.

One table holds the cells of a grain, an academic year and a characteristic, with its broader ones and everyone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

EVERYONE, EVERY_LEVEL, UNKNOWN = "all", "all", "Unknown"
TUTOR, RESPONSE, ENROLMENT = "tutor", "response", "enrolment"
GRAINS = (TUTOR, RESPONSE, ENROLMENT)  # answers before enrolments: how many answered bounds how many there are
LARGER = 1.5  # hiding a faculty's or the university's cell costs more than a school's,
EVERY = 2.0  # and one of all levels more than one level's, as it is what readers look at first;
UNTOLD = 0.05  # hiding 'Unknown' next to nothing;
SEEN = 20.0  # and hiding what was shown before protects nothing any more

Of = tuple[str, str]  # a pattern: of a metric in a part of the year, or of a grain's base ('' for the part)
Hidden = dict[Of, np.ndarray]


@dataclass(frozen=True)
class Broader:
    """A characteristic whose groups are sums of a finer one's. joined: each group of the finer one → the broader."""

    of: str
    joined: Mapping[str, str]

    @staticmethod
    def name(characteristic: str, group: str) -> str:
        """What a broader group is called among the finer ones, whose names it may share."""
        return f"{characteristic}: {group}"


@dataclass(frozen=True)
class Measured:
    """A metric in one part of the year: counts over the cells of a table, what is hidden for what it is, and cells that
    are settled: published before, hidden where they are small and shown else.
    """

    metric: str
    part: str
    n: np.ndarray
    have: np.ndarray
    lack: np.ndarray
    small: np.ndarray
    settled: np.ndarray

    @property
    def stays(self) -> np.ndarray:
        """Cells that are shown whatever else is."""
        return np.asarray(self.settled & ~self.small & (self.n > 0))


@dataclass(frozen=True)
class Scope:
    """Cells that are protected together: the university with its faculties, or a faculty with its schools.

    cells: their numbers in the table. sums: over them. above: the faculty's own, which were decided with the
    university's. parent: for each cell the number of the cell above it in the table; -1 where there is none.
    """

    cells: np.ndarray
    sums: sparse.csr_matrix
    above: np.ndarray
    parent: np.ndarray


@dataclass(frozen=True)
class Table:
    """The cells of a grain that are tied by sums: those of one characteristic and its broader ones, with totals, in one
    academic year.

    names: unit, level and group of each cell (of a broader group, as `Broader.name` has it). total: whether the cell is
    everyone there.
    """

    grain: str
    names: list[tuple[str, str, str]]
    weight: np.ndarray
    total: np.ndarray
    measured: list[Measured]
    scopes: list[Scope]
    sums: sparse.csr_matrix


@dataclass(frozen=True)
class Where:
    """Where the rows given are in their tables: of each its number among all rows, metric, part and cell."""

    row: np.ndarray
    metric: np.ndarray
    part: np.ndarray
    cell: np.ndarray

    def mark(self, linked: np.ndarray, found: Hidden) -> None:
        """Set the rows that the patterns found hide."""
        for (metric, part), pattern in found.items():
            own = (self.metric == metric) & (self.part == part)
            linked[self.row[own]] |= pattern[self.cell[own]]


def parents_of(schools: pd.DataFrame) -> dict[str, str]:
    codes = schools[["school_code", "faculty_code"]].drop_duplicates()
    faculties = {f"faculty:{f}" for f in codes["faculty_code"]}
    return dict(zip("school:" + codes["school_code"], "faculty:" + codes["faculty_code"], strict=True)) | dict.fromkeys(
        faculties, "university"
    )


def tables_of(
    rows: pd.DataFrame, everyone: pd.DataFrame, parents: Mapping[str, str], broader: Mapping[str, Broader]
) -> tuple[list[Table], Where]:
    """The tables of some rows with everyone's, one per grain, and where the rows are in them."""
    tables, where = [], []
    for grain in GRAINS:
        own = rows[rows["grain"] == grain]
        if len(own):
            table, cell = _table(grain, own, everyone[everyone["grain"] == grain], parents, broader)
            tables.append(table)
            where.append((own["row"].to_numpy(), *(own[c].to_numpy(str) for c in ("metric", "part")), cell))
    return tables, Where(*(np.concatenate(part) for part in zip(*where, strict=True)))


def _table(
    grain: str,
    rows: pd.DataFrame,
    everyone: pd.DataFrame,
    parents: Mapping[str, str],
    broader: Mapping[str, Broader],
) -> tuple[Table, np.ndarray]:
    both = pd.concat([rows, everyone])
    broader = {name: b for name, b in broader.items() if (rows["characteristic"] == name).any()}
    about, group = (both[c].to_numpy(object) for c in ("characteristic", "group"))
    group[about == EVERYONE] = EVERYONE
    of_broader = np.isin(about.astype(str), list(broader))
    group[of_broader] = [Broader.name(*each) for each in zip(about[of_broader], group[of_broader], strict=True)]
    cell, found = pd.factorize(pd.MultiIndex.from_arrays([both["unit"].astype(str), both["level"].astype(str), group]))
    names: list[tuple[str, str, str]] = list(found)
    unit, level, who = (np.array(part) for part in zip(*names, strict=True))
    figures = both[["n", "have_some", "lack_some", "small", "settled"]].to_numpy(float)
    measured = []
    for (metric, part), at in both.assign(at=np.arange(len(both))).groupby(["metric", "part"], observed=True)["at"]:
        spread = np.zeros((5, len(names)))
        spread[:, cell[at.to_numpy()]] = figures[at.to_numpy()].T
        measured.append(Measured(str(metric), str(part), *spread[:3], *(spread[3:] > 0)))
    people = np.max([m.n for m in measured], axis=0)
    weight = np.where(np.char.startswith(unit, "school:"), 1.0, LARGER) * np.where(level == EVERY_LEVEL, EVERY, 1.0)
    weight *= 1 + np.log10(np.maximum(people, 1)) / 10
    weight[np.isin(who, [UNKNOWN, *(Broader.name(name, UNKNOWN) for name in broader)])] = UNTOLD
    weight[cell[both["seen"].to_numpy(bool)]] *= SEEN
    scopes = _scopes(names, parents, broader)
    return Table(grain, names, weight, who == EVERYONE, measured, scopes, _sums(names, parents, broader)), cell[
        : len(rows)
    ]


def _scopes(
    names: list[tuple[str, str, str]], parents: Mapping[str, str], broader: Mapping[str, Broader]
) -> list[Scope]:
    """The scopes of a table: the university's, then each faculty's."""
    number = {name: i for i, name in enumerate(names)}
    members: dict[str, list[int]] = {"university": []}
    for i, (unit, _, _) in enumerate(names):
        holder = parents.get(unit, unit)
        members.setdefault(holder, []).append(i)
        if holder == "university" and unit != holder:
            members.setdefault(unit, []).append(i)
    scopes = []
    for of, inside in members.items():
        own = [names[i] for i in inside]
        above = np.array([of != "university" and unit == of for unit, _, _ in own])
        parent = [number.get((of, level, who), -1) if unit != of else -1 for unit, level, who in own]
        scopes.append(
            Scope(
                np.array(inside, int),
                _sums(own, parents, broader),
                above,
                np.array(parent, int) if of != "university" else np.full(len(own), -1),
            )
        )
    return scopes


def _sums(
    names: list[tuple[str, str, str]], parents: Mapping[str, str], broader: Mapping[str, Broader]
) -> sparse.csr_matrix:
    """Each row a sum that cells must keep: parent − Σ parts = 0. Parts are published all or none.

    A broader group is the sum of its finer ones there; its own sums over units, levels and groups follow from theirs.
    """
    number = {name: i for i, name in enumerate(names)}
    joining = {Broader.name(name, group) for name, b in broader.items() for group in (*b.joined.values(), UNKNOWN)}
    parts: dict[tuple[str, int], list[int]] = {}
    for i, (unit, level, who) in enumerate(names):
        if who in joining:
            continue
        if who != EVERYONE:
            for name, b in broader.items():
                of = Broader.name(name, b.joined.get(who, UNKNOWN))
                parts.setdefault(("joined", number[unit, level, of]), []).append(i)
        if unit in parents and (parents[unit], level, who) in number:
            parts.setdefault(("unit", number[parents[unit], level, who]), []).append(i)
        if level != EVERY_LEVEL:
            parts.setdefault(("level", number[unit, EVERY_LEVEL, who]), []).append(i)
        if who != EVERYONE:
            parts.setdefault(("group", number[unit, level, EVERYONE]), []).append(i)
    row = np.repeat(np.arange(len(parts)), [len(own) + 1 for own in parts.values()])
    column = np.array([i for (_, parent), own in parts.items() for i in (parent, *own)], int)
    value = np.array([v for own in parts.values() for v in (1.0, *[-1.0] * len(own))])
    return sparse.csr_matrix((value, (row, column)), shape=(len(parts), len(names)))
