"""What a run makes of every kind of bad input: a named error and no release, or a reconciled release.

What is read as if it were not spoilt (as test_reading shows) makes the same release, so it is not run. Of what is read
otherwise, each kind goes all the way to a release once, and all the rest through the checks.
"""

import duckdb
import pytest
from rich.console import Console

from pipelines import commands, publish, warehouse
from pipelines.progress import Progress
from pipelines.run import check_only
from pipelines.settings import Settings
from tests.bad_input.cases import CASES
from tests.bad_input.tiny import tables, tiny_university

ERRORS = [case for case in CASES if case.expect == "error"]
OTHERS = [case for case in CASES if case.expect != "error" and not case.is_read_as_before]
ALL_THE_WAY = ("header only", "too few fields", "orphan meeting", "Likert 0")


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("APT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("APT_KEY_FILE", str(tmp_path / "keys" / "pseudonym.key"))
    return Settings()


@pytest.mark.parametrize("case", ERRORS, ids=str)
def test_an_error_is_named_and_nothing_is_published(case, settings, capsys):
    code, said = run(case, settings, capsys)
    assert code == 1
    assert case.message in said.err
    assert publish.current(settings) is None
    assert not (settings.warehouse / warehouse.UNFINISHED).exists()


def run(case, settings, capsys):
    """Run the command on the spoilt university: its exit code, and what it said without naming anybody."""
    mapping = tiny_university(settings.inbox)
    case.spoil(mapping.parent)
    code = commands.main(["run"])
    said = capsys.readouterr()
    for unwanted in ("Traceback", "S0001", "someone@example.org"):
        assert unwanted not in said.out + said.err
    return code, said


@pytest.mark.parametrize("case", [case for case in OTHERS if case.name in ALL_THE_WAY], ids=str)
def test_a_release_is_made_of_the_good_rows(case, settings, capsys):
    code, said = run(case, settings, capsys)
    assert code == 0, said.err
    release = settings.published / publish.current(settings) / "university.duckdb"
    with duckdb.connect(release, read_only=True) as con:
        files, checks = (con.execute(f'select * from "{table}"').df() for table in ("reconciliation", "check"))
    assert_reconciled(case, files, checks, settings.warehouse / warehouse.QUARANTINE)


@pytest.mark.parametrize("case", [case for case in OTHERS if case.name not in ALL_THE_WAY], ids=str)
def test_the_checks_set_bad_rows_aside(case, settings):
    mapping = tiny_university(settings.inbox)
    case.spoil(mapping.parent)
    tables = check_only(mapping, settings, Progress(Console(quiet=True))).tables
    quarantine = settings.warehouse / warehouse.QUARANTINE_OF_CHECK
    assert_reconciled(case, tables["reconciliation"], tables["check"], quarantine)


def assert_reconciled(case, files, checks, quarantine):
    """Every row is loaded or in quarantine, and those in quarantine are listed under the case's expectation."""
    assert (files["rows_read"] == files["rows_loaded"] + files["rows_quarantined"] + files["duplicates_dropped"]).all()
    of_table = files[files["table_name"] == case.table]
    written = len(tables()[case.table])
    if case.expect == "quarantine":
        assert of_table["rows_read"].sum() == written
        assert of_table["rows_quarantined"].sum() == case.rows
        if case.rule:
            assert case.rule in set(checks.loc[(checks["severity"] == "row-level") & ~checks["passed"], "expectation"])
        listed = quarantine.read_text(encoding="utf-8").splitlines()
        assert sum(line.startswith(f"{case.table},") for line in listed) == case.rows
    else:
        assert of_table["rows_read"].sum() == (written if case.rows is None else case.rows)
        assert files["rows_quarantined"].sum() == 0
