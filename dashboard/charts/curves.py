"""Lines through the teaching weeks: who has met their tutor by when, in one panel or in small multiples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil
from typing import Any

import pandas as pd

from dashboard.charts.chart import Chart
from dashboard.charts.rows import NARROW, hover
from dashboard.findings.year import SHARE
from dashboard.style import words
from dashboard.style.theme import Theme, template

ONE, MANY = 360, 190  # pixels: the height of the plot of one panel, and of each of several
TITLE, FOOT, SIDE, GAP = 26, 48, 46, 34
PANELS = 3  # side by side, where there is room
BAND = 0.16


@dataclass(frozen=True)
class Line:
    """One line: weeks and shares with their limits, and how it is drawn; broken where `part` changes."""

    name: str
    points: pd.DataFrame  # week, value, lower, upper, base; part where it may change
    colour: str
    dash: str = "solid"
    width: float = 2.5
    band: bool = False


@dataclass(frozen=True)
class Panel:
    """Lines on the same axes under a heading; `said` stands in their place where there is none."""

    heading: str
    lines: Sequence[Line]
    said: str = ""


def curves(panels: Sequence[Panel], theme: Theme, column: int) -> Chart:
    """Each panel's lines from 0 to 100% over the weeks, all on the same axes."""
    across = 1 if len(panels) == 1 else 2 if column == NARROW else PANELS
    down = ceil(len(panels) / across)
    tall = ONE if len(panels) == 1 else MANY
    height = down * (tall + TITLE) + (down - 1) * GAP + FOOT
    last = max((int(x.points["week"].max()) for p in panels for x in p.lines if len(x.points)), default=1)
    inside, wide = height - FOOT, 0.05 if column == NARROW else 0.035
    ticks = [0, 20, 40, 60, 80, 100] if len(panels) == 1 else [0, 50, 100]
    figure = Chart()
    for i, panel in enumerate(panels):
        row, place = divmod(i, across)
        top = 1 - (row * (tall + TITLE + GAP) + TITLE) / inside
        bottom = max(top - tall / inside, 0)
        left = place * (1 + wide) / across
        axis = "" if i == 0 else str(i + 1)
        figure.update_layout(
            **{
                f"xaxis{axis}": {
                    "domain": [left, left + (1 + wide) / across - wide], "anchor": f"y{axis}",
                    "range": [-0.5, last + 0.8], "nticks": 6 if len(panels) == 1 else 4, "zeroline": False,
                    "automargin": False, "showgrid": False,
                },
                f"yaxis{axis}": {
                    "domain": [bottom, top], "anchor": f"x{axis}", "range": [0, 101], 
                    "tickvals": ticks, "ticktext": [f"{t}%" for t in ticks], "showgrid": True,
                    "showticklabels": place == 0, "zeroline": False, "automargin": False,
                },
            }
        )  # fmt: skip
        for line in panel.lines:
            _draw(figure, line, axis)
        _head(figure, panel, axis, left, top, theme)
    figure.update_layout(
        template=template(theme),
        height=height,
        margin={"l": SIDE, "r": 8, "t": 0, "b": FOOT},
    )
    figure.add_annotation(
        text="teaching week", x=1, xref="paper", xanchor="right", y=0, yref="paper", yanchor="top", yshift=-24,
        showarrow=False, font={"size": 13, "color": theme.muted},
    )  # fmt: skip
    return figure


def _draw(figure: Chart, line: Line, axis: str) -> None:
    on = {"xaxis": f"x{axis}", "yaxis": f"y{axis}"}
    points = line.points
    if points.empty:
        return
    if line.band:
        figure.add_scatter(
            x=[*points["week"], *points["week"][::-1]], y=[*points["upper"], *points["lower"][::-1]], fill="toself",
            mode="lines", line={"width": 0}, fillcolor=_faint(line.colour), hoverinfo="skip", **on,
        )  # fmt: skip
    drawn = _broken(points.to_dict("records"))
    figure.add_scatter(
        x=[p["week"] if p else None for p in drawn],
        y=[p["value"] if p else None for p in drawn],
        mode="lines",
        name=line.name,
        line={"color": line.colour, "width": line.width, "dash": line.dash},
        text=[_hover(line.name, p) if p else "" for p in drawn],
        hovertemplate="%{text}<extra></extra>",
        **on,
    )


def _broken(points: list[dict[Any, Any]]) -> list[dict[Any, Any] | None]:
    """The points with nothing between two that are of different parts."""
    out: list[dict[Any, Any] | None] = []
    for before, point in zip([None, *points], points, strict=False):
        if before and before.get("part") != point.get("part"):
            out.append(None)
        out.append(point)
    return out


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{BAND})"


def _head(figure: Chart, panel: Panel, axis: str, left: float, top: float, theme: Theme) -> None:
    figure.add_annotation(
        text=f"<b>{escape(panel.heading)}</b>", x=left, xref="paper", xanchor="left", y=top, yref="paper",
        yanchor="bottom", yshift=4, showarrow=False, font={"size": 13, "color": theme.ink}, align="left",
    )  # fmt: skip
    if panel.said:
        figure.add_annotation(
            text=f"<i>{escape(panel.said)}</i>", x=0, xref=f"x{axis}", xanchor="left", y=50, yref=f"y{axis}",
            showarrow=False, font={"size": 13, "color": theme.muted}, bgcolor=theme.page, borderpad=2,
        )  # fmt: skip


def _hover(name: str, point: dict[str, float]) -> str:
    return hover(
        name,
        f"by week {int(point['week'])}: {words.value(point['value'], SHARE)} had met their tutor",
        f"95% interval {words.interval(point['lower'], point['upper'], SHARE)}, out of {words.about(point['base'])}",
    )
