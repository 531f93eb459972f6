"""How Spark scales: seconds of each step with one worker and with two. Run: python -m tests.engines.scaling

Each worker has one core; on a machine of few cores the driver takes its share of them too.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import duckdb

from pipelines import engines, sources
from pipelines.check import check
from pipelines.extract import extract
from pipelines.pseudonymise import pseudonymise
from pipelines.settings import Settings
from tests.engines import universities
from tests.engines.cluster import cluster, java
from tests.engines.conftest import KEY, LOCAL
from tests.engines.universities import DEFINITIONS
from tests.pipelines.modelling import model

SHARED = ("spark.driver.host", "spark.driver.bindAddress", "spark.ui.enabled", "spark.executor.cores")
CONF = {name: LOCAL[name] for name in SHARED}


def main() -> None:
    """Print the seconds of each step with one and with two workers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--meetings", type=int, default=3_000_000)
    options = parser.parse_args()
    if missing := java():
        raise SystemExit(f"No Spark: {missing}")
    with tempfile.TemporaryDirectory() as name:
        mapping = _many(Path(name) / "university", options.meetings)
        measured = {workers: _seconds(mapping, Path(name) / str(workers), workers) for workers in (1, 2)}
    print(f"{options.meetings:,} meetings\n{'step':<14}{'1 worker':>10}{'2 workers':>11}{'times':>8}")
    for step, alone in measured[1].items():
        both = measured[2][step]
        print(f"{step:<14}{alone:>10.1f}{both:>11.1f}{alone / both:>8.2f}")


def _many(folder: Path, meetings: int) -> Path:
    """A small university whose meetings are written again and again, each time under other names."""
    mapping = universities.write(folder)
    with duckdb.connect() as con:
        kept = f"{folder}/meetings-0.parquet"
        con.execute(f"create table own as select * from '{kept}'")
        rows = con.execute("select count(*) from own").fetchall()[0][0]
        for number in range(4):  # files that are read at once
            con.execute(f"""
                copy (
                    select own.* replace (own.meeting_id || '-' || n.range as meeting_id)
                    from own cross join range({number}, {max(4, meetings // rows)}, 4) as n
                ) to '{folder}/meetings-{number}.parquet'
            """)
    return mapping


def _seconds(mapping: Path, folder: Path, workers: int) -> dict[str, float]:
    folder.mkdir()
    seconds: dict[str, float] = {}
    with cluster(folder, workers, cores=1) as master:
        conf = CONF | {"spark.executor.memory": "1500m", "spark.driver.memory": "2g"}
        settings = Settings(data=folder, engine="spark", master=master, spark=conf, most_quarantined=1, most_unmapped=1)
        mapped = sources.load(mapping)
        with engines.named("spark").open_new(settings, keep=False) as con:
            start = time.perf_counter()
            extracted = extract(con, mapped, DEFINITIONS, settings)
            seconds["extract"] = time.perf_counter() - start
            pseudonymise(con, DEFINITIONS, extracted, KEY)
            seconds["pseudonymise"] = time.perf_counter() - start - sum(seconds.values())
            check(con, DEFINITIONS, extracted, settings, as_of=mapped.as_of)
            seconds["check"] = time.perf_counter() - start - sum(seconds.values())
            model(con, DEFINITIONS, extracted.present)
            seconds["model"] = time.perf_counter() - start - sum(seconds.values())
            seconds["all four"] = time.perf_counter() - start
    return seconds


if __name__ == "__main__":
    main()
