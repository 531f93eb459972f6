"""All packs of all scopes at once tell no more than the release, which was attacked before it was published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from dashboard.exports.scope import command_line
from dashboard.exports.story import Request, told
from dashboard.published import open_release
from tests.dashboard.exports.held import columns_of, held, key_of

YEAR = "2025/26"


def test_no_number_of_any_pack_is_hidden_in_the_release(
    sample_with_faculties: Path, serve: Callable[[Path], None]
) -> None:
    serve(sample_with_faculties)
    release = open_release(command_line("university"))
    files = (sample_with_faculties / "published" / release.name).glob("faculty-*.duckdb")
    faculties = [f"faculty:{path.stem.removeprefix('faculty-')}" for path in files]
    scopes = ["university", *faculties, *release.units.index[release.units["parent"].isin(faculties)]]
    assert len(scopes) > 6
    compared = 0
    for scope in scopes:
        story = told(open_release(command_line(scope)), Request(scope, YEAR))
        for figure in story.figures:
            rows = held(release, figure)
            for _, row in figure.numbers.iterrows():
                own = rows[key_of(release, row)]
                numbers = {column: row[name] for name, column in columns_of(row).items()}
                shown = {column: value for column, value in numbers.items() if pd.notna(value)}
                if own["status"] != "shown":
                    assert not [v for v in shown.values() if isinstance(v, int | float)], (scope, figure.key)
                else:
                    assert shown == {column: own[column] for column in shown}, (scope, figure.key)
                compared += len(shown)
    assert compared > 5_000
