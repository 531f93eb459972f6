"""What `purge` promises: earlier years are gone to the last byte, later ones are whole, and a failed proof is loud."""

import shutil
import signal
import uuid

import duckdb
import pytest

from pipelines import commands, publish, warehouse
from pipelines.disclosure import ledger
from pipelines.settings import Settings
from tests.bad_input import tiny
from tests.pipelines.killing import start

BEFORE, KEPT = "2024/25", "2025/26"
STAYS, LEAVES = range(1, 21), range(21, 41)  # of forty students in the first year; twenty others join in the second
LATE = {"Meeting No": "M99998", "Student Number": "S0040", "Tutor": "T1", "Date": "01/09/2025"}
UNREADABLE = {"Meeting No": "M99999", "Student Number": "S0001", "Tutor": "T1", "Date": "31/02/2026"}


def pipelines(*arguments):
    return commands.main([str(a) for a in arguments])


def two_years(folder):
    """The tiny university, a year later: half of the students are others. One bad meeting in each year."""
    sources = tiny.tiny_university(folder)
    tables = tiny.tables()
    later = {f"S{n:04d}": f"S{n if n in STAYS else n + 1000:04d}" for n in (*STAYS, *LEAVES)}
    for name, rows in tables.items():
        if name == "schools":
            continue
        for row in [dict(row) for row in rows]:
            for column, value in row.items():
                new = later.get(value, value).replace("2024/25", "2025/26").replace("2024-11", "2025-11")
                if column in ("Meeting No", "response_id"):
                    new = value[0] + "7" + value[1:]
                if value[2:3] == "/" and value[6:] in ("2024", "2025"):
                    new = f"{value[:6]}{int(value[6:]) + 1}"
                row[column] = new
            rows.append(row)
    of_meetings = {"How": "F2F", "Outcome": "attended", "Notes": ""}
    nobody = {"Meeting No": "M99990", "Student Number": "S7777", "Tutor": "T1"}
    tables["meetings"] += [
        row | of_meetings
        for row in (LATE, UNREADABLE, nobody | {"Date": "01/11/2024"}, nobody | {"Date": "01/11/2025"})
    ]
    tables["meetings"][-1]["Meeting No"] = "M99991"
    for name, rows in tables.items():
        tiny.write_csv(folder / f"{name}.csv", rows)
    return sources


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A data folder after a run; tests work on copies."""
    folder = tmp_path_factory.mktemp("made")
    settings = Settings(data=folder / "data", key_file=folder / "keys" / "pseudonym.key")
    two_years(settings.inbox)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("APT_DATA", str(settings.data))
        patch.setenv("APT_KEY_FILE", str(settings.key_file))
        assert pipelines("run") == 0
    return settings


@pytest.fixture
def after_run(made, settings, monkeypatch):
    shutil.copytree(made.data, settings.data, dirs_exist_ok=True)
    monkeypatch.setenv("APT_DATA", str(settings.data))
    monkeypatch.setenv("APT_KEY_FILE", str(made.key_file))
    return settings


def query(settings, sql):
    with duckdb.connect(settings.warehouse / warehouse.NAME, read_only=True) as con:
        return con.execute(sql).fetchall()


def tables_with(settings, column):
    return [
        name
        for (name,) in query(settings, f"select table_name from duckdb_columns() where column_name = '{column}'")
        if "calendar" not in name and "standards" not in name and name != "mart_period"
    ]


def students(settings, year):
    found = query(settings, f"select student_id from stg_enrolments where academic_year = '{year}'")
    return {student for (student,) in found}


def only_earlier(settings):
    return students(settings, BEFORE) - students(settings, KEPT)


def forms(pseudonym):
    """How a UUID may stand in a file; written here once more, apart from the scanner."""
    stored = (pseudonym.int ^ (1 << 127)).to_bytes(16, "little")
    return [pseudonym.bytes, stored, str(pseudonym).encode(), pseudonym.hex.encode(), pseudonym.hex.upper().encode()]


def test_earlier_years_go_and_later_ones_stay_whole(after_run):
    kept = {
        name: query(after_run, f"select * from {name} where academic_year = '{KEPT}' order by all")
        for name in tables_with(after_run, "academic_year")
    }
    whole = query(after_run, "select * from stg_schools order by all"), query(after_run, "from stg_calendar order by 1")
    assert all(rows for name, rows in kept.items() if name.startswith("stg_"))
    assert pipelines("purge", "--before", KEPT) == 0
    for name, rows in kept.items():
        assert query(after_run, f"select * from {name} order by all") == rows, name
    assert (
        query(after_run, "select * from stg_schools order by all"),
        query(after_run, "from stg_calendar order by 1"),
    ) == whole
    assert len(query(after_run, "select distinct student_id from input_enrolments")) == 40
    enrolments = "select enrolment from stg_enrolments"
    assert query(after_run, f"select 1 from mart_contact where enrolment not in ({enrolments})") == []
    assert query(after_run, "select count(*) from mart_contact")[0][0] > 0


def test_a_meeting_goes_with_the_year_it_counts_for_and_one_without_a_date_too(after_run):
    late = "select academic_year from stg_meetings where meeting_date = date '2025-09-01'"
    assert query(after_run, late) == [(BEFORE,)]
    assert pipelines("purge", "--before", KEPT) == 0
    assert query(after_run, late) == []
    dated = "select count(*), count(meeting_date), min(meeting_date)::varchar from input_meetings"
    assert query(after_run, dated) == [(101, 101, "2025-09-30")]


def test_no_byte_is_left_of_people_in_removed_years_only(after_run):
    people = only_earlier(after_run)
    assert len(people) == 20
    old = (after_run.warehouse / warehouse.NAME).read_bytes()
    assert all(any(form in old for form in forms(person)) for person in people)
    staying = students(after_run, KEPT)
    assert pipelines("purge", "--before", KEPT) == 0
    left = b"".join(path.read_bytes() for path in after_run.warehouse.iterdir())
    assert not [person for person in people for form in forms(person) if form in left]
    assert all(any(form in left for form in forms(person)) for person in staying)


def test_what_is_kept_is_not_compressed_so_that_a_scan_can_read_it(after_run):
    assert pipelines("purge", "--before", KEPT) == 0
    names = [name for (name,) in query(after_run, "select table_name from duckdb_tables()")]
    sql = " union all ".join(
        f"select compression from pragma_storage_info('{name}') where segment_type in ('VARCHAR', 'UUID')"
        for name in names
    )
    assert set(query(after_run, sql)) == {("Uncompressed",)}


@pytest.mark.parametrize("form", range(5))
def test_a_pseudonym_that_survives_fails_the_purge_again_and_again(after_run, capsys, form):
    old = (after_run.warehouse / warehouse.NAME).read_bytes()
    person = sorted(only_earlier(after_run))[0]
    copy = after_run.warehouse / "notes" / "copy.bin"
    copy.parent.mkdir()
    copy.write_bytes(b"x" * (2**20 - 7) + forms(person)[form] + b"\0" * 99)  # over the end of what is read at once
    for _ in range(2):
        assert pipelines("purge", "--before", KEPT) == 1
        said = capsys.readouterr()
        assert f"{copy}: 1 times, first at byte {2**20 - 7:,}" in said.err
        assert str(person) not in said.err + said.out
        assert (after_run.warehouse / warehouse.NAME).read_bytes() == old
        assert not (after_run.warehouse / warehouse.UNFINISHED).exists()
    copy.unlink()
    assert pipelines("purge", "--before", KEPT) == 0


@pytest.mark.parametrize("others", [0, 3])  # DuckDB stores a column of one value in its statistics alone
def test_a_new_warehouse_that_still_holds_a_pseudonym_never_replaces_the_old(after_run, monkeypatch, capsys, others):
    old = (after_run.warehouse / warehouse.NAME).read_bytes()
    person = sorted(only_earlier(after_run))[0]
    write = warehouse.write_quarantine

    def leak(con, settings):
        rows = ", ".join(["(cast(? as uuid))", *(["(uuid())"] * others)])
        con.execute(f"create table forgotten as select * from (values {rows}) as v (student_id)", [person])
        write(con, settings)

    monkeypatch.setattr(warehouse, "write_quarantine", leak)
    assert pipelines("purge", "--before", KEPT) == 1
    assert "the new warehouse: " in capsys.readouterr().err
    assert (after_run.warehouse / warehouse.NAME).read_bytes() == old


def test_lists_of_quarantined_rows_keep_only_rows_of_kept_years(after_run):
    assert pipelines("check") == 0
    (after_run.warehouse / warehouse.LAST_ERROR).write_text("S0021")
    listed = after_run.warehouse / warehouse.QUARANTINE
    assert len(listed.read_text().splitlines()) == 4
    assert pipelines("purge", "--before", KEPT) == 0
    _, *rows = listed.read_text().splitlines()
    assert [row.split(",")[:3] for row in rows] == [["meetings", "meetings.csv", "204"]]
    assert sorted(path.name for path in after_run.warehouse.iterdir()) == [
        f"ledger-{publish.current(after_run)}.parquet",
        "quarantine.csv",
        "warehouse.duckdb",
    ]
    assert not [path for path in after_run.warehouse.iterdir() if path.stat().st_mode & 0o077]


def test_exact_counts_that_no_release_shows_go_too(after_run):
    assert pipelines("purge", "--before", KEPT) == 0
    cells = ledger.load(after_run.warehouse, publish.current(after_run)).cells
    left = cells.groupby("academic_year")["why"].agg(set)
    assert left[BEFORE] == {"shown"}, "which is published"
    assert {"small", "unlisted"} <= left[KEPT]
    assert "" in set(cells["terms"]), "what is not whole any more is not published again"


def test_it_says_what_went_and_which_extracts_still_hold_it(after_run, capsys):
    (after_run.inbox / "notes.txt").write_text("…")
    assert pipelines("purge", "--before", "2025") == 0
    said = capsys.readouterr().out
    assert "stg_enrolments       2024/25: 40 rows\n" in said
    assert "quarantine           2024/25: 1 rows, year not known: 1 rows\n" in said
    assert "0 hits" in said
    held = said[said.index("STILL IN THE EXTRACTS") :]
    assert "  enrolments.csv: 2024/25: 40 rows\n" in held
    assert "  meetings.csv: 2024/25: 101 rows, year not known: 1 rows\n" in held
    assert "  feedback.csv: 2024/25: 16 rows\n" in held
    assert "notes.txt" in held
    assert "calendar.csv" not in held
    assert "S00" not in said

    for name in ("enrolments", "meetings", "feedback", "tutors"):
        file = after_run.inbox / f"{name}.csv"
        head, *rows = file.read_text().splitlines()
        after = [row for row in rows if KEPT in row or (name == "meetings" and row.startswith("M7"))]
        file.write_text("\n".join([head, *after]) + "\n")
    assert pipelines("purge", "--before", "2025") == 0
    said = capsys.readouterr().out
    assert "holds no rows of academic years before 2025/26" in said
    assert "hold no rows that are known to be of academic years before 2025/26" in said
    assert "STILL" not in said


def test_extracts_that_cannot_be_read_do_not_stop_a_purge(after_run, capsys):
    (after_run.inbox / "calendar.csv").unlink()
    assert pipelines("purge", "--before", KEPT) == 0
    assert "could not be read, so look yourself" in capsys.readouterr().out
    assert students(after_run, BEFORE) == set()


def test_published_releases_stay(after_run):
    release = after_run.published / publish.current(after_run) / "university.duckdb"
    before = release.read_bytes()
    assert pipelines("purge", "--before", KEPT) == 0
    assert release.read_bytes() == before
    assert pipelines("run") == 0


def test_a_table_whose_years_cannot_be_told_stops_the_purge(after_run, capsys):
    with duckdb.connect(after_run.warehouse / warehouse.NAME) as con:
        con.execute("create table mart_new as select student_id from stg_enrolments")
    assert pipelines("purge", "--before", KEPT) == 1
    assert "mart_new" in capsys.readouterr().err
    assert len(students(after_run, BEFORE)) == 40


def test_without_a_warehouse_the_lists_go_all_the_same(settings, monkeypatch, capsys):
    monkeypatch.setenv("APT_DATA", str(settings.data))
    settings.warehouse.mkdir(parents=True)
    for name in ("quarantine.csv", "quarantine-check.csv", "last-error.txt"):
        (settings.warehouse / name).write_text("S0001")
    assert pipelines("purge", "--before", "2025") == 1  # perhaps another folder is meant
    assert list(settings.warehouse.iterdir()) == []
    said = capsys.readouterr().out
    assert f"There is no warehouse in {settings.warehouse}" in said
    assert "0 hits" not in said
    assert "no extract was looked into" in said


@pytest.mark.parametrize("year", ["2025/27", "25/26", "2025-26", "all", ""])
def test_a_year_that_is_none_is_refused(year, capsys):
    with pytest.raises(SystemExit) as stopped:
        pipelines("purge", "--before", year)
    assert stopped.value.code == 2
    assert "write 2023/24 or 2023" in capsys.readouterr().err


def test_it_waits_for_no_run_under_way(after_run, capsys):
    with publish.only_run(after_run):
        assert pipelines("purge", "--before", KEPT) == 1
    assert "Another run is under way" in capsys.readouterr().err
    assert len(students(after_run, BEFORE)) == 40


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_at_any_change_of_a_file_it_leaves_the_old_warehouse_or_the_new(after_run, tmp_path):
    database = after_run.warehouse / warehouse.NAME
    old = database.read_bytes()
    untouched = tmp_path / "untouched"
    shutil.copytree(after_run.warehouse, untouched)
    left = {"old": 0, "new": 0}
    for moment in range(30):
        shutil.rmtree(after_run.warehouse)
        shutil.copytree(untouched, after_run.warehouse)
        process = start("purge", "--before", KEPT, "--sources", "none", changes=moment)
        process.join()
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        if database.read_bytes() == old:
            left["old"] += 1
        else:
            left["new"] += 1
            assert students(after_run, BEFORE) == set()
            assert len(students(after_run, KEPT)) == 40
        assert pipelines("purge", "--before", KEPT, "--sources", "none") == 0
        assert students(after_run, BEFORE) == set()
        assert not (after_run.warehouse / warehouse.UNFINISHED).exists()
    assert process.exitcode == 0
    assert left["old"] >= 3
    assert left["new"] >= 1


def test_uuid_forms_are_those_of_duckdb(tmp_path):
    """The form that the others rest on: a UUID column's bytes, looked up in a file."""
    person = uuid.uuid4()
    with duckdb.connect(tmp_path / "one.duckdb") as con:
        con.execute("set force_compression = 'uncompressed'")
        con.execute("create table one as select cast(? as uuid) as id from range(2) union all select uuid()", [person])
    assert forms(person)[1] in (tmp_path / "one.duckdb").read_bytes()


def test_tables_of_spark_go_whole_and_those_out_of_reach_stop_it(after_run, tmp_path, monkeypatch, capsys):
    work = tmp_path / "work"
    own, mine, others = after_run.warehouse / "spark", work / f"{after_run.runs}1", work / "run-of-others-1"
    for folder in (own, mine, others):
        folder.mkdir(parents=True)
        (folder / "part.parquet").write_bytes(b"rows")
    monkeypatch.setenv("APT_WORK", "s3a://bucket/tutoring")
    assert pipelines("purge", "--before", KEPT) == 1
    assert f"Remove the folders {after_run.runs}" in capsys.readouterr().err
    assert mine.exists()
    monkeypatch.setenv("APT_WORK", str(work))
    assert pipelines("purge", "--before", KEPT) == 0
    assert [folder.exists() for folder in (own, mine, others)] == [False, False, True]


def test_an_installation_of_spark_alone_has_no_other_warehouse(settings, monkeypatch, capsys):
    monkeypatch.setenv("APT_DATA", str(settings.data))
    tables = settings.warehouse / "spark"
    tables.mkdir(parents=True)
    assert pipelines("purge", "--before", KEPT) == 0
    assert not tables.exists()
    assert "the tables of runs on Spark went whole" in capsys.readouterr().out


def test_a_year_long_after_the_calendar_is_refused(after_run, capsys):
    assert pipelines("purge", "--before", "2090") == 1
    assert "there is no 2090/91 to keep" in capsys.readouterr().err
    assert students(after_run, BEFORE)
