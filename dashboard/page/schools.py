"""Compare schools: which differ beyond chance, in both directions?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import layout, nearby, record, tables
from dashboard.charts.schools import intervals
from dashboard.compared import compare, with_faculty
from dashboard.filters import EVERYWHERE, Filters
from dashboard.findings import consistency, standing
from dashboard.findings.consistency import Comparison
from dashboard.layout import Visit
from dashboard.style import html, words

BOTH_WAYS = {
    "well": ("Worth learning from", "The whole interval is better than the university’s value."),
    "attention": ("Worth a conversation", "The whole interval is worse than the university’s value."),
}
NEITHER_BETTER = {
    "above": ("Higher", "The whole interval is above the university’s value."),
    "below": ("Lower", "The whole interval is below the university’s value."),
}


def page(visit: Visit) -> None:
    """All schools on one measure, and which of them are worth a visit or a conversation."""
    release = visit.release
    one = visit.viewer.home.startswith("school:")
    layout.question(
        release.about["university"],
        "How does your school compare?" if one else "Which schools differ beyond chance?",
    )
    head = st.container()
    with st.container(key="filters"):
        filters = Filters(release)
        metric, level = filters.metric(), filters.level()
        period = filters.period(metric["metric"], level)
        faculty = filters.faculty("Highlight a faculty", "None")
    compared = compare(release, metric, period, level)
    spread = standing.band(release.band(metric["metric"], level, period)) if compared.partial else None
    incomplete = record.incomplete(release, level) if metric["theme"] == "contact" else {}
    with head:
        layout.answer(_answer(compared, spread, incomplete))
        layout.not_seen(visit, filters)
    layout.define(metric)
    if incomplete:
        layout.quiet(record.caution(release, incomplete))
    if not one:
        st.html(html.pair(_both_ways(compared, set(incomplete))))
    layout.quiet(
        "A school that stands apart is a signal for a conversation, not a verdict: who studies there, how it "
        "tutors and how it keeps its records all play a part."
    )
    _chart(visit, compared, faculty, period, incomplete, level, spread)
    _profiles(visit, compared)
    cells = release.everyone(metric["metric"], level, period)
    nearby.schools(visit, cells[(cells["status"] == "suppressed") & cells["unit"].isin(compared.hidden["unit"])])


def _profiles(visit: Visit, c: Comparison) -> None:
    """Ways on to all about one school."""
    schools = c.schools.to_dict("records")
    if len(schools) == 1:
        visit.link("profile", "See all about your school on one page", unit=str(schools[0]["unit"]))
        return
    with st.expander("All about one school, on a page to print"), st.container(key="profiles"):
        for school in schools:
            visit.link("profile", layout.plain(str(school["name"])), unit=str(school["unit"]))


def _answer(c: Comparison, spread: standing.Band | None, incomplete: dict[str, float]) -> str:
    return standing.schools_answer(c, spread) if c.partial else consistency.schools_answer(c, len(incomplete))


def _both_ways(c: Comparison, incomplete: set[str]) -> list[html.Named]:
    lists = []
    for side in ("below", "above") if c.metric["better"] == "lower" else ("above", "below"):
        verdict = consistency.verdict(side, c.metric["better"])
        heading, explanation = BOTH_WAYS.get(verdict, NEITHER_BETTER[side])
        names = consistency.named(c.on_side(side), c.metric, incomplete)
        lists.append(html.Named(heading, explanation, names, verdict))
    return lists


def _chart(
    visit: Visit,
    c: Comparison,
    faculty: str,
    period: pd.Series,
    incomplete: dict[str, float],
    level: str,
    spread: standing.Band | None,
) -> None:
    theme, better = visit.theme, c.metric["better"]
    answer = _answer(c, spread, incomplete)
    title = words.headline(consistency.spread(c)) if c.middle else standing.schools_title(c)
    if visit.viewer.home.startswith("school:"):
        title = standing.schools_title(c)
        c, faculty = with_faculty(visit.release, c, level, period), str(c.schools["parent"].iloc[0])
    schools = c.schools.assign(verdict=[consistency.verdict(s, better) for s in c.schools["side"]])
    own = set(schools.loc[schools["parent"] == faculty, "unit"]) if faculty != EVERYWHERE else set()
    marks = [
        (getattr(theme, consistency.verdict(side, better)), glyph, f"clearly {side} the university")
        for side, glyph in (("below", "◀"), ("above", "▶"))
    ]
    lines = [*marks, (theme.context, "●", "no clear difference")]
    if spread:
        lines.append((theme.context, "▒", "the middle 80% of all schools, unnamed"))
    about = layout.about(c.metric, c.period, visit.release.levels.loc[level, "label"])
    layout.chart(
        visit,
        intervals(
            schools,
            c.university,
            c.metric,
            theme,
            own,
            dict.fromkeys(incomplete, record.INCOMPLETE),
            visit.column,
            (spread.low, spread.high) if spread else None,
        ),
        title=title,
        subtitle=f"{about}, out of {words.shown_base(c.university)} ({c.metric['out_of']}). Lines are 95% intervals.",
        alt=answer + (f" {words.sentence(consistency.spread(c))}" if not c.partial else ""),
        figures=lambda: c.figures.assign(level=level),
        table=tables.schools(c, set(incomplete), standing.rows(spread, c.metric)),
        numeric=("Value", "95% interval", "Out of"),
        legend=html.key(lines),
        key="schools",
    )
