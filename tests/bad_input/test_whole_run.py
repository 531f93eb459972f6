"""What a whole run makes of every kind of bad input: a named error and no release, or a reconciled release."""

import duckdb
import pytest

from pipelines import __main__ as command_line
from pipelines import publish, warehouse
from pipelines.settings import Settings
from tests.bad_input.cases import CASES
from tests.bad_input.tiny import tables, tiny_university


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("APT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("APT_KEY_FILE", str(tmp_path / "keys" / "pseudonym.key"))
    return Settings()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_whole_run(case, settings, capsys):
    mapping = tiny_university(settings.inbox)
    case.spoil(mapping.parent)
    code = command_line.main(["run"])
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    for identifier in ("S0001", "someone@example.org"):
        assert identifier not in said.out + said.err
    if case.expect == "error":
        assert code == 1
        assert case.message in said.err
        assert publish.current(settings) is None
        assert not (settings.warehouse / warehouse.UNFINISHED).exists()
        return

    assert code == 0, said.err
    release = settings.published / publish.current(settings) / "university.duckdb"
    with duckdb.connect(release, read_only=True) as con:
        files = con.execute("select * from reconciliation").df()
        expectations = con.execute("select * from \"check\" where severity = 'row-level' and not passed").df()
    assert (files["rows_read"] == files["rows_loaded"] + files["rows_quarantined"] + files["duplicates_dropped"]).all()
    of_table = files[files["table_name"] == case.table]
    written = len(tables()[case.table])
    if case.expect == "quarantine":
        assert of_table["rows_read"].sum() == written
        assert of_table["rows_quarantined"].sum() == case.rows
        if case.rule:
            assert case.rule in set(expectations["expectation"])
        listed = (settings.warehouse / warehouse.QUARANTINE).read_text(encoding="utf-8").splitlines()
        assert sum(line.startswith(f"{case.table},") for line in listed) == case.rows
    else:
        assert of_table["rows_read"].sum() == (written if case.rows is None else case.rows)
        assert files["rows_quarantined"].sum() == 0
