"""Released packs: never changed, seen by those they are for, and withdrawn with a trace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import audit
from dashboard import packs
from dashboard.access import COMMITTEE, FACULTY_LEAD, UNIVERSITY_LEAD, AccessDeniedError, Viewer
from dashboard.exports.story import Request
from tests.dashboard.sample_pack import write_pack
from tests.dashboard.sample_release import Sample, write_release
from tests.dashboard.visiting import everything, names_told, visit

YEAR = "2025/26"
Ask = Callable[[bool], Viewer]


@pytest.fixture
def data(sample_with_faculties: Path, tmp_path: Path, serve: Callable[[Path], None]) -> Path:
    """The sample release, served; no pack yet."""
    (tmp_path / "published").symlink_to(sample_with_faculties / "published")
    serve(tmp_path)
    return tmp_path


def as_a(role: str, scope: str = "") -> Ask:
    viewer = Viewer(role, scope, f"{role.split()[0].lower()}@northmere.example")
    return lambda _: viewer


LEAD, DEAN, MEMBER = as_a(UNIVERSITY_LEAD, "university"), as_a(FACULTY_LEAD, "faculty:ENG"), as_a(COMMITTEE)
OTHER = as_a(FACULTY_LEAD, "faculty:EDU")


@pytest.fixture
def recorded() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def released(data: Path, recorded: list[tuple[str, str]]) -> packs.Pack:
    """A faculty's pack, released by its lead."""
    request = Request("faculty:ENG", YEAR, ("quality",), "Our view.")
    pack, _ = packs.release(DEAN, request, ("xlsx",), lambda event, what, _: recorded.append((event, what)))
    return pack


def test_a_released_pack_is_listed_with_who_and_when_and_read_as_it_was(
    data: Path, released: packs.Pack, recorded: list[tuple[str, str]]
) -> None:
    assert recorded == [("release", released.name)]
    for ask in (LEAD, DEAN, MEMBER):
        (found,) = packs.listed(ask)
        assert found == released
        assert packs.read(ask, found.name, found.files[0].name).startswith(b"PK")
    assert released.released_by == "faculty@northmere.example (Faculty lead)"
    folder = data / "packs" / released.name
    assert not any(file.stat().st_mode & 0o222 for file in folder.iterdir())


def test_a_pack_is_seen_by_no_other_faculty(released: packs.Pack) -> None:
    assert packs.listed(OTHER) == []
    with pytest.raises(AccessDeniedError):
        packs.read(OTHER, released.name, released.files[0].name)


def test_a_file_that_was_changed_is_not_given(data: Path, released: packs.Pack) -> None:
    file = data / "packs" / released.name / released.files[0].name
    file.chmod(0o600)
    file.write_bytes(b"PK another")
    with pytest.raises(packs.DamagedPackError):
        packs.read(MEMBER, released.name, released.files[0].name)


def test_withdrawing_leaves_a_trace_and_no_file(
    data: Path, released: packs.Pack, recorded: list[tuple[str, str]]
) -> None:
    def record(event: str, what: str, _: bytes) -> None:
        recorded.append((event, what))

    with pytest.raises(ValueError, match="Say why"):
        packs.withdraw(DEAN, released.name, "  ", record)
    for ask in (MEMBER, OTHER):
        with pytest.raises(AccessDeniedError):
            packs.withdraw(ask, released.name, "because", record)
    packs.withdraw(LEAD, released.name, "The extract of one school was incomplete.", record)
    (found,) = packs.listed(MEMBER)
    assert (found.withdrawn_by, found.why) == (
        "university@northmere.example (University lead)",
        "The extract of one school was incomplete.",
    )
    assert found.released_by == released.released_by
    assert {f.name for f in (data / "packs" / released.name).iterdir()} == {"pack.json", "withdrawn.json"}
    for act in (
        lambda: packs.read(MEMBER, released.name, released.files[0].name),
        lambda: packs.withdraw(LEAD, released.name, "again", record),
    ):
        with pytest.raises(AccessDeniedError):
            act()
    assert recorded[1:] == [("withdrawal", released.name)]


def test_what_cannot_be_recorded_is_not_released(data: Path) -> None:
    def record(*_: Any) -> None:
        raise audit.AuditError("no room")

    with pytest.raises(audit.AuditError):
        packs.release(DEAN, Request("faculty:ENG", YEAR, ("quality",)), ("xlsx",), record)
    assert packs.listed(LEAD) == []
    assert list((data / "packs").iterdir()) == []


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize(("ask", "scope"), [(DEAN, "university"), (DEAN, "school:BUS1"), (MEMBER, "university")])
def test_nobody_releases_beyond_their_scope(ask: Ask, scope: str) -> None:
    with pytest.raises(AccessDeniedError):
        packs.release(ask, Request(scope, YEAR), ("xlsx",), lambda *_: None)


def test_packs_of_real_figures_are_not_shown_beside_the_example(data: Path) -> None:
    write_pack(data, "real", example=False)
    write_pack(data, "invented", example=True)
    assert [p.name for p in packs.listed(MEMBER)] == ["invented"]


@pytest.mark.usefixtures("data")
def test_a_lead_previews_releases_and_withdraws_on_the_pages() -> None:
    app = visit("build", None, {"viewer": "faculty:ENG"}, signs_in=False)
    app.default_timeout = 120
    assert not app.exception
    assert names_told("\n".join(app.selectbox(key="pack scope").options)) <= {"faculty:ENG", *_schools()}
    app.button_group(key="pack formats").set_value(["xlsx"])
    app.text_area(key="pack actions").set_value("Mend the records *by January*")
    app.run()
    assert not [b for b in app.button if b.label == "Release"]
    next(b for b in app.button if b.label == "Preview").click().run()
    app.checkbox(key="pack read").check().run()
    next(b for b in app.button if b.label == "Release").click().run()
    assert not app.exception
    assert "Released: Faculty of Engineering" in everything(app)
    committee = visit("packs", None, {"viewer": "committee"}, signs_in=False)
    assert "the Faculty lead" in everything(committee)
    assert not committee.button
    lead = visit("packs", None, {"viewer": "faculty:ENG"}, signs_in=False)
    lead.text_input[0].set_value("A school’s extract was late").run()
    next(b for b in lead.button if b.label == "Withdraw").click().run()
    after = everything(visit("packs", None, {"viewer": "committee"}, signs_in=False))
    assert "A school’s extract was late." in after
    assert "Withdrawn" in after


def _schools() -> set[str]:
    return {f"school:ENG{i}" for i in range(1, 6)}


def test_a_release_without_meetings_or_answers_still_makes_a_pack(
    tmp_path: Path, serve: Callable[[Path], None]
) -> None:
    write_release(tmp_path / "published", Sample(name="bare", feedback=False, meetings=False, year_in_progress=False))
    serve(tmp_path)
    pack, _ = packs.release(LEAD, Request("university", YEAR), ("xlsx", "html", "pptx"), lambda *_: None)
    page = packs.read(LEAD, pack.name, next(f.name for f in pack.files if f.kind == "html")).decode()
    assert "no figures about contact" in page
    assert "no survey has been read" in page
