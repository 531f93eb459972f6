"""Secondary suppression: which further cells to hide, so that hidden ones cannot be worked out from shown ones.

A table is a list of cells tied by sums (a faculty is its schools, all levels are the levels, everybody is the
groups). A *move* changes the counts of hidden cells only and keeps every sum: whoever sees the shown cells cannot
tell the true counts from the moved ones. Empty cells are not listed, so that they do not move. A hidden cell is safe
when moves take it up and down over a range that is wide enough. Where the cells already hidden do not allow it, a
small linear program finds the move that needs the cheapest further cells (after Fischetti & Salazar, 2000; solved one
cell at a time, largest first). Every move kept is a witness: that the pattern is safe can be checked by arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import highspy
import numpy as np
from highspy._core import _Highs  # highspy.Highs says who made it, on standard output
from scipy import sparse

FREE = 1e-3  # cost of moving a cell that is hidden anyway: few cells first
SMALL = 1e-6
FAR = 1e6
FEW = 4
MOST_KEPT = 100  # moves handed on to the next pattern


@dataclass(frozen=True)
class Widths:
    """How wide the ranges of hidden counts must be: one of a cell's counts `base`, or, where it is plain that the base
    is `smallest` or more, both those who have and those who lack what is measured `margin`.
    """

    smallest: int
    base: int
    margin: int


@dataclass(frozen=True)
class Counts:
    """Counts of one table: layers × cells.

    count: one layer: the base; two: those who have what is measured and those who lack it. most: how much higher the
    base may be, where it is bounded from elsewhere (infinite where it is not). known: the base is known exactly.
    least: how large the base is known to be; 1 where nothing tells, as empty cells are not listed. Cells that are
    empty are known to be: `there` is where anybody is. private: that all have it, or none, may not be known either.
    wide: the ranges must be wide; else it is enough that no count is known.
    """

    count: np.ndarray
    most: np.ndarray
    known: np.ndarray
    least: np.ndarray
    there: np.ndarray
    private: bool = False
    wide: bool = True

    @staticmethod
    def of_base(base: np.ndarray, least: np.ndarray | None = None, most: np.ndarray | None = None) -> Counts:
        """One layer, about which nothing else is known but how large it is at least and at most."""
        least, most = (np.full(len(base), by) if of is None else of for by, of in ((1.0, least), (np.inf, most)))
        return Counts(base[None], most, np.zeros(len(base), bool), np.maximum(least, 1), base > 0)

    @staticmethod
    def of_part(part: np.ndarray, other: np.ndarray, base: np.ndarray) -> Counts:
        """One layer: those of a base who have what is measured, where some may both have and lack it."""
        least = np.maximum(base - other, 0)
        return Counts(part[None], base - part, np.zeros(len(base), bool), least, base > 0, private=True, wide=False)

    def at(self, cells: np.ndarray) -> Counts:
        """Of some of the cells."""
        own = {name: getattr(self, name)[cells] for name in ("most", "known", "least", "there")}
        return replace(self, count=self.count[:, cells], **own)

    @cached_property
    def spare(self) -> np.ndarray:
        """How far each count may go down; of two layers the larger keeps what the base has at least."""
        kept = np.zeros_like(self.count)
        kept[self.count.argmax(axis=0), np.arange(self.count.shape[1])] = np.where(self.known, 0, self.least)
        return np.maximum(self.count - kept, 0)


@dataclass(frozen=True)
class Pattern:
    """What is hidden in a table, moves that show it to be safe (moves × cells), and cells that nothing protects."""

    hidden: np.ndarray
    moves: np.ndarray
    unsafe: np.ndarray


class Moves:
    """The linear program of the moves of one table's counts."""

    def __init__(self, counts: Counts, sums: sparse.csr_matrix, fixed: np.ndarray) -> None:
        layers, cells = counts.count.shape
        fixed = fixed | ~counts.there
        self.shape, self.size = (layers, cells), layers * cells
        tied = np.flatnonzero(np.isfinite(counts.most) & ~fixed)
        matrix, rows = _matrix(sums, counts.there, tied, layers)
        least = np.r_[np.zeros(rows), np.where(counts.known, 0, -np.inf)[tied]]
        most = np.r_[np.zeros(rows), counts.most[tied]]
        self.room = np.r_[np.full(self.size, FAR), counts.spare.ravel()]
        self.room[np.tile(fixed, 2 * layers)] = 0
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = matrix.shape[1], matrix.shape[0]
        program.col_cost_, program.col_lower_ = np.zeros(2 * self.size), np.zeros(2 * self.size)
        program.col_upper_, program.row_lower_, program.row_upper_ = self.room, least, most
        program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        program.a_matrix_.start_, program.a_matrix_.index_ = matrix.indptr, matrix.indices
        program.a_matrix_.value_ = matrix.data
        self.solver = _Highs()
        self.solver.setOptionValue("output_flag", False)
        self.solver.setOptionValue("threads", 1)
        self.solver.setOptionValue("presolve", "off")
        self.solver.passModel(program)
        self.solver.run()
        self._no_move = self.solver.getBasis()  # each solve starts there, as most moves are of few cells
        self.columns, self._bounds = np.arange(2 * self.size, dtype=np.int32), self.room

    def price(self, cost: np.ndarray) -> None:
        """What moving each cell costs, in every layer."""
        self.solver.changeColsCost(len(self.columns), self.columns, np.tile(cost, 2 * self.shape[0]))

    def furthest(self, hidden: np.ndarray, goal: np.ndarray, limit: float) -> np.ndarray | None:
        """The move of hidden cells alone that goes furthest towards `goal` (layers × cells), none beyond `limit`."""
        can = np.tile(hidden, 2 * self.shape[0])
        self._bound(np.where(can, np.minimum(self.room, limit), 0))
        towards = np.concatenate([-goal.ravel(), goal.ravel()]) + FREE
        self.solver.changeColsCost(len(self.columns), self.columns, towards)
        move = self._solved()
        return move

    def _bound(self, room: np.ndarray) -> None:
        if not np.array_equal(room, self._bounds):
            self.solver.changeColsBounds(len(self.columns), self.columns, np.zeros(len(room)), room)
            self._bounds = room

    def _solved(self) -> np.ndarray | None:
        self.solver.setBasis(self._no_move)
        self.solver.run()
        if self.solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        there = np.asarray(self.solver.getSolution().col_value)
        move = (there[: self.size] - there[self.size :]).reshape(self.shape)
        move[np.abs(move) < SMALL] = 0
        return move

    def cheapest(self, layer: int, cell: int, by: float) -> np.ndarray | None:
        """The cheapest move that takes one count up or down by so much: layers × cells. None where there is none."""
        up, down = layer * self.shape[1] + cell, self.size + layer * self.shape[1] + cell
        this, other = (up, down) if by > 0 else (down, up)
        if abs(by) > self.room[this]:
            return None
        self._bound(self.room)
        self.solver.changeColBounds(this, abs(by), abs(by))
        self.solver.changeColBounds(other, 0, 0)
        move = self._solved()
        for each in (this, other):
            self.solver.changeColBounds(each, 0, self.room[each])
        return move


def _matrix(sums: sparse.csr_matrix, there: np.ndarray, tied: np.ndarray, layers: int) -> tuple[sparse.csc_matrix, int]:
    """Sums of the counts of each layer, then bases of the cells that are tied, over what goes up and what goes down;
    and how many sums there are. Of parts that are not listed at all nothing adds up.
    """
    entries = sums.tocoo()
    held = np.bincount(entries.row, (entries.data < 0) & there[entries.col], sums.shape[0]) > 0
    number, own = np.cumsum(held) - 1, held[entries.row]
    count, cells = int(held.sum()), sums.shape[1]
    row, column = number[entries.row[own]], entries.col[own]
    rows = [row + layer * count for layer in range(layers)] + [layers * count + np.arange(len(tied))] * layers
    columns = [column + layer * cells for layer in range(layers)] + [tied + layer * cells for layer in range(layers)]
    values = np.r_[np.tile(entries.data[own], layers), np.ones(layers * len(tied))]
    at = np.concatenate(rows), np.concatenate(columns)
    up = sparse.csc_matrix((values, at), shape=(layers * count + len(tied), layers * cells))
    both = np.r_[up.data, -up.data], np.tile(up.indices, 2), np.r_[up.indptr, up.indptr[1:] + up.nnz]
    return sparse.csc_matrix(both, shape=(up.shape[0], 2 * up.shape[1])), layers * count


@dataclass
class Reach:
    """How far the moves known so far take each count, and all layers of a cell together (the last row)."""

    counts: Counts
    widths: Widths
    wanted: np.ndarray  # cells that must be safe where they are hidden
    count: np.ndarray = field(init=False)
    low: np.ndarray = field(init=False)
    high: np.ndarray = field(init=False)
    moves: list[np.ndarray] = field(default_factory=list)
    _lacking: tuple[np.ndarray, np.ndarray] | None = None  # narrow cells, exact layers of cells; None: to be found

    def __post_init__(self) -> None:
        count = self.counts.count
        self.count = np.concatenate([count, count.sum(axis=0, keepdims=True)])
        self.low, self.high = np.zeros_like(self.count), np.zeros_like(self.count)
        plain = self.counts.known | (self.count[-1] >= self.widths.smallest + self.widths.base)
        self._plain = plain & (
            len(count) > 1
        )  # whatever the base is taken for, it is no small one, or the range is wide
        self._wanted = self.wanted & self.counts.there

    def add(self, moves: np.ndarray) -> None:
        """Count in moves (moves × layers × cells)."""
        if len(moves):
            both = np.concatenate([moves, moves.sum(axis=1, keepdims=True)], axis=1)
            np.minimum(self.low, both.min(axis=0), out=self.low)
            np.maximum(self.high, both.max(axis=0), out=self.high)
            self.moves.append(moves)
            self._lacking = None

    def lacking(self) -> np.ndarray:
        """Cells that are not safe yet. Somebody in a cell knows of themself, so that a range begins at 1."""
        narrow, exact = self._unsafe()
        return np.asarray(narrow | exact.any(axis=0))

    def goal(self, cell: int) -> tuple[int, float, float]:
        """Of a cell that is not safe yet: the layer to be widened, how far, and where its range begins at the least."""
        narrow, exact = self._unsafe()
        if not narrow[cell]:
            return int(exact[:, cell].argmax()), 1.0, 0.0
        counts = self.counts.count[:, cell]
        if self.counts.known[cell]:
            return int(counts.argmin()), float(self.widths.margin), 1.0
        return int(counts.argmax()), float(self.widths.base), 1.0

    def _unsafe(self) -> tuple[np.ndarray, np.ndarray]:
        """Cells whose ranges are too narrow, and layers of which a private count is known."""
        if self._lacking is None:
            ranges = self.count + self.high - np.maximum(self.count + self.low, 1)
            wide = ranges.max(axis=0) > self.widths.base - SMALL
            wide |= self._plain & (ranges[:-1].min(axis=0) > self.widths.margin - SMALL)
            narrow = ~wide & (self._wanted & self.counts.wide)
            exact = ((self.high - self.low)[:-1] < 1 - SMALL) & (self._wanted & self.counts.private)
            self._lacking = narrow, exact
        return self._lacking


def protect(
    hidden: np.ndarray,
    tables: Sequence[Counts],
    sums: sparse.csr_matrix,
    weight: np.ndarray,
    widths: Widths,
    fixed: np.ndarray,
    tried: np.ndarray | None = None,
    wanted: np.ndarray | None = None,
) -> Pattern:
    """Hide further cells until every hidden one is safe in all the tables, which share one pattern.

    hidden: what is hidden already. sums: each row is parent − Σ parts = 0. weight: what hiding each cell costs.
    fixed: cells that moves must not touch. tried: moves of another pattern, tried first. wanted: cells that must be
    safe where they are hidden; without it all.
    """
    hidden = hidden.copy()
    wanted = ~fixed if wanted is None else wanted & ~fixed
    reaches = [Reach(counts, widths, wanted) for counts in tables]
    programs: list[Moves | None] = [None] * len(tables)
    unsafe = np.zeros((len(tables), len(hidden)), bool)
    if tried is not None:
        for reach in reaches:
            reach.add(_fitting(tried, reach.counts, hidden, widths.base))
    random = np.random.default_rng(len(hidden))  # fixed: the same counts give the same pattern
    unsettled = True
    while unsettled:
        unsettled = False
        for i, reach in enumerate(reaches):
            if (reach.lacking() & hidden).any():
                program = programs[i] = programs[i] or Moves(reach.counts, sums, fixed)
                _wander(program, reach, hidden & ~fixed, random)
            while len(todo := np.flatnonzero(reach.lacking() & hidden & ~unsafe[i])):
                unsettled = len(tables) > 1  # what is hidden now must be safe in the other tables too
                program = programs[i] = programs[i] or Moves(reach.counts, sums, fixed)
                cell = int(todo[reach.counts.count[:, todo].max(axis=0).argmax()])
                program.price(np.where(hidden, FREE, weight))
                goal = reach.goal(cell)
                found = _widening(program, reach, cell, goal, hidden, weight)
                if found is None:
                    unsafe[i, cell] = True
                    continue
                reach.add(found)
                unsafe[i, cell] = reach.lacking()[cell] and reach.goal(cell) == goal
                hidden |= (found != 0).any(axis=(0, 1))
    kept = [moves[:, layer] for reach in reaches for moves in reach.moves for layer in range(moves.shape[1])]
    moves = np.concatenate(kept)[-MOST_KEPT:] if kept else np.zeros((0, len(hidden)))
    unsafe &= np.array([[counts.wide] for counts in tables])
    return Pattern(hidden, moves[(moves != 0).any(axis=1)], np.asarray(unsafe.any(axis=0)))


def _wander(program: Moves, reach: Reach, hidden: np.ndarray, random: np.random.Generator) -> None:
    """Widen what the hidden cells allow, many cells with each move, as long as it helps several."""
    lacking = reach.lacking() & hidden
    while (before := int(lacking.sum())) > FEW:
        goal = np.where(lacking, random.choice((-1.0, 1.0), len(hidden)), 0.0)
        goals = np.stack([goal] + [np.where(reach.counts.known, -goal, goal)] * (program.shape[0] - 1))
        for each in (goals, -goals):
            move = program.furthest(hidden, each, reach.widths.base + 1)
            if move is not None:
                reach.add(move[None])
        lacking = reach.lacking() & hidden
        if before - lacking.sum() < FEW:
            break


def _widening(
    program: Moves, reach: Reach, cell: int, goal: tuple[int, float, float], hidden: np.ndarray, weight: np.ndarray
) -> np.ndarray | None:
    """The cheapest moves, down and up, that together make the cell's range wide enough (moves × layers × cells)."""
    layer, width, begin = goal
    count, spare = reach.counts.count[layer, cell], reach.counts.spare[layer, cell]
    cheapest, least = None, np.inf
    most = max(min(count - begin, spare, width), 0.0)
    to_one_side, to_both = {most, 0.0}, np.arange(most - 1, 0, -1)
    for down in (*sorted(to_one_side, reverse=True), *to_both):
        if cheapest is not None and down not in to_one_side:
            break  # to both only where neither does
        found = []
        for by in (width - count + max(count - down, begin), -down):
            if reach.low[layer, cell] - SMALL / 2 <= by <= reach.high[layer, cell] + SMALL / 2:
                continue
            move = program.cheapest(layer, cell, by)
            if move is None:
                break
            found.append(move)
        else:
            moves = np.array(found).reshape(-1, *program.shape)
            cost = float(weight[(moves != 0).any(axis=(0, 1)) & ~hidden].sum())
            if cost < least - SMALL:
                cheapest, least = moves, cost
            if cost < SMALL:
                break
    return cheapest


def _fitting(moves: np.ndarray, counts: Counts, hidden: np.ndarray, whole: float) -> np.ndarray:
    """Those of the moves of one layer (moves × cells) that a table's counts allow, whole or in part.

    Returns moves × layers × cells. With two layers, one gives what the other takes, or both share a move of the base.
    """
    can = hidden & counts.there
    moves = moves[~(moves[:, ~can] != 0).any(axis=1)][:, can]
    moves, own = np.concatenate([moves, -moves]), counts.at(can)
    if len(own.count) == 1:
        fitting = _in_part(moves[:, None], own, whole)
    else:
        of_base = moves[~(moves[:, own.known] != 0).any(axis=1)]
        made = [np.stack([moves, -moves], axis=1)] if own.known.any() else []
        made += [np.stack([share * of_base, (1 - share) * of_base], axis=1) for share in (1.0, 0.8, 0.6, 0.4, 0.0)]
        fitting = np.concatenate([_in_part(m, own, whole) for m in made])
    everywhere = np.zeros((*fitting.shape[:2], len(can)))
    everywhere[..., can] = fitting
    return everywhere


def _in_part(made: np.ndarray, counts: Counts, whole: float) -> np.ndarray:
    """The moves (moves × layers × cells), each made smaller until the counts allow it; those that are left."""
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.where(made < 0, counts.spare / -made, np.inf).min(axis=(1, 2), initial=np.inf)
        total = made.sum(axis=1)
        room = np.minimum(room, np.where(total > SMALL, counts.most / total, np.inf).min(axis=1, initial=np.inf))
    part = np.floor(np.minimum(room, 1) * whole + SMALL) / whole
    return made[part > 0] * part[part > 0, None, None]
