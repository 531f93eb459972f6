"""All schools on one metric by how many people each figure is out of, within the limits around the university."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts.rows import CHARACTER, NARROW, hover
from dashboard.style import words
from dashboard.style.theme import Theme, template

HEIGHT = 460
LIMITS = (("outer", "outer_above", "dot", "99.8%"), ("limit", "limit_above", "solid", "95%"))
PLOT, PLOT_NARROW = 900, 290  # pixels across, about
PLACES = (("left", 1, 0), ("right", -1, 0), ("center", 0, 1), ("center", 0, -1))  # of a name: beside, below, above
SYMBOL = {"above": "triangle-up", "below": "triangle-down", "near": "circle"}


def funnel(
    schools: pd.DataFrame,
    university: Mapping[str, Any],
    metric: Mapping[str, Any],
    theme: Theme,
    highlighted: Collection[str] = (),
    column: int = NARROW,
) -> go.Figure:
    """A mark per school with limits; those outside them, and highlighted ones, are named where there is room.

    `schools`: unit, name, short_name, base, value, lower, upper, status, verdict, side, says, limit, limit_above,
    outer, outer_above.
    """
    shown = schools[(schools["status"] == "shown") & (schools["side"] != "")].dropna(subset=["base", "value"])
    shown = shown.astype({"base": float, "value": float}).sort_values("base", kind="stable")
    figure = go.Figure()
    for low, high, dash, _ in LIMITS:
        line = {"color": theme.context, "width": 1.4, "dash": dash, "shape": "spline", "smoothing": 0.6}
        for edge in (low, high):
            limit = shown.dropna(subset=[edge])
            figure.add_scatter(x=limit["base"], y=limit[edge], mode="lines", line=line, hoverinfo="skip")
    for verdict in ("context", "well", "attention"):
        part = shown[shown["verdict"] == verdict]
        colours = [theme.accent if u in highlighted else getattr(theme, verdict) for u in part["unit"]]
        figure.add_scatter(
            x=part["base"],
            y=part["value"],
            mode="markers",
            marker={"color": colours, "size": 12, "symbol": [SYMBOL[s] for s in part["side"]],
                    "line": {"width": 1, "color": theme.page}},
            text=[_hover(s, metric) for s in part.to_dict("records")],
            hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    named = shown[(shown["side"] != "near") | shown["unit"].isin(highlighted)]
    figure.update_layout(
        template=template(theme),
        height=HEIGHT,
        margin={"l": 44, "r": 12, "t": 12, "b": 52},
        annotations=_names(shown, named.to_dict("records"), theme, column),
        yaxis={"ticksuffix": str(metric["suffix"]), "showgrid": True, "nticks": 6, "zeroline": False},
        xaxis={"title": {"text": "how many people the figure is out of"}, "rangemode": "tozero", "nticks": 6},
    )
    if university["status"] == "shown":
        at = university["value"]
        figure.add_hline(at, line={"color": theme.ink, "width": 1.2}, layer="below")
        figure.add_annotation(
            x=0, xref="paper", xanchor="left", y=at, yanchor="bottom", showarrow=False,
            text=f"University {words.shown(university, metric)}", font={"size": 13, "color": theme.ink},
        )  # fmt: skip
    return figure


def _names(shown: pd.DataFrame, named: Sequence[dict[str, Any]], theme: Theme, column: int) -> list[dict[str, Any]]:
    """Names beside, above or below their marks; a name without room is left to whoever points at the mark."""
    if not named:
        return []
    wide, at_left = float(shown["base"].max()) * 1.05 or 1.0, PLOT_NARROW if column == NARROW else PLOT
    low, high = float(shown[["value", "outer"]].min().min()), float(shown[["value", "outer_above"]].max().max())
    taken = [(s["base"] / wide * at_left, _down(s["value"], low, high), 7.0, 7.0) for s in shown.to_dict("records")]
    labels = []
    for s in sorted(named, key=lambda s: s["base"]):
        x, y, half = s["base"] / wide * at_left, _down(s["value"], low, high), len(s["short_name"]) * CHARACTER / 2
        for anchor, dx, dy in PLACES:
            box = (x + dx * (half + 10), y + dy * 18, half, 8.0)
            if box[0] - half >= 0 and box[0] + half <= at_left and not any(_meet(box, other) for other in taken):
                taken.append(box)
                place = {"x": s["base"], "y": s["value"], "xanchor": anchor, "xshift": 10 * dx, "yshift": -18 * dy}
                font = {"size": 13, "color": theme.ink}
                labels.append({"text": escape(s["short_name"]), "showarrow": False, "font": font, **place})
                break
    return labels


def _down(value: float, low: float, high: float) -> float:
    return (high - value) / ((high - low) or 1.0) * (HEIGHT - 90)


def _meet(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return abs(one[0] - other[0]) < one[2] + other[2] and abs(one[1] - other[1]) < one[3] + other[3]


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
