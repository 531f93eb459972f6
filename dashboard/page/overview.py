"""Overview: is tutoring consistent this year?"""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import layout, nearby, record, tables, told
from dashboard.access import UNIVERSITY
from dashboard.charts.rows import WIDE
from dashboard.charts.strip import FEW, strips
from dashboard.compared import compare
from dashboard.filters import EVERYWHERE, Filters
from dashboard.findings import consistency, equity, quality, standing
from dashboard.findings.consistency import Comparison
from dashboard.layout import Visit
from dashboard.periods import period_before, periods_with
from dashboard.published import Release
from dashboard.style import html, words

MOST_GAPS = 5
AT_ONCE, AT_ONCE_NARROW = 5, 3  # findings that are seen, among them good news where there is any; the others are folded
ALL_LEVELS = "all"  # findings are about all levels together


def page(visit: Visit) -> None:
    """Headline measures of a unit, what stands out, schools on each measure, and whether the data can be trusted."""
    release = visit.release
    offered = release.metrics["available"].astype(bool) & release.metrics["headline"].astype(bool)
    headline = [metric for _, metric in release.metrics[offered].iterrows()]
    current = release.periods[release.periods["is_current"].astype(bool)].iloc[-1]

    head = st.container()
    with layout.filters(visit):
        filters = Filters(release)
        unit, level = filters.unit(), filters.level()
        faculty = filters.faculty("Highlight a faculty", "None") if unit == UNIVERSITY else EVERYWHERE
    periods, compared, own = visit.once("compared", lambda: _compared(release, headline, level, unit))
    with head:
        incomplete = visit.once("incomplete", lambda: record.incomplete(release, level))
        _head(visit, unit, current, compared, own, incomplete)
        _trust(visit)
        layout.not_as_asked(visit, filters)

    st.html(visit.once("cards", lambda: html.cards(_cards(visit, compared, own, periods, level, unit, incomplete))))
    nearby.headline(visit, visit.once("hidden", lambda: pd.DataFrame([r for r in own if r["status"] == "suppressed"])))
    found = visit.once("findings", lambda: release.findings(unit))
    told.findings(visit, found, current["label"], unit, AT_ONCE if visit.column == WIDE else AT_ONCE_NARROW)
    with_figures = [(c, row) for c, row in zip(compared, own, strict=True) if len(c.shown)]
    for suffix in dict.fromkeys(c.metric["suffix"] for c, _ in with_figures):
        drawn = [(c, row) for c, row in with_figures if c.metric["suffix"] == suffix]
        strips_of = partial(_drawn, visit, drawn, unit, faculty, level)
        layout.chart(visit, **visit.once(f"strips in {suffix}", strips_of))
    if with_figures:
        widest = consistency.widest([c for c, _ in with_figures])
        label = (
            "See how your school compares" if visit.viewer.home.startswith("school:") else "See which schools differ"
        )
        visit.link("schools", label, metric=widest.metric["metric"], level=level)
    if found.empty or level != ALL_LEVELS:
        _gaps(visit, headline, periods, level, unit)
    is_told = level == ALL_LEVELS and len(found) > 0 and (found["kind"] == "record").any()
    _cautions(visit, {} if is_told else incomplete)


def _compared(
    release: Release, headline: list[pd.Series], level: str, unit: str
) -> tuple[dict[str, pd.Series], list[Comparison], list[standing.Row]]:
    """Each headline metric's period, its schools compared, and the unit's own figure."""
    periods = {m["metric"]: periods_with(release, m["metric"], level).iloc[0] for m in headline}
    compared = [compare(release, m, periods[m["metric"]], level) for m in headline]
    return periods, compared, [c.figure(unit) for c in compared]


def _head(
    visit: Visit,
    unit: str,
    current: pd.Series,
    compared: list[Comparison],
    own: list[standing.Row],
    incomplete: dict[str, float],
) -> None:
    """The question and its answer: for a faculty or school, how it compares."""
    about, period = visit.release.about, str(current["label"])
    in_progress = about["current_year"] is not None
    if unit != UNIVERSITY:
        name, units = visit.name(unit), visit.release.units
        asked = standing.question(name, period, in_progress)
        answer = standing.answer(name, compared, own, unit in incomplete)
        here = [school for school in incomplete if unit in (school, units.loc[school, "parent"])]
        shown = [c for c, row in zip(compared, own, strict=True) if row["status"] == "shown"]
        if any(c.metric["theme"] == "contact" for c in shown):
            answer = f"{answer} {record.doubt(here, unit in here)}".strip()
    else:
        asked = consistency.consistency_question(period, in_progress)
        is_partial = any(c.partial for c in compared)
        answer = standing.benchmark(compared) if is_partial else consistency.consistency_answer(compared)
        if not is_partial and any(c.differs and c.metric["theme"] == "contact" for c in compared):
            answer = f"{answer} {record.doubt(incomplete)}".strip()
    layout.question(f"{about['university']} · {period}", asked)
    layout.answer(answer)


def _cards(
    visit: Visit,
    compared: list[Comparison],
    own: list[standing.Row],
    periods: dict[str, pd.Series],
    level: str,
    unit: str,
    incomplete: dict[str, float],
) -> list[html.Card]:
    return [
        _card(visit, c, row, periods[c.metric["metric"]], level, unit, unit in incomplete)
        for c, row in zip(compared, own, strict=True)
    ]


def _card(
    visit: Visit, c: Comparison, own: standing.Row, period: pd.Series, level: str, unit: str, in_doubt: bool
) -> html.Card:
    moved, since = None, "the year before"
    before = period_before(visit.release, period)
    if before is not None:
        cells = visit.release.everyone(str(c.metric["metric"]), level, before)
        earlier = cells[cells["unit"] == unit].to_dict("records")
        moved = consistency.change(own, earlier[0] if earlier else consistency.MISSING)
        since = before["label"]
    is_shown = own["status"] == "shown"
    is_current = bool(period["is_current"])  # else the card names its period: that of the page is another
    under = [] if is_current else [str(c.period)]
    under += [f"95% interval {words.shown_interval(own, c.metric)}"] if is_shown else []
    return html.Card(
        label=c.metric["label"],
        value=words.shown(own, c.metric),
        is_figure=is_shown,
        beside=standing.beside(own, c, in_doubt) if unit != UNIVERSITY else "",
        under=" · ".join(under),
        out_of=f"Out of {c.metric['out_of']}",
        change=consistency.change_words(moved, c.metric, since),
        verdict=consistency.change_verdict(moved, c.metric["better"]),
    )


def _drawn(
    visit: Visit, drawn: list[tuple[Comparison, standing.Row]], unit: str, faculty: str, level: str
) -> dict[str, Any]:
    """The chart of headline measures: of all schools, or of own ones over the unnamed band."""
    if visit.viewer.home == UNIVERSITY:
        return _strips(visit, [c for c, _ in drawn], faculty if unit == UNIVERSITY else unit, level)
    return _own_strips(visit, [c for c, _ in drawn], [row for _, row in drawn], unit, level)


def _strips(visit: Visit, compared: list[Comparison], marked: str, level: str) -> dict[str, Any]:
    units = visit.release.units
    own = list(units.index[(units["parent"] == marked) | ((units["kind"] == "school") & (units.index == marked))])
    diamonds = (
        f" Diamonds: {units.loc[marked, 'name']}{', with 95% intervals' if len(own) <= FEW else ''}." if own else ""
    )
    incomplete = record.incomplete(visit.release, level)
    daggered = set(own) & set(incomplete) if len(own) <= FEW else set[str]()
    diamonds += f" † {record.INCOMPLETE}." if daggered else ""
    contact = [c for c in compared if c.metric["theme"] == "contact" and c.metric["better"] == "higher"]
    if plain := {unit for c in contact for unit in c.shown["unit"] if unit in incomplete} - daggered:
        which = words.plural(len(plain), "other school" if daggered else "school")
        whose = "its" if len(plain) == 1 else "their"
        diamonds += f" Of {which} the record looks incomplete: {whose} dots of contact may lie too far left."
    band = "where about eight in ten schools lie, chance set aside"
    if not any(c.chance_aside for c in compared):
        band = "the middle 80% of schools"
    return {
        "figure": strips(compared, visit.theme, own, incomplete, visit.column),
        "title": consistency.strips_title(compared),
        "subtitle": (
            f"Each dot is a school, the tick the university, the band {band}. "
            f"{visit.release.levels.loc[level, 'label']}.{diamonds}"
        ),
        "alt": " ".join(words.sentence(consistency.spread(c)) for c in compared),
        "table": tables.headline(compared),
        "figures": lambda: pd.concat([c.numbers for c in compared]).assign(level=level),
        "numeric": tables.HEADLINE_FIGURES,
        "key": f"strips {compared[0].metric['suffix']}",
    }


def _own_strips(
    visit: Visit, compared: list[Comparison], own: list[standing.Row], unit: str, level: str
) -> dict[str, Any]:
    """Own schools over the unnamed band of all schools."""
    marked = list(compared[0].schools["unit"])
    incomplete = record.incomplete(visit.release, level)
    seen = "Diamonds are your schools" if len(marked) > 1 else "The diamond is your school"
    seen += ", lines 95% intervals" if len(marked) <= FEW else ""
    doubted = f" † {record.INCOMPLETE}." if incomplete and any(c.metric["theme"] == "contact" for c in compared) else ""
    band = ", the band the middle 80% of all schools, unnamed" if any(c.middle for c in compared) else ""
    if any(c.chance_aside for c in compared):
        band = ", the band where about eight in ten of the schools shown lie, unnamed and chance set aside"
    name, at = visit.name(unit), visit.release.levels.loc[level, "label"]
    return {
        "figure": strips(compared, visit.theme, marked, incomplete, visit.column),
        "title": standing.strips_title(compared),
        "subtitle": f"{seen}, the tick and its figure the university{band}. {at}.{doubted}",
        "alt": " ".join(standing.schools_answer(c, None) for c in compared),
        "table": standing.headline(name, compared, own),
        "figures": lambda: pd.concat([c.numbers for c in compared]).assign(level=level),
        "numeric": (name, "95% interval", "University", standing.ALL_SCHOOLS),
        "key": f"strips {compared[0].metric['suffix']}",
    }


def _gaps(visit: Visit, headline: list[pd.Series], periods: dict[str, pd.Series], level: str, unit: str) -> None:
    release = visit.release
    gaps = []
    for metric in headline:
        when = periods[metric["metric"]]
        gaps.append(
            release.gaps(
                metric=metric["metric"],
                unit=unit,
                level=level,
                academic_year=when["academic_year"],
                part=when["part"],
            )
        )
    every = pd.concat(gaps) if gaps else pd.DataFrame(columns=["status", "evidence"])
    found = equity.missing_out(every, release.metrics) if len(every) else every
    if found.empty:
        layout.section(equity.no_gap_title(every))
        visit.link("equity", "See every comparison that can be shown", level=level, **told.of(visit, unit))
        return
    across = "Across the university" if unit == UNIVERSITY else f"In {words.within(visit.name(unit))}"
    layout.section("The clearest gaps between groups", f"{across}, on the headline measures")
    for gap in equity.widest_by_characteristic(found, release.characteristics, MOST_GAPS).to_dict("records"):
        metric = release.metrics.loc[gap["metric"]]
        characteristic = release.characteristics.loc[gap["characteristic"]]
        about = f"{characteristic['label']}, {words.quoted(metric['label'])}"
        visit.link(
            "equity",
            f"**{layout.plain(about)}**: {layout.plain(equity.gap_words(gap, metric, characteristic))}",
            metric=gap["metric"],
            characteristic=gap["characteristic"],
            group=gap["group"],
            view="where",
            level=level,
            **told.of(visit, unit),
        )


def _trust(visit: Visit) -> None:
    """How fresh the figures are and whether they can be trusted, in one line that leads to the checks."""
    release = visit.release
    badge = quality.badge(release.about["data_through"], release.reconciliation, release.checks)
    with st.container(key="trust"):
        visit.link("quality", layout.plain(badge))


def _cautions(visit: Visit, incomplete: dict[str, float]) -> None:
    """What the figures above cannot show, or are to be read with care for: schools whose record looks incomplete."""
    release = visit.release
    if incomplete:
        layout.quiet(record.caution(release, incomplete))
    for text in quality.not_available(release.metrics):
        layout.quiet(text)
