"""One school on many measures, each with its interval, beside faculty, university and the usual range."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.charts.chart import Chart
from dashboard.charts.rows import NARROW, Label, Rows, extent, hover, in_words, lay_out
from dashboard.findings.profile import Measure
from dashboard.style import words
from dashboard.style.theme import Theme

SYMBOLS = {
    "learn": "star", "better": "star-open", "conversation": "diamond", "apart": "diamond-open", "within": "circle",
    "": "circle-open",
}  # fmt: skip


def profile(measures: Sequence[Measure], theme: Theme, column: int = NARROW) -> Chart:
    """One row per measure under headings by theme; measures share a unit of measure.

    The band is the usual range for schools of that size, the tall tick the university, the short one the faculty; a
    mark is hollow where the record is to be checked first.
    """
    labels: list[Label] = []
    places: list[int] = []  # which label each measure has
    for i, m in enumerate(measures):
        if i == 0 or m.metric["theme"] != measures[i - 1].metric["theme"]:
            labels.append(
                Label(words.THEMES.get(str(m.metric["theme"]), str(m.metric["theme"])), heading=True, column=column)
            )
        places.append(len(labels))
        labels.append(Label(m.metric["label"], column=column))
    rows = Rows(tuple(labels))
    at = [rows.places[place] for place in places]
    shown = [(y, m) for y, m in zip(at, measures, strict=True) if m.own["status"] == "shown"]
    limits = [(y, m.limits["lower"], m.limits["upper"]) for y, m in shown if m.limits is not None]
    lows = [x for _, m in shown for x in (m.own["lower"],)] + [low for _, low, _ in limits]
    highs = [x for _, m in shown for x in (m.own["upper"],)] + [high for _, _, high in limits]
    metric = measures[0].metric
    span = extent(lows, highs, metric)
    figure = Chart()
    for y, low, high in limits:
        band = {"color": theme.context, "width": 14}
        figure.add_scatter(x=[low, high], y=[y, y], mode="lines", line=band, opacity=0.22, hoverinfo="skip")
    for cells, size in (([m.university for m in measures], 24), ([m.faculty for m in measures], 13)):
        beside = [(y, cell) for y, cell in zip(at, cells, strict=True) if cell and cell["status"] == "shown"]
        figure.add_scatter(
            x=[cell["value"] for _, cell in beside],
            y=[y for y, _ in beside],
            mode="markers",
            marker={"symbol": "line-ns", "size": size, "line": {"width": 2, "color": theme.ink}},
            hoverinfo="skip",
        )
    for verdict in ("context", "doubt", "well", "attention"):
        part = [(y, m) for y, m in shown if m.verdict == verdict]
        colour = theme.accent if verdict == "context" else theme.of(verdict)
        hollow = verdict == "doubt"
        marker = {"color": theme.page, "line": {"color": colour, "width": 2}} if hollow else {"color": colour}
        figure.add_scatter(
            x=[m.own["value"] for _, m in part],
            y=[y for y, _ in part],
            mode="markers",
            error_x={
                "type": "data",
                "array": [m.own["upper"] - m.own["value"] for _, m in part],
                "arrayminus": [m.own["value"] - m.own["lower"] for _, m in part],
                "color": colour,
                "thickness": 2,
                "width": 0,
            },
            marker={**marker, "size": 12, "symbol": ["circle" if hollow else SYMBOLS[m.place] for _, m in part]},
            text=[_hover(m) for _, m in part],
            hovertemplate="%{text}<extra></extra>",
        )
    without = [(y, words.missing(m.own)) for y, m in zip(at, measures, strict=True) if m.own["status"] != "shown"]
    said = in_words([y for y, _ in without], [text for _, text in without], span[0], theme)
    lay_out(figure, rows, theme, str(metric["suffix"]), without=said)
    figure.update_xaxes(range=span)
    return figure


def _hover(m: Measure) -> str:
    lines = [
        f"{words.shown(m.own, m.metric)} (95% interval {words.shown_interval(m.own, m.metric)}), {m.period}",
        (f"faculty {words.shown(m.faculty, m.metric)}, " if m.faculty else "")
        + f"university {words.shown(m.university, m.metric)}",
        m.says,
    ]
    if m.limits is not None:
        lines.append(f"usual range for schools: {words.interval(m.limits['lower'], m.limits['upper'], m.metric)}")
    return hover(m.metric["label"], *lines)
