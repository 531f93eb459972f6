"""Equity gaps, is it real: like for like, within schools or by which schools, and from year to year."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from dashboard import gap_tables, layout
from dashboard.charts.parts import beside_raw, parts
from dashboard.charts.years import by_year
from dashboard.findings import over_years
from dashboard.findings import why as of
from dashboard.layout import Visit
from dashboard.page.equity_where import ALL_LEVELS, Asked, unit_of
from dashboard.style import words


def why(visit: Visit, x: Asked) -> None:
    """Which gaps remain like for like; then what one group's gap is made of. Of a school: in its faculty."""
    if x.unit.startswith("school:"):
        x = replace(x, unit=x.top)
        layout.quiet(
            "Like for like sets students of the same school and level side by side, so it is worked out for faculties "
            f"and the university: this is {words.within(visit.name(x.unit))}."
        )
    _show(visit, visit.once("beside", lambda: _beside(visit, x)))
    _show(visit, visit.once("parts", lambda: _parts(visit, x)))


def _show(visit: Visit, chart: dict[str, Any]) -> None:
    """A chart, or where there is none a title and why."""
    if "figure" in chart:
        layout.chart(visit, **chart)
        return
    layout.section(chart["title"])
    if chart.get("note"):
        layout.quiet(chart["note"])


def _beside(visit: Visit, x: Asked) -> dict[str, Any]:
    release, theme = visit.release, visit.theme
    place = visit.name(x.unit)
    gaps = release.gaps(**x.when, unit=x.unit)
    rows = of.beside_rows(gaps, release.characteristics["label"].to_dict(), place)
    title = of.beside_title(rows)
    if not rows:
        return {"title": title}
    return {
        "figure": beside_raw(rows, x.metric, theme, visit.column),
        "title": title,
        "subtitle": (
            f"{place}: clear and possible gaps. {x.about}{unit_of(x.metric)}. "
            "Like for like is among students of the same school and level."
        ),
        "alt": f"{title}.",
        "table": gap_tables.beside_raw(rows, x.metric),
        "figures": lambda: pd.DataFrame(rows),
        "numeric": gap_tables.BESIDE_FIGURES,
        "legend": [(theme.ink, "○", "as it stands"), (theme.accent, "◆", "like for like")],
        "key": "beside",
    }


def _parts(visit: Visit, x: Asked) -> dict[str, Any]:
    release, theme = visit.release, visit.theme
    key = {**x.of, "unit": x.unit, "group": x.group}
    whole = release.derived("decomposition", **key)
    whole = whole[whole["status"] == "shown"]
    if whole.empty:
        levels = ", at all levels together" if x.level != ALL_LEVELS else ""
        why_not = (
            f"It is worked out for the university and faculties{levels}, where enough is shown and few students are in "
            "schools whose figure is hidden."
        )
        return {"title": f"What the gap of {x.group} is made of is not published here", "note": why_not}
    schools = release.derived("decomposition_school", **key)
    schools = schools[schools["status"] == "shown"]
    row = whole.iloc[0].to_dict()
    title = of.part_title(row, x.group, x.characteristic, x.metric)
    finer = {**x.metric.to_dict(), "decimals": int(x.metric["decimals"]) + 1}
    return {
        "figure": parts(of.part_rows(row, schools, release.units, visit.name(x.unit)), finer, theme, visit.column),
        "title": of.part_title(row, x.group, x.characteristic, finer),
        "subtitle": (
            f"{visit.name(x.unit)}. {x.about}{unit_of(x.metric)}. Within schools: the group fares differently from its "
            "own schoolmates. From which schools: it studies more in schools where everybody fares so. Levels are not "
            "held apart here: part of either may come from which levels students are at. Schools whose figure is "
            "hidden count as one."
        ),
        "alt": f"{title}.",
        "table": gap_tables.parts(row, schools, release.units, finer),
        "figures": lambda: pd.concat([whole, schools.assign(unit=schools["school"])] if len(schools) else [whole]),
        "numeric": gap_tables.PART_FIGURES,
        "legend": [(theme.ink, "■", "as it stands"), (theme.accent, "■", "within schools"),
             (theme.context, "■", "from which schools")],
        "key": "parts",
    }  # fmt: skip


def years(visit: Visit, x: Asked) -> None:
    """One group's gap in each whole year, and what is published of how it moved."""
    _show(visit, visit.once("gap years", lambda: _years(visit, x)))


def _years(visit: Visit, x: Asked) -> dict[str, Any]:
    release, reference = visit.release, str(x.characteristic["reference"])
    key = {
        "metric": x.when["metric"], "level": x.level, "unit": x.unit,
        "characteristic": str(x.characteristic["characteristic"]), "group": x.group,
    }  # fmt: skip
    rows = over_years.gap(release.gaps(**key), release.periods)
    trend = release.derived("trend", **key)
    trend = trend[(trend["of"] == "gap") & (trend["status"] == "shown")] if len(trend) else trend
    title = over_years.gap_title(trend, x.group, reference, x.metric)
    if not any(r["status"] == "shown" for r in rows):
        none = f"{x.group} and {reference}: no whole year with a figure to show"
        return {"title": none, "note": "Only whole years are compared with one another."}
    level = words.lowered(release.levels.loc[x.level, "label"])
    return {
        "figure": by_year(rows, x.metric, visit.theme, gap=True),
        "title": title,
        "subtitle": (
            f"{visit.name(x.unit)}. {words.headline(words.quoted(str(x.metric['label'])))}, whole years, {level}: "
            f"{x.group} against {reference}{unit_of(x.metric)}. Bands darken towards the likeliest size."
        ),
        "alt": f"{title}.",
        "table": gap_tables.years(rows, x.metric),
        "figures": lambda: pd.DataFrame(rows).assign(metric=key["metric"]),
        "numeric": gap_tables.YEAR_FIGURES,
        "key": "gap years",
    }
