"""Parquet files and folders into Spark, row by row as they stand."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f
from pyspark.sql.types import DoubleType, FloatType, StructField

from pipelines.errors import InputError
from pipelines.readers.delimited import TRIM_ALL
from pipelines.readers.mapping import Mapping, Read, is_url

if TYPE_CHECKING:
    from pipelines.engines.spark import Connection

WHOLE_NUMBERS = 1e16  # from here on DuckDB writes an exponent


def read(con: Connection, path: Path, mapping: Mapping, target: str) -> Read:
    """Make the view `target` of a Parquet file, or of a folder of them, whose rows are numbered on in order of name.

    Raises InputError where it cannot be used.
    """
    table = mapping.table.name
    if not is_url(path) and path.is_file() and path.suffix.lower() != ".parquet":
        raise InputError(
            f"{table}: {path.name} is no Parquet file, and Spark reads no other. Convert it, or run with "
            f"--engine duckdb, which reads CSV and spreadsheets too."
        )
    if path.is_dir():
        _all_read(table, path)
    try:
        rows = con.session.read.option("mergeSchema", "true").parquet(location(path))
        if problems := mapping.problems(path.name, rows.columns):
            raise InputError(problems)
        parts = rows.groupBy(f.col("_metadata.file_path").alias("part")).agg(
            f.count("*").alias("n"), f.max("_metadata.file_modification_time").alias("modified")
        )
        counted = sorted(parts.collect())
    except PySparkException as error:
        raise InputError(
            f"{table}: {path.name} cannot be read as Parquet ({error.getCondition() or type(error).__name__}). Copy or "
            f"export it again, with times in microseconds; or run with --engine duckdb."
        ) from None
    fields = [f"c{place}" for place in range(len(rows.columns))]
    texts = [_text(rows, field).alias(name) for name, field in zip(fields, rows.schema.fields, strict=True)]
    _numbered(rows, [(part, n) for part, n, _ in counted], texts).createOrReplaceTempView(f"{target}_as_text")
    query = mapping.query(rows.columns, fields, f"{target}_as_text", TRIM_ALL, ("rowid",))
    con.execute(f"create temp table {target} as {query}")
    newest = max((modified for *_, modified in counted), default=None)
    return Read(
        sum(n for _, n, _ in counted),
        mapping.columns(rows.columns),
        notes=mapping.notes(rows.columns),
        modified=newest.astimezone(UTC).replace(tzinfo=None) if newest and is_url(path) else None,
    )


def _all_read(table: str, folder: Path) -> None:
    """Raise InputError where Spark would pass files of a folder by without a word."""
    passed = [p for p in sorted(folder.rglob("*.parquet")) if p.parent != folder or p.name[0] in "._"]
    if passed:
        raise InputError(
            f"{table}: {passed[0].relative_to(folder.parent)} would not be read. Put all of a table's Parquet files "
            f"into one folder, none in folders within it, with names that begin with a letter or a digit."
        )


def location(path: Path) -> str:
    """Where Spark finds a path, unquoted, as Hadoop reads it; one of a URL has lost a slash."""
    return str(path).replace(":/", "://", 1) if is_url(path) else f"file://{path.resolve()}"


def _numbered(rows: DataFrame, parts: list[tuple[str, int]], texts: list[Column]) -> DataFrame:
    """The rows as text, with `rowid`: a row's number in its file, after the rows of the files before."""
    number = f.col("_metadata.row_index")
    if len(parts) <= 1:
        return rows.select(*texts, number.alias("rowid"))
    before, offsets = 0, []
    for part, n in parts:
        offsets.append((part, before))
        before += n
    firsts = f.broadcast(rows.sparkSession.createDataFrame(offsets, "part string, before bigint"))
    placed = rows.select(*texts, number.alias("number"), f.col("_metadata.file_path").alias("part"))
    return placed.join(firsts, "part").selectExpr("*", "number + before as rowid").drop("part", "number", "before")


def _text(rows: DataFrame, field: StructField) -> Column:
    """A column as text, as DuckDB writes it: Spark writes 12345678.0 as 1.2345678E7."""
    value = rows[f"`{field.name.replace('`', '``')}`"]
    if not isinstance(field.dataType, DoubleType | FloatType):
        return value.cast("string")
    whole = (value == f.floor(value)) & (f.abs(value) < WHOLE_NUMBERS)
    apart = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}
    text = value.cast("string")
    text = f.coalesce(*(f.when(text == ours, theirs) for ours, theirs in apart.items()), text)
    return f.when(whole, f.concat(f.floor(value).cast("string"), f.lit(".0"))).otherwise(text)
