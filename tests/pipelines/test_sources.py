"""sources.toml: what may stand in it, and what is said about the rest."""

from pathlib import Path

import pytest

from pipelines import definitions, sources
from pipelines.errors import InputError

DEFINITIONS = definitions.load()


def load(folder: Path, text: str) -> sources.Sources:
    path = folder / "sources.toml"
    path.write_text(text, encoding="utf-8")
    loaded = sources.load(path)
    loaded.verify(DEFINITIONS)
    return loaded


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as raised:
        load(folder, text)
    return raised.value.problems


def test_the_least_is_a_name(tmp_path: Path) -> None:
    loaded = load(tmp_path, 'university = "University of X"')
    assert (loaded.university, loaded.example, loaded.folder) == ("University of X", False, tmp_path)
    assert loaded.of(DEFINITIONS.tables["meetings"]).files == ()


def test_a_table_says_how_its_files_are_read(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        university = "X"
        [tables.meetings]
        files = "meetings.csv"
        encoding = "windows-1252"
        delimiter = ";"
        skip_rows = 3
        date_formats = ["%d-%b-%y"]
        columns.student_id = "Student Number"
        codes.mode = { F2F = "in person", "" = "other" }
        constants.status = "attended"
        defaults.duration_minutes = 30
        """,
    )
    meetings = loaded.of(DEFINITIONS.tables["meetings"])
    assert meetings.files == ("meetings.csv",)
    assert meetings.encoding == "cp1252"
    assert meetings.defaults == {"duration_minutes": "30"}


def test_codes_of_all_tables_give_way_to_a_table_s_own(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        university = "X"
        codes.school_code = { A = "ART", B = "BIO" }
        tables.tutors.codes.school_code = { A = "ARC" }
        """,
    )
    assert loaded.of(DEFINITIONS.tables["tutors"]).codes["school_code"] == {"A": "ARC", "B": "BIO"}
    assert loaded.of(DEFINITIONS.tables["meetings"]).codes["school_code"] == {"A": "ART", "B": "BIO"}
    assert "school_code" not in loaded.of(DEFINITIONS.tables["calendar"]).codes


def test_a_missing_file_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='university = "University of X"'):
        sources.load(tmp_path / "sources.toml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("example = true", "lacks 'university'"),
        ('university = "X"\nencodng = "utf-8"', "unknown key 'encodng'"),
        ('university = "X"\n[tables.meetings]\ndelimitr = ";"', "Did you mean 'delimiter'?"),
        ('university = "X"\n[tables.meetings]\ndelimiter = "--"', "delimiter"),
        ('university = "X"\n[tables.meetings]\ndate_formats = ["%d %m"]', "no date format"),
        ('university = "X"\n[tables.students]', "The tables are schools"),
        ('university = "X"\n[tables.meetings.columns]\nstudentid = "x"', "Did you mean 'student_id'?"),
        ('university = "X"\n[tables.meetings]\ncolumns.mode = []', "mode cannot be used"),
        ('university = "X"\n[tables.meetings.constants]\nmode = "by letter"', "no value of mode"),
        ('university = "X"\n[codes.schol_code]\nA = "B"', "Did you mean 'school_code'?"),
        (
            'university = "X"\n[tables.meetings]\ncolumns.mode = "How"\nconstants.mode = "online"',
            "Keep one of them",
        ),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, text: str, said: str) -> None:
    assert said in "\n".join(problems(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "university = 3",
            "university cannot be used as it is. Write a name in double quotes, such as\n    university =",
        ),
        ('as_of = "27/11/2026"', "as_of cannot be used as it is. Write a day, the year first"),
        ('as_of = "27/11/2026"', "\n    as_of = 2026-11-27"),
        ("as_of = 2026-11-27T10:00:00", "without a time"),
        ('example = "perhaps"', "true or false"),
        ("tables = 3", "\n    [tables.meetings]\n    files = ["),
        ('tables.meetings = "meetings.csv"', "[tables] meetings cannot be used as it is. Write a heading"),
        ("tables.meetings.files = 3", "[tables.meetings] files cannot be used as it is. Write a list of names"),
        ('tables.meetings.files = ["a.csv", 3]', '\n    files = ["meetings_*.csv"]'),
        ("tables.meetings.encoding = 8", 'encoding = "windows-1252"'),
        ('tables.meetings.delimiter = ""', "one character"),
        ("tables.meetings.sheet = 1", "the name of a sheet"),
        ("tables.meetings.skip_rows = -1", "a whole number, 0 or more"),
        ("tables.meetings.date_formats = 3", "a list of formats"),
        ("tables.tutors.files = 3", '\n    files = ["tutors_*.csv"]'),
        ("tables.meetings.columns.mode = [3]", "[tables.meetings.columns] mode cannot be used as it is."),
        ('tables.meetings.codes.mode = "in person"', '\n    [tables.meetings.codes.mode]\n    "F2F" = "in person"'),
        ("tables.meetings.codes.mode.F2F = []", "[tables.meetings.codes.mode] F2F cannot be used"),
        ('codes.mode = "in person"', '\n    [codes.mode]\n    "F2F" = "in person"'),
        ("tables.meetings.constants = 3", "[tables.meetings.constants]\n    initiated_by ="),
        ("tables.meetings.defaults.mode = []", "[tables.meetings.defaults]\n    status ="),
    ],
)
def test_what_is_of_a_wrong_kind_is_told_in_plain_words_with_an_example(tmp_path: Path, text: str, said: str) -> None:
    (found,) = problems(tmp_path, text if text.startswith("university") else f'university = "X"\n{text}')
    assert said in found
    assert "Input should" not in found


@pytest.mark.parametrize("entry", ["columns", "codes", "constants", "defaults"])
def test_the_lines_of_an_example_can_be_used_as_they_are(tmp_path: Path, entry: str) -> None:
    (found,) = problems(tmp_path, f'university = "X"\n[tables.calendar]\n{entry} = 3')
    assert getattr(load(tmp_path, f'university = "X"\n{found.partition("such as")[2]}').tables["meetings"], entry)


def test_every_entry_has_an_example() -> None:
    assert sources.RIGHT.keys() == {*sources.Sources.model_fields, *sources.TableSource.model_fields} - {"folder"}


def test_a_folder_is_told_from_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is a folder\. Name the file in it: .*sources\.toml"):
        sources.load(tmp_path)


def test_a_file_that_this_account_may_not_read_is_not_said_to_be_no_text(tmp_path: Path, monkeypatch) -> None:
    def refuse(path: Path, **_: str) -> str:  # as the owner of every file may read it, an account such as root's too
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(InputError, match="may not be read by this account") as raised:
        sources.load(tmp_path / "sources.toml")
    assert "UTF-8" not in str(raised.value)


def test_what_is_no_utf_8_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "sources.toml").write_bytes('university = "Zürich"'.encode("cp1252"))
    with pytest.raises(InputError, match="is not UTF-8 text"):
        sources.load(tmp_path / "sources.toml")


def test_all_problems_are_named_at_once(tmp_path: Path) -> None:
    text = (
        'university = "X"\n[tables.metings]\n[tables.tutors.columns]\ntutor = "x"\n[tables.feedback.codes]\ntrst = {}'
    )
    assert len(problems(tmp_path, text)) == 3
