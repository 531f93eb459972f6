"""Shared by the pipeline's tests: settings that stay inside a temporary folder."""

from pathlib import Path

import pytest

from pipelines.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", key_file=tmp_path / "keys" / "pseudonym.key")
