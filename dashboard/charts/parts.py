"""What a gap is made of: raw beside like for like, and its parts within schools and by which schools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.charts.chart import Chart
from dashboard.charts.gaps import ticks
from dashboard.charts.rows import NARROW, Label, Rows, graded, hover, lay_out
from dashboard.style import words
from dashboard.style.theme import Theme


def beside_raw(
    gaps: Sequence[Mapping[str, Any]], metric: Mapping[str, Any], theme: Theme, column: int = NARROW
) -> Chart:
    """One row per gap: a ring where it is as it stands, a diamond with its interval where it is like for like.

    `gaps`: label, note, name, value, like_for_like, like_for_like_lower, like_for_like_upper.
    """
    rows = Rows(tuple(Label(g["label"], g["note"], column=column) for g in gaps))
    places = rows.places
    figure = Chart()
    for place, g in zip(places, gaps, strict=True):
        figure.add_scatter(
            x=[g["value"], g["like_for_like"]], y=[place, place], mode="lines",
            line={"color": theme.line, "width": 3}, hoverinfo="skip",
        )  # fmt: skip
    bands = [
        (place, g["like_for_like_lower"], g["like_for_like"], g["like_for_like_upper"])
        for place, g in zip(places, gaps, strict=True)
    ]
    graded(figure, bands, theme.accent)
    for column_name, symbol, colour, called in (
        ("value", "circle-open", theme.ink, "as it stands"),
        ("like_for_like", "diamond", theme.accent, "like for like"),
    ):
        figure.add_scatter(
            x=[g[column_name] for g in gaps],
            y=places,
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 11, "line": {"width": 2 if "open" in symbol else 0}},
            text=[hover(g["name"], f"{called}: {words.signed(g[column_name], metric)}{metric['gap_suffix']}", g["note"])
                  for g in gaps],
            hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    edges = [x for g in gaps for x in (g["value"], g["like_for_like_lower"], g["like_for_like_upper"])]
    _finish(figure, rows, edges, metric, theme)
    return figure


def parts(made_of: Sequence[Mapping[str, Any]], metric: Mapping[str, Any], theme: Theme, column: int = NARROW) -> Chart:
    """Bars from no gap: the whole gap and its two parts, then each school's; rows with `heading` carry words only.

    `made_of`: label, heading, name, and `bars`: (value, lower, upper, kind) each, kind `whole`, `within` or `which`,
    the limits null where there are none. Two bars of one row lie side by side.
    """
    rows = Rows(tuple(Label(r["label"], heading=r["heading"], column=column) for r in made_of))
    colours = {"whole": theme.ink, "within": theme.accent, "which": theme.context}
    figure = Chart()
    edges: list[float] = []
    drawn: dict[str, list[tuple[float, Any, str]]] = {kind: [] for kind in colours}
    for place, r in zip(rows.places, made_of, strict=True):
        for i, (value, lower, upper, kind) in enumerate(r["bars"]):
            y = place + (0 if len(r["bars"]) == 1 else -5 + 10 * i)
            limits = lower is not None and upper is not None
            interval = f" (95% interval {words.gap_interval(lower, upper, metric)})" if limits else ""
            said = hover(r["name"], f"{CALLED[kind]}: {words.signed(value, metric)}{metric['gap_suffix']}{interval}")
            drawn[kind].append((y, (value, lower if limits else value, upper if limits else value), said))
            edges += [value, *((lower, upper) if limits else ())]
    for kind, bars in drawn.items():
        figure.add_bar(
            x=[value for _, (value, _, _), _ in bars],
            y=[y for y, _, _ in bars],
            width=[9.0] * len(bars),
            orientation="h",
            marker={"color": colours[kind], "line": {"width": 0}},
            error_x={
                "type": "data", "array": [upper - value for _, (value, _, upper), _ in bars],
                "arrayminus": [value - lower for _, (value, lower, _), _ in bars],
                "color": theme.muted, "thickness": 1.5, "width": 0,
            },
            text=[said for _, _, said in bars],
            textposition="none",
            hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    _finish(figure, rows, edges, metric, theme)
    figure.update_layout(barmode="overlay")
    return figure


CALLED = {"whole": "the gap as it stands", "within": "within schools", "which": "from which schools"}


def _finish(figure: Chart, rows: Rows, edges: Sequence[float], metric: Mapping[str, Any], theme: Theme) -> None:
    low, high = min([0.0, *edges]), max([0.0, *edges])
    air = 0.08 * (high - low) or 1.0
    lay_out(figure, rows, theme, reference=(0, "no gap"))
    at = ticks(low, high, finest=10.0 ** -int(metric["decimals"]))
    plain = {**metric, "decimals": 0} if all(t == round(t) for t in at) else metric
    figure.update_xaxes(range=[low - air, high + air], tickvals=at, ticktext=[words.signed(t, plain) for t in at])
