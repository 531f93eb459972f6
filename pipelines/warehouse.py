"""The restricted database with student-level rows: opened for one run, kept only if the run succeeds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipelines.settings import Settings

NAME = "warehouse.duckdb"
QUARANTINE = "quarantine.csv"
UNFINISHED = "unfinished.duckdb"


@contextmanager
def open_new(settings: Settings, keep: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty warehouse that replaces the last one (if `keep`) when the block ends without an error.

    Only the owner may read the folder; what DuckDB spills
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
            yield con
        if keep:
            path.replace(settings.warehouse / NAME)
    finally:
        _clear(path, spill)


def write_quarantine(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Write the quarantine, if there is one, as a CSV file beside the warehouse and as restricted.

    A value that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    if not con.execute("select 1 from duckdb_tables() where table_name = 'quarantine'").fetchall():
        return
    path = settings.warehouse / QUARANTINE
    path.touch(mode=0o600)
    con.execute(
        r"""
        copy (
            select
                table_name, source_file, source_row, column_name,
                case when regexp_matches(value, '^[=+@\t\r-]') then chr(39) || value else value end as value,
                rule
            from quarantine
            order by table_name, source_file, source_row
        ) to ? (header)
        """,
        [str(path)],
    )


def _clear(path: Path, spill: Path) -> None:
    for file in path.parent.glob(path.name + "*"):
        file.unlink()
    shutil.rmtree(spill, ignore_errors=True)
