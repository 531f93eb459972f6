"""Groups side by side, one row per unit: how far apart they are, and in which order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dashboard.charts.chart import Chart
from dashboard.charts.rows import NARROW, Label, Rows, extent, hover, in_words, lay_out
from dashboard.style import words
from dashboard.style.theme import GLYPHS, SYMBOLS, Theme

UNKNOWN_SYMBOL = "circle-open"


def appearance(groups: pd.DataFrame, ordered: bool, theme: Theme) -> dict[str, tuple[str, str, str]]:
    """Colour, marker symbol and text glyph of each group; the reference is dark, Unknown hollow grey."""
    look: dict[str, tuple[str, str, str]] = {}
    palette = theme.ordered if ordered else theme.groups
    others = 0
    for g in groups.sort_values("ordering").to_dict("records"):
        if not g["compared"]:
            look[g["group"]] = (theme.context, UNKNOWN_SYMBOL, "○")
        elif g["is_reference"]:
            look[g["group"]] = (theme.ink, "circle", GLYPHS[0])
        else:
            symbol = 1 + others % (len(SYMBOLS) - 1)
            look[g["group"]] = (palette[others % len(palette)], SYMBOLS[symbol], GLYPHS[symbol])
            others += 1
    return look


def side_by_side(
    cells: pd.DataFrame,
    units: pd.DataFrame,
    look: Mapping[str, tuple[str, str, str]],
    metric: Mapping[str, Any],
    theme: Theme,
    column: int = NARROW,
) -> Chart:
    """One row per unit in the order given, a mark per group with a figure, a line from lowest to highest.

    `cells`: unit, group, base, value, lower, upper, status; `look`: from `appearance`.
    """
    places = units.to_dict("records")
    rows = Rows(tuple(Label(u["short_name"], bold=u["kind"] == "university", column=column) for u in places))
    place = dict(zip(units["unit"], rows.places, strict=True))
    names = dict(zip(units["unit"], units["name"], strict=True))
    of: dict[str, list[dict[Any, Any]]] = {unit: [] for unit in place}
    for cell in cells[cells["unit"].isin(names)].to_dict("records"):
        of[cell["unit"]].append({**cell, "name": names[cell["unit"]]})
    shown = [cell for own in of.values() for cell in own if cell["status"] == "shown"]
    figure = Chart()
    compared = {g for g, (_, symbol, _) in look.items() if symbol != UNKNOWN_SYMBOL}
    x: list[float | None] = []
    y: list[float | None] = []
    for unit, own in of.items():
        values = [c["value"] for c in own if c["status"] == "shown" and c["group"] in compared]
        if values:
            x += [min(values), max(values), None]
            y += [place[unit], place[unit], None]
    figure.add_scatter(x=x, y=y, mode="lines", line={"color": theme.line, "width": 6}, hoverinfo="skip")
    for group, (colour, symbol, _) in look.items():
        part = [cell for cell in shown if cell["group"] == group]
        edge = {"width": 1.5} if symbol == UNKNOWN_SYMBOL else {"width": 1, "color": theme.page}
        figure.add_scatter(
            x=[cell["value"] for cell in part],
            y=[place[cell["unit"]] for cell in part],
            mode="markers",
            name=group,
            marker={"color": colour, "symbol": symbol, "size": 12, "line": edge},
            text=[_hover(cell, metric) for cell in part],
            hovertemplate="%{text}<extra></extra>",
        )
    figures = [cell["value"] for cell in shown]
    span = extent(figures, figures, metric)
    seen = {cell["unit"] for cell in shown}
    empty = [unit for unit in place if unit not in seen]
    why = [words.missing_all(of[unit]) for unit in empty]
    said = in_words([place[unit] for unit in empty], why, span[0], theme)
    lay_out(figure, rows, theme, str(metric["suffix"]), without=said)
    figure.update_xaxes(range=span)
    return figure


def _hover(cell: Mapping[str, Any], metric: Mapping[str, Any]) -> str:
    interval = words.shown_interval(cell, metric)
    return hover(
        cell["name"],
        f"{cell['group']}: {words.value(cell['value'], metric)} (95% interval {interval})",
        f"out of {words.shown_base(cell)}",
    )
