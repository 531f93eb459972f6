"""How far hidden counts can be narrowed: the ranges of whole numbers that agree with everything known.

Runs in processes of its own, so it imports numbers and the solver only. Method: linear programs over non-negative
counts, as in the audit of cell suppression (Fischetti and Salazar 2001; Willenborg and de Waal 2001, chapter 6).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from pipelines.disclosure.programs import WHOLE, ContradictionError, Program, is_whole

CAP = 10_000_000  # more than any university has of anything; sums of a few dozen still fit 32 bits
MOST_ROUNDS = 12  # of narrowing along the sums; programs do the rest
MOST_CORNERS = 80  # each moves some of the cells as far as they go together, in directions drawn at random
AT_ONCE = 200
FRUITLESS = 4  # corners in whole numbers that each settled less than WORTH of the open cells
WORTH = 0.03
PUSH = 0.01  # of the weight of the cell looked at
N, HAVE, LACK = range(3)
MIRRORED = N, LACK, HAVE

Lines = list[tuple[int, list[int]]]  # a sum and its parts


@dataclass(frozen=True)
class Axis:
    """One way in which cells add up: positions 0 … size−1, and which of them are sums of which."""

    size: int
    lines: Lines

    @property
    def leaves(self) -> list[int]:
        return [i for i in range(self.size) if i not in {parent for parent, _ in self.lines}]

    def incidence(self) -> sparse.csr_array:
        """Positions × leaves: which leaves each position is the sum of."""
        column, parts = {leaf: j for j, leaf in enumerate(self.leaves)}, dict(reversed(self.lines))

        def below(i: int) -> set[int]:
            return {column[i]} if i in column else set().union(*(below(c) for c in parts[i]))

        dense = np.zeros((self.size, len(column)), np.int8)
        for i in range(self.size):
            dense[i, list(below(i))] = 1
        return sparse.csr_array(dense)


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


@dataclass(frozen=True)
class Family:
    """The cells of one characteristic (and its broader ones) in one period, all metrics.

    low, high: what is known of base, have and lack: metric × 3 × period × unit × level × group. hidden: numbers of the
    hidden cells, −1 elsewhere, the same without counts.
    """

    axes: tuple[Axis, Axis, Axis, Axis]
    low: np.ndarray
    high: np.ndarray
    hidden: np.ndarray


@dataclass(frozen=True)
class Found:
    """The verdicts on the hidden cells of one metric in one family: the number of the cell, its proved ranges (low and
    high, 3 × cells), the width that is left (at most as wide as is needed), and whether it is broken or exactly known.
    """

    cell: np.ndarray
    low: np.ndarray
    high: np.ndarray
    width: np.ndarray
    broken: np.ndarray
    exact: np.ndarray


def attacked(families: list[Family], terms: Terms, part: tuple[int, int] = (0, 1)) -> list[Found] | None:
    """Attack every hidden cell of a period; None where what is known contradicts itself.

    part: (i, k) for the i-th of k shares of the work, by families.
    """
    try:
        return _attack(families, terms, part)
    except ContradictionError:
        return None


def _attack(families: list[Family], terms: Terms, part: tuple[int, int]) -> list[Found]:
    """All families share what they tell of everyone (group 0)."""
    tight = [(family.low.copy(), family.high.copy()) for family in families]
    for _ in range(3):
        for family, (low, high) in zip(families, tight, strict=True):
            narrow(low, high, family.axes, terms)
        before = [(int(low.sum()), int(high.sum())) for low, high in tight]
        least = np.max([low[..., 0] for low, _ in tight], axis=0)
        most = np.min([high[..., 0] for _, high in tight], axis=0)
        for low, high in tight:
            low[..., 0], high[..., 0] = least, most
        if before == [(int(low.sum()), int(high.sum())) for low, high in tight]:
            break
    if any((low > high).any() for low, high in tight):
        raise ContradictionError("No counts agree with everything that is shown.")
    found = []
    for family, (low, high) in list(zip(families, tight, strict=True))[part[0] :: part[1]]:
        told_low, told_high = family.low.copy(), family.high.copy()
        told_low[..., 0], told_high[..., 0] = low[..., 0], high[..., 0]
        for _, others in terms.bases:
            told_high[others, N] = np.minimum(told_high[others, N], high[others, N])
        sums = sparse.csr_array(np.ones((1, 1), np.int8))
        for axis in family.axes[1:]:
            sums = sparse.csr_array(sparse.kron(sums, axis.incidence(), format="csr"))
        done: dict[tuple[object, ...], Found] = {}  # metrics that count the same people are one problem
        for m in range(len(low)):
            known = bool(terms.complementary[m]), bool(terms.private[m])
            for periods in _together(family.axes[0], told_low[m], told_high[m]):
                hidden = family.hidden[m, periods]
                place = np.flatnonzero(hidden >= 0)
                if not len(place):
                    continue
                about = tuple(ends[m][:, periods] for ends in (told_low, told_high, low, high))
                same, mirrored = (
                    (*known, place.tobytes(), *(ends[list(order)].tobytes() for ends in about))
                    for order in ((N, HAVE, LACK), MIRRORED)
                )
                if mirrored in done and same not in done:
                    other, order = done[mirrored], list(MIRRORED)
                    done[same] = replace(other, low=other.low[order], high=other.high[order])
                elif same not in done:
                    of = family.axes[0].incidence() if len(periods) > 1 else np.ones((1, 1), np.int8)
                    whole = sparse.csr_array(sparse.kron(of, sums, format="csr"))
                    search = _Search(*_system(whole, about, place, known[0]), known[1], terms)
                    search.run()
                    done[same] = Found(place, *search.verdict())
                found.append(replace(done[same], cell=hidden.ravel()[place]))
    return found


def _together(periods: Axis, told_low: np.ndarray, told_high: np.ndarray) -> list[list[int]]:
    """Which periods are one problem: all, where a sum of some of them is told of; else each by itself."""
    told = (told_low > 0) | (told_high < CAP)
    parents = [parent for parent, _ in periods.lines]
    if told[:, parents].any():
        return [list(range(periods.size))]
    return [[period] for period in range(periods.size) if period not in parents]


def share(low: np.ndarray, high: np.ndarray, terms: Terms) -> None:
    """What metrics tell of each other: one base for those out of everybody, at most that for the others."""
    for alike, others in terms.bases:
        low[alike, N], high[alike, N] = low[alike, N].max(axis=0), high[alike, N].min(axis=0)
        high[others, N] = np.minimum(high[others, N], high[alike[0], N])
    for a, b in terms.opposites:
        for one, other in ((HAVE, LACK), (LACK, HAVE)):
            low[a, one] = low[b, other] = np.maximum(low[a, one], low[b, other])
            high[a, one] = high[b, other] = np.minimum(high[a, one], high[b, other])


def narrow(low: np.ndarray, high: np.ndarray, axes: tuple[Axis, ...], terms: Terms) -> None:
    """Narrow ranges along every sum, again and again, in place: a sum is what its parts are, a part what is left."""
    both = terms.complementary
    for _ in range(MOST_ROUNDS):
        before = int(low.sum(dtype=np.int64)), int(high.sum(dtype=np.int64))
        share(low, high, terms)
        if both.any():
            ends = low[both], high[both]
            _along(np.moveaxis(ends[0], 1, 0), np.moveaxis(ends[1], 1, 0), N, [HAVE, LACK])
            low[both], high[both] = ends
        if not both.all():  # who is counted has some or lacks some, or both
            n, have, lack = (high[~both, q] for q in (N, HAVE, LACK))
            high[~both, N] = np.minimum(n, have + lack)
            high[~both, HAVE], high[~both, LACK] = np.minimum(have, n), np.minimum(lack, n)
            low[~both, N] = low[~both].max(axis=1)
        for number, axis in enumerate(axes):
            ends = np.moveaxis(low, number + 2, 0), np.moveaxis(high, number + 2, 0)
            for parent, parts in axis.lines:
                _along(ends[0], ends[1], parent, parts)
        if before == (int(low.sum(dtype=np.int64)), int(high.sum(dtype=np.int64))):
            return


def _along(low: np.ndarray, high: np.ndarray, parent: int, parts: list[int]) -> None:
    least, most = low[parts], high[parts]
    sum_least, sum_most = least.sum(axis=0, dtype=low.dtype), most.sum(axis=0, dtype=low.dtype)
    low[parent] = np.maximum(low[parent], sum_least)
    high[parent] = np.minimum(high[parent], sum_most)
    high[parts] = np.minimum(most, high[parent] - (sum_least - least))
    low[parts] = np.maximum(least, low[parent] - (sum_most - most))


def _system(
    sums: sparse.csr_array,
    ends: tuple[np.ndarray, ...],
    place: np.ndarray,
    complementary: bool,
) -> tuple[Program | None, sparse.csr_array, np.ndarray, np.ndarray, np.ndarray]:
    """The program of one metric, the sums that are attacked and their known part, and how far they are narrowed yet.

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
    # rows over the same inner cells are one
    _, first, same = np.unique(
        np.round(rows @ np.random.default_rng(0).random(rows.shape[1]), 9), return_index=True, return_inverse=True
    )
    row_least, row_most = np.full(len(first), -np.inf), np.full(len(first), np.inf)
    np.maximum.at(row_least, same, row_low)
    np.minimum.at(row_most, same, row_high)
    program = Program(rows[first], row_least, row_most, least[free], most[free]) if free.any() else None
    return program, every[targets][:, free], every[targets] @ fixed, low[:, place], high[:, place]


class _Search:
    """Points that agree with what is told, until each hidden cell is known to be wide enough or known not to be."""

    def __init__(
        self,
        program: Program | None,
        targets: sparse.csr_array,
        constant: np.ndarray,
        low: np.ndarray,
        high: np.ndarray,
        private: bool,
        terms: Terms,
    ) -> None:
        self._program, self._targets, self._constant = program, targets, constant
        self.low, self.high = low, high  # proved: no further out
        self._least, self._most = np.full_like(low, CAP), np.full_like(high, -1)  # met: at least this far
        self._private, self._terms = private, terms

    def run(self) -> None:
        if self._program is None:
            self._least, self._most = self.low, self.high
            return
        shape, random = self.low.shape, np.random.default_rng(0)
        fruitless = 0
        for _ in range(MOST_CORNERS):
            still = self._open()
            if not still.any() or fruitless == FRUITLESS:
                break
            some = random.permutation(np.flatnonzero(still))[:AT_ONCE]
            weights = np.zeros(shape)
            weights[HAVE, some] = random.choice([-1.0, 1.0], len(some))
            as_well = np.where(self._known[some], 0, random.choice([1.0, 1.0, 1.0, -1.0], len(some)))
            weights[LACK, some] = weights[HAVE, some] * as_well  # mostly the base, at times who has against who lacks
            whole = self._go(weights)
            closed = still.sum() - self._open().sum()
            fruitless = 0 if closed > WORTH * still.sum() else fruitless + whole
        # one by one: first with all others pushed a little at random, which makes corners whole and moves many; then
        # alone, which proves how far they go; then in whole numbers, where only broken numbers were found to go so far
        for pushed, whole in ((True, False), (False, False), (True, False), (False, True)):
            for cell in random.permutation(np.flatnonzero(self._open())):
                for quantity, sign in self._ends(cell):
                    weights = random.uniform(-PUSH, PUSH, shape) * self._open() if pushed else np.zeros(shape)
                    weights[quantity, cell] = sign
                    self._go(weights, None if pushed else (quantity, cell, sign), whole=whole)
                    if not self._open()[cell]:
                        break

    def _ends(self, cell: int) -> Iterator[tuple[int, int]]:
        """The ends of the ranges of a cell that are not known yet: quantity, and 1 for the upper, −1 for the lower."""
        for quantity in (HAVE, LACK) if self._known[cell] else (N, HAVE, LACK):
            for sign, proved, met in ((1, self.high, self._most), (-1, self.low, self._least)):
                if proved[quantity, cell] != met[quantity, cell]:
                    yield quantity, sign

    def _go(self, weights: np.ndarray, end: tuple[int, int, int] | None = None, *, whole: bool = False) -> bool:
        """Look for a corner; `end` is proved by it where it was looked for alone. True where it is in whole numbers."""
        assert self._program is not None
        try:
            point = self._program.furthest(weights.ravel() @ self._targets, whole=whole)
        except TimeoutError:
            return False  # neither met nor proved: the cell stays narrow
        assert point is not None, "every count is below a cap"
        values = (self._targets @ point + self._constant).reshape(self.low.shape)
        if end is not None:
            quantity, cell, sign = end
            value = values[quantity, cell]
            if sign > 0:
                self.high[quantity, cell] = min(self.high[quantity, cell], np.floor(value + WHOLE))
            else:
                self.low[quantity, cell] = max(self.low[quantity, cell], np.ceil(value - WHOLE))
        if is_whole(point) and self._program.agrees(np.round(point)):
            self._least, self._most = np.fmin(self._least, np.round(values)), np.fmax(self._most, np.round(values))
            if not whole:
                self._program.remember()
            return True
        if not whole:
            self._program.go_back()
        return False

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
