"""Cycles change inner counts and nothing that is known."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.disclosure.cycles import cycles

# positions × inner positions: a total and its parts; a total, two subtotals and their parts; a single one
THREE = np.vstack([np.ones(3), np.eye(3)]).astype(int)
TWO_OF_TWO = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 1, 1], *np.eye(4, dtype=int)])
ONE = np.ones((1, 1), int)
WAYS = (ONE, TWO_OF_TWO, THREE, THREE)
SHAPE = tuple(way.shape[1] for way in WAYS)
PLACES = tuple(way.shape[0] for way in WAYS)


def sums(inner):
    """N, HAVE and LACK of every position."""
    everywhere = np.einsum("kabcd,ea,fb,gc,hd->kefgh", inner, *WAYS)
    only_have, only_lack, *both = everywhere
    more = both[0] if both else 0
    return np.stack([only_have + only_lack + more, only_have + more, only_lack + more])


@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 3]), st.floats(0, 0.6), st.integers(1, 9))
def test_cycles_keep_what_is_known(seed, kinds, share, furthest):
    random = np.random.default_rng(seed)
    inner = random.integers(0, 6, (kinds, *SHAPE))
    known = random.random((3, *PLACES)) < share
    for move in cycles(inner, known, WAYS, furthest).T.toarray():
        there = inner + move.reshape(inner.shape)
        assert (there >= 0).all(), "nobody is fewer than none"
        assert (sums(there) == sums(inner))[known].all()
        assert 0 < np.abs(move).max() <= furthest
        assert (sums(there) != sums(inner)).any(), "something moves"


def test_two_rows_and_two_columns_move_as_far_as_they_can():
    inner = np.zeros((2, 1, 4, 3, 3), int)
    inner[0, 0, :2, 0, :2] = [[4, 9], [9, 7]]
    known = np.ones((3, *PLACES), bool)
    schools, groups, hidden = [3, 4], [1, 2], (0, 1)  # N and HAVE
    for school in schools:
        for group in groups:
            known[np.ix_(hidden, [0], [school], [0, 1], [group])] = False
    moves = cycles(inner, known, WAYS, 5).toarray()
    assert sorted(moves[0]) == [-4, 5], "down to nobody, up no further than asked"


def test_where_all_is_known_nothing_moves():
    inner = np.ones((2, *SHAPE), int)
    assert cycles(inner, np.ones((3, *PLACES), bool), WAYS, 5).shape == (inner.size, 0)
