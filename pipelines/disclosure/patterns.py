"""Patterns: which cells of a release are hidden, for what they are and to protect others.

One pattern serves what would give each other away: the bases of both parts of an academic year, the answers to one
survey, and metrics that count the same people. Patterns of bases come first (who answered, who is enrolled); those of
metrics hide at least as much. Where a place's total is hidden no group of it is shown, and moves never touch totals:
so characteristics, which share their totals, are protected one by one; but a broader one, whose groups are sums of a
finer one's, together with that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd

from pipelines.disclosure.secondary import Counts, Widths, protect
from pipelines.disclosure.tables import (
    EVERYONE,
    RESPONSE,
    TUTOR,
    Broader,
    Hidden,
    Measured,
    Of,
    Table,
    Where,
    mark,
    parents_of,
    tables_of,
)
from pipelines.measures import sets
from pipelines.workers import ALONE, Workers

SHOWN, SMALL, LINKED, UNLISTED = "shown", "small", "linked", "unlisted"
HIDDEN = "hidden"  # before, for whatever reason
FEW_CELLS = 20_000  # not worth starting processes for
TABLE = ["academic_year", "finer"]
PLACE = ["unit", "characteristic", "group", "metric"]
KEY = ["academic_year", "part", "level", "unit", "metric", "characteristic", "group"]  # of a cell
NEEDED = [*KEY, "n", "have_some", "lack_some", "small", "seen", "decided"]
MOST_ROUNDS = 5  # of totals giving way; hardly ever more than two


@dataclass(frozen=True)
class Metrics:
    """What patterns need to know of each metric: its grain, and whether it counts people who have or lack something.

    And of each characteristic that joins groups of another, which.
    """

    grain: Mapping[str, str]
    counts_people: Mapping[str, bool]
    private: frozenset[str]
    one_pattern: frozenset[str]  # metrics that share the pattern of their grain: answers to one survey
    counts_answers: frozenset[str]  # metrics out of everybody whose figure tells how many answered
    broader: Mapping[str, Broader] = field(default_factory=dict)


Untold = dict[Of, set[tuple[str, str]]]  # units and levels whose total is hidden


@dataclass(frozen=True)
class Found:
    """What is hidden in the tables of a characteristic: by grain (its base), by metric.

    Where that cannot protect a cell whatever else is hidden, `give_way` says which totals must be hidden too.
    """

    hidden: Hidden
    give_way: Untold


@dataclass(frozen=True)
class Job:
    """Tables to be protected, the totals that are hidden, and what was found before and still stands."""

    tables: list[Table]
    untold: Untold
    before: Hidden


def patterns(
    cells: pd.DataFrame,
    small: pd.Series,
    schools: pd.DataFrame,
    metrics: Metrics,
    widths: Widths,
    workers: Workers = ALONE,
) -> pd.Series:
    """Why each cell is hidden: 'small' for what it is, 'linked' to protect others; else 'shown'.

    cells: academic_year, part, level, unit, characteristic, group, metric, n, have_some, lack_some. small: cells hidden
    by the primary rules. schools: school_code, faculty_code. Where cells have `before` (what an earlier release did
    with them: shown, hidden or nothing, ''), what was hidden stays hidden, and what was shown is hidden last of all.
    """
    small_ones = small.to_numpy(bool)
    begun = cells.assign(small=small_ones | _before(cells, HIDDEN), seen=_before(cells, SHOWN), decided=False)
    linked = _linked(begun, schools, metrics, widths, workers)
    return pd.Series(np.select([small_ones, linked], [SMALL, LINKED], SHOWN), index=cells.index)


def of_pooled(
    cells: pd.DataFrame,
    small: pd.Series,
    years: pd.DataFrame,
    schools: pd.DataFrame,
    metrics: Metrics,
    widths: Widths,
    workers: Workers = ALONE,
) -> pd.Series:
    """The same for a period that pools `years`, cells of which it is decided whether they are `hidden`.

    Years add up to it as levels add up to all levels, so that they are its levels here.
    """
    period = cells.iloc[0][["academic_year", "part"]].to_dict() if len(cells) else {}
    years = years.assign(level=years["academic_year"], small=years["hidden"], seen=False, decided=True, **period)
    seen_in_years = ~years.groupby(PLACE, observed=True)["hidden"].any()
    told = seen_in_years.reindex(pd.MultiIndex.from_frame(cells[PLACE])).to_numpy(bool)  # their sum is no secret
    begun = (small.to_numpy(bool) | _before(cells, HIDDEN)) & ~told
    own = cells.assign(small=begun, seen=_before(cells, SHOWN), decided=told).drop(columns="before", errors="ignore")
    both = pd.concat([own, years[[*own]]])
    linked = _linked(both, schools, metrics, widths, workers)[: len(cells)]
    return pd.Series(np.select([small.to_numpy(bool), linked], [SMALL, LINKED], SHOWN), index=cells.index)


def _before(cells: pd.DataFrame, done: str) -> np.ndarray:
    """Which cells an earlier release showed, or hid."""
    return (cells["before"] == done).to_numpy(bool) if "before" in cells else np.zeros(len(cells), bool)


def _linked(
    cells: pd.DataFrame, schools: pd.DataFrame, metrics: Metrics, widths: Widths, workers: Workers
) -> np.ndarray:
    """Which cells are hidden; some of them are `small`, some `decided`."""
    workers = workers if len(cells) >= FEW_CELLS else ALONE
    workers.start(__name__)
    cells = sets.coded(cells[NEEDED], KEY).assign(row=np.arange(len(cells)))
    cells["grain"] = sets.lookup(cells["metric"], pd.Series(metrics.grain))
    names = cells["characteristic"].cat.categories
    finer = {name: metrics.broader[name].of if name in metrics.broader else name for name in names}
    cells["finer"] = sets.lookup(cells["characteristic"], pd.Series(finer))
    parents = parents_of(schools)
    linked = np.zeros(len(cells), bool)
    everyone = dict(list(cells[cells["characteristic"] == EVERYONE].groupby("academic_year", observed=True, sort=True)))
    totals = {year: tables_of(rows, rows.head(0), parents, metrics.broader) for year, rows in everyone.items()}
    of_groups = dict(list(cells[cells["characteristic"] != EVERYONE].groupby(TABLE, observed=True, sort=True)))
    tables: dict[tuple[str, str], tuple[list[Table], Where]] = {}

    def job(key: tuple[str, str]) -> Job:
        year, _ = key
        if key not in tables:
            tables[key] = tables_of(of_groups[key], everyone[year], parents, metrics.broader)
        last = found[key].hidden if key in found else {}
        return Job(tables[key][0], untold[year], {of: last[of] for of in last if of in stands[year]})

    give_way: dict[str, Untold] = {year: {} for year in totals}
    untold: dict[str, Untold] = {year: {} for year in totals}
    of_totals: dict[str, Found] = {}
    found: dict[tuple[str, str], Found] = {}
    stands: dict[str, set[Of]] = {}
    waiting = set(totals)
    for _ in range(MOST_ROUNDS):
        stands.clear()
        for year in sorted(waiting):
            own = totals[year][0]
            of_totals[year] = hidden(Job(own, give_way[year], {}), metrics, widths, totals=True)
            before, untold[year] = untold[year], _places(own, of_totals[year].hidden, metrics)
            stands[year] = {of for of, places in untold[year].items() if before.get(of) == places}
        again = [key for key in of_groups if key[0] in waiting]
        found |= zip(again, list(_each(map(job, again), metrics, widths, workers)), strict=True)
        waiting = set()
        for (year, _), each in found.items():
            for of, places in each.give_way.items():
                give_way[year].setdefault(of, set()).update(places)
                if places - untold[year][of]:
                    waiting.add(year)
        if not waiting:
            break
    for key, (_, where) in tables.items():
        mark(linked, where, found[key].hidden)
    for year, (_, where) in totals.items():
        mark(linked, where, of_totals[year].hidden)
    return linked


def _places(tables: list[Table], found: Hidden, metrics: Metrics) -> Untold:
    """Units and levels whose total is hidden, by pattern."""
    names = {table.grain: table.names for table in tables}
    return {
        of: {names[metrics.grain.get(of[0], of[0])][i][:2] for i in np.flatnonzero(pattern)}
        for of, pattern in found.items()
    }


def _each(jobs: Iterable[Job], metrics: Metrics, widths: Widths, workers: Workers) -> Iterator[Found]:
    """What is hidden in each job's tables; workers begin with the first while the next are put together."""
    decide = partial(hidden, metrics=metrics, widths=widths)
    return map(decide, jobs) if workers.number <= 1 else workers.pool.map(decide, jobs)


def hidden(job: Job, metrics: Metrics, widths: Widths, *, totals: bool = False) -> Found:
    """What is hidden in the tables of a year and characteristic, with its broader ones.

    totals: the tables are of everyone, whose cells are what is to be protected; else they stay as they are.
    """
    before = job.before if all((table.grain, "") in job.before for table in job.tables) else {}
    found: Hidden = {}
    give_way: Untold = {}
    answers: dict[tuple[str, tuple[str, str, str]], float] = {}  # by part and cell, where it is shown
    silent: set[tuple[str, str, str]] = set()  # cells where it is not
    rates = [(table, m) for table in job.tables for m in table.measured if m.metric in metrics.counts_answers]
    told = {table.names[i] for table, rate in rates for i in np.flatnonzero(rate.stays)}  # by what was published
    for table in job.tables:
        fixed = table.total & (not totals)
        bases = {
            part: np.max([m.n for m in table.measured if m.part == part], axis=0)
            for part in sorted({m.part for m in table.measured})
        }
        of_base = table.grain, ""
        if before:
            base = _Protected(before[of_base], None, set())
        else:
            few = np.any([(base > 0) & (base < widths.smallest) for base in bases.values()], axis=0)
            if table.grain == TUTOR:
                few = np.any([m.small for m in table.measured], axis=0)
            decided = np.any([m.decided for m in table.measured], axis=0)
            stays = np.any([m.stays for m in table.measured], axis=0)
            if table.grain == RESPONSE:
                stays |= np.array([name in told for name in table.names])
            few = np.where(decided, ~stays, few)
            known = [np.array([answers.get((part, name), 0.0) for name in table.names]) for part in bases]
            counts = [Counts.of_base(base, k) for base, k in zip(bases.values(), known, strict=True)]
            untold = _untold(table, job.untold, of_base)
            base = _protected(few, counts, table, fixed, untold, stays, widths, None)
        found[of_base], give_way[of_base] = base.hidden, base.give_way
        tried = base.moves
        for shared in _sharing(table.measured, metrics):
            all_of = [(m.metric, m.part) for m in shared]
            if all(of in before for of in all_of):
                found |= {of: before[of] for of in all_of}
                continue
            counts = [c for m in _distinct(shared) for c in _counts(m, bases[m.part], base.hidden, metrics)]
            start = np.any([m.small for m in shared], axis=0) | base.hidden
            if shared[0].metric in metrics.counts_answers:
                start |= np.array([name in silent for name in table.names])
            untold = np.any([_untold(table, job.untold, of) for of in all_of], axis=0)
            stays = np.any([m.stays for m in shared], axis=0)
            pattern = _protected(start, counts, table, fixed, untold, stays, widths, tried)
            tried = pattern.moves
            found |= dict.fromkeys(all_of, pattern.hidden)
            give_way |= dict.fromkeys(all_of, pattern.give_way)
        if table.grain == RESPONSE:
            answers = {(part, table.names[i]): n[i] for part, n in bases.items() for i in np.flatnonzero(~base.hidden)}
            silent = {table.names[i] for i in np.flatnonzero(base.hidden)}
    return Found(found, give_way)


def _untold(table: Table, untold: Untold, of: Of) -> np.ndarray:
    places = untold.get(of, set())
    return np.array([name[:2] in places for name in table.names])


@dataclass(frozen=True)
class _Protected:
    """A pattern of a whole table, moves by scope, and places whose total must be hidden for it to be safe."""

    hidden: np.ndarray
    moves: list[np.ndarray] | None
    give_way: set[tuple[str, str]]


def _protected(
    start: np.ndarray,
    counts: list[Counts],
    table: Table,
    fixed: np.ndarray,
    untold: np.ndarray,
    stays: np.ndarray,
    widths: Widths,
    tried: list[np.ndarray] | None,
) -> _Protected:
    """The pattern of a table: the university with its faculties first, then faculty by faculty, which is fast; then,
    for what that cannot protect, the table as a whole, where hidden totals may give way too.

    Where a faculty's cell is hidden so are its schools': theirs would add up to it. stays: cells that are shown anyway.
    """
    hidden = (start | untold) & ~stays
    fixed = fixed | stays
    moves, unsafe = [], np.zeros(len(hidden), bool)
    for i, scope in enumerate(table.scopes):
        at = scope.cells
        begin = (hidden[at] | ((scope.parent >= 0) & hidden[scope.parent])) & ~stays[at]
        known = fixed[at] | scope.above
        own = [c.at(at) for c in counts]
        about = (own, scope.sums, table.weight[at], widths)
        pattern = protect(begin, *about, known, tried[i] if tried else None)
        hidden[at] |= pattern.hidden
        unsafe[at] |= pattern.unsafe
        moves.append(pattern.moves if len(pattern.moves) or not tried else tried[i])
    done = np.zeros(len(hidden), bool)
    never = np.zeros(len(hidden), bool)
    while (unsafe & ~done).any():
        wanted = unsafe & ~done
        done |= unsafe
        whole = protect(hidden, counts, table.sums, table.weight, widths, fixed & ~hidden, wanted=wanted)
        unsafe |= whole.hidden & ~hidden
        hidden |= whole.hidden
        never |= whole.unsafe
    return _Protected(hidden, moves, {table.names[i][:2] for i in np.flatnonzero(never)})


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


def _counts(measured: Measured, base: np.ndarray, hidden_base: np.ndarray, metrics: Metrics) -> list[Counts]:
    """What a metric's pattern must protect. Where the base is shown, the metric's own is at most that."""
    most = np.where(hidden_base, np.inf, base - measured.n)
    have, lack, n = measured.have, measured.lack, measured.n
    private = measured.metric in metrics.private
    if not metrics.counts_people[measured.metric]:
        parts = [Counts.of_part(have, lack, n), Counts.of_part(lack, have, n)] if private else []
        return [Counts.of_base(n, most=most), *parts]
    known = ~hidden_base & np.array_equal(n, base)
    return [Counts(np.array([have, lack]), most, known, np.ones(len(base)), n > 0, private)]
