"""Student voice: do students know, trust and feel supported by their tutor, and whose voice is missing?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import layout, nearby, tables_voice
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
    layout.question(release.about["university"], "Do students know, trust and feel supported by their tutor?")
    statements = voice.statements(release.metrics)
    if statements.empty:
        layout.answer(voice.none_to_show(release.metrics))
        visit.link("quality", "What each measure means")
        return
    head = st.container()
    with layout.filters(visit):
        filters = Filters(release)
        unit, period = filters.unit(), filters.period(str(statements.index[0]), "all")
    when = {"academic_year": str(period["academic_year"]), "part": str(period["part"])}
    cells, split = keep(release, lambda: _answered(release, statements, period), "answered", code(period))
    own, weighted = cells[cells["unit"] == unit], release.rows("weighted", unit=unit, **when)
    rates = release.rows("response", unit=unit, level="all", **when)
    with head:
        place = "at the university" if unit == UNIVERSITY else f"in {words.within(visit.name(unit))}"
        layout.answer(_answer(visit, unit, place, period, cells, rates, weighted))
        layout.not_seen(visit, filters)
    if text := voice.linked_words(release.metrics):
        layout.quiet(text)
    _statements(visit, split, statements, unit, str(period["label"]))

    layout.section("Who agrees, and who does not? Choose a statement and whom to tell apart")
    with st.container(key="filters-where"):
        headline = statements.index[statements["headline"].astype(bool)]
        default = str((headline if len(headline) else statements.index)[0])
        labels = statements["label"].to_dict()
        metric = statements.loc[filters.choose("metric", "Statement", labels, default, pin=True)]
        characteristic = filters.characteristic("")
    _units(visit, split[split["metric"] == metric["metric"]], metric, unit, str(period["label"]))
    _groups(visit, metric, characteristic, unit, period)

    layout.section("Whose voice is missing?")
    _response(visit, rates, characteristic, unit, when, str(period["label"]))
    _weighted(visit, weighted, own, statements, unit, str(period["label"]))


def _answered(release: Release, statements: pd.DataFrame, period: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Everyone's share who agree with each statement, of all units; and the same with how the answers divide."""
    cells = pd.concat([release.everyone(str(m), "all", period) for m in statements.index], ignore_index=True)
    when = {"academic_year": str(period["academic_year"]), "part": str(period["part"])}
    return cells, voice.split(cells, release.rows("answers", **EVERYONE, **when))


def _answer(
    visit: Visit,
    unit: str,
    place: str,
    period: pd.Series,
    cells: pd.DataFrame,
    rates: pd.DataFrame,
    weighted: pd.DataFrame,
) -> str:
    metrics, own = visit.release.metrics, cells[cells["unit"] == unit]
    said = [voice.answer(own, metrics, place, str(period["label"]))]
    if unit != UNIVERSITY:
        said.append(voice.beside(own, cells[cells["unit"] == UNIVERSITY], metrics))
    said.append(voice.doubt(_everyone(rates, unit), weighted, metrics))
    return " ".join(part for part in said if part)


def _everyone(rates: pd.DataFrame, unit: str) -> standing.Row:
    return standing.figure(rates[rates["characteristic"] == "all"] if len(rates) else rates.assign(unit=""), unit)


def _statements(visit: Visit, split: pd.DataFrame, statements: pd.DataFrame, unit: str, period: str) -> None:
    own = split[split["unit"] == unit]
    title = voice.statements_title(own, statements)
    rows = tables_voice.statement_rows(split, statements, visit.release.units, unit)
    layout.chart(
        visit,
        layout.drawn(visit, lambda: diverging(rows, voice.RATE, visit.theme, visit.column), "answers", unit, period),
        title=title,
        subtitle=f"{visit.name(unit)}: five answers to each statement, {period}, {ALL_LEVELS}. "
        f"Out of {_out_of(own)}. The figure beside a bar is the share who agree.",
        alt=f"{title}. {voice.answer(own, statements, 'here', period)}",
        table=tables_voice.divided(rows, "Statement"),
        numeric=tables_voice.DIVIDED,
        legend=_key(visit),
        figures=lambda: split[split["unit"].isin([unit, UNIVERSITY])],
        key="statements",
    )


def _out_of(cells: pd.DataFrame) -> str:
    """'about 8,700 students who answered', from whatever statement had most answers."""
    shown = cells[cells["status"] == "shown"]
    return f"{words.about(shown['base'].max())} students who answered" if len(shown) else "students who answered"


def _key(visit: Visit) -> list[html.Key]:
    return [(colour, "■", said) for said, colour in zip(voice.ANSWERS, colours(visit.theme).values(), strict=True)]


def _units(visit: Visit, split: pd.DataFrame, metric: pd.Series, unit: str, period: str) -> None:
    places = parts_of(visit.release, unit)
    rows = tables_voice.unit_rows(split, places, unit)
    others = rows[rows["unit"] != UNIVERSITY]
    smallest = others["kind"].iloc[-1] if len(others) else "school"
    title = voice.units_title(
        others[others["kind"] == smallest], standing.figure(split, UNIVERSITY), words.lowered(str(smallest))
    )
    layout.chart(
        visit,
        layout.drawn(
            visit, lambda: diverging(rows, metric, visit.theme, visit.column), "places", metric["metric"], unit, period
        ),
        title=title,
        subtitle=f"{layout.about(metric, period, ALL_LEVELS)}, out of {_out_of(split[split['unit'] == unit])} "
        f"in {words.within(visit.name(unit))}. In reading order, not by rank.",
        alt=f"{words.quoted(str(metric['label']))} by unit. {title}.",
        table=tables_voice.divided(rows, "Place"),
        numeric=tables_voice.DIVIDED,
        legend=_key(visit),
        figures=lambda: split[split["unit"].isin(places["unit"])],
        key="units",
    )
    one = visit.viewer.home.startswith("school:")
    see = "See your school with its interval" if one else "See every school with its interval"
    visit.link("schools", see, metric=str(metric["metric"]))


def _groups(visit: Visit, metric: pd.Series, characteristic: pd.Series, unit: str, period: pd.Series) -> None:
    release, name = visit.release, str(characteristic["characteristic"])
    of = {
        "metric": str(metric["metric"]), "level": "all", "characteristic": name,
        "academic_year": str(period["academic_year"]), "part": str(period["part"]),
    }  # fmt: skip
    cells, answers = release.cells(**of, unit=unit), release.rows("answers", **of, unit=unit)
    groups = release.groups[release.groups["characteristic"] == name]
    rows = tables_voice.group_rows(voice.split(cells, answers), groups)
    title = voice.groups_title(rows, visit.name(unit))
    about = f"{characteristic['label']}. {layout.about(metric, str(period['label']), ALL_LEVELS)}"
    alt = f"{metric['label']} by {words.lowered(str(characteristic['label']))}. {title}."
    if rows.empty:
        layout.section("No group to tell apart here")
        return
    everyone = release.everyone(str(metric["metric"]), "all", period)
    everyone = everyone[everyone["unit"] == unit]
    chosen = "groups", of["metric"], name, unit, code(period)
    if (rows["bands"] > 0).any():
        layout.chart(
            visit,
            layout.drawn(visit, lambda: diverging(rows, metric, visit.theme, visit.column), *chosen),
            title=title,
            subtitle=f"{about}, out of {_out_of(everyone)}. Unknown is shown, never compared.",
            alt=alt,
            table=tables_voice.divided(rows, str(characteristic["label"])),
            numeric=tables_voice.DIVIDED,
            legend=_key(visit),
            figures=lambda: answers,
            key="groups",
        )
    else:
        layout.chart(
            visit,
            layout.drawn(
                visit,
                lambda: around_everyone(
                    rows.assign(verdict="context"), standing.figure(everyone, unit), metric, visit.theme, visit.column
                ),
                *chosen,
            ),
            title=title,
            subtitle=f"{about}: the share who agree, with 95% intervals. Unknown is shown, never compared.",
            alt=alt,
            table=tables_voice.rated(rows, str(characteristic["label"])),
            numeric=tables_voice.RATED,
            figures=lambda: cells,
            key="groups",
            note="How the five answers divide is not published for these groups here, so that no small group’s "
            "answers can be worked out.",
        )
        if unit != UNIVERSITY:
            visit.link(
                "voice", "See how they divide across the university", unit=UNIVERSITY, metric=of["metric"],
                characteristic=name, period=code(period),
            )  # fmt: skip
    nearby.groups(visit, cells[cells["status"] == "suppressed"], release.cells)


def _response(
    visit: Visit, rates: pd.DataFrame, characteristic: pd.Series, unit: str, when: dict[str, str], period: str
) -> None:
    release, name = visit.release, str(characteristic["characteristic"])
    if rates.empty:
        layout.prose("This release does not say who answered.")
        return
    groups = release.groups[release.groups["characteristic"] == name]
    own, everyone = rates[rates["characteristic"] == name], _everyone(rates, unit)
    compared = groups.loc[groups["compared"].astype(bool), "group"].tolist()
    less = voice.heard_less(own, everyone, compared)
    rows = tables_voice.group_rows(own, groups)
    rows["verdict"] = rows["group"].isin(less["group"]).map({True: "attention", False: "context"})
    title = voice.response_title(own, less, everyone)
    even = voice.evenness(
        release.rows("representativeness", unit=unit, level="all", **when),
        name,
        release.characteristics,
    )
    layout.chart(
        visit,
        layout.drawn(
            visit,
            lambda: around_everyone(rows, everyone, voice.RATE, visit.theme, visit.column),
            "response",
            name,
            unit,
            period,
        ),
        title=title,
        subtitle=f"{visit.name(unit)}: response rate by {words.lowered(str(characteristic['label']))}, {period}, "
        f"{ALL_LEVELS}, out of {words.shown_base(everyone)} enrolled. Lines are 95% intervals.",
        alt=f"{title}. {even}",
        table=tables_voice.rated(pd.concat([rows, pd.DataFrame([{**everyone, "name": "Everyone"}])]), "Group"),
        numeric=tables_voice.RATED,
        legend=[
            (visit.theme.attention, "◀", "clearly, and by three points or more, below everybody"),
            (visit.theme.context, "●", "not so"),
        ],
        figures=lambda: own,
        key="response",
    )
    layout.prose(even)


def _weighted(
    visit: Visit, weighted: pd.DataFrame, own: pd.DataFrame, statements: pd.DataFrame, unit: str, period: str
) -> None:
    if weighted.empty:
        layout.quiet("There are too few answers here to weight them to everyone enrolled.")
        return
    title = voice.weighted_title(weighted, visit.release.metrics)
    rows = tables_voice.weighted_rows(weighted, own, statements)
    layout.chart(
        visit,
        layout.drawn(visit, lambda: as_weighted(rows, visit.theme, visit.column), "weighted", unit, period),
        title=title,
        subtitle=f"{visit.name(unit)}: share who agree, {period}, {ALL_LEVELS}, out of {_out_of(own)}. "
        "Lines are 95% intervals of the weighted share.",
        alt=f"{title}.",
        table=tables_voice.weighted(rows),
        numeric=tables_voice.WEIGHTED,
        legend=[
            (visit.theme.context, "●", "as given by those who answered"),
            (visit.theme.accent, "◆", "as it would be if they had the make-up of everyone enrolled"),
        ],
        figures=lambda: weighted,
        key="weighted",
        note="Weights mend who is counted; those who stay silent may still think otherwise.",
    )
