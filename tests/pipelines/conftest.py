"""Shared by the pipeline's tests: settings that stay inside a temporary folder, and a run to look at or go on from."""

import io
import shutil
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import duckdb
import pytest

from pipelines.settings import Settings
from tests.bad_input.tiny import tiny_university
from tests.pipelines.commanding import run_in


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory."""
    with duckdb.connect() as opened:
        yield opened


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", key_file=tmp_path / "keys" / "pseudonym.key")


@pytest.fixture
def inbox(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny university's extracts, where the command line looks for them."""
    monkeypatch.setenv("APT_DATA", str(settings.data))
    monkeypatch.setenv("APT_KEY_FILE", str(settings.key_file))
    tiny_university(settings.inbox)
    return settings.inbox


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run on the tiny university that tests may look at, and what it said."""
    folder = tmp_path_factory.mktemp("made")
    tiny_university(folder / "data" / "inbox")
    with redirect_stdout(io.StringIO()) as said:
        settings = run_in(folder)
    return settings, said.getvalue()


@pytest.fixture
def after_run(made, settings, inbox):
    """A copy of it, to go on from."""
    shutil.copytree(made[0].data, settings.data, dirs_exist_ok=True)
    shutil.copytree(made[0].key_file.parent, settings.key_file.parent)
    return settings
