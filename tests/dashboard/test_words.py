"""Numbers and statuses read the same everywhere."""

from __future__ import annotations

from datetime import date

import pandas as pd

from dashboard.style import words

PERCENT = {"decimals": 0, "suffix": "%", "gap_suffix": " points"}
MEAN = {"decimals": 1, "suffix": "", "gap_suffix": ""}


def test_numbers_carry_commas_and_a_real_minus() -> None:
    assert words.number(1234.4) == "1,234"
    assert words.number(-3) == "−3"
    assert words.number(-0.04, 1) == "0.0"
    assert words.about(1235) == "about 1,235"


def test_values_and_differences_carry_their_unit() -> None:
    assert words.value(78, PERCENT) == "78%"
    assert words.value(2.44, MEAN) == "2.4"
    assert words.size(-1, PERCENT) == "1 point"
    assert words.size(-9, PERCENT) == "9 points"
    assert words.gap_interval(-11, 2, PERCENT) == "−11 to +2 points"
    assert words.gap_interval(-7.7, -0.4, PERCENT) == "−7.7 to −0.4 points", "never as touching 0"
    assert words.gap_interval(-8, 0, PERCENT) == "−8 to 0 points"
    assert words.signed(0, MEAN) == "0.0"


def test_differences_keep_their_direction_in_words() -> None:
    assert words.difference(-6, -8, -5, PERCENT) == "6 points lower (5 to 8 points)"
    assert (
        words.difference(1, -1, 2, PERCENT, " for A than for B")
        == "1 point higher for A than for B (1 lower to 2 points higher)"
    )
    assert words.difference(0.2, -3, 2, PERCENT) == "no higher or lower (3 lower to 2 points higher)"
    assert words.difference(4, 0.4, 7.7, PERCENT) == "4 points higher (0.4 to 7.7 points)"
    assert words.sides(-10, -2, PERCENT) == "2 to 10 points lower"


def test_hidden_cells_are_words_not_blanks() -> None:
    assert words.shown({"status": "suppressed", "value": None}, PERCENT) == "hidden to protect people"
    assert words.shown({"status": "none", "value": None}, PERCENT) == "no figure"
    assert words.shown_interval({"status": "suppressed"}, PERCENT) == "–"
    assert words.shown_base({"status": "suppressed", "base": 5}) == "–"


def test_lists_read_as_sentences() -> None:
    assert words.listed([]) == ""
    assert words.listed(["A"]) == "A"
    assert words.listed(["A", "B", "C"]) == "A, B and C"
    assert words.plural(1, "school") == "one school"
    assert words.plural(12, "school") == "12 schools"


def test_small_shares_are_not_called_none() -> None:
    assert words.share(0, 10) == "none"
    assert words.share(1, 1_000_000) == "under 0.1%"
    assert words.share(2, 1000) == "0.2%"


def test_no_date_is_said_not_formatted() -> None:
    for nothing in (None, pd.NaT):
        assert words.day(nothing) == "no date"
        assert words.moment(nothing) == "no date"
        assert words.data_through(nothing) == "no meetings on record"
    assert words.data_through(date(2026, 11, 27)) == "data through 27 November 2026"
