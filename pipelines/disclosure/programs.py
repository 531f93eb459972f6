"""Programs over sums of non-negative whole numbers, and the ranges they leave to hidden sums.

Imports numbers and the solver (HiGHS: Huangfu and Hall 2018) only, as it runs in processes of its own.
"""

from __future__ import annotations

import highspy
import numpy as np
from highspy._core import _Highs  # highspy.Highs says who made it, on standard output
from scipy import sparse

WHOLE = 1e-6
SECONDS = 20.0  # for one program in whole numbers
PRIMAL_SIMPLEX = 4


class ContradictionError(ValueError):
    """What is shown cannot all be true at once."""


class Program:
    """Whole numbers (or, relaxed, any numbers) between least and most whose sums lie between low and high."""

    def __init__(
        self, sums: sparse.csr_array, low: np.ndarray, high: np.ndarray, least: np.ndarray, most: np.ndarray
    ) -> None:
        self._parts = (sparse.csr_array(sums), low, high, least, most)
        self._columns = np.arange(sums.shape[1], dtype=np.int32)
        self._relaxed: _Highs | None = None
        self._in_whole: _Highs | None = None

    def furthest(self, weights: np.ndarray, *, whole: bool = False, enough: float = np.inf) -> np.ndarray | None:
        """The numbers with the largest weighted sum, or whole ones whose sum is enough; None where it has no limit.

        Raises ContradictionError where there are no such numbers, TimeoutError where they are not found in time.
        """
        solver = self._solver_in_whole if whole else self._solver
        solver.changeColsCost(len(self._columns), self._columns, np.asarray(weights, float))
        if whole:
            solver.setOptionValue("objective_target", float(enough))
        solver.run()
        status = solver.getModelStatus()
        if status in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kObjectiveTarget):
            return np.asarray(solver.getSolution().col_value)
        if status in (highspy.HighsModelStatus.kUnbounded, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            return None
        if status == highspy.HighsModelStatus.kInfeasible:
            raise ContradictionError("No counts agree with everything that is shown.")
        raise TimeoutError

    def agrees(self, point: np.ndarray) -> bool:
        """Whether whole numbers are between all limits, by arithmetic."""
        sums, low, high, least, most = self._parts
        found = sums @ point
        return bool(((found >= low) & (found <= high)).all() and ((point >= least) & (point <= most)).all())

    def near(self, point: np.ndarray) -> Near:
        """What is near whole numbers that are between all limits, or nearly."""
        return Near(*self._parts, point)

    @property
    def _solver(self) -> _Highs:
        if self._relaxed is None:
            self._relaxed = _passed(*self._parts)
            self._relaxed.run()  # any point first; from there on, others are near for the primal simplex method
            self._relaxed.setOptionValue("simplex_strategy", PRIMAL_SIMPLEX)
        return self._relaxed

    @property
    def _solver_in_whole(self) -> _Highs:
        self._in_whole = self._in_whole or _passed(*self._parts, whole=True)
        return self._in_whole


class Near:
    """Numbers that differ as little as can be from whole ones: their differences are few, and so mostly whole too."""

    def __init__(
        self, sums: sparse.csr_array, low: np.ndarray, high: np.ndarray, least: np.ndarray, most: np.ndarray,
        point: np.ndarray,
    ) -> None:  # fmt: skip
        self._point = np.clip(point, least, most)
        there = sums @ self._point
        up_and_down = sparse.csr_array(sparse.hstack([sums, -sums], format="csr"))
        room = np.r_[most - self._point, self._point - least]
        self._solver = _passed(up_and_down, low - there, high - there, np.zeros(len(room)), room)
        self._solver.changeObjectiveSense(highspy.ObjSense.kMinimize)
        self._columns = np.arange(len(room), dtype=np.int32)
        self._rows = sums.shape[0]
        self.none = False  # whether the last search proved that there are none
        self._nearest(np.ones(len(point)))
        self._start = self._solver.getBasis()  # each search starts there, as most end close to it

    def agreeing(self, costs: np.ndarray) -> np.ndarray | None:
        """The numbers nearest to the point that are between all limits; None where none are found. costs: of changing
        each.
        """
        return self._nearest(costs)

    def further(self, weights: np.ndarray, by: float, costs: np.ndarray) -> np.ndarray | None:
        """The nearest numbers whose weighted sum is larger by so much than the point's; None where none are found."""
        used = np.flatnonzero(weights)
        columns, values = np.r_[used, used + len(weights)], np.r_[weights[used], -weights[used]]
        self._solver.addRow(float(by), highspy.kHighsInf, len(columns), columns.astype(np.int32), values.astype(float))
        found = self._nearest(costs)
        self._solver.deleteRows(1, np.array([self._rows], np.int32))
        self._solver.setBasis(self._start)
        return found

    def _nearest(self, costs: np.ndarray) -> np.ndarray | None:
        self._solver.changeColsCost(len(self._columns), self._columns, np.tile(costs, 2).astype(float))
        self._solver.run()
        status = self._solver.getModelStatus()
        self.none = status == highspy.HighsModelStatus.kInfeasible
        if status != highspy.HighsModelStatus.kOptimal:
            return None
        change = np.asarray(self._solver.getSolution().col_value)
        return self._point + change[: len(costs)] - change[len(costs) :]


def is_whole(point: np.ndarray) -> bool:
    """True where all numbers are whole, but for the solver's imprecision."""
    return bool(np.all(np.abs(point - np.round(point)) < WHOLE))


def _passed(
    sums: sparse.csr_array,
    low: np.ndarray,
    high: np.ndarray,
    least: np.ndarray,
    most: np.ndarray,
    *,
    whole: bool = False,
) -> _Highs:
    solver, lp = _Highs(), highspy.HighsLp()
    options: dict[str, float | str] = {
        "output_flag": False,
        "threads": 1,
        "random_seed": 0,
        "presolve": "on" if whole else "off",
    }
    options |= {"mip_rel_gap": 0.0, "time_limit": SECONDS} if whole else {}
    for name, value in options.items():
        solver.setOptionValue(name, value)
    lp.num_row_, lp.num_col_ = sums.shape
    lp.col_cost_ = np.zeros(lp.num_col_)
    lp.col_lower_, lp.col_upper_ = least.astype(float), most.astype(float)
    lp.row_lower_, lp.row_upper_ = low.astype(float), high.astype(float)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = sums.indptr, sums.indices
    lp.a_matrix_.value_ = sums.data.astype(float)
    lp.sense_ = highspy.ObjSense.kMaximize
    if whole:
        lp.integrality_ = [highspy.HighsVarType.kInteger] * lp.num_col_
    solver.passModel(lp)
    return solver


def bounds(sums: sparse.csr_array, values: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least and the most each sum of non-negative whole numbers can be, given the values of those that are known.

    sums: one row per cell, one column per inner cell; values are read where known. The most is infinite where there
    is no limit. Raises ContradictionError where the known values cannot all be true.
    """
    sums, values = sparse.csr_array(sums), np.asarray(values, float)
    inner = sums.shape[1]
    program = Program(sums[known], values[known], values[known], np.zeros(inner), np.full(inner, np.inf))
    ends = []
    for cell in sums.toarray():
        for weights in (-cell, cell):
            point = program.furthest(weights)
            if point is not None and not is_whole(point):
                point = program.furthest(weights, whole=True)
            ends.append(np.inf if point is None else abs(round(float(weights @ point))))
    low, high = np.array(ends, float).reshape(-1, 2).T
    return np.where(known, values, low), np.where(known, values, high)
