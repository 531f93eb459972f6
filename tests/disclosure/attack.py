"""What can be worked out from the shown cells of a small table, by whole numbers: for tests, and slow."""

from __future__ import annotations

import itertools

import numpy as np
from scipy import optimize, sparse

from pipelines.disclosure.secondary import Counts, Widths


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

    layer: which count; None for all layers together, which is the base. Empty cells are known to be, others to hold
    `least` or more.
    """
    layers, cells = counts.count.shape
    true, base = counts.count.ravel(), counts.count.sum(axis=0)
    seen = np.tile(~hidden | ~counts.there, layers)
    bounds = optimize.Bounds(np.where(seen, true, 0), np.where(seen, true, true + FAR))
    together = sparse.hstack([sparse.eye(cells)] * layers)
    least = np.where(counts.known, base, np.minimum(counts.least, base))
    rules = [
        optimize.LinearConstraint(sparse.block_diag([sums] * layers), 0, 0),
        optimize.LinearConstraint(together, np.where(counts.there, least, 0), base + counts.most),
    ]
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


def safe(cell: int, counts: Counts, hidden: np.ndarray, sums: sparse.csr_matrix, widths: Widths) -> bool:
    """Whether a hidden cell keeps what it is promised, to a member of it too, who knows of one person: themself.

    One of its counts ranges over `base`, or both margins over `margin` where the base is no small one or known; and of
    what is private no count is known.
    """
    layers = range(len(counts.count))
    parts: list[tuple[float, float]] = []
    for layer in layers:
        parts.append(range_of(cell, layer, counts, hidden, sums))
        if not counts.private and _width(*parts[-1]) >= widths.base:
            return True
    if counts.private and any(low == high for low, high in parts):
        return False
    if not counts.wide or max(_width(*part) for part in parts) >= widths.base:
        return True
    if len(layers) == 1:
        return False
    margins = min(_width(*part) for part in parts) >= widths.margin
    if counts.known[cell]:
        return margins
    whole = range_of(cell, None, counts, hidden, sums)
    return _width(*whole) >= widths.base or (margins and whole[0] >= widths.smallest)


def _width(low: float, high: float) -> float:
    return high - max(low, 1)
