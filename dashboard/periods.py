"""Which periods there are figures for, which came before, and how an address names them. Pure: knows no Streamlit."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from dashboard.kept import kept
from dashboard.published import Release


def code(period: Mapping[str, object]) -> str:
    """A period's code in the URL: 2025-26, 2025-26-to-date."""
    year = str(period["academic_year"]).replace("/", "-")
    return year if period["part"] == "year" else f"{year}-{str(period['part']).replace('_', '-')}"


@kept
def periods_with(release: Release, metric: str, level: str) -> pd.DataFrame:
    """Periods in which the university has a figure for the metric: the current one first, then the latest.

    Where it has none at any time, the current period alone. Not those without groups, which are there for lines over
    the years.
    """
    have = _with_figures(release).get((metric, level), set())
    periods = release.periods
    if "has_groups" in periods:  # releases of earlier versions have groups in every period
        periods = periods[periods["has_groups"].astype(bool)]
    is_current = periods["is_current"].astype(bool)
    periods = pd.concat([periods[is_current], periods[~is_current]])
    offered = periods[[key in have for key in periods.index]]
    return offered if len(offered) else periods.head(1)


@kept
def _with_figures(release: Release) -> dict[tuple[str, str], set[tuple[str, str]]]:
    """Metric and level → the periods in which the university has a figure of everyone."""
    cells = release.cells(unit="university", characteristic="all")
    shown = cells[cells["status"] == "shown"]
    have: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for metric, level, *period in zip(*(shown[c] for c in ("metric", "level", "academic_year", "part")), strict=True):
        have.setdefault((metric, level), set()).add((period[0], period[1]))
    return have


def period_before(release: Release, period: Mapping[str, object]) -> pd.Series | None:
    """The same part of the academic year before, or None."""
    return _before(release, str(period["academic_year"]), str(period["part"]))


@kept
def _before(release: Release, year: str, part: str) -> pd.Series | None:
    periods = release.periods
    earlier = periods[(periods["part"] == part) & (periods["academic_year"] < year)]
    return earlier.sort_values("academic_year").iloc[-1] if len(earlier) else None
