"""A run killed at any moment leaves the release in force intact, and the next run needs no help."""

import os
import random
import subprocess
import sys
import time

import duckdb
import pytest

from pipelines import publish, warehouse
from pipelines.example import generate
from pipelines.settings import ROOT, Settings

MOMENTS = 12
pytestmark = pytest.mark.slow


def start(settings):
    environment = {**os.environ, "APT_DATA": str(settings.data), "APT_KEY_FILE": str(settings.key_file)}
    return subprocess.Popen(
        [sys.executable, "-m", "pipelines", "run", "--sources", settings.example / "sources.toml"],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def whole_run(settings):
    process = start(settings)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output


def assert_served(settings):
    """The release in force can be read whole."""
    release = publish.current(settings)
    with duckdb.connect(settings.published / release / "university.duckdb", read_only=True) as con:
        assert con.execute("select release from release").fetchone() == (release,)
        tables = [name for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()]
        assert len(tables) > 12
        for name in tables:
            con.execute(f'select count(*), sum(hash(t)) from "{name}" t').fetchall()


@pytest.mark.timeout(900)
def test_a_killed_run_leaves_the_release_in_force_intact(tmp_path):
    settings = Settings(data=tmp_path / "data", key_file=tmp_path / "keys" / "pseudonym.key")
    generate(settings.example, students=1500, years=1, seed=3)
    whole_run(settings)
    began = time.monotonic()  # of a run that finds most of it published already
    whole_run(settings)
    length = time.monotonic() - began
    moments = random.Random(11)
    finished = 0
    for moment in range(MOMENTS):
        process = start(settings)
        time.sleep(moments.uniform(0.2, length))
        finished += process.poll() is not None
        process.kill()
        process.communicate()
        assert_served(settings)
        if moment % 5 == 4:  # and the next run needs no help
            whole_run(settings)
    assert finished < MOMENTS / 3, "the moments were to lie within the run"

    before = publish.current(settings)
    whole_run(settings)
    assert publish.current(settings) != before
    assert_served(settings)
    left = [p.name for p in settings.published.iterdir() if p.name.startswith(publish.UNFINISHED)]
    assert left == []
    assert not (settings.warehouse / warehouse.UNFINISHED).exists()
