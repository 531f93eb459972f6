"""The story holds what its scope may see, asks before it hands out, and has words for what is not there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from dashboard.access import COMMITTEE, FACULTY_LEAD, SCHOOL_LEAD, STEWARD, UNIVERSITY_LEAD, AccessDeniedError, Viewer
from dashboard.exports import document, images, inert, make
from dashboard.exports.__main__ import main
from dashboard.exports.chromium import NoBrowserError, drawing, find
from dashboard.exports.reading import NothingToTellError, years
from dashboard.exports.scope import command_line, narrowed, offered
from dashboard.exports.story import Request, told
from dashboard.findings import consistency
from dashboard.published import open_release
from tests.dashboard.sample_university import NOT_LOGGING
from tests.dashboard.visiting import names_told

YEAR = "2025/26"


@pytest.fixture(autouse=True)
def _serve(sample_with_faculties: Path, serve: Callable[[Path], None]) -> None:
    serve(sample_with_faculties)


def as_a(role: str, scope: str = "") -> Callable[[bool], Viewer]:
    viewer = Viewer(role, scope, "somebody@northmere.example")
    return lambda _: viewer


@pytest.mark.parametrize(
    ("scope", "seen"),
    [("faculty:ENG", {"faculty:ENG", *(f"school:ENG{i}" for i in range(1, 6))}),
     ("school:ENG3", {"faculty:ENG", "school:ENG3"})],
)  # fmt: skip
def test_a_pack_names_only_units_of_its_scope(scope: str, seen: set[str]) -> None:
    story = told(open_release(command_line(scope)), Request(scope, YEAR))
    said = json.dumps(document.contents(story, {}), ensure_ascii=False)
    said += "".join(figure.numbers.to_csv() + str(figure.marks) for figure in story.figures)
    assert names_told(said) - seen == set()
    assert scope in names_told(said)


def test_where_to_begin_names_whose_record_to_look_at_and_whom_the_release_calls_worth_learning_from() -> None:
    release = open_release(command_line("university"))
    story = told(release, Request("university", YEAR))
    steps = {step.split()[0]: names_told(step) for step in story.steps}
    assert steps["First"] == NOT_LOGGING
    assert not (steps.get("Learn", set()) | steps.get("Talk", set())) & NOT_LOGGING
    funnel = release.derived("funnel", level="all", academic_year=YEAR)
    good = funnel["says"].isin([consistency.LEARN, consistency.MAYBE])
    assert steps.get("Learn", set()) <= set(funnel.loc[good, "unit"])
    assert "in three schools the record looks incomplete" in story.answer


def test_schools_on_several_measures_stand_beside_the_table_of_all_and_those_on_one_beside_its_chart() -> None:
    story = told(open_release(command_line("university")), Request("university", YEAR))
    section = next(s for s in story.sections if s.key == "consistency")
    assert all("on two headline measures or more" in named.heading for named in section.lists)
    [apart] = [f for f in story.findings if f.lead.startswith("Schools on")]
    assert apart.lists
    assert {named.explanation for named in apart.lists} == {f"On {apart.lead.removeprefix('Schools on ')}"}
    for named in apart.lists:
        sides = {side for side in ("above", "below") for name in named.names if f", {side} the usual range" in name}
        assert len(sides) == 1, "one side of the usual range only"
    well = [named for named in section.lists if named.verdict == "well"]
    practice = [f for f in story.findings if f.lead == "Good practice"]
    assert bool(practice) == bool(set(well[0].units) - NOT_LOGGING if well else set())
    assert all(f.verdict == "well" and "worth learning from" in f.headline for f in practice)


def test_what_is_grey_in_a_chart_of_schools_is_in_its_key() -> None:
    story = told(open_release(command_line("university")), Request("university", YEAR))
    strips = next(f for f in story.figures if f.kind == "strips")
    rows = next(f for f in story.figures if f.key == "schools any_meeting")
    assert [said for _, glyph, said in strips.legend if glyph == "▒"]
    assert [glyph for _, glyph, _ in rows.legend if glyph in "▓░"] == ["▓", "░"]


def test_a_school_whose_record_looks_incomplete_says_so_first() -> None:
    story = told(open_release(command_line("school:ENG4")), Request("school:ENG4", YEAR))
    assert "Its record of meetings looks incomplete" in story.answer
    assert story.steps == ()


def test_leads_are_offered_their_own_scopes() -> None:
    assert len(offered(as_a(UNIVERSITY_LEAD, "university"))) > 20
    assert set(offered(as_a(FACULTY_LEAD, "faculty:ENG"))) == {"faculty:ENG", *(f"school:ENG{i}" for i in range(1, 6))}
    for ask in (as_a(SCHOOL_LEAD, "school:ENG3"), as_a(COMMITTEE), as_a(STEWARD)):
        with pytest.raises(AccessDeniedError):
            offered(ask)


@pytest.mark.parametrize("scope", ["university", "faculty:BUS", "school:BUS1", "school:", "", "../x", "faculty:ENG "])
def test_a_scope_that_is_not_theirs_is_refused(scope: str) -> None:
    with pytest.raises(AccessDeniedError):
        narrowed(as_a(FACULTY_LEAD, "faculty:ENG"), scope)


def test_whoever_loses_their_role_while_a_pack_is_made_gets_nothing() -> None:
    answers = [Viewer(FACULTY_LEAD, "faculty:ENG", "dean")]

    def tell(share: float, _: str) -> None:
        if share > 0.1:  # the figures are read by then
            answers[0] = Viewer(SCHOOL_LEAD, "school:ENG3", "dean")

    asked = narrowed(lambda _: answers[0], "faculty:ENG")
    with pytest.raises(AccessDeniedError):
        make.make(asked, Request("faculty:ENG", YEAR), ("xlsx",), tell)


def test_a_release_opened_for_one_scope_tells_no_other() -> None:
    with pytest.raises(AccessDeniedError):
        told(open_release(command_line("faculty:ENG")), Request("university", YEAR))


def test_years_are_whole_or_as_far_as_they_have_come() -> None:
    release = open_release(command_line("university"))
    assert years(release)[YEAR] == YEAR
    assert years(release)["2026/27"] == "2026/27 to week 9"
    with pytest.raises(NothingToTellError, match="it has"):
        told(release, Request("university", "1999/00"))


def test_a_year_in_progress_names_the_period_of_what_is_older() -> None:
    story = told(open_release(command_line("university")), Request("university", "2026/27"))
    voice = next(h for h in story.headlines if h.label == "I trust my tutor")
    assert voice.interval.startswith("2025/26 · ")
    assert story.question.startswith("Is tutoring consistent")


def test_only_the_sections_asked_for_are_told() -> None:
    story = told(open_release(command_line("university")), Request("university", YEAR, ("quality", "voice")))
    assert [s.key for s in story.sections] == ["voice", "quality"]


def test_without_chromium_the_pack_is_made_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    made = make.make(command_line("school:ENG3"), Request("school:ENG3", YEAR, ("voice",)))
    assert set(made.files) == set(make.FORMATS)
    assert "apt install chromium" in made.notes[0]
    with pytest.raises(NoBrowserError, match="apt install"), drawing():
        pass


def test_the_command_line_makes_what_it_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = tmp_path / "actions.txt"
    words.write_text("Visit the School of Law", encoding="utf-8")
    asked = [
        "pack",
        "--scope",
        "school:ENG3",
        "--out",
        str(tmp_path / "out"),
        "--format",
        "xlsx",
        "--sections",
        "voice",
    ]
    assert main([*asked, "--actions", str(words)]) == 0
    written = capsys.readouterr().out.split()
    assert [Path(f).name for f in written] == ["personal-tutoring-school-ENG3-2025-26.xlsx"]
    cover = openpyxl.load_workbook(written[0])["Cover"]
    assert "Visit the School of Law" in [row[0].value for row in cover.iter_rows()]
    assert main(["pack", "--scope", "school:NOPE", "--year", YEAR, "--out", str(tmp_path)]) == 1
    assert main(["pack", "--scope", "everything", "--year", YEAR, "--out", str(tmp_path)]) == 1
    assert "A scope is" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1"])
def test_cells_that_look_like_formulas_are_text(text: str) -> None:
    assert str(inert.cell(text)).startswith("'")
    assert inert.cell(-1.5) == -1.5
    assert inert.cell("−1 to 2") == "−1 to 2"


def test_a_chromium_that_does_not_start_is_named_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/bin/false")
    made = make.make(command_line("school:ENG3"), Request("school:ENG3", YEAR, ("quality",)), ("pdf",))
    assert made.files["pdf"].startswith(b"%PDF")
    assert "apt install chromium" in made.notes[0]


@pytest.mark.browser
def test_charts_are_drawn_as_vectors_and_pictures() -> None:
    try:
        find()
    except NoBrowserError as error:
        pytest.skip(str(error))
    story = told(open_release(command_line("school:ENG3")), Request("school:ENG3", YEAR, ("voice",)))
    with drawing() as chromium:
        drawn = images.single(chromium, story, story.figures[0], "svg").decode()
        assert images.single(chromium, story, story.figures[0], "png").startswith(b"\x89PNG")
    assert story.release in drawn
    assert "Example data" in drawn
