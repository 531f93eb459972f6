"""Suites: what is expected of each table, from its file in expectations/ and from the definitions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipelines.definitions import Table
from pipelines.settings import ROOT

FOLDER = ROOT / "expectations"
CRITICAL, ROW_LEVEL, WARNING = "critical", "row-level", "warning"
GX_SEVERITY = {CRITICAL: "critical", ROW_LEVEL: "warning", WARNING: "info"}


@dataclass(frozen=True)
class Expectation:
    """One expectation of a suite: what Great Expectations evaluates, and what it means to us.

    observed: SQL for a text, for expectations about a table as a whole, which count no rows.
    """

    name: str
    rule: str
    severity: str
    column: str | None
    spec: dict[str, Any]
    observed: str | None = None
    needs: tuple[str, ...] = ()

    @property
    def value_column(self) -> str | None:
        """The column whose value goes to quarantine with a row."""
        kwargs = self.spec["kwargs"]
        return kwargs.get("column") or kwargs.get("column_A") or self.column


def suite(
    table: Table, present: Mapping[str, frozenset[str]], today: date | None = None
) -> tuple[list[Expectation], list[str]]:
    """The expectations of `table` in order, and the models they look at. today: named by rules that speak of it.

    What follows from the definitions (readable, given, in the list of codes) comes first, then the
    suite's file. Expectations on columns or tables that no extract supplied are left out.
    """
    stored = json.loads((FOLDER / f"{table.name}.json").read_text(encoding="utf-8"))
    specs = _of_columns(table, stored["meta"]["of_columns"]) + stored["expectations"]
    expectations = [
        Expectation(
            name=spec["meta"]["name"],
            rule=spec["meta"]["rule"].replace("{today}", f"{today or date.today():%d/%m/%Y}"),
            severity=spec["meta"]["severity"],
            column=spec["meta"]["column"],
            spec=spec,
            observed=spec["meta"].get("observed"),
            needs=tuple(spec["meta"].get("needs", ())),
        )
        for spec in specs
    ]
    supplied = {None, *present[table.name]}
    return (
        [e for e in expectations if e.column in supplied and all(present.get(need) for need in e.needs)],
        stored["meta"].get("models", []),
    )


def _of_columns(table: Table, severity: str) -> list[dict[str, Any]]:
    """What the definitions of a table's columns imply, as expectations; of columns that are not used, as warnings."""
    kinds = {"date": "a date", "integer": "a whole number", "number": "a number"}
    specs = []

    def add(about: str, name: str, rule: str, kind: str, **kwargs: Any) -> None:
        of = severity if table.columns[about].used else WARNING
        meta = {"name": f"{table.name}.{about}_{name}", "severity": of, "rule": rule, "column": about}
        specs.append({"type": kind, "kwargs": kwargs, "severity": GX_SEVERITY[of], "meta": meta})

    for c in table.columns.values():
        if c.type in kinds:
            rule = f"{c.name} can be read as {kinds[c.type]}."
            add(c.name, "readable", rule, "expect_column_values_to_be_null", column=f"{c.name}_unreadable")
        if c.not_blank:
            add(c.name, "given", f"{c.name} is given.", "expect_column_values_to_not_be_null", column=c.name)
        if c.values:
            rule = f"{c.name} is one of: {', '.join(c.values)}."
            kind = "expect_column_values_to_be_in_set"
            add(c.name, "in_list", rule, kind, column=c.name, value_set=list(c.values))
    return specs
