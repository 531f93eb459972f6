"""Splits: how the answers behind a share divide, shown only where no hidden one could be worked out from those shown.

A split tells more than the share it belongs to, so it asks for more. A family is the groups of one characteristic in
one unit: it is shown whole or not at all, so that no group can be taken from the others. Units below the same unit are
shown all or none, and none where that unit is not: nothing is left over to be one unit's alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from pipelines.measures import sets

STATEMENT = ["academic_year", "part", "metric"]
FAMILY = [*STATEMENT, "characteristic", "unit"]
TOP = ""  # what the university belongs to


def shown(
    counts: pd.DataFrame,
    answers: Sequence[str],
    allowed: np.ndarray,
    parents: Mapping[str, str],
    within: Mapping[str, str],
    smallest: int,
) -> np.ndarray:
    """Which rows may show how many gave each of `answers`.

    counts: FAMILY, group and `answers`. allowed: rows whose share is shown. parents: unit → the unit it is part of.
    within: characteristic → the one whose groups its own add up to (everyone, or a broader one), which must be shown
    for it to be. smallest: how many must have given each answer, in each group.
    """
    enough = allowed & (counts[list(answers)] >= smallest).all(axis=1).to_numpy(bool)
    of = sets.number(counts, FAMILY)
    families = counts[FAMILY].take(of.first).reset_index(drop=True).astype(dict.fromkeys(FAMILY, object))
    families["parent"] = families["unit"].map(parents).fillna(TOP)
    families["within"] = families["characteristic"].map(within).fillna("")
    ok = of.sum(~enough) == 0
    siblings = sets.number(families, [*STATEMENT, "characteristic", "parent"])
    above = _row(families, {"unit": "parent"})
    wider = _row(families, {"characteristic": "within"})
    alone = siblings.size[siblings.of] == 1  # an only part is the same as the whole
    while True:
        still = ok & (siblings.sum(~ok) == 0)[siblings.of] & _of(ok, above) & _of(ok, wider)
        still[above[alone & ~still & (above >= 0)]] = False
        if (still == ok).all():
            return ok[of.of]
        ok = still


def _row(families: pd.DataFrame, other: Mapping[str, str]) -> np.ndarray:
    """For each family the row of another, whose keys are in other columns; −1 where it has none."""
    wanted = families[[other.get(key, key) for key in FAMILY]].set_axis(FAMILY, axis=1)
    return sets.find(wanted, families[FAMILY], FAMILY)


def _of(ok: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Whether the family in that row is shown; true where there is none."""
    return np.where(row < 0, True, ok[row])
