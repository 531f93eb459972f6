"""The suites of expectations as they are stored, and Great Expectations on DuckDB: what it must go on finding."""

import json
from collections.abc import Iterator
from dataclasses import replace

import duckdb
import pytest

from pipelines import definitions as definition_files
from pipelines import suites
from pipelines.definitions import Characteristic
from pipelines.engines import ExpectationError
from pipelines.engines.duckdb import validator

DEFINITIONS = definition_files.load()
SUPPLIED = {name: frozenset(table.columns) for name, table in DEFINITIONS.tables.items()}
SUITES = {name: suites.suite(table, SUPPLIED) for name, table in DEFINITIONS.tables.items()}


class TestSuites:
    @pytest.mark.parametrize("table", DEFINITIONS.tables)
    def test_load_in_great_expectations_as_they_stand(self, table: str) -> None:
        from great_expectations import ExpectationSuite

        stored = json.loads((suites.FOLDER / f"{table}.json").read_text(encoding="utf-8"))
        assert len(ExpectationSuite(**stored).expectations) == len(stored["expectations"])

    def test_name_each_expectation_once(self) -> None:
        names = [e.name for expectations, _ in SUITES.values() for e in expectations]
        assert len(names) == len(set(names))

    @pytest.mark.parametrize("table", DEFINITIONS.tables)
    def test_agree_with_the_contract(self, table: str) -> None:
        for e in SUITES[table][0]:
            assert e.name.startswith(f"{table}.")
            assert e.column is None or e.column in DEFINITIONS.tables[table].columns
            assert e.spec["severity"] == suites.GX_SEVERITY[e.severity]
            assert e.rule.endswith(".")

    def test_hold_the_codes_of_a_new_characteristic_by_themselves(self) -> None:
        housing = Characteristic("housing", "Housing", ("Halls", "Home"), "Home")
        enrolments = DEFINITIONS.tables["enrolments"]
        column = replace(enrolments.columns["sex"], name="housing", values=housing.groups)
        grown = replace(enrolments, columns=enrolments.columns | {"housing": column})
        expectations, _ = suites.suite(grown, {"enrolments": frozenset(grown.columns)})
        (added,) = [e for e in expectations if e.column == "housing"]
        assert added.rule == "housing is one of: Halls, Home."


class TestGreatExpectationsOnDuckDB:
    """A canary: every type of expectation in use still finds exactly the failing row."""

    CASES = {  # noqa: RUF012 - read only
        "expect_column_values_to_be_null": {"column": "only_bad"},
        "expect_column_values_to_not_be_null": {"column": "only_good"},
        "expect_column_values_to_be_in_set": {"column": "code", "value_set": ["it's", "100%", "{x}"]},
        "expect_column_values_to_be_between": {"column": "day", "max_value": {"$PARAMETER": "today"}},
        "expect_column_pair_values_a_to_be_greater_than_b": {
            "column_A": "high",
            "column_B": "low",
            "or_equal": True,
            "ignore_row_if": "either_value_is_missing",
        },
        "unexpected_rows_expectation": {"unexpected_rows_query": "select * from {batch} where code = 'bad'"},
    }

    @pytest.fixture
    def con(self) -> Iterator[duckdb.DuckDBPyConnection]:
        con = duckdb.connect()
        con.execute("""
            create table stg_canary as
            select * from (values
                ('f', 1, null, 'x', 'it''s', date '2026-01-01', 2, 1),
                ('f', 2, null, 'x', '100%', date '2026-05-31', 2, null),
                ('f', 3, 'y', null, 'bad', date '2026-07-01', 1, 2),
                ('f', 4, null, 'x', '{x}', null, 2, 2)
            ) as rows (source_file, source_row, only_bad, only_good, code, day, high, low)
        """)
        yield con
        con.close()

    def suite(self) -> dict[str, object]:
        specs = [{"type": kind, "kwargs": kwargs, "meta": {"name": kind}} for kind, kwargs in self.CASES.items()]
        mostly = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "only_good", "mostly": 0.7}}
        rows = {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 5}}
        extra = [mostly | {"meta": {"name": "mostly"}}, rows | {"meta": {"name": rows["type"]}}]
        return {"name": "canary", "expectations": [*specs, *extra]}

    def test_finds_the_failing_row(self, con: duckdb.DuckDBPyConnection) -> None:
        with validator(con) as validate:
            verdicts = validate.validate("stg_canary", self.suite(), {"today": "2026-06-01"})
        for kind in self.CASES:
            assert not verdicts[kind].passed
            found = con.execute(f"select source_file, source_row from ({verdicts[kind].failing})").fetchall()
            assert found == [("f", 3)], kind
        assert verdicts["mostly"].passed
        assert not verdicts["expect_table_row_count_to_be_between"].passed

    def test_covers_every_type_in_use(self) -> None:
        used = {e.spec["type"] for expectations, _ in SUITES.values() for e in expectations}
        assert used == {*self.CASES, "expect_table_row_count_to_be_between"}

    def test_an_expectation_that_cannot_be_evaluated_is_named(self, con: duckdb.DuckDBPyConnection) -> None:
        spec = {
            "type": "expect_column_values_to_be_null",
            "kwargs": {"column": "gone"},
            "meta": {"name": "canary.gone"},
        }
        with validator(con) as validate, pytest.raises(ExpectationError, match=r"canary\.gone could not be evaluated"):
            validate.validate("stg_canary", {"name": "canary", "expectations": [spec]}, {})
