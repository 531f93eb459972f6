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
        self, sums: sparse.csr_array, low: np.ndarray, high: np.ndarray, least: np.ndarray, most: np.ndarray,
        known: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        """known: numbers that are between all limits, where there are any to begin from."""
        self._parts = (sparse.csr_array(sums), low, high, least, most)
        self._columns = np.arange(sums.shape[1], dtype=np.int32)
        self._solver = _passed(*self._parts)
        if known is not None:
            beginning = highspy.HighsSolution()
            beginning.col_value = known.astype(float).tolist()
            self._solver.setSolution(beginning)
        self._solver.run()  # any point first; from there on, other corners are near for the primal simplex method
        self._solver.setOptionValue("simplex_strategy", PRIMAL_SIMPLEX)
        self._in_whole: _Highs | None = None
        self._corner: highspy.HighsBasis | None = None

    def furthest(self, weights: np.ndarray, *, whole: bool = False) -> np.ndarray | None:
        """The numbers with the largest weighted sum; None where it has no limit.

        Raises ContradictionError where there are no such numbers, TimeoutError where whole ones take too long to find.
        """
        if whole and self._in_whole is None:
            self._in_whole = _passed(*self._parts, whole=True)
        solver = self._in_whole if whole and self._in_whole is not None else self._solver
        solver.changeColsCost(len(self._columns), self._columns, np.asarray(weights, float))
        solver.run()
        status = solver.getModelStatus()
        if status == highspy.HighsModelStatus.kOptimal:
            return np.asarray(solver.getSolution().col_value)
        if status in (highspy.HighsModelStatus.kUnbounded, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            return None
        if status == highspy.HighsModelStatus.kTimeLimit:
            raise TimeoutError
        raise ContradictionError("No counts agree with everything that is shown.")

    def agrees(self, point: np.ndarray) -> bool:
        """Whether whole numbers are between all limits, by arithmetic."""
        sums, low, high, least, most = self._parts
        found = sums @ point
        return bool(((found >= low) & (found <= high)).all() and ((point >= least) & (point <= most)).all())

    def remember(self) -> None:
        """Take the corner just found as the one to `go_back` to."""
        self._corner = self._solver.getBasis()

    def go_back(self) -> None:
        """Start the next search from the corner last remembered."""
        if self._corner is not None:
            self._solver.setBasis(self._corner)


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
