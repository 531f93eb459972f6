"""Measure: how large and how certain each value and gap is. Files and databases stay outside."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from pipelines.definitions import UNKNOWN, Definitions
from pipelines.measures import gaps as gap_measures
from pipelines.measures.intervals import with_intervals

EVERYONE = "all"


@dataclass(frozen=True)
class Measured:
    """Cells with intervals, and gaps; both exact, in natural units, and not yet safe to publish."""

    cells: pd.DataFrame
    gaps: pd.DataFrame


def measure(cells: pd.DataFrame, definitions: Definitions) -> Measured:
    """Values with intervals for all `cells`, and the gaps between their groups."""
    metrics = definitions.metrics.values()
    kinds = pd.Series({m.name: m.kind for m in metrics})
    valued = with_intervals(cells, kinds, frozenset(m.name for m in metrics if m.part_of_whole))
    references = pd.Series({c.name: c.reference for c in definitions.characteristics.values()}, dtype=object)
    gaps = gap_measures.against_reference(valued[valued["group"] != UNKNOWN], kinds, references)
    return Measured(valued, gaps)
