"""Tables: cells that are tied by sums, as disclosure control protects them together.

One table holds the cells of a grain, an academic year and a characteristic, with its broader ones and everyone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from pipelines.measures import sets

EVERYONE, EVERY_LEVEL, UNKNOWN = "all", "all", "Unknown"
TUTOR, RESPONSE, ENROLMENT = "tutor", "response", "enrolment"
PLACE = ["unit", "level", "characteristic", "group"]
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
    are decided: published before, hidden where they are small and shown else.
    """

    metric: str
    part: str
    n: np.ndarray
    have: np.ndarray
    lack: np.ndarray
    small: np.ndarray
    decided: np.ndarray

    @property
    def stays(self) -> np.ndarray:
        """Cells that are shown whatever else is."""
        return np.asarray(self.decided & ~self.small & (self.n > 0))


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


Where = dict[Of, tuple[np.ndarray, np.ndarray]]  # of a metric's rows: their numbers, and those of their cells


def mark(linked: np.ndarray, where: Where, found: Hidden) -> None:
    """Set the rows that the patterns found hide."""
    for of, (row, cell) in where.items():
        linked[row] |= found[of][cell]


def parents_of(schools: pd.DataFrame) -> dict[str, str]:
    """Each unit → the one it is part of; the university is part of none."""
    codes = schools[["school_code", "faculty_code"]].drop_duplicates()
    faculties = {f"faculty:{f}" for f in codes["faculty_code"]}
    return dict(zip("school:" + codes["school_code"], "faculty:" + codes["faculty_code"], strict=True)) | dict.fromkeys(
        faculties, "university"
    )


def tables_of(
    rows: pd.DataFrame, everyone: pd.DataFrame, parents: Mapping[str, str], broader: Mapping[str, Broader]
) -> tuple[list[Table], Where]:
    """The tables of some rows with everyone's, one per grain, and where the rows are in them.

    rows, everyone: of the same frame; level, unit, characteristic, group, metric, part and grain as categories.
    """
    tables, where = list[Table](), Where()
    for grain in GRAINS:
        own = rows[rows["grain"] == grain]
        if len(own):
            table, places = _table(grain, own, everyone[everyone["grain"] == grain], parents, broader)
            tables.append(table)
            where |= places
    return tables, where


def _table(
    grain: str,
    rows: pd.DataFrame,
    everyone: pd.DataFrame,
    parents: Mapping[str, str],
    broader: Mapping[str, Broader],
) -> tuple[Table, Where]:
    both = pd.concat([rows, everyone])
    broader = {name: b for name, b in broader.items() if (rows["characteristic"] == name).any()}
    places = sets.number(both, PLACE)
    number: dict[tuple[str, str, str], int] = {}
    of_place = []
    for unit, level, about, group in both[PLACE].take(places.first).itertuples(index=False, name=None):
        who = EVERYONE if about == EVERYONE else Broader.name(about, group) if about in broader else group
        of_place.append(number.setdefault((unit, level, who), len(number)))
    names, cell = list(number), np.array(of_place)[places.of]
    figures = both[["n", "have_some", "lack_some", "small", "decided"]].to_numpy(float)
    measured, where, row = [], Where(), rows["row"].to_numpy()
    for (metric, part), at in sorted(both.groupby(["metric", "part"], observed=True).indices.items()):
        spread = np.zeros((5, len(names)))
        spread[:, cell[at]] = figures[at].T
        measured.append(Measured(metric, part, *spread[:3], *(spread[3:] > 0)))
        own = at[at < len(rows)]
        where[metric, part] = row[own], cell[own]
    people = np.max([m.n for m in measured], axis=0)
    units, levels, whos = (np.array(part) for part in zip(*names, strict=True))
    weight = np.where(np.char.startswith(units, "school:"), 1.0, LARGER) * np.where(levels == EVERY_LEVEL, EVERY, 1.0)
    weight *= 1 + np.log10(np.maximum(people, 1)) / 10
    weight[np.isin(whos, [UNKNOWN, *(Broader.name(name, UNKNOWN) for name in broader)])] = UNTOLD
    weight[cell[both["seen"].to_numpy(bool)]] *= SEEN
    scopes = _scopes(names, parents, broader)
    return Table(grain, names, weight, whos == EVERYONE, measured, scopes, _sums(names, parents, broader)), where


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
