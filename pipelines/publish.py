"""Publish: write a new immutable release and switch to it atomically; list, keep and roll back releases."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import filelock
import numpy as np
import pandas as pd

from pipelines import catalogue, scopes
from pipelines.catalogue import Source
from pipelines.definitions import Definitions
from pipelines.findings import findings
from pipelines.measures import sets
from pipelines.model import Modelled, Present
from pipelines.protect import Protected
from pipelines.settings import Settings

CURRENT = "current"
UNFINISHED = ".unfinished-"
NAME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{6}Z-[0-9a-f]{4}")
FILE = re.compile(r"university\.duckdb|faculty-[\w.-]+\.duckdb")
# the order of rows, as readers look things up: one metric and characteristic at a time
LOOK_UP = ["metric", "characteristic", "academic_year", "part", "level", "unit", "group", "against", "school"]


class ReleaseError(Exception):
    """A release that cannot be used as asked; the message says why and what to do."""


@contextmanager
def only_run(settings: Settings) -> Iterator[None]:
    """Hold the lock that keeps a second run out. The operating system frees it if the process dies."""
    settings.published.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(settings.published / ".lock", mode=0o600)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise ReleaseError("Another run is under way. Wait until it has finished, then run again.") from error
    try:
        yield
    finally:
        lock.release()


def releases(settings: Settings) -> list[str]:
    """Names of the releases with their file, oldest first."""
    return [name for name in folders(settings) if _has_file(settings.published / name)]


def folders(settings: Settings) -> list[str]:
    """Names of the folders that are called what releases are, oldest first, damaged ones too."""
    if not settings.published.is_dir():
        return []
    found = (p for p in settings.published.iterdir() if p.is_dir() and not p.is_symlink())
    return sorted(p.name for p in found if NAME.fullmatch(p.name))


def damage(settings: Settings, release: str) -> str | None:
    """Why a release that is kept cannot be put in force, in words; None where it can."""
    if found := unreadable(settings, release):
        return found
    folder = settings.published / release
    try:
        with duckdb.connect(folder / "university.duckdb", read_only=True) as con:
            units = con.execute("select unit from unit where kind = 'faculty' order by unit").fetchall()
    except duckdb.Error:
        return "its university.duckdb cannot be read"
    lost = [name for name in (scopes.file_of(unit) for (unit,) in units) if not _has_file(folder, name)]
    if lost:
        return f"its {' and '.join(lost)} {'is' if len(lost) == 1 else 'are'} missing"
    return None


def unreadable(settings: Settings, release: str) -> str | None:
    """Why the university's figures of a release cannot be read, in words; None where they can."""
    if not _has_file(settings.published / release):
        return "its university.duckdb is missing"
    path = settings.published / release / "university.duckdb"
    try:
        with duckdb.connect(path, read_only=True) as con:
            names = con.execute("select release from release").fetchall()
    except duckdb.Error:
        return "its university.duckdb cannot be read"
    return None if names == [(release,)] else "its university.duckdb is another release's"


def _has_file(folder: Path, name: str = "university.duckdb") -> bool:
    path = folder / name
    return path.is_file() and not path.is_symlink()


def current(settings: Settings) -> str | None:
    """Name of the release in force."""
    try:
        return (settings.published / CURRENT).read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


@contextmanager
def in_force(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """The university's figures in force, to read; None where there are none, or they cannot be read."""
    release = current(settings)
    if release is None or unreadable(settings, release):
        yield None
        return
    with duckdb.connect(settings.published / release / "university.duckdb", read_only=True) as con:
        yield con


def switch(settings: Settings, release: str) -> None:
    """Put `release` in force: one atomic rename, so that readers see the old name or the new one."""
    pointer = settings.published / f".{CURRENT}-{secrets.token_hex(4)}"
    _write_durably(pointer, release)
    os.replace(pointer, settings.published / CURRENT)
    _sync_folder(settings.published)


def rollback(settings: Settings, release: str) -> None:
    """Put an earlier release back in force. Raises ReleaseError where there is no such release, or it is damaged."""
    with only_run(settings):
        if release not in folders(settings):
            known = ", ".join(releases(settings)) or "none"
            raise ReleaseError(f"There is no release {release!r}. Kept releases: {known}.")
        if found := damage(settings, release):
            raise ReleaseError(f"Release {release} is damaged: {found}. The release in force stays as it is.")
        switch(settings, release)


def only_real_after_real(source: Source, settings: Settings) -> None:
    """Raise ReleaseError where the example would take the place of real figures: those in force or, where these cannot
    be read, the newest that can.
    """
    if not source.example:
        return
    known = [name for name in (current(settings), *reversed(releases(settings))) if name]
    release = next((name for name in known if not unreadable(settings, name)), None)
    if release is None:
        return
    with duckdb.connect(settings.published / release / "university.duckdb", read_only=True) as con:
        (real,) = con.execute("select source <> 'example' from release").fetchall()[0]
    if real:
        raise ReleaseError(
            f"In force in {settings.published} are figures of real data, and these extracts are the example's. "
            "Give the example a data folder of its own: APT_DATA=…"
        )


def same_faculties(schools: pd.DataFrame, kept: Collection[tuple[str, str]], settings: Settings) -> None:
    """Raise ReleaseError where a school is in another faculty than in the release in force, and periods stay as that
    has them: a faculty's figures would be of other schools than stand beside them, whose own could be told from both.

    schools: school_code, school_name, faculty_code. kept: periods that stay as published.
    """
    with in_force(settings) as con:
        if not kept or con is None:
            return
        before = dict(con.execute("select unit, parent from unit where kind = 'school'").fetchall())
    now = zip(schools["school_code"], schools["school_name"], "faculty:" + schools["faculty_code"], strict=True)
    moved = [(name, before[unit], to) for code, name, to in now if before.get(unit := f"school:{code}", to) != to]
    if moved:
        name, old, new = (text.removeprefix("faculty:") for text in moved[0])
        more = f" (and {len(moved) - 1} more)" if len(moved) > 1 else ""
        raise ReleaseError(
            f"{name} is in faculty {new} now, and in {old} in what is published{more}. Years that stay as published "
            "would have figures of faculties that are of other schools. Run with --revise all, which counts every year "
            "by the faculties there are now, and then delete the earlier releases and withdraw their packs: figures of "
            "a faculty with the school and without it tell the school's. Or, to wait, give the school its former "
            "faculty under [tables.schools.codes.faculty_code] or in the extract of schools."
        )


def unfinished(settings: Settings) -> list[str]:
    """The releases that runs began and never published. Call it with the lock held."""
    return [path.name.removeprefix(UNFINISHED) for path in settings.published.glob(f"{UNFINISHED}*")]


def clear_unfinished(settings: Settings) -> None:
    """Remove what a run that was stopped left behind. Call it with the lock held."""
    for path in settings.published.glob(f"{UNFINISHED}*"):
        shutil.rmtree(path)
    for path in settings.published.glob(f".{CURRENT}-*"):
        path.unlink()


def begin(release: str, settings: Settings) -> Path:
    """The folder of a release that is not finished. While it is there, nobody has seen the release."""
    folder = settings.published / f"{UNFINISHED}{release}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def new_name() -> str:
    """What a release made now is called."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}-{secrets.token_hex(2)}"


def publish(
    release: str,
    safe: Protected,
    modelled: Modelled,
    checks: dict[str, pd.DataFrame],
    definitions: Definitions,
    present: Present,
    source: Source,
    settings: Settings,
) -> None:
    """Write a release of a new name from safe tables only, switch to it, and drop the oldest beyond those kept.

    checks: the published tables `check`, `reconciliation` and `quarantine`.
    """
    tables = {
        **catalogue.tables(release, modelled, definitions, present, source, settings),
        **safe.tables,
        **checks,
    }
    tables["finding"] = findings(tables)
    tables["band"] = scopes.band(tables["cell"])
    folder = begin(release, settings)
    with ThreadPoolExecutor(settings.processors) as pool:
        list(pool.map(lambda file: _write(folder / file[0], file[1]), _files(tables)))
    _sync_folder(folder)
    os.rename(folder, settings.published / release)
    _sync_folder(settings.published)
    switch(settings, release)
    _drop_oldest(settings)


def _files(tables: dict[str, pd.DataFrame]) -> Iterator[tuple[str, dict[str, pd.DataFrame]]]:
    """Name and tables of each file, every table in its order."""
    for name, of_scope in scopes.files({name: _in_order(table) for name, table in tables.items()}):
        if not FILE.fullmatch(name):
            raise ReleaseError(
                f"The faculty code in {name!r} cannot name a file. Say in sources.toml, under "
                "[tables.schools.codes.faculty_code], which letters, digits, '-', '_' and '.' are to stand for it."
            )
        yield name, of_scope


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    """The table in the order of its `ordering`, or as readers look things up; its text as categories, of which rows
    are ordered and picked many times faster.
    """
    coded = sets.coded(table, [c for c in table if isinstance(table[c].dtype, pd.StringDtype)])
    order = ["ordering"] if "ordering" in table else [c for c in LOOK_UP if c in table]
    if not order:
        return coded
    return coded.take(np.lexsort([coded[c].astype("category").cat.codes for c in reversed(order)]))


def _write(path: Path, tables: dict[str, pd.DataFrame]) -> None:
    """A new file holding `tables` and nothing that was ever deleted. Categories are text, and are stored as such."""
    with duckdb.connect(path, config={"threads": 1}) as con:  # several files are written at a time
        for name, frame in tables.items():
            coded = [c for c in frame if isinstance(frame[c].dtype, pd.CategoricalDtype)]
            as_text = ", ".join(f'"{c}"::varchar as "{c}"' for c in coded)
            con.register("safe", frame)
            con.execute(f'create table "{name}" as select *{f" replace ({as_text})" if coded else ""} from safe')
            con.unregister("safe")
        con.execute("checkpoint")
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _drop_oldest(settings: Settings) -> None:
    keep = {*releases(settings)[-settings.keep_releases :], current(settings)}
    for name in releases(settings):
        if name not in keep:
            shutil.rmtree(settings.published / name, ignore_errors=True)


def _write_durably(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
