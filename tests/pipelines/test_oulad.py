"""The documented example mapping: valid as it stands, and right on the real extract where that is at hand."""

import os
import shutil
from pathlib import Path

import duckdb
import pytest

from pipelines import definitions, sources
from pipelines.extract import extract
from pipelines.pseudonymise import pseudonymise
from pipelines.settings import ROOT, Settings

EXAMPLE = ROOT / "docs" / "examples" / "oulad"
DEFINITIONS = definitions.load()


def test_the_example_mapping_fits_the_contract() -> None:
    sources.load(EXAMPLE / "sources.toml").verify(DEFINITIONS)


@pytest.mark.skipif("OULAD" not in os.environ, reason="OULAD names no folder with the dataset")
def test_the_dataset_is_read_to_the_row(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    shutil.copytree(EXAMPLE, inbox)
    for extract_file in Path(os.environ["OULAD"]).glob("*.csv.gz"):
        (inbox / extract_file.name).symlink_to(extract_file)
    with duckdb.connect() as con:
        extracted = extract(con, sources.load(inbox / "sources.toml"), DEFINITIONS, Settings())
        pseudonymise(con, DEFINITIONS, extracted, b"a key for tests that is long enough")
        assert (extracted.rows_read("enrolments"), extracted.rows_read("meetings")) == (32_593, 173_912)
        unread = con.execute("""
            select count(*) from input_enrolments
            where start_date_unreadable is not null or end_date_unreadable is not null
                or sex not in ('Female', 'Male') or age_on_entry not in ('Mature', 'Young')
                or disability not in ('Disabled', 'No known disability')
        """).fetchall()
        assert unread == [(0,)]
        quintiles = con.execute("select imd_quintile, count(*) from input_enrolments group by 1 order by 1").fetchall()
        assert [rows for _, rows in quintiles] == [6_827, 7_193, 6_380, 5_784, 5_298, 1_111]
