"""One cluster, one whole run on each engine and one session of each, for all tests of the engines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import engines, sources, warehouse
from pipelines.engines.spark_runs import WHOLE
from pipelines.readers.mapping import Mapping
from pipelines.settings import ROOT, Settings
from tests.engines import universities
from tests.engines.cluster import FRUGAL, cluster, java
from tests.engines.universities import DEFINITIONS

KEY = b"a key of thirty-two characters..."
LOCAL = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.executor.memory": "768m",
    "spark.executor.cores": "1",
    "spark.cores.max": "2",  # one of each worker, so that another run fits beside
    "spark.sql.shuffle.partitions": "2",
    # to compile takes longer than these few rows do
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.driver.extraJavaOptions": FRUGAL,
    "spark.executor.extraJavaOptions": FRUGAL,
    "spark.locality.wait": "0",
}


@dataclass
class Run:
    """What a whole run left: its data folder, the tables of its warehouse and of its release, and what it said."""

    data: Path
    kept: duckdb.DuckDBPyConnection
    published: duckdb.DuckDBPyConnection
    said: str


@pytest.fixture(scope="session")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if missing := java():
        pytest.skip(missing)
    with cluster(tmp_path_factory.mktemp("cluster")) as url:
        yield url


@pytest.fixture(scope="session")
def university(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("university") / "extracts of é"  # a name that an address would quote
    folder.mkdir()
    return universities.write(folder)


@pytest.fixture(scope="session")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return universities.few_characteristics(tmp_path_factory.mktemp("few") / "definitions")


def whole_run(mapping: Path, definitions: Path, data: Path, *options: str) -> str:
    """Run the pipeline as its user does, hiding nothing so that all figures are compared; gives what it said."""
    env = {"APT_DATA": data, "APT_DEFINITIONS": definitions, "APT_KEY": KEY.decode(), "APT_SPARK": json.dumps(LOCAL)}
    env |= {"APT_MOST_QUARANTINED": 1, "APT_MOST_UNMAPPED": 1}
    done = subprocess.run(
        [sys.executable, "-m", "tests.engines.openly", "run", "--sources", mapping, *options],
        cwd=ROOT, env=os.environ | {name: str(value) for name, value in env.items()},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def release_of(data: Path) -> duckdb.DuckDBPyConnection:
    release = (data / "published" / "current").read_text().strip()
    return duckdb.connect(data / "published" / release / "university.duckdb", read_only=True)


@pytest.fixture(scope="session")
def on_duckdb(university: Path, definitions: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    data = tmp_path_factory.mktemp("duckdb")
    said = whole_run(university, definitions, data)
    kept = duckdb.connect(data / "warehouse" / warehouse.NAME, read_only=True)
    return Run(data, kept, release_of(data), said)


@pytest.fixture(scope="session")
def on_spark(master: str, university: Path, definitions: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    data = tmp_path_factory.mktemp("spark") / "data of é"
    said = whole_run(university, definitions, data, "--engine", "spark", "--master", master)
    kept = duckdb.connect()
    (run,) = (data / "warehouse" / "spark").iterdir()
    for table in filter(Path.is_dir, run.iterdir()):
        if any(table.rglob("*.parquet")):
            kept.execute(f"create view {table.name} as select * from read_parquet('{table}/*/*.parquet')")
    return Run(data, kept, release_of(data), said)


@pytest.fixture(scope="session")
def duckdb_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with duckdb.connect() as con:
        yield with_a_table(con, tmp_path_factory.mktemp("given"))


@pytest.fixture(scope="session")
def of_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which one run on Spark ended well, one was killed, and another university's is running."""
    data = tmp_path_factory.mktemp("session")
    runs = Settings(data=data).runs
    for name in (f"{runs}whole", f"{runs}killed", "run-other-running"):
        (data / "warehouse" / "spark" / name / "stg_tutors").mkdir(parents=True)
    (data / "warehouse" / "spark" / f"{runs}whole" / WHOLE).touch()
    return data


@pytest.fixture(scope="session")
def spark_session(master: str, of_before: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    settings = Settings(data=of_before, master=master, engine="spark", spark=LOCAL)
    with engines.named("spark").open_new(settings, keep=False) as con:
        yield with_a_table(con, tmp_path_factory.mktemp("given"))


def with_a_table(con: Any, folder: Path) -> Any:
    """The session, with a table of tutors that was read from a file: a cluster has its rows, as of any extract."""
    path = folder / "tutors.parquet"
    tutors = {
        "tutor_id": ["t1", "t2", "t3"],
        "school_code": ["A"] * 3,
        "academic_year": ["2025/26"] * 3,
        "fte": ["1"] * 3,
    }
    pq.write_table(pa.table(tutors), path)
    engines.of(con).read(con, path, Mapping(DEFINITIONS.tables["tutors"], sources.TableSource()), "raw_tutors_0")
    return con
