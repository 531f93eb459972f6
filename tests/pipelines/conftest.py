"""Shared by the pipeline's tests: settings that stay inside a temporary folder."""

from pathlib import Path

import pytest

from pipelines.settings import Settings
from tests.bad_input.tiny import tiny_university


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
