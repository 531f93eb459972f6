"""How far hidden counts can be narrowed: the ranges of whole numbers that agree with everything known.

Runs in processes of its own, so it imports numbers and the solver only. Method: linear programs over non-negative
counts, as in the audit of cell suppression (Fischetti and Salazar 2001; Willenborg and de Waal 2001, chapter 6).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b

import numpy as np
from scipy import sparse

from pipelines.disclosure.cycles import cycles
from pipelines.disclosure.programs import ContradictionError
from pipelines.disclosure.search import CAP, HAVE, LACK, N, Search, Terms, system

MOST_ROUNDS = 12  # of narrowing along the sums; programs do the rest
MIRRORED = N, LACK, HAVE

Lines = list[tuple[int, list[int]]]  # a sum and its parts


@dataclass(frozen=True)
class Axis:
    """One way in which cells add up: positions 0 … size−1, and which of them are sums of which."""

    size: int
    lines: Lines

    @property
    def leaves(self) -> list[int]:
        """The positions that are sums of no others."""
        return [i for i in range(self.size) if i not in {parent for parent, _ in self.lines}]

    @cached_property
    def incidence(self) -> np.ndarray:
        """Positions × leaves: which leaves each position is the sum of. Never change it."""
        column, parts = {leaf: j for j, leaf in enumerate(self.leaves)}, dict(reversed(self.lines))

        def below(i: int) -> set[int]:
            return {column[i]} if i in column else set().union(*(below(c) for c in parts[i]))

        dense = np.zeros((self.size, len(column)), np.int8)
        for i in range(self.size):
            dense[i, list(below(i))] = 1
        return dense


@dataclass(frozen=True)
class Family:
    """The cells of one characteristic (and its broader ones) in one period, all metrics.

    low, high: what is known of base, have and lack: metric × 3 × period × unit × level × group. hidden: numbers of the
    hidden cells, −1 elsewhere, the same without counts. inner: counts that agree with it all, to begin from: metric ×
    who only has, only lacks, does both × the inner positions of each axis.
    """

    axes: tuple[Axis, Axis, Axis, Axis]
    low: np.ndarray
    high: np.ndarray
    hidden: np.ndarray
    inner: np.ndarray | None = None


@dataclass(frozen=True)
class Found:
    """The verdicts on the hidden cells of one metric in one family: the number of the cell, its proved ranges (low and
    high, 3 × cells), the width that is left (at most as wide as is needed), and whether it is broken or exactly known.
    problem: a hash of what is known of them, which decides their verdicts.
    """

    problem: bytes
    cell: np.ndarray
    low: np.ndarray
    high: np.ndarray
    width: np.ndarray
    broken: np.ndarray
    exact: np.ndarray


def attacked(
    families: list[Family], terms: Terms, part: tuple[int, int] = (0, 1), before: Mapping[bytes, Found] | None = None
) -> list[Found] | None:
    """Attack every hidden cell of a period; None where what is known contradicts itself.

    part: (i, k) for the i-th of k shares of the work, by families. before: what was found of the same period, by
    problem: where nothing else is known now, it stands.
    """
    try:
        return _attack(families, terms, part, before or {})
    except ContradictionError:
        return None


def _attack(families: list[Family], terms: Terms, part: tuple[int, int], before: Mapping[bytes, Found]) -> list[Found]:
    """All families share what they tell of everyone (group 0)."""
    tight = [(family.low.copy(), family.high.copy()) for family in families]
    for _ in range(3):
        for family, (low, high) in zip(families, tight, strict=True):
            narrow(low, high, family.axes, terms)
        last = [(int(low.sum()), int(high.sum())) for low, high in tight]
        least = np.max([low[..., 0] for low, _ in tight], axis=0)
        most = np.min([high[..., 0] for _, high in tight], axis=0)
        for low, high in tight:
            low[..., 0], high[..., 0] = least, most
        if last == [(int(low.sum()), int(high.sum())) for low, high in tight]:
            break
    if any((low > high).any() for low, high in tight):
        raise ContradictionError("No counts agree with everything that is shown.")
    found = []
    for family, (low, high) in list(zip(families, tight, strict=True))[part[0] :: part[1]]:
        told_low, told_high = family.low.copy(), family.high.copy()
        told_low[..., 0], told_high[..., 0] = low[..., 0], high[..., 0]
        for _, others in terms.bases:
            told_high[others, N] = np.minimum(told_high[others, N], high[others, N])
        of_one = sparse.csr_array(np.ones((1, 1), np.int8))
        for axis in family.axes[1:]:
            of_one = _times(of_one, axis.incidence)
        of_all = _times(sparse.csr_array(family.axes[0].incidence), of_one) if family.axes[0].lines else of_one
        done = dict(before)  # metrics that count the same people are one problem
        for m in range(len(low)):
            known = bool(terms.complementary[m]), bool(terms.private[m])
            for periods in _together(family.axes[0], told_low[m], told_high[m]):
                hidden = family.hidden[m, periods]
                place = np.flatnonzero(hidden >= 0)
                if not len(place):
                    continue
                about = tuple(ends[m][:, periods] for ends in (told_low, told_high, low, high))
                same, mirrored = (
                    _hash((family.axes, known, terms.bar), place, *(ends[list(order)] for ends in about))
                    for order in ((N, HAVE, LACK), MIRRORED)
                )
                if mirrored in done and same not in done:
                    other, order = done[mirrored], list(MIRRORED)
                    done[same] = replace(other, problem=same, low=other.low[order], high=other.high[order])
                elif same not in done:
                    sums = of_all if len(periods) > 1 else of_one
                    search = Search(system(sums, about, place, known[0]), known[1], terms)
                    if family.inner is not None:
                        search.near(*_nearby(family, m, periods, about, terms))
                    search.run()
                    done[same] = Found(same, place, *search.verdict())
                found.append(replace(done[same], cell=hidden.ravel()[place]))
    return found


def _hash(about: tuple[object, ...], *arrays: np.ndarray) -> bytes:
    """Of all that decides what is found: how cells add up, what is wide enough, what is known of metric and cells."""
    problem = blake2b(repr(about).encode(), digest_size=16)
    for array in arrays:
        problem.update(np.ascontiguousarray(array).data)
    return problem.digest()


def _times(one: sparse.csr_array, other: sparse.csr_array | np.ndarray) -> sparse.csr_array:
    return sparse.csr_array(sparse.kron(one, other, format="csr"))


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
    sum_least, sum_most = least.sum(axis=0, dtype=np.int64), most.sum(axis=0, dtype=np.int64)  # of several caps
    low[parent] = np.maximum(low[parent], sum_least)
    high[parent] = np.minimum(high[parent], sum_most)
    high[parts] = np.minimum(most, high[parent] - (sum_least - least))
    low[parts] = np.maximum(least, low[parent] - (sum_most - most))


def _nearby(
    family: Family, metric: int, periods: list[int], ends: tuple[np.ndarray, ...], terms: Terms
) -> tuple[np.ndarray, sparse.csc_array]:
    """The inner counts of some periods, and small moves of them that should change nothing that is told."""
    assert family.inner is not None
    of_periods = family.axes[0].incidence if len(periods) > 1 else np.ones((1, 1), np.int8)
    inner = family.inner[metric]
    if len(periods) == 1:
        inner = inner[:, [family.axes[0].leaves.index(periods[0])]]
    inner = inner[: 2 if terms.complementary[metric] else 3]
    others = (axis.incidence for axis in family.axes[1:])
    return inner.ravel(), cycles(inner, ends[0] == ends[1], (of_periods, *others), terms.narrowest_base + 1)
