"""How answers divide: bars that grow from the middle of those who neither agree nor disagree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dashboard.charts.chart import Chart
from dashboard.charts.rows import AIR, NARROW, WIDE, Label, Rows, hover, in_words, lay_out
from dashboard.findings.voice import ANSWERS, FIVE
from dashboard.style import words
from dashboard.style.theme import Theme

BAR = 20  # pixels
PALE = 0.5  # how far the weaker answers are from the page's colour
IN_THREE = "in three bands: too few for five"
ROOM = {NARROW: 62, WIDE: 118}  # pixels beside the bars, for the share who agree: in two lines on a phone
GLYPHS = {"above": ("▲", "well"), "below": ("▼", "attention")}


def colours(theme: Theme) -> dict[str, str]:
    """The colour of each answer: the stronger, the darker."""
    pale = {side: _mixed(getattr(theme, side), theme.page) for side in ("attention", "well")}
    line = _mixed(theme.context, theme.page)
    return dict(zip(FIVE, (theme.attention, pale["attention"], line, pale["well"], theme.well), strict=True))


def _mixed(colour: str, page: str) -> str:
    parts = [(int(colour[i : i + 2], 16), int(page[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(PALE * a + (1 - PALE) * b):02x}" for a, b in parts)


def diverging(rows: pd.DataFrame, metric: Mapping[str, Any], theme: Theme, column: int = NARROW) -> Chart:
    """One row per place or group in the order given; rows with `heading` true carry words only.

    `rows`: label, name, bold, heading, base, value, lower, upper, status, the five answers and `bands` (0 where the
    answers are not shown); `side`, where there is one: 'above' or 'below' of a place clearly apart from the university.
    The share who agree stands beside each bar with its 95% interval, marked where it is apart.
    """
    labels = tuple(_label(r, column) for r in rows.to_dict("records"))
    laid = Rows(labels)
    rows = rows.assign(place=laid.places)
    drawn = rows[(rows["bands"] > 0) & ~rows["heading"]].fillna(dict.fromkeys(FIVE, 0.0))
    start = -(drawn["strongly_disagree"] + drawn["disagree"] + drawn["neither"] / 2)
    figure = Chart()
    left, right = min([-30.0, *start]), 60.0
    for answer, said, colour in zip(FIVE, ANSWERS, colours(theme).values(), strict=True):
        figure.add_bar(
            x=drawn[answer],
            base=start,
            y=drawn["place"],
            orientation="h",
            width=BAR,
            name=said,
            marker={"color": colour, "line": {"color": theme.page, "width": 1}},
            text=[_hover(r, metric) for r in drawn.to_dict("records")],
            textposition="none",
            hovertemplate="%{text}<extra></extra>",
        )
        start = start + drawn[answer]
    right = max([right, *start])
    ends = [_end(r, at, metric, theme, column) for r, at in zip(drawn.to_dict("records"), start, strict=True)]
    without = rows[(rows["bands"] == 0) & ~rows["heading"]]
    words_of = in_words(without["place"].tolist(), [_why(r, metric) for r in without.to_dict("records")], left, theme)
    sides = [_side("◀ disagree", "right", -1), _side("agree ▶", "left", 1)] if len(drawn) else []
    lay_out(figure, laid, theme, without=[*words_of, *ends, *sides])
    figure.update_layout(barmode="overlay", margin={"r": ROOM.get(column, ROOM[WIDE])})
    figure.update_xaxes(range=[left - 2, right], showticklabels=False, showgrid=False)
    if len(drawn):
        figure.add_vline(0, line={"color": theme.context, "width": 1, "dash": "dot"}, layer="below")
    return figure


def _label(row: Mapping[str, Any], column: int) -> Label:
    note = IN_THREE if row["bands"] == 3 else ""
    air = AIR + 8 if column == NARROW else AIR  # beside the bar stand two lines there
    return Label(row["label"], note, bold=row["bold"], heading=row["heading"], column=column, air=air)


def _end(row: Mapping[str, Any], at: float, metric: Mapping[str, Any], theme: Theme, column: int) -> dict[str, Any]:
    """The share who agree at the end of the bar: '53% (50–56) ▼'."""
    said = ""
    if row["status"] == "shown":
        low, high = (words.number(row[limit], int(metric["decimals"])) for limit in ("lower", "upper"))
        glyph, verdict = GLYPHS.get(row.get("side", ""), ("", ""))
        mark = f' <span style="color:{theme.of(verdict)}">{glyph}</span>' if glyph else ""
        value = f"<b>{words.shown(row, metric)}</b>"
        sure = f'<span style="color:{theme.muted};font-size:12px">{{}}</span>'
        narrow = f"{value}{mark}<br>{sure.format(f'{low}–{high}')}"
        said = narrow if column == NARROW else f"{value} {sure.format(f'({low}–{high})')}{mark}"
    return {
        "text": said, "x": at, "xanchor": "left", "xshift": 4, "y": row["place"], "yanchor": "middle",
        "showarrow": False, "align": "left", "font": {"size": 13},
    }  # fmt: skip


def _side(text: str, anchor: str, shift: int) -> dict[str, Any]:
    return {
        "text": text, "x": 0, "xanchor": anchor, "xshift": 8 * shift, "y": 1, "yref": "paper", "yanchor": "bottom",
        "yshift": 6, "showarrow": False, "font": {"size": 13},
    }  # fmt: skip


def _why(row: Mapping[str, Any], metric: Mapping[str, Any]) -> str:
    if row["status"] != "shown":
        return words.missing(row)
    return f"{words.shown(row, metric)} agree; the other answers are hidden"


def _hover(row: Mapping[str, Any], metric: Mapping[str, Any]) -> str:
    divided = [
        f"{said}: {words.value(row[answer], metric)}"
        for answer, said in zip(FIVE, ANSWERS, strict=True)
        if row["bands"] == 5 or not answer.startswith("strongly")
    ]
    interval = words.shown_interval(row, metric)
    return hover(
        str(row["name"]),
        f"{words.shown(row, metric)} agree or strongly agree (95% interval {interval})",
        *divided,
        f"out of {words.shown_base(row)}",
    )
