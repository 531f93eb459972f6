"""All schools on one metric by how many people each figure is out of, within the limits around the university."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from dashboard.charts.chart import Chart
from dashboard.charts.names import beside
from dashboard.charts.rows import NARROW, hover
from dashboard.style import words
from dashboard.style.theme import Theme, template

HEIGHT = 460
LIMITS = (("outer", "outer_above", "dot", "99.8%"), ("limit", "limit_above", "solid", "95%"))
MARGIN = 64  # pixels above and below the plot
SYMBOL = {"above": "triangle-up", "below": "triangle-down", "near": "circle"}


def funnel(
    schools: pd.DataFrame,
    university: Mapping[str, Any],
    metric: Mapping[str, Any],
    theme: Theme,
    highlighted: Collection[str] = (),
    column: int = NARROW,
) -> Chart:
    """A mark per school with limits; those outside them, and highlighted ones, are named where there is room.

    `schools`: unit, name, short_name, base, value, lower, upper, status, verdict, side, says, limit, limit_above,
    outer, outer_above.
    """
    shown = schools[(schools["status"] == "shown") & (schools["side"] != "")].dropna(subset=["base", "value"])
    shown = shown.astype({"base": float, "value": float}).sort_values("base", kind="stable")
    figure = Chart()
    for low, high, dash, _ in LIMITS:
        line = {"color": theme.context, "width": 1.4, "dash": dash, "shape": "spline", "smoothing": 0.6}
        for edge in (low, high):
            limit = shown.dropna(subset=[edge])
            figure.add_scatter(x=limit["base"], y=limit[edge], mode="lines", line=line, hoverinfo="skip")
    for verdict in ("context", "doubt", "well", "attention"):
        part = shown[shown["verdict"] == verdict]
        colours = [theme.accent if u in highlighted else theme.of(verdict) for u in part["unit"]]
        hollow = verdict == "doubt"
        figure.add_scatter(
            x=part["base"],
            y=part["value"],
            mode="markers",
            marker={"color": theme.page if hollow else colours, "size": 12, "symbol": [SYMBOL[s] for s in part["side"]],
                    "line": {"width": 2, "color": colours} if hollow else {"width": 1, "color": theme.page}},
            text=[_hover(s, metric) for s in part.to_dict("records")],
            hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    named = shown[(shown["side"] != "near") | shown["unit"].isin(highlighted)]
    wide = float(shown["base"].max()) * 1.05 if len(shown) else 1.0
    edges = [float(x) for x in shown[["value", "outer", "outer_above"]].stack()]
    bottom, top = min(edges, default=0.0), max(edges, default=1.0)
    air = 0.06 * (top - bottom) or 1.0
    labels = beside(
        list(named[["base", "value", "short_name"]].itertuples(index=False, name=None)),
        list(shown[["base", "value"]].itertuples(index=False, name=None)),
        (0.0, wide), (bottom - air, top + air), HEIGHT - MARGIN, theme, column,
    )  # fmt: skip
    figure.update_layout(
        template=template(theme),
        height=HEIGHT,
        margin={"l": 44, "r": 12, "t": 12, "b": 52},
        annotations=labels,
        yaxis={
            "range": [bottom - air, top + air],
            "ticksuffix": str(metric["suffix"]),
            "showgrid": True,
            "nticks": 6,
            "zeroline": False,
        },
        xaxis={
            "range": [0, wide],
            "title": {"text": "how many people the figure is out of"},
            "nticks": 6,
            "separatethousands": True,
        },
    )
    if university["status"] == "shown":
        at = university["value"]
        figure.add_hline(at, line={"color": theme.ink, "width": 1.2}, layer="below")
        figure.add_annotation(
            x=0, xref="paper", xanchor="left", y=at, yanchor="bottom", showarrow=False,
            text=f"University {words.shown(university, metric)}", font={"size": 13, "color": theme.ink},
        )  # fmt: skip
    return figure


def _hover(school: Mapping[str, Any], metric: Mapping[str, Any]) -> str:
    return hover(
        school["name"],
        f"{words.value(school['value'], metric)} (95% interval {words.shown_interval(school, metric)})",
        f"limits at its size: {words.interval(school['limit'], school['limit_above'], metric)} (95%), "
        f"{words.interval(school['outer'], school['outer_above'], metric)} (99.8%)"
        if pd.notna(school["limit"]) and pd.notna(school["outer"])
        else "",
        f"{school['says']}; out of {words.shown_base(school)}",
    )
