"""How far tutors differ, in a pack: on the headline measure on which it depends most on the tutor."""

from __future__ import annotations

import pandas as pd

from dashboard import between
from dashboard.charts.rows import AIR, DENSE
from dashboard.charts.tutors import spreads as draw
from dashboard.exports import numbers
from dashboard.exports.figure import Figure, Mark
from dashboard.exports.figures import COLUMN, MANY
from dashboard.exports.reading import Reading
from dashboard.findings import tutors
from dashboard.findings.consistency import DIFFER
from dashboard.style import words


def clearest(reading: Reading) -> tuple[pd.Series, pd.DataFrame, str] | None:
    """The headline measure on which the unit's tutors differ most, beyond chance where they do so on any, its rows and
    their year; those of its schools where nothing is told of the unit; None where nothing is told at all.
    """
    told = []
    for metric in reading.measures(headline=True):
        name = str(metric["metric"])
        if not between.is_told(reading.release, name):
            continue
        year = between.year_told(reading.release, name, reading.period)
        rows = tutors.rows(between.tutors(reading.release, year, metric=name), reading.release.units, reading.unit)
        shown = rows[rows["status"] == "shown"]
        own = shown[shown["unit"] == reading.unit]
        if len(shown):
            rank = (len(own) > 0, bool((own["says"] == DIFFER).any()), own["ratio"].max() if len(own) else 0.0)
            told.append((metric, rows, str(year["label"]), rank))
    return max(told, key=lambda one: one[3])[:3] if told else None


def figure(reading: Reading, metric: pd.Series, rows: pd.DataFrame, year: str) -> Figure:
    """Schools seen, a typical one first, on one measure, in a year."""
    legend = tuple(tutors.legend(rows))
    return Figure(
        key=f"tutors {metric['metric']}",
        kind="rows",
        title=tutors.title(rows, metric),
        subtitle=f"{metric['label']}, {year}, {words.lowered(reading.level)}, {tutors.WHOM}.",
        alt=tutors.answer(rows, metric),
        table=tutors.table(rows, metric),
        numbers=numbers.tutors(reading, metric, rows.to_dict("records"), year),
        draw=lambda theme: draw(rows, metric, theme, COLUMN, DENSE if len(rows) > MANY else AIR),
        marks=tuple(
            Mark(
                str(r["short_name"]),
                r["value"],
                None if tutors.is_alike(r) else r["low"],
                None if tutors.is_alike(r) else r["high"],
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
        bars="bars: all students; lines on them: about eight in ten tutors, where any difference can be seen",
    )
