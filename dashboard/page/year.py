"""Through the year: who has not met their tutor yet, and which weeks were unlike those of earlier years?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import layout, tables_year
from dashboard.access import UNIVERSITY
from dashboard.charts.curves import Line, Panel, curves, reach
from dashboard.charts.groups import appearance
from dashboard.charts.weeks import contacts
from dashboard.filters import Filters
from dashboard.findings import year as findings
from dashboard.findings.year import SHARE, Row, Span
from dashboard.layout import Visit
from dashboard.periods import code, period_before
from dashboard.style import words

PANEL = 1.8  # the width of lines of groups
TOGETHER = 3  # groups that share one panel
AHEAD = 2  # weeks of the axis beyond that which the year in progress has reached, for names
FOREVER = 99


def page(visit: Visit) -> None:
    """The share who have met their tutor by each week, in a unit and by group, and contacts week by week."""
    release = visit.release
    head = st.container()
    with layout.filters(visit):
        filters = Filters(release)
        unit, level = filters.unit(), filters.level()
        period = filters.year()
    x = visit.once("asked", lambda: _asked(visit, unit, level, period))
    with head:
        layout.question(layout.whose(visit, unit, str(period["label"])), "Who has not met their tutor yet?")
    if not x:
        with head:
            layout.answer("This release does not say by when students met their tutor.")
        return
    with head:
        layout.answer(visit.once("answer", lambda: _answer(visit, x)))
        layout.not_as_asked(visit, filters)
    layout.quiet(
        "Met: at least one attended meeting on record. A meeting that was held and not logged does not count, so a low "
        "share can be a matter of logging. Week 0 is induction. Lines have a point for weeks by whose end enough more "
        "students had met their tutor for it to be shown."
    )
    layout.chart(visit, **visit.once("curve", lambda: _unit(visit, x)))
    visit.link(
        "schools", "See how your school compares"
        if visit.viewer.home.startswith("school:")
        else "Compare schools on who had no meeting", metric=findings.NOT_MET, level=level,
        period=code(period),
    )  # fmt: skip
    layout.section("Who? Choose whom to tell apart")
    with st.container(key="filters-where"):
        characteristic = filters.characteristic(x.first)
    if chart := visit.once("curves", lambda: _groups(visit, x, characteristic)):
        layout.chart(visit, **chart)
        visit.link(
            "equity", "See these gaps with their evidence", metric=findings.NOT_MET,
            characteristic=str(characteristic["characteristic"]), unit=unit, level=level,
        )  # fmt: skip
    else:
        layout.section("Groups are not told apart here")
        layout.quiet("Groups of faculties and schools are published for all levels together only.")
    if chart := visit.once("weeks", lambda: _contacts(visit, x)):
        layout.chart(visit, **chart)


@dataclass(frozen=True)
class Asked:
    """What the page is about: a unit at a level through a year, with everyone's curve in it and at the university."""

    unit: str
    level: str
    span: Span
    curve: pd.DataFrame
    gaps: pd.DataFrame
    first: str  # the characteristic to begin with

    def line(self, unit: str, year: str) -> pd.DataFrame:
        """Everyone's line in a unit and year."""
        return findings.line(self.curve, year, unit, self.span.in_progress)


def _asked(visit: Visit, unit: str, level: str, period: pd.Series) -> Asked | None:
    """None where the release has no curve of that year."""
    release = visit.release
    year, last = str(period["academic_year"]), period_before(release, period)
    curve = release.rows("curve", level=level, characteristic="all")
    weeks = findings.line(curve, year, UNIVERSITY, period["part"] == "to_date")
    if weeks.empty:
        return None
    before = str(last["academic_year"]) if last is not None else ""
    span = Span(year, before, int(weeks["week"].max()), str(period["label"]), period["part"] == "to_date")
    gaps = release.gaps(
        metric=findings.NOT_MET, unit=unit, level=level, academic_year=year, part=str(period["part"])
    )  # fmt: skip
    of_groups = release.rows("curve", level=level, unit=unit, academic_year=year)
    if "part" in of_groups:
        of_groups = of_groups[of_groups["part"] == period["part"]]
    first = findings.first_characteristic(of_groups, gaps, release.metrics, release.characteristics, release.groups)
    here = curve["unit"].isin([unit, UNIVERSITY]) & curve["academic_year"].isin([year, before])
    return Asked(unit, level, span, curve[here], gaps, first)


def _answer(visit: Visit, x: Asked) -> str:
    release = visit.release
    place = "at the university" if x.unit == UNIVERSITY else f"in {words.within(visit.name(x.unit))}"
    now, before = (findings.last_point(x.line(x.unit, y), x.span) for y in (x.span.year, x.span.last))
    said = findings.answer(now, before, place, x.span)
    gap = findings.widest(x.gaps, release.metrics, release.characteristics)
    return f"{said} {gap}".strip()


def _about(visit: Visit, level: str) -> str:
    return (
        f"{SHARE['label']} by the end of each teaching week, {words.lowered(visit.release.levels.loc[level, 'label'])}"
    )


def _unit(visit: Visit, x: Asked) -> dict[str, Any]:
    """A unit this year and last, beside the university."""
    unit, span, curve = x.unit, x.span, x.curve
    theme, name = visit.theme, visit.name(unit)
    here = [(unit, name, theme.accent, True)]
    if unit != UNIVERSITY:
        here.append((UNIVERSITY, "University", theme.context, False))
    lines = [
        Line(
            f"{called}, {y}",
            x.line(u, y),
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
        (u, y): findings.last_point(x.line(u, y), span) for u in (unit, UNIVERSITY) for y in (span.year, span.last)
    }
    now = points[unit, span.year]
    university = points[UNIVERSITY, span.year] if unit != UNIVERSITY else None
    title = findings.units_title(now, university, points[unit, span.last], name, span)
    drawn = [line for line in lines if len(line.points)]
    said = "" if now else words.STATUS["suppressed"]
    return {
        "figure": curves([Panel("", drawn, said)], theme, visit.column),
        "title": title,
        "subtitle": f"{name}. {_about(visit, x.level)}, out of {_out_of(now)}. The band is the 95% interval.",
        "alt": f"{title}.",
        "table": tables_year.beside({line.name: line.points for line in drawn}),
        "numeric": [line.name for line in drawn],
        "legend": [(line.colour, "━━" if line.dash == "solid" else "╌╌", line.name) for line in drawn],
        "figures": lambda: curve,
        "key": "curve",
        "note": findings.late([line.points for line in drawn], span),
    }


def _out_of(point: Row | None) -> str:
    return f"{words.about(point['base'])} enrolled" if point else "those enrolled"


def _groups(visit: Visit, x: Asked, characteristic: pd.Series) -> dict[str, Any]:
    """Groups of a characteristic, each in a panel of its own, this year and last. Empty where none is told apart."""
    release, theme, name = visit.release, visit.theme, str(characteristic["characteristic"])
    unit, level, span = x.unit, x.level, x.span
    curve = release.rows("curve", level=level, characteristic=name, unit=unit)
    curve = curve[curve["academic_year"].isin([span.year, span.last])]
    groups = release.groups[release.groups["characteristic"] == name]
    there = [g for g in groups.sort_values("ordering")["group"] if g in set(curve.get("group", []))]
    if not there:
        return {}
    look = appearance(groups, bool(characteristic["ordered"]), theme)
    years = (span.year, span.last)
    now, before = ({g: findings.line(curve, y, unit, span.in_progress, g) for g in there} for y in years)
    everyone = x.line(unit, span.year)
    points = {g: p for g in there if (p := findings.last_point(now[g], span))}

    def drawn(points: pd.DataFrame) -> pd.DataFrame:
        """From week 1 where it has come, and no further than a year in progress has come."""
        until = span.week if span.in_progress else FOREVER
        return points[points["week"].between(min(1, until), until)] if len(points) else points

    few = len(there) <= TOGETHER
    labels = {g: f"{g} {words.value(points[g]['value'], SHARE)}" if g in points else g for g in there}
    if few:
        lines = [Line(f"{g}, {span.last}", drawn(before[g]), look[g][0], "dot", 1.2) for g in there]
        lines += [
            Line(f"{g}, {span.year}", drawn(now[g]), look[g][0], width=PANEL + 0.7, band=True, end=labels[g])
            for g in there
        ]
        panels = [Panel("", lines, "" if points else words.STATUS["suppressed"])]
    else:
        panels = [
            Panel(
                labels[g],
                [
                    Line(f"{g}, {span.last}", drawn(before[g]), theme.accent, "dot", 1.2),
                    Line(f"{g}, {span.year}", drawn(now[g]), theme.accent, width=PANEL + 0.7, band=True),
                ],
                "" if g in points else words.STATUS["suppressed"],
                Line("Everyone", drawn(everyone), theme.context, width=1.4),
            )
            for g in there
        ]
    low, high = reach(panels)
    so_far = {g: p[p["week"] <= span.week] if span.in_progress and len(p) else p for g, p in before.items()}
    hidden = findings.hidden_groups(now, so_far, span.last)
    compared = groups.loc[groups["compared"].astype(bool), "group"].tolist()
    gaps = x.gaps[x.gaps["characteristic"] == name] if len(x.gaps) else x.gaps
    title = findings.groups_title(points, compared, gaps, release.metrics, span)
    colour = theme.ink if few else theme.accent
    legend = [(colour, "━━", span.year), (colour, "┄┄", span.last)]
    legend += [] if few or not points else [(theme.context, "━━", f"everyone, {span.year}")]
    return {
        "figure": curves(panels, theme, visit.column, (low, high), span.week + AHEAD if span.in_progress else None),
        "title": title,
        "subtitle": f"{visit.name(unit)}, by {words.lowered(str(characteristic['label']))}. {_about(visit, level)}. "
        f"Bands are 95% intervals.{f' The axis begins at {low}%.' if low else ''}",
        "alt": f"{title}. {hidden}".strip(),
        "table": tables_year.by_group(now, before, span.year, span.last),
        "numeric": (span.year, span.last, "Out of"),
        "legend": [line for line in legend if line[2]],
        "figures": lambda: curve,
        "key": "group curves",
        "note": f"{hidden} {findings.late([drawn(points) for points in before.values()], span)}".strip(),
    }


def _contacts(visit: Visit, x: Asked) -> dict[str, Any]:
    """Contacts of all levels week by week, and which weeks stand out. Empty where the release does not say."""
    weeks = visit.release.rows("week", unit=x.unit, academic_year=x.span.year)
    if weeks.empty:
        return {}
    weeks = weeks.assign(why=[tables_year.why(w) for w in weeks.to_dict("records")])
    title, theme = findings.weeks_title(weeks), visit.theme
    return {
        "figure": contacts(weeks, theme),
        "title": title,
        "subtitle": f"{visit.name(x.unit)}: attended contacts in each teaching week of {x.span.year}, all levels, "
        "beside the same week of earlier years for this year’s number of students.",
        "alt": f"{title}. {findings.weeks_words(weeks)}",
        "table": tables_year.contacts(weeks),
        "numeric": tables_year.CONTACTS,
        "legend": [
            (theme.well, "▲", "stands out above"),
            (theme.attention, "▼", "stands out below"),
            (theme.context, "╌╌", "expected"),
            (theme.context, "▒", "limits within which weeks usually lie"),
        ],
        "figures": lambda: weeks,
        "key": "weeks",
        "note": findings.weeks_words(weeks),
    }
