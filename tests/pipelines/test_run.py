"""The commands a data team types, from extracts to a release."""

import errno
import os
import re
import shutil
import stat
from collections import Counter

import pytest

from pipelines import publish, warehouse
from pipelines.commands import _kept
from pipelines.disclosure import ledger
from pipelines.settings import ROOT
from tests.pipelines.commanding import failing, pipelines, read


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


def test_check_says_what_it_warns_of_and_what_a_run_would_set_aside(settings, inbox, capsys):
    make_row_bad(inbox)
    enrolments = inbox / "enrolments.csv"
    enrolments.write_text(enrolments.read_text().replace(",full-time,T1,", ",full-time,T9,"))
    assert pipelines("check") == 0
    said = capsys.readouterr().out
    assert "Warning: enrolments: The tutor is in the tutors extract for that year. Not so: 10 of 40 rows." in said
    assert "Would be quarantined, meetings: meeting_date can be read as a date. (1 rows)" in said


def test_of_years_kept_as_published_it_is_said_how_many_cells_differ():
    said = _kept(
        Counter({("2025/26", "to_date"): 12, ("2024/25", "to_date"): 100, ("2024/25", "year"): 7000}), "2025/26"
    )
    assert said == (
        "Kept as published: 2024/25 (7,100 cells), 2025/26 (12). The extracts now count these cells otherwise; "
        "publishing them beside the earlier release would tell what the corrected rows say. Late rows of 2025/26, "
        "which is in progress, come with its next week. "
        "To publish a year anew all the same: python -m pipelines run --revise YEAR (or all)."
    )
    over = _kept(Counter({("2024/25", "year"): 1}), "2025/26")
    assert over.startswith("Kept as published: 2024/25 (1 cell). The extracts")
    assert "in progress" not in over


def test_late_rows_of_a_published_year_are_told_of_by_year(settings, inbox, monkeypatch, capsys):
    monkeypatch.setenv("APT_KEY", "a key of thirty-two characters or more")
    mapping, meetings = inbox / "sources.toml", inbox / "meetings.csv"
    mapping.write_text(mapping.read_text().replace("example = true", "example = false"))
    assert pipelines("run") == 0
    assert "Kept as published" not in capsys.readouterr().out
    with meetings.open("a") as opened:
        opened.writelines(f"L{n:04d},S{n:04d},T1,07/10/2024,F2F,attended,\n" for n in range(1, 30))
    assert pipelines("run") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert re.search(r"Kept as published: 2024/25 \(\d+ cells\)\. The extracts now count these cells otherwise", said)
    assert "Late rows of 2024/25, which is in progress, come with its next week." in said


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


def test_status_marks_a_damaged_release(after_run, settings, capsys):
    release = publish.current(settings)
    (settings.published / release / "university.duckdb").write_bytes(b"half")
    assert pipelines("status") == 0
    assert f"{release}  in force, damaged: its university.duckdb cannot be read" in capsys.readouterr().out


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
