"""The ledger: what was published of each period, so that a later release cannot be compared with an earlier one.

Two releases of the same period that differ by a few late corrections would tell what the corrected rows say. So a
period that was published stays as it was, cell for cell and byte for byte, until it is revised on purpose; then what
was hidden stays hidden, and what was shown counts as known. A week later 'to date' is a new period. Each release has a
ledger of its own, so that going back to an earlier one goes back to what that one published.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import duckdb
import pandas as pd

from pipelines.disclosure.patterns import KEY, SHOWN, UNLISTED
from pipelines.engines.duckdb import frame
from pipelines.errors import InputError
from pipelines.measures import sets

PERIOD = ["academic_year", "part"]
COUNTS = ["n", "sx", "sxx", "sy", "syy", "sxy", "have_some", "lack_some"]
FILE = "ledger-{}.parquet"  # of a release; restricted, as it holds exact counts
COMMON = [*KEY, "n", "have_some", "lack_some"]
REVISE_ALL = "all"

Marks = Mapping[tuple[str, str], str]  # of periods: what tells whether they would be counted the same


@dataclass(frozen=True)
class Ledger:
    """What was published.

    cells: by the release in force: KEY, COUNTS, why (each cell was shown or hidden), week (through which 'to date'
    counts), terms (a hash of the rules and definitions) and mark (of rows that give its period's cells, see `settled`;
    '' where none is known). seen: KEY, n, have_some, lack_some and week of what other releases that are kept show.
    """

    cells: pd.DataFrame
    seen: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=[*COMMON, "week"]))

    def kept(self, periods: pd.DataFrame, terms: str, revised: Collection[str] = ()) -> set[tuple[str, str]]:
        """The periods that stay as published: all that were, on the same terms, and are not `revised`."""
        if self.cells.empty or REVISE_ALL in revised:
            return set()
        published = self.cells[self.cells["terms"] == terms].drop_duplicates([*PERIOD, "week"])
        now = periods.assign(week=weeks(periods))
        both = published.merge(now[[*PERIOD, "week"]], on=[*PERIOD, "week"])
        return {(y, p) for y, p in both[PERIOD].itertuples(index=False) if y not in revised}

    @cached_property
    def marks(self) -> Marks:
        """The marks with which periods were published."""
        marked = self.cells[[*PERIOD, "mark"]].drop_duplicates(PERIOD)
        return {(year, part): mark for year, part, mark in marked.itertuples(index=False, name=None) if mark}

    def labels(self, part: str) -> list[str]:
        """The academic years of which a part was published."""
        return sorted(self.cells.loc[self.cells["part"] == part, "academic_year"].astype(str).unique())

    def of(self, periods: set[tuple[str, str]]) -> pd.DataFrame:
        """The cells of these periods as published: KEY, COUNTS and why."""
        return self.cells.loc[in_periods(self.cells, periods), [*KEY, *COUNTS, "why"]].reset_index(drop=True)

    def shown(self, periods: pd.DataFrame) -> pd.DataFrame:
        """What any release showed of these periods, as far as they have come: KEY, n, have_some, lack_some; a cell
        with each of its counts, those of the release in force first.
        """
        now = _as_far(self.cells, periods)
        both = [now[now["why"] == SHOWN], _as_far(self.seen, periods)]
        return pd.concat([rows[COMMON] for rows in both]).drop_duplicates(ignore_index=True)

    def hidden(self, periods: pd.DataFrame) -> pd.DataFrame:
        """What the release in force hides of these periods, as far as they have come: KEY."""
        now = _as_far(self.cells, periods)
        return now.loc[~now["why"].isin([SHOWN, UNLISTED]), KEY].reset_index(drop=True)


NOTHING = Ledger(pd.DataFrame(columns=[*KEY, *COUNTS, "why", "week", "terms", "mark"]))  # was published yet


def in_periods(frame: pd.DataFrame, periods: set[tuple[str, str]]) -> pd.Series:
    """Which rows are of these periods."""
    found = pd.Series(False, index=frame.index)
    for part in {part for _, part in periods}:
        found |= (frame["part"] == part) & frame["academic_year"].isin([year for year, of in periods if of == part])
    return found


def weeks(periods: pd.DataFrame) -> pd.Series:
    """The week through which 'to date' counts; -1 for whole years."""
    return periods["through_week"].where(periods["part"] == "to_date", -1).astype(int)


def terms(*parts: str) -> str:
    """One hash for everything that decides what a cell is and whether it is shown."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def missing(folder: Path, release: str) -> str:
    """What it means that the release in force has no ledger."""
    return (
        f"There is no ledger of the release in force, {release}, in {folder}: every period is published as if for the "
        "first time. Where that is not meant, put the ledger back and run again."
    )


def must_know(revised: Collection[str], periods: pd.DataFrame) -> None:
    """Raise InputError where a year to be published anew is none of those there are. periods: as in `Modelled`."""
    there = sorted(periods["academic_year"].unique())
    if unknown := sorted(set(revised) - {REVISE_ALL, *there}):
        raise InputError(f"There is no academic year {unknown[0]!r} to revise. There are {', '.join(there)}, and all.")


def _as_far(cells: pd.DataFrame, periods: pd.DataFrame) -> pd.DataFrame:
    """The cells of these periods that count through the same week."""
    wanted = periods[PERIOD].assign(week=weeks(periods))
    cells = cells[cells["week"].isin(wanted["week"])]  # hardly any, where only 'to date' has come further
    return cells.merge(wanted, on=[*PERIOD, "week"]) if len(cells) else cells


def load(folder: Path, release: str | None) -> Ledger:
    """The ledger of the release in force; empty where nothing was published yet."""
    path = _path(folder, release or "")
    if not path.is_file():
        return NOTHING
    others = [str(other) for other in folder.glob(FILE.format("*")) if other != path]
    common = f"""{", ".join(f'"{c}"' for c in COMMON)}, week"""
    of_others = f"select {common} from read_parquet($others) where why = $shown"
    with duckdb.connect() as con:
        cells = frame(con, "select * from read_parquet($path)", {"path": str(path)})
        cells["mark"] = cells.get("mark", "")  # ledgers of earlier versions have none
        if not others:
            return Ledger(cells)
        values = {"others": others, "shown": SHOWN, "path": str(path)}
        seen = frame(con, f"{of_others} except select {common} from read_parquet($path) where why = $shown", values)
    return Ledger(cells, seen)


def save(
    folder: Path,
    release: str,
    before: Ledger,
    cells: pd.DataFrame,
    why: pd.Series,
    periods: pd.DataFrame,
    terms: str,
    marks: Marks | None = None,
) -> None:
    """Write the ledger of a release that is about to be published: what it publishes, and what was published `before`
    of other periods.
    """
    now = cells[[*KEY, *COUNTS]].assign(why=why.to_numpy(object))
    of = periods[PERIOD].assign(week=weeks(periods))
    of["mark"] = [(marks or {}).get(period, "") for period in of[PERIOD].itertuples(index=False, name=None)]
    at = sets.find(now, of, PERIOD)
    assert (at >= 0).all(), "every cell is of one of the periods"
    now = now.assign(**of[["week", "mark"]].take(at).set_index(now.index), terms=terms)
    published = set(periods[PERIOD].itertuples(index=False, name=None))
    old = before.cells[~in_periods(before.cells, published)]
    with duckdb.connect() as con:
        con.register("now", now)
        con.register("old", old.astype(now.dtypes.to_dict()))
        _write(con, "select * from old union all by name select * from now", _path(folder, release))


def remove(folder: Path, releases: Collection[str]) -> None:
    """Remove the ledgers of releases that nobody has seen, and half-written ones."""
    for path in [*(_path(folder, release) for release in releases), *folder.glob(_unfinished(FILE.format("*")))]:
        path.unlink(missing_ok=True)


def tidy(folder: Path, releases: Collection[str]) -> None:
    """Remove the ledgers of releases that are no longer kept."""
    kept = {_path(folder, release) for release in releases}
    for path in set(folder.glob(FILE.format("*"))) - kept:
        path.unlink()


def forget(folder: Path, before: str) -> int:
    """Remove from every ledger what the years before an academic year hide or never list; returns how many cells.

    What they show stays, as it is published; it will not be published again from here.
    """
    gone = 0
    for path in folder.glob(FILE.format("*")):
        with duckdb.connect() as con:
            con.execute("create table whole as select * from read_parquet($1)", [str(path)])
            con.execute(
                "delete from whole where academic_year < $before and why <> $shown", {"before": before, "shown": SHOWN}
            )
            con.execute("alter table whole add column if not exists mark varchar default ''")
            con.execute("update whole set terms = '', mark = '' where academic_year < $1", [before])
            (left,) = con.execute("select count(*) from whole").fetchall()[0]
            (whole,) = con.execute("select count(*) from read_parquet($1)", [str(path)]).fetchall()[0]
            _write(con, "select * from whole", path)
        gone += whole - left
    return gone


def _path(folder: Path, release: str) -> Path:
    return folder / FILE.format(release)


def _unfinished(name: str) -> str:
    return f".{name}"


def _write(con: duckdb.DuckDBPyConnection, rows: str, path: Path) -> None:
    """Write a query's rows in one go, for the owner's eyes."""
    unfinished = path.with_name(_unfinished(path.name))
    con.execute(f"copy ({rows}) to $1 (format parquet)", [str(unfinished)])
    unfinished.chmod(0o600)
    os.replace(unfinished, path)
