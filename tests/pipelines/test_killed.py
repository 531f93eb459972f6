"""A run killed at any moment leaves the release in force intact, and the next run needs no help."""

import random
import signal
import time

import duckdb
import pytest

from pipelines import publish, warehouse
from pipelines.settings import Settings
from tests.bad_input.tiny import tiny_university
from tests.pipelines.killing import start

MOMENTS = 5
EVERY = 4  # changes of files
pytestmark = pytest.mark.slow


def run(**how):
    process = start("run", **how)
    process.join(300)
    return process.exitcode


def assert_served(settings):
    """The release in force can be read whole."""
    release = publish.current(settings)
    with duckdb.connect(settings.published / release / "university.duckdb", read_only=True) as con:
        assert con.execute("select release from release").fetchone() == (release,)
        tables = [name for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()]
        assert len(tables) > 12
        for name in tables:
            con.execute(f'select count(*), sum(hash(t)) from "{name}" t').fetchall()


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """A data folder with a release in force."""
    folder = tmp_path_factory.mktemp("killed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("APT_DATA", str(folder / "data"))
        patch.setenv("APT_KEY_FILE", str(folder / "keys" / "pseudonym.key"))
        settings = Settings()
        tiny_university(settings.inbox)
        assert run() == 0
        yield settings


@pytest.mark.timeout(900)
def test_a_killed_run_leaves_the_release_in_force_intact(released):
    began = time.monotonic()  # of a run that finds most of it published already
    assert run() == 0
    length = time.monotonic() - began
    moments = random.Random(11)
    finished = 0
    for moment in range(MOMENTS):
        process = start("run")
        time.sleep(length * (moment + moments.random()) / MOMENTS)
        finished += not process.is_alive()
        process.kill()
        process.join()
        assert_served(released)
    assert finished < MOMENTS / 2, "the moments were to lie within the run"


def test_a_run_killed_between_changes_of_files_needs_no_help_either(released):
    in_force = publish.current(released)
    killed = 0
    while (ended := run(changes=EVERY * killed + 2)) != 0:
        assert ended == -signal.SIGKILL
        killed += 1
        assert_served(released)
    assert killed >= 3
    assert publish.current(released) != in_force
    assert_served(released)
    left = [p.name for p in released.published.iterdir() if p.name.startswith(publish.UNFINISHED)]
    assert left == []
    assert not (released.warehouse / warehouse.UNFINISHED).exists()
