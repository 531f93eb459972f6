"""Generating: the same bytes each time, the promised sizes, and nothing of anyone else's touched."""

import hashlib
import json

import pytest

from pipelines.errors import InputError
from pipelines.example import generate, one_year
from tests.example.conftest import SEED, STUDENTS, YEARS


def digests(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_numbers_give_the_same_bytes(example, tmp_path):
    generate(tmp_path, STUDENTS, YEARS, SEED)
    assert digests(tmp_path) == digests(example.folder)


def test_another_seed_gives_another_university(example, tmp_path):
    generate(tmp_path, STUDENTS, YEARS, SEED + 1)
    ours, theirs = digests(example.folder), digests(tmp_path)
    assert ours.keys() == theirs.keys()
    assert ours["meetings_2025-26.csv"] != theirs["meetings_2025-26.csv"]


def test_years_are_whole_ones_and_the_one_in_progress(example):
    assert example.planted["academic_years"] == ["2023/24", "2024/25", "2025/26", "2026/27"]
    assert sorted(example.extract("calendar")["academic_year"]) == example.planted["academic_years"]
    assert example.planted["data_through"] == "2026-11-27" == example.sources["as_of"].isoformat()


def test_every_year_has_the_enrolments_asked_for(example):
    enrolments = example.good("enrolments")
    assert not enrolments.duplicated(["student_id", "academic_year", "school_code"]).any()
    assert enrolments.groupby("academic_year").size().eq(STUDENTS).all()
    assert enrolments["school_code"].nunique() == 28


def test_a_university_written_in_many_pieces_fits_together(tmp_path, monkeypatch):
    monkeypatch.setattr(one_year, "PIECE", 300)
    made = generate(tmp_path, students=2000, years=1, seed=1)
    assert made.rows["enrolments"] > 2 * 2000
    refs = [line.split(b",", 2)[:2] for line in (tmp_path / "meetings_2026-27.csv").read_bytes().splitlines()]
    files = json.loads((tmp_path / "truth" / "planted.json").read_text(encoding="utf-8"))["files"]
    duplicates = sum(f["duplicates"] for f in files if f["file"] == "meetings_2026-27.csv")
    assert len(refs) - duplicates == len({tuple(ref) for ref in refs})


def test_a_smaller_example_replaces_a_larger_one_and_leaves_other_files_alone(tmp_path):
    (tmp_path / "README.md").write_text("mine")
    generate(tmp_path, students=1500, years=2, seed=1)
    generate(tmp_path, students=1500, years=1, seed=1)
    assert not (tmp_path / "meetings_2024-25.csv").exists()
    assert not (tmp_path / "unfinished").exists()
    assert (tmp_path / "README.md").read_text() == "mine"


@pytest.mark.parametrize("mapping", [None, 'university = "Real"\n', "not toml ["])
def test_extracts_that_are_not_the_examples_are_never_replaced(tmp_path, mapping):
    (tmp_path / "meetings_2025-26.csv").write_text("real")
    if mapping:
        (tmp_path / "sources.toml").write_text(mapping)
    with pytest.raises(InputError, match="choose another folder"):
        generate(tmp_path, students=1500, years=1)
    assert (tmp_path / "meetings_2025-26.csv").read_text() == "real"


@pytest.mark.parametrize(("students", "years"), [(10, 1), (2000, 0)])
def test_a_university_too_small_is_refused(tmp_path, students, years):
    with pytest.raises(InputError, match="at least"):
        generate(tmp_path, students, years)
