"""Lines through the teaching weeks: who has met their tutor by when, in one panel or in small multiples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor
from textwrap import wrap
from typing import Any

import pandas as pd

from dashboard.charts.chart import Chart
from dashboard.charts.rows import LINE, NARROW, hover
from dashboard.findings.year import SHARE
from dashboard.style import words
from dashboard.style.theme import Theme, template

ONE, MANY = 360, 190  # pixels: the height of the plot of one panel, and of each of several
AIR, FOOT, SIDE, GAP = 9, 48, 46, 34
PANELS = 3  # side by side, where there is room
BAND = 0.16
LOW = 0.12  # of the y axis: there a note meets lines least, which rise
ROUND = 10  # per cent
CHARACTER, OFF = 6.6, 8  # pixels: of a letter at a line's end, and from there to its name
WIDE_PLOT, NARROW_PLOT = 600, 280  # pixels that one panel and the names beyond it have at the least
WIDE_NAME, NARROW_NAME = 40, 18  # characters of a line of such a name
WIDE_HEADING, NARROW_HEADING = 32, 20  # characters of a line of a panel's heading


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
    """Lines on the same axes under a heading; `said` stands in their place where the last of them has no points."""

    heading: str
    lines: Sequence[Line]
    said: str = ""
    beside: Line | None = None  # what the last line is compared with

    @property
    def drawn(self) -> list[Line]:
        """The lines that have points; the one beside only where it has something to stand beside, since alone under the
        panel's heading it would be read as the figure of that.
        """
        beside = [self.beside] if self.beside and self.lines and len(self.lines[-1].points) else []
        return [line for line in [*beside, *self.lines] if len(line.points)]


def reach(panels: Sequence[Panel]) -> tuple[int, int]:
    """The round per cents between which all lines and bands lie."""
    drawn = [line.points for panel in panels for line in panel.drawn]
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
    headings = [wrap(p.heading, NARROW_HEADING if column == NARROW else WIDE_HEADING) for p in panels]
    title = AIR + LINE * max((1, *(len(lines) for lines in headings)))
    height = down * (tall + title) + (down - 1) * GAP + FOOT
    weeks = [int(w) for p in panels for x in p.drawn for w in (*x.points["week"].iloc[[0, -1]],)]
    begin, last = min(weeks, default=0), last or max(weeks, default=1)
    names = {x.end: wrap(x.end, NARROW_NAME if column == NARROW else WIDE_NAME) for p in panels for x in p.drawn}
    longest = max((len(part) for parts in names.values() for part in parts), default=0)
    inside, wide = height - FOOT, 0.05 if column == NARROW else 0.035
    low, high = span
    step = (10 if high - low <= 50 else 20) if len(panels) == 1 else max((high - low) // 20 * ROUND, ROUND)
    ticks = [*range(low, high + 1, step)]
    figure = Chart()
    for i, (panel, heading) in enumerate(zip(panels, headings, strict=True)):
        row, place = divmod(i, across)
        top = 1 - (row * (tall + title + GAP) + title) / inside
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
        for line in panel.drawn:
            _draw(figure, line, axis)
        _head(figure, heading, left, top, theme)
        _say(figure, panel.said, axis, left, low + (high - low) * (LOW if panel.drawn else 0.5), theme)
        _ends(figure, panel, names, axis, (high - low) / tall, theme)
    figure.update_layout(
        template=template(theme),
        height=height,
        margin={"l": SIDE, "r": 8 + _beyond(longest, weeks, last, column), "t": 0, "b": FOOT},
    )
    figure.add_annotation(
        text="teaching week", x=1, xref="paper", xanchor="right", y=0, yref="paper", yanchor="top", yshift=-24,
        showarrow=False, font={"size": 13, "color": theme.muted},
    )  # fmt: skip
    return figure


def _beyond(longest: int, weeks: Sequence[int], last: int, column: int) -> int:
    """Pixels that names of so many letters need beyond the plot, which becomes narrower by as many."""
    needed = longest * CHARACTER + OFF if longest else 0
    room = NARROW_PLOT if column == NARROW else WIDE_PLOT
    end = max((w for w in weeks if w <= last), default=last)
    free = (last + 0.8 - end) / (last - min(weeks, default=0) + 1.3)  # of the axis, beyond the lines
    return max(0, ceil((needed - room * free) / (1 - free)))


def _ends(
    figure: Chart, panel: Panel, names: Mapping[str, Sequence[str]], axis: str, pixel: float, theme: Theme
) -> None:
    """Names at the ends of lines, pushed apart where they would meet. pixel: how much of the y axis one is."""
    named = sorted((line for line in panel.drawn if line.end), key=lambda line: float(line.points["value"].iloc[-1]))
    places: list[float] = []
    free = float("-inf")  # above the name before
    for line in named:
        half = len(names[line.end]) * LINE * pixel / 2
        places.append(max(float(line.points["value"].iloc[-1]), free + half))
        free = places[-1] + half
    pushed = sum(p - float(x.points["value"].iloc[-1]) for p, x in zip(places, named, strict=True))
    for line, place in zip(named, places, strict=True):
        figure.add_annotation(
            text="<br>".join(escape(part) for part in names[line.end]),
            x=int(line.points["week"].iloc[-1]), xref=f"x{axis}", xanchor="left", xshift=OFF,
            y=place - pushed / len(named), yref=f"y{axis}", yanchor="middle", showarrow=False, align="left",
            font={"size": 13, "color": line.colour},
        )  # fmt: skip


def _draw(figure: Chart, line: Line, axis: str) -> None:
    on = {"xaxis": f"x{axis}", "yaxis": f"y{axis}"}
    points = line.points
    if line.band:
        figure.add_scatter(
            x=[*points["week"], *points["week"][::-1]], y=[*points["upper"], *points["lower"][::-1]], fill="toself",
            mode="lines", line={"width": 0}, fillcolor=_faint(line.colour), hoverinfo="skip", **on,
        )  # fmt: skip
    drawn = _broken(points.to_dict("records"))
    figure.add_scatter(
        x=[p["week"] if p else None for p in drawn],
        y=[p["value"] if p else None for p in drawn],
        mode="lines+markers",
        name=line.name,
        line={"color": line.colour, "width": line.width, "dash": line.dash},
        marker={"color": line.colour, "size": 2.2 * line.width},
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


def _head(figure: Chart, heading: Sequence[str], left: float, top: float, theme: Theme) -> None:
    figure.add_annotation(
        text=f"<b>{'<br>'.join(escape(line) for line in heading)}</b>", x=left, xref="paper", xanchor="left", y=top,
        yref="paper", yanchor="bottom", yshift=4, showarrow=False, font={"size": 13, "color": theme.ink}, align="left",
    )  # fmt: skip


def _say(figure: Chart, said: str, axis: str, left: float, share: float, theme: Theme) -> None:
    """A note where the axis begins: Plotly drops what stands at a week outside it."""
    if said:
        figure.add_annotation(
            text=f"<i>{escape(said)}</i>", x=left, xref="paper", xanchor="left", y=share, yref=f"y{axis}",
            showarrow=False, font={"size": 13, "color": theme.muted}, bgcolor=theme.page, borderpad=2,
        )  # fmt: skip


def _hover(name: str, point: dict[str, float]) -> str:
    return hover(
        name,
        f"by week {int(point['week'])}: {words.value(point['value'], SHARE)} had met their tutor",
        f"95% interval {words.interval(point['lower'], point['upper'], SHARE)}, out of {words.about(point['base'])}",
    )
