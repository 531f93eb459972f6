"""Reconciliation: what became of every row that was read, and whether too many of a file or a school are lost."""

from __future__ import annotations

from typing import Any

from pipelines.definitions import Table
from pipelines.engines import Connection
from pipelines.errors import is_like_a_code
from pipelines.suites import CRITICAL, WARNING

HALF = 0.5
FEWEST_LOST = 5  # fewer rows than this never stop a run, and a smaller part warns of nothing
MOST_NAMED = 5  # files or schools
LONGEST_VALUE = 80  # characters of a rejected value kept in quarantine
SAME_ROW = "q.source_row = {0}.source_row and q.source_file = {0}.source_file"


class ReconciliationError(AssertionError):
    """Rows read do not add up: a fault of the pipeline, never of the extracts."""


def account(con: Connection, table: Table) -> None:
    """Count what became of every row of a table, per file."""
    con.execute(
        f"""
        insert into row_outcome
        with outcomes as (
            select source_file, 'loaded' as outcome from stg_{table.name}
            union all
            select source_file, 'duplicate' from repeated where superseded_by is null
            union all
            select source_file, 'quarantined' from quarantine where table_name = ?
        )
        select ?, source_file, outcome, count(*) from outcomes group by source_file, outcome
        """,
        [table.name, table.name],
    )


def judge_lost(con: Connection, table: Table, given: frozenset[str], most: float) -> None:
    """Write the expectations on how many rows are quarantined: of a table, and of each of its files and schools.

    given: the columns that its extracts have. most: the largest share that may be.
    """
    _judge_share(con, table, most)
    _judge_parts(con, table, given, most)


def _judge_share(con: Connection, table: Table, most: float) -> None:
    """The expectation that a table does not lose too many rows: a wrong mapping must not empty a year."""
    sums = "select coalesce(sum(rows), 0) from row_outcome where table_name = ? and outcome = ?"
    lost = number(con, sums, [table.name, "quarantined"])
    left = number(con, sums, [table.name, "loaded"])
    total = max(1, lost + left)
    passed = lost == 0 or (left > 0 and (lost < FEWEST_LOST or lost <= most * total))
    observed = f"{lost / total:.1%}"
    if lost:
        worst = con.execute(
            "select rule from quarantine where table_name = ? group by rule order by count(*) desc, rule limit 1",
            [table.name],
        ).fetchall()[0][0]
        observed += f", most often against '{worst.rstrip('.')}'"
    rule = f"At most {most:.0%} of rows are quarantined."
    name = f"{table.name}.few_quarantined"
    write_result(con, table, name, None, rule, CRITICAL, passed, lost + left, None, observed)


def _judge_parts(con: Connection, table: Table, given: frozenset[str], most: float) -> None:
    """The same for each file and each school of a table, so that none is lost among the others' rows.

    Parts of fewer than five rows are left out, and rows that a later file supersedes are not lost.
    """
    files = _shares(con, table, "source_file")
    much = max(HALF, most)
    lost = [(part, share) for part, share, _ in files if share == 1 or share > much]
    rule = f"Of each file at most {much:.0%} of rows are quarantined."
    _write_parts(con, table, "much_of_each_file", rule, CRITICAL, lost)
    rule = f"Of each file at most {most:.0%} of rows are quarantined."
    _write_parts(con, table, "few_quarantined_of_file", rule, WARNING, [(f, s) for f, s, _ in files if s > most])
    if "school_code" in given:
        rule = f"Of each school at most {most:.0%} of rows are quarantined."
        lost = [
            (code if is_like_a_code(code, rows) else "a school whose code is not shown", share)
            for code, share, rows in _shares(con, table, "school_code")
            if share > most
        ]
        _write_parts(con, table, "few_quarantined_of_school", rule, WARNING, lost)


def _shares(con: Connection, table: Table, part: str) -> list[tuple[str, float, int]]:
    """Each part of five rows or more, the largest share of quarantined rows first, and its rows."""
    rows = f"input_{table.name}" if part != "source_file" else "quarantined"
    return con.execute(
        f"""
        with quarantined as (
            select source_file, source_row from quarantine
            where table_name = $1 and not (
                expectation = $1 || '.key_unique' and not starts_with(value, left(source_file || ', row ', $2))
            )
        ),
        outcomes as (
            select {part} as part, 0 as lost from stg_{table.name}
            union all
            select {part}, 1 from {rows} as lost
            where exists (select 1 from quarantined as q where {SAME_ROW.format("lost")})
        )
        select part, avg(lost) as share, count(*) from outcomes
        where part is not null
        group by part having count(*) >= $3
        order by share desc, part
        """,
        [table.name, LONGEST_VALUE, FEWEST_LOST],
    ).fetchall()


def _write_parts(
    con: Connection, table: Table, name: str, rule: str, severity: str, lost: list[tuple[str, float]]
) -> None:
    named = [f"{part}: {share:.1%}" for part, share in lost[:MOST_NAMED]]
    if len(lost) > MOST_NAMED:
        named.append(f"and {len(lost) - MOST_NAMED:,} more")
    checked = number(con, "select coalesce(sum(rows), 0) from row_outcome where table_name = ?", [table.name])
    write_result(
        con, table, f"{table.name}.{name}", None, rule, severity, not lost, checked, None, ", ".join(named) or None
    )


def reconcile(con: Connection) -> None:
    """The tables `reconciliation` and `quarantine_summary`. Raises ReconciliationError."""
    con.execute("""
        create or replace table reconciliation as
        select
            f.table_name,
            f.file,
            f.rows_read,
            cast(sum(case when o.outcome = 'loaded' then o.rows else 0 end) as bigint) as rows_loaded,
            cast(sum(case when o.outcome = 'quarantined' then o.rows else 0 end) as bigint) as rows_quarantined,
            cast(sum(case when o.outcome = 'duplicate' then o.rows else 0 end) as bigint) as duplicates_dropped,
            f.modified,
            f.note
        from extract_file as f
        left join row_outcome as o on o.table_name = f.table_name and o.file = f.file
        group by f.table_name, f.file, f.rows_read, f.modified, f.note
        order by min(f.ordering);
        create or replace table quarantine_summary as
        select table_name, source_file as file, rule, column_name, count(*) as rows
        from quarantine
        group by table_name, source_file, rule, column_name
        order by table_name, file, rule, column_name;
    """)
    wrong = con.execute("""
        select table_name, file, rows_read, rows_loaded, rows_quarantined, duplicates_dropped from reconciliation
        where rows_read <> rows_loaded + rows_quarantined + duplicates_dropped
    """).fetchall()
    if wrong:
        raise ReconciliationError(
            "Rows do not add up, so nothing was published. Run again with --full; if they still do not, it is a fault "
            "of the pipeline: please report it.\n"
            + "\n".join(
                f"- {table}, {file}: {read:,} read, but {loaded:,} loaded + {lost:,} quarantined "
                f"+ {twice:,} exact duplicates"
                for table, file, read, loaded, lost, twice in wrong
            )
        )


def write_result(con: Connection, table: Table, *result: Any) -> None:
    """A row of check_result, from its expectation on."""
    con.execute("insert into check_result values (?, ?, ?, ?, ?, ?, ?, ?, ?)", [table.name, *result])


def number(con: Connection, sql: str, parameters: list[Any] | None = None) -> int:
    """The one number that a query gives."""
    return int(con.execute(sql, parameters or []).fetchall()[0][0])
