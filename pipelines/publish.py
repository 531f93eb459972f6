"""Publish: write a new immutable release and switch to it atomically; list, keep and roll back releases."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import tomllib
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import filelock
import numpy as np
import pandas as pd

from pipelines import scopes
from pipelines.definitions import UNKNOWN, Characteristic, Definitions
from pipelines.disclosure import cost
from pipelines.findings import findings
from pipelines.measures import sets
from pipelines.model import Modelled, Present, missing, missing_characteristic
from pipelines.pooled import POOLED
from pipelines.protect import Protected
from pipelines.settings import ROOT, Settings

CURRENT = "current"
UNFINISHED = ".unfinished-"
NAME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{6}Z-[0-9a-f]{4}")
FILE = re.compile(r"university\.duckdb|faculty-[\w.-]+\.duckdb")
GRADE = "protected"
LEVEL_LABELS = {
    "all": "All levels",
    "UG": "Undergraduate",
    "PGT": "Taught postgraduate",
    "PGR": "Research postgraduate",
}
# the order of rows, as readers look things up: one metric and characteristic at a time
LOOK_UP = ["metric", "characteristic", "academic_year", "part", "level", "unit", "group", "against", "school"]
THEME_ORDER = ("contact", "voice", "staff", "record")


class ReleaseError(Exception):
    """A release that cannot be used as asked; the message says why and what to do."""


@dataclass(frozen=True)
class Source:
    """Whose data a release holds."""

    university: str
    example: bool


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
    release = current(settings)
    if not kept or release is None or unreadable(settings, release):
        return
    with duckdb.connect(settings.published / release / "university.duckdb", read_only=True) as con:
        before = dict(con.execute("select unit, parent from unit where kind = 'school'").fetchall())
    now = zip(schools["school_code"], schools["school_name"], "faculty:" + schools["faculty_code"], strict=True)
    moved = [(name, before[unit], to) for code, name, to in now if before.get(unit := f"school:{code}", to) != to]
    if moved:
        name, old, new = (text.removeprefix("faculty:") for text in moved[0])
        more = f" (and {len(moved) - 1} more)" if len(moved) > 1 else ""
        raise ReleaseError(
            f"{name} is in faculty {new} now, and in {old} in what is published{more}. Years that stay as published "
            "would have figures of faculties that are of other schools. Run with --revise all, which counts every year "
            "by the faculties there are now; or, to wait, give the school its former faculty under "
            "[tables.schools.codes.faculty_code] or in the extract of schools."
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
    now = datetime.now(UTC)
    tables = {
        "release": _release(release, now, modelled, source, settings),
        "unit": _units(modelled.schools, source),
        "metric": _metrics(definitions, present),
        "characteristic": _characteristics(definitions, present),
        "characteristic_group": _groups(definitions),
        "level": _levels(definitions),
        "period": _periods(modelled.periods),
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


def _release(release: str, created: datetime, modelled: Modelled, source: Source, settings: Settings) -> pd.DataFrame:
    progress = modelled.periods[modelled.periods["in_progress"]]
    return pd.DataFrame(
        {
            "release": [release],
            "created": [created.replace(tzinfo=None, microsecond=0)],
            "university": [source.university],
            "source": ["example" if source.example else "real"],
            "grade": [GRADE],
            "data_through": pd.to_datetime([modelled.data_through]).date,
            "current_year": pd.array([None if progress.empty else progress["academic_year"].iloc[0]], dtype="string"),
            "current_week": pd.array(
                [None if progress.empty else int(progress["through_week"].iloc[0])], dtype="Int64"
            ),
            "code_version": [code_version()],
            "rules": [json.dumps(settings.rules.model_dump(), sort_keys=True)],
        }
    )


def code_version() -> str:
    """The project's version, with the commit where the code runs from a checkout."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    try:
        commit = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return version
    return f"{version}+{commit}"


def _short(name: str) -> str:
    for prefix in ("School of ", "Faculty of ", "Department of ", "School for ", "Institute of "):
        if name.startswith(prefix):
            return name.removeprefix(prefix).removeprefix("the ")
    return name


def _units(schools: pd.DataFrame, source: Source) -> pd.DataFrame:
    rows: list[tuple[str, str, str, str, str | None]] = [
        ("university", "university", source.university, source.university, None)
    ]
    faculties = schools.drop_duplicates("faculty_code").sort_values("faculty_name")
    for code, name in zip(faculties["faculty_code"], faculties["faculty_name"], strict=True):
        rows.append((f"faculty:{code}", "faculty", name, _short(name), "university"))
    by_name = schools.sort_values("school_name", key=lambda names: names.map(_short).str.casefold())
    for code, name, faculty in by_name[["school_code", "school_name", "faculty_code"]].itertuples(index=False):
        rows.append((f"school:{code}", "school", name, _short(name), f"faculty:{faculty}"))
    return _ordered(pd.DataFrame(rows, columns=["unit", "kind", "name", "short_name", "parent"]))


def _metrics(definitions: Definitions, present: Present) -> pd.DataFrame:
    metrics = sorted(definitions.metrics.values(), key=lambda m: THEME_ORDER.index(m.theme))
    reasons = [missing(m, present) for m in metrics]
    return _ordered(
        pd.DataFrame(
            {
                "metric": [m.name for m in metrics],
                "theme": [m.theme for m in metrics],
                "label": [m.label for m in metrics],
                "definition": [m.definition for m in metrics],
                "out_of": [m.out_of for m in metrics],
                "kind": [m.kind for m in metrics],
                "suffix": ["%" if m.is_percentage else "" for m in metrics],
                "gap_suffix": [" points" if m.is_percentage else "" for m in metrics],
                "decimals": [m.decimals for m in metrics],
                "better": [m.better for m in metrics],
                "material": [m.material for m in metrics],
                "headline": [m.headline for m in metrics],
                "available": [r is None for r in reasons],
                "unavailable_because": pd.array(reasons, dtype="string"),
            }
        )
    )


def _characteristics(definitions: Definitions, present: Present) -> pd.DataFrame:
    characteristics = list(definitions.characteristics.values())
    reasons = [missing_characteristic(c, present) for c in characteristics]
    return _ordered(
        pd.DataFrame(
            {
                "characteristic": [c.name for c in characteristics],
                "label": [c.label for c in characteristics],
                "ordered": [c.ordered for c in characteristics],
                "reference": [c.reference for c in characteristics],
                "of": pd.array([c.of or None for c in characteristics], dtype="string"),
                "available": [r is None for r in reasons],
                "unavailable_because": pd.array(reasons, dtype="string"),
            }
        )
    )


def _groups(definitions: Definitions) -> pd.DataFrame:
    rows = [
        (c.name, group, position, group == c.reference, group != UNKNOWN, _joins(c, group), c.students(group))
        for c in definitions.characteristics.values()
        for position, group in enumerate((*c.groups, UNKNOWN))
    ]
    columns = ["characteristic", "group", "ordering", "is_reference", "compared", "joins", "people"]
    return pd.DataFrame(rows, columns=columns)


def _joins(characteristic: Characteristic, group: str) -> str:
    """The groups of the finer characteristic that a group joins, as a JSON list; '' where it joins none."""
    joined = cost.joined(characteristic)
    return json.dumps([finer for finer, broader in joined.items() if broader == group]) if joined else ""


def _levels(definitions: Definitions) -> pd.DataFrame:
    levels = ("all", *definitions.levels)
    return _ordered(pd.DataFrame({"level": levels, "label": [LEVEL_LABELS.get(x, x) for x in levels]}))


def _periods(periods: pd.DataFrame) -> pd.DataFrame:
    single = periods["part"] != POOLED
    newest = ["academic_year", "part"]
    out = pd.concat(  # pooled ones last
        [rows.sort_values(newest, ascending=[False, True]) for rows in (periods[single], periods[~single])],
        ignore_index=True,
    )[["academic_year", "part", "through_week", "in_progress", "has_groups"]]
    to_date, is_pooled = out["part"] == "to_date", out["part"] == POOLED
    week = (" to week " + out["through_week"].astype("Int64").astype("string")).where(to_date, "")
    out["label"] = out["academic_year"] + week + is_pooled.map({True: ", three years together", False: ""})
    out["through_week"] = out["through_week"].astype("Int64").where(to_date)
    whole = ~to_date & ~is_pooled
    usable = out[out["in_progress"] & to_date] if (out["in_progress"] & to_date).any() else out[whole]
    out["is_current"] = out.index.isin(usable.index[:1])
    return _ordered(out.drop(columns="in_progress"))


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(ordering=range(len(frame)))


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
