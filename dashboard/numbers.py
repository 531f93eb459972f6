"""The tidy numbers behind a chart, as a file to take away. Knows no Streamlit."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from dashboard import tables
from dashboard.published import Release
from dashboard.style import words

COLUMNS = (
    "period", "academic_year", "part", "week", "level", "unit", "name", "metric", "measure", "characteristic", "group",
    "against", "reference", "base", "reference_base", "value", "lower", "upper", "target", "position", "says",
    "evidence", "direction", "status",
)  # fmt: skip
NOTE = (
    "Bases are to the nearest five, limits those of 95% intervals. What is hidden to protect people, or has no figure, "
    "says so."
)


def tidy(figures: pd.DataFrame, release: Release) -> pd.DataFrame:
    """Published figures, one row each, in the order of COLUMNS: with names beside codes, and words for what is hidden.

    Columns that are not among COLUMNS are left out.
    """
    found = figures.reset_index(drop=True)
    if "unit" in found and "name" not in found:
        found["name"] = found["unit"].map(release.units["name"])
    if "metric" in found:
        found["measure"] = found["metric"].map(release.metrics["label"])
    if "period" not in found and {"academic_year", "part"} <= set(found):
        keys = zip(found["academic_year"], found["part"], strict=True)
        found["period"] = [release.periods["label"].get(key, "") for key in keys]
    found = found[[column for column in COLUMNS if column in found]].astype(object)
    if "status" not in found:
        return found.fillna("")
    said = found["status"].map(words.STATUS)
    return found.apply(lambda column: column.where(column.notna(), said)).fillna("").assign(status=found["status"])


def file(release: Release, figures: pd.DataFrame, title: str, about: str, address: str) -> bytes:
    """The numbers as CSV under a few lines that say what they are, where from and how far they can be trusted."""
    facts = release.about
    head = {
        "Title": title,
        "About": about,
        "Source": f"{facts['university']}, personal tutoring dashboard",
        "Release": f"{facts['release']}, {words.data_through(facts['data_through'])}",
        "Status": standing(facts),
        "View": address,
        "Note": NOTE,
    }
    return tables.file(tidy(figures, release), head)


def standing(facts: Mapping[str, object]) -> str:
    """What a release's figures are: 'example data: a fictional university', else its grade."""
    return "example data: a fictional university" if facts["source"] == "example" else str(facts["grade"])


def file_name(page: str, key: str, view: Mapping[str, str]) -> str:
    """A file's name from its page, its chart and the filters: 'equity-gaps-metric-trust.csv'."""
    parts = [page, key, *(f"{name}-{code}" for name, code in view.items() if code != "all")]
    return re.sub(r"[^\w-]+", "-", "-".join(part for part in parts if part)).strip("-")[:120].lower() + ".csv"
