"""Ranges of hidden sums are those of published examples and of enumeration."""

import gzip
import json
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from pipelines.disclosure.attacker import bounds
from pipelines.disclosure.programs import Program
from tests.measures.building import shared

EXAMPLES = [
    "d2_formula_maxN3", "d2_hier_maxN2", "d2_manualhier_maxN2", "mun_accidents_maxN3", "mun_accidents_maxN3_nozero",
    "z1_default", "z2_linkedhier", "z3_6dim_maxN5",
]  # fmt: skip


def two_way(table):
    """Cells, their values and the matrix of a table of rows and columns with totals."""
    rows, columns = ([*names, "tot"] for names in (list(table), list(next(iter(table.values())))))
    inner = list(product(table, columns[:-1]))
    cells = list(product(rows, columns))
    sums = [[(r in (i, "tot")) and (c in (j, "tot")) for i, j in inner] for r, c in cells]
    values = np.array([table[i][j] for i, j in inner])
    return cells, sparse.csr_array(np.array(sums, float)), np.array(sums, int) @ values


# sdcTable, tests/testthat/test-simpleheuristic.R at 6393dfb6: each line has two hidden cells, and w|b is exact
FOUR = {
    "w": {"a": 30, "b": 47, "c": 64, "d": 89},
    "x": {"a": 90, "b": 124, "c": 5, "d": 31},
    "y": {"a": 92, "b": 100, "c": 59, "d": 85},
    "z": {"a": 800, "b": 991, "c": 651, "d": 685},
}
FOUR_HIDDEN = {
    ("w", "a"),
    ("w", "b"),
    ("w", "c"),
    ("x", "a"),
    ("x", "c"),
    ("y", "b"),
    ("y", "d"),
    ("z", "b"),
    ("z", "d"),
}


@pytest.mark.parametrize(("more", "low", "high"), [(set(), 47, 47), ({("x", "b")}, 0, 141)])
def test_two_hidden_cells_in_every_line_are_not_enough(more, low, high):
    cells, sums, values = two_way(FOUR)
    known = np.array([cell not in FOUR_HIDDEN | more for cell in cells])
    found = bounds(sums, values, known)
    at = cells.index(("w", "b"))
    assert (found[0][at], found[1][at]) == (low, high)


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize(
    ("hidden", "attacked"), [("primary", "primary_only"), ("suppressed_by_package", "package_pattern")]
)
def test_intervals_of_published_examples(name, hidden, attacked):
    big = name.startswith("z3")
    path = shared(f"sdc/instances/gs_{name}.json" + (".gz" if big else ""))
    case = json.loads(gzip.decompress(path.read_bytes()) if big else path.read_bytes())
    x, cells = case["X"], case["cells"]
    sums = sparse.csr_array(
        (x["value"], (x["row_cell"], x["col_inner"])), shape=(len(cells), len(case["inner_values"]))
    )
    expected = pd.DataFrame(case[f"attack_{attacked}"]).astype(float)
    if big:  # each cell is two programs in whole numbers: some of them
        expected = expected.iloc[::300]
    shown = [i for i, cell in enumerate(cells) if not cell[hidden]]
    targets = expected["cell"].astype(int).tolist()
    values = np.array([cell["value"] for cell in cells])
    known = np.r_[np.ones(len(shown), bool), np.zeros(len(targets), bool)]
    low, high = (end[len(shown) :] for end in bounds(sums[[*shown, *targets]], values[[*shown, *targets]], known))
    assert (low <= values[targets]).all()
    assert (values[targets] <= high).all()
    if "MILP" in case["method"]:
        np.testing.assert_array_equal(low, expected["lo"])
        np.testing.assert_array_equal(high, expected["hi"].fillna(np.inf))
    else:  # theirs are relaxed
        assert (low >= expected["lo"] - 1e-6).all()
        assert (high <= expected["hi"].fillna(np.inf) + 1e-6).all()


def test_two_releases_together_tell_what_neither_does():
    case = json.loads(shared("sdc/instances/gs_incremental_time.json").read_bytes())
    inner = list(product(["Q1", "Q2"], ["assistance", "other", "pensions", "wages"], ["BIG", "small"]))
    covers = {"quarter_Q1_Q2": {"Q1", "Q2"}}

    def attacked(*releases):
        cells = {(r["quarter"], r["main_income"], r["size"]): r["freq"] for name in releases for r in case[name]}
        told = {
            (r["quarter"], r["main_income"], r["size"]) for name in releases for r in case[name] if not r["suppressed"]
        }
        sums = [
            [
                q in covers.get(quarter, {quarter}) and income in (i, "Total") and size in (s, "Total")
                for q, i, s in inner
            ]
            for quarter, income, size in cells
        ]
        low, high = bounds(
            sparse.csr_array(np.array(sums, float)),
            np.array(list(cells.values())),
            np.array([c in told for c in cells]),
        )
        return dict(zip(cells, zip(low, high, strict=True), strict=True))

    for releases in (["c2_independent"], ["a1", "c2_independent"]):
        found = attacked(*releases)
        for row in case["attack_of_union"]["+".join(releases)]:
            assert found[tuple(row["cell"])] == (row["lo"], row["hi"])
    assert attacked("a1", "c2_independent")["Q2", "pensions", "small"] == (14, 14)


@settings(max_examples=60)
@given(st.lists(st.integers(0, 3), min_size=6, max_size=6), st.lists(st.booleans(), min_size=11, max_size=11))
def test_bounds_are_those_of_enumeration(values, told):
    _, sums, totals = two_way({r: dict(zip("abc", values[3 * i : 3 * i + 3], strict=True)) for i, r in enumerate("xy")})
    known = np.array([*told, True])
    low, high = bounds(sums, totals, known)
    tables = np.array(list(compositions(totals[-1], 6))) @ sums.toarray().T.astype(int)
    agree = tables[(tables[:, known] == totals[known]).all(axis=1)]
    np.testing.assert_array_equal(low, agree.min(axis=0))
    np.testing.assert_array_equal(high, agree.max(axis=0))


def test_what_nothing_limits_is_unlimited():
    _, sums, totals = two_way({"x": {"a": 1, "b": 2}, "y": {"a": 3, "b": 4}})
    low, high = bounds(sums, totals, np.array([0, 0, 1, 0, 0, 0, 0, 0, 0], bool))
    np.testing.assert_array_equal(low, [0, 0, 3, 0, 0, 0, 0, 0, 3])
    np.testing.assert_array_equal(high, [3, 3, 3, *[np.inf] * 6])


def compositions(total, parts):
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in compositions(total - first, parts - 1):
            yield (first, *rest)


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 6), min_size=9, max_size=9),
    st.lists(st.booleans(), min_size=16, max_size=16),
    st.integers(0, 8),
    st.integers(1, 9),
)
def test_the_nearest_numbers_agree_and_go_as_far_as_wanted_or_none_do(values, told, inner, by):
    of_rows = {r: dict(zip("abc", values[3 * i : 3 * i + 3], strict=True)) for i, r in enumerate("xyz")}
    _, sums, totals = two_way(of_rows)
    known = np.array(told) & (np.diff(sums.indptr) > 1)
    point, least, most = np.array(values, float), np.zeros(9), np.full(9, 100.0)
    program = Program(sums[known], totals[known], totals[known], least, most)
    weights = np.eye(9)[inner]
    near = program.near(point)
    found = near.further(weights, by, np.ones(9))
    if found is None:
        assert program.furthest(weights)[inner] < point[inner] + by
    else:
        assert found[inner] == pytest.approx(point[inner] + by)
        assert program.agrees(np.round(found))
        np.testing.assert_allclose(sums[known] @ found, totals[known])
    np.testing.assert_allclose(near.agreeing(np.ones(9)), point)  # and each search begins anew
    elsewhere = program.near(point + np.arange(9) % 3).agreeing(np.ones(9))  # begun where nothing agrees
    np.testing.assert_allclose(sums[known] @ elsewhere, totals[known])
