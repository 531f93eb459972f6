"""How far tutors differ in each school: a range, how wide it could be all the same, and the value of all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dashboard.charts.chart import Chart
from dashboard.charts.rows import AIR, NARROW, Label, Rows, bars, extent, hover, in_words, lay_out
from dashboard.findings.tutors import MARKS, TOO_FEW_MARK
from dashboard.style import words
from dashboard.style.theme import Theme

OPEN = ("◇", "○")
COULD, RANGE = (2, 0.75), (12, 0.4)  # width and opacity of bars


def spreads(rows: pd.DataFrame, metric: Mapping[str, Any], theme: Theme, column: int = NARROW, air: int = AIR) -> Chart:
    """One row per school in the order given, a typical one in bold; those without a figure say why.

    rows: as `findings.tutors.rows` makes them.
    """
    labels = tuple(
        Label(r["short_name"], "", theme.ink, bold=not r["is_school"], column=column, air=air)
        for r in rows.to_dict("records")
    )
    laid = Rows(labels)
    rows = rows.assign(place=laid.places)
    shown = rows[rows["status"] == "shown"]
    span = extent(shown["could_low"].tolist(), shown["could_high"].tolist(), metric)
    figure = Chart()
    for mark, verdict in (TOO_FEW_MARK, *MARKS.values()):
        part = shown[shown["mark"] == mark]
        colour, is_open = theme.of(verdict), mark in OPEN
        bars(figure, part[["place", "could_low", "could_high"]], colour, *COULD)
        bars(figure, part[["place", "low", "high"]], colour, *RANGE)
        figure.add_scatter(
            x=part["value"],
            y=part["place"],
            mode="markers",
            marker={
                "color": theme.page if is_open else colour,
                "size": 12 if verdict == "attention" else 10,
                "symbol": "diamond" if verdict == "attention" else "circle",
                "line": {"color": colour, "width": 2 if is_open else 0},
            },
            text=[_hover(r, metric) for r in part.to_dict("records")],
            hovertemplate="%{text}<extra></extra>",
        )
    without = rows[rows["status"] != "shown"]
    said = in_words(without["place"].tolist(), [words.missing(r) for r in without.to_dict("records")], span[0], theme)
    lay_out(figure, laid, theme, str(metric["suffix"]), None, said)
    figure.update_xaxes(range=span)
    return figure


def _hover(row: Mapping[str, Any], metric: Mapping[str, Any]) -> str:
    return hover(
        row["name"],
        f"about eight in ten tutors: {words.interval(row['low'], row['high'], metric)}"
        if row["low"] < row["high"]
        else "",
        f"could be as far apart as {words.interval(row['could_low'], row['could_high'], metric)}",
        f"all students {words.value(row['value'], metric)}; {words.about(row['members'])} tutors"
        + ("" if row["is_school"] else " in all"),
        str(row["says"]),
    )
