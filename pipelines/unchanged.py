"""Unchanged extracts: their rows are taken from the last run's warehouse instead of being read again.

An extract is unchanged while its bytes, its entry in sources.toml, the contract of its table, the key and the code that
reads it are. All else (staging, checks, models) is done anew with all rows.
"""

from __future__ import annotations

import hashlib
import hmac
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path

import duckdb

from pipelines import warehouse
from pipelines.definitions import Definitions, Table
from pipelines.engines import Connection
from pipelines.errors import InputError
from pipelines.extract import Extracted, ExtractedFile
from pipelines.readers.mapping import literal
from pipelines.settings import ROOT, Settings
from pipelines.sources import TableSource

TABLE = "extract_read"  # in the warehouse: every file that was read, and its fingerprint
EARLIER = "earlier"  # the last run's warehouse, attached
AT_ONCE = 2**24  # bytes
CODE = (
    *("readers/*.py", "engines/duckdb.py", "extract.py", "pseudonymise.py", "errors.py", "unchanged.py"),
    *("sources.py", "check.py", "reconciliation.py"),
)
LIBRARIES = ("duckdb", "pyarrow", "python-calamine", "charset-normalizer")
_SAVED = {
    "table_name": "varchar",
    "file": "varchar",
    "rows_read": "bigint",
    "rows_rejected": "bigint",
    "modified": "timestamp",
    "columns": "varchar[]",
    "note": "varchar",
    "fingerprint": "varchar",
}


@dataclass(frozen=True)
class Earlier:
    """What the last run read, by table and file. mark: of key and code."""

    mark: str
    files: Mapping[tuple[str, str], ExtractedFile] = field(default_factory=dict)

    def fingerprint(self, path: Path, table: Table, source: TableSource) -> str:
        """What tells whether an extract would be read to the same rows; '' for a file that cannot be opened."""
        how = "\n".join([self.mark, repr(table), source.model_dump_json(exclude={"files", "constants_of"})])
        try:
            content = _content(path)
        except OSError:  # whoever reads it says why
            return ""
        return hashlib.sha256(f"{content}\n{how}".encode()).hexdigest()

    def known(self, table: str, file: str, fingerprint: str) -> ExtractedFile | None:
        """What the last run noted of a file, if it is unchanged."""
        known = self.files.get((table, file))
        return known if known and fingerprint and known.fingerprint == fingerprint else None

    def rows(self, table: str, files: Sequence[str]) -> str:
        """SQL for the rows of unchanged files, as pseudonymise made them."""
        return f"{EARLIER}.input_{table} where source_file in ({', '.join(map(literal, files))})"


def earlier(con: Connection, settings: Settings, key: bytes, full: bool) -> Earlier | None:
    """What the last run read, its warehouse attached to `con`; nothing with `full`, or where there is none.

    None for an engine other than DuckDB: its warehouse is not kept from run to run.
    """
    if not isinstance(con, duckdb.DuckDBPyConnection):
        return None
    mark = hmac.digest(key, f"unchanged extracts {_code()}".encode(), "sha256").hex()
    path = settings.warehouse / warehouse.NAME
    if full or not path.exists():
        return Earlier(mark)
    try:
        con.execute(f"attach {literal(str(path))} as {EARLIER} (read_only)")
        saved = con.execute(f"select {', '.join(_SAVED)} from {EARLIER}.{TABLE}").fetchall()
        for table in {row[0] for row in saved}:
            con.execute(f"select * from {EARLIER}.input_{table} limit 0")
    except duckdb.Error:  # damaged, of another version, or purged since: everything is read again
        return Earlier(mark)
    files = [
        ExtractedFile(table, file, read, rejected, modified, frozenset(columns), note, fingerprint)
        for table, file, read, rejected, modified, columns, note, fingerprint in saved
    ]
    return Earlier(mark, {(file.table, file.file): file for file in files})


def take(con: Connection, definitions: Definitions, extracted: Extracted, known: Earlier | None) -> None:
    """Add the rows and the rejected records of unchanged files to input_<table> and raw_reject; note what was read."""
    if known is None:
        return
    try:
        for name in definitions.tables:
            if files := extracted.unchanged(name):
                _copy(con, name, files, known)
    except duckdb.Error:
        raise InputError(
            "What the last run read cannot be taken from its warehouse, which is damaged or was changed by hand. Run "
            "again with --full, which reads every extract anew."
        ) from None
    con.execute(f"create table {TABLE} ({', '.join(f'{name} {kind}' for name, kind in _SAVED.items())})")
    for file in extracted.files:
        noted = [file.table, file.file, file.rows_read, file.rows_rejected, file.modified, sorted(file.columns)]
        con.execute(f"insert into {TABLE} values (?, ?, ?, ?, ?, ?, ?, ?)", [*noted, file.note, file.fingerprint])
    con.execute(f"detach database if exists {EARLIER}")


def _copy(con: Connection, name: str, files: list[str], known: Earlier) -> None:
    """Add the rows and the rejected records of a table's unchanged files."""
    con.execute(f"insert into input_{name} by name select * from {known.rows(name, files)}")
    con.execute(
        f"""
        insert into raw_reject
        select table_name, source_file, source_row, column_name, value, rule from {EARLIER}.quarantine
        where table_name = $1 and expectation = $1 || '.whole_records' and list_contains($2, source_file)
        """,
        [name, files],
    )


def _content(path: Path) -> str:
    """A hash of a file's bytes. Many at once: after each part Python waits for its turn beside the thread that loads
    Great Expectations.
    """
    content = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while part := file.read(AT_ONCE):
            content.update(part)
    return content.hexdigest()


def _code() -> str:
    """A hash of the code that reads extracts, and of the libraries and the time zone it reads them with."""
    zone = duckdb.execute("select current_setting('TimeZone')").fetchall()
    return hash_of_code(CODE, repr((sys.version, [version(each) for each in LIBRARIES], zone)))


@cache
def hash_of_code(patterns: tuple[str, ...], told: str) -> str:
    """A hash of the pipeline's files that match the patterns, and of what else is told of them."""
    folder = ROOT / "pipelines"
    code = hashlib.sha256(told.encode())
    for path in sorted(path for pattern in patterns for path in folder.glob(pattern)):
        code.update(path.read_bytes())
    return code.hexdigest()
