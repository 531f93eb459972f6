"""Pseudonymise: who becomes whom, where the key goes, and what cannot be read."""

from __future__ import annotations

import hashlib
import hmac
import logging
import stat
import uuid
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import definitions, sources
from pipelines.errors import InputError
from pipelines.extract import extract
from pipelines.pseudonymise import load_key, pseudonymise
from pipelines.settings import ROOT, SettingError, Settings
from tests.bad_input.tiny import SOURCES, tables, tiny_university, write_csv

DEFINITIONS = definitions.load()
KEY = b"correct horse battery staple, and then some"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    return tiny_university(tmp_path / "inbox").parent


@pytest.fixture
def con(tmp_path: Path) -> Any:
    with duckdb.connect(tmp_path / "warehouse.duckdb") as opened:
        yield opened


def take_in(con: Any, inbox: Path, more: str = "", key: bytes = KEY) -> None:
    (inbox / "sources.toml").write_text(SOURCES + more, encoding="utf-8")
    extracted = extract(con, sources.load(inbox / "sources.toml"), DEFINITIONS, Settings())
    pseudonymise(con, DEFINITIONS, extracted, key)


def expected(person: str, identifier: str, key: bytes = KEY) -> uuid.UUID:
    return uuid.UUID(bytes=hmac.new(key, f"{person}:{identifier}".encode(), hashlib.sha256).digest()[:16])


@pytest.mark.parametrize("key", [KEY, b"k" * 64, b"a key longer than one block of the hash " * 3], ids=len)
def test_pseudonyms_are_hmac_sha256(con: Any, inbox: Path, key: bytes) -> None:
    take_in(con, inbox, key=key)
    first = con.execute("select meeting_id, student_id, tutor_id from input_meetings where source_row = 1").fetchall()
    assert first == [
        (expected("meeting", "M00000", key), expected("student", "S0001", key), expected("tutor", "T1", key))
    ]


def test_a_person_is_the_same_in_every_table_and_however_written(con: Any, inbox: Path) -> None:
    meetings = [{**row, "Student Number": f" {row['Student Number'].lower()} "} for row in tables()["meetings"]]
    write_csv(inbox / "meetings.csv", meetings)
    take_in(con, inbox)
    unmatched = con.execute("select count(*) from input_meetings anti join input_enrolments using (student_id)")
    assert unmatched.fetchall() == [(0,)]


def test_blank_identifiers_stay_blank(con: Any, inbox: Path) -> None:
    meetings = [{**row, "Tutor": " ", "Meeting No": ""} for row in tables()["meetings"]]
    write_csv(inbox / "meetings.csv", meetings)
    take_in(con, inbox)
    assert con.execute("select count(tutor_id), count(meeting_id), count(*) from input_meetings").fetchall() == [
        (0, 0, 100)
    ]


def test_no_identifier_and_no_raw_table_is_left(con: Any, inbox: Path, tmp_path: Path) -> None:
    take_in(con, inbox)
    names = [row[2] for row in con.execute("show all tables").fetchall()]
    assert sorted(names) == sorted(["raw_reject", *(f"input_{table}" for table in DEFINITIONS.tables)])
    con.execute("checkpoint")
    assert b"S0001" not in (tmp_path / "warehouse.duckdb").read_bytes()


def test_the_key_is_in_no_plan_profile_log_error_or_file(
    con: Any, inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    profile = tmp_path / "profile.json"
    con.execute(f"set enable_profiling = 'json'; set profiling_output = '{profile}'; set profiling_mode = 'detailed'")
    con.execute("set enable_logging = true; set logging_level = 'trace'")
    seen: list[str] = []

    class Watched:
        """The connection, with every statement, plan and profile it makes."""

        def __getattr__(self, name: str) -> Any:
            return getattr(con, name)

        def execute(self, query: str, *more: Any) -> Any:
            done = con.execute(query, *more)
            seen.append(query + (profile.read_text() if profile.exists() else ""))
            return done

    extracted = extract(con, sources.load(inbox / "sources.toml"), DEFINITIONS, Settings())
    monkeypatch.setattr(
        "pipelines.engines.duckdb.date", lambda *_: "error('stopped on purpose')"
    )  # an error in the middle, after the pads are in use
    with pytest.raises(duckdb.Error) as raised:
        pseudonymise(Watched(), DEFINITIONS, extracted, KEY)  # type: ignore[arg-type]
    seen += [str(raised.value), caplog.text, str(con.execute("from duckdb_logs()").fetchall())]
    seen += [(tmp_path / "warehouse.duckdb").read_bytes().decode("latin-1")]
    block = KEY.ljust(64, b"\0")
    secrets = [KEY, *(bytes(b ^ pad for b in block) for pad in (0x36, 0x5C))]
    for secret in secrets:
        for form in (
            secret.decode("latin-1"),
            secret.hex(),
            "".join(f"\\x{b:02X}" for b in secret),
            repr(secret)[2:-1],
        ):
            assert not any(form[:20] in text for text in seen)
    assert any("pads" in text for text in seen)


def test_an_error_leaves_no_input_table(con: Any, inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extracted = extract(con, sources.load(inbox / "sources.toml"), DEFINITIONS, Settings())
    con.execute("drop view raw_feedback")
    with pytest.raises(duckdb.Error):
        pseudonymise(con, DEFINITIONS, extracted, KEY)
    assert not any(row[2].startswith(("input_", "pseudonym")) for row in con.execute("show all tables").fetchall())


@pytest.mark.parametrize(
    ("written", "formats", "meant"),
    [
        ("2024-10-01", "", "2024-10-01"),
        ("2024-10-01 09:30", "", "2024-10-01"),
        ("2024-10-01T00:30:00+01:00", "", "2024-10-01"),
        ("01/10/2024", "", "2024-10-01"),
        ("1/10/2024", "", "2024-10-01"),
        ("01/10/2024 09:30:15", "", "2024-10-01"),
        ("31/02/2025", "", None),
        ("2025-02-31", "", None),
        ("10/31/2024", "", None),
        ("01/10/24", "", None),
        ("01/10/1824", "", None),
        ("9999-12-31", "", None),
        ("infinity", "", None),
        ("yesterday", "", None),
        ("01-Oct-24", "%d-%b-%y", "2024-10-01"),
        ("02/10/24", "%d/%m/%y", "2024-10-02"),
        ("10/01/2024", "%m/%d/%Y", "2024-10-01"),
        ("2024-10-01", "%d/%m/%Y", "2024-10-01"),
        ("2024-01-10", "%Y-%d-%m", "2024-10-01"),
    ],
)
def test_dates(con: Any, inbox: Path, written: str, formats: str, meant: str | None) -> None:
    write_csv(inbox / "meetings.csv", [{**tables()["meetings"][0], "Date": written}])
    take_in(con, inbox, f'[tables.meetings]\ndate_formats = ["{formats}"]' if formats else "")
    read = con.execute("select meeting_date::varchar, meeting_date_unreadable from input_meetings").fetchall()
    assert read == [(meant, None if meant else written)]


@pytest.mark.parametrize(
    ("written", "integer", "number"),
    [
        ("3", 3, 3.0),
        ("3.0", 3, 3.0),
        (" 4 ", 4, 4.0),
        ("-2", -2, -2.0),
        ("0.5", None, 0.5),
        ("three", None, None),
        ("nan", None, None),
        ("inf", None, None),
        ("99999999999", None, 99999999999.0),
    ],
)
def test_integers_and_numbers(con: Any, inbox: Path, written: str, integer: int | None, number: float | None) -> None:
    write_csv(inbox / "feedback.csv", [{**tables()["feedback"][0], "trust": written}])
    write_csv(inbox / "tutors.csv", [{**tables()["tutors"][0], "fte": written}])
    take_in(con, inbox)
    text = written.strip()
    assert con.execute("select trust, trust_unreadable from input_feedback").fetchall() == [
        (integer, text if integer is None else None)
    ]
    assert con.execute("select fte, fte_unreadable from input_tutors").fetchall() == [
        (number, text if number is None else None)
    ]


def test_the_key_comes_from_the_settings_first(settings: Settings) -> None:
    given = settings.model_copy(update={"key": Settings(key="x" * 40).key})
    assert load_key(given, example=False) == b"x" * 40
    assert not settings.key_file.exists()


def test_the_example_never_uses_the_settings_key_itself(settings: Settings) -> None:
    given = settings.model_copy(update={"key": Settings(key="x" * 40).key})
    key = load_key(given, example=True)
    assert key != b"x" * 40
    assert len(key) >= 32
    assert load_key(given, example=True) == key


@pytest.mark.parametrize("name", ["key", "KEY"])
def test_a_key_in_settings_toml_is_refused_without_being_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(f'{name} = "{"k" * 40}"\n')
    monkeypatch.setitem(Settings.model_config, "toml_file", file)
    with pytest.raises(SettingError, match="APT_KEY") as raised:
        Settings()
    assert "kkkk" not in str(raised.value)
    file.write_text('key_file = "/somewhere/else.key"\n')
    assert Settings().key_file == Path("/somewhere/else.key")


def example_key(settings: Settings) -> Path:
    return settings.key_file.with_name(f"example-{settings.key_file.name}")


def test_the_example_makes_a_key_file_for_its_owner_only_and_keeps_it(settings: Settings) -> None:
    key = load_key(settings, example=True)
    assert len(key) == 64
    assert stat.S_IMODE(example_key(settings).stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.key_file.parent.stat().st_mode) == 0o700
    assert load_key(settings, example=True) == key


def test_the_examples_key_is_never_the_key_of_real_data(settings: Settings) -> None:
    load_key(settings, example=True)
    with pytest.raises(InputError, match="There is no key"):
        load_key(settings, example=False)


def test_real_data_without_a_key_stops_and_says_how_to_make_one(settings: Settings) -> None:
    with pytest.raises(InputError, match=r"secrets\.token_hex") as raised:
        load_key(settings, example=False)
    assert str(settings.key_file) in str(raised.value)
    assert not settings.key_file.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_key_file_that_others_may_read_is_refused(settings: Settings, mode: int) -> None:
    load_key(settings, example=True)
    example_key(settings).chmod(mode)
    with pytest.raises(InputError, match="chmod 600"):
        load_key(settings, example=True)


def test_a_key_file_inside_the_repository_is_refused(settings: Settings) -> None:
    inside = settings.model_copy(update={"key_file": ROOT / "data" / "pseudonym.key"})
    with pytest.raises(InputError, match="inside the repository"):
        load_key(inside, example=True)


def test_a_key_file_inside_the_data_folder_is_refused_for_real_data(settings: Settings) -> None:
    inside = settings.model_copy(update={"key_file": settings.data / ".config" / "pseudonym.key"})
    load_key(inside, example=True)  # of nobody
    example_key(inside).rename(inside.key_file)
    with pytest.raises(InputError, match="inside the data folder"):
        load_key(inside, example=False)


def test_a_short_key_is_refused_without_being_quoted(settings: Settings) -> None:
    short = settings.model_copy(update={"key": Settings(key="hunter2").key})
    with pytest.raises(InputError, match="32 or more") as raised:
        load_key(short, example=True)
    assert "hunter2" not in str(raised.value)
