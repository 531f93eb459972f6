"""All schools as dots on one line per metric: how far apart they are, at a glance."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from dashboard.charts.chart import Chart
from dashboard.charts.rows import NARROW, WIDE, hover
from dashboard.findings.consistency import Comparison
from dashboard.style import words
from dashboard.style.theme import Theme, template

HEAD, BODY = 31, 73  # pixels: a strip's heading and its dots
LANES = {NARROW: 36, WIDE: 22}  # pixels of the row of one highlighted school; on a phone its name stands above its line
ABOVE = 17  # pixels from such a line to its name
FOOT = 40  # pixels for the axis
STEP = 9  # pixels that dots of equal value are set apart
FEW = 6  # highlighted schools that have a row each, with an interval and a name
BESIDE, CHARACTER = 9, 6.0  # pixels between a line and its name, and of a letter of it
ACROSS = {NARROW: 335, WIDE: 640}  # pixels that the plot has at the least, by the room that labels have


@dataclass(frozen=True)
class Strip:
    """One comparison and where it stands, in pixels from the top: its dots, and rows of highlighted schools below."""

    c: Comparison
    top: float
    dots: bool
    lanes: int
    row: int  # pixels of a lane

    @property
    def middle(self) -> float:
        """Of the dots."""
        return self.top + HEAD + BODY / 2 - 4

    @property
    def bottom(self) -> float:
        return self.top + HEAD + (BODY if self.dots else 8) + self.lanes * self.row

    def lane(self, place: int) -> float:
        """A highlighted school's line: the middle of its row, or the lower part where its name stands above."""
        return self.bottom - (self.lanes - place) * self.row - 4 + (11 if self.row < ABOVE * 2 else self.row - 11)


def strips(
    comparisons: Sequence[Comparison],
    theme: Theme,
    highlighted: Collection[str] = (),
    incomplete: Collection[str] = (),
    column: int = WIDE,
) -> Chart:
    """One strip per comparison: a dot for each school, a tick for the university, a band for the middle 80%.

    Up to six highlighted schools have a row each, from A to Z: a diamond, the 95% interval and the name; † and a hollow
    diamond where the record looks incomplete.
    """
    figure = Chart()
    laid = _laid([(c, _own(c, highlighted)) for c in comparisons], LANES.get(column, LANES[WIDE]))
    values = [v for c in comparisons for v in [*c.shown["value"], *(c.middle or ())]]
    values += [v for s in laid for school in _own(s.c, highlighted) if s.lanes for v in (school["lower"],)]
    span = (min(values, default=0.0) - 1, max(values, default=1.0) + 1)
    if values and all(c.metric["suffix"] == "%" for c in comparisons):
        span = (max(min(values) - 5, -2), 102.0)
    width = ACROSS.get(column, ACROSS[WIDE]) / (span[1] - span[0])
    names: list[dict[str, Any]] = []
    for strip in laid:
        own = _own(strip.c, highlighted)
        _dots(figure, strip, theme, highlighted if not strip.lanes else (), {s["unit"] for s in own if strip.lanes})
        for place, school in enumerate(own if strip.lanes else []):
            doubt = school["unit"] in incomplete and strip.c.metric["theme"] == "contact"
            _line(figure, strip, place, school, theme, doubt)
            names.append(_name(strip, place, school, theme, doubt, span, width))
    height = laid[-1].bottom if laid else 0
    figure.update_layout(
        template=template(theme),
        height=height + FOOT,
        margin={"l": 4, "r": 12, "t": 0, "b": FOOT - 8},
        shapes=[shape for strip in laid for shape in _background(strip, theme)],
        annotations=[*(_heading(strip, theme) for strip in laid), *names],
    )
    figure.update_yaxes(range=[height + 4, 0], visible=False)
    suffixes = {str(c.metric["suffix"]) for c in comparisons}
    figure.update_xaxes(ticksuffix=suffixes.pop() if len(suffixes) == 1 else "", zeroline=False, nticks=6, range=span)
    return figure


def _own(c: Comparison, highlighted: Collection[str]) -> list[dict[Any, Any]]:
    return c.shown[c.shown["unit"].isin(highlighted)].to_dict("records")


def _laid(comparisons: Sequence[tuple[Comparison, list[dict[Any, Any]]]], row: int) -> list[Strip]:
    laid: list[Strip] = []
    few = max((len(own) for _, own in comparisons), default=0) <= FEW
    for c, own in comparisons:
        lanes = len(own) if few else 0
        laid.append(Strip(c, laid[-1].bottom if laid else 4, not lanes or len(c.shown) > lanes, lanes, row))
    return laid


def _background(strip: Strip, theme: Theme) -> list[dict[str, Any]]:
    """The band of the middle 80% of schools and the university's tick, over dots and rows."""
    c, shapes = strip.c, list[dict[str, Any]]()
    top = strip.middle - 18 if strip.dots else strip.top + HEAD + 4
    bottom = strip.lane(strip.lanes - 1) + 11 if strip.lanes else strip.middle + 18
    if c.middle:
        band = {"type": "rect", "x0": c.middle[0], "x1": c.middle[1], "y0": top, "y1": bottom}
        shapes.append(band | {"line": {"width": 0}, "fillcolor": theme.context, "opacity": 0.18, "layer": "below"})
    if c.university["status"] == "shown":
        at = c.university["value"]
        beyond = 3 if strip.lanes else 10
        tick = {"type": "line", "x0": at, "x1": at, "y0": top - (10 if strip.dots else 3), "y1": bottom + beyond}
        shapes.append(tick | {"line": {"color": theme.ink, "width": 2}, "layer": "below"})
    return shapes


def _dots(figure: Chart, strip: Strip, theme: Theme, highlighted: Collection[str], elsewhere: Collection[str]) -> None:
    """All schools but those that have rows of their own elsewhere."""
    schools = strip.c.shown[~strip.c.shown["unit"].isin(elsewhere)].to_dict("records")
    shown = sorted(schools, key=lambda s: s["value"])
    places = [strip.middle + STEP * o for o in offsets([s["value"] for s in shown])]
    for own in (False, True):
        part = [(at, s) for at, s in zip(places, shown, strict=True) if (s["unit"] in highlighted) is own]
        if not part:
            continue
        figure.add_scatter(
            x=[s["value"] for _, s in part],
            y=[at for at, _ in part],
            mode="markers",
            marker={
                "size": 12 if own else 9,
                "color": theme.accent if own else theme.context,
                "symbol": "diamond" if own else "circle",
                "line": {"width": 1, "color": theme.page},
            },
            text=[_hover(s, strip.c) for _, s in part],
            hovertemplate="%{text}<extra></extra>",
        )


def _line(figure: Chart, strip: Strip, place: int, school: dict[Any, Any], theme: Theme, doubt: bool) -> None:
    figure.add_scatter(
        x=[school["value"]],
        y=[strip.lane(place)],
        mode="markers",
        error_x={
            "type": "data",
            "array": [school["upper"] - school["value"]],
            "arrayminus": [school["value"] - school["lower"]],
            "color": theme.accent,
            "thickness": 2,
            "width": 0,
        },
        marker={
            "size": 11,
            "color": theme.page if doubt else theme.accent,
            "symbol": "diamond",
            "line": {"width": 2 if doubt else 1, "color": theme.accent if doubt else theme.page},
        },
        text=[_hover(school, strip.c)],
        hovertemplate="%{text}<extra></extra>",
    )


def _name(
    strip: Strip,
    place: int,
    school: dict[Any, Any],
    theme: Theme,
    doubt: bool,
    span: tuple[float, float],
    width: float,
) -> dict[str, Any]:
    """A school's name beside its interval: on the right, or on the left where it has no room or would cross the tick.

    Each has a row of its own, so names never meet; a name without room on either side is cut. On a phone it stands
    above the line, within the plot. `width`: pixels of one unit of the axis.
    """
    value = words.value(school["value"], strip.c.metric) + (" †" if doubt else "")
    needs = (len(str(school["short_name"])) + len(value) + 1) * CHARACTER + BESIDE
    if strip.row > ABOVE * 2:
        return _above(strip, place, school, theme, value, span, width)
    room = {"left": (span[1] - school["upper"]) * width, "right": (school["lower"] - span[0]) * width}
    tick = strip.c.university["value"] if strip.c.university["status"] == "shown" else None
    crossed = {
        "left": tick is not None and school["upper"] < tick < school["upper"] + needs / width,
        "right": tick is not None and school["lower"] - needs / width < tick < school["lower"],
    }
    anchor = min(room, key=lambda side: (room[side] < needs, crossed[side], -room[side] if room[side] < needs else 0))
    fits = max(int((room[anchor] - BESIDE) / CHARACTER) - len(value) - 1, 3)
    name = str(school["short_name"])
    name = name if len(name) <= fits else f"{name[: fits - 1].rstrip()}…"
    return {
        "text": f"{escape(name)} <b>{escape(value)}</b>", "x": school["upper" if anchor == "left" else "lower"],
        "xanchor": anchor, "xshift": BESIDE if anchor == "left" else -BESIDE, "y": strip.lane(place),
        "yanchor": "middle", "showarrow": False, "font": {"size": 13, "color": theme.ink}, "borderpad": 0,
        "bgcolor": theme.page if crossed[anchor] else None,
    }  # fmt: skip


def _above(
    strip: Strip, place: int, school: dict[Any, Any], theme: Theme, value: str, span: tuple[float, float], width: float
) -> dict[str, Any]:
    most = int((span[1] - span[0]) * width / CHARACTER) - len(value) - 1
    name = str(school["short_name"])
    name = name if len(name) <= most else f"{name[: most - 1].rstrip()}…"
    half = (len(name) + len(value) + 1) * CHARACTER / 2 / width
    at = min(max(school["value"], span[0] + half), span[1] - half)
    tick = strip.c.university["value"] if strip.c.university["status"] == "shown" else None
    return {
        "text": f"{escape(name)} <b>{escape(value)}</b>", "x": at, "xanchor": "center",
        "y": strip.lane(place) - ABOVE, "yanchor": "middle", "showarrow": False, "borderpad": 0,
        "font": {"size": 13, "color": theme.ink},
        "bgcolor": theme.page if tick is not None and abs(tick - at) < half else None,
    }  # fmt: skip


def _hover(school: dict[str, Any], c: Comparison) -> str:
    interval = words.shown_interval(school, c.metric)
    return hover(
        school["name"],
        f"{c.metric['label']}: {words.value(school['value'], c.metric)} (95% interval {interval})",
        f"out of {words.shown_base(school)}",
    )


def _heading(strip: Strip, theme: Theme) -> dict[str, Any]:
    at = f"{words.shown(strip.c.university, strip.c.metric)} · {strip.c.period}"
    return {
        "text": f"<b>{escape(strip.c.metric['label'])}</b>  <span style='color:{theme.muted}'>{escape(at)}</span>",
        "x": 0,
        "xref": "paper",
        "xanchor": "left",
        "y": strip.top + HEAD,
        "yanchor": "bottom",
        "align": "left",
        "showarrow": False,
        "font": {"size": 14, "color": theme.ink},
        "bgcolor": theme.page,
        "borderpad": 2,
    }


def offsets(values: Sequence[float]) -> list[int]:
    """Steps off the middle for dots in order of value, so that equal values stand side by side: 0, +1, −1, +2 …"""
    seen: dict[float, int] = {}
    places: list[int] = []
    for value in values:
        k = seen.get(value, 0)
        seen[value] = k + 1
        places.append((k + 1) // 2 * (1 if k % 2 else -1))
    return places
