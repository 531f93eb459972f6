"""Overview: is tutoring consistent this year?"""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from dashboard import layout, record, tables
from dashboard.charts.strip import strips
from dashboard.filters import EVERYWHERE, Filters, code, period_before, periods_with
from dashboard.findings import consistency, equity, quality
from dashboard.findings.consistency import Comparison
from dashboard.layout import Visit
from dashboard.published import Release
from dashboard.style import html, words

MOST_GAPS = 5
ALL_LEVELS = "all"  # findings are about all levels together
IN_URL = ("metric", "characteristic", "group")


def page(visit: Visit) -> None:
    """Headline measures, what stands out, all schools on each measure, and whether the data can be trusted."""
    release = visit.release
    offered = release.metrics["available"].astype(bool) & release.metrics["headline"].astype(bool)
    headline = [metric for _, metric in release.metrics[offered].iterrows()]
    current = release.periods[release.periods["is_current"].astype(bool)].iloc[-1]

    asked = consistency.consistency_question(str(current["label"]), release.about["current_year"] is not None)
    layout.question(f"{release.about['university']} · {current['label']}", asked)
    head = st.container()
    with st.container(key="filters"):
        filters = Filters(release)
        level, faculty = filters.level(), filters.faculty("Highlight a faculty", "None")
    periods = {m["metric"]: periods_with(release, m["metric"], level).iloc[0] for m in headline}
    compared = [_compare(release, m, periods[m["metric"]], level) for m in headline]
    with head:
        layout.answer(consistency.consistency_answer(compared))

    st.html(html.cards([_card(release, c, periods[c.metric["metric"]], level) for c in compared]))
    found = release.findings(visit.viewer.scope)
    _stands_out(visit, found, current["label"])
    with_figures = [c for c in compared if len(c.shown)]
    for suffix in dict.fromkeys(c.metric["suffix"] for c in with_figures):
        _strips(visit, [c for c in with_figures if c.metric["suffix"] == suffix], faculty, level)
    if schools := record.incomplete(release, level):
        layout.quiet(record.caution(release, schools))
    if with_figures:
        widest = consistency.widest(with_figures)
        visit.link("schools", "See which schools differ", metric=widest.metric["metric"], level=level)
    if found.empty or level != ALL_LEVELS:
        _gaps(visit, headline, periods, level)
    _trust(visit)


def _compare(release: Release, metric: pd.Series, period: pd.Series, level: str) -> Comparison:
    cells = release.everyone(metric["metric"], level, period)
    published = release.consistency(metric["metric"], level, period)
    return consistency.compare(cells, release.units, metric, period["label"], published)


def _card(release: Release, c: Comparison, period: pd.Series, level: str) -> html.Card:
    moved, since = None, "the year before"
    before = period_before(release, period)
    if before is not None:
        moved = consistency.change(c.university, _compare(release, c.metric, before, level).university)
        since = before["label"]
    is_shown = c.university["status"] == "shown"
    return html.Card(
        label=c.metric["label"],
        value=words.shown(c.university, c.metric),
        is_figure=is_shown,
        under=f"{c.period} · {words.shown_interval(c.university, c.metric)}" if is_shown else c.period,
        out_of=f"Out of {c.metric['out_of']}",
        change=consistency.change_words(moved, c.metric, since),
        verdict=consistency.change_verdict(moved, c.metric["better"]),
    )


def _stands_out(visit: Visit, found: pd.DataFrame, period: str) -> None:
    if found.empty:
        return
    found = found[found["kind"] != "consistency"]  # the answer to the page's question has said it
    layout.section("What stands out", f"All levels together, {period} unless another year is named")
    with st.container(key="findings"):
        for finding in found.to_dict("records"):
            lead = words.FINDINGS.get(finding["kind"], "Finding")
            if finding["kind"] == "gap":
                about = visit.release.characteristics.loc[finding["characteristic"], "label"]
                lead = f"{lead} by {words.lowered(about)}"
            text = f"**{layout.plain(lead)}.** {layout.plain(finding['sentence'])}"
            visit.link(finding["view"], text, **_view(finding))


def _view(finding: dict[Any, Any]) -> dict[str, str]:
    """A finding's view, as filters in the URL."""
    if finding["view"] not in ("schools", "equity"):
        return {}
    view = {name: str(finding[name]) for name in IN_URL if pd.notna(finding[name])}
    return view | {"period": code(finding)} if pd.notna(finding["academic_year"]) else view


def _strips(visit: Visit, compared: list[Comparison], faculty: str, level: str) -> None:
    units, highlight = visit.release.units, faculty != EVERYWHERE
    own = list(units.index[units["parent"] == faculty]) if highlight else []
    diamonds = f" Diamonds: {units.loc[faculty, 'name']}." if highlight else ""
    band = "where about eight in ten schools lie, chance set aside"
    if not any(c.modelled for c in compared):
        band = "the middle 80% of schools"
    layout.chart(
        strips(compared, visit.theme, own),
        title=consistency.strips_title(compared),
        subtitle=(
            f"Each dot is a school, the tick the university, the band {band}. "
            f"{visit.release.levels.loc[level, 'label']}.{diamonds}"
        ),
        alt=" ".join(words.sentence(consistency.spread(c)) for c in compared),
        table=tables.headline(compared),
        numeric=tables.HEADLINE_FIGURES,
        key=f"strips {compared[0].metric['suffix']}",
    )


def _gaps(visit: Visit, headline: list[pd.Series], periods: dict[str, pd.Series], level: str) -> None:
    release = visit.release
    gaps = []
    for metric in headline:
        when = periods[metric["metric"]]
        gaps.append(
            release.gaps(
                metric=metric["metric"],
                unit="university",
                level=level,
                academic_year=when["academic_year"],
                part=when["part"],
            )
        )
    every = pd.concat(gaps) if gaps else pd.DataFrame(columns=["status", "evidence"])
    found = equity.missing_out(every, release.metrics) if len(every) else every
    if found.empty:
        layout.section(equity.no_gap_title(every))
        return
    layout.section("The clearest gaps between groups", "Across the university, on the headline measures")
    for gap in equity.widest_by_characteristic(found, MOST_GAPS).to_dict("records"):
        metric = release.metrics.loc[gap["metric"]]
        about = f"{release.characteristics.loc[gap['characteristic'], 'label']}, {words.quoted(metric['label'])}"
        visit.link(
            "equity",
            f"**{layout.plain(about)}**: {layout.plain(equity.gap_words(gap, metric))}",
            metric=gap["metric"],
            characteristic=gap["characteristic"],
            group=gap["group"],
            level=level,
        )


def _trust(visit: Visit) -> None:
    release = visit.release
    layout.section("Can these figures be trusted?")
    layout.prose(quality.quality_answer(release.reconciliation, release.checks))
    for text in quality.not_available(release.metrics):
        layout.quiet(text)
    visit.link("quality", f"{words.headline(words.data_through(release.about['data_through']))}: see every check")
