"""SQL that engines do not read alike is refused, and none of the pipeline's is."""

from __future__ import annotations

import re
from collections.abc import Iterator

import duckdb
import pytest

from pipelines import definitions as definition_files
from pipelines import follow, models, suites
from pipelines.check import check
from pipelines.engines import portable
from pipelines.settings import Settings
from tests.pipelines.inputs import TODAY, valid, write
from tests.pipelines.modelling import model

DEFINITIONS = definition_files.load()


@pytest.fixture(scope="module")
def statements() -> list[str]:
    """Every statement that checking and modelling a university runs, as it is handed to the engine."""

    class Recorder:
        """A DuckDB connection that keeps what it is asked."""

        def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
            self.con, self.asked = con, list[str]()

        def execute(self, query: str, parameters: object = None) -> duckdb.DuckDBPyConnection:
            self.asked.append(query)
            return self.con.execute(query, parameters)

        def __getattr__(self, name: str) -> object:
            return getattr(self.con, name)

    with duckdb.connect() as con:
        recorder = Recorder(con)
        extracted = write(con, DEFINITIONS, valid())
        check(recorder, DEFINITIONS, extracted, Settings(), as_of=TODAY)
        modelled = model(recorder, DEFINITIONS, extracted.present)
        follow.count(recorder, DEFINITIONS, extracted.present, modelled)
    return recorder.asked


def test_every_model_is_among_the_statements(statements: list[str]) -> None:
    made = {found[1] for each in statements if (found := re.match(r"create or replace table (\w+) as\n", each))}
    assert made == {path.stem for path in models.FOLDER.glob("*/*.sql")}


def test_the_pipeline_asks_nothing_that_engines_read_otherwise(statements: list[str]) -> None:
    for each in statements:
        portable.lint(each)


def queries() -> Iterator[str]:
    present = {name: frozenset(table.columns) for name, table in DEFINITIONS.tables.items()}
    for table in DEFINITIONS.tables.values():
        for e in suites.suite(table, present)[0]:
            yield from filter(None, [e.observed, e.spec["kwargs"].get("unexpected_rows_query")])


def test_no_suite_does_either() -> None:
    found = list(queries())
    assert len(found) > 20
    for each in found:
        portable.lint(each.format(batch="stg_table"))


@pytest.mark.parametrize(
    ("sql", "instead"),
    [
        ("select percentile_cont(0.5) within group (order by a) from t", "count over a window"),
        ("select quantile_cont(a, 0.5) from t", "count over a window"),
        ("select median(a) from t", "count over a window"),
        ("select log(a) from t", "ln"),
        ("select array_agg(a order by b) from t", "rows in an order"),
        ("select string_agg(a, ', ' order by b) from t", "rows in an order"),
        ("select cast(a as integer) from t", "cast(floor(x) as integer)"),
        ("select a::bigint from t", "cast(floor(x) as integer)"),
        ("select hash(a) from t", "another function"),
        ("select printf('%+.0f', a) from t", "another function"),
        ("select dayofweek(a) from t", "date_diff"),
        ("select week(a) from t", "date_diff"),
        ("select * from a asof join b on a.x >= b.x", "inner, left or cross join"),
        ("select * from a join b using (x)", "inner, left or cross join"),
        ("pivot t on a using sum(b)", "without pivot"),
        ("select * from range(10)", "no function stands for a table"),
        ("select * from a union all by name select * from b", "in one order"),
        ("select a / b from t", "nullif(y, 0)"),
        ("select a / 0 from t", "nullif(y, 0)"),
        ("select a // 2 from t", "without intdiv"),
        ("select meeting_date - teaching_start from t", "date_diff('day', earlier, later)"),
        ("select max(t.end_date) - date '2024-01-01' from t", "date_diff('day', earlier, later)"),
        ("select 0.1 * a from t", "cast(… as double)"),
        ("select a, count(*) from t group by all", "columns to group by"),
        ("select a from t order by all", "columns to order by"),
        ("select * from t where (a, b) in (select a, b from s)", "exists"),
        ("select a[1] from t", "without bracket"),
        ("select regexp_replace(a, '(x)', '\\1') from t", "regexp_matches"),
        ("select d + interval 1 day from t", "without interval"),
        ("select from where", "not a statement"),
    ],
)
def test_what_differs_is_refused_with_what_to_write(sql: str, instead: str) -> None:
    with pytest.raises(portable.NotPortable, match=re.escape(instead)):
        portable.lint(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "select cast(floor(a / 7) as integer) as w, teaching_start + 14, a / nullif(b, 0) from t",
        "select cast(count(*) as bigint), cast(sum(a) as bigint), cast('2024-01-01' as date) from t group by c",
        "select row_number() over (partition by a order by b desc) from t where not exists (select 1 from s)",
        "select n_a - sx_a, date_diff('day', teaching_start, meeting_date) % 7 from t",
    ],
)
def test_what_every_engine_reads_alike_passes(sql: str) -> None:
    assert portable.lint(sql)
