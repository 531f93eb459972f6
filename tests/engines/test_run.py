"""A whole run on Spark publishes what a run on DuckDB does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.settings import ROOT
from tests.bad_input import tiny
from tests.engines.conftest import KEY, LOCAL


def published(folder: Path, *options: str) -> tuple[pd.DataFrame, str]:
    """The cells that `run` publishes, and what it said. The extracts are Parquet, meetings a folder of two files."""
    inbox, data = folder / "inbox", folder / "data"
    (inbox / "meetings.parquet").mkdir(parents=True)
    for name, rows in tiny.tables().items():
        if name == "meetings":
            for number, half in enumerate((rows[:50], rows[50:])):
                pq.write_table(pa.Table.from_pylist(half), inbox / "meetings.parquet" / f"part-{number}.parquet")
        else:
            pq.write_table(pa.Table.from_pylist(rows), inbox / f"{name}.parquet")
    said, columns = tiny.SOURCES, "[tables.meetings.columns]"
    if "spark" not in options:
        said = said.replace(columns, f'[tables.meetings]\nfiles = "meetings.parquet/*"\n\n{columns}')
    (inbox / "sources.toml").write_text(said, encoding="utf-8")
    env = {"APT_DATA": str(data), "APT_KEY": KEY.decode(), "APT_SPARK": json.dumps(LOCAL)}
    done = subprocess.run(
        [sys.executable, "-m", "pipelines", "run", "--sources", inbox / "sources.toml", *options],
        cwd=ROOT, env=os.environ | env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    release = (data / "published" / "current").read_text().strip()
    with duckdb.connect(data / "published" / release / "university.duckdb", read_only=True) as con:
        return con.execute("select * from cell order by all").df(), done.stdout + done.stderr


def test_the_published_cells_are_the_same(master: str, tmp_path: Path) -> None:
    ours, said = published(tmp_path / "spark", "--engine", "spark", "--master", master)
    theirs, _ = published(tmp_path / "duckdb")
    pd.testing.assert_frame_equal(ours, theirs)
    assert (theirs["status"] == "shown").any()
    assert KEY.decode() not in said
    work = tmp_path / "spark" / "data" / "warehouse" / "spark"
    assert work.stat().st_mode & 0o077 == 0
    (run,) = work.iterdir()
    kept = {path.name for path in run.iterdir() if any(path.rglob("*.parquet"))}
    assert {"stg_meetings", "mart_cell", "quarantine"} <= kept
    assert not any(name.startswith("raw_") for name in kept)
