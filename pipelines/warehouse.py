"""The restricted database with student-level rows: opened for one run, kept only if the run succeeds."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipelines import engines
from pipelines.engines import Connection
from pipelines.settings import Settings

NAME = "warehouse.duckdb"
QUARANTINE = "quarantine.csv"
QUARANTINE_OF_CHECK = "quarantine-check.csv"  # the run's own stays with its release
LAST_ERROR = "last-error.txt"
UNFINISHED = "unfinished.duckdb"


@contextmanager
def open_new(
    settings: Settings, keep: bool = True, proof: Callable[[], None] = lambda: None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty warehouse that replaces the last one (if `keep`) when the block ends without an error.

    `proof` is called when the new file is whole and closed, still under the name UNFINISHED; if it raises, the last
    warehouse stays. Only the owner may read the folder and every file made in it; what DuckDB spills to disk is
    encrypted by the library it comes with, and removed.
    """
    others = os.umask(0o077)
    try:
        yield from _open(settings, keep, proof)
    finally:
        os.umask(others)


def _open(settings: Settings, keep: bool, proof: Callable[[], None]) -> Iterator[duckdb.DuckDBPyConnection]:
    settings.warehouse.mkdir(parents=True, exist_ok=True)
    settings.warehouse.chmod(0o700)
    path, spill = settings.warehouse / UNFINISHED, settings.warehouse / "spill"
    _clear(path, spill)
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": settings.memory_limit,
        "temp_directory": str(spill),
        "temp_file_encryption": True,
        # without an extension of another library, DuckDB refuses to spill at all: it does not vouch for the random
        # numbers of its own. That still beats identifiers in plain text on a disk.
        "force_mbedtls_unsafe": "true",
        "autoinstall_known_extensions": False,
    }
    if settings.threads:
        config["threads"] = settings.threads
    try:
        with duckdb.connect(path, config=config) as con:
            yield con
        if keep:
            proof()
            _put_in_place(path, settings.warehouse / NAME)
    finally:
        _clear(path, spill)


def write_quarantine(con: Connection, settings: Settings, name: str = QUARANTINE) -> None:
    """Write the quarantine, if there is one, as a CSV file beside the warehouse and as restricted.

    A value that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    if not con.execute("select 1 from information_schema.tables where table_name = 'quarantine'").fetchall():
        return
    path, unfinished = settings.warehouse / name, settings.warehouse / f"{UNFINISHED}-{name}"
    rows = r"""
        select
            table_name, source_file, source_row, column_name,
            case when regexp_matches(value, '^[=+@\t\r-]') then chr(39) || value else value end as value,
            rule
        from quarantine
        order by table_name, source_file, source_row
    """
    engines.of(con).write_csv(con, rows, unfinished)
    unfinished.chmod(0o600)
    _put_in_place(unfinished, path)


def write_last_error(settings: Settings, text: str) -> Path:
    """Keep the traceback of an error, which may quote rows, beside the warehouse and as restricted; say where."""
    settings.warehouse.mkdir(parents=True, exist_ok=True)
    settings.warehouse.chmod(0o700)
    path = settings.warehouse / LAST_ERROR
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return path


def _put_in_place(new: Path, path: Path) -> None:
    """Replace `path` by a whole new file: whatever happens, one of the two is there, a power cut included."""
    _sync(new)
    os.replace(new, path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _clear(path: Path, spill: Path) -> None:
    for file in path.parent.glob(path.name + "*"):
        file.unlink()
    shutil.rmtree(spill, ignore_errors=True)
