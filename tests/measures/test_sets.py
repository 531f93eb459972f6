"""Numbering, adding up and pairing many sets of rows at once."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from pipelines.measures import gaps, sets
from tests.measures.building import REFERENCES, random_cells

ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y", None]), st.floats(-9, 9)), max_size=30)


@given(ROWS, st.booleans())
def test_sums_are_those_of_pandas(rows, as_categories):
    frame = pd.DataFrame(rows, columns=["a", "b", "v"]).astype({"v": float})
    frame = sets.coded(frame, ["a", "b"]) if as_categories else frame
    of = sets.number(frame, ["a", "b"])
    by = frame.groupby(["a", "b"], sort=False, dropna=False, observed=True)["v"]
    np.testing.assert_allclose(sorted(of.sum(frame["v"].to_numpy())), sorted(by.sum()))
    np.testing.assert_array_equal(sorted(of.size), sorted(by.size()))
    np.testing.assert_array_equal(sorted(of.max(frame["v"].to_numpy())), sorted(by.max()))
    np.testing.assert_array_equal(sorted(of.min(frame["v"].to_numpy())), sorted(by.min()))
    assert (of.of[of.first] == np.arange(len(of))).all()


def test_many_keys_do_not_overflow():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"k{i}": rng.integers(0, 10**6, 1000) for i in range(8)})
    frame = pd.concat([frame, frame])
    assert len(sets.number(frame, list(frame))) == 1000


def test_pairs_are_those_of_a_merge():
    cells = random_cells(1)
    one, two = sets.pairs(cells, REFERENCES, gaps.PLACE)
    merged = gaps.against_reference(cells, pd.Series({"met": "proportion"}), REFERENCES)
    np.testing.assert_array_equal(cells["n"].to_numpy()[one], merged["n"])
    np.testing.assert_array_equal(cells["n"].to_numpy()[two], merged["reference_n"])


def test_lookup_and_words():
    column = pd.Series(["a", "b", None, "z"])
    assert sets.lookup(column, pd.Series({"a": 1.5, "b": 2.0})).astype(float).fillna(-1).tolist() == [1.5, 2.0, -1, -1]
    assert sets.is_school(pd.Series(["school:A", "faculty:B", "university"])).tolist() == [True, False, False]
    said = sets.said([np.array([True, False, False]), pd.Series([True, True, False])], ["one", "two"], default="none")
    assert list(said) == ["one", "two", "none"]


def test_rows_are_found_by_their_keys_whatever_their_categories():
    table = sets.coded(pd.DataFrame({"unit": ["a", "b", "b"], "level": ["UG", "UG", "all"]}), ["unit", "level"])
    frame = pd.DataFrame({"unit": ["b", "c", "a", "b"], "level": ["all", "UG", "all", "UG"]})
    for wanted in (frame, sets.coded(frame, ["unit"])):
        assert list(sets.find(wanted, table, ["unit", "level"])) == [2, -1, -1, 1]
    assert list(sets.find(frame[:0], table, ["unit", "level"])) == []
    assert list(sets.find(frame, table[:0], ["unit", "level"])) == [-1] * 4
