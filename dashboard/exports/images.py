"""Charts as images: as they stand in a document, and by themselves with their source."""

from __future__ import annotations

from html import escape
from textwrap import wrap

import plotly.graph_objects as go

from dashboard.exports import inert
from dashboard.exports.chromium import Chromium, Drawing
from dashboard.exports.figure import Figure
from dashboard.exports.story import Story
from dashboard.style.theme import LIGHT

FAMILY = '"Source Sans Pro", "Source Sans 3", Arial, sans-serif'  # the first is what the PDF embeds
WIDE, NARROW = 760, 660  # pixels: charts with many rows are drawn wider, so that they fit a page
MANY = 600  # pixels of height from which a chart has many rows
AXIS = 36  # pixels that a value axis takes, wherever it stands
SCALE = 2  # of PNG
LINE = 17  # pixels


def svg(chromium: Chromium, figure: Figure) -> Drawing:
    """A chart alone, as it stands in a document; it is being drawn when this returns."""
    drawn = _dressed(figure)
    height = int(drawn.layout.height or 400)
    return chromium.begin(drawn, "svg", WIDE if height > MANY else NARROW, height)


def numbers(story: Story, figure: Figure) -> bytes:
    """A chart's numbers as CSV, each row with where it comes from."""
    return inert.csv(figure.numbers.assign(Source=story.source))


def single(chromium: Chromium, story: Story, figure: Figure, kind: str) -> bytes:
    """A chart to be taken away by itself, as png or svg: with its finding, and where it comes from."""
    drawn = _dressed(figure)
    head = [f"<b>{escape(line)}</b>" for line in wrap(figure.title, 84)]
    head += [f'<span style="color:{LIGHT.muted}">{escape(line)}</span>' for line in wrap(figure.subtitle, 105)]
    foot = wrap(story.source, 115) + wrap(figure.note, 115)
    top, bottom = LINE * len(head) + 26, LINE * len(foot) + 14
    margin = drawn.layout.margin
    above, below = int(margin.t or 0), max(int(margin.b or 0), AXIS)
    left = int(margin.l or 0)
    inside = int(drawn.layout.height or 400) - above - below
    drawn.update_layout(
        height=inside + above + below + top + bottom,
        margin={"t": above + top, "b": below + bottom, "l": left + 16, "r": 24},
        paper_bgcolor="#ffffff",
    )
    for text, y, anchor, shift in (
        ("<br>".join(head), 1, "bottom", above + 6),
        (f'<span style="color:{LIGHT.muted}">{"<br>".join(escape(x) for x in foot)}</span>', 0, "top", -below - 6),
    ):
        drawn.add_annotation(
            text=text, x=0, xref="paper", xanchor="left", xshift=-left, y=y, yref="paper", yanchor=anchor, yshift=shift,
            align="left", showarrow=False, font={"size": 13},
        )  # fmt: skip
    return chromium.begin(drawn, kind, WIDE, int(drawn.layout.height), SCALE if kind == "png" else 1).result()


def _dressed(figure: Figure) -> go.Figure:
    drawn = figure.draw(LIGHT)
    drawn.update_layout(font={"family": FAMILY})
    return drawn
