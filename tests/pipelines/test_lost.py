"""Files that have lost rows, or are gone, are named: after any run, whatever read them."""

import pytest

from tests.pipelines.commanding import pipelines


@pytest.mark.parametrize("full", [[], ["--full"]], ids=["", "full"])
def test_files_that_have_lost_rows_are_named(after_run, inbox, capsys, full):
    meetings = inbox / "meetings.csv"
    lines = meetings.read_text().splitlines(keepends=True)
    meetings.write_text("".join(lines[:81]))
    assert pipelines("run", *full) == 0
    said = " ".join(capsys.readouterr().out.split())
    had = len(lines) - 1
    lost = f"Warning: meetings.csv (meetings) has 80 rows, and had {had} when the figures in force were made."
    assert said.index(lost) < said.index("Not in the extract of"), "before what is said at the end"
    assert said.find("Warning: ") == said.index(lost), "first of all"
    meetings.rename(inbox / "meetings_1.csv")
    (inbox / "meetings_1.csv").write_text("".join(lines[:61]))
    assert pipelines("check", *full) == 0
    said = " ".join(capsys.readouterr().out.split())
    gone = (
        "Warning: meetings.csv (meetings), read for the figures in force, is not there now; the table has 60 rows, "
        "and had 80."
    )
    assert said.find("Warning: ") == said.index(gone)


def test_a_run_that_the_checks_stop_says_which_files_have_lost_rows(after_run, inbox, capsys):
    meetings, calendar = inbox / "meetings.csv", inbox / "calendar.csv"
    meetings.write_text("".join(meetings.read_text().splitlines(keepends=True)[:81]))
    calendar.write_text(calendar.read_text().replace("02/05/2025", "02/05/2024"))
    assert pipelines("run") == 1
    said = capsys.readouterr().err
    assert said.index("- calendar: Teaching ends after it starts.") < said.index(
        "- meetings.csv (meetings) has 80 rows"
    )


def test_nothing_is_lost_where_all_is_there_or_the_data_is_anothers(after_run, inbox, capsys):
    assert pipelines("check") == 0
    assert "in force" not in capsys.readouterr().out
    mapping = inbox / "sources.toml"
    mapping.write_text(mapping.read_text().replace("Tiny University", "Another University"))
    meetings = inbox / "meetings.csv"
    meetings.write_text("".join(meetings.read_text().splitlines(keepends=True)[:81]))
    assert pipelines("check") == 0
    assert "in force" not in capsys.readouterr().out
