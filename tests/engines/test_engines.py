"""An engine is found by its name, and says what it lacks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipelines import engines
from pipelines.errors import InputError
from pipelines.settings import Settings
from tests.bad_input.tiny import tiny_university


def test_an_unknown_engine_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.commands import main

    sources = tiny_university(tmp_path / "inbox")
    monkeypatch.setenv("APT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("APT_KEY", "a key of thirty-two characters or more")
    assert main(["check", "--sources", str(sources), "--engine", "oracle"]) == 1
    assert "There is no engine 'oracle'" in capsys.readouterr().err


def test_without_its_packages_spark_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("pipelines.engines.spark", "pyspark"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(InputError, match=r"pip install -r requirements-spark\.txt"):
        engines.named("spark")


def test_duckdb_needs_none_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pyspark", "sqlglot"):
        monkeypatch.setitem(sys.modules, name, None)
    with engines.named("duckdb").open_new(Settings(data=tmp_path)) as con:
        assert engines.of(con) is engines.named("duckdb")
