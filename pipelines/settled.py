"""Settled periods: published before, from the very rows there are now and by the same code. They are not counted again.

Their cells are the ledger's, and their figures through the year and of the survey those of the release in force.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from functools import cache

import duckdb

from pipelines.disclosure.ledger import Ledger, Marks
from pipelines.disclosure.places import Period
from pipelines.engines import Connection
from pipelines.settings import ROOT

ROWS = ("mart_enrolment", "mart_response", "mart_tutor")  # what all else is counted from


def marks(con: Connection) -> Marks:
    """Of each period what tells whether it would be counted the same: a hash of its rows, of which school is in which
    faculty, and of the code. None on an engine other than DuckDB.

    Needs the marts of single rows.
    """
    if not isinstance(con, duckdb.DuckDBPyConnection):
        return {}
    counted = " union all ".join(
        f"""
        select academic_year, part, '{mart}' as mart, count(*) as number, sum(hash(own)) as rows_hash
        from ({_rows(mart)}) as own
        group by academic_year, part
        """
        for mart in ROWS
    )
    found = con.execute(f"""
        select
            p.academic_year,
            p.part,
            p::varchar,
            (select sum(hash(school_code, faculty_code)) from stg_schools)::varchar,
            (select count(f.enrolment) > 0 from stg_feedback as f where f.academic_year = p.academic_year)::varchar,
            list((c.mart, c.number, c.rows_hash) order by c.mart)::varchar
        from mart_period as p
        left join ({counted}) as c on c.academic_year = p.academic_year and c.part = p.part
        group by p.academic_year, p.part, p
    """).fetchall()
    return {
        (year, part): hashlib.sha256("\n".join([_code(), *map(str, told)]).encode()).hexdigest()
        for year, part, *told in found
    }


def periods(now: Marks, published: Ledger, kept: Collection[Period]) -> frozenset[Period]:
    """Those of the periods kept as published that are still marked as they were."""
    return frozenset(period for period in kept if period in now and published.marks.get(period) == now[period])


def _rows(mart: str) -> str:
    """The rows of a mart, with who is whose tutor and without their numbers, which rows of others shift."""
    if mart == "mart_tutor":
        return f"select * from {mart}"
    return f"""
        select m.* exclude (enrolment), e.tutor_id as named_tutor
        from {mart} as m
        left join stg_enrolments as e on e.enrolment = m.enrolment
    """


@cache
def _code() -> str:
    """A hash of the pipeline's code and SQL, and of the database's version."""
    code = hashlib.sha256(duckdb.__version__.encode())
    for path in sorted(path for kind in ("*.py", "*.sql") for path in (ROOT / "pipelines").rglob(kind)):
        code.update(path.read_bytes())
    return code.hexdigest()
