"""How far tutors differ, in a pack: on the headline measure on which it depends most on the tutor."""

from __future__ import annotations

import pandas as pd

from dashboard import between
from dashboard.charts.rows import AIR, DENSE
from dashboard.charts.tutors import spreads as draw
from dashboard.exports import numbers
from dashboard.exports.figure import Figure, Mark
from dashboard.exports.figures import COLUMN, MANY, about
from dashboard.exports.reading import EVERY_LEVEL, Reading
from dashboard.findings import tutors
from dashboard.findings.consistency import DIFFER
from dashboard.style import words


def clearest(reading: Reading) -> tuple[pd.Series, pd.DataFrame] | None:
    """The headline measure on which the unit's tutors surely differ most, and its rows, those of its schools where
    nothing is told of the unit; None where nothing is told at all.
    """
    told = []
    for metric in reading.measures(headline=True):
        when = reading.when(str(metric["metric"]))
        if when is None:
            continue
        found = between.tutors(reading.release, when, metric=str(metric["metric"]), level=EVERY_LEVEL)
        rows = tutors.rows(found, reading.release.units, reading.unit)
        shown = rows[rows["status"] == "shown"]
        own = shown[shown["unit"] == reading.unit]
        if len(shown):
            first = own.iloc[0] if len(own) else None
            rank = (
                first is not None,
                first is not None and first["says"] == DIFFER,
                0 if first is None else first["least"],
            )
            told.append((metric, rows, rank))
    if not told:
        return None
    metric, rows, _ = max(told, key=lambda one: one[2])
    return metric, rows


def figure(reading: Reading, metric: pd.Series, rows: pd.DataFrame) -> Figure:
    """Schools seen, a typical one first, on one measure."""
    legend = tuple(tutors.legend(rows))
    return Figure(
        key=f"tutors {metric['metric']}",
        kind="rows",
        title=tutors.title(rows, metric),
        subtitle=f"{about(reading, metric)}, {tutors.WHOM}.",
        alt=tutors.answer(rows, metric),
        table=tutors.table(rows, metric),
        numbers=numbers.tutors(reading, metric, rows.to_dict("records")),
        draw=lambda theme: draw(rows, metric, theme, COLUMN, DENSE if len(rows) > MANY else AIR),
        marks=tuple(
            Mark(
                str(r["short_name"]),
                r["value"],
                r["low"],
                r["high"],
                r["verdict"],
                glyph=r["mark"] if r["verdict"] == "attention" else "",
            )
            if r["status"] == "shown"
            else Mark(str(r["short_name"]), None, why=words.missing(r))
            for r in rows.to_dict("records")
        ),
        metric=metric,
        numeric=tutors.FIGURES,
        legend=legend,
        bars="bars: the middle tutor; lines on them: about eight in ten tutors",
    )
