"""Whatever is hidden, nobody can work it out from what is shown: tried by an attack that knows nothing of the moves."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.disclosure.secondary import Counts, Widths, protect
from tests.disclosure.attack import crossed, range_of, safe, tied

WIDTHS = Widths(smallest=10, base=5, margin=3)


def protected(start, counts, sums, weight=None, fixed=None, tried=None, wanted=None):
    tables = counts if isinstance(counts, list) else [counts]
    cells = tables[0].count.shape[1]
    return protect(
        start,
        tables,
        sums,
        np.ones(cells) if weight is None else weight,
        WIDTHS,
        np.zeros(cells, bool) if fixed is None else fixed,
        tried,
        wanted,
    )


def with_totals(inner):
    """Counts of a crossed table in the order of its names."""
    found = np.asarray(inner, float)
    for side in range(found.ndim):
        found = np.concatenate([found, found.sum(axis=side, keepdims=True)], axis=side)
    return found.ravel()


def sides(names):
    """How many parts each side has."""
    return [len(set(side)) - 1 for side in zip(*names, strict=True)]


def inside(names):
    """The cells that are no total."""
    return np.array(["all" not in name for name in names])


# sdcTable, tests/testthat/test-simpleheuristic.R: every line has two hidden cells or none, and yet one is exact
SINGLETON = [[30, 47, 64, 89], [90, 124, 5, 31], [92, 100, 59, 85], [800, 991, 651, 685]]
HIDDEN = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 1), (2, 3), (3, 1), (3, 3)]


@pytest.fixture
def singleton():
    names, sums = crossed(4, 4)
    start = np.array([name in {(str(r), str(c)) for r, c in HIDDEN} for name in names])
    return names, sums, Counts.of_base(with_totals(SINGLETON)), start


def test_two_hidden_cells_in_every_line_are_not_enough(singleton):
    names, sums, counts, start = singleton
    hidden = np.abs(sums.toarray()) @ start
    assert 1 not in hidden
    cell = names.index(("0", "1"))
    assert range_of(cell, 0, counts, start, sums) == (47, 47), "the attack finds it"
    pattern = protected(start, counts, sums)
    assert (pattern.hidden & ~start).sum() == 1, "one more cell is enough, as sdcTable says"
    assert safe(cell, counts, pattern.hidden, sums, WIDTHS)
    assert not pattern.unsafe.any()


def test_the_cheapest_further_cell_is_hidden(singleton):
    names, sums, counts, start = singleton
    weight = np.where([name == ("1", "1") for name in names], 0.01, 1.0)
    pattern = protected(start, counts, sums, weight)
    assert [names[i] for i in np.flatnonzero(pattern.hidden & ~start)] == [("1", "1")], "x|b of the source"


def test_nothing_to_protect_hides_nothing(singleton):
    _, sums, counts, start = singleton
    pattern = protected(np.zeros_like(start), counts, sums)
    assert not pattern.hidden.any()
    assert not len(pattern.moves)


def test_cells_that_may_not_move_are_said_to_be_unsafe():
    """A total that stays shown leaves nothing to doubt about its only part."""
    names = ["all", "part"]
    counts, sums = Counts.of_base(np.array([7.0, 7.0])), tied(names, [["all", "part"]])
    start, total = np.array([False, True]), np.array([True, False])
    assert protected(start, counts, sums, fixed=total).unsafe.tolist() == [False, True]
    free = protected(start, counts, sums)
    assert free.hidden.all()
    assert not free.unsafe.any()


def test_parts_that_are_not_listed_tie_nothing_down():
    """Faculties F and G make up the university; of F's schools nothing is listed, so that F may be anything."""
    names = list("UFGAB")
    sums = tied(names, [list("UFG"), list("FAB")])
    counts = Counts.of_base(np.array([80.0, 30, 50, 0, 0]))
    found = protected(np.array([n == "F" for n in names]), counts, sums, fixed=np.array([n == "U" for n in names]))
    assert found.hidden.tolist() == [False, True, True, False, False]
    assert not found.unsafe.any()


@st.composite
def tables(draw, least_sides=2, most_sides=2):
    """A crossed table, its counts, and the cells that are hidden for what they are."""
    sizes = draw(st.lists(st.integers(2, 4 if most_sides == 2 else 3), min_size=least_sides, max_size=most_sides))
    names, sums = crossed(*sizes)
    inner = draw(st.lists(st.integers(0, 30), min_size=math.prod(sizes), max_size=math.prod(sizes)))
    counts = with_totals(np.reshape(inner, sizes))
    return names, sums, counts, (counts > 0) & (counts < draw(st.integers(1, 12)))


def assert_safe(pattern, start, counts, sums, wanted=True):
    assert (pattern.hidden | ~start).all(), "what was hidden stays so"
    for cell in np.flatnonzero(pattern.hidden & counts.there & ~pattern.unsafe & wanted):
        assert safe(cell, counts, pattern.hidden, sums, WIDTHS)


@settings(max_examples=30)
@given(tables(most_sides=3))
def test_no_hidden_base_can_be_worked_out(table):
    _, sums, counts, start = table
    counts = Counts.of_base(counts)
    pattern = protected(start, counts, sums)
    assert not pattern.unsafe.any(), "where totals may move, everything can be protected"
    assert_safe(pattern, start, counts, sums)


@settings(max_examples=30)
@given(tables())
def test_moves_are_witnesses(table):
    """Each changes hidden cells alone, keeps every sum and empties no cell that holds somebody: plain arithmetic."""
    _, sums, counts, start = table
    pattern = protected(start, Counts.of_base(counts), sums)
    assert (pattern.moves[:, ~pattern.hidden | (counts == 0)] == 0).all()
    np.testing.assert_allclose(pattern.moves @ sums.T.toarray(), 0, atol=1e-6)
    moved = counts + pattern.moves
    assert (moved[:, counts > 0] >= 1 - 1e-6).all()
    hidden = pattern.hidden & (counts > 0)
    if hidden.any():
        reach = np.maximum(moved.max(axis=0), counts) - np.minimum(moved.min(axis=0), counts)
        assert (reach[hidden] >= WIDTHS.base - 1e-6).all()


@settings(max_examples=30)
@example((*crossed(2, 2), np.array([0.0, 1, 1, 2, 5, 7, 2, 6, 8]), np.zeros(9, bool)))  # a little to both sides
@given(tables())
def test_totals_that_are_known_protect_their_parts_or_are_said_not_to(table):
    names, sums, counts, _ = table
    total = np.array([column == "all" for _, column in names])
    start = ~total & (counts > 0) & (counts < 8)
    counts = Counts.of_base(counts)
    pattern = protected(start, counts, sums, fixed=total)
    assert not (pattern.hidden & total).any()
    assert_safe(pattern, start, counts, sums)
    for cell in np.flatnonzero(pattern.unsafe):
        assert not safe(cell, counts, ~total, sums, WIDTHS), "not even with every cell hidden"


@settings(max_examples=20)
@given(tables())
def test_what_is_wanted_is_made_safe_whatever_else_is_hidden(table):
    names, sums, counts, start = table
    wanted = np.array([row == "0" for row, _ in names])
    counts = Counts.of_base(counts)
    pattern = protected(start, counts, sums, wanted=wanted)
    assert not (pattern.unsafe & ~wanted).any()
    assert_safe(pattern, start, counts, sums, wanted)


@st.composite
def shares(draw):
    """Who has and who lacks what is measured; some enrolled may be in neither, and some bases are hidden."""
    names, sums, base, small = draw(tables())
    parts = inside(names)
    have = np.array([draw(st.integers(0, int(n))) for n in base[parts]])
    lack = np.array([draw(st.sampled_from([n, n // 2])) for n in base[parts].astype(int) - have])
    sizes = sides(names)
    have, lack = (with_totals(x.reshape(sizes)) for x in (have, lack))
    few = small if draw(st.booleans()) else np.zeros_like(small)
    hidden_base = protected(few, Counts.of_base(base), sums).hidden
    rest = base - have - lack
    known = ~hidden_base & (rest == 0)
    counts = Counts(
        np.array([have, lack]), np.where(hidden_base, np.inf, rest), known, np.ones(len(known)), have + lack > 0
    )
    start = hidden_base | ((have + lack > 0) & (np.minimum(have, lack) < 3))
    return sums, counts, start


@settings(max_examples=12)
@given(shares(), st.booleans())
def test_no_hidden_share_can_be_worked_out(share, private):
    """Nor, of what is private, that everybody or nobody has it."""
    sums, counts, start = share
    counts = replace(counts, private=private)
    assert_safe(protected(start, counts, sums), start, counts, sums)


@settings(max_examples=12)
@given(shares())
def test_no_part_of_a_ratio_is_known_exactly(share):
    """Of what is private: some may both have and lack it, and each count is protected by itself."""
    sums, counts, start = share
    part, other = counts.count
    counts = Counts.of_part(part, other, np.maximum(part, other))
    pattern = protected(start, counts, sums)
    assert not pattern.unsafe.any(), "that some are known exactly hides no total"
    every = np.ones_like(start)
    for cell in np.flatnonzero(pattern.hidden & counts.there):
        low, high = range_of(cell, 0, counts, pattern.hidden, sums)
        assert low < high or np.equal(*range_of(cell, 0, counts, every, sums)), "not even with every cell hidden"


@settings(max_examples=12)
@given(tables(), st.data())
def test_tables_that_share_a_pattern_are_safe_together(table, data):
    names, sums, counts, start = table
    other = np.array([data.draw(st.sampled_from([0, 0, 1, 2, 30])) for _ in counts[inside(names)]])
    sizes = sides(names)
    both = [Counts.of_base(counts), Counts.of_base(with_totals(other.reshape(sizes)))]
    pattern = protected(start, both, sums)
    for each in both:
        assert_safe(pattern, start, each, sums)


def test_what_a_later_table_hides_is_safe_in_an_earlier_one():
    """The second table must hide the totals of both columns; the second column's is then alone in the first table."""
    names, sums = crossed(3, 2)
    both = [Counts.of_base(with_totals(inner)) for inner in ([[0, 0], [0, 0], [0, 30]], [[1, 8], [3, 15], [8, 2]])]
    start = np.array([name == ("0", "0") for name in names])
    pattern = protected(start, both, sums)
    for each in both:
        assert_safe(pattern, start, each, sums)


@settings(max_examples=20)
@given(tables())
def test_moves_of_another_pattern_are_tried_and_not_trusted(table):
    """They may take these counts below 0, and are then made smaller or left."""
    _, sums, counts, start = table
    others = protected(start, Counts.of_base(counts + 40), sums).moves
    pattern = protected(start, Counts.of_base(counts), sums, tried=others)
    assert_safe(pattern, start, Counts.of_base(counts), sums)


@settings(max_examples=20)
@given(tables(most_sides=3))
def test_the_same_counts_give_the_same_pattern(table):
    _, sums, counts, start = table
    one, two = (protected(start.copy(), Counts.of_base(counts.copy()), sums) for _ in range(2))
    assert (one.hidden == two.hidden).all()
    assert (one.moves == two.moves).all()
