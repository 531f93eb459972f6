"""The tidy numbers behind a chart, as a file to take away. Knows no Streamlit."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from dashboard.exports import inert
from dashboard.published import Release
from dashboard.style import words

FIRST = (
    "period", "academic_year", "part", "level", "unit", "name", "metric", "measure", "characteristic", "group",
    "against", "reference", "base", "reference_base", "value", "lower", "upper",
)  # fmt: skip
LAST = ("says", "evidence", "direction", "status")
OF_CHARTS = {
    "label",
    "short_name",
    "kind",
    "parent",
    "school",
    "side",
    "heading",
    "note",
    "said",
    "odds",
    "why",
}  # what charts and pages add to published rows, or what other columns say
NOTE = (
    "Bases are to the nearest five, limits those of 95% intervals. What is hidden to protect people, or has no figure, "
    "says so."
)


def tidy(figures: pd.DataFrame, release: Release) -> pd.DataFrame:
    """Published figures, one row each: names beside codes, words for what is hidden, no column that is empty."""
    found = figures.reset_index(drop=True)
    if "unit" in found:
        names = found["unit"].map(release.units["name"])
        found["name"] = names.fillna(found["name"]) if "name" in found else names
    if "metric" in found:
        found["measure"] = found["metric"].map(release.metrics["label"])
    if {"academic_year", "part"} <= set(found):
        keys = zip(found["academic_year"], found["part"], strict=True)
        period = pd.Series([release.periods["label"].get(key) for key in keys], found.index, dtype=object)
        found["period"] = period.fillna(found["period"]) if "period" in found else period
    others = [c for c in found if c not in (*FIRST, *LAST, *OF_CHARTS)]
    found = found[[c for c in (*FIRST, *others, *LAST) if c in found]].dropna(axis="columns", how="all").astype(object)
    if "status" in found:
        numbers = [c for c in ("base", "value", "lower", "upper") if c in found]
        said = found["status"].map(words.STATUS)  # shown: nothing to say
        found[numbers] = found[numbers].apply(lambda column: column.where(column.notna(), said))
    return found.fillna("")


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
    return inert.csv(tidy(figures, release), head)


def source(release: Release) -> str:
    """One line that says where a figure comes from."""
    facts = release.about
    return (
        f"{facts['university']}, personal tutoring dashboard. Release {facts['release']}, "
        f"{words.data_through(facts['data_through'])}. {words.sentence(standing(facts))}"
    )


def standing(facts: Mapping[str, object]) -> str:
    """What a release's figures are: 'example data: a fictional university', else its grade."""
    return "example data: a fictional university" if facts["source"] == "example" else str(facts["grade"])


def file_name(page: str, key: str, view: Mapping[str, str]) -> str:
    """A file's name from its page, its chart and the filters: 'equity-gaps-metric-trust', without its kind."""
    parts = [page, key, *(f"{name}-{code}" for name, code in view.items() if code != "all")]
    return re.sub(r"\W+", "-", "-".join(part for part in parts if part)).strip("-")[:120].lower()
