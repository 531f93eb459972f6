"""Check a tiny university, and say what was not as expected."""

import duckdb

from pipelines import definitions as definition_files
from pipelines.check import CheckOutcome, check
from pipelines.settings import Settings
from tests.pipelines.inputs import TODAY, Row, write

DEFINITIONS = definition_files.load()


def checked(con: duckdb.DuckDBPyConnection, tables: dict[str, list[Row]], most: float = 1.0) -> CheckOutcome:
    extracted = write(con, DEFINITIONS, tables)
    return check(con, DEFINITIONS, extracted, Settings(most_quarantined=most), as_of=TODAY)


def unmet(outcome: CheckOutcome) -> dict[str, int | None]:
    results = outcome.tables["check"]
    return {r.expectation: r.rows_failing for r in results[~results["passed"]].itertuples()}
