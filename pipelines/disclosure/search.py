"""The search for counts that agree with everything told, as far apart as can be, for the cells of one metric."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from pipelines.disclosure.programs import WHOLE, Near, Program, is_whole

CAP = 100_000_000  # more than any country's universities have of anything
TRIES = 3  # at counts near the known ones that go so far: what changes costs each time is drawn anew
MOST_JOINED = 3  # times that moves are joined in pairs
FEW = 20  # open cells for which that is quicker than programs
LONGEST = 8  # moves of a sum, up or down, that are joined
N, HAVE, LACK = range(3)


@dataclass(frozen=True)
class Terms:
    """What is known of the metrics, by number, and which ranges are wide enough."""

    complementary: np.ndarray  # base = have + lack
    private: np.ndarray
    bases: list[tuple[list[int], list[int]]]  # metrics that share one base, and others that are out of some of it
    opposites: list[tuple[int, int]]  # who has the one lacks the other
    smallest_base: int
    narrowest_base: int
    narrowest_margin: int

    @property
    def bar(self) -> tuple[int, int, int]:
        """Which ranges are wide enough."""
        return self.smallest_base, self.narrowest_base, self.narrowest_margin


@dataclass(frozen=True)
class System:
    """What one metric's inner counts agree with, and the sums of them that are attacked.

    rows: sums of the free inner counts, between row_low and row_high. free: which inner counts are: those are between
    least and most, the others are least. targets: N, HAVE and LACK of each cell attacked, as sums of all inner counts.
    low, high: 3 × cells, how far these are narrowed.
    """

    rows: sparse.csr_array
    row_low: np.ndarray
    row_high: np.ndarray
    free: np.ndarray
    least: np.ndarray
    most: np.ndarray
    targets: sparse.csr_array
    low: np.ndarray
    high: np.ndarray

    @property
    def constant(self) -> np.ndarray:
        """What is known of the sums attacked."""
        return np.asarray(self.targets @ np.where(self.free, 0, self.least))

    def program(self) -> Program:
        """The program of the free inner counts."""
        return Program(self.rows, self.row_low, self.row_high, self.least[self.free], self.most[self.free])

    def agreeing(self, point: np.ndarray, moves: sparse.csc_array) -> sparse.csc_array | None:
        """Those of the moves (columns) each of which takes a point to another that agrees; None where it does not
        agree itself.
        """
        free = self.free
        matrix = sparse.vstack([sparse.eye_array(len(point), format="csr"), self.rows @ _picked(free)], format="csr")
        low = np.r_[self.least, self.row_low]
        high = np.r_[np.where(free, self.most, self.least), self.row_high]
        there = matrix @ point
        if ((there < low) | (there > high)).any():
            return None
        change = sparse.csc_array(matrix @ moves)
        after = there[change.indices] + change.data
        wrong = (after < low[change.indices]) | (after > high[change.indices])
        column = np.repeat(np.arange(moves.shape[1]), np.diff(change.indptr))
        return moves[:, np.bincount(column, wrong, moves.shape[1]) == 0]


def _picked(which: np.ndarray) -> sparse.csr_array:
    """A matrix that picks some of the entries of a vector."""
    return sparse.eye_array(len(which), format="csr")[which]


def _joined(moves: sparse.csc_array, changed: sparse.csr_array, sums: np.ndarray) -> sparse.csc_array:
    """Every two of the moves that take one of the sums furthest up, or furthest down. changed: sums × moves."""
    first, second = [np.zeros(0, int)], [np.zeros(0, int)]
    for row in sums:
        ends = slice(changed.indptr[row], changed.indptr[row + 1])
        by, move = changed.data[ends], changed.indices[ends]
        for sign in (1, -1):
            further = np.flatnonzero(sign * by > 0)
            best = move[further[np.argsort(-sign * by[further], kind="stable")[:LONGEST]]]
            one, other = np.triu_indices(len(best), 1)
            first.append(best[one])
            second.append(best[other])
    both = np.unique(np.sort([np.concatenate(first), np.concatenate(second)], axis=0), axis=1)
    return moves[:, both[0]] + moves[:, both[1]]


def _ends(there: np.ndarray, changed: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """The least and the most of each sum, unchanged or by one of the changes (columns)."""
    least, most = there.copy(), there.copy()
    row = np.repeat(np.arange(len(there)), np.diff(changed.indptr))
    np.minimum.at(least, row, there[row] + changed.data)
    np.maximum.at(most, row, there[row] + changed.data)
    return least, most


def system(
    sums: sparse.csr_array,
    ends: tuple[np.ndarray, ...],
    place: np.ndarray,
    complementary: bool,
) -> System:
    """What the inner counts of one metric agree with.

    ends: the least and the most that is told, and that is left after narrowing.
    """
    least_told, most_told, low, high = (end.reshape(3, -1).astype(float) for end in ends)
    leaf = np.zeros(sums.shape[1], int)
    single = np.flatnonzero(np.diff(sums.indptr) == 1)
    leaf[sums.indices[sums.indptr[single]]] = single
    shown = least_told == most_told
    # in each leaf are those who only have, those who only lack, and, of some metrics, those who do both
    every = sparse.block_array([[sums, sums, sums], [sums, None, sums], [None, sums, sums]], format="csr")
    (n, have, lack), (most_n, most_have, most_lack) = low[:, leaf], high[:, leaf]
    if complementary:
        every = every[:, : 2 * len(leaf)]
        least, most = np.r_[have, lack], np.r_[most_have, most_lack]
        most_told[N][shown[HAVE] & shown[LACK]] = CAP  # its parts are told, so that it adds nothing
        least_told[N][shown[HAVE] & shown[LACK]] = 0
    else:
        least = np.maximum(np.r_[n - most_lack, n - most_have, have + lack - most_n], 0)
        both = np.minimum(np.minimum(most_have, most_lack), most_have + most_lack - n)
        most = np.r_[np.minimum(most_have, most_n - lack), np.minimum(most_lack, most_n - have), both]
        least_told[:, leaf], most_told[:, leaf] = low[:, leaf], high[:, leaf]
    free = least < most
    fixed = np.where(free, 0, least)
    targets = (np.arange(3)[:, None] * sums.shape[0] + place).ravel()
    row_low, row_high = least_told.ravel(), most_told.ravel()
    if not complementary:  # what a leaf is at most often follows from the sums it is in
        spare = np.where(np.diff(sums.indptr) > 1, most_told - (every @ least).reshape(3, -1), CAP)
        of_row = np.repeat(np.arange(sums.shape[0]), np.diff(sums.indptr))
        left = np.full((3, len(leaf)), float(CAP))
        for of_quantity, by in zip(left, spare[:, of_row], strict=True):
            np.minimum.at(of_quantity, sums.indices, by)
        inside = (every @ least).reshape(3, -1)[:, leaf]
        most_told[:, leaf] = np.where(inside + left <= most_told[:, leaf], CAP, most_told[:, leaf])
        row_high = most_told.ravel()
    told = (row_low > every @ least) | (row_high < np.minimum(every @ most, CAP))
    rows, known = every[told][:, free], every[told] @ fixed
    row_low, row_high = row_low[told] - known, row_high[told] - known
    # rows over the same inner cells are one; by two random sums, as there are too many for one
    random = np.random.default_rng(0).random((2, rows.shape[1]))
    of_rows = np.round(rows @ (random[0] + 1j * random[1]), 9)
    _, first, same = np.unique(of_rows, return_index=True, return_inverse=True)
    row_least, row_most = np.full(len(first), -np.inf), np.full(len(first), np.inf)
    np.maximum.at(row_least, same, row_low)
    np.minimum.at(row_most, same, row_high)
    bounds = row_least, row_most, free, least, most
    return System(rows[first], *bounds, every[targets], low[:, place], high[:, place])


class Search:
    """Points that agree with what is told, until each hidden cell is known to be wide enough or known not to be."""

    def __init__(self, about: System, private: bool, terms: Terms) -> None:
        self._about, self._private, self._terms = about, private, terms
        self._targets, self._constant = about.targets[:, about.free], about.constant
        self.low, self.high = about.low, about.high  # proved: no further out
        self._least, self._most = np.full_like(self.low, CAP), np.full_like(self.high, -1)  # met: at least this far
        self._program = about.program()
        self._point: np.ndarray | None = None  # one that agrees, or nearly
        self._random = np.random.default_rng(0)

    def near(self, point: np.ndarray, moves: sparse.csc_array) -> None:
        """Look at counts that may agree with what is told, at those that moves lead to, and, of few cells, several."""
        self._point = point
        there = self._about.targets @ point
        for _ in range(MOST_JOINED):
            agreeing = self._about.agreeing(point, moves)
            if agreeing is None:
                return
            changed = sparse.csr_array(self._about.targets @ agreeing)
            least, most = (np.reshape(end, self.low.shape) for end in _ends(there, changed))
            self._least, self._most = np.minimum(self._least, least), np.maximum(self._most, most)
            cells = np.flatnonzero(self._open())
            if not 0 < len(cells) <= FEW:
                return
            moves = _joined(agreeing, changed, (np.arange(3)[:, None] * self.low.shape[1] + cells).ravel())

    def run(self) -> None:
        """Take one open cell after the other as far as it must go, until none is open.

        First with the smallest changes of counts that agree, which are mostly whole; then no further than it is proved
        to go; then in whole numbers, where only broken numbers were found to go so far.
        """
        free = self._about.free
        if not free.any():
            self._least = self._most = self._constant.reshape(self.low.shape)
            return
        if not self._open().any():
            return
        start = self._agreeing()
        if start is None:
            return  # nothing is met: all cells stay narrow
        self._meet(start)
        nearby = self._program.near(start)
        for look in (self._nearby, self._proving, self._in_whole):
            for cell in self._random.permutation(np.flatnonzero(self._open())):
                for quantity, sign in self._ends(cell):
                    if self._open()[cell]:
                        look(quantity, cell, sign, start, nearby)

    def _agreeing(self) -> np.ndarray | None:
        """Free counts that agree with what is told: those begun from, else near them, else any; None where it takes too
        long to find some.
        """
        free = self._about.free
        if self._point is not None and self._program.agrees(start := self._point[free]):
            return start
        if self._point is not None:
            nearby = self._program.near(self._point[free])
            for costs in self._costs():
                near = nearby.agreeing(costs)
                if near is not None and self._is_met(near):
                    return np.round(near)
        try:
            found = self._program.furthest(np.zeros(int(free.sum())), whole=True, enough=0)
        except TimeoutError:
            return None
        assert found is not None, "every count is below a cap"
        return np.round(found) if self._is_met(found) else None

    def _nearby(self, quantity: int, cell: int, sign: int, start: np.ndarray, nearby: Near) -> None:
        """Look for the smallest change that takes a count as far as needed."""
        goal = self._goal(quantity, cell, sign)
        by = goal - sign * self._value(quantity, cell, start)
        if goal <= sign * (self._most if sign > 0 else self._least)[quantity, cell]:
            return
        weights = self._weights(quantity, cell, sign)
        for costs in self._costs():
            found = nearby.further(weights, by, costs)
            if found is None and nearby.none:  # nor do broken numbers go so far
                self._prove(quantity, cell, sign, goal - 1)
                return
            if found is not None and self._meet(found):
                self._meet(2 * start - np.round(found))
                return

    def _proving(self, quantity: int, cell: int, sign: int, start: np.ndarray, nearby: Near) -> None:
        """Prove how far a count goes, and look whether it goes there."""
        weights = self._weights(quantity, cell, sign)
        try:
            found = self._program.furthest(weights)
        except TimeoutError:
            return
        assert found is not None, "every count is below a cap"
        self._meet(found)
        self._prove(quantity, cell, sign, np.floor(sign * self._value(quantity, cell, found) + WHOLE))
        if self._open()[cell]:
            self._nearby(quantity, cell, sign, start, nearby)

    def _in_whole(self, quantity: int, cell: int, sign: int, *_: object) -> None:
        """Look in whole numbers, and prove how far a count goes where it does not go as far as needed."""
        goal = self._goal(quantity, cell, sign)
        # the solver stops beyond what is enough, not at it
        enough = goal - 0.5 - sign * self._constant.reshape(self.low.shape)[quantity, cell]
        try:
            found = self._program.furthest(self._weights(quantity, cell, sign), whole=True, enough=enough)
        except TimeoutError:
            return  # neither met nor proved: the cell stays narrow
        assert found is not None, "every count is below a cap"
        self._meet(found)
        if (value := np.round(sign * self._value(quantity, cell, found))) < goal:
            self._prove(quantity, cell, sign, value)

    def _goal(self, quantity: int, cell: int, sign: int) -> float:
        """How far up, or down (negative), a count needs to go at most for the cell to be wide, or can go."""
        large = self._known[cell] and self.low[N, cell] >= self._terms.smallest_base
        need = self._terms.narrowest_margin if large else self._terms.narrowest_base
        if sign > 0:
            return float(min(max(self._least[quantity, cell], 1) + need, self.high[quantity, cell]))
        return -float(max(self._most[quantity, cell] - need, self.low[quantity, cell]))

    def _value(self, quantity: int, cell: int, point: np.ndarray) -> float:
        row = self._targets[[quantity * self.low.shape[1] + cell]]
        return float((row @ point)[0] + self._constant.reshape(self.low.shape)[quantity, cell])

    def _weights(self, quantity: int, cell: int, sign: int) -> np.ndarray:
        return sign * self._targets[[quantity * self.low.shape[1] + cell]].toarray()[0]

    def _costs(self) -> Iterator[np.ndarray]:
        """Of changing each free count: at first all the same."""
        free = int(self._about.free.sum())
        yield np.ones(free)
        for _ in range(TRIES - 1):
            yield 1 + self._random.random(free)

    def _prove(self, quantity: int, cell: int, sign: int, end: float) -> None:
        """That a count goes no further up, or down (negative)."""
        if sign > 0:
            self.high[quantity, cell] = min(self.high[quantity, cell], end)
        else:
            self.low[quantity, cell] = max(self.low[quantity, cell], -end)

    def _is_met(self, point: np.ndarray) -> bool:
        return is_whole(point) and self._program.agrees(np.round(point))

    def _meet(self, point: np.ndarray) -> bool:
        """Take note of free counts, where they are whole and agree."""
        if not self._is_met(point):
            return False
        values = (self._targets @ np.round(point) + self._constant).reshape(self.low.shape)
        self._least, self._most = np.fmin(self._least, values), np.fmax(self._most, values)
        return True

    def _ends(self, cell: int) -> Iterator[tuple[int, int]]:
        """The ends of the ranges of a cell that are not known yet: quantity, and 1 for the upper, −1 for the lower."""
        for quantity in (HAVE, LACK) if self._known[cell] else (N, HAVE, LACK):
            for sign, proved, met in ((1, self.high, self._most), (-1, self.low, self._least)):
                if proved[quantity, cell] != met[quantity, cell]:
                    yield quantity, sign

    @property
    def _known(self) -> np.ndarray:
        """Cells whose base is known."""
        return np.asarray(self.low[N] == self.high[N])

    def _open(self) -> np.ndarray:
        """Cells on which there is no verdict yet."""
        met, may_be = ((self._least, self._most), (self.low, self.high))
        undecided = ~self._wide(*met) & self._wide(*may_be)
        if self._private:
            undecided |= self._wide(*may_be) & (self._exact(*met) & ~self._exact(*may_be))
        return undecided

    def _widths(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How wide a range is left of one of the counts, and of both who have and who lack, to a member, who knows of
        one person: themself.
        """
        widths = np.maximum(high - np.maximum(low, 1), 0)
        return widths.max(axis=0), np.minimum(widths[HAVE], widths[LACK])

    def _wide(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Where the ranges are wide enough: of both margins where the base is no small one, else of a count."""
        one, margins = self._widths(low, high)
        large = self.low[N] >= self._terms.smallest_base
        return np.asarray((one >= self._terms.narrowest_base) | large & (margins >= self._terms.narrowest_margin))

    def _exact(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Where those who have or those who lack are known exactly."""
        return np.asarray((high <= low)[[HAVE, LACK]].any(axis=0))

    def verdict(self) -> tuple[np.ndarray, ...]:
        """low, high, width, broken, exact of each cell."""
        met, proved = (self._least, self._most), (self.low, self.high)
        narrow = ~self._wide(*met)
        decided = ~self._wide(*proved)
        one, margins = (
            np.where(decided, *pair) for pair in zip(self._widths(*proved), self._widths(*met), strict=True)
        )
        large = self.low[N] >= self._terms.smallest_base
        left = np.where(large, np.minimum(margins, self._terms.narrowest_margin), one)
        width = np.where(one >= self._terms.narrowest_base, self._terms.narrowest_base, left)
        exact = np.where(decided, self._exact(*proved), self._exact(*met)) & self._private
        return self.low.astype(np.int32), self.high.astype(np.int32), width.astype(np.int32), narrow | exact, exact
