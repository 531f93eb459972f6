"""Student voice: do students know, trust and feel supported by their tutor, and whose voice is missing?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import clearest, layout, nearby, tables_voice
from dashboard.access import UNIVERSITY
from dashboard.charts.answers import colours, diverging
from dashboard.charts.rates import around_everyone, as_weighted
from dashboard.compared import parts_of
from dashboard.filters import Filters
from dashboard.findings import standing, voice
from dashboard.kept import keep
from dashboard.layout import Visit
from dashboard.periods import code
from dashboard.published import Release
from dashboard.style import html, words

EVERYONE = {"level": "all", "characteristic": "all"}
ALL_LEVELS = "all levels"


def page(visit: Visit) -> None:
    """How students answered every statement in a unit; one statement by unit and group; and who did not answer."""
    release = visit.release
    asked = "Do students know, trust and feel supported by their tutor?"
    statements = voice.statements(release.metrics)
    if statements.empty:
        layout.question(release.about["university"], asked)
        layout.answer(voice.none_to_show(release.metrics))
        visit.link("quality", "What each measure means")
        return
    head = st.container()
    with layout.filters(visit):
        filters = Filters(release)
        unit, period = filters.unit(), filters.period(str(statements.index[0]), "all")
    x = visit.once("asked", lambda: _asked(release, statements, unit, period))
    with head:
        layout.question(layout.whose(visit, unit, x.called), asked)
        said, beside = visit.once("answer", lambda: _answer(visit, x))
        layout.answer(said)
        if beside:
            layout.quiet(beside)
        layout.not_as_asked(visit, filters)
    if text := voice.linked_words(release.metrics):
        layout.quiet(text)
    layout.chart(visit, **visit.once("statements", lambda: _statements(visit, x)))

    layout.section("Who agrees, and who does not? Choose a statement and whom to tell apart")
    with st.container(key="filters-where"):
        headline = statements.index[statements["headline"].astype(bool)]
        first = [str(name) for name in (headline if len(headline) else statements.index)]
        default = clearest.gap(release, unit, first, "all", code(period))[0] or first[0]
        labels = statements["label"].to_dict()
        metric = statements.loc[filters.choose("metric", "Statement", labels, default, pin=True)]
        by = clearest.gap(release, unit, [str(metric["metric"])], "all", code(period))[1]
        characteristic = filters.characteristic(by)
    layout.chart(visit, **visit.once("units", lambda: _units(visit, x, metric)))
    one = visit.viewer.home.startswith("school:")
    see = "See your school with its interval" if one else "See every school with its interval"
    visit.link("schools", see, metric=str(metric["metric"]))
    _groups(visit, x, metric, characteristic)

    layout.section("Whose voice is missing?")
    if x.rates.empty:
        layout.prose("This release does not say who answered.")
    else:
        chart, even = visit.once("response", lambda: _response(visit, x, characteristic))
        if chart["figure"]:
            layout.chart(visit, **chart)
        else:
            layout.section(chart["title"])
        layout.prose(even)
    if x.weighted.empty:
        layout.quiet("There are too few answers here to weight them to everyone enrolled.")
    else:
        layout.chart(visit, **visit.once("weighted", lambda: _weighted(visit, x)))


@dataclass(frozen=True)
class Asked:
    """What the page is about: a unit in a period, and what its students and those of all units answered."""

    unit: str
    period: pd.Series
    statements: pd.DataFrame
    cells: pd.DataFrame  # everyone's share who agree with each statement, of all units
    split: pd.DataFrame  # the same with how the answers divide
    rates: pd.DataFrame
    weighted: pd.DataFrame
    limits: pd.DataFrame  # of `funnel`: schools' usual ranges

    @property
    def when(self) -> dict[str, str]:
        """The period, as a release is asked for it."""
        return {"academic_year": str(self.period["academic_year"]), "part": str(self.period["part"])}

    @property
    def called(self) -> str:
        """What the period is called."""
        return str(self.period["label"])

    @property
    def own(self) -> pd.DataFrame:
        """The unit's own shares."""
        return self.cells[self.cells["unit"] == self.unit]


def _asked(release: Release, statements: pd.DataFrame, unit: str, period: pd.Series) -> Asked:
    when = {"academic_year": str(period["academic_year"]), "part": str(period["part"])}
    cells, split = keep(release, lambda: _answered(release, statements, period), "answered", code(period))
    rates = release.rows("response", unit=unit, level="all", **when)
    weighted = release.rows("weighted", unit=unit, **when)
    limits = release.derived("funnel", level="all", **when)
    return Asked(unit, period, statements, cells, split, rates, weighted, limits)


def _answered(release: Release, statements: pd.DataFrame, period: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Everyone's share who agree with each statement, of all units; and the same with how the answers divide."""
    cells = pd.concat([release.everyone(str(m), "all", period) for m in statements.index], ignore_index=True)
    when = {"academic_year": str(period["academic_year"]), "part": str(period["part"])}
    return cells, voice.split(cells, release.rows("answers", **EVERYONE, **when))


def _answer(visit: Visit, x: Asked) -> tuple[str, str]:
    """How students answered with how many did not; and for a unit, where that lies beside the university."""
    metrics = visit.release.metrics
    place = "at the university" if x.unit == UNIVERSITY else f"in {words.within(visit.name(x.unit))}"
    said = voice.answer(x.own, metrics, place, x.called)
    doubt = voice.doubt(_everyone(x.rates, x.unit), x.weighted, metrics)
    university = x.cells[x.cells["unit"] == UNIVERSITY]
    beside = voice.beside(x.own, university, metrics, x.limits) if x.unit != UNIVERSITY else ""
    return f"{said} {doubt}".rstrip(), beside


def _everyone(rates: pd.DataFrame, unit: str) -> standing.Row:
    return standing.figure(rates[rates["characteristic"] == "all"] if len(rates) else rates.assign(unit=""), unit)


def _statements(visit: Visit, x: Asked) -> dict[str, Any]:
    own = x.split[x.split["unit"] == x.unit]
    title = voice.statements_title(own, x.statements)
    rows = tables_voice.statement_rows(x.split, x.statements, visit.release.units, x.unit)
    return {
        "figure": diverging(rows, voice.RATE, visit.theme, visit.column),
        "title": title,
        "subtitle": f"{visit.name(x.unit)}: five answers to each statement, {x.called}, {ALL_LEVELS}. "
        f"Out of {_out_of(own)}. The figure beside a bar is the share who agree, with its 95% interval.",
        "alt": f"{title}. {voice.answer(own, x.statements, 'here', x.called)}",
        "table": tables_voice.divided(rows, "Statement"),
        "numeric": tables_voice.DIVIDED,
        "legend": _key(visit),
        "figures": lambda: x.split[x.split["unit"].isin([x.unit, UNIVERSITY])],
        "key": "statements",
    }


def _out_of(cells: pd.DataFrame) -> str:
    """'about 8,700 students who answered', from whatever statement had most answers."""
    shown = cells[cells["status"] == "shown"]
    return f"{words.about(shown['base'].max())} students who answered" if len(shown) else "students who answered"


def _key(visit: Visit) -> list[html.Key]:
    return [(colour, "■", said) for said, colour in zip(voice.ANSWERS, colours(visit.theme).values(), strict=True)]


def _units(visit: Visit, x: Asked, metric: pd.Series) -> dict[str, Any]:
    split = x.split[x.split["metric"] == metric["metric"]]
    places = parts_of(visit.release, x.unit)
    rows = tables_voice.unit_rows(split, places, x.unit)
    university = standing.figure(split, UNIVERSITY)
    is_other = rows["unit"] != UNIVERSITY
    limits = x.limits[x.limits["metric"] == metric["metric"]] if len(x.limits) else x.limits
    rows["side"] = pd.Series(standing.sides(rows, university, limits), rows.index).where(is_other, "")
    others = rows[is_other]
    smallest = others["kind"].iloc[-1] if len(others) else "school"
    title = voice.units_title(others[others["kind"] == smallest], university, words.lowered(str(smallest)), limits)
    return {
        "figure": diverging(rows, metric, visit.theme, visit.column),
        "title": title,
        "subtitle": f"{layout.about(metric, x.called, ALL_LEVELS)}, out of {_out_of(split[split['unit'] == x.unit])} "
        f"in {words.within(visit.name(x.unit))}. Beside a bar: the share who agree, with its 95% interval. "
        "In reading order, not by rank.",
        "alt": f"{words.quoted(str(metric['label']))} by unit. {title}.",
        "table": tables_voice.divided(rows, "Place"),
        "numeric": tables_voice.DIVIDED,
        "legend": [*_key(visit), *_apart(visit, others)],
        "figures": lambda: split[split["unit"].isin(places["unit"])],
        "key": "units",
    }


def _apart(visit: Visit, rows: pd.DataFrame) -> list[html.Key]:
    """What marks beside the share who agree mean, where there are any: of a school, and of any other place."""
    is_school = rows["unit"].str.startswith("school:")
    marks = ((visit.theme.well, "▲", "above"), (visit.theme.attention, "▼", "below"))
    said = (("clearly {} the university", ~is_school), ("school {} the usual range", is_school))
    return [
        (colour, glyph, text.format(side))
        for colour, glyph, side in marks
        for text, of in said
        if (of & (rows["side"] == side)).any()
    ]


def _groups(visit: Visit, x: Asked, metric: pd.Series, characteristic: pd.Series) -> None:
    """One statement by the groups of a characteristic: their five answers, or else the share who agree."""
    release, name = visit.release, str(characteristic["characteristic"])
    chart, hidden = visit.once("groups", lambda: _by_group(visit, x, metric, characteristic))
    if not chart:
        layout.section("No group can be told apart here" if len(hidden) else "No group to tell apart here")
    else:
        layout.chart(visit, **chart)
    if chart.get("note") and x.unit != UNIVERSITY:
        visit.link(
            "voice", "See how they divide across the university", unit=UNIVERSITY, metric=str(metric["metric"]),
            characteristic=name, period=code(x.period),
        )  # fmt: skip
    nearby.groups(visit, hidden, release.cells)


def _by_group(
    visit: Visit, x: Asked, metric: pd.Series, characteristic: pd.Series
) -> tuple[dict[str, Any], pd.DataFrame]:
    """The chart of groups, empty where there is no group, and the figures hidden in it."""
    release, name, unit = visit.release, str(characteristic["characteristic"]), x.unit
    of = {"metric": str(metric["metric"]), "level": "all", "characteristic": name, **x.when}
    cells, answers = release.cells(**of, unit=unit), release.rows("answers", **of, unit=unit)
    groups = release.groups[release.groups["characteristic"] == name]
    rows = tables_voice.group_rows(voice.split(cells, answers), groups)
    hidden = cells[cells["status"] == "suppressed"]
    if not len(rows) or not (rows["status"] == "shown").any():
        return {}, hidden
    gaps = release.gaps(**of, unit=unit)
    title = voice.groups_title(rows, gaps, release.metrics, visit.name(unit))
    about = f"{characteristic['label']}. {layout.about(metric, x.called, ALL_LEVELS)}"
    everyone = release.everyone(str(metric["metric"]), "all", x.period)
    everyone = everyone[everyone["unit"] == unit]
    chart = {
        "title": title,
        "alt": f"{metric['label']} by {words.lowered(str(characteristic['label']))}. {title}.",
        "key": "groups",
    }
    if (rows["bands"] > 0).any():
        return chart | {
            "figure": diverging(rows, metric, visit.theme, visit.column),
            "subtitle": f"{about}, out of {_out_of(everyone)}. Unknown is shown, never compared.",
            "table": tables_voice.divided(rows, str(characteristic["label"])),
            "numeric": tables_voice.DIVIDED,
            "legend": _key(visit),
            "figures": lambda: answers,
        }, hidden
    plain = rows.assign(verdict="context")
    return chart | {
        "figure": around_everyone(plain, standing.figure(everyone, unit), metric, visit.theme, visit.column),
        "subtitle": f"{about}: the share who agree, with 95% intervals. Unknown is shown, never compared.",
        "table": tables_voice.rated(rows, str(characteristic["label"])),
        "numeric": tables_voice.RATED,
        "figures": lambda: cells,
        "note": "How the five answers divide is not published for these groups here, so that no small group’s "
        "answers can be worked out.",
    }, hidden


def _response(visit: Visit, x: Asked, characteristic: pd.Series) -> tuple[dict[str, Any], str]:
    """The chart of who answered (its figure None where no group can be shown), and in words how evenly they did."""
    release, name = visit.release, str(characteristic["characteristic"])
    groups = release.groups[release.groups["characteristic"] == name]
    own, everyone = x.rates[x.rates["characteristic"] == name], _everyone(x.rates, x.unit)
    compared = groups.loc[groups["compared"].astype(bool), "group"].tolist()
    less = voice.heard_less(own, everyone, compared)
    rows = tables_voice.group_rows(own, groups)
    rows["verdict"] = rows["group"].isin(less["group"]).map({True: "attention", False: "context"})
    title = voice.response_title(own, less, everyone)
    even = voice.evenness(
        release.rows("representativeness", unit=x.unit, level="all", **x.when),
        name,
        release.characteristics,
    )
    chart = {
        "figure": around_everyone(rows, everyone, voice.RATE, visit.theme, visit.column)
        if (rows["status"] == "shown").any()
        else None,
        "title": title,
        "subtitle": f"{visit.name(x.unit)}: response rate by {words.lowered(str(characteristic['label']))}, "
        f"{x.called}, {ALL_LEVELS}, out of {words.shown_base(everyone)} enrolled. Lines are 95% intervals.",
        "alt": f"{title}. {even}",
        "table": tables_voice.rated(pd.concat([rows, pd.DataFrame([{**everyone, "name": "Everyone"}])]), "Group"),
        "numeric": tables_voice.RATED,
        "legend": [
            (visit.theme.attention, "◀", "clearly, and by three points or more, below everybody"),
            (visit.theme.context, "●", "not so"),
        ],
        "figures": lambda: own,
        "key": "response",
    }
    return chart, even


def _weighted(visit: Visit, x: Asked) -> dict[str, Any]:
    title = voice.weighted_title(x.weighted, visit.release.metrics)
    rows = tables_voice.weighted_rows(x.weighted, x.own, x.statements)
    return {
        "figure": as_weighted(rows, visit.theme, visit.column),
        "title": title,
        "subtitle": f"{visit.name(x.unit)}: share who agree, {x.called}, {ALL_LEVELS}, out of {_out_of(x.own)}. "
        "Lines are 95% intervals of the weighted share.",
        "alt": f"{title}.",
        "table": tables_voice.weighted(rows),
        "numeric": tables_voice.WEIGHTED,
        "legend": [
            (visit.theme.context, "●", "as given by those who answered"),
            (visit.theme.accent, "◆", "as it would be if they had the make-up of everyone enrolled"),
        ],
        "figures": lambda: x.weighted,
        "key": "weighted",
        "note": "Weights mend who is counted; those who stay silent may still think otherwise.",
    }
