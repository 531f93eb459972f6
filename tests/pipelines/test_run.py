"""The commands a data team types, from extracts to a release."""

import errno
import io
import os
import re
import shutil
import stat
from contextlib import redirect_stdout
from threading import Event

import duckdb
import pytest

from pipelines import commands, publish, warehouse
from pipelines import definitions as definition_files
from pipelines.disclosure import ledger
from pipelines.engines.duckdb_expectations import ExpectationError
from pipelines.models import ModelError
from pipelines.reconciliation import ReconciliationError
from pipelines.settings import ROOT, Settings
from tests.bad_input.tiny import tiny_university
from tests.dashboard.test_pages import visit


def pipelines(*arguments):
    return commands.main([str(a) for a in arguments])


def run_in(folder, **variables):
    """The command, with data and key in `folder`."""
    paths = {"APT_DATA": folder / "data", "APT_KEY_FILE": folder / "keys" / "pseudonym.key", **variables}
    with pytest.MonkeyPatch.context() as patch:
        for name, path in paths.items():
            patch.setenv(name, str(path))
        assert pipelines("run") == 0
        return Settings()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run on the tiny university that tests may look at, and what it said."""
    folder = tmp_path_factory.mktemp("made")
    tiny_university(folder / "data" / "inbox")
    with redirect_stdout(io.StringIO()) as said:
        settings = run_in(folder)
    return settings, said.getvalue()


@pytest.fixture
def after_run(made, settings, inbox):
    """A copy of it, to go on from."""
    shutil.copytree(made[0].data, settings.data, dirs_exist_ok=True)
    shutil.copytree(made[0].key_file.parent, settings.key_file.parent)
    return settings


def read(settings, sql):
    with duckdb.connect(settings.published / publish.current(settings) / "university.duckdb", read_only=True) as con:
        return con.execute(sql).fetchall()


def test_run_publishes_and_says_what_it_did(made):
    settings, said = made
    release = publish.current(settings)
    steps = ["extract", "pseudonymise", "check", "model", "protect", "attack", "follow", "measure", "publish"]
    assert [word for word in re.findall(r"^(\w+) ", said, re.MULTILINE) if word in steps] == steps
    assert release in said
    assert "Read " in said
    assert read(settings, "select university from release") == [("Tiny University",)]
    counts = "select sum(rows_read), sum(rows_loaded) from reconciliation where table_name = 'enrolments'"
    assert read(settings, counts) == [(40, 40)]


def test_that_extracts_of_the_inbox_are_called_an_example_is_said(made):
    assert "published as an invented university's, which everybody may open" in " ".join(made[1].split())


def test_no_identifier_is_stored_or_said(made):
    settings, said = made
    stored = (settings.warehouse / warehouse.NAME).read_bytes()
    published = (settings.published / publish.current(settings) / "university.duckdb").read_bytes()
    for secret in ("S0001", "S0040", "someone@example.org", "O'Neil", "Talked about exams"):
        assert secret.encode() not in stored + published
        assert secret not in said


def test_warehouse_is_for_its_owner_only(made):
    settings, _ = made
    assert settings.warehouse.stat().st_mode & 0o077 == 0


def test_a_critical_failure_exits_1_and_keeps_the_release_in_force(after_run, settings, inbox, capsys):
    before = publish.current(settings)
    (inbox / "calendar.csv").write_text("academic_year,teaching_start,teaching_end\n2024/25,2025-05-02,2024-09-30\n")
    assert pipelines("check") == 1
    assert pipelines("run") == 1
    assert "calendar" in capsys.readouterr().err
    assert publish.current(settings) == before
    assert not (settings.warehouse / warehouse.UNFINISHED).exists()


@pytest.mark.parametrize("command", ["check", "run"])
def test_what_is_not_there_is_said_at_the_end(settings, inbox, capsys, command):
    (inbox / "tutors.csv").rename(inbox / "staff.csv")
    (inbox / "README.md").touch()
    assert pipelines(command) == 0
    said = capsys.readouterr().out
    assert "There is no extract of tutors. Left out: Tutees per full-time tutor.\n" in said
    assert "Not in the extract of enrolments: start_date, end_date, ethnicity, " in said
    assert "Files that no table took: staff.csv.\n" in said


def test_check_publishes_nothing(settings, inbox, capsys):
    assert pipelines("check") == 0
    assert "expectations met" in capsys.readouterr().out
    assert publish.current(settings) is None
    assert not (settings.warehouse / warehouse.NAME).exists()


def test_status_says_so_where_there_is_no_release(inbox, capsys):
    assert pipelines("status") == 0
    assert "No release" in capsys.readouterr().out


def test_status_and_rollback(after_run, settings, capsys):
    first = publish.current(settings)
    assert pipelines("run") == 0
    assert pipelines("rollback", first) == 0
    capsys.readouterr()
    assert pipelines("status") == 0
    assert f"{first}  in force" in capsys.readouterr().out
    assert pipelines("rollback", "nothing") == 1
    assert first in capsys.readouterr().err


def test_what_a_run_published_in_vain_is_not_taken_for_published(after_run, settings, monkeypatch):
    in_force = publish.current(settings)
    of_force = ledger.load(settings.warehouse, in_force)
    with monkeypatch.context() as patch:
        patch.setattr("pipelines.publish.publish", failing(OSError(errno.ENOSPC, "No space left on device", "/data/x")))
        assert pipelines("run") == 1
    assert len(list(settings.warehouse.glob("ledger-*"))) == 2, "of the release in force, and of none"
    (settings.warehouse / ".ledger-half-written.parquet").touch()
    gone = settings.warehouse / "ledger-gone.parquet"  # of a release that readers have seen, and whose folder is lost
    shutil.copy(settings.warehouse / f"ledger-{in_force}.parquet", gone)
    shutil.rmtree(settings.published / in_force)
    seen = []
    monkeypatch.setattr("pipelines.run.protect", lambda *about, **_: seen.append(about[3]) or failing(OSError)())
    assert pipelines("run") == 1
    left = sorted(path.name for path in settings.warehouse.glob("*ledger-*"))
    assert left == [f"ledger-{in_force}.parquet", gone.name]
    assert seen[0].seen.empty
    assert seen[0].cells.equals(of_force.cells)


def test_an_empty_inbox_says_what_to_do(settings, monkeypatch, capsys):
    monkeypatch.setenv("APT_DATA", str(settings.data))
    assert pipelines("run") == 1
    assert "sources.toml" in capsys.readouterr().err


def test_real_data_without_a_key_stops(settings, inbox, capsys):
    mapping = inbox / "sources.toml"
    mapping.write_text(mapping.read_text().replace("example = true", "example = false"))
    assert pipelines("run") == 1
    assert "key" in capsys.readouterr().err
    assert publish.current(settings) is None


def test_quarantined_rows_are_listed_with_file_row_value_and_rule(settings, inbox):
    file = inbox / "meetings.csv"
    text = file.read_text()
    first = text.splitlines()[1]
    file.write_text(text.replace(first, first.replace("30/09/2024", "31/02/2025"), 1))
    assert pipelines("run") == 0
    listed = (settings.warehouse / warehouse.QUARANTINE).read_text().splitlines()
    assert listed[0] == "table_name,source_file,source_row,column_name,value,rule"
    assert listed[1].startswith("meetings,meetings.csv,1,meeting_date,31/02/2025,")


def test_optional_extracts_may_be_missing(settings, inbox):
    (inbox / "feedback.csv").unlink()
    (inbox / "tutors.csv").unlink()
    assert pipelines("run") == 0
    reasons = dict(read(settings, "select metric, unavailable_because from metric where not available"))
    assert reasons["trust"] == "there is no feedback extract"
    assert reasons["tutees_per_fte"] == "there is no tutors extract"


def make_row_bad(inbox):
    file = inbox / "meetings.csv"
    file.write_text(file.read_text().replace("30/09/2024", "31/02/2025", 1))


def test_check_lists_its_quarantine_apart_and_says_where(after_run, settings, inbox, capsys):
    of_run = (settings.warehouse / warehouse.QUARANTINE).read_bytes()
    make_row_bad(inbox)
    assert pipelines("check") == 0
    listed = settings.warehouse / "quarantine-check.csv"
    assert str(listed) in capsys.readouterr().out.replace("\n", "")
    assert "31/02/2025" in listed.read_text()
    assert (settings.warehouse / warehouse.QUARANTINE).read_bytes() == of_run


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("run", ["warehouse.duckdb", "quarantine.csv"]),
        ("check", ["quarantine-check.csv"]),
        ("check", ["last-error.txt"]),
    ],
)
def test_every_file_of_the_warehouse_is_for_its_owner_only(settings, inbox, monkeypatch, command, names):
    files = [settings.warehouse / name for name in names]
    before = os.umask(0o022)
    try:
        if "last-error.txt" in names:
            monkeypatch.setattr("pipelines.run.check", failing(RuntimeError("x")))
        settings.warehouse.mkdir(parents=True)
        for file in files:
            file.touch(mode=0o644)
        pipelines(command)
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)
    for file in files:
        assert file.stat().st_size
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not [p for p in settings.warehouse.iterdir() if p.stat().st_mode & 0o077]


def failing(error):
    def fail(*_, **__):
        raise error

    return fail


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


def test_status_marks_a_damaged_release(after_run, settings, capsys):
    release = publish.current(settings)
    (settings.published / release / "university.duckdb").write_bytes(b"half")
    assert pipelines("status") == 0
    assert f"{release}  in force, damaged: its university.duckdb cannot be read" in capsys.readouterr().out


METRIC = """
[met_often]
label = "Has met more than twice"
theme = "contact"
definition = "Students with three or more attended meetings on record."
out_of = "all students enrolled"
grain = "enrolment"
kind = "proportion"
value = "case when attended > 2 then 1 else 0 end"
better = "higher"
"""
CHARACTERISTIC = """
[accommodation]
label = "Accommodation"
groups = ["University hall", "Private"]
reference = "Private"

[accommodation_hall]
label = "Halls"
groups = ["In halls", "Elsewhere"]
reference = "Elsewhere"
of = "accommodation"
join = { "In halls" = ["University hall"], Elsewhere = ["Private"] }
"""


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """A metric, a characteristic and its broader one more: a TOML entry each, and one column in the extract."""
    place = tmp_path_factory.mktemp("extended")
    folder = place / "definitions"
    shutil.copytree(definition_files.FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for name, entry in (("metrics.toml", METRIC), ("characteristics.toml", CHARACTERISTIC)):
        with (folder / name).open("a") as file:
            file.write(entry)
    inbox = place / "data" / "inbox"
    tiny_university(inbox)
    lines = (inbox / "enrolments.csv").read_text().splitlines()
    values = ("Accommodation", *("University hall" if n % 4 < 3 else "Private" for n in range(len(lines) - 1)))
    (inbox / "enrolments.csv").write_text("\n".join(f"{a},{b}" for a, b in zip(lines, values, strict=True)) + "\n")
    return run_in(place, APT_DEFINITIONS=folder)


def test_one_entry_adds_a_metric_and_one_a_characteristic(extended):
    assert read(extended, "select label, available from metric where metric = 'met_often'") == [
        ("Has met more than twice", True)
    ]
    groups = read(
        extended,
        """select "group" from characteristic_group where characteristic = 'accommodation' order by ordering""",
    )
    assert groups == [("University hall",), ("Private",), ("Unknown",)]
    shown = read(
        extended,
        """select "group", base, status from cell
           where characteristic = 'accommodation' and metric = 'met_often' and unit = 'university' and level = 'all'
           order by 1""",
    )
    assert [group for group, *_ in shown] == ["Private", "University hall"]
    # ten are in private housing, too few to show: the others' figure would give theirs away
    assert {status for *_, status in shown} == {"suppressed"}
    everyone = """select status from cell where characteristic = 'all' and metric = 'met_often'
                  and unit = 'university' and level = 'all'"""
    assert read(extended, everyone) == [("shown",)]
    assert read(extended, "select characteristic, available from characteristic where of = 'accommodation'") == [
        ("accommodation_hall", True)
    ]
    joined = read(
        extended,
        """select status from cell where characteristic = 'accommodation_hall' and "group" = 'In halls'
           and metric = 'met_often' and unit = 'university' and level = 'all'""",
    )
    assert joined == [("suppressed",)], "the same people"


def test_the_added_metric_and_characteristic_are_on_the_page(extended, monkeypatch):
    monkeypatch.setenv("APT_DATA", str(extended.data))
    schools = visit("schools", metric="met_often")
    measure = next(box for box in schools.selectbox if box.label == "Measure")
    assert measure.value == "met_often"
    assert "Has met more than twice" in measure.options
    equity = visit("equity", metric="met_often", characteristic="accommodation", view="where")
    assert not schools.exception
    assert not equity.exception
    characteristic = next(box for box in equity.selectbox if box.label == "Characteristic")
    assert "Accommodation" in characteristic.options
    assert characteristic.value == "accommodation"


def test_what_protection_costs_is_said_and_published_and_no_cell_says_why_it_is_hidden(made):
    settings, said = made
    assert "so that another figure cannot be worked out" in said
    assert "why" not in {name for (name,) in read(settings, "select column_name from duckdb_columns()")}
    counts = read(settings, "select sum(shown), sum(cells) from protection")[0]
    by_status = dict(read(settings, "select status, count(*) from cell group by status"))
    assert counts == (by_status["shown"], by_status["shown"] + by_status["suppressed"])


def test_every_published_table_and_column_is_documented(made):
    settings, _ = made
    contract = (ROOT / "docs" / "data-contract.md").read_text(encoding="utf-8")
    key = "academic_year, part, level, unit, metric, characteristic, group"
    rows = {
        line.split("|")[1].strip(" `"): line.replace("KEY", key)
        for line in contract.splitlines()
        if line.startswith("| `")
    }
    for table, column in read(settings, "select table_name, column_name from duckdb_columns() where not internal"):
        assert table in rows, f"docs/data-contract.md does not say what {table} is"
        assert re.search(rf"\b{column}\b", rows[table]), f"docs/data-contract.md does not name {table}.{column}"
    published = {table for (table,) in read(settings, "select table_name from duckdb_tables()")}
    assert set(rows) == published


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


def test_a_school_in_another_faculty_does_not_stand_beside_figures_of_the_former(after_run, settings, inbox, capsys):
    schools = inbox / "schools.csv"
    before = schools.read_text()
    schools.write_text(before.replace("BIO,School of Biology,SCI,Science", "BIO,School of Biology,HUM,Humanities"))
    first = publish.current(settings)
    assert pipelines("run") == 1
    err = capsys.readouterr().err
    assert "School of Biology is in faculty HUM now, and in SCI in what is published" in err
    assert "--revise all" in err
    assert publish.current(settings) == first
    schools.write_text(before)
    assert pipelines("run") == 0


def test_a_year_that_is_not_there_cannot_be_revised(after_run, capsys):
    assert pipelines("run", "--revise", "2019/20") == 1
    assert "There is no academic year '2019/20' to revise. There are 2024/25, and all." in capsys.readouterr().err


def test_that_the_ledger_of_the_release_in_force_has_gone_is_said(after_run, settings, capsys):
    in_force = publish.current(settings)
    (settings.warehouse / f"ledger-{in_force}.parquet").unlink()
    assert pipelines("run") == 0
    assert f"There is no ledger of the release in force, {in_force}" in " ".join(capsys.readouterr().out.split())
    assert pipelines("run") == 0
    assert "There is no ledger" not in capsys.readouterr().out


def test_files_that_have_lost_rows_are_named(after_run, settings, inbox, capsys):
    meetings = inbox / "meetings.csv"
    lines = meetings.read_text().splitlines(keepends=True)
    meetings.write_text("".join(lines[:81]))
    assert pipelines("run") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"meetings.csv (meetings) has 80 rows, and had {len(lines) - 1} when it was last read." in said
    meetings.rename(inbox / "meetings_1.csv")
    (inbox / "meetings_1.csv").write_text("".join(lines[:61]))
    assert pipelines("check") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "meetings.csv (meetings), read by the last run, is not there now; the table has 60 rows, and had 80." in said
