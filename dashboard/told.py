"""The findings of a release about a unit, as sentences that lead to their evidence."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import layout
from dashboard.charts.rows import WIDE
from dashboard.layout import Visit
from dashboard.periods import code
from dashboard.style import html, words

IN_URL = ("metric", "characteristic", "group")
BRACKETS = re.compile(r" \(([^()]*)\)")
INTERVAL = re.compile(r"[−+]?[\d.]+%? to ")
NO_INTERVAL = "at the least"  # how far apart places or tutors are, at one limit
END = re.compile(r"(?<!\bSt)(?<!\bDr)\.(?= |$)")  # of a sentence, not of 'St.' in a name
MOST = 9  # findings of a unit


def findings(visit: Visit, found: pd.DataFrame, period: str, unit: str, most: int = MOST) -> None:
    """What stands out about a unit, most important first, from `most` on behind a fold; nothing where nothing does."""
    if found.empty:
        return
    found = found[found["kind"] != "consistency"]  # the answer to the page's question has said it
    layout.section("What stands out", f"All levels together, {period} unless another year is named")
    rest = found.iloc[most:] if len(found) > most + 1 else found.iloc[:0]
    with st.container(key="findings"):
        for finding in found.head(len(found) - len(rest)).to_dict("records"):
            _finding(visit, finding, unit)
    if len(rest):
        with st.expander(f"{words.headline(words.plural(len(rest), 'further finding'))}").container(key="further"):
            for finding in rest.to_dict("records"):
                _finding(visit, finding, unit)
    if visit.column != WIDE:
        with st.expander("The same findings in full"):
            st.html(html.listed(found["sentence"].tolist()))


def parted(sentence: str, places: Collection[str] = ()) -> tuple[str, str]:
    """What a finding says in short, and the rest: further sentences, and what stood in brackets, which of several says
    of which of the `places` it is told, or else stays where it is.
    """
    ends, depth = len(sentence), 0
    for at, mark in enumerate(sentence):
        depth += (mark == "(") - (mark == ")")
        if not depth and (mark == ";" or sentence.startswith(": ‘", at) or END.match(sentence, at)):
            ends = at
            break
    short, rest = sentence[:ends].rstrip("."), sentence[ends:].lstrip(";:. ")
    inside = {_place(short[: found.start()], places): found[1] for found in BRACKETS.finditer(short)}
    said = ", ".join(inside.values())
    if len(BRACKETS.findall(short)) > 1:
        if "" in inside:
            return words.sentence(short), words.sentence(rest)
        said = "; ".join(f"{place}: {told}" for place, told in inside.items())
    elif INTERVAL.match(said) and not said.endswith(NO_INTERVAL):
        said = f"95% interval {said}"
    return words.sentence(BRACKETS.sub("", short)), f"{words.sentence(said)} {words.sentence(rest)}".strip()


def _place(text: str, places: Collection[str]) -> str:
    """The place that a text ends with, if it does."""
    return max((place for place in places if text.endswith(place)), key=len, default="")


def _finding(visit: Visit, finding: dict[Any, Any], unit: str) -> None:
    lead = words.FINDINGS.get(finding["kind"], "Finding")
    if finding["kind"] == "gap":
        about = visit.release.characteristics.loc[finding["characteristic"], "label"]
        lead = f"{lead} by {words.lowered(about)}"
    short, rest = parted(finding["sentence"], visit.release.units["name"])
    text = f"**{layout.plain(lead)}. {layout.plain(short)}**"
    text += f" {layout.plain(rest)}" if rest and visit.column == WIDE else ""  # on a phone in a fold below
    visit.link(finding["view"], text, **of(visit, unit), **_view(finding))


def of(visit: Visit, unit: str) -> dict[str, str]:
    """The unit, as a filter in the URL, where it is not the viewer's own."""
    return {"unit": unit} if unit != visit.viewer.home else {}


def _view(finding: dict[Any, Any]) -> dict[str, str]:
    """A finding's view, as filters in the URL."""
    if finding["view"] not in ("schools", "equity", "voice"):
        return {}
    view = {name: str(finding[name]) for name in IN_URL if pd.notna(finding[name])}
    view |= {"view": "where"} if "group" in view else {}
    view |= {"drawn": "tutors"} if finding["kind"] == "tutors" else {}
    return view | {"period": code(finding)} if pd.notna(finding["academic_year"]) else view
