"""One cluster and one run on each engine, for all tests of the engines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import engines, sources, through_the_year, voice
from pipelines.check import CheckOutcome, check
from pipelines.extract import Extracted, extract
from pipelines.model import Modelled, model
from pipelines.models import run
from pipelines.pseudonymise import pseudonymise
from pipelines.settings import Settings
from tests.engines import universities
from tests.engines.cluster import cluster, java
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
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1",
}
METRICS = ["trust", "knows_me"]


@dataclass
class Done:
    """What one engine made of the university."""

    con: Any
    extracted: Extracted
    outcome: CheckOutcome
    modelled: Modelled


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


def done(con: Any, mapped: sources.Sources, settings: Settings) -> Done:
    """Take in and model a university, as a run does, and what its following steps read."""
    extracted = extract(con, mapped, DEFINITIONS, settings)
    pseudonymise(con, DEFINITIONS, extracted, KEY)
    outcome = check(con, DEFINITIONS, extracted, settings, today=mapped.as_of)
    modelled = model(con, DEFINITIONS, extracted.present)
    characteristics = [c for c in DEFINITIONS.characteristics if c in extracted.present["enrolments"]]
    through_the_year.model(con, DEFINITIONS, extracted.present, modelled)
    finest = [c for c in characteristics if not DEFINITIONS.characteristics[c].of]
    voice.model(con, DEFINITIONS, characteristics, finest, METRICS)
    run(con, "mart_answers", characteristics=characteristics, statements=METRICS)
    return Done(con, extracted, outcome, modelled)


@pytest.fixture(scope="session")
def on_duckdb(university: Path) -> Iterator[Done]:
    with duckdb.connect() as con:
        yield done(con, sources.load(university), Settings(most_quarantined=1, most_unmapped=1))


@pytest.fixture(scope="session")
def spark_settings(master: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    data = tmp_path_factory.mktemp("spark") / "data of é"
    return Settings(data=data, master=master, engine="spark", spark=LOCAL, most_quarantined=1, most_unmapped=1)


@pytest.fixture(scope="session")
def on_spark(university: Path, spark_settings: Settings) -> Iterator[Done]:
    with engines.named("spark").open_new(spark_settings) as con:
        yield done(con, sources.load(university), spark_settings)
