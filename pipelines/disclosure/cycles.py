"""Cycles: small changes to inner counts that leave everything shown as it is.

One count up and one down in each of two rows and two columns of a table keeps all its sums (the basic moves of Diaconis
and Sturmfels 1998). From one set of counts that agrees with all that is shown, cycles lead at once to many others,
where a linear program finds one at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy import sparse

from pipelines.disclosure.search import HAVE, LACK, N

UP = np.array([[1], [-1], [-1], [1]])  # the corners of a cycle
RISES, FALLS = [0, 3], [1, 2]
KINDS = (  # the change of those who only have, who only lack and who do both; the counts that it changes
    ((1, 0, 0), (N, HAVE)),
    ((0, 1, 0), (N, LACK)),
    ((1, -1, 0), (HAVE, LACK)),
    ((0, 0, 1), (N, HAVE, LACK)),
)


class Moves(NamedTuple):
    """Moves as entries of a matrix of counts × moves."""

    values: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    number: int


def cycles(inner: np.ndarray, known: np.ndarray, incidences: Sequence[np.ndarray], furthest: int) -> sparse.csc_array:
    """Moves of the inner counts, one a column, each as far as the counts allow and no further than `furthest`.

    inner: kinds (who only has, only lacks, does both) × inner positions of each axis. known: N, HAVE, LACK × positions
    of each axis: what may not change. incidences: of each axis, positions × inner positions. Of every two inner cells
    that can move, the longest moves up and down of each kind are given.
    """
    found = [
        moves
        for pair in combinations([i for i, of in enumerate(incidences) if of.shape[1] > 1], 2)
        for moves in _in_two(inner, known, incidences, pair, furthest)
    ]
    if not found:
        return sparse.csc_array((inner.size, 0))
    values, rows, columns, numbers = zip(*found, strict=True)
    before = np.cumsum([0, *numbers])
    column = np.concatenate([own + first for own, first in zip(columns, before[:-1], strict=True)])
    return sparse.csc_array(
        (np.concatenate(values), (np.concatenate(rows), column)), shape=(inner.size, int(before[-1]))
    )


def _in_two(
    inner: np.ndarray, known: np.ndarray, incidences: Sequence[np.ndarray], pair: tuple[int, int], furthest: int
) -> Iterator[Moves]:
    """Cycles over two axes; where the rest allows several, they move together."""
    rest = [i for i in range(len(incidences)) if i not in pair]
    order = [*pair, *rest]
    inner_cells = np.arange(inner[0].size).reshape(inner.shape[1:]).transpose(order)
    number = inner_cells.reshape(*inner_cells.shape[:2], -1)  # one axis × the other × inner positions of the rest
    of_rest: np.ndarray = np.ones((1, 1), bool)
    for i in rest:
        of_rest = np.kron(of_rest, incidences[i] > 0)
    told = known.transpose(0, *(i + 1 for i in order))
    told = told.reshape(*told.shape[:3], -1).astype(np.float32) @ of_rest.astype(np.float32)
    (one, other), (a, b) = zip(*(_pairs(incidences[i]) for i in pair), strict=True)
    stuck = [  # of each count: pairs × pairs × rest, where something shown would change
        np.stack([a @ (q[..., r] > 0) @ b.T for r in range(told.shape[-1])], axis=-1) > 0 for q in told
    ]
    steps = number[0, 0] - number[0, 0, 0]
    for kinds, quantities in KINDS:
        change = np.array(kinds[: len(inner)])
        first, second, position = np.nonzero(~np.any([stuck[q] for q in quantities], axis=0))
        if not change.any() or not len(first):
            continue
        corners = np.stack([number[x, y, 0] for x in one[first].T for y in other[second].T])
        counts = inner.reshape(len(inner), -1)[:, corners + steps[position]]
        for signed in (change, -change):
            falls = [counts[kind][FALLS if signed[kind] > 0 else RISES] for kind in np.flatnonzero(signed)]
            room = np.concatenate(falls).min(axis=0)
            if (some := room > 0).any():
                cycle = first[some] * len(b) + second[some]
                yield _longest(
                    room[some], corners[:, some], cycle, position[some], signed, steps, inner[0].size, furthest
                )


def _pairs(incidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every two inner positions of an axis, and of each pair the positions that are sums of one of them alone."""
    first, second = np.triu_indices(incidence.shape[1], 1)
    return np.stack([first, second], axis=1), (incidence[:, first] != incidence[:, second]).T.astype(np.float32)


def _longest(
    room: np.ndarray, corners: np.ndarray, cycle: np.ndarray, position: np.ndarray, change: np.ndarray,
    steps: np.ndarray, size: int, furthest: int,
) -> Moves:  # fmt: skip
    """The cycles that go furthest for some inner cell, each over all of the rest.

    room: how far each goes at one position of the rest. corners: 4 × cycles, the numbers of its inner cells at the
    first position of the rest. cycle: which it is. change: of each kind, at the corners that rise. steps: what to add
    to a number for each position of the rest. size: inner cells.
    """
    start = np.flatnonzero(np.diff(cycle, prepend=-1))
    of = np.cumsum(np.diff(cycle, prepend=-1) != 0) - 1
    before = np.cumsum(room) - room
    by = np.clip(furthest - (before - before[start][of]), 0, room)  # one position after the other, until far enough
    whole = np.add.reduceat(by, start)
    ends = 2 * corners[:, start] + (UP > 0)  # each inner cell, up or down
    best = np.argsort(-np.tile(whole, 4), kind="stable")
    chosen = np.unique(best[np.unique(ends.ravel()[best], return_index=True)[1]] % len(start))
    column = np.full(len(start), -1)
    column[chosen] = np.arange(len(chosen))
    own = (column[of] >= 0) & (by > 0)
    kinds = np.flatnonzero(change)
    rows = (kinds[:, None, None] * size + corners[:, own] + steps[position[own]]).ravel()
    values = (change[kinds, None, None] * UP * by[own]).ravel()
    columns = np.tile(column[of[own]], 4 * len(kinds))
    return Moves(values, rows, columns, len(chosen))
