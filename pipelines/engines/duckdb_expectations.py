"""Great Expectations on a DuckDB connection that is already open.

Great Expectations fetches the rows of a query after it has handed its connection back, which by default
rolls back and, on DuckDB, throws those rows away. So the SQLAlchemy engine made here holds one cursor of
the open connection for good, commits every statement on its own and rolls nothing back. It sees
everything committed on that connection's database, under the same settings and memory limit.
"""

from __future__ import annotations

import atexit
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb

from pipelines.engines import ExpectationError, Verdict

# Only whether an expectation is met, and the SQL that finds the rows at fault: those stay in the database.
_RESULT_FORMAT = {
    "result_format": "BOOLEAN_ONLY",
    "return_unexpected_index_query": True,
    "unexpected_index_column_names": ["source_file", "source_row"],
}


class Validator:
    """Validates tables of one database; made by `validator`."""

    def __init__(self, datasource: Any) -> None:
        self._datasource = datasource
        self._whole: dict[str, Any] = {}  # of each table, as Great Expectations knows it

    def validate(self, table: str, suite: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Verdict]:
        """Check `table` against a suite as JSON; verdicts by each expectation's `meta.name`.

        `parameters` are the values of the suite's `$PARAMETER`s. Raises ExpectationError.
        """
        from great_expectations import ExpectationSuite

        if table not in self._whole:
            asset = self._datasource.add_table_asset(table, table_name=table)
            self._whole[table] = asset.add_batch_definition_whole_table("all")
        found = (
            self._whole[table]
            .get_batch()
            .validate(
                ExpectationSuite(**suite),
                result_format=_RESULT_FORMAT,
                expectation_parameters=dict(parameters),
            )
        )
        verdicts = {}
        for result in found.results:
            config = result.expectation_config
            _stop_on_error(config.meta["name"], result.exception_info)
            query = result.result.get("unexpected_index_query")
            if "unexpected_rows_query" in config.kwargs:
                query = config.kwargs["unexpected_rows_query"].format(batch=table)
            verdicts[config.meta["name"]] = Verdict(bool(result.success), query and query.rstrip("; \n"))
        return verdicts


@contextmanager
def validator(con: duckdb.DuckDBPyConnection) -> Iterator[Validator]:
    """A Validator on the database of `con`, which stays open and usable meanwhile and afterwards.

    Temporary tables and uncommitted changes of `con` are not visible to it.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when it is imported
    import duckdb_sqlalchemy
    import great_expectations
    from sqlalchemy.pool import StaticPool

    # what still refers to DuckDB's types when Python ends is reported on standard error, type by type
    atexit.register(vars(duckdb_sqlalchemy).clear)
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    context: Any = great_expectations.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    datasource = context.data_sources.add_sql(
        "warehouse",
        connection_string="duckdb:///:memory:",  # names the dialect; the connection is the creator's
        kwargs={
            "creator": lambda: duckdb_sqlalchemy.ConnectionWrapper(con.cursor()),
            "poolclass": StaticPool,
            "pool_reset_on_return": None,
            "isolation_level": "AUTOCOMMIT",
            "skip_autocommit_rollback": True,
        },
    )
    try:
        yield Validator(datasource)
    finally:
        datasource.get_execution_engine().close()
        datasource.get_engine().dispose()


def _stop_on_error(name: str, exceptions: Mapping[str, Any]) -> None:
    """Raise what Great Expectations caught: `exceptions` is one record, or one per metric."""
    records: Sequence[Any] = [exceptions] if "raised_exception" in exceptions else list(exceptions.values())
    for record in records:
        if record["raised_exception"]:
            raise ExpectationError(f"expectation {name} could not be evaluated: {record['exception_message']}")
