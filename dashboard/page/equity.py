"""Equity gaps: who is missing out, where?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import layout, tables
from dashboard.charts.gaps import graded_gaps
from dashboard.charts.groups import appearance, side_by_side
from dashboard.filters import EVERYWHERE, Filters
from dashboard.findings import equity, quality
from dashboard.layout import Visit
from dashboard.style import html

UNIVERSITY = "university"
GAP_COLUMNS = ("Gap", "95% interval", "Out of")


def page(visit: Visit) -> None:
    """All gaps at the university on one measure; then one characteristic in every faculty and school."""
    release = visit.release
    layout.question(release.about["university"], "Who is missing out, and where?")
    head = st.container()
    with st.container(key="filters"):
        filters = Filters(release)
        metric, level = filters.metric(), filters.level()
        period = filters.period(metric["metric"], level)
    when = {"academic_year": period["academic_year"], "part": period["part"], "level": level}
    about = layout.about(metric, period["label"], release.levels.loc[level, "label"])

    gaps = release.gaps(metric=metric["metric"], unit=UNIVERSITY, **when)
    with head:
        layout.answer(equity.equity_answer(gaps, release.metrics, metric, release.characteristics))
    layout.define(metric)
    if text := quality.not_in_extract(release.characteristics):
        layout.quiet(text)
    if gaps.empty:
        return
    _everyone(visit, gaps, metric, about)

    layout.section("Where? Choose whom to follow through faculties and schools")
    found = equity.missing_out(gaps, release.metrics)
    with st.container(key="filters-where"):
        first = found if len(found) else gaps
        characteristic = filters.characteristic(str(first.iloc[0]["characteristic"]))
        groups = release.groups[release.groups["characteristic"] == characteristic["characteristic"]]
        of_these = first[first["characteristic"] == characteristic["characteristic"]]
        group = filters.group(groups, str(of_these.iloc[0]["group"]) if len(of_these) else "")
        faculty = filters.faculty("Where", "All faculties")
    chosen = {"metric": metric["metric"], "characteristic": characteristic["characteristic"], **when}
    _places(visit, release.cells(**chosen), groups, characteristic, metric, faculty, about)
    _schools(visit, release.gaps(**chosen, group=group), characteristic, group, metric, faculty, about)


def _everyone(visit: Visit, gaps: pd.DataFrame, metric: pd.Series, about: str) -> None:
    release = visit.release
    rows = tables.gap_rows(gaps, release.characteristics, release.groups)
    title = equity.equity_title(gaps)
    layout.chart(
        graded_gaps(rows.assign(name=release.about["university"]), metric, visit.theme, True, visit.column),
        title=title,
        subtitle=f"Groups against their reference. {about}{_unit_of(metric)}. Bands darken towards the likeliest size.",
        alt=f"{title}. {equity.equity_answer(gaps, release.metrics, metric, release.characteristics)}",
        table=tables.gaps(rows[~rows["heading"]], metric, "group"),
        numeric=GAP_COLUMNS,
        legend=_gap_key(visit, metric),
        key="everyone",
    )


def _places(
    visit: Visit,
    cells: pd.DataFrame,
    groups: pd.DataFrame,
    characteristic: pd.Series,
    metric: pd.Series,
    faculty: str,
    about: str,
) -> None:
    units = visit.release.units
    top = UNIVERSITY if faculty == EVERYWHERE else faculty
    places = units[units["unit"].isin([UNIVERSITY, top]) | (units["parent"] == top)]
    drawn = cells[cells["unit"].isin(places["unit"])]
    occurring = set(drawn.loc[drawn["status"] != "none", "group"])
    marked = set(drawn.loc[drawn["status"] == "shown", "group"])
    look = appearance(groups, bool(characteristic["ordered"]), visit.theme)
    look = {name: how for name, how in look.items() if name in occurring}
    never = "; Unknown is shown, never compared" if "Unknown" in marked else ""
    title = equity.groups_title(cells[cells["unit"] == top], groups, metric, str(units.loc[top, "name"]))
    layout.chart(
        side_by_side(cells, places, look, metric, visit.theme, visit.column),
        title=title,
        subtitle=(f"{characteristic['label']}. {about}. The reference is {characteristic['reference']}{never}."),
        alt=f"{characteristic['label']}. {title}.",
        table=tables.groups(cells, places, list(look), metric),
        numeric=list(look),
        legend=html.key([(colour, glyph, name) for name, (colour, _, glyph) in look.items() if name in marked]),
        key="places",
        note=equity.hidden_words(cells, places),
    )


def _schools(
    visit: Visit,
    gaps: pd.DataFrame,
    characteristic: pd.Series,
    group: str,
    metric: pd.Series,
    faculty: str,
    about: str,
) -> None:
    reference = str(characteristic["reference"])
    rows = tables.school_gap_rows(gaps, visit.release.units, None if faculty == EVERYWHERE else faculty)
    schools = rows[rows["kind"] == "school"]
    title = equity.places_title(schools, group, reference)
    layout.chart(
        graded_gaps(rows, metric, visit.theme, column=visit.column),
        title=title,
        subtitle=f"{characteristic['label']}: {group} against {reference}, by school. {about}{_unit_of(metric)}.",
        alt=f"{title}.",
        table=tables.gaps(rows, metric, "name"),
        numeric=GAP_COLUMNS,
        legend=_gap_key(visit, metric),
        key="gaps",
        note=equity.elsewhere(rows[rows["unit"] == UNIVERSITY], schools) if faculty == EVERYWHERE else "",
    )


def _unit_of(metric: pd.Series) -> str:
    """', in points' where gaps are."""
    return f", in{metric['gap_suffix']}" if metric["gap_suffix"] else ""


def _gap_key(visit: Visit, metric: pd.Series) -> str:
    theme = visit.theme
    if metric["better"] == "neither":
        return html.key([(theme.context, "●", "gap; neither direction is better")])
    left, right = "◀ ◁", "▶ ▷"
    worse, better = (left, right) if metric["better"] == "higher" else (right, left)
    return html.key(
        [
            (theme.attention, worse, "group worse off: clear gap, possible gap"),
            (theme.well, better, "group better off: clear gap, possible gap"),
            (theme.context, "●", "no clear gap, or too few to say"),
        ]
    )
