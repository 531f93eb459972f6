"""A real public extract (OULAD), with nothing but a mapping, reaches a published release, reconciled to the row."""

import os
import shutil
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from pipelines import commands, definitions, publish, sources
from pipelines.settings import ROOT, Settings

EXAMPLE = ROOT / "docs" / "examples" / "oulad"
DATASET = Path(os.environ.get("OULAD", ROOT.parent / "shared" / "real" / "oulad"))


def test_the_example_mapping_fits_the_contract() -> None:
    sources.load(EXAMPLE / "sources.toml").verify(definitions.load())


def taught() -> int:
    """How many of the dataset's enrolments had not ended before the teaching of their year, nor began after it."""
    enrolments = pd.read_csv(DATASET / "enrolments.csv.gz")
    enrolments = enrolments.merge(pd.read_csv(EXAMPLE / "calendar.csv"), on="academic_year")
    began, left = (
        pd.to_datetime(enrolments[c], format="%d/%m/%Y") for c in ("date_registration", "date_unregistration")
    )
    there = left.isna() | (left >= pd.to_datetime(enrolments["teaching_start"]))
    return int((there & (began.isna() | (began <= pd.to_datetime(enrolments["teaching_end"])))).sum())


@pytest.mark.skipif(not DATASET.is_dir(), reason="the dataset is not here; OULAD may name its folder")
def test_the_dataset_reaches_a_release(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APT_DATA", str(settings.data))
    monkeypatch.setenv("APT_KEY", "a key for tests that is long enough")
    shutil.copytree(EXAMPLE, settings.inbox)
    for extract_file in DATASET.glob("*.csv.gz"):
        (settings.inbox / extract_file.name).symlink_to(extract_file)
    assert commands.main(["run"]) == 0

    release = publish.current(settings)
    assert release is not None
    with duckdb.connect(settings.published / release / "university.duckdb", read_only=True) as con:
        counts = con.execute("""
            select table_name, sum(rows_read), sum(rows_loaded) + sum(rows_quarantined) + sum(duplicates_dropped)
            from reconciliation group by table_name
        """).fetchall()
        read = {table: (rows, accounted) for table, rows, accounted in counts}
        assert read["enrolments"] == (32_593, 32_593)
        assert read["meetings"] == (173_912, 173_912)
        assert con.execute("select count(*) from unit where kind = 'school'").fetchall() == [(13,)]
        met = con.execute("""
            select base from cell
            where unit = 'university' and level = 'all' and characteristic = 'all' and metric = 'any_meeting'
                and part <> 'pooled'
            order by academic_year
        """).fetchall()
        assert sum(base for (base,) in met) == pytest.approx(taught(), abs=5 * len(met))
        missing = con.execute("select unavailable_because from metric where metric = 'trust'").fetchall()
        assert missing == [("there is no feedback extract",)]
