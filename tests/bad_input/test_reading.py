"""What reading makes of every kind of bad input: a named error, a rejected record, or every row loaded."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest

from pipelines import definitions, sources
from pipelines.errors import InputError
from pipelines.extract import extract
from pipelines.pseudonymise import pseudonymise
from pipelines.settings import Settings
from tests.bad_input.cases import CASES, Case
from tests.bad_input.spoil import Spoil
from tests.bad_input.tiny import tables, tiny_university

DEFINITIONS = definitions.load()
KEY = b"a key for tests that is long enough"


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


@pytest.mark.parametrize("case", [case for case in CASES if case.expect == "error"], ids=str)
def test_an_error_says_what_is_wrong_quotes_nobody_and_leaves_nothing(
    case: Case, tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    mapping = tiny_university(tmp_path / "inbox")
    case.spoil(mapping.parent)
    with pytest.raises(InputError) as raised:
        extract(con, sources.load(mapping), DEFINITIONS, Settings())
    assert case.message in str(raised.value)
    assert "S0001" not in str(raised.value)
    assert "example.org" not in str(raised.value)
    assert con.execute("show all tables").fetchall() == []


@pytest.mark.parametrize("case", [case for case in CASES if case.expect != "error"], ids=str)
def test_every_row_is_loaded_or_rejected(case: Case, tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    mapping = tiny_university(tmp_path / "inbox")
    case.spoil(mapping.parent)
    extracted = extract(con, sources.load(mapping), DEFINITIONS, Settings())
    pseudonymise(con, DEFINITIONS, extracted, KEY)
    rejected = [rule for (rule,) in con.execute("select rule from raw_reject").fetchall()]
    loaded = con.execute(f"select count(*) from input_{case.table}").fetchall()[0][0]
    written = len(tables()[case.table]) if case.expect == "quarantine" or case.rows is None else case.rows
    assert extracted.rows_read(case.table) == loaded + len(rejected) == written
    assert len(rejected) == (case.rows if case.message else 0)
    assert all(case.message in rule for rule in rejected)


def read(folder: Path, spoil: Spoil, table: str, but: str) -> list[tuple[object, ...]]:
    """The rows of a table as they are read, without where they stood and one column."""
    mapping = tiny_university(folder)
    spoil(folder)
    with duckdb.connect() as con:
        pseudonymise(con, DEFINITIONS, extract(con, sources.load(mapping), DEFINITIONS, Settings()), KEY)
        without = ", ".join(["source_file", "source_row", *([but] if but else [])])
        return con.execute(f"select * exclude ({without}) from input_{table} order by source_row").fetchall()


@cache
def unspoilt(table: str, but: str) -> list[tuple[object, ...]]:
    with TemporaryDirectory() as folder:
        return read(Path(folder), lambda folder: None, table, but)


@pytest.mark.parametrize("case", [case for case in CASES if case.expect == "loads" and case.rows is None], ids=str)
def test_what_loads_is_read_as_if_it_were_not_spoilt(case: Case, tmp_path: Path) -> None:
    assert read(tmp_path, case.spoil, case.table, case.changes) == unspoilt(case.table, case.changes)


def test_the_corpus_has_every_kind_once() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) >= 25
