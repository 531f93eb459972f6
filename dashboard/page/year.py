"""Through the year: who has not met their tutor yet, and which weeks were unlike those of earlier years?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import layout, tables_year
from dashboard.access import UNIVERSITY
from dashboard.charts.curves import Line, Panel, curves
from dashboard.charts.groups import appearance
from dashboard.charts.weeks import contacts
from dashboard.filters import Filters
from dashboard.findings import year as findings
from dashboard.findings.year import SHARE, Row, Span
from dashboard.layout import Visit
from dashboard.periods import code, period_before
from dashboard.style import words

PANEL = 1.8  # the width of lines in small panels


def page(visit: Visit) -> None:
    """The share who have met their tutor by each week, in a unit and by group, and contacts week by week."""
    release = visit.release
    layout.question(release.about["university"], "Who has not met their tutor yet?")
    head = st.container()
    with layout.filters(visit):
        filters = Filters(release)
        unit, level = filters.unit(), filters.level()
        period = filters.year()
    year, last = str(period["academic_year"]), period_before(release, period)
    curve = release.rows("curve", level=level, characteristic="all")
    weeks = findings.line(curve, year, UNIVERSITY)
    if weeks.empty:
        with head:
            layout.answer("This release does not say by when students met their tutor.")
        return
    week = int(weeks["week"].max())
    before = str(last["academic_year"]) if last is not None else ""
    span = Span(year, before, week, str(period["label"]), period["part"] == "to_date")
    gaps = release.gaps(
        metric=findings.NOT_MET, unit=unit, level=level, academic_year=year, part=str(period["part"])
    )  # fmt: skip
    with head:
        layout.answer(_answer(visit, curve, gaps, unit, span))
        layout.not_seen(visit, filters)
    layout.quiet(
        "Met: at least one attended meeting on record. A meeting that was held and not logged does not count, so a low "
        "share can be a matter of logging. Week 0 is induction."
    )
    _unit(visit, curve, unit, level, span)
    visit.link(
        "schools", "See how your school compares"
        if visit.viewer.home.startswith("school:")
        else "See in which schools most students had no meeting", metric=findings.NOT_MET, level=level,
        period=code(period),
    )  # fmt: skip
    layout.section("Who? Choose whom to tell apart")
    first = findings.first_gap(gaps, release.metrics, release.characteristics)
    with st.container(key="filters-where"):
        characteristic = filters.characteristic(str(first["characteristic"]) if first else "")
    _groups(visit, characteristic, unit, level, span)
    _contacts(visit, unit, span)


def _answer(visit: Visit, curve: pd.DataFrame, gaps: pd.DataFrame, unit: str, span: Span) -> str:
    release = visit.release
    place = "at the university" if unit == UNIVERSITY else f"in {words.within(visit.name(unit))}"
    now, before = (findings.last_point(findings.line(curve, y, unit), span) for y in (span.year, span.last))
    said = findings.answer(now, before, place, span)
    gap = findings.widest(gaps, release.metrics, release.characteristics)
    return f"{said} {gap}".strip()


def _about(visit: Visit, level: str) -> str:
    return (
        f"{SHARE['label']} by the end of each teaching week, {words.lowered(visit.release.levels.loc[level, 'label'])}"
    )


def _unit(visit: Visit, curve: pd.DataFrame, unit: str, level: str, span: Span) -> None:
    """A unit this year and last, beside the university."""
    theme, name = visit.theme, visit.name(unit)
    here = [(unit, name, theme.accent, True)]
    if unit != UNIVERSITY:
        here.append((UNIVERSITY, "University", theme.context, False))
    lines = [
        Line(
            f"{called}, {y}",
            findings.line(curve, y, u),
            colour,
            dash,
            3 if own and y == span.year else 2,
            own and y == span.year,
        )
        for u, called, colour, own in here
        for y, dash in ((span.year, "solid"), (span.last, "dash"))
        if y
    ]
    points = {
        (u, y): findings.last_point(findings.line(curve, y, u), span)
        for u in (unit, UNIVERSITY)
        for y in (span.year, span.last)
    }
    now = points[unit, span.year]
    university = points[UNIVERSITY, span.year] if unit != UNIVERSITY else None
    title = findings.units_title(now, university, points[unit, span.last], name, span)
    drawn = [x for x in lines if len(x.points)]
    said = "" if now else words.STATUS["suppressed"]
    here = curve["unit"].isin([unit, UNIVERSITY])
    drawn_rows = curve[here & curve["academic_year"].isin([span.year, span.last])]
    layout.chart(
        visit,
        layout.drawn(visit, lambda: curves([Panel("", drawn, said)], theme, visit.column), "curve", unit, level, span),
        title=title,
        subtitle=f"{name}. {_about(visit, level)}, out of {_out_of(now)}. The band is the 95% interval.",
        alt=f"{title}.",
        table=tables_year.beside({x.name: x.points for x in drawn}),
        numeric=[x.name for x in drawn],
        legend=[(x.colour, "━━" if x.dash == "solid" else "╌╌", x.name) for x in drawn],
        figures=lambda: drawn_rows,
        key="curve",
    )


def _out_of(point: Row | None) -> str:
    return f"{words.about(point['base'])} enrolled" if point else "those enrolled"


def _groups(visit: Visit, characteristic: pd.Series, unit: str, level: str, span: Span) -> None:
    """Groups of a characteristic, each in a panel of its own, this year and last."""
    release, theme, name = visit.release, visit.theme, str(characteristic["characteristic"])
    curve = release.rows("curve", level=level, characteristic=name, unit=unit)
    groups = release.groups[release.groups["characteristic"] == name]
    there = [g for g in groups.sort_values("ordering")["group"] if g in set(curve.get("group", []))]
    if not there:
        layout.section("Groups are not told apart here")
        layout.quiet("Groups of faculties and schools are published for all levels together only.")
        return
    look = appearance(groups, bool(characteristic["ordered"]), theme)
    now, before = ({g: findings.line(curve, y, unit, g) for g in there} for y in (span.year, span.last))
    everyone = findings.line(release.rows("curve", level=level, characteristic="all", unit=unit), span.year, unit)
    points = {g: p for g in there if (p := findings.last_point(now[g], span))}
    panels = [
        Panel(
            g if g not in points else f"{g} {words.value(points[g]['value'], SHARE)}",
            [
                Line("Everyone", everyone, theme.context, width=1),
                Line(f"{g}, {span.last}", before[g], look[g][0], "dot", PANEL),
                Line(f"{g}, {span.year}", now[g], look[g][0], width=PANEL + 0.7, band=True),
            ],
            "" if g in points else words.STATUS["suppressed"],
        )
        for g in there
    ]
    compared = groups.loc[groups["compared"].astype(bool), "group"].tolist()
    title = findings.groups_title(points, compared, span)
    lines = [
        (theme.ink, "━━", span.year),
        (theme.ink, "╌╌", span.last),
        (theme.context, "━━", f"everyone, {span.year}"),
    ]
    layout.chart(
        visit,
        layout.drawn(visit, lambda: curves(panels, theme, visit.column), "curves", name, unit, level, span),
        title=title,
        subtitle=f"{visit.name(unit)}, by {words.lowered(str(characteristic['label']))}. {_about(visit, level)}. "
        "Bands are 95% intervals.",
        alt=f"{title}. {findings.hidden_groups(now, before, span.last)}".strip(),
        table=tables_year.by_group(now, before, span.year, span.last),
        numeric=(span.year, span.last, "Out of"),
        legend=[x for x in lines if x[2]],
        figures=lambda: curve[curve["academic_year"].isin([span.year, span.last])],
        key="group curves",
        note=findings.hidden_groups(now, before, span.last),
    )
    visit.link(
        "equity",
        "See these gaps with their evidence",
        metric=findings.NOT_MET,
        characteristic=name,
        unit=unit,
        level=level,
    )


def _contacts(visit: Visit, unit: str, span: Span) -> None:
    """Contacts of all levels week by week, and which weeks stand out."""
    weeks = visit.release.rows("week", unit=unit, academic_year=span.year)
    if weeks.empty:
        return
    weeks = weeks.assign(why=[tables_year.why(w) for w in weeks.to_dict("records")])
    title, theme = findings.weeks_title(weeks), visit.theme
    layout.chart(
        visit,
        layout.drawn(visit, lambda: contacts(weeks, theme), "weeks", unit, span),
        title=title,
        subtitle=f"{visit.name(unit)}: attended contacts in each teaching week of {span.year}, all levels, "
        "beside the same week of earlier years for this year’s number of students.",
        alt=f"{title}. {findings.weeks_words(weeks)}",
        table=tables_year.contacts(weeks),
        numeric=tables_year.CONTACTS,
        legend=[
            (theme.well, "▲", "stands out above"),
            (theme.attention, "▼", "stands out below"),
            (theme.context, "╌╌", "expected"),
            (theme.context, "▒", "limits within which weeks usually lie"),
        ],
        figures=lambda: weeks,
        key="weeks",
        note=findings.weeks_words(weeks),
    )
