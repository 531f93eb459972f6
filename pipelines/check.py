"""Check: stage every table, run its expectations, and account for every row that was read.

For each table in turn: its staging model is run, its suite (expectations/<table>.json, and what follows
from the definitions) is evaluated on the staged rows, rows that fail a row-level expectation move to
`quarantine`, and the next table refers to what is left. A row is quarantined once, under the first
expectation in suite order that it fails, so quarantine counts add up to the reconciliation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa

from pipelines import engines, half_empty, models, sentences, swapped, years
from pipelines.absent import absent
from pipelines.definitions import UNKNOWN, Definitions, Table
from pipelines.engines import Connection, Validator, Verdict
from pipelines.extract import Extracted
from pipelines.noticed import Noticed
from pipelines.progress import Report, quiet
from pipelines.reconciliation import LONGEST_VALUE, SAME_ROW, account, judge_lost, number, reconcile, write_result
from pipelines.settings import Settings
from pipelines.suites import CRITICAL, ROW_LEVEL, WARNING, Expectation, suite
from pipelines.unknown_schools import unknown_schools
from pipelines.unreadable import unreadable

LOOKS = {"enrolments": half_empty.look, "meetings": swapped.look}  # beyond what rules of a suite tell
_FAILED = pa.schema([("nth", pa.int32()), *((name, pa.string()) for name in ("column_name", "rule", "expectation"))])


class CheckFailed(Exception):  # noqa: N818 - it is the checks that failed, not the program
    """A critical expectation was not met; the message lists each, what else was found, and what to do next."""


@dataclass(frozen=True)
class CheckOutcome:
    """What the checks found, as the published tables `check`, `reconciliation` and `quarantine`.

    warnings: what files have lost since the figures in force were made, and one sentence or more for each expectation
    of severity 'warning' that was not met. remarks: how to map what cannot be read or is not known, and what of the
    contract the extracts do not have.
    """

    tables: dict[str, pd.DataFrame]
    warnings: list[str]
    remarks: list[str]


def check(
    con: Connection,
    definitions: Definitions,
    extracted: Extracted,
    settings: Settings,
    report: Report = quiet,
    as_of: date | None = None,
    lost: Sequence[str] = (),
) -> CheckOutcome:
    """Stage and check the `input_<table>` tables of `con`, which must not be inside a transaction.

    Leaves `stg_<table>` (good rows), `quarantine`, `check_result`, `reconciliation` and
    `quarantine_summary`. `as_of` is the day after which a date lies in the future: today, where none is given. `lost`
    is what is known of lost files, the first of the warnings. Raises CheckFailed when all tables are checked and a
    critical expectation was not met.
    """
    _prepare(con, extracted)
    today, done, noticed = as_of or date.today(), list[str](), list[Noticed]()
    parameters = {"today": today.isoformat()}
    with engines.of(con).validator(con) as validate:
        for table in definitions.tables.values():
            expectations, needed = suite(table, extracted.present, today)
            _stage(con, table, definitions)
            of_rows = [e for e in expectations if e.severity == ROW_LEVEL]
            of_rest = [e for e in expectations if e.severity != ROW_LEVEL]
            if extracted.present[table.name]:
                _record_whole_records(con, table)
                _record(con, table, of_rows, _evaluate(validate, table, of_rows, parameters))
                _drop_quarantined(con, table)
            for model in needed:
                weekly = "teaching_week" in _columns(con, f"stg_{table.name}")
                models.run(con, model, table=f"stg_{table.name}", weekly=weekly)
            if extracted.present[table.name]:  # what is said of the whole table is said of the rows that are left
                _record(con, table, of_rest, _evaluate(validate, table, of_rest, parameters))
            account(con, table)
            if extracted.present[table.name]:
                judge_lost(con, table, extracted.present[table.name], settings.most_quarantined)
                noticed += _look(con, table, definitions, extracted, settings)
            done.append(table.name)
            report(table.name, number(con, f"select count(*) from stg_{table.name}"), done=extracted.share(done))
            for model in ("repeated", *needed):
                con.execute(f"drop table {model}")
    late = _after(con, as_of) if as_of else []
    remarks = [*unreadable(con, definitions, extracted, settings.most_unmapped), *unknown_schools(con)]
    warnings = [*lost, *(said for each in noticed for said in each.sentences)]
    warnings += sentences.unmet(con, WARNING, {each.name for each in noticed})
    if failures := sentences.unmet(con, CRITICAL):
        first = [*failures, *late, *remarks, *extracted.remarks]
        raise CheckFailed(sentences.stopped(first, sentences.set_aside(con), warnings))
    reconcile(con)
    remarks += absent(definitions, extracted)
    return CheckOutcome(_published(con), [*warnings, *late], remarks)


def _prepare(con: Connection, extracted: Extracted) -> None:
    """Empty result tables, the files that were read, and the records that were no rows at all."""
    con.execute("""
        create or replace table extract_file
            (table_name varchar, file varchar, ordering integer, rows_read bigint, modified timestamp, note varchar);
        create or replace table quarantine
            (table_name varchar, source_file varchar, source_row bigint, column_name varchar, value varchar,
             rule varchar, expectation varchar);
        create or replace table check_result
            (table_name varchar, expectation varchar, column_name varchar, rule varchar, severity varchar,
             passed boolean, rows_checked bigint, rows_failing bigint, observed varchar);
        create or replace temp table row_outcome (table_name varchar, file varchar, outcome varchar, rows bigint);
    """)
    for place, file in enumerate(extracted.files):
        values = [file.table, file.file, place, file.rows_read, file.modified, file.note]
        con.execute("insert into extract_file values (?, ?, ?, ?, ?, ?)", values)
    con.execute(
        """
        insert into quarantine
        select table_name, source_file, source_row, min(column_name), left(min(value), ?), min(rule),
            table_name || '.whole_records'
        from raw_reject
        group by table_name, source_file, source_row
        """,
        [LONGEST_VALUE],
    )


def _stage(con: Connection, table: Table, definitions: Definitions) -> None:
    """Make stg_<table>, and `repeated`: the rows whose key a later row repeats."""
    columns = [c for c in _columns(con, f"input_{table.name}") if c not in ("source_file", "source_row")]
    models.run(con, "repeated", table=f"input_{table.name}", table_name=table.name, key=table.key, columns=columns)
    models.run(
        con,
        f"stg_{table.name}",
        columns=columns,
        characteristics=[c for c in definitions.characteristics if c in table.columns],
        unknown=UNKNOWN,
        before_teaching=years.BEFORE_TEACHING,
        longest=years.LONGEST,
    )


def _look(
    con: Connection, table: Table, definitions: Definitions, extracted: Extracted, settings: Settings
) -> list[Noticed]:
    """Look at a whole table beyond its suite, and write what was found among the checks."""
    if table.name not in LOOKS:
        return []
    found = LOOKS[table.name](con, definitions, extracted.present[table.name], settings)
    checked = number(con, f"select count(*) from stg_{table.name}")
    for each in found:
        passed = not each.sentences
        write_result(con, table, each.name, each.column, each.rule, WARNING, passed, checked, None, each.observed)
    return found


def _evaluate(
    validate: Validator, table: Table, expectations: list[Expectation], parameters: dict[str, Any]
) -> dict[str, Verdict]:
    as_json = {"name": table.name, "expectations": [e.spec for e in expectations]}
    return validate.validate(f"stg_{table.name}", as_json, parameters)


def _record(
    con: Connection,
    table: Table,
    expectations: list[Expectation],
    verdicts: Mapping[str, Verdict],
) -> None:
    """Write each expectation's result, and put the rows that fail a row-level one into quarantine."""
    checked = number(con, f"select count(*) from stg_{table.name}")
    failed = [e for e in expectations if e.severity == ROW_LEVEL and not verdicts[e.name].passed]
    quarantined = _quarantine(con, table, failed, verdicts) if failed else {}
    for e in expectations:
        verdict = verdicts[e.name]
        failing: int | None = None
        observed: str | None = None
        if e.observed:
            observed = ", ".join(text for (text,) in con.execute(e.observed).fetchall() if text) or None
        elif verdict.passed:
            failing = 0
        elif e.severity == ROW_LEVEL:
            failing = quarantined.get(e.name, 0)
        else:
            failing = number(con, f"select count(*) from ({verdict.failing})")
            if e.severity == CRITICAL:
                observed = _first(con, f"({verdict.failing})")
        # rows that already failed an earlier expectation are counted there, not here
        passed = failing == 0 if e.severity == ROW_LEVEL else verdict.passed
        write_result(con, table, e.name, e.column, e.rule, e.severity, passed, checked, failing, observed)


def _record_whole_records(con: Connection, table: Table) -> None:
    """Write how many records of the table were no rows at all."""
    staged = number(con, f"select count(*) from stg_{table.name}")
    rejected = number(con, "select count(*) from quarantine where table_name = ?", [table.name])
    whole = (f"{table.name}.whole_records", None, "A record has as many fields as its file's header.", ROW_LEVEL)
    write_result(con, table, *whole, rejected == 0, staged + rejected, rejected, None)


def _drop_quarantined(con: Connection, table: Table) -> None:
    """Take the rows in quarantine out of the staged ones."""
    con.execute(
        f"""
        delete from stg_{table.name} where exists (
            select 1 from quarantine as q
            where q.table_name = ? and {SAME_ROW.format(f"stg_{table.name}")}
        )
        """,
        [table.name],
    )


def _quarantine(
    con: Connection, table: Table, failed: list[Expectation], verdicts: Mapping[str, Verdict]
) -> dict[str, int]:
    """Move the rows that fail some expectation and are not in quarantine yet, each under the first of them; return
    how many, by expectation.
    """
    failing = " union all ".join(
        f"select {nth} as nth, source_file, source_row, cast({e.value_column} as varchar) as value "
        f"from ({verdicts[e.name].failing}) as failing"
        for nth, e in enumerate(failed)
    )
    about = {
        "nth": list(range(len(failed))),
        "column_name": [e.column for e in failed],
        "rule": [e.rule for e in failed],
        "expectation": [e.name for e in failed],
    }
    con.register("failed", pa.table(about, schema=_FAILED))
    con.execute(
        f"""
        insert into quarantine
        with failing as ({failing}),
        numbered as (
            select
                nth, source_file, source_row, min(value) as value,
                row_number() over (partition by source_file, source_row order by nth) as place
            from failing
            where not exists (
                select 1 from quarantine as q where q.table_name = ? and {SAME_ROW.format("failing")}
            )
            group by nth, source_file, source_row
        )
        select ?, n.source_file, n.source_row, f.column_name, left(n.value, ?), f.rule, f.expectation
        from numbered as n
        inner join failed as f on f.nth = n.nth
        where n.place = 1
        """,
        [table.name, table.name, LONGEST_VALUE],
    )
    con.unregister("failed")
    counts = con.execute(
        "select expectation, count(*) from quarantine where table_name = ? group by expectation", [table.name]
    )
    return dict(counts.fetchall())


def _after(con: Connection, as_of: date) -> list[str]:
    """Whether there are meetings that only an old `as_of` puts in the future, in words."""
    between = f"meeting_date > date '{as_of}' and meeting_date <= date '{date.today()}'"
    rows = number(con, f"select count(*) from input_meetings where {between}")
    if not rows:
        return []
    return [
        f"meetings: {rows:,} rows are set aside because as_of in sources.toml says that the extracts were taken on "
        f"{as_of:%d/%m/%Y}. Leave as_of out, and the day of the run counts."
    ]


def _published(con: Connection) -> dict[str, pd.DataFrame]:
    """The three tables as a release holds them."""
    sources = {"check": "check_result", "reconciliation": "reconciliation", "quarantine": "quarantine_summary"}
    frames = {name: con.execute(f"select * from {source}").df() for name, source in sources.items()}
    failing = frames["check"]["rows_failing"]
    frames["check"]["rows_failing"] = failing.astype("Int64").astype(object).where(failing.notna(), None)
    return frames


def _first(con: Connection, rows: str) -> str:
    """Where to look first: a file and a row number, never a value."""
    place = f"select source_file, source_row from {rows} order by source_file, source_row limit 1"
    file, row = con.execute(place).fetchall()[0]
    return f"first in {file}, row {row:,}"


def _columns(con: Connection, table: str) -> list[str]:
    return [name for (name, *_) in con.execute(f"describe {table}").fetchall()]
