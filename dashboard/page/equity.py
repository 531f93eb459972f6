"""Equity gaps: who is missing out, where?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import layout, nearby, tables
from dashboard.access import UNIVERSITY
from dashboard.charts.gaps import graded_gaps
from dashboard.charts.groups import appearance, side_by_side
from dashboard.filters import EVERYWHERE, Filters
from dashboard.findings import equity, quality, standing
from dashboard.layout import Visit
from dashboard.style import html, words

GAP_COLUMNS = ("Gap", "95% interval", "Out of")


def page(visit: Visit) -> None:
    """All gaps in a unit on one measure; then one characteristic in the faculties and schools that the viewer sees."""
    release = visit.release
    layout.question(release.about["university"], "Who is missing out, and where?")
    head = st.container()
    with st.container(key="filters"):
        filters = Filters(release)
        unit, metric, level = filters.unit(), filters.metric(), filters.level()
        period = filters.period(metric["metric"], level)
    when = {"academic_year": period["academic_year"], "part": period["part"], "level": level}
    about = layout.about(metric, period["label"], release.levels.loc[level, "label"])

    place = "at the university" if unit == UNIVERSITY else f"in {words.within(visit.name(unit))}"
    gaps = release.gaps(metric=metric["metric"], unit=unit, **when)
    answer = equity.equity_answer(gaps, release.metrics, metric, release.characteristics, place)
    with head:
        layout.answer(answer)
        layout.not_seen(visit, filters)
    layout.define(metric)
    if text := quality.not_in_extract(release.characteristics):
        layout.quiet(text)
    if gaps.empty:
        return
    _everyone(visit, gaps, metric, about, visit.name(unit), answer)

    layout.section("Where? Choose whom to follow through faculties and schools")
    found = equity.missing_out(gaps, release.metrics)
    with st.container(key="filters-where"):
        first = found if len(found) else gaps
        characteristic = filters.characteristic(str(first.iloc[0]["characteristic"]))
        groups = release.groups[release.groups["characteristic"] == characteristic["characteristic"]]
        of_these = first[first["characteristic"] == characteristic["characteristic"]]
        group = filters.group(groups, str(of_these.iloc[0]["group"]) if len(of_these) else "")
        faculty = filters.faculty("Where", "All faculties") if unit == UNIVERSITY else EVERYWHERE
    top = faculty if faculty != EVERYWHERE else _top(visit, unit)
    chosen = {"metric": metric["metric"], "characteristic": characteristic["characteristic"], **when}
    bands = release.band(metric["metric"], level, period, characteristic["characteristic"])
    _places(visit, release.cells(**chosen), groups, characteristic, metric, top, about, bands)
    _schools(visit, release.gaps(**chosen, group=group), characteristic, group, metric, top, about)


def _top(visit: Visit, unit: str) -> str:
    """The unit whose parts are looked into: a school's faculty; what leads see of the university is their faculty."""
    units = visit.release.units
    start = visit.viewer.home if unit == UNIVERSITY else unit
    return str(units.loc[start, "parent"]) if units.loc[start, "kind"] == "school" else start


def _everyone(visit: Visit, gaps: pd.DataFrame, metric: pd.Series, about: str, place: str, answer: str) -> None:
    release = visit.release
    rows = tables.gap_rows(gaps, release.characteristics, release.groups)
    title = equity.equity_title(gaps)
    layout.chart(
        visit,
        graded_gaps(rows.assign(name=place), metric, visit.theme, True, visit.column),
        title=title,
        subtitle=(
            f"{place}: groups against their reference. {about}{_unit_of(metric)}. "
            "Bands darken towards the likeliest size."
        ),
        alt=f"{title}. {answer}",
        table=tables.gaps(rows[~rows["heading"]], metric, "group"),
        figures=lambda: gaps,
        numeric=GAP_COLUMNS,
        legend=_gap_key(visit, metric),
        key="everyone",
    )
    nearby.groups(visit, gaps[gaps["status"] == "suppressed"], release.gaps, across=True)


def _places(
    visit: Visit,
    cells: pd.DataFrame,
    groups: pd.DataFrame,
    characteristic: pd.Series,
    metric: pd.Series,
    top: str,
    about: str,
    bands: pd.DataFrame,
) -> None:
    units = visit.release.units
    places = units[units["unit"].isin([UNIVERSITY, top]) | (units["parent"] == top)]
    drawn = cells[cells["unit"].isin(places["unit"])]
    occurring = set(drawn.loc[drawn["status"] != "none", "group"])
    marked = set(drawn.loc[drawn["status"] == "shown", "group"])
    look = appearance(groups, bool(characteristic["ordered"]), visit.theme)
    look = {name: how for name, how in look.items() if name in occurring}
    never = "; Unknown is shown, never compared" if "Unknown" in marked else ""
    title = equity.groups_title(cells[cells["unit"] == top], groups, metric, str(units.loc[top, "name"]))
    layout.chart(
        visit,
        side_by_side(cells, places, look, metric, visit.theme, visit.column),
        title=title,
        subtitle=(f"{characteristic['label']}. {about}. The reference is {characteristic['reference']}{never}."),
        alt=f"{characteristic['label']}. {title}.",
        table=tables.groups(cells, places, list(look), metric, _unnamed(visit, bands, list(look), metric)),
        figures=lambda: drawn,
        numeric=list(look),
        legend=html.key([(colour, glyph, name) for name, (colour, _, glyph) in look.items() if name in marked]),
        key="places",
        note=equity.hidden_words(cells, places),
    )
    nearby.groups(visit, drawn[drawn["status"] == "suppressed"], visit.release.cells)


def _unnamed(visit: Visit, bands: pd.DataFrame, groups: list[str], metric: pd.Series) -> dict[str, str]:
    """The unnamed band of all schools, group by group, for whoever sees some schools only."""
    if visit.viewer.home == UNIVERSITY:
        return {}
    spreads = {group: standing.band(bands, group) for group in groups}
    return {g: words.interval(b.low, b.high, metric) for g, b in spreads.items() if b}


def _schools(
    visit: Visit,
    gaps: pd.DataFrame,
    characteristic: pd.Series,
    group: str,
    metric: pd.Series,
    top: str,
    about: str,
) -> None:
    reference = str(characteristic["reference"])
    rows = tables.school_gap_rows(gaps, visit.release.units, None if top == UNIVERSITY else top)
    schools = rows[rows["kind"] == "school"]
    title = equity.places_title(schools, group, reference)
    if len(schools) == 1:
        title = equity.school_title(schools.iloc[0].to_dict(), group, reference)
    layout.chart(
        visit,
        graded_gaps(rows, metric, visit.theme, column=visit.column),
        title=title,
        subtitle=f"{characteristic['label']}: {group} against {reference}, by school. {about}{_unit_of(metric)}.",
        alt=f"{title}.",
        table=tables.gaps(rows, metric, "name"),
        figures=lambda: gaps[gaps["unit"].isin(rows["unit"])],
        numeric=GAP_COLUMNS,
        legend=_gap_key(visit, metric),
        key="gaps",
        note=equity.elsewhere(rows[rows["unit"] == UNIVERSITY], schools) if top == UNIVERSITY else "",
    )
    hidden = gaps[gaps["unit"].isin(schools["unit"]) & (gaps["status"] == "suppressed")]
    nearby.groups(visit, hidden, visit.release.gaps)


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
