"""What charts with one row per unit or group share: labels, row heights, axes, graded intervals.

Rows are as tall as their labels need; the y axis counts pixels from the top, so `Rows.places` says where
to draw. Labels stand in a column of their own, which on a phone is narrow enough to leave room for the plot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap
from typing import Any

import pandas as pd

from dashboard.charts.chart import Chart
from dashboard.style.theme import Theme, template

NARROW, WIDE = 24, 40  # characters of a label's line, on a phone and elsewhere
HEADING = 2  # a heading's line in lines of a label: it may run over the plot
CHARACTER, LINE, AIR = 6.3, 17, 11  # pixels
DENSE = 4  # pixels of air on a page of paper, where nobody points at a row
AXIS = 34  # pixels for the value axis above the rows
FOOT = 30  # pixels for the name of a reference line below them
RIGHT = 22  # pixels for half of the last number on that axis
GRADES = ((1.0, 0.16), (0.6539, 0.22), (0.3441, 0.34))  # share of the 95% half-width (95%, 80%, 50%), opacity


def hover(name: str, *lines: str) -> str:
    """What a mark says when pointed at: a name and lines under it; empty lines are left out."""
    return "<br>".join([f"<b>{escape(name)}</b>", *(escape(line) for line in lines if line)])


@dataclass(frozen=True)
class Label:
    """What stands beside a row: its name, a note in words, and how much it stands out."""

    text: str
    note: str = ""
    colour: str = ""
    bold: bool = False
    heading: bool = False
    column: int = NARROW
    air: int = AIR

    @property
    def lines(self) -> list[str]:
        """The label's text, as it is broken into lines."""
        return wrap(self.text, self.column * HEADING if self.heading else self.column) or [" "]

    @property
    def height(self) -> int:
        """How high its row is, in pixels."""
        lead = LINE // 2 if self.heading else 0
        return LINE * (len(self.lines) + bool(self.note)) + self.air + lead

    def markup(self, theme: Theme) -> str:
        """The label as Plotly text; whatever came from data is escaped."""
        text = "<br>".join(escape(line) for line in self.lines)
        text = f"<b>{text}</b>" if self.bold or self.heading else text
        text = f'<span style="color:{self.colour or theme.ink}">{text}</span>'
        note = f'<br><span style="color:{theme.muted}">{escape(self.note)}</span>' if self.note else ""
        return text + note


@dataclass(frozen=True)
class Rows:
    """Labels and where their rows are."""

    labels: tuple[Label, ...]

    @property
    def height(self) -> int:
        """How high all rows are together, in pixels."""
        return sum(label.height for label in self.labels)

    @property
    def places(self) -> list[float]:
        """The middle of each row, in pixels from the top."""
        places, top = [], 0.0
        for label in self.labels:
            places.append(top + label.height / 2)
            top += label.height
        return places

    @property
    def column(self) -> int:
        """The width of the labels' column in pixels."""
        longest = max((len(x) for n in self.labels if not n.heading for x in [*n.lines, n.note]), default=10)
        return round(longest * CHARACTER) + 12


def lay_out(
    figure: Chart,
    rows: Rows,
    theme: Theme,
    suffix: str = "",
    reference: tuple[float, str] | None = None,
    without: Sequence[dict[str, Any]] = (),
) -> None:
    """Put the labels down the side and the value axis above the rows.

    `reference` is a named line down all rows, `without` what `in_words` says of those without a figure.
    """
    left = rows.column
    labels: list[dict[str, Any]] = [
        {
            "text": label.markup(theme),
            "x": 0,
            "xref": "paper",
            "xanchor": "left",
            "xshift": -left,
            "y": place,
            "yanchor": "middle",
            "align": "left",
            "showarrow": False,
            "font": {"size": 14 if label.heading else 13},
            "bgcolor": theme.page if label.heading else None,
            "borderpad": 0,
        }
        for place, label in zip(rows.places, rows.labels, strict=True)
    ]
    lines: list[dict[str, Any]] = []
    if reference:
        at, text = reference
        across = {"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
        lines.append(across | {"line": {"color": theme.ink, "width": 1.2}})
        foot = {"x": at, "y": 0, "yref": "paper", "yanchor": "top", "yshift": -3, "showarrow": False}
        labels.append(foot | {"text": escape(text), "font": {"size": 13, "color": theme.ink}})
    labels += without
    # All at once: adding annotations one by one makes Plotly check all earlier ones each time.
    figure.update_layout(
        template=template(theme),
        height=AXIS + rows.height + FOOT,
        margin={"l": left, "r": RIGHT, "t": AXIS, "b": FOOT},
        annotations=labels,
        shapes=lines,
        yaxis={"range": [rows.height, 0], "showticklabels": False, "zeroline": False, "automargin": False},
        xaxis={"side": "top", "ticksuffix": suffix, "nticks": 6, "zeroline": False, "automargin": False},
    )


def extent(lows: Sequence[float], highs: Sequence[float], metric: Mapping[str, Any]) -> list[float]:
    """An axis range around the figures with some air; percentages stay within 0 to 100 unless a figure goes beyond."""
    low, high = min(lows, default=0.0), max(highs, default=1.0)
    air = max((high - low) * 0.06, 1.0 if metric["suffix"] == "%" else 0.05)
    low, high = low - air, high + air
    if metric["suffix"] == "%":
        low, high = max(low, -1.5), min(high, max(101.5, max(highs, default=0.0) + 1.5))
    return [low, high]


def bars(figure: Chart, spans: pd.DataFrame, colour: str, width: int, opacity: float) -> None:
    """Draw one bar along each row. spans: three columns, the row's place and the bar's ends."""
    x: list[float | None] = []
    y: list[float | None] = []
    for place, low, high in spans.itertuples(index=False, name=None):
        x += [low, high, None]
        y += [place, place, None]
    line = {"color": colour, "width": width}
    figure.add_scatter(x=x, y=y, mode="lines", line=line, opacity=opacity, hoverinfo="skip")


def graded(
    figure: Chart, bands: Sequence[tuple[float, float, float, float]], colour: str, upright: bool = False
) -> None:
    """Draw intervals as bands that darken towards the value: `bands` are (place, lower, value, upper).

    They lie, or stand `upright`. The bands are the 95%, 80% and 50% intervals of a normal shape on either side, so
    that the ends of an interval do not look as likely as its middle.
    """
    for share, opacity in GRADES:
        x: list[float | None] = []
        y: list[float | None] = []
        for place, lower, value, upper in bands:
            x += [value - share * (value - lower), value + share * (upper - value), None]
            y += [place, place, None]
        line = {"color": colour, "width": 12}
        x, y = (y, x) if upright else (x, y)
        figure.add_scatter(x=x, y=y, mode="lines", line=line, opacity=opacity, hoverinfo="skip")


def in_words(places: Sequence[float], texts: Sequence[str], at: float, theme: Theme) -> list[dict[str, Any]]:
    """Say in words, inside the plot, why rows have no figure; a reference line stops short of the words."""
    return [
        {
            "text": f"<i>{escape(text)}</i>",
            "x": at,
            "xanchor": "left",
            "y": place,
            "yanchor": "middle",
            "showarrow": False,
            "font": {"size": 13, "color": theme.muted},
            "bgcolor": theme.page,
            "borderpad": 2,
        }
        for place, text in zip(places, texts, strict=True)
    ]
