"""All schools on the headline measures in one table: on the page that compares schools, and in the pack. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard.findings.consistency import Comparison, verdict
from dashboard.style import html, words

GLYPHS = {"above": "▲", "below": "▼"}


def matrix(compared: Sequence[Comparison], incomplete: Collection[str], name: str = "name") -> pd.DataFrame:
    """One row per school, from A to Z, the university first; one column of `html.Figure` per measure.

    incomplete: schools whose record looks incomplete, which their figures of contact say. `name`: the column of names.
    No row without a school or a measure.
    """
    if not compared or compared[0].schools.empty:
        return pd.DataFrame()
    columns = {
        str(c.metric["label"]): [
            html.Figure(words.shown(c.university, c.metric), words.shown_interval(c.university, c.metric)),
            *(_figure(s, c, incomplete) for s in c.schools.to_dict("records")),
        ]
        for c in compared
    }
    return pd.DataFrame({"School": ["University", *compared[0].schools[name]], **columns})


def _figure(school: Mapping[Any, Any], c: Comparison, incomplete: Collection[str]) -> html.Figure:
    """A school's value, marked where it lies outside the usual range; in grey where its record is in doubt."""
    if school["status"] != "shown":
        return html.Figure(words.missing(school), is_figure=False)
    side = str(school["side"])
    doubt = "record looks incomplete" if school["unit"] in incomplete and c.metric["theme"] == "contact" else ""
    return html.Figure(
        words.shown(school, c.metric),
        words.shown_interval(school, c.metric),
        GLYPHS.get(side, ""),
        f"{side} the usual range" if side in GLYPHS else "",
        "context" if doubt else verdict(side, str(c.metric["better"])),
        doubt,
    )
