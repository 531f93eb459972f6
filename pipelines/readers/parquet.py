"""Parquet files into DuckDB."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines.errors import InputError
from pipelines.readers.delimited import TRIM_ALL
from pipelines.readers.mapping import Mapping, Read, count, literal


def read_parquet(con: duckdb.DuckDBPyConnection, path: Path, mapping: Mapping, target: str) -> Read:
    """Load a Parquet file into the new temp table `target`. Raises InputError where it cannot be used."""
    relation = f"read_parquet({literal(str(path))})"
    try:
        names = [row[0] for row in con.execute(f"describe select * from {relation}").fetchall()]
        if problems := mapping.problems(path.name, names):
            raise InputError(problems)
        fields = ['cast("' + name.replace('"', '""') + '" as varchar)' for name in names]
        con.execute(f"create temp table {target} as {mapping.query(names, fields, relation, TRIM_ALL)}")
    except duckdb.Error:
        raise InputError(
            f"{mapping.table.name}: {path.name} is not a whole Parquet file. Copy or export it again."
        ) from None
    return Read(count(con, target), mapping.columns(names), notes=mapping.notes(names))
