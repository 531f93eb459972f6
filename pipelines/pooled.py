"""Three whole years pooled: one more period, in which groups can be seen that are too few in a single year.

Pooled periods never overlap: two that did would tell the year in which they differ. So once one is published, the next
begins after it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

import pandas as pd

from pipelines.definitions import Definitions
from pipelines.measures import sets
from pipelines.model import Modelled

POOLED, WHOLE_YEAR = "pooled", "year"
YEARS = 3
KEY = ["level", "unit", "characteristic", "group", "metric"]
TO = " to "


def with_periods(modelled: Modelled, published: Collection[str]) -> Modelled:
    """The periods with the pooled ones. published: the pooled periods of earlier releases.

    Those stay as long as their years are there; the last three years together are a new one, where none of them is in
    an earlier one.
    """
    periods = modelled.periods
    whole = periods[periods["part"] == WHOLE_YEAR]
    years = sorted(whole["academic_year"])
    names = [name for name in sorted(published) if len(_between(name, years)) == YEARS]
    new = [year for year in years if year > max((_ends(name)[1] for name in published), default="")][-YEARS:]
    names += [f"{new[0]}{TO}{new[-1]}"] if len(new) == YEARS else []
    last = {name: whole[whole["academic_year"] == _ends(name)[1]] for name in names}
    rows = [row.assign(academic_year=name, part=POOLED) for name, row in last.items()]
    return replace(modelled, periods=pd.concat([periods, *rows], ignore_index=True))


def of(periods: pd.DataFrame) -> Iterator[tuple[str, list[str]]]:
    """Each pooled period and its academic years. periods: as in `Modelled`."""
    years = sorted(periods.loc[periods["part"] == WHOLE_YEAR, "academic_year"])
    for name in periods.loc[periods["part"] == POOLED, "academic_year"]:
        yield name, _between(name, years)


def years_of(cells: pd.DataFrame, years: Collection[str]) -> pd.DataFrame:
    """The cells that a pooled period adds up: of whole years, all levels together."""
    return cells[
        (cells["part"] == WHOLE_YEAR) & cells["academic_year"].isin(years) & (cells["level"] == sets.EVERY_LEVEL)
    ]


def summed(own: pd.DataFrame, definitions: Definitions, name: str) -> pd.DataFrame:
    """The cells of a pooled period. own: those of its years.

    Proportions alone, of metrics that the university has in each of the years. A student of three years counts three
    times, as in a mean of the years.
    """
    everywhere = own[own["unit"] == sets.UNIVERSITY].groupby("metric", observed=True)["academic_year"].nunique()
    told = [
        m.name for m in definitions.metrics.values() if m.kind == "proportion" and everywhere.get(m.name, 0) == YEARS
    ]
    together = own[own["metric"].isin(told)].groupby(KEY, observed=True, sort=False).sum(numeric_only=True)
    return together.reset_index().assign(academic_year=name, part=POOLED)


def _ends(name: str) -> tuple[str, str]:
    first, _, last = name.partition(TO)
    return first, last


def _between(name: str, years: list[str]) -> list[str]:
    first, last = _ends(name)
    return [year for year in years if first <= year <= last]
