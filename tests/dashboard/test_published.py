"""Releases are opened safely, found afresh, and never share what they return."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from dashboard import published
from dashboard.access import UNIVERSITY, UNIVERSITY_LEAD, AccessDeniedError, Viewer
from dashboard.published import (
    ROOT,
    NoReleaseError,
    Release,
    UnreadableReleaseError,
    connect,
    current_release,
    open_release,
    published_folder,
)
from tests.dashboard.sample_release import Sample, write_release


def lead(_: bool) -> Viewer:
    return Viewer(UNIVERSITY_LEAD, UNIVERSITY)


@pytest.mark.parametrize(
    "sql",
    [
        "attach '{folder}/other.duckdb' as w (read_only)",
        "from sniff_csv('{folder}/secret.csv')",
        "from duckdb_secrets()",
        "set memory_limit = '1GB'",
        "reset memory_limit",
        "pragma memory_limit = '1GB'",
        "load '{folder}/secret.csv'",
        "install httpfs from community",
        "import database '{folder}'",
        "create secret s (type s3)",
        "select * from read_blob('{folder}/*')",
        "select * from read_parquet('{folder}/x.parquet')",
        "select * from read_json('{folder}/secret.csv')",
        "copy cell from '{folder}/secret.csv'",
        "insert into cell select * from cell",
        "drop table cell",
        "attach '{folder}/other.duckdb'",
        "copy (select 1) to '{folder}/out.csv'",
        "copy cell to '{folder}/out.parquet'",
        "select * from read_csv('{folder}/secret.csv')",
        "select * from '{folder}/secret.csv'",
        "select * from read_text('{folder}/secret.csv')",
        "select * from glob('{folder}/*')",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "set threads = 1",
        "pragma enable_profiling",
        "create table mine as select 1",
        "update cell set value = 0",
        "export database '{folder}/all'",
    ],
)
def test_a_release_gives_no_way_to_anything_else(release: Release, tmp_path: Path, sql: str) -> None:
    (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
    duckdb.connect(str(tmp_path / "other.duckdb")).close()
    with connect(release.file) as connection, pytest.raises(duckdb.Error):
        connection.execute(sql.format(folder=tmp_path))


def test_no_release_says_what_to_run(tmp_path: Path, serve) -> None:
    serve(tmp_path)
    with pytest.raises(NoReleaseError, match=r"make dashboard.*python -m pipelines run"):
        open_release(lead)


def test_a_damaged_release_says_what_to_run(tmp_path: Path, serve) -> None:
    name = write_release(tmp_path / "published", Sample(name="damaged"))
    (tmp_path / "published" / name / "university.duckdb").write_bytes(b"not a database")
    serve(tmp_path)
    with pytest.raises(UnreadableReleaseError, match="rollback"):
        open_release(lead)


def test_a_scope_without_a_file_is_denied(sample: Path, serve) -> None:
    serve(sample)
    with pytest.raises(UnreadableReleaseError, match="without a file for your faculty"):
        open_release(lambda _: Viewer("Faculty lead", "faculty:ART"))
    for scope in ("faculty:XYZ", "school:XYZ", "faculty:../../warehouse", "faculty:ART' or '1'='1"):
        with pytest.raises(AccessDeniedError):
            open_release(lambda _, scope=scope: Viewer("Faculty lead", scope))


def test_a_new_release_is_found_and_a_removed_one_left(tmp_path: Path, serve) -> None:
    published = tmp_path / "published"
    serve(tmp_path)
    first = Sample(name="first")
    write_release(published, first)
    before = open_release(lead).cells(metric="trust", unit="university", level="all", characteristic="all")
    write_release(published, replace(first, name="second", shift=0.8))
    (published / "first" / "university.duckdb").unlink()
    assert current_release() == "second"
    after = open_release(lead).cells(metric="trust", unit="university", level="all", characteristic="all")
    assert not before["value"].equals(after["value"])


def test_what_is_returned_is_the_callers_own(release: Release) -> None:
    keys = {"metric": "any_meeting", "level": "all", "characteristic": "all"}
    first = release.cells(**keys)
    first["value"] = -1
    assert (release.cells(**keys)["value"].dropna() >= 0).all()


def test_cells_are_looked_up_by_known_keys_only(release: Release) -> None:
    with pytest.raises(ValueError, match="looked up by"):
        release.cells(student="x")


def test_many_threads_read_the_same(release: Release) -> None:
    def count(metric: str) -> int:
        return len(release.cells(metric=metric, level="UG", part="to_date"))

    metrics = [m for m in release.metrics.index if release.metrics.loc[m, "theme"] == "contact"] * 8
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(count, metrics))
    assert counts == [count(metric) for metric in metrics]
    assert min(counts) > 0


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings.toml to write, with nothing in the environment."""
    monkeypatch.delenv("APT_DATA", raising=False)
    file = tmp_path / "settings.toml"
    monkeypatch.setattr(published, "SETTINGS", file)
    return file


def test_the_data_folder_is_the_environments_then_the_settings_then_the_repositorys(
    settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert published_folder() == ROOT / "data" / "published"
    settings.write_text('data = "elsewhere"\nthreads = 2\n')
    assert published_folder() == ROOT / "elsewhere" / "published"
    settings.write_text('data = "/srv/tutoring"\n')
    assert published_folder() == Path("/srv/tutoring/published")
    monkeypatch.setenv("APT_DATA", "/srv/other")
    assert published_folder() == Path("/srv/other/published")


@pytest.mark.parametrize("text", ["data = ", "data = 3"])
def test_settings_that_cannot_be_read_are_named(settings: Path, text: str) -> None:
    settings.write_text(text)
    with pytest.raises(NoReleaseError, match=r"settings\.toml"):
        open_release(lead)
