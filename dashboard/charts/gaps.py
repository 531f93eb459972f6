"""Gaps with graded intervals around a line of no gap, one row each."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor
from typing import Any

import pandas as pd

from dashboard.charts.chart import Chart
from dashboard.charts.rows import NARROW, Label, Rows, graded, hover, in_words, lay_out
from dashboard.style import words
from dashboard.style.theme import VERDICT, Theme

STEPS = [m * 10.0**e for e in range(-2, 4) for m in (1, 2, 5)]
POOLED = "pooled"  # the kind of the row of all schools together


def graded_gaps(
    gaps: pd.DataFrame,
    metric: Mapping[str, Any],
    theme: Theme,
    evidence: bool = False,
    column: int = NARROW,
    likely: tuple[float, float] | None = None,
) -> Chart:
    """One row per gap, in the order given; rows with `heading` true carry words only.

    `gaps`: label, name, heading, group, reference, base, reference_base, value, lower, upper, evidence,
    direction, status. Marks point the way of a clear gap, are open for a possible one and dots otherwise;
    with `evidence`, its words stand under each label. A column `drawn` holds gaps drawn towards the pooled one (rings,
    null for none); `likely` is where the gap of another such unit would lie, drawn behind the rows.
    """
    records = gaps.to_dict("records")
    rows = Rows(tuple(_label(g, evidence, column) for g in records))
    placed = [(place, g) for place, g in zip(rows.places, records, strict=True) if not g["heading"]]
    shown = [(place, g) for place, g in placed if g["status"] == "shown"]
    low = min([0.0, *(g["lower"] for _, g in shown), *(likely or ())])
    high = max([0.0, *(g["upper"] for _, g in shown), *(likely or ())])
    air = 0.08 * (high - low) or 1.0
    span = [low - air, high + air]
    figure = Chart()
    for verdict in ("context", "well", "attention"):
        part = [(place, g) for place, g in shown if VERDICT.get(g["direction"], "context") == verdict]
        if not part:
            continue
        colour = getattr(theme, verdict)
        graded(figure, [(place, g["lower"], g["value"], g["upper"]) for place, g in part], colour)
        figure.add_scatter(
            x=[g["value"] for _, g in part],
            y=[place for place, _ in part],
            mode="markers",
            marker={"color": colour, "size": 10, "symbol": [_symbol(g) for _, g in part]},
            text=[_hover(g, metric) for _, g in part],
            hovertemplate="%{text}<extra></extra>",
        )
    drawn = [(place, g["drawn"]) for place, g in shown if pd.notna(g.get("drawn"))]
    if drawn:
        ring = {"color": theme.ink, "size": 9, "symbol": "circle-open", "line": {"width": 1.5}}
        at, values = [place for place, _ in drawn], [x for _, x in drawn]
        figure.add_scatter(x=values, y=at, mode="markers", marker=ring, hoverinfo="skip")
    without = [(place, g) for place, g in placed if g["status"] != "shown"]
    said = in_words([place for place, _ in without], [words.STATUS[g["status"]] for _, g in without], span[0], theme)
    lay_out(figure, rows, theme, reference=(0, "no gap"), without=said)
    if likely:
        figure.add_vrect(*likely, fillcolor=theme.context, opacity=0.13)
    marks = ticks(low, high, finest=10.0 ** -int(metric["decimals"]))
    figure.update_xaxes(range=span, tickvals=marks, ticktext=[words.signed(t, metric) for t in marks])
    return figure


def ticks(low: float, high: float, most: int = 5, finest: float = 0.0) -> list[float]:
    """Round places on both sides of 0, at most about `most` of them, no closer than `finest`."""
    step = next(s for s in STEPS if s >= finest and (high - low) / s <= most)
    return [k * step for k in range(ceil(low / step), floor(high / step) + 1)]


def _label(gap: Mapping[str, Any], evidence: bool, column: int) -> Label:
    if gap["heading"]:
        return Label(gap["label"], heading=True, column=column)
    is_university = gap.get("kind") in ("university", POOLED)
    note = gap["evidence"] if evidence and gap["status"] == "shown" else ""
    return Label(gap["label"], note, bold=is_university, column=column)


def _symbol(gap: Mapping[str, Any]) -> str:
    if gap.get("kind") == POOLED:
        return "diamond"
    if gap["direction"] == "none":
        return "circle"
    way = "triangle-right" if gap["value"] > 0 else "triangle-left"
    return way if gap["evidence"] == "clear gap" else f"{way}-open"


def _hover(gap: Mapping[str, Any], metric: Mapping[str, Any]) -> str:
    interval = words.gap_interval(gap["lower"], gap["upper"], metric)
    size = f"{words.signed(gap['value'], metric)}{metric['gap_suffix']} (95% interval {interval})"
    if gap.get("kind") == POOLED:
        return hover(gap["name"], size)
    return hover(
        gap["name"],
        f"{gap['group']} against {gap['reference']}:",
        size,
        f"{gap['evidence']}; out of {words.about(gap['base'])} and {words.about(gap['reference_base'])}",
    )
