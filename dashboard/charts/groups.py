"""Groups one under another in a row per unit: how far apart they are, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dashboard.charts.chart import Chart
from dashboard.charts.rows import AIR, LINE, NARROW, Label, Rows, bars, extent, hover, in_words, lay_out
from dashboard.style import words
from dashboard.style.theme import GLYPHS, SYMBOLS, Theme

UNKNOWN_SYMBOL = "circle-open"
APART = 9  # pixels from one group of a unit to the next
BETWEEN = 26  # pixels between the groups of one unit and those of the next


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
    """One row per unit in the order given; in it, one under another, each group with a figure: mark and 95% interval.

    `cells`: unit, group, base, value, lower, upper, status; `look`: from `appearance`.
    """
    places = units.to_dict("records")
    air = max(AIR, APART * (len(look) - 1) + BETWEEN - LINE)
    rows = Rows(tuple(Label(u["short_name"], bold=u["kind"] == "university", column=column, air=air) for u in places))
    place = dict(zip(units["unit"], rows.places, strict=True))
    names = dict(zip(units["unit"], units["name"], strict=True))
    of: dict[str, list[dict[Any, Any]]] = {unit: [] for unit in place}
    for cell in cells[cells["unit"].isin(names)].to_dict("records"):
        of[cell["unit"]].append({**cell, "name": names[cell["unit"]]})
    shown = [cell for own in of.values() for cell in own if cell["status"] == "shown"]
    figure = Chart()
    for nth, (group, (colour, symbol, _)) in enumerate(look.items()):
        part = [cell for cell in shown if cell["group"] == group]
        at = [place[cell["unit"]] + APART * (nth - (len(look) - 1) / 2) for cell in part]
        sure = [(y, cell["lower"], cell["upper"]) for y, cell in zip(at, part, strict=True) if pd.notna(cell["lower"])]
        bars(figure, pd.DataFrame(sure, columns=["place", "low", "high"]), colour, 2, 0.6)
        edge = {"width": 1.5} if symbol == UNKNOWN_SYMBOL else {"width": 1, "color": theme.page}
        figure.add_scatter(
            x=[cell["value"] for cell in part],
            y=at,
            mode="markers",
            name=group,
            marker={"color": colour, "symbol": symbol, "size": 10, "line": edge},
            text=[_hover(cell, metric) for cell in part],
            hovertemplate="%{text}<extra></extra>",
        )
    lows, highs = ([cell[end] for cell in shown if pd.notna(cell[end])] for end in ("lower", "upper"))
    span = extent(lows, highs, metric)
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
