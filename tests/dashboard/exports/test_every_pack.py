"""All packs of all scopes at once tell no more than the release, which was attacked before it was published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dashboard.exports.scope import command_line
from dashboard.exports.story import Request, told
from dashboard.published import open_release
from tests.dashboard.exports.held import compared, scopes

YEAR = "2025/26"


def test_no_number_of_any_pack_is_hidden_in_the_release(
    sample_with_faculties: Path, serve: Callable[[Path], None]
) -> None:
    serve(sample_with_faculties)
    release = open_release(command_line("university"))
    every = scopes(release)
    assert len(every) > 6
    numbers = [compared(release, told(open_release(command_line(scope)), Request(scope, YEAR))) for scope in every]
    assert sum(numbers) > 5_000
