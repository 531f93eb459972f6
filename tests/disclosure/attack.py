"""What can be worked out from the shown cells of a small table, by whole numbers: for tests, and slow."""

from __future__ import annotations

import itertools

import numpy as np
from scipy import optimize, sparse

from pipelines.disclosure.secondary import Counts


def crossed(*sizes: int) -> tuple[list[tuple[str, ...]], sparse.csr_matrix]:
    """Names and sums of a table of two sides or more, with a total called `all` on each."""
    sides = [[*map(str, range(size)), "all"] for size in sizes]
    names = list(itertools.product(*sides))
    lines = []
    for way, side in enumerate(sides):
        for name in names:
            if name[way] == "all":
                lines.append([name, *((*name[:way], part, *name[way + 1 :]) for part in side[:-1])])
    return names, tied(names, lines)


def tied(names: list, lines: list[list]) -> sparse.csr_matrix:
    """The sums of a table: each line a total and then its parts."""
    sums = np.zeros((len(lines), len(names)))
    for row, (total, *parts) in zip(sums, lines, strict=True):
        row[names.index(total)] = 1
        row[[names.index(part) for part in parts]] = -1
    return sparse.csr_matrix(sums)


FAR = 1_000.0  # as good as endless, beside counts of tens


def range_of(
    cell: int, layer: int | None, counts: Counts, hidden: np.ndarray, sums: sparse.csr_matrix
) -> tuple[float, float]:
    """Lowest and highest whole number that a hidden count may be, to somebody who sees all that is shown.

    layer: which count; None for all layers together, which is the base.
    """
    layers, cells = counts.spare.shape
    true = counts.spare.ravel()
    seen = np.tile(~hidden, layers)
    bounds = optimize.Bounds(np.where(seen, true, 0), np.where(seen, true, true + FAR))
    rules = [optimize.LinearConstraint(sparse.block_diag([sums] * layers), 0, 0)]
    base = counts.spare.sum(axis=0)
    if np.isfinite(counts.most).any():
        together = sparse.hstack([sparse.eye(cells)] * layers)
        least = np.where(counts.known, base, -np.inf)
        rules.append(optimize.LinearConstraint(together, least, base + counts.most))
    goal = np.zeros((layers, cells))
    goal[slice(None) if layer is None else layer, cell] = 1
    ends = []
    for sign in (1, -1):
        found = optimize.milp(
            sign * goal.ravel(), constraints=rules, bounds=bounds, integrality=np.ones(layers * cells)
        )
        assert found.success, "what is true fits what is shown"
        ends.append(sign * found.fun)
    return ends[0], ends[1]


def widest(cell: int, counts: Counts, hidden: np.ndarray, sums: sparse.csr_matrix) -> float:
    """How wide the range of a hidden cell is: of its base or of one of its layers, whichever is known the least."""
    which = [None, *range(len(counts.spare))] if len(counts.spare) > 1 else [0]
    ranges = (range_of(cell, layer, counts, hidden, sums) for layer in which)
    return max(high - low for low, high in ranges)
