"""Between two weeks that a curve is shown at, no few people are seen to arrive: not of a group, nor of the others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.disclosure.steps import weeks_shown

FEWEST = 10


@st.composite
def families(draw):
    """Curves of several families: cumulative counts, their family and last week, and which are hidden."""
    weeks = draw(st.integers(1, 12))
    met, family, last, hidden = [], [], [], []
    for number in range(draw(st.integers(1, 3))):
        end = draw(st.integers(0, weeks - 1))
        for _ in range(draw(st.integers(1, 5))):
            arrive = draw(st.lists(st.integers(0, draw(st.sampled_from([1, 5, 40]))), min_size=weeks, max_size=weeks))
            met.append(np.cumsum(arrive))
            family.append(number)
            last.append(end)
            hidden.append(draw(st.booleans()))
    return np.array(met, float), np.array(family), np.array(last), np.array(hidden)


def arrivals(met, shown, last):
    """How many arrive up to the first week shown, and from each to the next."""
    weeks = [w for w in range(last + 1) if shown[w]]
    return np.diff([0, *(met[w] for w in weeks)])


@given(families())
def test_enough_arrive_of_each_group_and_of_the_others_together(case):
    met, family, last, hidden = case
    shown = weeks_shown(met, family, last, hidden, FEWEST)
    assert not shown[hidden].any()
    for curve in np.flatnonzero(~hidden):
        assert shown[curve, last[curve]], "the share who met in all is shown anyway"
        assert not shown[curve, last[curve] + 1 :].any()
        if shown[curve].sum() > 1:
            assert (arrivals(met[curve], shown[curve], last[curve]) >= FEWEST).all()
    for number in np.unique(family):
        own = family == number
        told = own & (shown.sum(axis=1) > 1)
        if not told.any():
            continue
        weeks = {tuple(week) for week in shown[told].tolist()}
        assert len(weeks) == 1, "groups are shown at the same weeks"
        others, end = met[own & ~told].sum(axis=0), last[own][0]
        if others[end]:
            assert (arrivals(others, weeks.pop(), end) >= FEWEST).all(), "everyone less the groups shown"


def test_a_week_in_which_one_student_arrives_is_not_seen():
    met = np.array([[12.0, 30, 31, 50], [15.0, 40, 40, 60]])
    shown = weeks_shown(met, np.zeros(2, int), np.array([3, 3]), np.zeros(2, bool), FEWEST)
    assert shown.tolist() == [[True, True, False, True]] * 2


def test_a_group_of_few_shows_its_end_alone_and_takes_the_smallest_other_with_it():
    met = np.array([[20.0, 60], [20.0, 40], [3.0, 6]])
    shown = weeks_shown(met, np.zeros(3, int), np.array([1, 1, 1]), np.zeros(3, bool), FEWEST)
    assert shown.tolist() == [[True, True], [False, True], [False, True]]


@pytest.mark.parametrize("hidden", [True, False])
def test_where_nobody_is_protected_every_week_is_shown(hidden):
    met = np.array([[1.0, 2, 3]])
    shown = weeks_shown(met, np.zeros(1, int), np.array([2]), np.array([hidden]), 1)
    assert shown.tolist() == [[not hidden] * 3]
