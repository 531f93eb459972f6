"""Equity gaps: who is missing out, where, and is it real? One view per question; the URL names the open one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import clearest, layout, nearby, tables
from dashboard.access import UNIVERSITY
from dashboard.charts.gaps import graded_gaps
from dashboard.filters import EVERYWHERE, Filters
from dashboard.findings import equity, quality, unequal, why
from dashboard.layout import Visit
from dashboard.page import equity_measures, equity_schools, equity_where, equity_why
from dashboard.page.equity_where import GAP_COLUMNS, Asked, gap_key, top_of, unit_of
from dashboard.published import Release
from dashboard.style import words

VIEWS = {
    "who": "Who",
    "measures": "On every measure",
    "where": "Where",
    "map": "Every school",
    "why": "Is it real",
    "years": "Over the years",
    "spread": "Average and spread",
}
DRAWN = {
    "where": equity_where.where,
    "map": equity_schools.tiles,
    "why": equity_why.why,
    "years": equity_why.years,
    "spread": equity_schools.spread,
}
NO_GROUP = ("map", "spread")  # views of schools beside each other, about all groups
NO_CHARACTERISTIC = ("map",)
OF_SCHOOLS = ("where", "map", "spread")  # views that a faculty narrows down


def page(visit: Visit) -> None:
    """All gaps in a unit on one measure; then one group: where, in every school, like for like, over the years."""
    release = visit.release
    head = st.container()
    with layout.filters(visit):
        filters = Filters(release)
        unit = filters.unit()
        metric, level = filters.metric(_opens_on(release, unit, filters.asked)), filters.level()
        period = filters.period(metric["metric"], level)
    when = {"academic_year": str(period["academic_year"]), "part": str(period["part"]), "level": level}

    place = "at the university" if unit == UNIVERSITY else f"in {words.within(visit.name(unit))}"
    gaps, found, answer = visit.once("answer", lambda: _answer(release, metric, unit, when, place))
    with head:
        asked = "Who is missing out, where, and is it real?"
        layout.question(layout.whose(visit, unit, str(period["label"])), asked)
        layout.answer(answer)
        layout.not_as_asked(visit, filters)
    layout.define(metric)
    beside = (release.units["kind"] == "school").sum() > 1  # else there is no other school to see
    views = {name: label for name, label in VIEWS.items() if beside or name not in NO_GROUP}
    view = filters.switch("view", "What to see of gaps", views)
    if view == "measures":
        equity_measures.across(visit, unit, level, period)
        return
    if gaps.empty:
        if text := quality.not_in_extract(release.characteristics):
            layout.quiet(text)
        return
    about = layout.about(metric, period["label"], release.levels.loc[level, "label"])
    if view == "who":
        layout.chart(visit, **visit.once("everyone", lambda: _everyone(visit, gaps, metric, about, unit, answer)))
        if text := quality.not_in_extract(release.characteristics):
            layout.quiet(text)
        nearby.groups(visit, gaps[gaps["status"] == "suppressed"], release.gaps, across=True)
        return
    with layout.filters(visit, "filters-where", "Choose whom to follow, and where"):
        first = found if len(found) else gaps
        characteristic = release.characteristics.loc[str(first.iloc[0]["characteristic"])]
        group, faculty = "", EVERYWHERE
        if view not in NO_CHARACTERISTIC:
            characteristic = filters.characteristic(str(characteristic["characteristic"]))
        if view not in NO_GROUP:
            groups = release.groups[release.groups["characteristic"] == characteristic["characteristic"]]
            of_these = first[first["characteristic"] == characteristic["characteristic"]]
            group = filters.group(groups, str(of_these.iloc[0]["group"]) if len(of_these) else "")
        if view in OF_SCHOOLS and unit == UNIVERSITY:
            faculty = filters.faculty("Where", "All faculties")
    top = faculty if faculty != EVERYWHERE else top_of(visit, unit)
    asked_for = Asked(unit, metric, level, period, characteristic, group, top, about)
    if group:
        with st.container(key="one"):
            layout.prose(visit.once("one", lambda: _one(release, gaps, asked_for, place)))
    DRAWN[view](visit, asked_for)


def _opens_on(release: Release, unit: str, asked: Mapping[str, str]) -> str:
    """The headline measure with the widest clear gap, or none."""
    is_headline = release.metrics["headline"].astype(bool) & release.metrics["available"].astype(bool)
    names = release.metrics.index[is_headline].tolist()
    return clearest.gap(release, unit, names, asked.get("level", ""), asked.get("period", ""))[0]


def _answer(
    release: Release, metric: pd.Series, unit: str, when: dict[str, str], place: str
) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """All gaps in a unit, those that are clear, and who is missing out in words."""
    gaps = release.gaps(metric=metric["metric"], unit=unit, **when)
    found = equity.missing_out(gaps, release.metrics)
    answer = equity.equity_answer(gaps, release.metrics, metric, release.characteristics, place)
    if len(found):
        widest = equity.finest(found, release.characteristics).iloc[0].to_dict()
        answer = f"{answer} {why.like_words(widest, metric)}".rstrip()
    return gaps, found, answer


def _one(release: Release, gaps: pd.DataFrame, x: Asked, place: str) -> str:
    """The gap of one group in words; of an ordered characteristic, also how the value changes along it."""
    name = x.of["characteristic"]
    own = gaps[(gaps["characteristic"] == name) & (gaps["group"] == x.group)]
    like = why.like_words(own.iloc[0].to_dict(), x.metric) if len(own) else ""
    slope = ""
    if x.characteristic["ordered"]:
        cells, found = release.cells(**x.of, unit=x.unit), release.derived("inequality", **x.of, unit=x.unit)
        slope = unequal.slope_words(found, cells, release.groups[release.groups["characteristic"] == name], x.metric)
    return " ".join(filter(None, [equity.one_gap(own, x.group, x.metric, x.characteristic, place), like, slope]))


def _everyone(
    visit: Visit, gaps: pd.DataFrame, metric: pd.Series, about: str, unit: str, answer: str
) -> dict[str, Any]:
    """Characteristics with a clear or possible gap; the others in words, with their figures in the table."""
    release, place = visit.release, visit.name(unit)
    rows = tables.gap_rows(gaps, release.characteristics, release.groups)
    block = rows["heading"].cumsum()
    worth = block.isin(block[rows["evidence"].isin(equity.WORTH)])
    first = rows[worth] if worth.any() else rows
    title = equity.equity_title(gaps)
    return {
        "figure": graded_gaps(first.assign(name=place), metric, visit.theme, True, visit.column),
        "title": title,
        "subtitle": (
            f"{place}: groups against their reference. {about}{unit_of(metric)}. "
            "Bands darken towards the likeliest size."
        ),
        "alt": f"{title}. {answer}",
        "table": tables.gaps(rows[~rows["heading"]], metric, "group"),
        "figures": lambda: gaps,
        "numeric": GAP_COLUMNS,
        "legend": gap_key(visit, metric),
        "note": equity.no_gap_note(gaps, release.characteristics) if worth.any() else "",
        "key": "everyone",
    }
