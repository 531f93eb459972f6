"""Charts as images: SVG and PNG through Chromium, kept open while a pack is made; a single chart with its source."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from html import escape
from pathlib import Path
from textwrap import wrap

import plotly.graph_objects as go

from dashboard.exports import inert
from dashboard.exports.figure import Figure
from dashboard.exports.story import Story
from dashboard.style.theme import LIGHT

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
MISSING = (
    "Charts as images need Chromium, and none was found. Debian: `apt install chromium`. macOS: `brew install --cask "
    "chromium`. Or name one in the variable CHROMIUM."
)
FAMILY = '"Source Sans Pro", "Source Sans 3", Arial, sans-serif'  # the first is what the PDF embeds
WIDE, NARROW = 760, 660  # pixels: charts with many rows are drawn wider, so that they fit a page
MANY = 600  # pixels of height from which a chart has many rows
AXIS = 36  # pixels that a value axis takes, wherever it stands
SCALE = 2  # of PNG
LINE = 17  # pixels
_one_at_a_time = threading.Lock()  # Chromium's server is one for the whole process


class NoBrowserError(Exception):
    """There is no Chromium to draw with; the message says how to install one."""


def chromium() -> str:
    """Where Chromium is: the CHROMIUM variable, the PATH, macOS's applications. Raises NoBrowserError."""
    named = os.environ.get("CHROMIUM")
    found = named or next((path for name in NAMES if (path := shutil.which(name))), None)
    found = found or next((path for path in APPLICATIONS if Path(path).exists()), None)
    if not found or not (Path(found).exists() or shutil.which(found)):
        raise NoBrowserError(MISSING)
    return found


@contextmanager
def drawing() -> Iterator[None]:
    """Keep Chromium open while images are made: the first costs seconds, each further one a fraction of one.

    Raises NoBrowserError where there is none, or it does not start.
    """
    path = chromium()
    import kaleido  # slow to import, and only needed here

    for name in ("kaleido", "choreographer"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with _one_at_a_time:
        # Without a page generator of our own, MathJax would be fetched from the network.
        kaleido.start_sync_server(path=path, page_generator=kaleido.PageGenerator(mathjax=False), silence_warnings=True)
        warming = threading.Thread(target=_warm, daemon=True)
        warming.start()  # Chromium starts while the caller still thinks
        try:
            yield
        finally:
            warming.join()
            kaleido.stop_sync_server(silence_warnings=True)


def svg(figure: Figure) -> bytes:
    """A chart alone, as it stands in a document. Within `drawing`."""
    drawn = _dressed(figure)
    height = int(drawn.layout.height or 400)
    return _image(drawn, "svg", WIDE if height > MANY else NARROW, height)


def single(story: Story, figure: Figure, kind: str) -> bytes:
    """A chart to be taken away by itself: png or svg with its finding and where it comes from; csv: its numbers."""
    if kind == "csv":
        return inert.csv(figure.numbers.assign(Source=story.source))
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
    return _image(drawn, kind, WIDE, int(drawn.layout.height))


def _warm() -> None:
    with suppress(NoBrowserError):
        _image(go.Figure(), "svg", 10, 10)


def _dressed(figure: Figure) -> go.Figure:
    drawn = figure.draw(LIGHT)
    drawn.update_layout(font={"family": FAMILY})
    return drawn


def _image(drawn: go.Figure, kind: str, width: int, height: int) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that a server is used, which is what is wanted
        try:
            return bytes(drawn.to_image(kind, width=width, height=height, scale=SCALE if kind == "png" else 1))
        except Exception as error:  # of many kinds, none of which says what to do
            raise NoBrowserError(f"Chromium did not draw: {error}. {MISSING}") from error
