"""Extracts that have not changed since the last run are not read again, and nothing published depends on that."""

import re
import shutil

import duckdb
import pytest

from pipelines import definitions as definition_files
from pipelines import publish, sources, warehouse
from pipelines import run as recipe
from pipelines.engines import duckdb as duckdb_engine
from pipelines.progress import Progress
from pipelines.reconciliation import ReconciliationError
from pipelines.settings import Settings

pytestmark = pytest.mark.slow

OF_THE_RUN = ("release", "extract_read")  # tables that say when a run was
MEETING = "M9{0:04d},S0001,T1,{1},F2F,attended,\n"


class Heard(Progress):
    """What a run said it worked on."""

    def __init__(self):
        super().__init__()
        self.labels = []

    def report(self, label, rows, /, done=None):
        self.labels.append(label)

    @property
    def read(self):
        return {label for label in self.labels if re.fullmatch(r"[a-z]+: [^,]+", label)}

    @property
    def unchanged(self):
        return {label.removesuffix(", unchanged") for label in self.labels if label.endswith(", unchanged")}


def run(full=False):
    heard = Heard()
    settings = Settings()
    recipe.run(settings.inbox / "sources.toml", settings, heard, full=full)
    return heard


def take_in(**changed):
    """The steps of a run that read extracts, their warehouse kept as a run keeps it."""
    heard, settings = Heard(), Settings(**changed)
    mapped = sources.load(settings.inbox / "sources.toml")
    with warehouse.open_new(settings) as con:
        recipe._take_in(con, mapped, definition_files.load(), settings, heard, full=False)
    return heard


def held(database):
    """Every row of every table, in an order of its own."""
    with duckdb.connect(database, read_only=True) as con:
        tables = [name for (name,) in con.execute("select table_name from duckdb_tables() order by 1").fetchall()]
        return {
            table: con.execute(f'select * from "{table}" order by all').fetchall()
            for table in tables
            if table not in OF_THE_RUN
        }


def held_of_rows(settings):
    """The warehouse, without what is counted of periods: those that are settled are not counted again."""
    rows = ("mart_enrolment", "mart_response", "mart_tutor", "mart_contact")
    whole = held(settings.warehouse / warehouse.NAME)
    return {table: found for table, found in whole.items() if table in rows or not table.startswith("mart_")}


def published(settings):
    found = held(settings.published / publish.current(settings) / "university.duckdb")
    # what was attacked before is not attacked again
    return {**found, "check": [row for row in found["check"] if row[0] != "release"]}


def as_if_first(settings, monkeypatch, tmp_path):
    """What is published of the same extracts where no run was before."""
    monkeypatch.setenv("APT_DATA", str(tmp_path / "first"))
    shutil.copytree(settings.inbox, tmp_path / "first" / "inbox")
    heard = run()
    assert not heard.unchanged
    found = published(Settings())
    monkeypatch.setenv("APT_DATA", str(settings.data))
    return found


def add(file, *rows):
    with file.open("a", encoding="utf-8") as opened:
        opened.writelines(rows)


def test_what_has_not_changed_is_not_read_again(settings, inbox):
    first = run()
    assert len(first.read) >= 6
    assert not first.unchanged
    before, restricted = published(settings), held_of_rows(settings)
    again = run()
    assert again.unchanged == first.read
    assert published(settings) == before
    assert held_of_rows(settings) == restricted
    forced = run(full=True)
    assert (forced.read & first.read, forced.unchanged) == (first.read, set())
    assert published(settings) == before


def test_a_changed_a_late_and_a_removed_extract(settings, inbox, monkeypatch, tmp_path):
    (inbox / "meetings_b.csv").write_text((inbox / "meetings.csv").read_text().splitlines()[0] + "\n")
    add(inbox / "meetings_b.csv", MEETING.format(1, "30/09/2024"), "a,row,too,short\n")
    run()
    add(inbox / "meetings.csv", *(MEETING.format(n, "07/10/2024") for n in range(20, 30)), "too,short\n")
    heard = run()
    assert {label for label in heard.read if label.startswith("meetings: ")} == {"meetings: meetings.csv"}
    assert "meetings: meetings_b.csv" in heard.unchanged
    rejected = [row for row in held(settings.warehouse / warehouse.NAME)["quarantine"] if "meetings" in row[0]]
    assert {row[1] for row in rejected} == {"meetings.csv", "meetings_b.csv"}, "rejects of unchanged files stay"
    assert published(settings) == as_if_first(settings, monkeypatch, tmp_path)

    (inbox / "meetings_b.csv").unlink()
    shutil.rmtree(tmp_path / "first")
    run()
    assert published(settings) == as_if_first(settings, monkeypatch, tmp_path), "its rows are gone with it"


def test_another_mapping_reads_its_table_and_another_key_everything(settings, inbox, monkeypatch):
    first = take_in()
    sources = inbox / "sources.toml"
    sources.write_text(sources.read_text().replace('"F2F" = "in person"', '"F2F" = "phone"'))
    heard = take_in()
    assert {label.split(":")[0] for label in heard.read & first.read} == {"meetings"}
    assert any("phone" in row for row in held(settings.warehouse / warehouse.NAME)["stg_meetings"])
    monkeypatch.setenv("APT_KEY", "another key, and long enough for one")
    heard = take_in()
    assert heard.read >= first.read
    assert not heard.unchanged


def test_unknown_codes_are_counted_over_all_rows(settings, inbox):
    """Few among all rows never stop a run, though they are many in the one file that changed."""
    header = (inbox / "meetings.csv").read_text().splitlines()[0] + "\n"
    (inbox / "meetings_b.csv").write_text(header)
    take_in()
    add(inbox / "meetings_b.csv", *(MEETING.format(n, "30/09/2024") for n in range(15)))
    add(inbox / "meetings_b.csv", *(MEETING.replace("F2F", "pigeon").format(n, "30/09/2024") for n in range(20, 26)))
    assert "meetings: meetings.csv" in take_in(most_unmapped=0.1).unchanged


def test_a_warehouse_that_tells_nothing_is_no_obstacle(settings, inbox):
    first = take_in()
    (settings.warehouse / warehouse.NAME).write_bytes(b"not a database")
    assert take_in().read >= first.read


def test_a_warehouse_changed_by_hand_is_noticed(settings, inbox):
    first = take_in()
    with duckdb.connect(settings.warehouse / warehouse.NAME) as con:
        con.execute("delete from input_meetings where source_row = 3")
    with pytest.raises(ReconciliationError, match="--full"):
        take_in()
    with duckdb.connect(settings.warehouse / warehouse.NAME) as con:
        con.execute("drop table input_meetings")
    assert take_in().read >= first.read


def test_an_extract_that_changes_while_it_is_read_is_read_again(settings, inbox, monkeypatch):
    real = duckdb_engine.read

    def replaced(con, path, mapping, target):
        found = real(con, path, mapping, target)
        if path.name == "meetings.csv":
            add(path, MEETING.format(1, "30/09/2024"))
        return found

    with monkeypatch.context() as patch:
        patch.setattr(duckdb_engine, "read", replaced)
        take_in()
    heard = take_in()
    assert "meetings: meetings.csv" in heard.read
    assert "schools: schools.csv" in heard.unchanged
