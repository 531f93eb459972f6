"""The ledger: what was published of each period, so that a later release cannot be compared with an earlier one.

Two releases of the same period that differ by a few late corrections would tell what the corrected rows say. So a
period that was published stays as it was, cell for cell and byte for byte, until it is revised on purpose. A week
later 'to date' is a new period.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

PERIOD = ["academic_year", "part"]
KEY = [*PERIOD, "level", "unit", "metric", "characteristic", "group"]
COUNTS = ["n", "sx", "sxx", "sy", "syy", "sxy", "have_some", "lack_some"]
FILE = "ledger.parquet"
REVISE_ALL = "all"


@dataclass(frozen=True)
class Ledger:
    """What was published: KEY, COUNTS, why (each cell was shown or hidden), week (through which 'to date' counts) and
    terms (a hash of the rules and definitions in force)."""

    cells: pd.DataFrame

    def kept(self, periods: pd.DataFrame, terms: str, revised: Collection[str] = ()) -> set[tuple[str, str]]:
        """The periods that stay as published: all that were, on the same terms, and are not `revised`."""
        if self.cells.empty or REVISE_ALL in revised:
            return set()
        published = self.cells[self.cells["terms"] == terms].drop_duplicates([*PERIOD, "week"])
        now = periods.assign(week=weeks(periods))
        both = published.merge(now[[*PERIOD, "week"]], on=[*PERIOD, "week"])
        return {(y, p) for y, p in both[PERIOD].itertuples(index=False) if y not in revised}

    def labels(self, part: str) -> list[str]:
        """The academic years of which a part was published."""
        return sorted(self.cells.loc[self.cells["part"] == part, "academic_year"].astype(str).unique())

    def of(self, periods: set[tuple[str, str]]) -> pd.DataFrame:
        """The cells of these periods as published: KEY, COUNTS and why."""
        return self.cells.loc[in_periods(self.cells, periods), [*KEY, *COUNTS, "why"]].reset_index(drop=True)


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


def load(folder: Path) -> Ledger:
    """The ledger in `folder`; empty where nothing was published yet."""
    path = folder / FILE
    if not path.is_file():
        return Ledger(pd.DataFrame(columns=[*KEY, *COUNTS, "why", "week", "terms"]))
    with duckdb.connect() as con:
        return Ledger(con.execute("select * from read_parquet($1)", [str(path)]).df())


def save(folder: Path, cells: pd.DataFrame, why: pd.Series, periods: pd.DataFrame, terms: str) -> None:
    """Replace the ledger: what is published now, and what was published of other periods (restricted: exact counts)."""
    now = cells[[*KEY, *COUNTS]].assign(why=why.to_numpy(object))
    now = now.merge(periods[PERIOD].assign(week=weeks(periods)), on=PERIOD).assign(terms=terms)
    before = load(folder).cells
    published = set(periods[PERIOD].itertuples(index=False, name=None))
    before = before[~in_periods(before, published)]
    path = folder / f".{FILE}"
    with duckdb.connect() as con:
        con.register("now", now)
        con.register("before", before.astype(now.dtypes.to_dict()))
        con.execute("copy (select * from before union all select * from now) to $1 (format parquet)", [str(path)])
    path.chmod(0o600)
    os.replace(path, folder / FILE)
