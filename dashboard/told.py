"""The findings of a release about a unit, as sentences that lead to their evidence."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from dashboard import layout
from dashboard.layout import Visit
from dashboard.periods import code
from dashboard.style import words

IN_URL = ("metric", "characteristic", "group")
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


def _finding(visit: Visit, finding: dict[Any, Any], unit: str) -> None:
    lead = words.FINDINGS.get(finding["kind"], "Finding")
    if finding["kind"] == "gap":
        about = visit.release.characteristics.loc[finding["characteristic"], "label"]
        lead = f"{lead} by {words.lowered(about)}"
    text = f"**{layout.plain(lead)}.** {layout.plain(finding['sentence'])}"
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
    return view | {"period": code(finding)} if pd.notna(finding["academic_year"]) else view
