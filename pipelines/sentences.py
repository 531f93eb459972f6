"""Sentences: what the checks found, in words, without any value of a row."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pipelines.engines import Connection
from pipelines.suites import ROW_LEVEL

MOST_RULES = 10
STOPPED = "The checks stopped this run; nothing was published."
NEXT = (
    "Correct what stopped the run, listed first, in the extracts or in their mapping in sources.toml; then run again."
)


def unmet(con: Connection, severity: str, without: Collection[str] = ()) -> list[str]:
    """Every expectation of `severity` that was not met, but those in `without`."""
    found = con.execute(
        """
        select expectation, table_name, rule, rows_failing, rows_checked, observed from check_result
        where severity = ? and not passed order by rowid
        """,
        [severity],
    ).fetchall()
    return [
        f"{table}: {rule} Not so: "
        + ", ".join(filter(None, [f"{failing:,} of {checked:,} rows" if failing else None, observed]))
        + "."
        for name, table, rule, failing, checked, observed in found
        if name not in without
    ]


def set_aside(con: Connection) -> list[str]:
    """How many rows each rule set aside, table by table, most rows first; the ten rules with most."""
    found = con.execute(
        """
        select table_name, rule, rows_failing from check_result
        where severity = ? and not passed order by rows_failing desc, rowid
        """,
        [ROW_LEVEL],
    ).fetchall()
    first = found[:MOST_RULES]
    tables = dict.fromkeys(table for table, _, _ in first)
    said = [
        f"{table}: {rows:,} against '{rule.rstrip('.')}'" for of in tables for table, rule, rows in first if table == of
    ]
    more = sum(rows for _, _, rows in found[MOST_RULES:])
    return [*said, f"{more:,} against other rules"] if more else said


def stopped(failures: Sequence[str], aside: Sequence[str], warnings: Sequence[str]) -> str:
    """Why the checks stop a run, what else they found, and what to do next."""
    parts = {STOPPED: failures, "Rows set aside:": aside, "Warnings:": warnings}
    lines = [[heading, *(f"- {said}" for said in points)] for heading, points in parts.items() if points]
    return "\n".join([*(line for part in lines for line in part), NEXT])
