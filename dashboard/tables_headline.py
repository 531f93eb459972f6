"""Schools, and gaps between groups, on all headline measures in one table: on pages, and in the pack. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard.findings.consistency import Comparison, is_doubted, verdict
from dashboard.style import html, words
from dashboard.style.theme import VERDICT

GLYPHS = {"above": "▲", "below": "▼"}
EVIDENCE = {"clear gap": ("◀", "▶"), "possible gap": ("◁", "▷")}  # of a group that is lower, or higher


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
    doubt = "record looks incomplete" if is_doubted(school["unit"], c.metric, incomplete) else ""
    return html.Figure(
        words.shown(school, c.metric),
        words.shown_interval(school, c.metric),
        GLYPHS.get(side, ""),
        f"{side} the usual range" if side in GLYPHS else "",
        "context" if doubt else verdict(side, str(c.metric["better"])),
        doubt,
    )


def gaps(
    metrics: Sequence[Mapping[Any, Any]],
    everyone: Mapping[str, Mapping[Any, Any]],
    found: Mapping[str, pd.DataFrame],
    characteristics: pd.DataFrame,
    groups: pd.DataFrame,
) -> pd.DataFrame:
    """One row per group that is compared with a reference, everyone first; one column of `html.Figure` per measure.

    everyone, found: the cell of all students of a unit, and its gaps, by metric. No row without a gap.
    """
    rows = {name: {(g["characteristic"], g["group"]): g for g in of.to_dict("records")} for name, of in found.items()}
    there = set().union(*rows.values())
    pairs = groups[["characteristic", "group"]].itertuples(index=False, name=None)
    order = sorted((pair for pair in pairs if pair in there), key=lambda pair: characteristics.index.get_loc(pair[0]))
    if not order:
        return pd.DataFrame()
    labels = characteristics["label"]
    columns = {
        str(m["label"]): [
            html.Figure(words.shown(whole, m), words.shown_interval(whole, m)),
            *(_gap(rows[str(m["metric"])].get(pair), m) for pair in order),
        ]
        for m in metrics
        for whole in [everyone[str(m["metric"])]]
    }
    return pd.DataFrame({"Group": ["Everyone", *(f"{labels[c]}: {group}" for c, group in order)], **columns})


def _gap(gap: Mapping[Any, Any] | None, metric: Mapping[Any, Any]) -> html.Figure:
    """A gap with its interval, marked by its side where it is clear, or possibly so."""
    if gap is None:
        return html.Figure(words.STATUS["none"], is_figure=False)
    if gap["status"] != "shown":
        return html.Figure(words.missing(gap), is_figure=False)
    lower, higher = EVIDENCE.get(str(gap["evidence"]), ("", ""))
    if not lower and gap["evidence"] == "too few to say":
        return html.Figure("too few to say", is_figure=False)
    glyph = lower if gap["value"] < 0 else higher
    verdict = VERDICT.get(str(gap["direction"]), "context") if glyph else "context"
    return html.Figure(
        words.signed(gap["value"], metric),
        words.gap_interval(gap["lower"], gap["upper"], {**metric, "gap_suffix": ""}),
        glyph,
        f"{gap['evidence']}, group {gap['direction']} off" if verdict != "context" else str(gap["evidence"]),
        verdict,
    )
