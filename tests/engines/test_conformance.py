"""Spark on a real cluster makes of the same extracts what DuckDB makes of them, row by row."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from pipelines import engines, models, sources
from pipelines.alike import FORMS
from pipelines.errors import InputError
from pipelines.readers.mapping import Mapping, part_of, year_of
from tests.engines import universities
from tests.engines.conftest import KEY, Run
from tests.engines.universities import DEFINITIONS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),  # one run for all tests, and a busy machine is no failure
]

FORMATS = ("%d/%m/%Y", "%d/%m/%Y %H:%M", "%d-%b-%y", "%d %B %Y", "%Y%m%d", "%m.%d.%Y %I:%M %p")
DATES = """2024-02-29|2023-02-29|2025-02-30|2025-1-01|2025-01-019|2025-01-01junk|2025-01-01 10:00|2025-01-01T10:00:00Z|
2025-01-01 25:00|2025-01-01 24:00:00|2025-01-01 10:00:60|2025-06-15T23:30:00-02:00|2025-06-15 10:00 Europe/London|
2025-06-15 10:|2025-06-15T|2025-06-15 foo|29/02/2024|29/02/2023|1/1/2025|01/01/25|01/01/20255|001/1/2025|31/04/2025|
1/1/2025  9:5|1/1/2025 24:00|1/1/2025 10:00pm|1 /1/2025|1-Jan-25|1-JAN-69|1-January-25|1-Sept-25|1 May 2025|1May2025|
1  may  2025|20250101|2025101|202511|1.2.2025 1:30 PM|13.1.2025 1:30 pm|0/1/2025|1/0/2025|１/1/2025|epoch|infinity||
2025-01-01 |0001-01-01|9999-12-31|-025-01-01|2025-01-01 (BC)|99/99/9999|1/1/125""".replace("\n", "").split("|")
NUMBERS = """1|1.0|1d|1f|1e5|1E+05|1e|.5|5.|+5|-5|--5|+-5|-+5|1_000|1__0|_1|1_|1.0_1|1e1_0|1._5|1_e5|Infinity|-inf|nan|
1e308|1e309|1e-400|0x1F|0x1p3|1,000||٣|１|.|-.5|e5|1 2|00001|1L|1.5e3|true|1\xa0|½""".replace("\n", "").split("|")


def same(ours: pd.DataFrame, theirs: pd.DataFrame) -> None:
    """The same rows, in any order; sums of fractions to twelve digits, as they are added in another order."""
    assert list(ours.columns) == list(theirs.columns)
    ours, theirs = (each.assign(**{c: each[c].astype(str) for c in _texts(each)}) for each in (ours, theirs))
    ours, theirs = (each.sort_values(list(each.columns), ignore_index=True) for each in (ours, theirs))
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False, rtol=1e-12, atol=0)


def _texts(rows: pd.DataFrame) -> list[str]:
    return [c for c in rows.columns if not pd.api.types.is_numeric_dtype(rows[c]) or rows[c].dtype == bool]


def rows_of(con: Any, table: str) -> pd.DataFrame:
    return con.execute(f"select * from {table}").df()


TABLES = [
    *(f"input_{table}" for table in DEFINITIONS.tables),
    *(f"stg_{table}" for table in DEFINITIONS.tables),
    *sorted(path.stem for path in models.FOLDER.glob("marts/*.sql")),
    "quarantine",
]


@pytest.mark.parametrize("table", TABLES)
def test_every_table_has_the_same_rows(on_duckdb: Run, on_spark: Run, table: str) -> None:
    ours, theirs = rows_of(on_spark.kept, table), rows_of(on_duckdb.kept, table)
    same(ours, theirs)
    assert len(theirs)


def test_the_same_is_published(on_duckdb: Run, on_spark: Run) -> None:
    tables = [name for (name,) in on_duckdb.published.execute("select table_name from duckdb_tables()").fetchall()]
    assert {"cell", "gap", "curve", "check", "reconciliation", "quarantine", "finding"} <= {*tables}
    for table in sorted({*tables} - {"release"}):
        ours, theirs = (rows_of(run.published, f'"{table}"') for run in (on_spark, on_duckdb))
        pd.testing.assert_frame_equal(ours, theirs, obj=table)
    assert (rows_of(on_duckdb.published, "cell")["status"] != "suppressed").all()
    of_rows = rows_of(on_duckdb.published, '"check"').query("severity == 'row-level' and not passed")
    assert len(of_rows) > 15  # else nothing awkward would be compared


def test_quarantine_is_written_the_same(on_duckdb: Run, on_spark: Run) -> None:
    files = [run.data / "warehouse" / "quarantine.csv" for run in (on_duckdb, on_spark)]
    assert sorted(files[0].read_text().splitlines()) == sorted(files[1].read_text().splitlines())
    assert files[1].stat().st_mode & 0o077 == 0


def test_spark_keeps_its_tables_to_their_owner_and_no_identifier_among_them(on_spark: Run) -> None:
    work = on_spark.data / "warehouse" / "spark"
    assert work.stat().st_mode & 0o077 == 0
    assert not [path for path in work.glob("*/*") if path.name.startswith("raw_")]
    assert KEY.decode() not in on_spark.said


def test_runs_that_were_killed_leave_nothing_behind(spark_session: Any, of_before: Path) -> None:
    left = {path.name.rpartition("-")[2] for path in (of_before / "warehouse" / "spark").iterdir()}
    assert {"whole", "running"} < left
    assert "killed" not in left
    assert len(left) == 3  # the session's own


def with_texts(con: Any, texts: list[str], select: str) -> list[Any]:
    """The rows of a query over the table `texts` (nth, written), made for it."""
    con.register("given", pa.table({"nth": range(len(texts)), "written": texts}))
    try:  # joined, so that a cluster has them too
        one = "(select max(tutor_id) as last from raw_tutors_0) as one"
        con.execute(f"create table texts as select given.* from given cross join {one}")
        return con.execute(f"select {select} from texts as t order by nth").fetchall()
    finally:
        con.execute("drop table if exists texts")
        con.unregister("given")


@pytest.mark.parametrize(("kind", "texts"), [("date", DATES), ("number", NUMBERS)])
def test_texts_are_read_alike(duckdb_session: Any, spark_session: Any, kind: str, texts: list[str]) -> None:
    def found(con: Any) -> dict[str, str | None]:
        engine = engines.of(con)
        sql = engine.number("t.written") if kind == "number" else engine.date("t.written", FORMATS, True)
        values = [str(value) for (value,) in with_texts(con, texts, sql)]
        return {text: value if _is_possible(value) else None for text, value in zip(texts, values, strict=True)}

    theirs = found(duckdb_session)
    assert found(spark_session) == theirs
    assert len(list(filter(None, theirs.values()))) > len(texts) / 4


def _is_possible(value: str) -> bool:
    """What the pipeline takes for a date or a number at all."""
    if "-" in value[1:] and "e" not in value:
        return "1900-01-02" <= value <= "2100-12-31" and len(value) == 10
    return value not in ("None", "inf", "-inf", "nan") and not value.startswith(("1e+308", "1e308"))


def test_parts_of_identifiers_and_years_are_read_alike(duckdb_session: Any, spark_session: Any) -> None:
    texts = ["S0012345", "0012345@x.ac.uk", "12345", "none", "", "a'b\\c", "2024-25", "2024/5", "2029/0", "2024/2025"]
    parts = [part_of("t.written", form.part) for form in FORMS]
    select = ", ".join([*parts, part_of("t.written", r"\w(\d+)"), year_of("t.written")])
    found = [with_texts(con, texts, select) for con in (duckdb_session, spark_session)]
    assert [tuple(row) for row in found[1]] == [tuple(row) for row in found[0]]
    assert found[0][0][2] == "12345"


def test_letters_have_the_same_case(duckdb_session: Any, spark_session: Any) -> None:
    every = [chr(i) for i in range(0x21, 0x1E944) if not 0xD800 <= i <= 0xDFFF]
    found = [with_texts(con, every, "upper(t.written), lower(t.written)") for con in (duckdb_session, spark_session)]
    differing = {letter: (a, b) for letter, a, b in zip(every, *found, strict=True) if a != b}
    assert differing == {}


def read(con: Any, path: Path) -> list[Any]:
    """The rows of a file of meetings."""
    try:
        got = engines.of(con).read(con, path, Mapping(DEFINITIONS.tables["meetings"], sources.TableSource()), "raw_t_0")
        columns = ", ".join(sorted(got.columns))
        return con.execute(f"select rowid, {columns} from raw_t_0 order by rowid").fetchall()
    finally:
        engines.of(con).drop(con, "^raw_t_")


def test_columns_that_are_numbers_or_times_are_read_alike(
    duckdb_session: Any, spark_session: Any, tmp_path: Path
) -> None:
    universities.typed(tmp_path / "meetings.parquet")
    assert read(spark_session, tmp_path / "meetings.parquet") == read(duckdb_session, tmp_path / "meetings.parquet")


def test_a_folder_is_read_as_one_extract(duckdb_session: Any, spark_session: Any, tmp_path: Path) -> None:
    folder = tmp_path / "meetings.parquet"
    folder.mkdir()
    for part in ("part-0", "part-1"):
        universities.typed(folder / f"{part}.parquet")
    once = read(duckdb_session, folder / "part-0.parquet")
    assert [row[1:] for row in read(spark_session, folder)] == [row[1:] for row in [*once, *once]]


def test_the_key_stands_in_no_plan(spark_session: Any) -> None:
    from pipelines.pseudonymise import _pads

    engine = engines.of(spark_session)
    with _pads(spark_session, KEY):
        pads = spark_session.execute("select * from pads").fetchone()
        query = f"select {engine.hmac('tutor_id')} as pseudonym from raw_tutors_0 cross join pads"
        rows = spark_session.session.sql(spark_session.in_spark(query))
        plan = rows._jdf.queryExecution().toString()
        assert len(rows.collect()) == 3
    assert "outer_pad" in plan
    for secret in (KEY, *pads):
        for written in (
            secret.hex(),
            secret.hex().upper(),
            base64.b64encode(secret).decode(),
            secret.decode("latin-1"),
        ):
            assert written not in plan


def test_other_files_are_refused_with_what_to_do(spark_session: Any, tmp_path: Path) -> None:
    path = tmp_path / "meetings.csv"
    path.write_text("meeting_id\n1\n")
    with pytest.raises(InputError, match="Convert it, or run with --engine duckdb"):
        read(spark_session, path)


def test_an_error_quotes_no_value(spark_session: Any) -> None:
    with pytest.raises(engines.EngineError) as caught:
        spark_session.execute(
            "select cast(floor(1e300) as integer) as n, cast(tutor_id as date) as d from raw_tutors_0"
        )
    assert "could not go on" in str(caught.value)
