"""The only place that opens a release. Every figure on every page is read here, for a viewer.

A release is opened read-only, with every way out of the file (other files, extensions, settings)
closed. Which file, and which of its rows, follows from the viewer, who is asked for again on every
read, also of what is kept in memory. Nothing here knows Streamlit.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from dashboard import tables
from dashboard.access import AccessDeniedError, Ask, Viewer
from dashboard.exports import inert
from dashboard.sight import Sight, sight_of

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ROOT / "settings.toml"
UNIVERSITY_FILE = "university.duckdb"
LOCKED: dict[str, Any] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "lock_configuration": True,
    "threads": 2,
    "memory_limit": "1GB",
}
PROTECTION = ("kind", "level", "characteristic", "cells", "shown", "small", "linked", "nearer")


class NoReleaseError(Exception):
    """There is nothing to show yet; the message says what to do."""


class UnreadableReleaseError(Exception):
    """The current release cannot be read; the message says what to do."""


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


def _kept(make: Callable[[Release], Any]) -> Any:
    """A property made once per release object, and only handed out to a viewer who may still see it."""

    @wraps(make)
    def get(release: Release) -> Any:
        release.ask_again()
        if make.__name__ not in release.memory:
            release.memory[make.__name__] = make(release)
        return release.memory[make.__name__]

    return property(get)


@dataclass(frozen=True)
class Release:
    """One release as one viewer may see it. Frames are the caller's own: changing them changes no cache."""

    name: str
    file: Path
    viewer: Viewer
    ask: Ask
    sight: Sight
    example: bool
    memory: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def check_report(self) -> bytes:
        """Every check and its result as a CSV file. Raises AccessDeniedError for a role that may not take it."""
        self.ask_again()
        if not self.viewer.takes("check report"):
            raise AccessDeniedError("The check report is not part of your role.")
        return inert.csv(tables.checks(self.checks))

    def ask_again(self) -> None:
        """Raises AccessDeniedError unless the viewer this release was opened for may still see it."""
        if self.ask(self.example) != self.viewer:
            raise AccessDeniedError("What you may see has changed. Open the page again.")

    def _read(self, table: str, order: str = "", **keys: Any) -> pd.DataFrame:
        """Rows of a table that match every key given (one of its values, where it is a list), as far as seen."""
        return self._select(table, order, keys)

    def _listed(self, table: str, *index: str) -> pd.DataFrame:
        """A whole table in reading order, indexed by columns it keeps."""
        return self._select(table, "ordering", {}, index)

    def _select(self, table: str, order: str, keys: dict[str, Any], index: tuple[str, ...] = ()) -> pd.DataFrame:
        """The only SQL on a page's way."""
        self.ask_again()
        seen, values = self.sight.select(table)
        given = {key: value if isinstance(value, list) else [value] for key, value in keys.items()}
        where = (
            " and ".join(f'"{key}" in ({", ".join("?" * len(one)) or "null"})' for key, one in given.items()) or "true"
        )
        by = f" order by {order}" if order else ""
        return _query(
            self.file, f"select * from ({seen}) where {where}{by}", (*values, *chain(*given.values())), index
        ).copy()

    @_kept
    def about(self) -> dict[str, Any]:
        """The release's own facts: university, source, grade, data_through, current_year and the rest."""
        facts = self._read("release").iloc[0].to_dict()
        return {key: None if pd.isna(value) else value for key, value in facts.items()}

    @_kept
    def units(self) -> pd.DataFrame:
        """Units in reading order, indexed by unit."""
        return self._listed("unit", "unit")

    @_kept
    def metrics(self) -> pd.DataFrame:
        """Every metric, available or not, in reading order, indexed by metric."""
        return self._listed("metric", "metric")

    @_kept
    def characteristics(self) -> pd.DataFrame:
        """Every characteristic, available or not, in reading order, indexed by characteristic. people: what the
        students of each group are called within a sentence.
        """
        listed, groups = self._listed("characteristic", "characteristic"), self.groups
        called = groups["people"] if "people" in groups else groups["group"]  # releases made before they had it
        people = {
            name: dict(zip(own["group"], called[own.index], strict=True))
            for name, own in groups.groupby("characteristic")
        }
        return listed.assign(people=listed.index.map(people))

    @_kept
    def groups(self) -> pd.DataFrame:
        """Groups of all characteristics in reading order."""
        return self._read("characteristic_group", "characteristic, ordering")

    @_kept
    def levels(self) -> pd.DataFrame:
        """Levels in reading order, indexed by level."""
        return self._listed("level", "level")

    @_kept
    def periods(self) -> pd.DataFrame:
        """Periods in reading order, the newest first, indexed by (academic_year, part)."""
        return self._listed("period", "academic_year", "part")

    def cells(self, **keys: str | list[str]) -> pd.DataFrame:
        """Cells that match every key given, e.g. `metric="trust", level=["all", "UG"], characteristic="all"`."""
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

    def gaps(self, against: str = "reference", **keys: str | list[str]) -> pd.DataFrame:
        """Gaps against the reference group (or "everyone else") that match every key given; see `cells`."""
        return self._matching("gap", {"against": against, **keys})

    def rows(self, table: str, **keys: str) -> pd.DataFrame:
        """Rows of any table of figures that match every key given; see `cells`. None where the release lacks it."""
        return self._matching(table, keys) if self._has(table) else pd.DataFrame(columns=[*keys, "status"])

    def findings(self, unit: str) -> pd.DataFrame:
        """The sentences about a unit, most important first; none where the release has no such table."""
        return self.derived("finding", "ordering", unit=unit)

    def derived(self, table: str, order: str = "", **keys: str) -> pd.DataFrame:
        """Rows of a table made from cells, such as `funnel`, that match every key; none without such a table."""
        return self._read(table, order, **keys) if self._has(table) else pd.DataFrame(columns=["unit", "status"])

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

    def band(self, metric: str, level: str, period: Mapping[Any, Any], characteristic: str = "all") -> pd.DataFrame:
        """How all schools spread on a metric, none of them named: lowest, low, middle, high, highest per group.

        No row where the release does not publish it.
        """
        if not self._has("band"):
            return pd.DataFrame(columns=["group", "lowest", "low", "middle", "high", "highest"])
        return self._read(
            "band",
            metric=metric,
            level=level,
            characteristic=characteristic,
            academic_year=period["academic_year"],
            part=period["part"],
        )

    def _has(self, table: str) -> bool:
        self.ask_again()
        names = "select table_name from information_schema.tables where table_name = ?"
        return not _query(self.file, names, (table,)).empty

    def _matching(self, table: str, keys: Mapping[str, Any]) -> pd.DataFrame:
        allowed = {"academic_year", "part", "level", "unit", "metric", "characteristic", "group", "against"}
        if unknown := keys.keys() - allowed:
            raise ValueError(f"cells and gaps are looked up by {sorted(allowed)}, not by {sorted(unknown)}")
        return self._read(table, **keys)

    @_kept
    def reconciliation(self) -> pd.DataFrame:
        """Rows read, loaded, quarantined and dropped, per table and file."""
        return self._read("reconciliation")

    @_kept
    def checks(self) -> pd.DataFrame:
        """Every expectation and its result."""
        return self._read("check")

    @_kept
    def quarantine(self) -> pd.DataFrame:
        """Rows set aside, per table, file and rule."""
        return self._read("quarantine", "rows desc")

    @_kept
    def protection(self) -> pd.DataFrame:
        """How many cells are shown and hidden, by kind of unit; no row where the release does not say."""
        return self._read("protection") if self._has("protection") else pd.DataFrame(columns=PROTECTION)


def open_release(ask: Ask) -> Release:
    """The current release as whoever is looking may see it.

    Raises NoReleaseError before the first release, AccessDeniedError for whoever may see nothing of it, and
    UnreadableReleaseError where the file is missing, damaged or not what its name says.
    """
    name = current_release()
    example = is_example(name)
    viewer = ask(example)
    faculty, schools = _faculty(name, viewer.scope), tuple[str, ...]()
    file = _folder(name) / (_faculty_file(faculty) if faculty else UNIVERSITY_FILE)
    if faculty:
        held = _try(name, file, "select unit, parent from unit where kind in ('faculty', 'school')")
        schools = tuple(sorted(held.loc[held["parent"] == faculty, "unit"]))
        if set(held["unit"]) != {faculty, *schools}:
            raise UnreadableReleaseError(f"In release {name} the file for {faculty} holds another faculty's figures.")
    found = _try(name, file, "select release, source from release")
    if found["release"].tolist() != [name] or (found["source"].tolist() == ["example"]) != example:
        raise UnreadableReleaseError(_damaged(name))
    return Release(name, file, viewer, ask, sight_of(viewer, faculty, schools), example)


def is_example(name: str) -> bool:
    """Whether a release is the example university's. What cannot be read is not."""
    try:
        return _source(_folder(name) / UNIVERSITY_FILE) == ["example"]
    except duckdb.Error:
        return False


def scopes(name: str) -> pd.DataFrame:
    """Units of an example release that have a file to read: what its viewer switch offers. None of a real one."""
    if not is_example(name):
        return pd.DataFrame(columns=["unit", "kind", "name", "short_name", "parent"])
    units = _query(_folder(name) / UNIVERSITY_FILE, "select * from unit order by ordering", ())
    faculty = units["unit"].where(units["kind"] == "faculty", units["parent"])
    has_file = [(_folder(name) / _faculty_file(str(f))).is_file() for f in faculty]
    return units[(units["kind"] != "university") & pd.Series(has_file, units.index)].copy()


def releases(ask: Ask) -> pd.DataFrame:
    """Every release kept, the newest first: release, created, source, grade, data_through, in_force, readable.

    Raises AccessDeniedError for a role without the page of releases.
    """
    now = current_release()
    viewer = ask(is_example(now))
    if "releases" not in viewer.pages:
        raise AccessDeniedError("The list of releases is not part of your role.")
    rows: list[dict[str, Any]] = []
    for folder in sorted(published_folder().iterdir(), reverse=True):
        file = folder / UNIVERSITY_FILE
        if not file.is_file() or folder.name.startswith(".") or (folder.name != now and _asks_other(ask, folder.name)):
            continue
        try:
            facts = _query(file, "select * from release", ()).iloc[0].to_dict()
        except (duckdb.Error, IndexError):
            facts = {}
        rows.append({**facts, "release": folder.name, "in_force": folder.name == now, "readable": bool(facts)})
    return pd.DataFrame(rows)


def _asks_other(ask: Ask, name: str) -> bool:
    """Whether a release would be opened by somebody else: the example's viewer sees no real release."""
    try:
        return ask(is_example(name)) != ask(is_example(current_release()))
    except AccessDeniedError:
        return True


def _folder(name: str) -> Path:
    folder = published_folder()
    if Path(name).name != name:
        raise UnreadableReleaseError("`current` names no release: it holds a path.")
    return folder / name


def _faculty(name: str, scope: str) -> str:
    """The faculty (unit) whose file a scope is read from, or ''. Raises AccessDeniedError where there is none."""
    kind = scope.partition(":")[0]
    if kind not in ("faculty", "school"):
        return ""
    held = _try(name, _folder(name) / UNIVERSITY_FILE, "select unit, kind, parent from unit where unit = ?", scope)
    if held["kind"].tolist() != [kind]:
        raise AccessDeniedError("This release holds no such unit as your role is about. Ask the data team.")
    return scope if kind == "faculty" else str(held["parent"].iloc[0])


def _faculty_file(faculty: str) -> str:
    """The name of a faculty's file. Raises AccessDeniedError for a code that cannot be part of a file's name."""
    file = f"faculty-{faculty.removeprefix('faculty:')}.duckdb"
    if Path(file).name != file or "\0" in file:
        raise AccessDeniedError("There is no file for this faculty.")
    return file


def _try(name: str, file: Path, sql: str, *values: Any) -> pd.DataFrame:
    try:
        return _query(file, sql, values)
    except duckdb.Error as error:
        if file.name != UNIVERSITY_FILE and not file.exists():
            raise UnreadableReleaseError(
                f"Release {name} was made without a file for your faculty. Make a new one: `python -m pipelines run`."
            ) from error
        raise UnreadableReleaseError(_damaged(name)) from error


def _damaged(name: str) -> str:
    return (
        f"Release {name} cannot be opened. Run `python -m pipelines status` to see which releases are "
        "whole, and `python -m pipelines rollback RELEASE` to return to one."
    )


def connect(file: Path) -> duckdb.DuckDBPyConnection:
    """A connection that can read this release and do nothing else."""
    return duckdb.connect(str(file), read_only=True, config=LOCKED)


_shared = lru_cache(maxsize=16)(connect)


@lru_cache(maxsize=16)
def _source(file: Path) -> list[str]:
    """Whose figures a release holds, as it says itself."""
    return [str(source) for source in _query(file, "select source from release", ())["source"]]


@lru_cache(maxsize=512)
def _query(file: Path, sql: str, values: tuple[Any, ...], index: tuple[str, ...] = ()) -> pd.DataFrame:
    """A query's rows, indexed by columns it keeps; the index has no name, so that joins stay unambiguous."""
    # A cursor per call: threads that share one connection get silently empty results.
    found = _shared(file).cursor().execute(sql, list(values)).df()
    if not index:
        return found
    return found.set_axis(found.set_index(list(index)).index.set_names([None] * len(index)), axis=0)
