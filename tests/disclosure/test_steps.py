"""Between two weeks that a curve is shown at, no few people are seen to arrive: not of a group, nor of the others."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.disclosure.steps import weeks_shown

FEWEST = 10


@st.composite
def families(draw):
    """Curves of several families, some with a part to date: cumulative counts, family, year, last week, a week that is
    known, and which are hidden.
    """
    weeks = draw(st.integers(1, 12))
    rows = []
    for number in range(draw(st.integers(1, 3))):
        end = draw(st.integers(0, weeks - 1))
        reached = draw(st.integers(-1, end - 1))
        for _ in range(draw(st.integers(1, 5))):
            arrive = draw(st.lists(st.integers(0, draw(st.sampled_from([1, 5, 40]))), min_size=weeks, max_size=weeks))
            met = np.cumsum(arrive)
            rows.append((met, 2 * number, number, end, reached, draw(st.booleans())))
            if reached >= 0:
                rows.append((met, 2 * number + 1, number, reached, -1, draw(st.booleans())))
    met, *others = zip(*rows, strict=True)
    return np.array(met, float), *map(np.array, others)


def arrivals(met, shown, last):
    """How many arrive up to the first week shown, and from each to the next."""
    weeks = [w for w in range(last + 1) if shown[w]]
    return np.diff([0, *(met[w] for w in weeks)])


@given(families())
def test_enough_arrive_of_each_group_and_of_the_others_together(case):
    met, family, year, last, known, hidden = case
    shown = weeks_shown(met, family, year, last, known, hidden, FEWEST)
    assert not shown[hidden].any()
    for curve in np.flatnonzero(~hidden):
        assert shown[curve, last[curve]], "the share who met in all is shown anyway"
        assert not shown[curve, last[curve] + 1 :].any()
    for number in np.unique(family):
        own = family == number
        (end,), (at,) = {*last[own]}, {*known[own]}
        told = own & ~hidden & (np.delete(shown, [end, at] if at >= 0 else [end], axis=1).sum(axis=1) > 0)
        if not told.any():
            continue
        weeks = {tuple(week) for week in shown[told].tolist()}
        assert len(weeks) == 1, "groups are shown at the same weeks"
        seen = np.array(weeks.pop())
        of_the_year = shown[year == year[own][0]].any(axis=0) & (np.arange(len(seen)) <= end)
        apart = [w for w in np.flatnonzero(of_the_year) if seen[w] or w == at]
        for line in [*met[told], met[own & ~told].sum(axis=0)]:
            steps = np.diff([0, *line[apart]])
            free = [step for step, w in zip(steps, apart, strict=True) if w not in (at, end)]
            assert min(free, default=FEWEST) >= FEWEST or not line[end]
            for first, second in pairwise(apart):
                assert not line[end] or line[second] - line[first] >= FEWEST or {first, second} <= {at, end}


def of_one_place(met, hidden=False, fewest=FEWEST):
    rows, weeks = met.shape
    none, place = np.full(rows, -1), np.zeros(rows, int)
    return weeks_shown(met, place, place, np.full(rows, weeks - 1), none, np.full(rows, hidden), fewest)


def test_the_week_reached_is_known_from_the_part_to_date_and_no_other_is_shown_near_it():
    year = np.array([10.0, 20, 35, 40, 55, 70])
    met, numbers = np.array([year, year]), np.array([0, 1])
    last, known, hidden = np.array([5, 3]), np.array([3, -1]), np.zeros(2, bool)
    shown = weeks_shown(met, numbers, np.zeros(2, int), last, known, hidden, FEWEST)
    assert shown.tolist() == [[True, True, False, True, True, True], [True, True, False, True, False, False]]


def test_a_week_in_which_one_student_arrives_is_not_seen():
    met = np.array([[12.0, 30, 31, 50], [15.0, 40, 40, 60]])
    shown = of_one_place(met)
    assert shown.tolist() == [[True, True, False, True]] * 2


def test_a_group_of_few_shows_its_end_alone_and_takes_the_smallest_other_with_it():
    met = np.array([[20.0, 60], [20.0, 40], [3.0, 6]])
    shown = of_one_place(met)
    assert shown.tolist() == [[True, True], [False, True], [False, True]]


@pytest.mark.parametrize("hidden", [True, False])
def test_where_nobody_is_protected_every_week_is_shown(hidden):
    met = np.array([[1.0, 2, 3]])
    shown = of_one_place(met, hidden=hidden, fewest=1)
    assert shown.tolist() == [[not hidden] * 3]
