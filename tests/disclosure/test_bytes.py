"""Nothing that names a person stands in any published byte, and the scan that says so would find it."""

from __future__ import annotations

import csv
import shutil
import uuid

import duckdb
import numpy as np
import pytest

from pipelines import bytescan, commands, publish, warehouse
from pipelines.example import generate
from pipelines.settings import Settings
from tests.example.conftest import Example
from tests.pipelines.unattacked import few_characteristics, leave_out_the_attack

CANARY = "Wilhelmina Canary-Featherstonehaugh"  # in a column of names that no mapping names
MEMO = "told her tutor about the canary"  # in a column of notes
IDENTIFIERS = {
    "tutors": ["tutor_id"],
    "enrolments": ["student_id", "tutor_id", "E-mail"],
    "meetings": ["meeting_id", "student_id", "tutor_id"],
    "feedback": ["response_id", "student_id"],
}


def plant(path, column, text):
    """Put `text` into the first row of an extract."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    rows[1][rows[0].index(column)] = text
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """A small example university after a run, and every secret that its extracts and its warehouse hold."""
    folder = tmp_path_factory.mktemp("released")
    settings = Settings(data=folder / "data", key_file=folder / "keys" / "pseudonym.key")
    made = Example(settings.example, generate(settings.example, students=1500, years=1, seed=3))
    newest = max(settings.example.glob("enrolments_*.csv"))
    plant(newest, "Forename", CANARY)
    plant(max(settings.example.glob("meetings_*.csv")), "Notes", MEMO)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("APT_DATA", str(settings.data))
        patch.setenv("APT_KEY_FILE", str(settings.key_file))
        patch.setenv("APT_DEFINITIONS", str(few_characteristics(folder / "few", made.summary.sources, "disability")))
        leave_out_the_attack(patch)
        assert commands.main(["run", "--sources", str(settings.example / "sources.toml")]) == 0
    texts = {CANARY, MEMO}
    for table, columns in IDENTIFIERS.items():
        for column in columns:
            texts |= set(made.extract(table)[column]) - {""}
    assert len(texts) > 10_000
    with duckdb.connect(settings.warehouse / warehouse.NAME, read_only=True) as con:
        columns = bytescan.uuid_columns(con, "warehouse")
        every = " union ".join(f"select {column} from {table}" for table, column in columns)
        pseudonyms = bytescan.pseudonyms(con, f"select * from ({every}) as every (id) where id is not null")
    assert len(pseudonyms) > 5000
    return settings, bytescan.Secrets(pseudonyms, texts), uuid.UUID(bytes=pseudonyms[7].tobytes()), made


def files_of(folder, scratch):
    """Every file of a folder as it is, and the databases among them once more with nothing packed."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    packed = [path for path in files if path.suffix == ".duckdb"]
    return files + [bytescan.unpacked(path, scratch / f"unpacked-{path.name}") for path in packed]


def test_no_identifier_pseudonym_or_canary_is_in_any_published_file(released, tmp_path):
    settings, secrets, *_ = released
    files = files_of(settings.published, tmp_path)
    assert {"university.duckdb", "current", "unpacked-university.duckdb"} <= {path.name for path in files}
    assert bytescan.scan(files, secrets) == []


def test_a_faculty_file_holds_no_name_or_code_of_another_facultys_school(released, tmp_path):
    folder = released[0].published / publish.current(released[0])
    with duckdb.connect(folder / "university.duckdb", read_only=True) as con:
        schools = con.execute("select unit, name, parent from unit where kind = 'school'").fetchall()
    for file in folder.glob("faculty-*.duckdb"):
        faculty = f"faculty:{file.stem.removeprefix('faculty-')}"
        held = bytescan.unpacked(file, tmp_path / file.name).read_bytes()
        own = [text for *texts, parent in schools if parent == faculty for text in texts]
        others = [text for *texts, parent in schools if parent != faculty for text in texts]
        assert own
        assert others
        assert all(text.encode() in held for text in own)
        assert [t for t in others if t.encode() in held and not any(t in each for each in own)] == []


def test_the_secrets_looked_for_are_those_of_the_extracts_and_the_warehouse(released, tmp_path):
    settings, secrets, *_ = released
    extracts = [*settings.example.glob("*.csv"), settings.warehouse / warehouse.NAME]
    assert {hit.file for hit in bytescan.scan(extracts, secrets)} >= {
        *settings.example.glob("enrolments_*.csv"),
        *settings.example.glob("meetings_*.csv"),
        settings.warehouse / warehouse.NAME,
    }


def test_one_secret_in_a_copy_of_a_release_is_found(released, tmp_path):
    settings, secrets, person, _ = released
    copy = tmp_path / "published"
    shutil.copytree(settings.published, copy)
    with duckdb.connect(copy / publish.current(settings) / "university.duckdb") as con:
        con.execute("insert into unit (unit, name) values ('school:XXX', ?)", [f"School of {person}"])
    assert "unpacked-university.duckdb" in {hit.file.name for hit in bytescan.scan(files_of(copy, tmp_path), secrets)}


@pytest.mark.parametrize("kind", ["identifier", "name", "note", "uuid", "uuid as text", "hex", "HEX", "number"])
@pytest.mark.parametrize("rows", [1, 3000])  # DuckDB stores them in other ways
def test_a_secret_is_found_in_a_database_whatever_its_form(released, tmp_path, kind, rows):
    _, secrets, person, made = released
    student = made.extract("enrolments")["student_id"].iloc[5]
    value, sql_type = {
        "identifier": (student, "varchar"),
        "name": (CANARY.upper(), "varchar"),
        "note": (f"{MEMO}, once", "varchar"),
        "uuid": (person, "uuid"),
        "uuid as text": (f"<{person}>", "varchar"),
        "hex": (f"0a{person.hex}f", "varchar"),
        "HEX": (person.hex.upper(), "varchar"),
        "number": (int(student), "bigint"),
    }[kind]
    with duckdb.connect(tmp_path / "leak.duckdb") as con:
        con.execute("create table harmless as select 'one' as word, 1.5 as figure from range(5000)")
    assert bytescan.scan(files_of(tmp_path, tmp_path), secrets) == []
    (tmp_path / "unpacked-leak.duckdb").unlink()
    with duckdb.connect(tmp_path / "leak.duckdb") as con:
        con.execute(f"create table leaked as select cast(? as {sql_type}) as value from range({rows})", [value])
    hits = bytescan.scan(files_of(tmp_path, tmp_path), secrets)
    assert "unpacked-leak.duckdb" in {hit.file.name for hit in hits}
    if sql_type == "uuid":  # not even packed can it hide
        assert "leak.duckdb" in {hit.file.name for hit in hits}


def test_a_deleted_row_is_found_in_the_bytes_it_left(released, tmp_path):
    _, secrets, person, _ = released
    path = tmp_path / "deleted.duckdb"
    with duckdb.connect(path) as con:
        con.execute("create table people as select uuid() as id from range(3000) union all select ?", [person])
        con.execute("checkpoint")
        con.execute("delete from people where id = ?", [person])
    with duckdb.connect(path, read_only=True) as con:
        assert con.execute("select count(*) from people where id = ?", [person]).fetchall() == [(0,)]
    assert bytescan.scan([path], secrets)


@pytest.mark.parametrize("at", [0, 1, 7, 8, 2**20 - 31, 2**20 - 1, 2**20, 2**21 - 5])
def test_a_secret_is_found_once_wherever_it_stands(tmp_path, at):
    person = uuid.UUID("3f2a9c41-7d0e-8b56-a1c3-5e9f60d27b84")
    rows = np.frombuffer(person.bytes, np.uint8).reshape(1, -1)
    secrets = bytescan.Secrets(rows, ["Ab1", "a longer text"])
    stored = bytescan.as_stored(rows).tobytes()
    tokens = [person.bytes, stored, str(person).encode(), person.hex.encode(), b"aB1", b"A LONGER TEXT"]
    for token in tokens:
        path = tmp_path / "file"
        path.write_bytes(bytes(at) + token)
        assert bytescan.scan([path], secrets) == [bytescan.Hits(path, 1, at)], token
        path.write_bytes(bytes(at) + token[:-1] + b"\n")
        assert bytescan.scan([path], secrets) == [], token
