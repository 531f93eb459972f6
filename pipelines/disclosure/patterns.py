"""Patterns: which cells of a release are hidden, for what they are and to protect others.

One pattern serves what would give each other away: the bases of both parts of an academic year, the answers to one
survey, and metrics that count the same people. Patterns of bases come first (who answered, who is enrolled); those of
metrics hide at least as much. Where a place's total is hidden no group of it is shown, and moves never touch totals:
so characteristics, which share their totals, are protected one by one; but a broader one, whose groups are sums of a
finer one's, together with that.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

import numpy as np
import pandas as pd
from scipy import sparse

from pipelines.disclosure.secondary import Counts, protect

EVERYONE, EVERY_LEVEL, UNKNOWN = "all", "all", "Unknown"
SHOWN, SMALL, LINKED = "shown", "small", "linked"
TUTOR, RESPONSE, ENROLMENT = "tutor", "response", "enrolment"
GRAINS = (TUTOR, RESPONSE, ENROLMENT)  # answers before enrolments: how many answered bounds how many there are
LARGER = 1.5  # hiding a faculty's or the university's cell costs more than a school's,
EVERY = 2.0  # and one of all levels more than one level's, as it is what readers look at first;
UNTOLD = 0.05  # hiding 'Unknown' next to nothing
FEW_CELLS = 20_000  # not worth starting processes for
TABLE = ["academic_year", "finer"]


@dataclass(frozen=True)
class Widths:
    """The rules of a pattern: a base below `smallest` is hidden, and how wide the ranges of hidden counts must be.

    base: of a hidden base; margin: of those who have what is measured, where the base is known.
    """

    smallest: int
    base: int
    margin: int


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
class Metrics:
    """What patterns need to know of each metric: its grain, and whether it counts people who have or lack something.

    And of each characteristic that joins groups of another, which.
    """

    grain: Mapping[str, str]
    counts_people: Mapping[str, bool]
    one_pattern: frozenset[str]  # metrics that share the pattern of their grain: answers to one survey
    counts_answers: frozenset[str]  # metrics out of everybody whose figure tells how many answered
    broader: Mapping[str, Broader] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """A metric in one part of the year: counts over the cells of a table, and what is hidden for what it is."""

    metric: str
    part: str
    n: np.ndarray
    have: np.ndarray
    lack: np.ndarray
    small: np.ndarray


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


Of = tuple[str, str]  # a pattern: of a metric in a part of the year, or of a grain's base ('' for the part)
Hidden = dict[Of, np.ndarray]
Untold = dict[Of, set[tuple[str, str]]]  # units and levels whose total is hidden


def patterns(
    cells: pd.DataFrame, small: pd.Series, schools: pd.DataFrame, metrics: Metrics, widths: Widths, processes: int = 0
) -> pd.Series:
    """Why each cell is hidden: 'small' for what it is, 'linked' to protect others; else 'shown'.

    cells: academic_year, part, level, unit, characteristic, group, metric, n, have_some, lack_some. small: cells hidden
    by the primary rules. schools: school_code, faculty_code. processes: 0 for one per processor.
    """
    cells = cells.assign(small=small.to_numpy(bool), row=np.arange(len(cells)))
    cells["grain"] = cells["metric"].astype(str).map(metrics.grain)
    cells["finer"] = cells["characteristic"].astype(str).replace({name: b.of for name, b in metrics.broader.items()})
    parents = _parents(schools)
    linked = np.zeros(len(cells), bool)
    everyone = cells[cells["characteristic"] == EVERYONE]
    totals: dict[str, Untold] = {}
    for year, rows in everyone.groupby("academic_year", observed=True, sort=True):
        tables, where = _tables(rows, rows.head(0), parents, metrics.broader)
        found = hidden(tables, metrics, widths, None)
        where.mark(linked, found)
        names = {t.grain: t.names for t in tables}
        totals[str(year)] = {
            of: {names[metrics.grain.get(of[0], of[0])][i][:2] for i in np.flatnonzero(pattern)}
            for of, pattern in found.items()
        }
    jobs, places = [], []
    for (year, _), rows in cells[cells["characteristic"] != EVERYONE].groupby(TABLE, observed=True, sort=True):
        tables, where = _tables(rows, everyone[everyone["academic_year"] == year], parents, metrics.broader)
        jobs.append((tables, metrics, widths, totals[str(year)]))
        places.append(where)
    for where, found in zip(places, _each(jobs, processes), strict=True):
        where.mark(linked, found)
    return pd.Series(np.select([cells["small"], linked], [SMALL, LINKED], SHOWN), index=cells.index)


def _each(jobs: list[tuple[list[Table], Metrics, Widths, Untold]], processes: int) -> Iterator[Hidden]:
    processes = min(processes or os.cpu_count() or 1, len(jobs))
    cells = sum(len(table.names) for tables, *_ in jobs for table in tables)
    if processes <= 1 or cells < FEW_CELLS:
        yield from (hidden(*job) for job in jobs)
        return
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        yield from pool.map(hidden, *zip(*jobs, strict=True))


def hidden(tables: list[Table], metrics: Metrics, widths: Widths, untold: Untold | None) -> Hidden:
    """What is hidden in the tables of a year and characteristic, with its broader ones: by grain (its base), by metric.

    untold: places whose total is hidden; None where the totals are what is to be protected.
    """
    found: Hidden = {}
    answers: dict[tuple[str, tuple[str, str, str]], float] = {}  # by part and cell, where it is shown
    silent: set[tuple[str, str, str]] = set()  # cells where it is not
    for table in tables:
        fixed = table.total & (untold is not None)
        bases = {
            part: np.max([m.n for m in table.measured if m.part == part], axis=0)
            for part in sorted({m.part for m in table.measured})
        }
        few = np.any([(base > 0) & (base < widths.smallest) for base in bases.values()], axis=0)
        if table.grain == TUTOR:
            few = np.any([m.small for m in table.measured], axis=0)
        known = [np.array([answers.get((part, name), 0.0) for name in table.names]) for part in bases]
        counts = [Counts.of_base(np.maximum(base - k, 0)) for base, k in zip(bases.values(), known, strict=True)]
        wide = [np.full(len(few), float(widths.base))] * len(counts)
        base = _protected(few, counts, table, fixed, _untold(table, untold, (table.grain, "")), wide, None)
        found[table.grain, ""] = base.hidden
        tried = base.moves
        for shared in _sharing(table.measured, metrics):
            of = shared[0].metric, shared[0].part
            counts = [_counts(m, bases[m.part], base.hidden, metrics) for m in _distinct(shared)]
            start = np.any([m.small for m in shared], axis=0) | base.hidden
            if of[0] in metrics.counts_answers:
                start |= np.array([name in silent for name in table.names])
            wide = [np.where(base.hidden, widths.base, widths.margin).astype(float)] * len(counts)
            pattern = _protected(start, counts, table, fixed, _untold(table, untold, of), wide, tried)
            tried = pattern.moves
            found |= {(m.metric, m.part): pattern.hidden for m in shared}
        if table.grain == RESPONSE:
            answers = {(part, table.names[i]): n[i] for part, n in bases.items() for i in np.flatnonzero(~base.hidden)}
            silent = {table.names[i] for i in np.flatnonzero(base.hidden)}
    return found


def _untold(table: Table, untold: Untold | None, of: Of) -> np.ndarray:
    places = untold[of] if untold else set()
    return np.array([name[:2] in places for name in table.names])


@dataclass(frozen=True)
class _Protected:
    """A pattern of a whole table, and moves by scope."""

    hidden: np.ndarray
    moves: list[np.ndarray]


def _protected(
    start: np.ndarray,
    counts: list[Counts],
    table: Table,
    fixed: np.ndarray,
    untold: np.ndarray,
    width: list[np.ndarray],
    tried: list[np.ndarray] | None,
) -> _Protected:
    """The pattern of a table: the university with its faculties first, then faculty by faculty.

    Where a faculty's cell is hidden so are its schools': theirs would add up to it.
    """
    hidden = start | untold
    moves = []
    for i, scope in enumerate(table.scopes):
        at = scope.cells
        begin = hidden[at] | ((scope.parent >= 0) & hidden[scope.parent])
        known = fixed[at] | scope.above
        own = [c.at(at) for c in counts]
        about = (own, scope.sums, table.weight[at], [w[at] for w in width])
        pattern = protect(begin, *about, known, tried[i] if tried else None)
        if pattern.unsafe.any() and (known & pattern.hidden).any():  # only hidden totals can give way
            pattern = protect(pattern.hidden, *about, known & ~pattern.hidden, pattern.moves)
        hidden[at] |= pattern.hidden
        moves.append(pattern.moves if len(pattern.moves) or not tried else tried[i])
    return _Protected(hidden, moves)


def _sharing(measured: list[Measured], metrics: Metrics) -> list[list[Measured]]:
    """The metrics that share a pattern: those declared to, and those that count the same people."""
    groups: dict[object, list[Measured]] = {}
    for m in measured:
        same = m.part, frozenset((m.have.tobytes(), m.lack.tobytes()))
        groups.setdefault("" if m.metric in metrics.one_pattern else same, []).append(m)
    return list(groups.values())


def _distinct(shared: list[Measured]) -> list[Measured]:
    """One of those that count the same people in the same part of the year."""
    return list({(m.part, frozenset((m.have.tobytes(), m.lack.tobytes()))): m for m in shared}.values())


def _counts(measured: Measured, base: np.ndarray, hidden_base: np.ndarray, metrics: Metrics) -> Counts:
    """What a metric's pattern must protect. Where the base is shown, the metric's own is at most that."""
    if not metrics.counts_people[measured.metric]:
        return Counts.of_base(measured.n)
    of_all = np.array_equal(measured.n, base)
    return Counts(
        np.array([measured.have, measured.lack]),
        np.where(hidden_base, np.inf, base - measured.n),
        ~hidden_base & of_all,
    )


@dataclass(frozen=True)
class _Where:
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


def _parents(schools: pd.DataFrame) -> dict[str, str]:
    codes = schools[["school_code", "faculty_code"]].drop_duplicates()
    faculties = {f"faculty:{f}" for f in codes["faculty_code"]}
    return dict(zip("school:" + codes["school_code"], "faculty:" + codes["faculty_code"], strict=True)) | dict.fromkeys(
        faculties, "university"
    )


def _tables(
    rows: pd.DataFrame, everyone: pd.DataFrame, parents: Mapping[str, str], broader: Mapping[str, Broader]
) -> tuple[list[Table], _Where]:
    """The tables of some rows with everyone's, one per grain, and where the rows are in them."""
    tables, where = [], []
    for grain in GRAINS:
        own = rows[rows["grain"] == grain]
        if len(own):
            table, cell = _table(grain, own, everyone[everyone["grain"] == grain], parents, broader)
            tables.append(table)
            where.append((own["row"].to_numpy(), *(own[c].to_numpy(str) for c in ("metric", "part")), cell))
    return tables, _Where(*(np.concatenate(part) for part in zip(*where, strict=True)))


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
    figures = both[["n", "have_some", "lack_some", "small"]].to_numpy(float)
    measured = []
    for (metric, part), at in both.assign(at=np.arange(len(both))).groupby(["metric", "part"], observed=True)["at"]:
        spread = np.zeros((4, len(names)))
        spread[:, cell[at.to_numpy()]] = figures[at.to_numpy()].T
        measured.append(Measured(str(metric), str(part), spread[0], spread[1], spread[2], spread[3] > 0))
    people = np.max([m.n for m in measured], axis=0)
    weight = np.where(np.char.startswith(unit, "school:"), 1.0, LARGER) * np.where(level == EVERY_LEVEL, EVERY, 1.0)
    weight *= 1 + np.log10(np.maximum(people, 1)) / 10
    weight[np.isin(who, [UNKNOWN, *(Broader.name(name, UNKNOWN) for name in broader)])] = UNTOLD
    scopes = _scopes(names, parents, broader)
    return Table(grain, names, weight, who == EVERYONE, measured, scopes), cell[: len(rows)]


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
