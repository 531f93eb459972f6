"""Reading one extract, whatever its format, into a temp table of contract columns as text."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines.errors import InputError
from pipelines.readers.delimited import read_delimited
from pipelines.readers.mapping import Mapping, Read, is_url
from pipelines.readers.parquet import read_parquet
from pipelines.readers.workbook import read_workbook
from pipelines.readers.workbook import sheets as workbook_sheets

READERS = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), read_delimited),
    **dict.fromkeys((".xlsx", ".xlsm", ".xls", ".ods"), read_workbook),
    ".parquet": read_parquet,
}


def sheets(path: Path, mapping: Mapping) -> list[str]:
    """The sheets of a spreadsheet that are read one by one; none of another file, or where only the first is."""
    is_workbook = path.is_file() and READERS.get(path.suffix.lower()) is read_workbook
    return workbook_sheets(path, mapping) if is_workbook else []


def read(con: duckdb.DuckDBPyConnection, path: Path, mapping: Mapping, target: str) -> Read:
    """Load the file at `path` into the new temp table `target`, in file order, as `mapping` says.

    `target` has the contract columns that the file gives, as text: trimmed, codes mapped, blank → null.
    Its `rowid` + 1 is the number of the row among the file's rows. Raises InputError.
    """
    if is_url(path) or path.is_dir():
        raise InputError(
            f"{mapping.table.name}: {path.name} is a {'URL' if is_url(path) else 'folder'}, which DuckDB does not read "
            f'here. Name its files instead (in sources.toml: files = ["{path.name}/*"]) once they are on this machine, '
            f"or run with --engine spark."
        )
    reader = READERS.get(Path(path.name.lower().removesuffix(".gz")).suffix)
    if reader is None:
        raise InputError(
            f"{mapping.table.name}: {path.name} is of no kind that can be read. Use CSV (or .csv.gz), a spreadsheet or "
            "Parquet."
        )
    try:
        return reader(con, path, mapping, target)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"{mapping.table.name}: {path.name} cannot be opened ({reason}).") from None


__all__ = ["Mapping", "Read", "read", "sheets"]
