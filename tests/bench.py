"""The benchmark: seconds and peak memory of a whole run, beside the floor of loading the same files and beside
plain pandas and polars versions of the same cells; then of the pages and the packs of its release; all in one go.
Writes docs/performance.md.

    python -m tests.bench [--meetings 1000000 10000000] [--keep FOLDER] [--out docs/performance.md]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from itertools import pairwise
from math import log
from pathlib import Path
from typing import Any

from dashboard.style.words import listed
from tests.load import in_words

MEETINGS_PER_STUDENT_AND_YEAR = 4.5
YEARS = 5.85  # five whole years and the meetings of nine weeks
ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--meetings", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--keep", type=Path, help="folder for the example files, kept (default: a temporary one)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "performance.md")
    parser.add_argument("--child", nargs=2, metavar=("WHAT", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(CHILDREN[options.child[0]](Path(options.child[1]))))
        return
    if options.meetings[0] > MOST_IN_MEMORY or len({*options.meetings}) < len(options.meetings):
        parser.error(f"--meetings: the first at most {MOST_IN_MEMORY:,}, as all is measured with it, and each once")
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        results = []
        for i, meetings in enumerate(options.meetings):
            what = [each for each in (WITH_SIZE if i else CHILDREN) if meetings <= MOST_IN_MEMORY or each in ANY_SIZE]
            results.append(measure_size(meetings, folder, what))
            options.out.write_text(page(results), encoding="utf-8")  # what there is, should the next size fail
    print(options.out.read_text(encoding="utf-8"))


def measure_size(meetings: int, folder: Path, what: list[str]) -> dict[str, Any]:
    """One size: write the example, then floor, pipeline, pandas, polars and so on one after the other."""
    data = folder / f"{meetings}"
    if not (data / "example" / "sources.toml").exists():
        students = round(meetings / MEETINGS_PER_STUDENT_AND_YEAR / YEARS)
        subprocess.run(
            [sys.executable, "-m", "pipelines", "example", "--students", str(students), "--out", data / "example"],
            cwd=ROOT, check=True,
        )  # fmt: skip
    return {"asked": meetings, **{each: in_own_process(each, data) for each in what}}


def in_own_process(what: str, data: Path) -> dict[str, Any]:
    """Run one contender in a process of its own, so that its peak memory is its own."""
    environment = {**os.environ, "APT_DATA": str(data), "APT_KEY": "benchmark" * 8}
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--child", what, str(data)],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return {"total": time.perf_counter() - started, **json.loads(done.stdout.splitlines()[-1])}


def peak_gib() -> float:
    scale = 2**30 if sys.platform == "darwin" else 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


def floor(data: Path) -> dict[str, Any]:
    """DuckDB merely loading the same CSV files, with its own detection of everything it can detect."""
    import duckdb

    from pipelines import sources

    mapped = sources.load(data / "example" / "sources.toml")
    megabytes, rows = 0.0, 0
    target = data / "floor.duckdb"
    target.unlink(missing_ok=True)
    with duckdb.connect(target) as con:
        for name, table in mapped.tables.items():
            for number, path in enumerate(sorted(p for pattern in table.files for p in mapped.folder.glob(pattern))):
                if path.suffix == ".xlsx":
                    continue  # a few hundred rows of spreadsheets
                encoding = "latin-1" if table.encoding else "utf-8"
                con.execute(
                    f"create table {name}_{number} as select * from read_csv(?, encoding = '{encoding}', "
                    "ignore_errors = true, sample_size = 20480)",
                    [str(path)],
                )
                counted = con.execute(f"select count(*) from {name}_{number}").fetchone()
                rows += counted[0] if counted else 0
                megabytes += path.stat().st_size / 1e6
    target.unlink()
    return {"peak": peak_gib(), "rows": rows, "megabytes": megabytes}


def pipeline(data: Path) -> dict[str, Any]:
    """The whole run, step by step, as on a first day."""
    for made in ("warehouse", "published"):
        shutil.rmtree(data / made, ignore_errors=True)
    return timed_run(data)


def refresh(data: Path) -> dict[str, Any]:
    """Monday: the run after one that had all but the last week of meetings."""
    monday = data / "monday"
    shutil.rmtree(monday, ignore_errors=True)
    shutil.copytree(data / "example", monday / "example")
    file = max((monday / "example").glob("meetings_*.csv"))  # of the year in progress
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    dates = [line.split(",")[3][:10] for line in lines]
    last = date.fromisoformat(max(d for d in dates if d <= EXTRACTED)) - timedelta(days=4)
    earlier = [line for line, d in zip(lines, dates, strict=True) if not last.isoformat() <= d <= EXTRACTED]
    os.environ["APT_DATA"] = str(monday)
    file.write_text("".join(earlier), encoding="utf-8")
    timed_run(monday)
    file.write_text("".join(lines), encoding="utf-8")
    started = time.perf_counter()
    done = timed_run(monday)
    return {**done, "seconds": time.perf_counter() - started, "rows": len(lines) - len(earlier)}


def timed_run(data: Path) -> dict[str, Any]:
    """A run: seconds of each step, how much it read and published."""
    from rich.console import Console

    from pipelines.progress import Progress
    from pipelines.run import run
    from pipelines.settings import Settings

    progress = Progress(Console(file=sys.stderr, highlight=False, soft_wrap=True))
    done = run(data / "example" / "sources.toml", Settings(), progress)
    reconciled = done.outcome.tables["reconciliation"]
    meetings = int(reconciled.loc[reconciled["table_name"] == "meetings", "rows_read"].sum())
    return {"peak": peak_gib(), "steps": progress.seconds, "meetings": meetings, "cells": done.safe.cells}


def plain_pandas(data: Path) -> dict[str, Any]:
    """The same cells, made the straightforward way in pandas; without checks, quarantine or pseudonyms."""
    from tests import pandas_pipeline

    return {"cells": len(pandas_pipeline.run(data / "example" / "sources.toml")), "peak": peak_gib()}


def plain_polars(data: Path) -> dict[str, Any]:
    """The same cells, made the straightforward way in polars; as unchecked as those of pandas."""
    from tests import polars_pipeline

    return {"cells": len(polars_pipeline.run(data / "example" / "sources.toml")), "peak": peak_gib()}


def pages(data: Path) -> dict[str, Any]:
    """Script runs of every page with what was read kept, as after a first visitor; milliseconds."""
    from tests.dashboard.test_pages import visit

    taken = []
    for name in PAGES:
        app = visit(name)
        for _ in range(WARM):
            started = time.perf_counter()
            app.run(timeout=60)
            taken.append(1000 * (time.perf_counter() - started))
    return {"peak": peak_gib(), "median": statistics.median(taken), "p95": statistics.quantiles(taken, n=20)[-1]}


def pack(data: Path) -> dict[str, Any]:
    """The university's pack in every format, Chromium included; the peak is Python's and Chromium's largest process."""
    from dashboard.exports.__main__ import main

    with tempfile.TemporaryDirectory() as out:
        if main(["pack", "--scope", "university", "--out", out]):
            raise SystemExit("The pack was not made.")
        size = sum(file.stat().st_size for file in Path(out).iterdir())
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)
    return {"peak": peak_gib() + children, "megabytes": size / 1e6}


def crowd(data: Path) -> dict[str, Any]:
    """Fifty readers at once for three minutes."""
    from tests.load import readers

    return readers(data)


PAGES = ("overview", "schools", "equity", "voice", "year", "profile", "quality", "methods")
WARM = 5  # runs of each page
WHY = (
    "Pandas and polars make the cells in memory, without pseudonyms, checks, quarantine or reconciliation, and keep "
    "nothing. Where one of them is faster than the pipeline until its cells, that is what the rest of the time is for: "
    "hashing every identifier, evaluating each expectation on every row, and writing every step to disk within a "
    "memory limit."
)
EXTRACTED = "2026-11-27"  # the day the example's extracts were taken, a Friday
TO_CELLS = ("extract", "pseudonymise", "check", "model")
CHILDREN = {"floor": floor, "pipeline": pipeline, "pandas": plain_pandas, "polars": plain_polars, "pages": pages,
            "crowd": crowd, "pack": pack, "refresh": refresh}  # fmt: skip
WITH_SIZE = ["floor", "pipeline", "pandas", "polars"]  # what depends on how many meetings there are
ANY_SIZE = ["floor", "pipeline"]
MOST_IN_MEMORY = 20_000_000  # meetings: pandas takes a gigabyte a million


def _if_run(result: dict[str, Any], what: str, figure: str, decimals: int) -> str:
    return f"{result[what][figure]:.{decimals}f}" if what in result else "not run"


def _growth(one: dict[str, Any], other: dict[str, Any]) -> float:
    """The power of the meetings with which the pipeline's time grows."""
    times, meetings = (log(other["pipeline"][of] / one["pipeline"][of]) for of in ("total", "meetings"))
    return times / meetings


def page(results: list[dict[str, Any]]) -> str:
    """The results as a page of docs/."""
    steps = list(results[0]["pipeline"]["steps"])
    header = [f"{r['pipeline']['meetings'] / 1e6:.1f} million meetings" for r in results]
    lines = [
        "# Performance",
        "",
        f"Written by `make bench` (`--meetings {' '.join(str(r['asked']) for r in results)}`) on "
        f"{date.today():%d %B %Y}: {platform.system()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}. Every figure is one run, in a process of its own, start of Python and",
        "imports included; machines differ and are noisy, so compare the columns of one table, not tables. What was",
        "measured besides, and not all in one go, is in [other runs](performance-other-runs.md).",
        "",
        "| seconds | " + " | ".join(header) + " |",
        "| --- |" + " ---: |" * len(results),
    ]
    for step in steps:
        lines.append(f"| {step} | " + " | ".join(f"{r['pipeline']['steps'][step]:.1f}" for r in results) + " |")
    rows = {
        "**whole run**": lambda r: f"**{r['pipeline']['total']:.1f}**",
        "of it, until the cells are made (with pseudonyms and checks)": lambda r: (
            f"{sum(r['pipeline']['steps'][step] for step in TO_CELLS):.1f}"
        ),
        "floor: DuckDB merely loads the same CSV files": lambda r: f"{r['floor']['total']:.1f}",
        "whole run ÷ floor": lambda r: f"{r['pipeline']['total'] / r['floor']['total']:.1f}",
        "pandas: the same cells, unchecked": lambda r: _if_run(r, "pandas", "total", 1),
        "polars: the same cells, unchecked": lambda r: _if_run(r, "polars", "total", 1),
    }
    lines += [f"| {label} | " + " | ".join(figure(r) for r in results) + " |" for label, figure in rows.items()]
    lines += ["", "| peak memory, GiB | " + " | ".join(header) + " |", "| --- |" + " ---: |" * len(results)]
    lines += [
        f"| {what} | " + " | ".join(_if_run(r, what, "peak", 2) for r in results) + " |"
        for what in ("pipeline", "floor", "pandas", "polars")
    ]
    cells = listed([f"{r['pipeline']['cells']:,}" for r in results])
    sizes = listed([f"{r['floor']['megabytes']:,.0f} MB" for r in results])
    lines += ["", f"The files are {sizes} of CSV. The pipeline publishes {cells} cells.", ""]
    if len(results) > 1:
        growth = listed([f"{_growth(*two):.2f}" for two in pairwise(results)])
        lines += [f"From each size to the next its time grows with this power of the meetings: {growth}.", ""]
    lines += [WHY, ""]
    first = results[0]
    monday = first["refresh"]
    slow = sorted(monday["steps"].items(), key=lambda step: -step[1])
    lines += [
        f"Monday, with {first['pipeline']['meetings'] / 1e6:.1f} million meetings: once a week of meetings "
        f"({monday['rows']:,} rows) is added, a run takes {monday['seconds']:.1f} s, of it "
        f"{', '.join(f'{name} {seconds:.1f}' for name, seconds in slow)}.",
        "",
    ]
    runs = len(PAGES) * WARM
    lines += [
        f"Of the release of {first['pipeline']['meetings'] / 1e6:.1f} million meetings: a page's script takes "
        f"{first['pages']['median']:.0f} ms (median of {runs} runs of the {len(PAGES)} pages with figures; "
        f"95th percentile {first['pages']['p95']:.0f} ms) once its figures were read. {in_words(first['crowd'])} The "
        f"university's pack in all formats takes {first['pack']['total']:.1f} s and {first['pack']['peak']:.2f} GiB.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
