"""What the benchmark compares makes the same cells."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipelines import definitions as definition_files
from pipelines.example import generate
from tests import pandas_pipeline, polars_pipeline
from tests.reference_cells import KEY, SUMS

# late corrections, each a changed row at the end of a file: in the file, what, becomes what
CORRECTIONS = [
    ("enrolments_2026-27.csv", ",Undergraduate,", ",Taught postgraduate,"),
    ("meetings_2026-27.csv", ",Attended,", ",DNA,"),
    ("meetings_2026-27.csv", ",DNA,", ",Attended,"),
    ("meetings_2026-27.csv", ",2026-10-", ",2026-13-"),
]


def test_polars_and_pandas_make_the_same_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generate(tmp_path, students=1000, years=1, seed=1)
    for file, old, new in CORRECTIONS:
        _correct(tmp_path / file, old, new)
    definitions = definition_files.load()
    few = {name: definitions.characteristics[name] for name in ("sex", "ethnicity", "ethnicity_broad")}
    monkeypatch.setattr(definition_files, "load", lambda: replace(definitions, characteristics=few))

    expected = pandas_pipeline.run(tmp_path / "sources.toml").sort_values(KEY, ignore_index=True)
    found = polars_pipeline.run(tmp_path / "sources.toml").sort(KEY).to_pandas()

    assert set(expected["part"]) == {"year", "to_date"}
    pd.testing.assert_frame_equal(found[KEY], expected[KEY], check_dtype=False)
    pd.testing.assert_frame_equal(found[SUMS], expected[SUMS], check_dtype=False, rtol=0, atol=1e-9)
    assert list(found["n"]) == list(expected["n"])


def _correct(file: Path, old: str, new: str, rows: int = 40) -> None:
    """Append the last `rows` rows that have `old`, with `new` instead."""
    lines = [line for line in file.read_text(encoding="utf-8-sig").splitlines() if old in line]
    assert len(lines) >= rows
    with file.open("a", encoding="utf-8") as out:
        out.writelines(line.replace(old, new, 1) + "\n" for line in lines[-rows:])
