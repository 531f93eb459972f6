"""Scopes: one file for the university and one for each faculty, so that what can be seen is which file can be opened.

A faculty's file holds its own units and the university's as a benchmark. All other schools are an unnamed band.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from pipelines.disclosure import rules
from pipelines.measures import sets

WORDS = ("release", "metric", "characteristic", "characteristic_group", "level", "period", "band", "protection")
QUALITY = {"check": ["observed"], "reconciliation": ["file", "note"], "quarantine": ["file"]}  # what may name a school
BAND = ["academic_year", "part", "level", "metric", "characteristic", "group"]
QUANTILES = {"lowest": 0.0, "low": 0.1, "middle": 0.5, "high": 0.9, "highest": 1.0}
FEWEST_IN_BAND = 8  # schools: with fewer, the band would be nearly a list of them

Tables = Mapping[str, pd.DataFrame]


def band(cells: pd.DataFrame) -> pd.DataFrame:
    """Where all schools lie, unnamed: lowest, tenth percentile, middle, ninetieth percentile and highest value.

    cells: the published table. Only shown cells count, and only where eight schools or more have one.
    """
    shown = cells[sets.is_school(cells["unit"]) & (cells["status"] == rules.SHOWN)]
    by = shown.groupby(BAND, observed=True)["value"]
    spread = pd.DataFrame({name: by.quantile(share) for name, share in QUANTILES.items()})
    decimals = 0 if (shown["value"] % 1 == 0).all() else 1
    enough = spread[by.size() >= FEWEST_IN_BAND]
    return enough.assign(**{c: rules.half_up(enough[c], decimals) for c in QUANTILES}).reset_index()


def files(tables: Tables) -> Iterator[tuple[str, dict[str, pd.DataFrame]]]:
    """The name and the tables of each file of a release. tables: those of the university's."""
    yield "university.duckdb", dict(tables)
    units = tables["unit"]
    for faculty in units.loc[units["kind"] == "faculty", "unit"]:
        yield file_of(faculty), of_faculty(tables, faculty)


def file_of(faculty: str) -> str:
    """The name of the file of a faculty, of which the unit is given."""
    return f"faculty-{faculty.removeprefix('faculty:')}.duckdb"


def of_faculty(tables: Tables, faculty: str) -> dict[str, pd.DataFrame]:
    """What a faculty may see. Closed: a table that is not known here is not in its file."""
    units = tables["unit"]
    own = {faculty, *units.loc[units["parent"] == faculty, "unit"]}
    seen = {"university", *own}
    out = {}
    for name, table in tables.items():
        if name in WORDS:
            out[name] = table
        elif name in QUALITY:
            unnamed = {c: pd.Series(None, table.index, "str") if c == "observed" else "" for c in QUALITY[name]}
            out[name] = table.assign(**{c: v for c, v in unnamed.items() if c in table})
        elif name == "finding":
            out[name] = table[table["unit"].isin(own)]
        elif "unit" in table:
            rows = table["unit"].isin(seen)
            out[name] = table[rows & table["school"].isin(own)] if "school" in table else table[rows]
    return {name: _without_unused(table) for name, table in out.items()}


def _without_unused(table: pd.DataFrame) -> pd.DataFrame:
    """The table without the categories that none of its rows has: they may name others."""
    return table.assign(**{c: sets.only_used(of) for c, of in table.select_dtypes("category").items()})
