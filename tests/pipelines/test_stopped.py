"""What a run says when an error stops it: the step, the cause, and no row."""

import errno
from threading import Event

import duckdb
import pytest

from pipelines import publish, warehouse
from pipelines.engines.duckdb_expectations import ExpectationError
from pipelines.models import ModelError
from pipelines.reconciliation import ReconciliationError
from tests.pipelines.commanding import failing, pipelines


def row_value():
    try:
        duckdb.sql("select cast('S0001' as integer)").fetchall()
    except duckdb.Error as error:
        return error


def model_error():
    error = ModelError("model mart_x failed: Binder Error: no column y\nLINE 1\n\nselect y from z")
    error.__cause__ = duckdb.BinderException("Binder Error: no column y")
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (model_error(), "model mart_x could not be evaluated (Binder Error: no column y)"),
        (ModelError("model mart_x failed: Conversion Error: 'S0001'\n\nselect"), "model mart_x could not"),
        (ExpectationError("expectation a.b could not be evaluated: 'S0001'"), "expectation a.b could not"),
        (ReconciliationError("Rows do not add up"), "Rows do not add up"),
        (OSError(errno.ENOSPC, "No space left on device", "/data/x"), "No space left on device: /data/x"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "/data/x"), "Not a directory: /data/x"),
        (row_value(), "DuckDB could not go on (ConversionException)"),
        (
            duckdb.OutOfMemoryException("Out of Memory Error: 4 GB used"),
            "DuckDB could not go on (Out of Memory Error: 4 GB used)",
        ),
        (KeyError("S0001"), "something unforeseen (KeyError)"),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Exception) else "",
)
def test_any_error_names_its_step_and_cause_and_quotes_no_row(settings, inbox, monkeypatch, capsys, error, said):
    monkeypatch.setattr("pipelines.run.check", failing(error))
    assert pipelines("run") == 1
    err = capsys.readouterr().err
    assert f"Stopped in the step 'check': {said}" in err
    assert len(err.strip().splitlines()) == 2
    for secret in ("S0001", "Traceback", "select"):
        assert secret not in err
    details = settings.warehouse / warehouse.LAST_ERROR
    assert str(details) in err
    assert "Traceback" in details.read_text()
    assert publish.current(settings) is None


@pytest.mark.parametrize("debug", [False, True])
def test_the_whole_error_is_shown_when_asked_for(settings, inbox, monkeypatch, capsys, debug):
    monkeypatch.setattr("pipelines.run.check", failing(model_error()))
    if debug:
        monkeypatch.setenv("APT_DEBUG", "1")
    assert pipelines("run", *([] if debug else ["--verbose"])) == 1
    assert "select y from z" in capsys.readouterr().err


def test_a_data_folder_that_is_a_file_is_named(settings, inbox, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setenv("APT_DATA", str(tmp_path / "file"))
    assert pipelines("run", "--sources", inbox / "sources.toml") == 1
    err = capsys.readouterr().err
    assert "Stopped in 'run': Not a directory" in err
    assert "Traceback" not in err


def test_what_is_counted_meanwhile_does_not_hold_up_a_run_that_stops(settings, inbox, monkeypatch, capsys):
    begun = Event()

    def endless(con, *_):
        begun.set()
        con.execute("select sum(a.range * b.range) from range(10_000_000) as a, range(10_000_000) as b").fetchall()

    def stopped(*_, **__):
        assert begun.wait(60)
        raise ReconciliationError("Rows do not add up")

    monkeypatch.setattr("pipelines.run.follow.count", endless)
    monkeypatch.setattr("pipelines.run.protect", stopped)
    assert pipelines("run") == 1
    assert "Stopped in the step 'protect': Rows do not add up" in capsys.readouterr().err
    assert publish.current(settings) is None


def test_an_error_in_what_is_counted_meanwhile_stops_the_run(settings, inbox, monkeypatch, capsys):
    monkeypatch.setattr("pipelines.run.follow.count", failing(ReconciliationError("Rows do not add up")))
    assert pipelines("run") == 1
    assert "Stopped in the step 'follow': Rows do not add up" in capsys.readouterr().err
    assert publish.current(settings) is None
