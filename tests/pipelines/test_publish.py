"""A release is written once, switched to in one step, kept a while, and can be gone back to."""

import shutil
import subprocess
import sys
from datetime import date
from itertools import count

import duckdb
import pandas as pd
import pytest

from pipelines import catalogue, publish
from pipelines import definitions as definition_files
from pipelines.measure import measure, terms
from pipelines.model import Modelled
from pipelines.protect import rounded, small_cells
from pipelines.settings import ROOT

DEFINITIONS = definition_files.load()
NUMBERS = count()
PRESENT = {name: frozenset(t.columns) for name, t in DEFINITIONS.tables.items()}
CHECKS = {
    name: pd.DataFrame({"table_name": pd.Series([], dtype="string")})
    for name in ("check", "reconciliation", "quarantine")
}


def modelled(in_progress=True):
    rows = [
        ("2025/26", "to_date", "all", unit, "sex", group, "any_meeting", n, x, x, n, n, x, x, n - x)
        for unit in ("university", "school:A")
        for group, n, x in (("Female", 200, 150), ("Male", 180, 140), ("Other", 4, 2), ("Unknown", 30, 20))
    ]
    cells = pd.DataFrame(
        rows,
        columns=["academic_year", "part", "level", "unit", "characteristic", "group", "metric",
                 "n", "sx", "sxx", "sy", "syy", "sxy", "have_some", "lack_some"],
    )  # fmt: skip
    periods = pd.DataFrame(
        {
            "academic_year": ["2024/25", "2024/25", "2025/26"],
            "part": ["to_date", "year", "to_date"],
            "through_week": [9, 30, 9],
            "in_progress": [False, False, True],
            "has_groups": True,
        }
    )
    if not in_progress:
        periods = periods[periods["part"] == "year"]
    schools = pd.DataFrame(
        {
            "school_code": ["A"],
            "school_name": ["School of Art"],
            "faculty_code": ["F"],
            "faculty_name": ["Faculty of Arts"],
        }
    )
    return Modelled(cells, periods, schools, date(2025, 11, 28))


def make_release(settings, example=True, **kinds):
    made = modelled(**kinds)
    hidden = small_cells(made.cells, DEFINITIONS, settings)
    measured = measure(made.cells, hidden, terms(DEFINITIONS, made.schools, settings))
    safe = rounded(measured, DEFINITIONS, settings)
    source = catalogue.Source("University of Somewhere", example)
    release = f"{publish.new_name()[:-4]}{next(NUMBERS):04x}"  # in order, also within a second
    publish.publish(release, safe, made, CHECKS, DEFINITIONS, PRESENT, source, settings)
    return release


def read(settings, sql):
    with duckdb.connect(settings.published / publish.current(settings) / "university.duckdb", read_only=True) as con:
        return con.execute(sql).fetchall()


def test_text_is_stored_as_text_and_what_is_missing_as_null(settings):
    make_release(settings)
    files = list((settings.published / publish.current(settings)).glob("*.duckdb"))
    assert len(files) == 2
    for file in files:
        with duckdb.connect(file, read_only=True) as con:
            types = con.execute("select data_type from duckdb_columns() where table_name = 'unit'").fetchall()
            coded = con.execute("select count(*) from duckdb_columns() where data_type like 'ENUM%'").fetchall()
        assert [kind for (kind,) in types] == ["VARCHAR"] * 5 + ["BIGINT"]
        assert coded == [(0,)]
    assert read(settings, "select parent, kind from unit order by ordering") == [
        (None, "university"), ("university", "faculty"), ("faculty:F", "school"),
    ]  # fmt: skip
    assert read(settings, "select count(*) from metric where unavailable_because is not null") == [(0,)]


def test_a_release_is_in_force_once_published(settings):
    release = make_release(settings)
    assert publish.current(settings) == release
    assert publish.releases(settings) == [release]
    assert read(settings, "select university, source, grade, current_year, current_week from release") == [
        ("University of Somewhere", "example", "protected", "2025/26", 9)
    ]
    assert read(settings, "select short_name from unit order by ordering") == [
        ("University of Somewhere",), ("Arts",), ("Art",)
    ]  # fmt: skip


def test_an_example_never_takes_the_place_of_real_figures(settings):
    example, real = (catalogue.Source("Anywhere", example) for example in (True, False))
    publish.only_real_after_real(example, settings)
    make_release(settings)
    for source in (example, real):
        publish.only_real_after_real(source, settings)
    make_release(settings, example=False)
    publish.only_real_after_real(real, settings)
    with pytest.raises(publish.ReleaseError, match="a data folder of its own"):
        publish.only_real_after_real(example, settings)
    (settings.published / publish.current(settings) / "faculty-F.duckdb").unlink()
    with pytest.raises(publish.ReleaseError, match="a data folder of its own"):
        publish.only_real_after_real(example, settings)
    make_release(settings, example=False)
    (settings.published / publish.current(settings) / "university.duckdb").write_bytes(b"damaged")
    with pytest.raises(publish.ReleaseError, match="a data folder of its own"):
        publish.only_real_after_real(example, settings)


def test_small_cells_and_their_gaps_have_no_figures(settings):
    make_release(settings)
    figures = read(settings, """select base, value, lower, upper, status from cell where "group" = 'Other'""")
    assert figures == [(None, None, None, None, "suppressed")] * 2
    gap = read(
        settings,
        """select base, reference_base, value, lower, upper, p_adjusted, status from gap where "group" = 'Other'""",
    )
    assert gap == [(None,) * 6 + ("suppressed",)] * 2


def test_shown_figures_are_rounded(settings):
    make_release(settings)
    shown = read(
        settings,
        """select base, value, lower, upper from cell where "group" = 'Female' and unit = 'university'""",
    )
    assert shown == [(200, 75.0, 68.0, 81.0)]  # Wilson: 68.57 to 80.49


def test_unknown_is_shown_and_never_compared(settings):
    make_release(settings)
    assert read(settings, """select distinct status from cell where "group" = 'Unknown'""") == [("shown",)]
    assert read(settings, """select count(*) from gap where "group" = 'Unknown'""") == [(0,)]


def test_the_period_opened_first_is_the_year_in_progress(settings):
    make_release(settings)
    assert read(settings, "select label, through_week from period where is_current") == [("2025/26 to week 9", 9)]
    assert read(settings, "select count(*) from period where is_current") == [(1,)]


def test_without_a_year_in_progress_the_last_whole_year_opens(settings):
    make_release(settings, in_progress=False)
    assert read(settings, "select label, through_week from period where is_current") == [("2024/25", None)]
    assert read(settings, "select current_year, current_week from release") == [(None, None)]


def test_only_the_last_releases_are_kept_and_the_one_in_force_among_them(settings):
    settings = settings.model_copy(update={"keep_releases": 2})
    older = [rename_to_older(settings, make_release(settings), second) for second in range(3)]
    assert publish.releases(settings) == older[1:]
    newest = make_release(settings)
    assert publish.releases(settings) == [older[2], newest]
    assert publish.current(settings) == newest


def rename_to_older(settings, release, second):
    """Releases made within one second sort by their random ending; give each its own second."""
    name = f"2000-01-01T00000{second}Z-0000"
    (settings.published / release).rename(settings.published / name)
    with duckdb.connect(settings.published / name / "university.duckdb") as con:
        con.execute("update release set release = ?", [name])
    publish.switch(settings, name)
    return name


def test_rollback_puts_an_earlier_release_in_force(settings):
    first, second = make_release(settings), make_release(settings)
    assert publish.current(settings) == second
    publish.rollback(settings, first)
    assert publish.current(settings) == first


def test_rollback_to_an_unknown_release_names_those_kept(settings):
    release = make_release(settings)
    with pytest.raises(publish.ReleaseError, match=release):
        publish.rollback(settings, "2001-01-01T000000Z-gone")
    with pytest.raises(publish.ReleaseError):
        publish.rollback(settings, "../inbox")


def _not_a_database(settings, release):
    (settings.published / release / "university.duckdb").write_bytes(b"half")


def _without_its_file(settings, release):
    (settings.published / release / "university.duckdb").unlink()


def _without_a_faculty_s(settings, release):
    (settings.published / release / "faculty-F.duckdb").unlink()


def _another_release_s(settings, release):
    shutil.copy(settings.published / publish.current(settings) / "university.duckdb", settings.published / release)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_not_a_database, "cannot be read"),
        (_without_its_file, "university.duckdb is missing"),
        (_without_a_faculty_s, "faculty-F.duckdb is missing"),
        (_another_release_s, "another release's"),
    ],
)
def test_rollback_refuses_a_damaged_release(settings, damage, said):
    first, second = make_release(settings), make_release(settings)
    damage(settings, first)
    with pytest.raises(publish.ReleaseError, match=said):
        publish.rollback(settings, first)
    assert publish.current(settings) == second
    assert said in publish.damage(settings, first)
    assert publish.damage(settings, second) is None


@pytest.mark.parametrize("name", ["backup", "2000-01-01T000000Z-test", "2000-01-01T000000Z-0000"])
def test_rollback_refuses_what_is_no_release(settings, name):
    release = make_release(settings)
    if name.endswith("0000"):
        (settings.published / name).symlink_to(settings.published / release)
    else:
        shutil.copytree(settings.published / release, settings.published / name)
    with pytest.raises(publish.ReleaseError, match="There is no release"):
        publish.rollback(settings, name)
    assert publish.releases(settings) == [release]


def test_rollback_waits_for_no_run_under_way(settings):
    first, second = make_release(settings), make_release(settings)
    with publish.only_run(settings), pytest.raises(publish.ReleaseError, match="under way"):
        publish.rollback(settings, first)
    assert publish.current(settings) == second


HOLD = """
import sys, time
from pathlib import Path
from pipelines.publish import only_run
from pipelines.settings import Settings

with only_run(Settings(data=Path(sys.argv[1]))):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_run_says_so_and_leaves(settings):
    command = [sys.executable, "-c", HOLD, str(settings.data)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout.readline() == "held\n"
            with pytest.raises(publish.ReleaseError, match="Another run is under way"), publish.only_run(settings):
                pass
        finally:
            other.kill()  # a killed run must not lock the next one out
    with publish.only_run(settings):
        pass


def test_leftovers_of_a_stopped_run_are_cleared_and_releases_are_not(settings):
    release = make_release(settings)
    leftover = settings.published / f"{publish.UNFINISHED}x"
    leftover.mkdir()
    (leftover / "university.duckdb").write_bytes(b"half")
    assert publish.releases(settings) == [release]
    publish.clear_unfinished(settings)
    assert not leftover.exists()
    assert publish.releases(settings) == [release]
