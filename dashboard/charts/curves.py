"""Lines through the teaching weeks: who has met their tutor by when, in one panel or in small multiples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor
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
ROUND = 10  # per cent
CHARACTER, APART = 6.6, 17  # pixels: of a letter at a line's end, and between two such names
WIDE_PLOT, NARROW_PLOT = 600, 300  # pixels that one panel has at the least


@dataclass(frozen=True)
class Line:
    """One line: weeks and shares with their limits, and how it is drawn; broken where `part` changes."""

    name: str
    points: pd.DataFrame  # week, value, lower, upper, base; part where it may change
    colour: str
    dash: str = "solid"
    width: float = 2.5
    band: bool = False
    end: str = ""  # what stands at its end


@dataclass(frozen=True)
class Panel:
    """Lines on the same axes under a heading; `said` stands in their place where there is none."""

    heading: str
    lines: Sequence[Line]
    said: str = ""


def reach(panels: Sequence[Panel]) -> tuple[int, int]:
    """The round per cents between which all lines and bands lie."""
    drawn = [line.points for panel in panels for line in panel.lines if len(line.points)]
    low = min((float(points["lower"].min()) for points in drawn), default=0.0)
    high = max((float(points["upper"].max()) for points in drawn), default=100.0)
    low = min(max(floor(low / ROUND) * ROUND, 0), 100 - ROUND)
    return int(low), int(max(min(ceil(high / ROUND) * ROUND, 100), low + ROUND))


def curves(
    panels: Sequence[Panel], theme: Theme, column: int, span: tuple[int, int] = (0, 100), last: int | None = None
) -> Chart:
    """Each panel's lines over the weeks, all on the same axes.

    span: the shares between which the axis lies, in per cent; `last`: its last week, where it is not that of the lines.
    """
    across = 1 if len(panels) == 1 else 2 if column == NARROW else PANELS
    down = ceil(len(panels) / across)
    tall = ONE if len(panels) == 1 else MANY
    height = down * (tall + TITLE) + (down - 1) * GAP + FOOT
    weeks = [int(w) for p in panels for x in p.lines if len(x.points) for w in (*x.points["week"].iloc[[0, -1]],)]
    begin, last = min(weeks, default=0), last or max(weeks, default=1)
    names = max((len(x.end) for p in panels for x in p.lines), default=0) * CHARACTER
    inside, wide = height - FOOT, 0.05 if column == NARROW else 0.035
    low, high = span
    step = (10 if high - low <= 50 else 20) if len(panels) == 1 else max((high - low) // 20 * ROUND, ROUND)
    ticks = [*range(low, high + 1, step)]
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
                    "range": [begin - 0.5, last + 0.8], "nticks": 6 if len(panels) == 1 else 4, "zeroline": False,
                    "automargin": False, "showgrid": False,
                },
                f"yaxis{axis}": {
                    "domain": [bottom, top], "anchor": f"x{axis}", "range": [low, high + 1],
                    "tickvals": ticks, "ticktext": [f"{t}%" for t in ticks], "showgrid": True,
                    "showticklabels": place == 0, "zeroline": False, "automargin": False,
                },
            }
        )  # fmt: skip
        for line in panel.lines:
            _draw(figure, line, axis)
        _head(figure, panel, axis, left, top, theme, (low + high) / 2)
        _ends(figure, panel, axis, (high - low) / tall, theme)
    figure.update_layout(
        template=template(theme),
        height=height,
        margin={"l": SIDE, "r": 8 + max(0, round(names - _free(weeks, last, column))), "t": 0, "b": FOOT},
    )
    figure.add_annotation(
        text="teaching week", x=1, xref="paper", xanchor="right", y=0, yref="paper", yanchor="top", yshift=-24,
        showarrow=False, font={"size": 13, "color": theme.muted},
    )  # fmt: skip
    return figure


def _free(weeks: Sequence[int], last: int, column: int) -> float:
    """Pixels between the lines' end and the end of the axis, about."""
    across = (NARROW_PLOT if column == NARROW else WIDE_PLOT) / (last - min(weeks, default=0) + 1.3)
    return (last + 0.8 - max((w for w in weeks if w <= last), default=last)) * across


def _ends(figure: Chart, panel: Panel, axis: str, pixel: float, theme: Theme) -> None:
    """Names at the ends of lines, pushed apart where they would meet. pixel: how much of the y axis one is."""
    named = [line for line in panel.lines if line.end and len(line.points)]
    named = sorted(named, key=lambda line: float(line.points["value"].iloc[-1]))
    at = float("-inf")
    places = []
    for line in named:
        at = max(float(line.points["value"].iloc[-1]), at + APART * pixel)
        places.append(at)
    pushed = sum(p - float(x.points["value"].iloc[-1]) for p, x in zip(places, named, strict=True))
    for line, place in zip(named, places, strict=True):
        figure.add_annotation(
            text=escape(line.end), x=int(line.points["week"].iloc[-1]), xref=f"x{axis}", xanchor="left", xshift=8,
            y=place - pushed / len(named), yref=f"y{axis}", yanchor="middle", showarrow=False, align="left",
            font={"size": 13, "color": line.colour},
        )  # fmt: skip


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


def _head(figure: Chart, panel: Panel, axis: str, left: float, top: float, theme: Theme, middle: float) -> None:
    figure.add_annotation(
        text=f"<b>{escape(panel.heading)}</b>", x=left, xref="paper", xanchor="left", y=top, yref="paper",
        yanchor="bottom", yshift=4, showarrow=False, font={"size": 13, "color": theme.ink}, align="left",
    )  # fmt: skip
    if panel.said:
        figure.add_annotation(
            text=f"<i>{escape(panel.said)}</i>", x=0, xref=f"x{axis}", xanchor="left", y=middle, yref=f"y{axis}",
            showarrow=False, font={"size": 13, "color": theme.muted}, bgcolor=theme.page, borderpad=2,
        )  # fmt: skip


def _hover(name: str, point: dict[str, float]) -> str:
    return hover(
        name,
        f"by week {int(point['week'])}: {words.value(point['value'], SHARE)} had met their tutor",
        f"95% interval {words.interval(point['lower'], point['upper'], SHARE)}, out of {words.about(point['base'])}",
    )
