"""The warehouse within its memory limit."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipelines import engines, sources, warehouse
from pipelines.definitions import load
from pipelines.readers.mapping import Mapping
from pipelines.settings import Settings

ROWS = 2_000_000


def test_what_exceeds_the_memory_limit_is_spilled_encrypted_and_removed(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, memory_limit="80MB", threads=1)
    spill = settings.warehouse / "spill"
    with warehouse.open_new(settings) as con:
        con.execute(f"create temp table many as select 'student-' || md5(range::varchar) as id from range({ROWS})")
        written = b"".join(file.read_bytes() for file in spill.iterdir())
        assert len(written) > 1_000_000
        assert b"student-" not in written
        assert con.execute("select count(distinct id) from many").fetchall() == [(ROWS,)]
    assert not spill.exists()


def test_a_file_is_not_blamed_for_too_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "tutors.csv"
    rows = (f"tutor {number},SOC,2025/26,1\n" for number in range(200_000))
    path.write_text("tutor_id,school_code,academic_year,fte\n" + "".join(rows))
    mapping = Mapping(load().tables["tutors"], sources.TableSource())
    settings = Settings(data=tmp_path, memory_limit="1MB", threads=1)
    with warehouse.open_new(settings) as con, pytest.raises(duckdb.OutOfMemoryException):
        engines.of(con).read(con, path, mapping, "raw_tutors_0")
