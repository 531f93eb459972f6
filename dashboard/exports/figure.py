"""What a figure of a pack is: a chart, and everything that stands for it where it cannot be seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from dashboard.charts.chart import Chart
from dashboard.style.theme import Theme

DOUBT = "†"
MANY = 16  # rows


@dataclass(frozen=True)
class Mark:
    """One row of a chart: what it is called, where it lies, and how it is to be seen."""

    label: str
    value: float | None
    lower: float | None = None
    upper: float | None = None
    verdict: str = "context"  # well, attention or context; of strips also university, own
    series: str = ""  # of a chart of strips: which strip
    why: str = ""  # there is no figure
    glyph: str = ""  # what its colour says, for those who see none
    doubted: bool = False  # a record that looks incomplete

    @property
    def told(self) -> str:
        """The label with its marks; for a row without a figure, with the word for why."""
        label = f"{self.label} {DOUBT}" if self.doubted else self.label
        return f"{label} ({self.why})" if self.why else f"{label} {self.glyph}".rstrip()

    @property
    def told_in_short(self) -> str:
        """The same on one line among many: '(hidden)' for 'hidden to protect people'."""
        return replace(self, why=self.why.partition(" to ")[0]).told


@dataclass(frozen=True)
class Figure:
    """One chart and everything that stands for it where it cannot be seen."""

    key: str
    kind: str  # strips, rows or gaps
    title: str
    subtitle: str
    alt: str
    table: pd.DataFrame
    numbers: pd.DataFrame
    draw: Callable[[Theme], Chart]
    marks: tuple[Mark, ...]
    metric: Mapping[Any, Any]
    numeric: tuple[str, ...] = ()
    legend: tuple[tuple[str, str, str], ...] = ()  # verdict, glyph, words
    note: str = ""
    bars: str = ""  # what bars and the lines on them are, where a slide has bars and they are no 95% intervals
    reference: tuple[float, str] | None = None
    band: tuple[float, float] | None = None
    bands: Mapping[str, tuple[float, float]] = field(default_factory=dict)  # of a chart of strips
