"""All schools on one metric, each with its interval, around the university's value and within its limits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from dashboard.charts.chart import Chart
from dashboard.charts.rows import AIR, NARROW, Label, Rows, bars, extent, hover, in_words, lay_out
from dashboard.style import words
from dashboard.style.theme import Theme

SYMBOL = {"above": "triangle-right", "below": "triangle-left", "near": "circle", "": "circle"}
WIDTH = 14  # of the limits behind a row
LIMITS = (("outer", "outer_above", 0.08), ("limit", "limit_above", 0.1))  # columns, opacity


def intervals(
    schools: pd.DataFrame,
    university: Mapping[str, Any],
    metric: Mapping[str, Any],
    theme: Theme,
    highlighted: Collection[str] = (),
    notes: Mapping[str, str] | None = None,
    column: int = NARROW,
    band: tuple[float, float] | None = None,
    here: str = "University",
    air: int = AIR,
) -> Chart:
    """One row per school in the order given, hidden ones in words.

    `schools`: unit, name, short_name, base, value, lower, upper, status, verdict (of which `doubt` is drawn hollow),
    side, says, and the published limits (limit, limit_above, outer, outer_above), drawn behind each row.
    `highlighted` units are named in the accent colour; `notes` are words under a unit's name; `band` is where the
    middle of all schools lies, drawn behind the rows without naming any. Rows may be groups instead, around the value
    of everyone `here`; `air` is the space between rows.
    """
    notes = notes or {}
    schools = schools.assign(**{limit: float("nan") for pair in LIMITS for limit in pair[:2] if limit not in schools})
    rows = Rows(tuple(_label(s, theme, highlighted, notes, column, air) for s in schools.to_dict("records")))
    schools = schools.assign(place=rows.places)
    shown = schools[schools["status"] == "shown"]
    lows = [*shown["lower"], *shown["limit"].dropna(), *(band or ())]
    span = extent(lows, [*shown["upper"], *shown["limit_above"].dropna(), *(band or ())], metric)
    figure = Chart()
    for low, high, opacity in LIMITS:
        limits = shown.dropna(subset=[low, high])
        bars(figure, limits[["place", low, high]], theme.context, WIDTH, opacity)
    for verdict in ("context", "doubt", "well", "attention"):
        part = shown[shown["verdict"] == verdict]
        colour = theme.of(verdict)
        figure.add_scatter(
            x=part["value"],
            y=part["place"],
            mode="markers",
            error_x={
                "type": "data",
                "array": part["upper"] - part["value"],
                "arrayminus": part["value"] - part["lower"],
                "color": colour,
                "thickness": 2,
                "width": 0,
            },
            marker={
                "color": theme.page if verdict == "doubt" else colour,
                "size": 11,
                "symbol": [SYMBOL[s] for s in part["side"]],
                "line": {"color": colour, "width": 2 if verdict == "doubt" else 0},
            },
            text=[_hover(s, metric, notes) for s in part.to_dict("records")],
            hovertemplate="%{text}<extra></extra>",
        )
    without = schools[schools["status"] != "shown"]
    said = in_words(without["place"].tolist(), [words.missing(s) for s in without.to_dict("records")], span[0], theme)
    is_known = university["status"] == "shown"
    reference = (university["value"], f"{here} {words.shown(university, metric)}") if is_known else None
    lay_out(figure, rows, theme, str(metric["suffix"]), reference, said)
    if band:
        figure.add_vrect(*band, fillcolor=theme.context, opacity=0.18)
    figure.update_xaxes(range=span)
    return figure


def _label(
    school: Mapping[str, Any],
    theme: Theme,
    highlighted: Collection[str],
    notes: Mapping[str, str],
    column: int,
    air: int,
) -> Label:
    note = notes.get(school["unit"], "")
    if school["unit"] in highlighted:
        return Label(school["short_name"], note, theme.accent, bold=True, column=column, air=air)
    return Label(school["short_name"], note, theme.muted if highlighted else theme.ink, column=column, air=air)


def _hover(school: Mapping[str, Any], metric: Mapping[str, Any], notes: Mapping[str, str]) -> str:
    return hover(
        school["name"],
        f"{words.value(school['value'], metric)} (95% interval {words.shown_interval(school, metric)})",
        f"{says}; out of {words.shown_base(school)}"
        if (says := school.get("says", ""))
        else f"out of {words.shown_base(school)}",
        notes.get(school["unit"], ""),
    )
