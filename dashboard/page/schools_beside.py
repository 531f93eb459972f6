"""Views beside the comparison of schools: how they meet, and how consistent they were over the years."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dashboard import layout, tables
from dashboard.charts.modes import look
from dashboard.charts.modes import modes as draw
from dashboard.charts.years import by_year
from dashboard.findings import over_years, ways
from dashboard.findings.consistency import Comparison
from dashboard.layout import Visit
from dashboard.style import words


def modes(visit: Visit, c: Comparison, period: pd.Series, level: str) -> None:
    """The mode mix of each school beside its outcome: modes may differ while outcomes agree."""
    chart = visit.once("modes", lambda: _modes(visit, c, period, level))
    if chart:
        layout.chart(visit, **chart)
    else:
        layout.section(f"How schools meet their students is not published for {c.period}")


def _modes(visit: Visit, c: Comparison, period: pd.Series, level: str) -> dict[str, Any]:
    release = visit.release
    found = release.derived("mode", academic_year=period["academic_year"], part=period["part"])
    places = ways.places(found, c, release.units)
    if not any(p["modes"] for p in places):
        return {}
    names = ways.order(found)
    return {
        "figure": draw(places, names, c.metric, visit.theme, visit.column),
        "title": ways.title(places, names, c),
        "subtitle": (
            f"Left: attended meetings by mode, all levels, {c.period}. "
            f"Right: {layout.about(c.metric, c.period, release.levels.loc[level, 'label'])}, with 95% intervals. "
            "Schools may meet in different ways; what should agree is what comes of it."
        ),
        "alt": f"{ways.title(places, names, c)}.",
        "table": tables.modes(places, names, c.metric),
        "figures": lambda: pd.concat([found, c.numbers.assign(level=level)]),
        "numeric": (*names, str(c.metric["label"]), "95% interval"),
        "legend": [(colour, "■", name) for name, colour in look(names, visit.theme).items()],
        "key": "modes",
    }


def years(visit: Visit, metric: Mapping[Any, Any], period: pd.Series, level: str) -> None:
    """How far apart schools were, year by year, in the same part of the year as the chosen period."""
    release = visit.release
    found = release.derived("consistency", metric=str(metric["metric"]), level=level, unit="university")
    rows = over_years.consistency(found, release.periods, str(period["part"]))
    label = words.quoted(str(metric["label"]))
    if not any(r["status"] == "shown" for r in rows):
        layout.section(f"How far apart schools are on {label} is not published by year")
        layout.quiet("It is worked out for shares of students, where five schools or more have figures.")
        return
    title = over_years.consistency_title(rows, metric)
    layout.chart(
        visit,
        by_year(rows, metric, visit.theme),
        title=title,
        subtitle=(
            f"{words.headline(label)}, {words.lowered(release.levels.loc[level, 'label'])}: where about eight in ten "
            "schools lie, chance set aside, and the middle school."
        ),
        alt=f"{title}.",
        table=tables.consistency_by_year(rows, metric),
        figures=lambda: pd.DataFrame(rows).assign(metric=str(metric["metric"]), level=level),
        numeric=tables.CONSISTENCY_FIGURES,
        note=(
            "Whether schools have come closer is not put to a test here: ranges a little apart may be the same. The "
            "table says how sure each year’s is."
        ),
        key="years",
    )
