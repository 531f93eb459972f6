"""Contacts week by week, within the limits that earlier years lead one to expect."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dashboard.charts.chart import Chart
from dashboard.charts.rows import hover
from dashboard.style import words
from dashboard.style.theme import Theme, template

HEIGHT = 340
SYMBOL = {"high": "triangle-up", "low": "triangle-down"}


def contacts(weeks: pd.DataFrame, theme: Theme) -> Chart:
    """A line of weekly contacts over the band of its limits; weeks that stand out point up or down.

    `weeks`: week, contacts, expected, lower, upper, signal, status, and `why` (the rule a signal breaks, in words).
    """
    shown = weeks[weeks["status"] == "shown"].sort_values("week")
    figure = Chart()
    limits = shown.dropna(subset=["lower", "upper"])
    for _, run in limits.groupby(limits["week"].diff().ne(1).cumsum()):  # no band over weeks without limits
        figure.add_scatter(
            x=[*run["week"], *run["week"][::-1]], y=[*run["upper"], *run["lower"][::-1]], fill="toself",
            mode="lines", line={"width": 0, "color": theme.context}, opacity=0.5, hoverinfo="skip",
        )  # fmt: skip
    expected = shown.dropna(subset=["expected"])
    figure.add_scatter(
        x=expected["week"], y=expected["expected"], mode="lines", hoverinfo="skip",
        line={"color": theme.context, "width": 1.5, "dash": "dash"},
    )  # fmt: skip
    figure.add_scatter(
        x=shown["week"], y=shown["contacts"], mode="lines", hoverinfo="skip", line={"color": theme.ink, "width": 1.5}
    )
    for signal, colour in (("", theme.ink), ("high", theme.well), ("low", theme.attention)):
        part = shown[shown["signal"] == signal]
        figure.add_scatter(
            x=part["week"],
            y=part["contacts"],
            mode="markers",
            marker={"color": colour, "size": 13 if signal else 6, "symbol": SYMBOL.get(signal, "circle")},
            text=[_hover(w) for w in part.to_dict("records")],
            hovertemplate="%{text}<extra></extra>",
        )
    figure.update_layout(template=template(theme), height=HEIGHT, margin={"l": 8, "r": 8, "t": 8, "b": 40})
    figure.update_yaxes(rangemode="tozero", showgrid=True, zeroline=False, tickformat=",d")
    figure.update_xaxes(showgrid=False, zeroline=False, nticks=12, title={"text": "teaching week"})
    return figure


def _hover(week: dict[str, Any]) -> str:
    is_expected = pd.notna(week["expected"])
    within = (
        f", limits {words.number(week['lower'])} to {words.number(week['upper'])}" if pd.notna(week["lower"]) else ""
    )
    return hover(
        f"Week {int(week['week'])}",
        f"{words.about(week['contacts'])} contacts",
        f"expected {words.about(week['expected'])}{within}" if is_expected else "",
        str(week["why"]),
    )
