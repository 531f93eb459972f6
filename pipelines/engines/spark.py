"""Apache Spark: the same statements on a cluster, their tables as Parquet on a path or an object store's URL.

Tables are never changed: a statement that makes or changes one writes a new version, read back as it is needed, which
also ends the plan that made it. What is small (a row per file or expectation, and every result) is held by a DuckDB
database in this process, so that results reach Python just as DuckDB's do. A temporary table is not written at all:
Spark keeps it, encrypted where it spills.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark.errors import AnalysisException, ParseException, PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType
from sqlglot import exp

from pipelines.engines import EngineError, portable, spark_functions
from pipelines.engines.spark_expectations import validator
from pipelines.engines.spark_functions import date, hmac, number
from pipelines.engines.spark_reading import location, read
from pipelines.engines.spark_runs import mark_whole, remove, remove_runs
from pipelines.engines.spark_statements import filled_in, tables, written
from pipelines.readers.mapping import is_url
from pipelines.settings import Settings

__all__ = ["Connection", "date", "drop", "frame", "hmac", "number", "open_new", "read", "validator", "write_csv"]

JOINS_CHEAPLY = False
DEFAULTS = {
    "spark.sql.constraintPropagation.enabled": "false",  # takes minutes over the many columns of a union
    "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.unionOutputPartitioning": "false",  # takes minutes over the many branches of the cells
    "spark.log.level": "ERROR",
    "spark.ui.enabled": "false",  # it has no sign-in
    "spark.ui.showConsoleProgress": "false",
}
REQUIRED = {  # whatever the settings say
    "spark.sql.ansi.enabled": "true",  # what overflows or cannot be cast is an error, never silently null
    "spark.sql.session.timeZone": "UTC",
    "spark.io.encryption.enabled": "true",  # what executors spill holds identifiers
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",  # the code 007 is no 7
}
GROWS = frozenset({"quarantine"})  # declared by its columns, but filled from tables of any size
PARTITIONS_A_CORE = 4
MOST_LISTED = 1_000_000  # rows of a CSV file; the table has them all


class Connection:
    """A database on a Spark session, that looks like the little that the pipeline uses of a DuckDB connection."""

    engine = "spark"

    def __init__(self, session: SparkSession, folder: Path) -> None:
        """folder: a path or URL that every worker reaches, for the versions of tables."""
        self.session = session
        self._folder = location(folder)
        self._small = duckdb.connect()
        self._held: set[str] = set()  # what is in `_small`
        self._versions: dict[str, list[str]] = {}  # table → its Parquet folders, read one after the other
        self._kept: dict[str, DataFrame] = {}  # temporary tables
        self._views: set[str] = set()
        self._numbers = itertools.count()
        spark_functions.define(session)

    def execute(self, query: str, parameters: Any = None) -> duckdb.DuckDBPyConnection:
        """Run one or more statements, and return the rows of the last. Raises EngineError."""
        result = self._small
        for statement in portable.lint(filled_in(query, parameters or [])):
            try:
                result = self._run(statement)
            except (PySparkException, Py4JError) as error:
                raise EngineError(_without_values(error)) from error
        return result

    def register(self, view_name: str, python_object: pa.Table) -> None:
        """Make a small Arrow table known by a name."""
        self._small.register(view_name, python_object)
        self._held.add(view_name)

    def unregister(self, view_name: str) -> None:
        """Forget a name that was registered."""
        self._small.unregister(view_name)
        self._held.discard(view_name)
        self.session.catalog.dropTempView(view_name)

    def interrupt(self) -> None:
        """End the statement under way, in another thread, with an error."""
        self.session.sparkContext.cancelAllJobs()

    def arrow(self, query: str) -> pa.Table:
        """The rows of a query as an Arrow table."""
        (statement,) = portable.lint(query)
        return self._arrow_of(statement)

    def names(self) -> set[str]:
        """The temporary tables and views there are."""
        return self._kept.keys() | self._views

    def in_spark(self, query: str, *placeholders: str) -> str:
        """A query as Spark's SQL; `{placeholders}` in it stay. What it mentions of small tables is handed over."""
        marks = {name: f"placeholder_{name}" for name in placeholders}
        (parsed,) = portable.lint(query.format(**marks))
        self._hand_over(parsed)
        sql = written(parsed)
        for name, mark in marks.items():
            sql = sql.replace(mark, f"{{{name}}}")
        return sql

    def close(self) -> None:
        """Let go of what is held; the versions of tables stay."""
        for name in list(self._kept):
            self._forget(name)
        self._small.close()

    def _run(self, statement: exp.Expr) -> duckdb.DuckDBPyConnection:
        if isinstance(statement, exp.Create):
            self._create(statement)
        elif isinstance(statement, exp.Insert):
            return self._insert(statement)
        elif isinstance(statement, exp.Delete):
            self._delete(statement)
        elif isinstance(statement, exp.Drop):
            for table in statement.args["tables"]:
                self._forget(table.name)
        elif isinstance(statement, exp.Describe):
            return self._describe(statement.this)
        else:
            return self._result(self._arrow_of(statement))
        return self._small

    def _create(self, statement: exp.Create) -> None:
        query, temporary = statement.expression, statement.find(exp.TemporaryProperty) is not None
        name = (statement.this.this if query is None else statement.this).name
        if statement.kind == "VIEW":
            self.session.sql(written(query)).createOrReplaceTempView(name)
            self._views.add(name)
        elif query is None:
            self._in_small(statement)
            if name in GROWS:
                self._forget(name)
                self._take_version(name, self._arrow(f"select * from {name} limit 0"))
            else:
                self._held.add(name)
        elif self._is_small(query):
            self._in_small(statement)
            self._held.add(name)
        elif temporary:
            with self._rows(query) as rows:
                self._keep(name, rows).count()
        else:
            with self._rows(query) as rows:
                self._take_version(name, rows)

    def _insert(self, statement: exp.Insert) -> duckdb.DuckDBPyConnection:
        name, query = statement.this.name, statement.expression
        if name in self._held and self._is_small(query):
            return self._in_small(statement)
        if name in self._held:
            self._small.register("inserted", self._arrow_of(query))
            return self._small.execute(f"insert into {name} select * from inserted")
        if self._is_small(query):
            rows = self._arrow(query.sql(dialect="duckdb"))
            return self._add(name, rows)
        with self._rows(query) as rows:
            return self._add(name, rows)

    def _delete(self, statement: exp.Delete) -> None:
        name, where = statement.this.name, statement.args["where"].this
        found = exp.select("count(*)").from_(name).where(where)
        with self._rows(found) as rows:
            if not rows.collect()[0][0]:
                return
        with self._rows(exp.select("*").from_(name).where(exp.not_(exp.func("coalesce", where, exp.false())))) as rows:
            self._take_version(name, rows)

    def _describe(self, of: exp.Expr) -> duckdb.DuckDBPyConnection:
        schema = self.session.table(of.name).schema if isinstance(of, exp.Table) else self._schema(of)
        types = [field.dataType.simpleString() for field in schema]
        return self._result(pa.table({"column_name": schema.names, "column_type": types}))

    def _schema(self, query: exp.Expr) -> StructType:
        with self._rows(query) as rows:
            return rows.schema

    @contextmanager
    def _rows(self, query: exp.Expr) -> Iterator[DataFrame]:
        """The rows of a query, for as long as the block lasts.

        A with-query that is mentioned more than once is a table meanwhile: Spark would work it out for each mention.
        """
        query, kept = query.copy(), list[str]()
        assert isinstance(query, exp.Query)
        self._hand_over(query)
        try:
            for cte in list(query.ctes):
                mentions = [t for t in query.find_all(exp.Table) if t.name == cte.alias and not t.db]
                if len(mentions) < 2:
                    continue
                definition = cte.this.copy()
                before = query.ctes[: query.ctes.index(cte)]
                if before:
                    definition.set("with_", exp.With(expressions=[each.copy() for each in before]))
                name = f"{cte.alias}_{next(self._numbers)}"
                kept.append(name)
                self._take_version(name, self.session.sql(written(definition)))
                for mention in mentions:
                    mention.set("alias", exp.TableAlias(this=exp.to_identifier(mention.alias_or_name)))
                    mention.set("this", exp.to_identifier(name))
                cte.pop()
                if not query.ctes:
                    query.set("with_", None)
            yield self.session.sql(written(query))
        finally:
            for name in kept:
                self._forget(name)

    def _hand_over(self, query: exp.Expr) -> None:
        for name in tables(query) & self._held:
            rows = self._arrow(f"select * from {name}")
            self.session.createDataFrame(rows).createOrReplaceTempView(name)

    def _keep(self, name: str, rows: DataFrame) -> DataFrame:
        self._forget(name)
        self._kept[name] = rows.persist()
        rows.createOrReplaceTempView(name)
        return rows

    def _take_version(self, name: str, rows: DataFrame | pa.Table) -> None:
        """Make `rows` the table, and remove what it was."""
        before = self._versions.get(name, [])
        folder, schema = self._write(name, rows)
        self._versions[name] = [folder]
        self._show(name, schema)
        self._remove(before)

    def _add(self, name: str, rows: DataFrame | pa.Table) -> duckdb.DuckDBPyConnection:
        """Put rows after those of a table; how many is the result, as an insert of DuckDB says."""
        schema = self.session.table(name).schema
        if isinstance(rows, pa.Table):
            rows = self.session.createDataFrame(rows)
        typed = rows.toDF(*schema.names).selectExpr(
            *(f"cast({field.name} as {field.dataType.simpleString()}) as {field.name}" for field in schema)
        )
        folder, _ = self._write(name, typed)
        added = self.session.read.schema(schema).parquet(folder).count()
        if added:
            self._versions[name].append(folder)
            self._show(name, schema)
        else:
            self._remove([folder])
        return self._result(pa.table({"count": [added]}))

    def _write(self, name: str, rows: DataFrame | pa.Table) -> tuple[str, StructType]:
        frame = self.session.createDataFrame(rows) if isinstance(rows, pa.Table) else rows
        folder = f"{self._folder}/{name}/{next(self._numbers)}"
        frame.write.parquet(folder)
        return folder, frame.schema

    def _show(self, name: str, schema: StructType) -> None:
        self.session.read.schema(schema).parquet(*self._versions[name]).createOrReplaceTempView(name)

    def _forget(self, name: str) -> None:
        """Drop a table, temporary table or view, if there is one."""
        if name in self._kept:
            self._kept.pop(name).unpersist()
        if name in self._held:
            self._small.execute(f"drop table if exists {name}")
            self._held.discard(name)
        self._views.discard(name)
        self.session.catalog.dropTempView(name)
        self._remove(self._versions.pop(name, []))

    def _remove(self, folders: list[str]) -> None:
        for folder in folders:
            remove(self.session, folder)

    def _is_small(self, query: exp.Expr) -> bool:
        return all(name in self._held or name == "tables" for name in tables(query))

    def _in_small(self, statement: exp.Expr) -> duckdb.DuckDBPyConnection:
        return self._small.execute(statement.sql(dialect="duckdb"))

    def _arrow_of(self, query: exp.Expr) -> pa.Table:
        if self._is_small(query):
            return self._arrow(query.sql(dialect="duckdb"))
        with self._rows(query) as rows:
            return rows.toArrow()

    def _arrow(self, query: str) -> pa.Table:
        return self._small.sql(query).to_arrow_table()

    def _result(self, rows: pa.Table) -> duckdb.DuckDBPyConnection:
        """Rows as a result of DuckDB's: of the same types in Python and in pandas."""
        own = self._small.cursor()
        return own.register("result", rows).execute("select * from result")


@contextmanager
def open_new(settings: Settings, keep: bool = True) -> Iterator[Connection]:
    """A new database on the cluster of the settings, in a folder of its own that is kept if the block ends well.

    Then the folders of earlier runs go; those of runs that were killed go first. A local work folder is its owner's
    only.
    """
    work = settings.work or settings.warehouse / "spark"
    run = work / f"{settings.runs}{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    others = os.umask(0o077)
    try:
        for folder in (settings.warehouse, *([] if is_url(work) else [work, run])):
            made = not folder.exists()
            folder.mkdir(parents=True, exist_ok=True)
            if made or folder == settings.warehouse:
                folder.chmod(0o700)
        session = _session(settings)
        try:
            remove_runs(session, location(work), settings.runs, but=run.name, whole_too=False)
            con = Connection(session, run)
            yield con
            con.close()
            if keep:
                mark_whole(session, location(run))
        except BaseException:
            with suppress(Exception):  # what went wrong before is what is told
                remove(session, location(run))
            raise
        else:
            remove_runs(session, location(work), settings.runs, but=run.name if keep else "", whole_too=keep)
        finally:
            session.stop()
    finally:
        os.umask(others)


def _session(settings: Settings) -> SparkSession:
    builder = SparkSession.builder.appName("personal tutoring").master(settings.master)
    unused = {"spark.sql.warehouse.dir": settings.warehouse.resolve().as_uri()}  # else a folder wherever it is started
    for name, value in (DEFAULTS | unused | settings.spark | REQUIRED).items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    if "spark.sql.shuffle.partitions" not in settings.spark:
        cores = session.sparkContext.defaultParallelism
        session.conf.set("spark.sql.shuffle.partitions", str(PARTITIONS_A_CORE * cores))
    return session


def drop(con: Connection, pattern: str) -> None:
    """Drop the temporary tables and views whose names match a regular expression."""
    for name in [name for name in con.names() if re.search(pattern, name)]:
        con.execute(f"drop table if exists {name}")


def frame(con: Connection, query: str) -> pd.DataFrame:
    """The rows of a query."""
    return con.execute(query).df()


def write_csv(con: Connection, query: str, path: Path) -> None:
    """Write the first rows of a query to a local file, with a header."""
    rows = con.arrow(f"{query} limit {MOST_LISTED}")
    with duckdb.connect() as own:
        own.register("rows_read", rows).execute("copy (from rows_read) to ? (header)", [str(path)])


def _without_values(error: PySparkException | Py4JError) -> str:
    """What an error of Spark's says; a message about a row may quote its values, so only its kind is told."""
    if isinstance(error, AnalysisException | ParseException):
        return str(error).split("\n")[0]
    kind = error.getCondition() if isinstance(error, PySparkException) else None
    return f"Spark could not go on ({kind or type(error).__name__})"
