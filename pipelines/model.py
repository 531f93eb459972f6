"""Model: from staged rows to cells, the sufficient statistics of every metric for every group and unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

import pandas as pd

from pipelines import models
from pipelines.definitions import Characteristic, Column, Definitions, Metric
from pipelines.engines import Connection, frame
from pipelines.errors import InputError

GRAINS = {"enrolment": "enrolments", "response": "feedback", "tutor": "tutors"}
CELL_ORDER = "academic_year, part, level, unit, characteristic, grp, metric"
NO_WEEK = -1  # no year is in progress: nothing counts as 'to date'

Present = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Modelled:
    """What the models made.

    cells: academic_year, part, level, unit, characteristic, group, metric, n, sx, sxx, sy, syy, sxy,
    have_some, lack_some.
    periods: as mart_period. data_through: the last meeting's date. settled: periods that were not counted again, so
    that cells has none of theirs.
    """

    cells: pd.DataFrame
    periods: pd.DataFrame
    schools: pd.DataFrame
    data_through: date | None
    settled: frozenset[tuple[str, str]] = frozenset()


def missing(metric: Metric, present: Present) -> str | None:
    """Why `metric` cannot be computed from the extracts given, in words; None when it can."""
    for table, column in lacking(metric, present):
        return f"the {table} extract has no {column}" if present.get(table) else f"there is no {table} extract"
    return None


def lacking(metric: Metric, present: Present) -> Iterator[tuple[str, str]]:
    """Table and column of what `metric` needs and the extracts do not have."""
    for need in sorted({f"{GRAINS[metric.grain]}.", *metric.needs}):
        table, _, column = need.partition(".")
        there = present.get(table, frozenset())
        if not there or (column and column not in there):
            yield table, column


def missing_characteristic(characteristic: Characteristic, present: Present) -> str | None:
    """Why `characteristic` cannot be used, in words; None when it can."""
    if characteristic.column in present.get("enrolments", frozenset()):
        return None
    return f"the enrolments extract has no {characteristic.column}"


def rows(con: Connection, definitions: Definitions, present: Present) -> pd.DataFrame:
    """Make the marts of single rows, from which all else is counted; return the periods there are, as mart_period."""
    of = usable(definitions, present)
    models.run(con, "mart_unit")
    models.run(con, "mart_period")
    periods = con.execute("select * from mart_period order by academic_year, part").df()
    if periods.empty:
        raise InputError(
            "There is nothing to measure yet: no academic year has both meetings and a complete teaching week. "
            "Run again once a week of teaching has passed, or check the dates in the calendar."
        )
    models.run(con, "mart_contact", current_week=_current_week(periods))
    models.run(con, "mart_enrolment", characteristics=of)
    models.run(con, "mart_response", characteristics=of, statements=_answers(definitions))
    models.run(con, "mart_tutor")
    return periods


def cells(
    con: Connection,
    definitions: Definitions,
    present: Present,
    periods: pd.DataFrame,
    settled: frozenset[tuple[str, str]] = frozenset(),
) -> Modelled:
    """Count the cells of all periods but those that are settled. periods: from `rows`."""
    characteristics = [c.name for c in usable(definitions, present)]
    metrics = [m for m in definitions.metrics.values() if not missing(m, present)]
    grains = [
        {
            "name": grain,
            "has_levels": grain != "tutor",
            "characteristics": [] if grain == "tutor" else characteristics,
            "metrics": [_where_known(m) for m in metrics if m.grain == grain],
        }
        for grain in GRAINS
    ]
    models.run(con, "mart_counted", settled=sorted(settled))
    models.run(con, "mart_cell", grains=[g for g in grains if g["metrics"]])
    through = con.execute("select max(meeting_date) from stg_meetings where status <> 'cancelled'").fetchone()
    return Modelled(
        # in one order, so that the same extracts give the same release
        cells=frame(con, f"select * from mart_cell order by {CELL_ORDER}").rename(columns={"grp": "group"}),
        periods=periods,
        schools=con.execute(
            "select school_code, school_name, faculty_code, faculty_name from stg_schools order by school_name"
        ).df(),
        data_through=through[0] if through else None,
        settled=settled,
    )


def usable(definitions: Definitions, present: Present) -> list[Characteristic]:
    """The characteristics that the extracts have."""
    return [c for c in definitions.characteristics.values() if not missing_characteristic(c, present)]


def _where_known(metric: Metric) -> Metric:
    """A metric without dates has no value in earlier years to date, of which nobody knows how things stood then."""
    return metric if metric.dated else replace(metric, value=f"case when has_undated then {metric.value} end")


def _current_week(periods: pd.DataFrame) -> int:
    """The week that the year in progress has reached."""
    reached = periods.loc[periods["part"] == "to_date", "through_week"]
    return int(reached.max()) if len(reached) else NO_WEEK


def _answers(definitions: Definitions) -> list[str]:
    """The columns of a response that hold answers: its whole numbers."""
    columns: list[Column] = list(definitions.tables["feedback"].columns.values())
    return [c.name for c in columns if c.type == "integer"]
