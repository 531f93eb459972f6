"""The restricted database with student-level rows: opened for one run, kept only if the run succeeds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipelines.settings import Settings

NAME = "warehouse.duckdb"
UNFINISHED = "unfinished.duckdb"


@contextmanager
def open_new(settings: Settings, keep: bool = True) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """An empty warehouse that replaces the last one (if `keep`) when the block ends without an error.

    Yields the connection and the file's path. Only the owner may read the folder; what DuckDB spills
    to disk is encrypted and removed.
    """
    settings.warehouse.mkdir(parents=True, exist_ok=True)
    settings.warehouse.chmod(0o700)
    path, spill = settings.warehouse / UNFINISHED, settings.warehouse / "spill"
    _clear(path, spill)
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": settings.memory_limit,
        "temp_directory": str(spill),
        "temp_file_encryption": True,
        "autoinstall_known_extensions": False,
    }
    if settings.threads:
        config["threads"] = settings.threads
    try:
        with duckdb.connect(path, config=config) as con:
            yield con, path
        if keep:
            path.replace(settings.warehouse / NAME)
    finally:
        _clear(path, spill)


def _clear(path: Path, spill: Path) -> None:
    for file in path.parent.glob(path.name + "*"):
        file.unlink()
    shutil.rmtree(spill, ignore_errors=True)
