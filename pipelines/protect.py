"""Protect: hide what would say too much, judge the gaps that may be shown, and round everything else.

This version applies the primary rules only. Hidden cells can still be worked out by subtraction, so
a release is graded 'internal': for people who may see the students' records anyway.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.definitions import Definitions
from pipelines.disclosure import rules
from pipelines.measure import Measured
from pipelines.measures import gaps as gap_measures
from pipelines.settings import Settings

CELL_KEY = ["academic_year", "part", "level", "unit", "metric", "characteristic", "group"]
CELL_COLUMNS = [*CELL_KEY, "base", "value", "lower", "upper", "status"]
GAP_COLUMNS = [
    *CELL_KEY, "reference", "base", "reference_base", "value", "lower", "upper",
    "p_adjusted", "evidence", "direction", "status",
]  # fmt: skip


@dataclass(frozen=True)
class Protected:
    """Cells and gaps as they may be published (columns as in docs/data-contract.md)."""

    cells: pd.DataFrame
    gaps: pd.DataFrame

    @property
    def hidden(self) -> int:
        return int((self.cells["status"] == rules.SUPPRESSED).sum())


def protect(measured: Measured, definitions: Definitions, settings: Settings) -> Protected:
    """Suppress and round. Nothing exact leaves this function."""
    hidden = _hidden(measured.cells, definitions, settings)
    return Protected(
        cells=_safe_cells(measured.cells, hidden, definitions, settings),
        gaps=_safe_gaps(measured.gaps, measured.cells[hidden], definitions, settings),
    )


def _hidden(cells: pd.DataFrame, definitions: Definitions, settings: Settings) -> pd.Series:
    metrics = definitions.metrics.values()
    limits = settings.rules.model_dump(exclude={"round_bases_to"})
    return rules.primary(
        cells,
        percentage=frozenset(m.name for m in metrics if m.is_percentage),
        private=frozenset(m.name for m in metrics if m.private),
        voice=frozenset(m.name for m in metrics if m.grain == "response"),
        counts_respondents=frozenset(m.name for m in metrics if m.counts_respondents),
        **limits,
    )


def _rounded(frame: pd.DataFrame, hidden: pd.Series, definitions: Definitions) -> pd.DataFrame:
    """value, lower and upper in the units readers see, rounded; NaN where hidden."""
    metric = frame["metric"]
    scale = metric.map({m.name: m.scale for m in definitions.metrics.values()})
    decimals = metric.map({m.name: m.decimals for m in definitions.metrics.values()})
    lower, upper = rules.outwards(frame["lower"] * scale, frame["upper"] * scale, decimals)
    rounded = pd.DataFrame(
        {"value": rules.half_up(frame["value"] * scale, decimals) + 0.0, "lower": lower, "upper": upper},
        index=frame.index,
    )
    return rounded.mask(hidden)


def _bases(counts: pd.Series, hidden: pd.Series, settings: Settings) -> pd.Series:
    rounded = pd.Series(rules.to_nearest(counts, settings.rules.round_bases_to), index=counts.index)
    return rounded.mask(hidden).astype("Int64")


def _safe_cells(cells: pd.DataFrame, hidden: pd.Series, definitions: Definitions, settings: Settings) -> pd.DataFrame:
    safe = cells[CELL_KEY].assign(base=_bases(cells["n"], hidden, settings), **_rounded(cells, hidden, definitions))
    safe["status"] = np.where(hidden, rules.SUPPRESSED, rules.SHOWN)
    return safe[CELL_COLUMNS]


def _safe_gaps(
    gaps: pd.DataFrame, hidden_cells: pd.DataFrame, definitions: Definitions, settings: Settings
) -> pd.DataFrame:
    """A gap is shown where both its groups are. The evidence is judged on exact figures, among shown gaps only."""
    metrics = definitions.metrics.values()
    taken = pd.MultiIndex.from_frame(hidden_cells[CELL_KEY])
    group = pd.MultiIndex.from_frame(gaps[CELL_KEY])
    reference = pd.MultiIndex.from_frame(gaps[[*CELL_KEY[:-1], "reference"]])
    hidden = pd.Series(group.isin(taken) | reference.isin(taken), index=gaps.index)

    judged = gaps.assign(p=gaps["p"].mask(hidden))
    judged["p_adjusted"] = gap_measures.adjusted(judged["p"], [judged[c] for c in gap_measures.FAMILY])
    material = pd.Series({m.name: m.material / m.scale for m in metrics})
    # an interval that reaches further than several material gaps says too little either way
    too_wide = material * settings.too_wide
    judged["evidence"] = gap_measures.evidence(judged, material, too_wide)
    judged["direction"] = gap_measures.direction(judged, pd.Series({m.name: m.better for m in metrics}, dtype=object))
    safe = judged[[*CELL_KEY, "reference", "evidence", "direction"]].assign(
        base=_bases(gaps["n"], hidden, settings),
        reference_base=_bases(gaps["reference_n"], hidden, settings),
        p_adjusted=rules.half_up(judged["p_adjusted"], 3),
        status=np.where(hidden, rules.SUPPRESSED, rules.SHOWN),
        **_rounded(gaps, hidden, definitions),
    )
    return safe[GAP_COLUMNS]
