"""A sample release for all tests of the dashboard, and the dashboard pointed at it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dashboard.access import UNIVERSITY, UNIVERSITY_LEAD, Viewer
from dashboard.published import Release, open_release
from tests.dashboard.sample_faculties import write_faculties
from tests.dashboard.sample_release import write_release


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one release."""
    data = tmp_path_factory.mktemp("data")
    write_release(data / "published")
    return data


@pytest.fixture(scope="session")
def sample_with_faculties(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same release with files for two faculties."""
    data = tmp_path_factory.mktemp("faculties")
    shutil.copytree(sample / "published", data / "published")
    write_faculties(data / "published" / (data / "published" / "current").read_text().strip(), ("ENG", "EDU"))
    return data


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch):
    """Point the dashboard at a data folder."""
    return lambda data: monkeypatch.setenv("APT_DATA", str(data))


@pytest.fixture
def release(sample: Path, serve) -> Release:
    """The sample release, open."""
    serve(sample)
    return open_release(lambda _: Viewer(UNIVERSITY_LEAD, UNIVERSITY))
