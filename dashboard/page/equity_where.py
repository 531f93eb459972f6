"""Equity gaps, where: one characteristic and one group through faculties and schools."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from dashboard import gap_tables, layout, nearby, tables
from dashboard.access import UNIVERSITY
from dashboard.charts.gaps import graded_gaps
from dashboard.charts.groups import appearance, side_by_side
from dashboard.findings import equity, standing, why
from dashboard.layout import Visit
from dashboard.style import html, words

GAP_COLUMNS = ("Gap", "95% interval", "Out of")
ALL_LEVELS = "all"
MOST_WITHOUT = 4  # schools without a figure that have rows of their own; more are told in one sentence


@dataclass(frozen=True)
class Asked:
    """What a view of gaps is about: `top` is the unit whose parts are looked into, `about` says all this in words."""

    unit: str
    metric: pd.Series
    level: str
    period: pd.Series
    characteristic: pd.Series
    group: str
    top: str
    about: str

    @property
    def when(self) -> dict[str, str]:
        """The metric, period and level, as a release is asked for them."""
        year, part = str(self.period["academic_year"]), str(self.period["part"])
        return {"metric": str(self.metric["metric"]), "academic_year": year, "part": part, "level": self.level}

    @property
    def of(self) -> dict[str, str]:
        """The same with the characteristic."""
        return {**self.when, "characteristic": str(self.characteristic["characteristic"])}


def where(visit: Visit, x: Asked) -> None:
    """Groups side by side in each place; then one group's gap in every school, and in all of them pooled."""
    release = visit.release
    shown, hidden = visit.once("places", lambda: _places(visit, x))
    layout.chart(visit, **shown)
    nearby.groups(visit, hidden, release.cells)
    shown, hidden = visit.once("gaps", lambda: _schools(visit, x))
    layout.chart(visit, **shown)
    nearby.groups(visit, hidden, release.gaps)


def top_of(visit: Visit, unit: str) -> str:
    """The unit whose parts are looked into: a school's faculty as far as the viewer sees it, else the university.

    What leads see of the university is their faculty.
    """
    units = visit.release.units
    start = visit.viewer.home if unit == UNIVERSITY else unit
    return str(units.loc[start, "parent"]) if units.loc[start, "kind"] == "school" else start


def _places(visit: Visit, x: Asked) -> tuple[dict[str, Any], pd.DataFrame]:
    """The chart of groups side by side, and the figures hidden in it."""
    release, metric, characteristic, top = visit.release, x.metric, x.characteristic, x.top
    name, units, groups = str(characteristic["characteristic"]), release.units, release.groups
    groups = groups[groups["characteristic"] == name]
    bands = release.band(str(metric["metric"]), x.level, x.period, name)
    cells = release.cells(**x.of)
    places = units[units["unit"].isin([UNIVERSITY, top]) | (units["parent"] == top)]
    drawn = cells[cells["unit"].isin(places["unit"])]
    occurring = set(drawn.loc[drawn["status"] != "none", "group"])
    marked = set(drawn.loc[drawn["status"] == "shown", "group"])
    look = appearance(groups, bool(characteristic["ordered"]), visit.theme)
    look = {name: how for name, how in look.items() if name in occurring}
    never = "; Unknown is shown, never compared" if "Unknown" in marked else ""
    title = equity.groups_title(cells[cells["unit"] == top], groups, metric, str(units.loc[top, "name"]))
    chart = {
        "figure": side_by_side(cells, places, look, metric, visit.theme, visit.column),
        "title": title,
        "subtitle": (
            f"{characteristic['label']}. {x.about}. The reference is {characteristic['reference']}{never}. "
            "Lines are 95% intervals: small groups lie apart by chance too."
        ),
        "alt": f"{characteristic['label']}. {title}.",
        "table": tables.groups(cells, places, list(look), metric, _unnamed(visit, bands, list(look), metric)),
        "figures": lambda: drawn,
        "numeric": list(look),
        "legend": [(colour, glyph, name) for name, (colour, _, glyph) in look.items() if name in marked],
        "key": "places",
        "note": equity.hidden_words(cells, places),
    }
    return chart, drawn[drawn["status"] == "suppressed"]


def _unnamed(visit: Visit, bands: pd.DataFrame, groups: list[str], metric: pd.Series) -> dict[str, str]:
    """The unnamed band of all schools, group by group, for whoever sees some schools only."""
    if visit.viewer.home == UNIVERSITY:
        return {}
    spreads = {group: standing.band(bands, group) for group in groups}
    return {g: words.interval(b.low, b.high, metric) for g, b in spreads.items() if b}


def _schools(visit: Visit, x: Asked) -> tuple[dict[str, Any], pd.DataFrame]:
    """The chart of one group's gap in every school, and the gaps hidden in it."""
    release, metric, group, reference = visit.release, x.metric, x.group, str(x.characteristic["reference"])
    gaps = release.gaps(**x.of, group=group)
    pooled = release.derived("pooled_gap", **x.of, unit=x.top, group=group)
    drawn = release.derived("pooled_gap_school", **x.of, unit=x.top, group=group)
    rows = tables.school_gap_rows(gaps, release.units, None if x.top == UNIVERSITY else x.top)
    schools = rows[rows["kind"] == "school"]
    title = equity.places_title(schools, group, reference)
    if len(schools) == 1:
        title = equity.school_title(schools.iloc[0].to_dict(), group, reference)
    note = equity.elsewhere(rows[rows["unit"] == UNIVERSITY], schools) if x.top == UNIVERSITY else ""
    without = schools.loc[schools["status"] != "shown", ["short_name", "status"]]
    seen = rows
    if len(without) > MOST_WITHOUT:
        seen = rows[~rows["unit"].isin(schools.loc[schools["status"] != "shown", "unit"])]
        note = f"{equity.without_words(without)} {note}".rstrip()
    if x.level != ALL_LEVELS and (schools["status"] == "none").all():
        note = "Groups within a school are published for all levels together only."
    faculty = "" if x.top == UNIVERSITY else str(release.units.loc[x.top, "short_name"])
    whole = gap_tables.pooled_rows(rows, pooled, drawn, faculty)
    chart = {
        "figure": graded_gaps(
            whole[whole["unit"].isin([*seen["unit"], "pooled"])],
            metric,
            visit.theme,
            column=visit.column,
            likely=why.likely(pooled),
        ),
        "title": title,
        "subtitle": (
            f"{x.characteristic['label']}: {group} against {reference}, by school. {x.about}{unit_of(metric)}. "
            f"{why.pooled_words(pooled, metric)}".rstrip()
        ),
        "alt": f"{title}. {why.pooled_words(pooled, metric)}".rstrip(),
        "table": tables.gaps(whole, metric, "name"),
        "figures": lambda: gap_tables.numbers(gaps[gaps["unit"].isin(rows["unit"])], pooled, drawn),
        "numeric": GAP_COLUMNS,
        "legend": gap_key(visit, metric, pooled),
        "key": "gaps",
        "note": note,
    }
    return chart, gaps[gaps["unit"].isin(schools["unit"]) & (gaps["status"] == "suppressed")]


def unit_of(metric: pd.Series) -> str:
    """', in points' where gaps are."""
    return f", in{metric['gap_suffix']}" if metric["gap_suffix"] else ""


def gap_key(visit: Visit, metric: pd.Series, pooled: pd.DataFrame | None = None) -> list[html.Key]:
    """What the marks of a chart of gaps mean."""
    theme = visit.theme
    if metric["better"] == "neither":
        return [(theme.context, "●", "gap; neither direction is better")]
    left, right = "◀ ◁", "▶ ▷"
    worse, better = (left, right) if metric["better"] == "higher" else (right, left)
    more = []
    if pooled is not None and len(pooled):
        more = [
            (theme.ink, "○", "drawn towards the pooled gap"),
            (theme.context, "▒", "where another such school’s would lie"),
        ]
    return [
        (theme.attention, worse, "group worse off: clear gap, possible gap"),
        (theme.well, better, "group better off: clear gap, possible gap"),
        (theme.context, "●", "no clear gap, or too few to say"),
        *more,
    ]
