"""Shares with their intervals, one row each, in the order given: groups around everybody, or before and after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dashboard.charts.chart import Chart
from dashboard.charts.rows import NARROW, Label, Rows, extent, hover, in_words, lay_out
from dashboard.style import words
from dashboard.style.theme import Theme

BESIDE = 5  # pixels between a share as given and weighted


def around_everyone(
    rows: pd.DataFrame, everyone: Mapping[str, Any], metric: Mapping[str, Any], theme: Theme, column: int = NARROW
) -> Chart:
    """One row per group with its interval, and a line where everybody lies.

    `rows`: label, name, base, value, lower, upper, status, verdict (attention or context).
    """
    laid = Rows(tuple(Label(r["label"], column=column) for r in rows.to_dict("records")))
    rows = rows.assign(place=laid.places)
    shown = rows[rows["status"] == "shown"]
    known = [everyone["value"]] if everyone["status"] == "shown" else []
    span = extent([*shown["lower"], *known], [*shown["upper"], *known], metric)
    figure = Chart()
    for verdict, symbol in (("context", "circle"), ("attention", "triangle-left")):
        part = shown[shown["verdict"] == verdict]
        texts = [_hover(r, metric, str(r["name"])) for r in part.to_dict("records")]
        _marks(figure, part, "value", getattr(theme, verdict), symbol, texts)
    without = rows[rows["status"] != "shown"]
    said = in_words(without["place"].tolist(), [words.missing(r) for r in without.to_dict("records")], span[0], theme)
    reference = (everyone["value"], f"Everyone {words.shown(everyone, metric)}") if known else None
    lay_out(figure, laid, theme, str(metric["suffix"]), reference, said)
    figure.update_xaxes(range=span)
    return figure


def as_weighted(rows: pd.DataFrame, theme: Theme, column: int = NARROW) -> Chart:
    """One row per statement: the share who agree as given, and weighted to everyone enrolled with its interval.

    `rows`: label, suffix, decimals, value, weighted, lower, upper (of the weighted share), status.
    """
    laid = Rows(tuple(Label(r["label"], column=column) for r in rows.to_dict("records")))
    rows = rows.assign(place=laid.places)
    shown = rows[rows["status"] == "shown"]
    percent = {"suffix": "%", "decimals": 0}
    span = extent([*shown["lower"], *shown["value"]], [*shown["upper"], *shown["value"]], percent)
    figure = Chart()
    texts = [_moved(r) for r in shown.to_dict("records")]
    _marks(figure, shown.assign(place=shown["place"] + BESIDE), "weighted", theme.accent, "diamond", texts)
    figure.add_scatter(
        x=shown["value"], y=shown["place"] - BESIDE, mode="markers", text=texts,
        marker={"color": theme.context, "size": 11, "symbol": "circle"}, hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    without = rows[rows["status"] != "shown"]
    said = in_words(without["place"].tolist(), [words.missing(r) for r in without.to_dict("records")], span[0], theme)
    lay_out(figure, laid, theme, "%", without=said)
    figure.update_xaxes(range=span)
    return figure


def _marks(figure: Chart, part: pd.DataFrame, at: str, colour: str, symbol: str, texts: list[str]) -> None:
    figure.add_scatter(
        x=part[at],
        y=part["place"],
        mode="markers",
        error_x={
            "type": "data", "array": part["upper"] - part[at], "arrayminus": part[at] - part["lower"],
            "color": colour, "thickness": 2, "width": 0,
        },
        marker={"color": colour, "size": 11, "symbol": symbol},
        text=texts,
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip


def _hover(row: Mapping[str, Any], metric: Mapping[str, Any], name: str) -> str:
    return hover(
        name,
        f"{words.shown(row, metric)} (95% interval {words.shown_interval(row, metric)})",
        f"out of {words.shown_base(row)}",
    )


def _moved(row: Mapping[str, Any]) -> str:
    limits = words.interval(row["lower"], row["upper"], row)
    return hover(
        str(row["label"]),
        f"as given: {words.value(row['value'], row)}, out of {words.about(row['base'])}",
        f"weighted: {words.value(row['weighted'], row)} (95% interval {limits})",
    )
