"""Compare schools: which stand apart from the rest, in both directions?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import between, layout, nearby, record, tables
from dashboard.charts.funnel import funnel
from dashboard.charts.schools import intervals
from dashboard.compared import compare, with_faculty
from dashboard.filters import EVERYWHERE, Filters
from dashboard.findings import consistency, every, standing
from dashboard.findings.consistency import LEARN, TALK, Comparison
from dashboard.layout import Visit
from dashboard.page import schools_beside, schools_headline, schools_tutors
from dashboard.published import Release
from dashboard.style import html, words

ALL = "all"
VIEWS = {
    ALL: "All headline measures",
    "rows": "Each school",
    "funnel": "By size",
    "tutors": "Between tutors",
    "modes": "How they meet",
    "years": "Over the years",
}
WHAT = "What to see of schools"
BOTH_WAYS = {
    LEARN: ("Worth learning from", "On the good side of the usual range; ★ beyond the 99.8% limits.", "well"),
    TALK: ("Worth a conversation", "On the other side of it: ask what lies behind it.", "attention"),
}  # fmt: skip
ORDERS = {"name": "A to Z", "value": "Highest first"}
SIDES = {"above": "Above the usual range", "below": "Below the usual range"}
LIMITS_SAID = (
    "The usual range allows for each school’s size and for how schools differ anyway: where schools differ a lot it is "
    "wide, and consistency is the question, not any one school. Standing apart is a signal for a conversation, not a "
    "verdict: who studies there, how the school tutors and how it keeps its records all play a part."
)


@dataclass(frozen=True)
class Chosen:
    """What the page is about: schools on one measure, whom to highlight, whose records look incomplete."""

    compared: Comparison
    period: pd.Series
    level: str
    faculty: str
    incomplete: dict[str, float]
    spread: standing.Band | None

    @property
    def answer(self) -> str:
        c = self.compared
        if c.partial:
            return standing.schools_answer(c, self.spread)
        return consistency.schools_answer(c, len(self.incomplete))


def page(visit: Visit) -> None:
    """Schools on one measure, which of them are worth a visit or a conversation, how they meet, and over the years."""
    release = visit.release
    one = visit.viewer.home.startswith("school:")
    asked = "How does your school compare?" if one else "Which schools stand apart from the rest?"
    head, chosen = st.container(), layout.filters(visit)
    filters, several = Filters(release), int((release.units["kind"] == "school").sum()) > 1
    # An address that names a measure, as links from other pages do, opens that measure
    names_one = st.query_params.get("metric") in release.metrics.index
    first = ALL if several and filters.asked.get("drawn", ALL) == ALL and not names_one else "rows"
    if several and filters.asked.get("drawn", first) == ALL:
        _all(visit, filters, head, chosen, asked, first)
        return
    with chosen:
        metric, level = filters.metric(), filters.level()
        period = filters.period(metric["metric"], level)
        faculty = filters.faculty("Highlight a faculty", "None")
    x = visit.once("chosen", lambda: _chosen(release, metric, period, level, faculty))
    compared = x.compared
    with head:
        layout.question(layout.whose(visit, visit.viewer.home, str(period["label"])), asked)
        layout.answer(visit.once("answer", lambda: x.answer))
        layout.not_as_asked(visit, filters)
        if compared.limited and not one:
            st.html(visit.once("both ways", lambda: html.pair(_lists(compared, x.incomplete))))
    layout.define(metric)
    if x.incomplete:
        layout.quiet(record.caution(release, x.incomplete))
    view = filters.switch(
        "drawn",
        WHAT,
        _views(compared, several, between.is_told(release, str(metric["metric"]))),
        first,
    )
    if view == "tutors":
        schools_tutors.show(visit, compared, period)
    elif view == "modes":
        schools_beside.modes(visit, compared, period, level)
    elif view == "years":
        schools_beside.years(visit, metric, period, level)
    elif view == "funnel":
        layout.chart(visit, **visit.once("funnel", lambda: _funnel(visit, x)))
    else:
        order = filters.switch("order", "Order of schools", ORDERS) if several else next(iter(ORDERS))
        layout.chart(visit, **visit.once("rows", lambda: _rows(visit, x, order)))
        nearby.schools(visit, visit.once("hidden", lambda: _hidden(release, x)))
    if compared.limited and view != "tutors":
        layout.quiet(LIMITS_SAID)
    _profiles(visit, compared)


def _all(visit: Visit, filters: Filters, head: DeltaGenerator, chosen: DeltaGenerator, asked: str, first: str) -> None:
    """Every school on every headline measure. first: the view that an address need not name."""
    with chosen:
        x = schools_headline.chosen(visit, filters)
        faculty = filters.faculty("Highlight a faculty", "None")
    with head:
        layout.question(layout.whose(visit, visit.viewer.home, x.period), asked)
        layout.answer(visit.once("all answer", lambda: every.answer(x.compared, x.incomplete)))
        layout.not_as_asked(visit, filters)
    compared = x.compared[0]
    filters.switch(
        "drawn", WHAT, _views(compared, True, between.is_told(visit.release, str(compared.metric["metric"]))), first
    )
    schools_headline.show(visit, x, _marked(compared, faculty)[1])
    if any(c.limited for c in x.compared):
        layout.quiet(LIMITS_SAID)
    _profiles(visit, compared)


def _chosen(release: Release, metric: pd.Series, period: pd.Series, level: str, faculty: str) -> Chosen:
    compared = compare(release, metric, period, level)
    spread = standing.band(release.band(metric["metric"], level, period)) if compared.partial else None
    incomplete = record.incomplete(release, level) if metric["theme"] == "contact" else {}
    return Chosen(compared, period, level, faculty, incomplete, spread)


def _hidden(release: Release, x: Chosen) -> pd.DataFrame:
    """Cells of the schools whose figures are hidden."""
    cells = release.everyone(str(x.compared.metric["metric"]), x.level, x.period)
    return cells[(cells["status"] == "suppressed") & cells["unit"].isin(x.compared.hidden["unit"])]


def _profiles(visit: Visit, c: Comparison) -> None:
    """Ways on to all about one school."""
    if len(c.schools) == 1:
        visit.link("profile", "See all about your school on one page", unit=str(c.schools["unit"].iloc[0]))
        return
    fold = st.expander("All about one school, on a page to print", key="profiles-fold", on_change="rerun")
    if fold.open:
        with fold.container(key="profiles"):
            for unit, name in zip(c.schools["unit"], c.schools["name"], strict=True):
                visit.link("profile", layout.plain(str(name)), unit=str(unit))


def _views(c: Comparison, several: bool, of_tutors: bool) -> dict[str, str]:
    """The views there are: a table of all measures needs more than one school, a funnel some more."""
    few = int((c.schools["side"] != "").sum()) < consistency.FEWEST_SCHOOLS
    has = {ALL: several, "funnel": not few, "tutors": of_tutors}
    return {name: label for name, label in VIEWS.items() if has.get(name, True)}


def _lists(c: Comparison, incomplete: Collection[str]) -> list[html.Named]:
    """Schools outside the usual range; by themselves those whose record looks incomplete, which may be all it is."""
    sure, outside = c.in_doubt(incomplete)
    lists = _both_ways(sure)
    if len(outside):
        said = "Outside the usual range, with far fewer meetings on record than students recall."
        lists.append(html.Named(record.FIRST, said, consistency.named(outside, c.metric, doubted=True), "doubt"))
    return lists


def _both_ways(c: Comparison) -> list[html.Named]:
    """Schools outside the usual range by what is published of them; by side where neither side is good."""
    if c.metric["better"] == "neither":
        return [
            html.Named(heading, "", consistency.named(c.on_side(side), c.metric), "context")
            for side, heading in SIDES.items()
        ]
    return [
        html.Named(heading, explanation, consistency.named(c.called(says), c.metric), verdict)
        for says, (heading, explanation, verdict) in BOTH_WAYS.items()
    ]


def _marked(c: Comparison, faculty: str, incomplete: Collection[str] = ()) -> tuple[pd.DataFrame, set[str]]:
    """Schools with the verdict on their side, or doubt where the record looks incomplete; those of the highlighted
    faculty.
    """
    sides = zip(c.schools["unit"], c.schools["side"], strict=True)
    better = str(c.metric["better"])
    schools = c.schools.assign(
        verdict=["doubt" if unit in incomplete else consistency.verdict(side, better) for unit, side in sides]
    )
    return schools, set(schools.loc[schools["parent"] == faculty, "unit"]) if faculty != EVERYWHERE else set()


def _legend(visit: Visit, x: Chosen, glyphs: str, *more: html.Key) -> list[html.Key]:
    c, theme, better = x.compared, visit.theme, x.compared.metric["better"]
    if x.incomplete:
        more = ((theme.context, "○", f"{record.INCOMPLETE}: check it first"), *more)
    sides = [
        (getattr(theme, consistency.verdict(side, better)), glyph, f"{side} the usual range")
        for side, glyph in zip(("below", "above"), glyphs, strict=True)
    ]
    return [*(sides if c.limited else []), (theme.context, "●", "within the usual range"), *more]


def _about(visit: Visit, x: Chosen) -> str:
    c = x.compared
    about = layout.about(c.metric, c.period, visit.release.levels.loc[x.level, "label"])
    across = f"{words.shown_base(c.university)} ({c.metric['out_of']})"
    if len(c.schools) == 1:
        return f"{about}, out of {words.shown_base(c.schools.iloc[0])} here and {across} across the university"
    return f"{about}, out of {across}{' across the university' if c.partial else ''}"


def _rows(visit: Visit, x: Chosen, order: str) -> dict[str, Any]:
    c, faculty, theme = x.compared, x.faculty, visit.theme
    title = words.headline(consistency.spread(c)) if c.middle else standing.schools_title(c)
    alt = x.answer + (f" {words.sentence(consistency.spread(c))}" if not c.partial else "")
    if visit.viewer.home.startswith("school:"):
        title = standing.schools_title(c)
        c, faculty = with_faculty(visit.release, c, x.level, x.period), str(c.schools["parent"].iloc[0])
    schools, own = _marked(c, faculty, x.incomplete)
    if order == "value":
        schools = schools.sort_values("value", ascending=False, kind="stable")  # those without one last
    more = [(theme.context, glyph, said) for glyph, said in consistency.SHADES] if c.limited else []
    if x.spread and not c.limited:
        more.append((theme.context, "▒", "the middle 80% of all schools, unnamed"))
    return {
        "figure": intervals(
            schools,
            c.university,
            c.metric,
            theme,
            own,
            dict.fromkeys(x.incomplete, record.INCOMPLETE),
            visit.column,
            (x.spread.low, x.spread.high) if x.spread and not c.limited else None,
        ),
        "title": title,
        "subtitle": f"{_about(visit, x)}. Lines are 95% intervals.",
        "alt": alt,
        "table": tables.schools(c, set(x.incomplete), standing.rows(x.spread, c.metric)),
        "figures": lambda: c.numbers.assign(level=x.level),
        "numeric": tables.SCHOOL_FIGURES,
        "legend": _legend(visit, x, "◀▶", *more),
        "key": "schools",
    }


def _funnel(visit: Visit, x: Chosen) -> dict[str, Any]:
    c = x.compared
    schools, own = _marked(c, x.faculty, x.incomplete)
    sure, outside = c.in_doubt(x.incomplete)
    more = f"; {words.small(len(outside))} more with a record to check first" if len(outside) else ""
    without = c.schools.loc[c.schools["side"] == "", "short_name"].tolist()
    note = f"Without a figure or limits here: {words.listed(without)}." if without else ""
    return {
        "figure": funnel(schools, c.university, c.metric, visit.theme, own, visit.column),
        "title": consistency.funnel_title(sure) + more,
        "subtitle": (
            f"{_about(visit, x)}. Each mark is a school; 95% of schools would lie within the inner lines, 99.8% within "
            "the dotted ones."
        ),
        "alt": x.answer,
        "table": tables.schools(c, set(x.incomplete)),
        "figures": lambda: c.numbers.assign(level=x.level),
        "numeric": tables.SCHOOL_FIGURES,
        "legend": _legend(visit, x, "▼▲"),
        "note": note,
        "key": "funnel",
    }
