"""School profile: everything about one school, on one page to print."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import groupby
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import between, inbrowser, layout, nearby, told
from dashboard.access import UNIVERSITY
from dashboard.charts import profile as charts
from dashboard.filters import Filters
from dashboard.findings import consistency, profile, tutors
from dashboard.findings.profile import Measure
from dashboard.layout import Visit
from dashboard.periods import code, period_before, periods_with
from dashboard.published import Release
from dashboard.record import INCOMPLETE, RECORD_CHECK
from dashboard.style import html, words

ALL_LEVELS = "all"
Row = dict[Any, Any]
Key = tuple[str, str, str]  # metric, academic year, part
MOST_GAPS = 8
WIDTHS = {  # per cent
    "Measure": 16, "Where it stands": 21, "Value": 15, "Faculty": 7, "University": 9, "Since the year before": 22,
    "Out of": 10,
}  # fmt: skip


def page(visit: Visit) -> None:
    """Where one school stands on every measure, what goes well, its gaps, its voice and its record."""
    release = visit.release
    current = release.periods[release.periods["is_current"].astype(bool)].iloc[-1]
    head = st.container()
    filters = Filters(release)
    several = (release.units["kind"] == "school").sum() > 1
    with layout.filters(visit, label="Choose a school") if several else st.container():
        unit = filters.school()
    name, parent = visit.name(unit), str(release.units.loc[unit, "parent"])
    faculty = parent if parent != UNIVERSITY else ""  # seen by whoever may see it
    measures = visit.once("measures", lambda: _measures(release, unit, faculty))
    with head:
        places = [visit.name(one) for one in (UNIVERSITY, faculty) if one]
        layout.question(" · ".join([*places, str(current["label"])]), _question(name))
        layout.answer(visit.once("answer", lambda: profile.answer(name, measures)))
        layout.not_as_asked(visit, filters)
    inbrowser.print_page()

    st.html(visit.once("lists", lambda: html.pair(profile.lists(measures), most=len(measures))))
    if any(m.place for m in measures):
        layout.quiet(profile.by_chance(measures))
    nearby.headline(visit, visit.once("hidden", lambda: _hidden(measures)))
    if chart := visit.once("chart", lambda: _chart(visit, measures, unit, faculty)):
        layout.chart(visit, **chart)
    told.findings(visit, visit.once("findings", lambda: release.findings(unit)), current["label"], unit)
    for theme, rows in groupby(measures, key=lambda m: str(m.metric["theme"])):
        _theme(visit, theme, list(rows), unit)
    _tutors(visit, measures, unit)
    _gaps(visit, measures, unit)


def _question(name: str) -> str:
    return f"How is tutoring in {words.within(name)}?"


def _hidden(measures: list[Measure]) -> pd.DataFrame:
    """The school's own cells that are hidden."""
    return pd.DataFrame([m.own for m in measures if m.own["status"] == "suppressed"])


def _measures(release: Release, unit: str, faculty: str) -> list[Measure]:
    """Every available measure in its current period, at all levels together; contact in doubt where the record is."""

    def everyone(place: str) -> dict[Key, Row]:
        return _by_key(release.cells(level=ALL_LEVELS, characteristic="all", unit=place))

    own, beside, university = everyone(unit), everyone(faculty) if faculty else {}, everyone(UNIVERSITY)
    limits = release.derived("funnel", unit=unit, level=ALL_LEVELS)
    own_limits = _by_key(limits[limits["status"] == "shown"]) if len(limits) else {}
    made = []
    for _, metric in release.metrics[release.metrics["available"].astype(bool)].iterrows():
        period = periods_with(release, str(metric["metric"]), ALL_LEVELS).iloc[0]
        before = period_before(release, period)
        now, then = _key(metric, period), _key(metric, before) if before is not None else None
        made.append(
            Measure(
                metric=metric,
                period=str(period["label"]),
                when=(str(period["academic_year"]), str(period["part"])),
                own=_cell(own, now),
                faculty=_cell(beside, now) if faculty else None,
                university=_cell(university, now),
                limits=own_limits.get(now),
                before=str(before["label"]) if before is not None else "",
                earlier=_cell(own, then) if then else dict(consistency.MISSING),
            )
        )
    return profile.in_doubt(made, _check(made))


def _check(measures: list[Measure]) -> Measure | None:
    """The record check among the measures."""
    return next((m for m in measures if m.metric["metric"] == RECORD_CHECK), None)


def _key(metric: Mapping[Any, Any], period: Mapping[Any, Any]) -> Key:
    return str(metric["metric"]), str(period["academic_year"]), str(period["part"])


def _by_key(rows: pd.DataFrame) -> dict[Key, Row]:
    return {_key(row, row): row for row in rows.to_dict("records")}


def _cell(cells: Mapping[Key, Row], key: Key) -> Row:
    """A cell, or one that says there is none."""
    return cells.get(key) or dict(consistency.MISSING)


def _chart(visit: Visit, measures: list[Measure], unit: str, faculty: str) -> dict[str, Any]:
    """All percentages on one axis, empty where none is shown; what has another unit of measure is in the tables."""
    drawn = [m for m in measures if m.metric["suffix"] == "%"]
    if not any(m.own["status"] == "shown" for m in drawn):
        return {}
    theme = visit.theme
    marks = [("learn", consistency.LEARN, theme.well), ("better", consistency.MAYBE, theme.well),
             ("conversation", consistency.TALK, theme.attention),
             ("apart", "outside the usual range; neither way is better", theme.accent),
             ("within", profile.WITHIN, theme.accent)]  # fmt: skip
    occurring = {m.place for m in drawn}
    lines = [(colour, consistency.MARKS[place], said) for place, said, colour in marks if place in occurring]
    if any(m.doubted for m in drawn):
        lines.append((theme.context, consistency.MARKS[""], f"{INCOMPLETE}: check it first"))
    lines += [
        (theme.ink, "❘", "university (tall), faculty (short)" if faculty else "university"),
        (theme.context, "▒", "usual range at the school’s size (95% limits)"),
    ]
    title = profile.chart_title(drawn)
    return {
        "figure": charts.profile(drawn, theme, visit.column),
        "title": title,
        "subtitle": f"{visit.name(unit)}, all levels together. Lines are 95% intervals. "
        "Percentages; averages are below.",
        "alt": f"{title}. {profile.answer(visit.name(unit), drawn, 'percentage')}",
        "table": profile.table(drawn),
        "figures": lambda: profile.figures(measures, unit, faculty),
        "numeric": profile.COLUMNS,
        "legend": lines,
        "key": "profile",
    }


def _theme(visit: Visit, theme: str, measures: list[Measure], unit: str) -> None:
    """The measures of a theme in a table for each period, and in words what they rest on."""
    label = words.THEMES.get(theme, theme)
    for i, (when, rows) in enumerate(groupby(measures, key=profile.beside)):
        layout.section(label if i == 0 else f"{label}, earlier", when)
        st.html(visit.once(f"table of {theme} {i}", partial(_table, list(rows), f"{label}, {when}")))
    if theme == "voice":
        for text in visit.once("voice", lambda: _voice(visit, measures, unit)):
            layout.prose(text)
    if theme == "record":
        layout.prose(profile.record(_check(measures)))


def _table(measures: list[Measure], caption: str) -> str:
    return html.table(profile.table(measures), caption, profile.COLUMNS, WIDTHS)


def _voice(visit: Visit, measures: list[Measure], unit: str) -> list[str]:
    release, (year, part) = visit.release, measures[0].when
    when = {"academic_year": year, "part": part, "level": ALL_LEVELS, "unit": unit}
    answered, evenly = release.derived("response", **when), release.derived("representativeness", **when)
    return profile.voice(answered, evenly, release.characteristics)


def _tutors(visit: Visit, measures: list[Measure], unit: str) -> None:
    """How far tutors differ on each measure, in its period; never which."""
    spreads, when = visit.once("tutors", lambda: _between_tutors(visit.release, measures, unit))
    if spreads.empty:
        return
    layout.section(tutors.school_title(spreads), f"Between tutors, {when}, {tutors.WHOM}")
    st.html(visit.once("table of tutors", lambda: html.table(spreads, "Between tutors", tutors.FIGURES)))
    contact = [str(m.metric["label"]) for m in measures if m.metric["theme"] == "contact"]
    layout.quiet(tutors.caution(bool(spreads["Measure"].isin(contact).any()), is_typical=False))


def _between_tutors(release: Release, measures: list[Measure], unit: str) -> tuple[pd.DataFrame, str]:
    found = between.tutors(release, unit=unit)
    if found.empty:
        return found, ""
    asked = [m.metric for m in measures if m.metric["better"] == "higher"]  # others say the same the other way round
    year = found["academic_year"].max()
    return tutors.of_school(found[found["academic_year"] == year], asked), str(year)


def _gaps(visit: Visit, measures: list[Measure], unit: str) -> None:
    release = visit.release
    gaps, found = visit.once("gaps", lambda: _found(release, measures, unit))
    layout.section(
        profile.gaps_title(gaps), "The clearest first, one for each characteristic and theme; all levels together"
    )
    with st.container(key="further-gaps"):
        for gap in found.head(MOST_GAPS).to_dict("records"):
            metric, characteristic = (
                release.metrics.loc[gap["metric"]],
                release.characteristics.loc[gap["characteristic"]],
            )
            lead, said = profile.gap_sentence(gap, metric, characteristic)
            view = {"metric": gap["metric"], "characteristic": gap["characteristic"], "group": gap["group"]}
            view |= {"period": code(gap), "view": "where", **told.of(visit, unit)}
            visit.link("equity", f"**{layout.plain(lead)}.** {layout.plain(said)}", **view)
    if text := profile.other_gaps(gaps, len(found) - MOST_GAPS):
        layout.quiet(text)


def _found(release: Release, measures: list[Measure], unit: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A school's gaps in each measure's current period, and the clearest of them."""
    current = {str(m.metric["metric"]): m.when for m in measures}
    gaps = _current(release.gaps(unit=unit, level=ALL_LEVELS), current)
    drawn = release.derived("pooled_gap_school", unit=UNIVERSITY, school=unit, level=ALL_LEVELS)
    drawn = _current(drawn[drawn["status"] == "shown"], current) if len(drawn) else drawn
    return gaps, profile.clearest(gaps, release.metrics, release.characteristics, drawn)


def _current(rows: pd.DataFrame, current: dict[str, tuple[str, str]]) -> pd.DataFrame:
    """The rows of each metric's current period."""
    keys = zip(rows["metric"], rows["academic_year"], rows["part"], strict=True)
    return rows[[current.get(metric) == (year, part) for metric, year, part in keys]]
