"""What is made once is shared by those who see the same, and by nobody else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dashboard.access import FACULTY_LEAD, AccessDeniedError, Viewer
from dashboard.kept import keep, kept
from dashboard.published import Release


def test_it_is_made_once_for_whoever_sees_the_same(release: Release) -> None:
    made: list[str] = []

    @kept
    def twice(seen: Release, word: str) -> str:
        made.append(word)
        return word * 2

    other = Viewer(FACULTY_LEAD, "faculty:ENG")
    elsewhere = replace(release, viewer=other, ask=lambda _: other)
    assert [twice(release, "a"), twice(release, "a"), twice(release, "b"), twice(elsewhere, "a")] == [
        "aa",
        "aa",
        "bb",
        "aa",
    ]
    assert made == ["a", "b", "a"]


def test_it_is_refused_to_whoever_may_no_longer_see_it(release: Release) -> None:
    assert keep(release, lambda: "made", "key") == "made"
    demoted = replace(release, ask=lambda _: Viewer(FACULTY_LEAD, "faculty:ENG"))
    with pytest.raises(AccessDeniedError):
        keep(demoted, lambda: "made", "key")
