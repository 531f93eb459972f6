"""Findings on a page: what is said first, and the rest."""

from __future__ import annotations

import pytest

from dashboard.told import parted


@pytest.mark.parametrize(
    ("sentence", "short", "rest"),
    [
        ("‘Trust’ is 9 points lower for A than for B (7 to 11; about 20 A); ‘Met’ (3 points) is too.",
         "‘Trust’ is 9 points lower for A than for B.", "95% interval 7 to 11; about 20 A. ‘Met’ (3 points) is too."),
        ("Worth learning from: X (9%, 8% to 10%) and St. Y (7%). The university is at 5%.",
         "Worth learning from: X and St. Y.", "X: 9%, 8% to 10%; St. Y: 7%. The university is at 5%."),
        ("Worth learning from: Z (9%) and X (7%).", "Worth learning from: Z (9%) and X (7%).", ""),
        ("A gap has closed in Law: ‘Met’ was 5 points lower (1 to 9).", "A gap has closed in Law.",
         "‘Met’ was 5 points lower (1 to 9)."),
        ("Eight in ten lie between 5% and 9% (6% to 8% at the least).", "Eight in ten lie between 5% and 9%.",
         "6% to 8% at the least."),
        ("Nothing more.", "Nothing more.", ""),
    ],
)  # fmt: skip
def test_a_finding_is_one_short_sentence_and_the_rest(sentence: str, short: str, rest: str) -> None:
    assert parted(sentence, ["X", "Y", "St. Y"]) == (short, rest)
