"""The only place that opens a release. Every figure on every page is read here, for a viewer.

A release is opened read-only, with every way out of the file (other files, extensions, settings)
closed. Nothing here knows Streamlit.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from dashboard.access import Viewer

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ROOT / "settings.toml"
LOCKED: dict[str, Any] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "lock_configuration": True,
    "threads": 2,
    "memory_limit": "1GB",
}


class NoReleaseError(Exception):
    """There is nothing to show yet; the message says what to do."""


class UnreadableReleaseError(Exception):
    """The current release cannot be read; the message says what to do."""


class AccessDeniedError(Exception):
    """The viewer may not see what was asked for."""


def published_folder() -> Path:
    """Where releases are: `published` in the folder that APT_DATA names, else `data` in settings.toml.

    Relative folders are the repository's; without either it is the repository's `data`. Raises NoReleaseError
    where the settings cannot be read.
    """
    return ROOT / (os.environ.get("APT_DATA") or _data_setting() or "data") / "published"


def _data_setting() -> str:
    """The data folder in settings.toml, or nothing."""
    try:
        data = tomllib.loads(SETTINGS.read_text(encoding="utf-8")).get("data", "")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise NoReleaseError(f"`settings.toml` cannot be read: {error}.") from error
    if not isinstance(data, str):
        raise NoReleaseError("`data` in `settings.toml` must be the path of a folder, in quotes.")
    return data


def current_release() -> str:
    """The name of the release in force, read afresh on each call. Raises NoReleaseError before the first."""
    try:
        name = (published_folder() / "current").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        name = ""
    if not name:
        raise NoReleaseError(
            "Nothing has been published yet. Run `make dashboard` for the example university, or "
            "`python -m pipelines run` once your extracts are in the inbox. This page then fills by itself."
        )
    return name


@dataclass(frozen=True)
class Release:
    """One release as one viewer may see it. Frames are the caller's own: changing them changes no cache."""

    name: str
    file: Path

    def _read(self, sql: str, *values: Any) -> pd.DataFrame:
        return _query(self.file, sql, values).copy()

    @cached_property
    def about(self) -> dict[str, Any]:
        """The release's own facts: university, source, grade, data_through, current_year and the rest."""
        facts = self._read("select * from release").iloc[0].to_dict()
        return {key: None if pd.isna(value) else value for key, value in facts.items()}

    @cached_property
    def units(self) -> pd.DataFrame:
        """Units in reading order, indexed by unit."""
        return _by(self._read("select * from unit order by ordering"), "unit")

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """Every metric, available or not, in reading order, indexed by metric."""
        return _by(self._read("select * from metric order by ordering"), "metric")

    @cached_property
    def characteristics(self) -> pd.DataFrame:
        """Every characteristic, available or not, in reading order, indexed by characteristic."""
        return _by(self._read("select * from characteristic order by ordering"), "characteristic")

    @cached_property
    def groups(self) -> pd.DataFrame:
        """Groups of all characteristics in reading order."""
        return self._read('select * from characteristic_group order by characteristic, "ordering"')

    @cached_property
    def levels(self) -> pd.DataFrame:
        """Levels in reading order, indexed by level."""
        return _by(self._read("select * from level order by ordering"), "level")

    @cached_property
    def periods(self) -> pd.DataFrame:
        """Periods in reading order, the newest first, indexed by (academic_year, part)."""
        return _by(self._read("select * from period order by ordering"), "academic_year", "part")

    def cells(self, **keys: str) -> pd.DataFrame:
        """Cells that match every key given, e.g. `metric="trust", level="all", characteristic="all"`."""
        return self._matching("cell", keys)

    def everyone(self, metric: str, level: str, period: Mapping[Any, Any]) -> pd.DataFrame:
        """Cells of everyone together in all units, for one metric, level and period."""
        return self.cells(
            metric=metric,
            level=level,
            characteristic="all",
            academic_year=period["academic_year"],
            part=period["part"],
        )

    def gaps(self, against: str = "reference", **keys: str) -> pd.DataFrame:
        """Gaps against the reference group (or "everyone else") that match every key given; see `cells`."""
        return self._matching("gap", {"against": against, **keys})

    def findings(self, unit: str) -> pd.DataFrame:
        """The sentences about a unit, most important first; none where the release has no such table."""
        if not self._has("finding"):
            return pd.DataFrame()
        return self._read("select * from finding where unit = ? order by ordering", unit)

    def consistency(self, metric: str, level: str, period: Mapping[Any, Any]) -> pd.DataFrame:
        """How far schools differ in one metric, chance set aside: one row, or none where it is not published."""
        if not self._has("consistency"):
            return pd.DataFrame()
        found = self._matching(
            "consistency",
            {
                "unit": "university",
                "metric": metric,
                "level": level,
                "academic_year": period["academic_year"],
                "part": period["part"],
            },
        )
        return found[(found["between"] == "schools") & (found["status"] == "shown")]

    def _has(self, table: str) -> bool:
        return not self._read("select * from information_schema.tables where table_name = ?", table).empty

    def _matching(self, table: str, keys: dict[str, str]) -> pd.DataFrame:
        allowed = {"academic_year", "part", "level", "unit", "metric", "characteristic", "group", "against"}
        if unknown := keys.keys() - allowed:
            raise ValueError(f"cells and gaps are looked up by {sorted(allowed)}, not by {sorted(unknown)}")
        where = " and ".join(f'"{key}" = ?' for key in keys) or "true"
        return self._read(f"select * from {table} where {where}", *keys.values())

    @cached_property
    def reconciliation(self) -> pd.DataFrame:
        """Rows read, loaded, quarantined and dropped, per table and file."""
        return self._read("select * from reconciliation")

    @cached_property
    def checks(self) -> pd.DataFrame:
        """Every expectation and its result."""
        return self._read('select * from "check"')

    @cached_property
    def quarantine(self) -> pd.DataFrame:
        """Rows set aside, per table, file and rule."""
        return self._read("select * from quarantine order by rows desc")


def _by(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """The frame indexed by columns it keeps; the index has no name, so that joins stay unambiguous."""
    index = frame.set_index(list(columns)).index
    return frame.set_axis(index.set_names([None] * len(columns)), axis=0)


def open_release(viewer: Viewer) -> Release:
    """The current release as `viewer` may see it.

    Raises NoReleaseError before the first release, AccessDeniedError for a scope without a file, and
    UnreadableReleaseError where the file is missing or damaged.
    """
    if viewer.scope != "university":
        raise AccessDeniedError("There is no release for what you may see.")
    name = current_release()
    release = Release(name, published_folder() / name / f"{viewer.scope}.duckdb")
    try:
        release._read("select release from release")
    except duckdb.Error as error:
        raise UnreadableReleaseError(
            f"Release {name} cannot be opened. Run `python -m pipelines status` to see which releases are "
            "whole, and `python -m pipelines rollback RELEASE` to return to one."
        ) from error
    return release


def connect(file: Path) -> duckdb.DuckDBPyConnection:
    """A connection that can read this release and do nothing else."""
    return duckdb.connect(str(file), read_only=True, config=LOCKED)


_shared = lru_cache(maxsize=4)(connect)


@lru_cache(maxsize=512)
def _query(file: Path, sql: str, values: tuple[Any, ...]) -> pd.DataFrame:
    # A cursor per call: threads that share one connection get silently empty results.
    return _shared(file).cursor().execute(sql, list(values)).df()
