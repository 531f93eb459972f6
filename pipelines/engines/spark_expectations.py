"""Great Expectations on the tables of a Spark session: the suites, and SQL for the rows that fail them."""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pipelines.engines import ExpectationError, Verdict
from pipelines.readers.mapping import literal

if TYPE_CHECKING:
    from pipelines.engines.spark import Connection


class Validator:
    """Validates tables of one session; made by `validator`."""

    def __init__(self, con: Connection, datasource: Any) -> None:
        self._con, self._datasource = con, datasource
        self._numbers = itertools.count()

    def validate(self, table: str, suite: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Verdict]:
        """Check `table` against a suite as JSON; verdicts by the name of each. Raises ExpectationError."""
        from great_expectations import ExpectationSuite

        asset = self._datasource.add_dataframe_asset(f"{table}_{next(self._numbers)}")
        batch = asset.add_batch_definition_whole_dataframe("all").get_batch(
            {"dataframe": self._con.session.table(table)}
        )
        spoken = suite | {"expectations": [self._in_spark(spec) for spec in suite["expectations"]]}
        found = batch.validate(
            ExpectationSuite(**spoken), result_format="BOOLEAN_ONLY", expectation_parameters=parameters
        )
        specs = {spec["meta"]["name"]: spec for spec in suite["expectations"]}
        verdicts = {}
        for result in found.results:
            name = result.expectation_config.meta["name"]
            if error := _raised(result.exception_info):
                raise ExpectationError(f"expectation {name} could not be evaluated: {error}")
            verdicts[name] = Verdict(bool(result.success), failing(table, specs[name], parameters))
        return verdicts

    def _in_spark(self, spec: dict[str, Any]) -> dict[str, Any]:
        query = spec["kwargs"].get("unexpected_rows_query")
        if query is None:
            return spec
        return spec | {"kwargs": spec["kwargs"] | {"unexpected_rows_query": self._con.in_spark(query, "batch")}}


@contextmanager
def validator(con: Connection) -> Iterator[Validator]:
    """A Validator on the tables of `con`, which stays usable meanwhile and afterwards."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when it is imported
    import great_expectations

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    context: Any = great_expectations.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    yield Validator(con, context.data_sources.add_spark("warehouse", persist=False))


def failing(table: str, spec: dict[str, Any], parameters: dict[str, Any]) -> str | None:
    """SQL for the rows that fail an expectation, None if it counts none. Raises ExpectationError if it is not known."""
    given = {
        name: parameters[value["$PARAMETER"]] if isinstance(value, dict) else value
        for name, value in spec["kwargs"].items()
    }
    if "unexpected_rows_query" in given:
        return str(given["unexpected_rows_query"]).format(batch=table)
    column, kind = given.get("column"), spec["type"]
    if kind == "expect_table_row_count_to_be_between":
        return None
    if kind == "expect_column_values_to_be_null":
        where = f"{column} is not null"
    elif kind == "expect_column_values_to_not_be_null":
        where = f"{column} is null"
    elif kind == "expect_column_values_to_be_in_set":
        where = f"{column} not in ({', '.join(map(_value, given['value_set']))})"
    elif kind == "expect_column_values_to_be_between":
        least, most = given.get("min_value"), given.get("max_value")
        below = [f"{column} {'<=' if given.get('strict_min') else '<'} {_value(least)}"] if least is not None else []
        above = [f"{column} {'>=' if given.get('strict_max') else '>'} {_value(most)}"] if most is not None else []
        where = " or ".join(below + above)
    elif kind == "expect_column_pair_values_a_to_be_greater_than_b":
        where = f"{given['column_A']} {'<' if given.get('or_equal') else '<='} {given['column_B']}"
    else:
        raise ExpectationError(
            f"expectation {spec['meta']['name']} could not be evaluated: it is of the type {kind}, of which "
            f"spark_expectations.failing does not know the rows at fault"
        )
    columns = [column] if column else [given["column_A"], given["column_B"]]
    return f"select source_file, source_row, {', '.join(columns)} from {table} where {where}"


def _value(value: Any) -> str:
    return literal(value) if isinstance(value, str) else str(value)


def _raised(exceptions: dict[str, Any]) -> str | None:
    """What Great Expectations caught: one record, or one per metric."""
    records = [exceptions] if "raised_exception" in exceptions else list(exceptions.values())
    return next((record["exception_message"] for record in records if record["raised_exception"]), None)
