"""What a pack reads: one unit, in one academic year, all levels together; through the same access path as the pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import Any, TypeVar, cast

import pandas as pd

from dashboard import compared
from dashboard.access import UNIVERSITY
from dashboard.findings import consistency, standing
from dashboard.findings.consistency import Change, Comparison
from dashboard.periods import period_before
from dashboard.published import Release
from dashboard.record import RECORD_CHECK
from dashboard.style import words

EVERY_LEVEL = "all"


T = TypeVar("T")


class NothingToTellError(Exception):
    """The release holds nothing to tell of this unit and year; the message says what there is."""


def years(release: Release) -> dict[str, str]:
    """Academic years a pack can be of, the newest first: '2026/27' → '2026/27 to week 9'."""
    periods = release.periods
    found: dict[str, str] = {}
    for _, period in periods.sort_values("ordering").iterrows():
        year = str(period["academic_year"])
        whole = (year, "year") in periods.index
        if period["part"] == "year" or (period["part"] == "to_date" and not whole):
            found[year] = str(period["label"])
    return found


def _once(read: Callable[[Reading, pd.Series], T]) -> Callable[[Reading, pd.Series], T]:
    """A reading of one measure, kept, since a pack tells the same figures in several places. Not to be changed."""

    @wraps(read)
    def get(reading: Reading, metric: pd.Series) -> T:
        key = (read.__name__, str(metric["metric"]))
        if key not in reading.memory:
            reading.memory[key] = read(reading, metric)
        return cast(T, reading.memory[key])

    return get


@dataclass(frozen=True)
class Reading:
    """One unit's figures of one year."""

    release: Release
    unit: str
    year: str
    memory: dict[tuple[str, str], object] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def period(self) -> pd.Series:
        """The year as published: the whole of it, or up to the week it has reached.

        Raises NothingToTellError where the release has no such year.
        """
        offered = years(self.release)
        if self.year not in offered:
            raise NothingToTellError(f"This release has no year {self.year}; it has {words.listed(list(offered))}.")
        periods = self.release.periods
        key = (self.year, "year")
        return periods.loc[key if key in periods.index else (self.year, "to_date")]

    @property
    def in_progress(self) -> bool:
        """Whether the year is not over yet."""
        return bool(self.period["part"] == "to_date")

    @property
    def is_university(self) -> bool:
        return self.unit == UNIVERSITY

    @property
    def is_school(self) -> bool:
        return self.unit.startswith("school:")

    @property
    def name(self) -> str:
        """What the unit is called."""
        return str(self.release.units.loc[self.unit, "name"])

    @property
    def level(self) -> str:
        """All levels, as the release calls them."""
        return str(self.release.levels.loc[EVERY_LEVEL, "label"])

    def measures(self, theme: str = "", headline: bool = False) -> list[pd.Series]:
        """Available measures that have a figure of the university in this year or before, in reading order."""
        rows = self.release.metrics
        rows = rows[rows["available"].astype(bool)]
        rows = rows[rows["theme"] == theme] if theme else rows
        rows = rows[rows["headline"].astype(bool)] if headline else rows
        return [metric for _, metric in rows.iterrows() if self.when(str(metric["metric"])) is not None]

    @cached_property
    def _periods(self) -> dict[str, pd.Series]:
        """Measure → the pack's year where the university has a figure then, else the latest whole one before."""
        cells = self.release.cells(level=EVERY_LEVEL, unit=UNIVERSITY, characteristic="all")
        cells = cells[(cells["status"] == "shown") & (cells["academic_year"] <= self.year)]
        now, periods = self.period.name, self.release.periods
        found: dict[str, pd.Series] = {}
        for metric, rows in cells.groupby("metric"):
            have = set(zip(rows["academic_year"], rows["part"], strict=True))
            whole = sorted(key for key in have if key[1] == "year" and key in periods.index)
            if now in have or whole:
                found[str(metric)] = self.period if now in have else periods.loc[whole[-1]]
        return found

    def measure(self, metric: str) -> pd.Series | None:
        """A measure by its code; None where it is not available or not told of in this year or before."""
        rows = self.release.metrics
        if metric not in rows.index or not rows.loc[metric, "available"] or self.when(metric) is None:
            return None
        return rows.loc[metric]

    def when(self, metric: str) -> pd.Series | None:
        """The period a measure is told of; None where the university has no figure this year or before."""
        return self._periods.get(metric)

    def _when(self, metric: str) -> pd.Series:
        return self._periods.get(metric, self.period)

    def label(self, metric: pd.Series) -> str:
        """The period of a measure in words."""
        return str(self._when(str(metric["metric"]))["label"])

    @_once
    def everyone(self, metric: pd.Series) -> pd.DataFrame:
        """Cells of everyone together, in every unit seen."""
        return self.release.everyone(str(metric["metric"]), EVERY_LEVEL, self._when(str(metric["metric"])))

    @_once
    def compare(self, metric: pd.Series) -> Comparison:
        """Schools seen, set against the university; beside a single school its faculty."""
        when = self._when(str(metric["metric"]))
        found = compared.compare(self.release, metric, when, EVERY_LEVEL)
        return compared.with_faculty(self.release, found, EVERY_LEVEL, when) if self.is_school else found

    @_once
    def own(self, metric: pd.Series) -> standing.Row:
        """The unit's own cell."""
        return standing.figure(self.everyone(metric), self.unit)

    @_once
    def change(self, metric: pd.Series) -> tuple[Change | None, str]:
        """How the unit's value moved since the year before, and what that period is called."""
        before = period_before(self.release, self._when(str(metric["metric"])))
        if before is None:
            return None, "the year before"
        cells = self.release.everyone(str(metric["metric"]), EVERY_LEVEL, before)
        return consistency.change(self.own(metric), standing.figure(cells, self.unit)), str(before["label"])

    def groups(self, metric: pd.Series, characteristic: str) -> pd.DataFrame:
        """The unit's cells of one characteristic's groups."""
        return self.release.cells(**self._at(metric), unit=self.unit, characteristic=characteristic)

    @_once
    def gaps(self, metric: pd.Series) -> pd.DataFrame:
        """The unit's gaps against reference groups."""
        return self.release.gaps(**self._at(metric), unit=self.unit)

    def _at(self, metric: pd.Series) -> dict[str, str]:
        when = self._when(str(metric["metric"]))
        return {
            "metric": str(metric["metric"]),
            "level": EVERY_LEVEL,
            "academic_year": str(when["academic_year"]),
            "part": str(when["part"]),
        }

    def band(self, metric: pd.Series) -> standing.Band | None:
        """How all schools spread, none of them named, where the viewer sees some of them only."""
        if self.is_university:
            return None
        return standing.band(self.release.band(str(metric["metric"]), EVERY_LEVEL, self._when(str(metric["metric"]))))

    @cached_property
    def incomplete(self) -> dict[str, float]:
        """Schools seen whose record of meetings looks incomplete, with the share on record."""
        metrics = self.release.metrics
        if RECORD_CHECK not in metrics.index or self.when(RECORD_CHECK) is None:
            return {}
        return consistency.incomplete_records(self.everyone(metrics.loc[RECORD_CHECK]))

    def sentence(self, kind: str, metric: str, characteristic: Any = None, group: Any = None) -> str:
        """The release's own sentence about exactly this finding of this unit and year, or nothing."""
        found = self.release.findings(self.unit)
        if found.empty:
            return ""
        same = found[
            (found["kind"] == kind)
            & (found["metric"] == metric)
            & (found["academic_year"] == self.year)
            & (found["part"] == self.period["part"])
        ]
        if characteristic:
            same = same[(same["characteristic"] == characteristic) & (same["group"] == group)]
        return str(same["sentence"].iloc[0]) if len(same) else ""
