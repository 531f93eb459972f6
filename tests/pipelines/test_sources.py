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
        ('university = "X"\n[tables.meetings]\ncolumns.mode = []', "mode: "),
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


def test_all_problems_are_named_at_once(tmp_path: Path) -> None:
    text = (
        'university = "X"\n[tables.metings]\n[tables.tutors.columns]\ntutor = "x"\n[tables.feedback.codes]\ntrst = {}'
    )
    assert len(problems(tmp_path, text)) == 3
