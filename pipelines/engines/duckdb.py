"""DuckDB, the default engine: its own connection is the `Connection`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from pipelines.engines.duckdb_expectations import validator
from pipelines.readers import read
from pipelines.readers.mapping import literal
from pipelines.settings import Settings

__all__ = ["date", "drop", "frame", "hmac", "number", "open_new", "read", "validator", "write_csv"]

JOINS_CHEAPLY = True


def open_new(settings: Settings, keep: bool = True) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    """An empty warehouse that replaces the last one (if `keep`) when the block ends without an error."""
    from pipelines import warehouse

    return warehouse.open_new(settings, keep)


def hmac(message: str) -> str:
    """SQL for the first 128 bits of HMAC-SHA256 as UUID; `pads` has the key, padded as HMAC does."""
    inner = f"unhex(sha256(inner_pad || encode({message})))"
    return f"cast(unhex(left(sha256(outer_pad || {inner}), 32)) as uuid)"


def date(text: str, formats: Sequence[str], iso: bool) -> str:
    """SQL for the date that `text` is; else null."""
    value = f"cast(try_strptime({text}, [{', '.join(map(literal, formats))}]) as date)"
    # by its shape, not by trying: a failed attempt costs ten times a successful one
    return f"case when {text} like '____-__-__%' then try_cast({text} as date) else {value} end" if iso else value


def number(text: str) -> str:
    """SQL for the number that `text` is; else null."""
    return f"try_cast({text} as double)"


def drop(con: duckdb.DuckDBPyConnection, pattern: str) -> None:
    """Drop the temporary tables and views whose names match a regular expression."""
    made = con.execute(
        """
        select 'view', view_name from duckdb_views() where temporary and not internal and regexp_matches(view_name, $1)
        union all
        select 'table', table_name from duckdb_tables() where temporary and regexp_matches(table_name, $1)
        """,
        [pattern],
    ).fetchall()
    for kind, name in made:
        con.execute(f"drop {kind} {name}")


def frame(con: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, Any] | None = None) -> pd.DataFrame:
    """The many rows of a query by way of Arrow, in which text is not copied one by one. There missing whole numbers
    come as fractions, whole numbers beyond 64 bits (uncast sums) and decimals as objects, and so do dates.
    """
    con.complete()  # the statement before, whose rows may not all have been fetched
    return con.sql(query, params=parameters).to_arrow_table().to_pandas()


def write_csv(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """Write the rows of a query to a local file, with a header."""
    con.execute(f"copy ({query}) to ? (header)", [str(path)])
