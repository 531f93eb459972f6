"""The disclosure attacker: work hidden cells out from everything a release, and the one before it, shows.

It takes every shown figure to reveal its exact counts, and knows how cells add up, which metrics are out of the same
people, and that an empty cell is not listed. It shares no code with whatever chose the hidden cells.
"""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import Future
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipelines.disclosure.places import COUNTS, KEY, Broader, Metrics, Period, Places, Pooled
from pipelines.disclosure.programs import ContradictionError, bounds
from pipelines.disclosure.ranges import Family, Found, attacked
from pipelines.disclosure.search import Terms
from pipelines.workers import ALONE, Workers

__all__ = ["Attack", "Bar", "Metrics", "attack", "bounds", "differenced"]

REPORT = ["academic_year", "part", "metric", "characteristic"]
Before = dict[tuple[Period, ...], dict[bytes, Found]]  # by what is attacked together
RANGES = [f"{count}_{end}" for end in ("low", "high") for count in COUNTS]
NARROW, SHOWN_BEFORE = "narrow", "shown before"
FRAMES = {
    "report": [*REPORT, "hidden", "broken", "exact", "narrowest"],
    "broken": [*KEY, *RANGES, "width", "why"],
    "exact": [*KEY, *RANGES, "width", "why"],
    "differenced": [*KEY, *COUNTS],
}
FEW_CELLS = 2_000  # not worth starting processes for, nor sharing a task among them


@dataclass(frozen=True)
class Bar:
    """What counts as safe: the ranges that must be left where a cell's base is unknown, and where it is known.

    smallest_base: two releases that differ by fewer people say too much. hidden_hold_someone: the release lists
    hidden cells only where there is somebody, so that being listed tells that a cell is not empty.
    """

    narrowest_base: int = 5
    narrowest_margin: int = 3
    smallest_base: int = 10
    hidden_hold_someone: bool = True


@dataclass(frozen=True)
class Attack:
    """What the attack found.

    report: one row per academic_year, part, metric and characteristic: hidden, broken, exact (cells) and narrowest
    (range left to an attacker, at most what is needed). broken: the cells to be mended: KEY, the proved ranges of n,
    have and lack (…_low, …_high), width (the range that is left) and why (narrow, shown before). exact: hidden cells
    of private metrics of which have or lack is known exactly, same columns. differenced: cells of which two releases
    show counts too few people apart: KEY and the differences of COUNTS.
    """

    report: pd.DataFrame
    broken: pd.DataFrame
    exact: pd.DataFrame
    differenced: pd.DataFrame
    bar: Bar

    @property
    def withstood(self) -> bool:
        """True where nothing was broken."""
        return self.broken.empty and self.differenced.empty

    @property
    def narrowed(self) -> pd.DataFrame:
        """Those of the broken that hiding more would mend: what was shown before is known whatever is hidden now."""
        return self.broken[self.broken["why"] == NARROW].reset_index(drop=True)

    @staticmethod
    def together(attacks: Collection[Attack], bar: Bar) -> Attack:
        """Several attacks, or none, as one."""
        frames = {
            name: pd.concat(parts, ignore_index=True)
            if (parts := [f for a in attacks if len(f := getattr(a, name))])
            else pd.DataFrame(columns=columns)
            for name, columns in FRAMES.items()
        }
        return Attack(**frames, bar=bar)

    def of(self, period: Period) -> Attack:
        """What was found of one period."""
        frames = {
            name: (whole := getattr(self, name))[
                (whole["academic_year"] == period[0]) & (whole["part"] == period[1])
            ].reset_index(drop=True)
            for name in FRAMES
        }
        return replace(self, **frames)

    def summary(self) -> str:
        """The result in words."""
        said = [f"{int(self.report['hidden'].sum()):,} hidden cells attacked"]
        if len(self.narrowed):
            said.append(f"{len(self.narrowed):,} could be worked out or narrowed too far")
        else:
            known = f" (or {self.bar.narrowest_margin} where the base is known)"
            said.append(f"none could be narrowed to fewer than {self.bar.narrowest_base}{known}")
        if len(self.narrowed) < len(self.broken):
            said.append(f"{len(self.broken) - len(self.narrowed):,} were shown by an earlier release")
        if len(self.exact):
            said.append(
                f"{len(self.exact):,} hidden cells of private metrics have a count that can be worked out exactly"
            )
        if len(self.differenced):
            said.append(f"{len(self.differenced):,} shown cells differ by too few people from the release before")
        return "; ".join(said) + "."


def attack(
    shown: pd.DataFrame,
    hidden: pd.DataFrame,
    schools: pd.DataFrame,
    metrics: Metrics,
    bar: Bar | None = None,
    *,
    broader: Broader | None = None,
    pooled: Pooled | None = None,
    earlier: pd.DataFrame | None = None,
    inner: pd.DataFrame | None = None,
    known: pd.DataFrame | None = None,
    before: Before | None = None,
    workers: Workers = ALONE,
) -> Attack:
    """Attack all hidden cells of a release.

    shown: KEY and COUNTS of every visible cell; hidden: KEY of every hidden one; a cell in neither is empty, unless
    cells of its kind are never listed. schools: school_code, faculty_code. broader: of a broader characteristic the
    finer one, and of each broad group its fine ones (without: the group of the same name). pooled: of a pooled
    period its academic years. earlier: KEY and COUNTS of what an earlier release showed. inner: KEY and COUNTS of the
    smallest cells there are, shown or not; an attacker does not have them, but whoever makes the release does: as one
    of the answers that agree with what is shown they save time in finding others, and nothing is worked out from them.
    known: what else the release shows, in periods that are not attacked here: it tells which metrics belong together.
    before: what attacks on other states of the release found: what still holds is taken from there, and this one's
    added.

    What was shown once stays known. A cell shown then and hidden now is broken, whatever its count is now; its old
    count, right but for late corrections, is used against the other cells, and left out where it contradicts the new
    ones. Periods that only the earlier release shows are used too where pooled ones rest on them. A cell that both
    show must be the same in both, or clearly another one (see `differenced`).

    Raises ContradictionError where what is shown does not add up, ValueError on an unknown unit.
    """
    bar = bar or Bar()
    shown, hidden = _plain(shown, [*KEY, *COUNTS]), _plain(hidden, KEY)
    old = _plain(shown.iloc[:0] if earlier is None else earlier, [*KEY, *COUNTS])
    places = Places(
        shown, hidden, old, schools, metrics, broader or {}, pooled or {}, inner, shown if known is None else known
    )
    terms = Terms(
        places.complementary,
        places.private,
        places.alike,
        places.opposites,
        bar.smallest_base,
        bar.narrowest_base,
        bar.narrowest_margin,
    )
    tasks = range(len(places.tasks))
    work = [places.families(task, terms, hold_someone=bar.hidden_hold_someone) for task in tasks]
    before = {} if before is None else before
    about = [before.get(tuple(task), {}) for task in places.tasks]
    found = _in_processes(work, terms, about, workers)
    again = []
    for task in tasks:
        if found[task] is None and places.old.any():
            work[task] = places.families(task, terms, hold_someone=bar.hidden_hold_someone, with_old=False)
            again.append(task)
    of_again = [work[task] for task in again], terms, [about[task] for task in again]
    for task, anew in zip(again, _in_processes(*of_again, workers), strict=True):
        found[task] = anew
    for task in tasks:
        if found[task] is None:
            raise ContradictionError(f"What is shown of {places.tasks[task]} does not add up.")
        before[tuple(places.tasks[task])] = {f.problem: f for f in found[task] or []}
    cells = hidden.join(_worst([f for of_task in found for f in of_task or []], len(hidden)))
    seen = pd.MultiIndex.from_frame(hidden).isin(pd.MultiIndex.from_frame(old[KEY]))
    cells.loc[seen, "width"], cells.loc[seen, "broken"], cells["why"] = (
        0,
        True,
        np.where(seen, SHOWN_BEFORE, NARROW),
    )
    report = cells.groupby(REPORT, sort=False).agg(
        hidden=("broken", "size"), broken=("broken", "sum"), exact=("exact", "sum"), narrowest=("width", "min")
    )
    columns = [*KEY, *RANGES, "width", "why"]
    broken, exact = (cells.loc[cells[which], columns].reset_index(drop=True) for which in ("broken", "exact"))
    return Attack(report.reset_index(), broken, exact, differenced(shown, old, bar.smallest_base), bar)


def differenced(now: pd.DataFrame, earlier: pd.DataFrame, smallest_base: int) -> pd.DataFrame:
    """Cells that two releases show with different counts where a difference is of too few people: KEY, differences."""
    both = now.merge(earlier, on=KEY, suffixes=("", "_old"))
    change = both[COUNTS].to_numpy(int) - both[[f"{count}_old" for count in COUNTS]].to_numpy(int)
    both[COUNTS] = change
    few = ((change != 0) & (np.abs(change) < smallest_base)).any(axis=1)
    return both.loc[few, [*KEY, *COUNTS]].reset_index(drop=True)


def _plain(cells: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    plain = cells[columns].reset_index(drop=True)
    return plain.astype(dict.fromkeys(KEY, object))


def _in_processes(
    work: list[list[Family]], terms: Terms, before: list[dict[bytes, Found]], workers: Workers
) -> list[list[Found] | None]:
    hidden = [sum(int((family.hidden >= 0).sum()) for family in families) for families in work]
    shares = [
        min(workers.number, len(families)) if cells >= FEW_CELLS else 1
        for cells, families in zip(hidden, work, strict=True)
    ]
    if workers.number <= 1 or sum(hidden) < FEW_CELLS:
        return [attacked(families, terms, before=found) for families, found in zip(work, before, strict=True)]
    running: dict[int, list[Future[list[Found] | None]]] = {}
    for task in sorted(range(len(work)), key=lambda task: -hidden[task]):  # the largest first
        parts = [(i, shares[task]) for i in range(shares[task])]
        running[task] = [workers.pool.submit(attacked, work[task], terms, part, before[task]) for part in parts]
    found = [[share.result() for share in running[task]] for task in range(len(work))]
    return [None if None in of_task else [f for part in of_task for f in part or []] for of_task in found]


def _worst(found: list[Found], cells: int) -> pd.DataFrame:
    """One row per hidden cell. Cells of everyone are attacked with each family of groups; the worst of it counts."""
    low, high = np.zeros((cells, len(COUNTS)), int), np.full((cells, len(COUNTS)), np.iinfo(np.int32).max)
    width, broken, exact = np.full(cells, np.iinfo(np.int32).max), np.zeros(cells, bool), np.zeros(cells, bool)
    seen = np.zeros(cells, bool)
    for of_metric in found:
        at = of_metric.cell
        low[at], high[at] = np.maximum(low[at], of_metric.low.T), np.minimum(high[at], of_metric.high.T)
        width[at] = np.minimum(width[at], of_metric.width)
        broken[at] |= of_metric.broken
        exact[at] |= of_metric.exact
        seen[at] = True
    if not seen.all():
        raise RuntimeError(f"{int((~seen).sum()):,} hidden cells were not attacked. Please report this.")
    return pd.DataFrame(np.c_[low, high], columns=RANGES).assign(width=width, broken=broken, exact=exact)
