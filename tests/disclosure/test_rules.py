"""The primary rules hold at every boundary, and rounding is as published."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.disclosure import rules
from pipelines.settings import Rules

LIMITS = Rules().model_dump(include=set(rules.PRIMARY))


def hidden(metric, n, x, have_some=None, lack_some=None):
    counts = {
        "have_some": [x if have_some is None else have_some],
        "lack_some": [n - x if lack_some is None else lack_some],
    }
    cells = pd.DataFrame({"metric": [metric], "n": [n], "sx": [float(x)], **counts})
    return bool(
        rules.primary(
            cells,
            percentage=frozenset({"trust", "has_tutor", "response_rate"}),
            private=frozenset({"trust", "meetings"}),
            voice=frozenset({"trust"}),
            counts_respondents=frozenset({"response_rate"}),
            **LIMITS,
        )[0]
    )


@pytest.mark.parametrize(
    ("n", "x", "expected"),
    [
        (0, 0, True), (1, 1, True), (9, 5, True), (10, 5, True), (22, 11, True), (23, 11, False), (24, 12, False),
        (100, 0, True), (100, 1, True), (100, 2, True), (100, 3, False),
        (100, 97, False), (100, 98, True), (100, 99, True), (100, 100, True),
    ],
)  # fmt: skip
def test_percentages(n, x, expected):
    assert hidden("trust", n, x) is expected


@pytest.mark.parametrize(("n", "expected"), [(7, True), (8, True), (9, True), (10, False), (11, False)])
def test_means(n, expected):
    assert hidden("meetings", n, 30, have_some=4, lack_some=4) is expected


@pytest.mark.parametrize(("have_some", "lack_some"), [(0, 50), (2, 48), (48, 2), (50, 0)])
def test_a_mean_that_nearly_all_or_nearly_none_share_is_hidden(have_some, lack_some):
    assert hidden("meetings", 50, 120, have_some, lack_some)
    assert not hidden("meetings", 50, 120, 47, 3)


@pytest.mark.parametrize(("answered", "expected"), [(0, True), (9, True), (10, False)])
def test_a_response_rate_on_few_who_answered_is_hidden(answered, expected):
    assert hidden("response_rate", 100, answered) is expected


def test_a_figure_that_says_nothing_private_may_be_near_the_ends():
    assert not hidden("has_tutor", 100, 100)
    assert hidden("has_tutor", 22, 22)


ENDS = st.sampled_from([0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 22, 23, 24])


@st.composite
def counts(draw):
    """A base and how many of it, near every limit from either side."""
    n = draw(ENDS | st.integers(0, 60))
    return n, draw(st.builds(min, st.just(n), ENDS) | st.builds(lambda x: max(n - x, 0), ENDS) | st.integers(0, n))


@given(counts())
@example((23, 3))
@example((23, 20))
@example((23, 21))
@example((22, 11))
def test_a_percentage_is_shown_on_23_with_3_either_side(cell):
    """HESA: no percentage on fewer than 22.5 people. The margin hides what all, or all but one or two, share."""
    n, x = cell
    assert hidden("trust", n, x) is not (n >= 23 and x >= 3 and n - x >= 3)
    assert hidden("has_tutor", n, x) is not (n >= 23)
    assert hidden("trust", n, x) is hidden("trust", n, n - x), "to have it and to lack it are one"


@given(counts())
@example((23, 9))
@example((23, 10))
def test_a_response_rate_is_shown_on_23_of_whom_10_answered(cell):
    n, answered = cell
    assert hidden("response_rate", n, answered) is not (n >= 23 and answered >= 10)


@given(counts(), st.integers(0, 500))
def test_a_mean_is_shown_on_10_with_3_either_side_whatever_its_sum(cell, total):
    n, some = cell
    assert hidden("meetings", n, total, some, n - some) is not (n >= 10 and some >= 3 and n - some >= 3)


@given(counts(), st.sampled_from(["trust", "has_tutor", "response_rate"]), st.integers(0, 20), st.integers(0, 20))
def test_more_people_never_hide_a_figure(cell, metric, having, lacking):
    n, x = cell
    if not hidden(metric, n, x):
        assert not hidden(metric, n + having + lacking, x + having)


@given(st.integers(0, 100_000), st.sampled_from([1, 3, 5, 10]))
def test_a_rounded_count_is_a_multiple_of_the_step_and_the_nearest_one(count, step):
    rounded = rules.to_nearest(pd.Series([count]), step)[0]
    assert rounded % step == 0
    assert -step / 2 < rounded - count <= step / 2, "halves up"


@given(st.integers(-100_000, 100_000), st.integers(0, 3))
def test_a_rounded_value_is_the_nearest_and_halves_go_away_from_0(tenths, decimals):
    """As decimals are rounded, not as floating point holds them."""
    value = tenths / 10 ** (decimals + 1)
    whole, rest = divmod(abs(tenths), 10)
    expected = np.copysign((whole + (rest >= 5)) / 10**decimals, tenths) + 0.0
    assert rules.half_up(pd.Series([value]), decimals)[0] == pytest.approx(expected, abs=1e-12)


# HESA Services Standard Rounding Methodology, and cases that follow from it
@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, 0),
        (1, 0),
        (2, 0),
        (2.4, 0),
        (2.5, 5),
        (3, 5),
        (7, 5),
        (7.4, 5),
        (7.5, 10),
        (12.5, 15),
        (22, 20),
        (22.5, 25),
    ],
)
def test_counts_are_rounded_to_five_halves_up(count, expected):
    assert rules.to_nearest(pd.Series([count]), 5)[0] == expected


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [(0.5, 0, 1), (1.5, 0, 2), (2.5, 0, 3), (28.5, 0, 29), (1.25, 1, 1.3), (-0.5, 0, -1), (-0.4, 0, 0), (-2.5, 0, -3)],
)
def test_halves_go_up(value, decimals, expected):
    assert rules.half_up(pd.Series([value]), decimals)[0] == pytest.approx(expected)


def test_a_percentage_that_is_half_in_decimal_is_half_in_binary_too():
    assert rules.half_up(np.array([0.285 * 100, 0.575 * 100]))[0:2].tolist() == [29, 58]


@given(st.floats(-100, 100), st.floats(0, 50), st.integers(0, 1))
def test_a_rounded_interval_holds_the_exact_one(middle, reach, decimals):
    low, high = rules.down(pd.Series([middle - reach]), decimals), rules.up(pd.Series([middle + reach]), decimals)
    assert low[0] <= middle - reach + 1e-8
    assert high[0] >= middle + reach - 1e-8
