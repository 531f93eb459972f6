"""Settled periods: published before, from the very rows there are now and by the same code. They are not counted again.

Their cells are the ledger's; their figures through the year, between tutors and of the survey are those of the release
in force.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

import duckdb
import pandas as pd

from pipelines import publish, unchanged
from pipelines.disclosure import rules
from pipelines.disclosure.ledger import PERIOD, Ledger, Marks, in_periods, weeks
from pipelines.disclosure.places import Period
from pipelines.disclosure.tables import EVERY_LEVEL
from pipelines.engines import Connection
from pipelines.engines.duckdb import frame
from pipelines.measures import sets
from pipelines.model import Modelled, Present
from pipelines.pooled import WHOLE_YEAR
from pipelines.settings import Settings
from pipelines.through_the_year import CURVE

# what all else is counted from, without the numbers of enrolments, which rows of others shift
ROWS = {
    "mart_enrolment": "* exclude (enrolment)",
    "mart_response": "* exclude (enrolment)",
    "mart_tutor": "*",
}
CODE = ("**/*.py", "**/*.sql")


def marks(con: Connection, present: Present) -> Marks:
    """Of each period what tells whether it would be counted the same: a hash of its rows, of its entry in mart_period,
    of the columns there are, of which school is in which faculty and whether the year's survey is linked to students,
    and of the code. None on an engine other than DuckDB.

    Needs the marts of single rows.
    """
    if not isinstance(con, duckdb.DuckDBPyConnection):
        return {}
    counted = " union all ".join(
        f"""
        select academic_year, part, '{mart}' as mart, count(*) as number, sum(hash(own)) as rows_hash
        from (select {columns} from {mart}) as own
        group by academic_year, part
        """
        for mart, columns in ROWS.items()
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
    code = unchanged.hash_of_code(CODE, duckdb.__version__)
    columns = repr({table: sorted(given) for table, given in sorted(present.items())})
    return {
        (year, part): hashlib.sha256("\n".join([code, columns, *map(str, told)]).encode()).hexdigest()
        for year, part, *told in found
    }


def periods(now: Marks, published: Ledger, kept: Collection[Period]) -> frozenset[Period]:
    """Those of the periods kept as published that are still marked as they were."""
    return frozenset(period for period in kept if period in now and published.marks.get(period) == now[period])


def in_force(settings: Settings, periods: pd.DataFrame) -> set[Period]:
    """Those of the periods that the release in force has, as far as they have come now. periods: as in `Modelled`."""
    with publish.in_force(settings) as con:
        if con is None:
            return set()
        had = {*con.execute("select academic_year, part, coalesce(through_week, -1) from period").fetchall()}
    now = periods[PERIOD].assign(week=weeks(periods)).itertuples(index=False, name=None)
    return {(year, part) for year, part, week in now if (year, part, week) in had}


def as_published(
    made: dict[str, pd.DataFrame], kept: Collection[Period], modelled: Modelled, settings: Settings
) -> dict[str, pd.DataFrame]:
    """Tables with the rows of kept periods as the release in force has them.

    Weeks say no part: they are of whole years, and of the year in progress to date.
    """
    kept = in_force(settings, modelled.periods).intersection(kept)
    now = modelled.periods
    own = now[(now["part"] == WHOLE_YEAR) | now["in_progress"].astype(bool)]
    years = {year for year, part in own[PERIOD].itertuples(index=False, name=None) if (year, part) in kept}
    with publish.in_force(settings) as con:
        if not kept or con is None:
            return made
        there = {name for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()}
        before = {name: frame(con, f'select * from "{name}"') for name in made if name in there}
    out = dict(made)
    for name, new in made.items():
        old = before.get(name)
        if old is None or list(old.columns) != list(new.columns):
            if modelled.settled:
                raise publish.ReleaseError(
                    f"The release in force has no table {name} as it is now. Run again with --full."
                )
            continue
        if name == "consistency":
            old = old[old["between"] == "tutors"]
            exact = old[["p", "odds_ratio_lower"]].notna().any(axis=None)
            if exact or {*old["part"], *old["level"]} - {WHOLE_YEAR, EVERY_LEVEL}:  # as an earlier version told them
                continue
        if name == "curve":  # of which earlier versions showed every week
            old = _unseen_too(old, new)
        by_part = "part" in new
        is_kept = [in_periods(f, set(kept)) if by_part else f["academic_year"].isin(years) for f in (old, new)]
        out[name] = pd.concat([old[is_kept[0]], new[~is_kept[1]]]).astype(new.dtypes.to_dict())
    return out


def _unseen_too(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """The old curves, without the weeks that the new ones do not show."""
    keys = [c for c in CURVE if c in old]
    unseen = new.loc[new["status"] != rules.SHOWN, keys]
    hide = (old["status"] == rules.SHOWN).to_numpy(bool) & (sets.find(old, unseen, keys) >= 0)
    figures = {c: old[c].mask(hide) for c in ("base", "value", "lower", "upper")}
    return old.assign(**figures, status=old["status"].mask(hide, rules.SUPPRESSED))
