"""Role × scope × page × read × download: nobody learns of a unit, a page or a file that is not theirs."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

import audit
from dashboard import layout, packs, published
from dashboard.access import ROLES, AccessDeniedError, Viewer, decide, load_access
from dashboard.exports import images
from dashboard.exports.scope import offered
from dashboard.published import Release, UnreadableReleaseError, open_release
from dashboard.sight import LEAD
from tests.dashboard.sample_faculties import write_faculties
from tests.dashboard.sample_pack import write_pack
from tests.dashboard.sample_release import Sample, write_release
from tests.dashboard.signing_in import ACCESS, PEOPLE, claims, write_access
from tests.dashboard.visiting import NAMES, ROOT, SEEN, VIEWS, everything, names_told, visit

PAGES = ROLES["university lead"].pages
FORGED = {
    "unit": "school:BUS1", "faculty": "faculty:BUS", "viewer": "university", "metric": "trust", "period": "2025-26",
}  # fmt: skip
LEADS = ("faculty lead", "school lead")
FIGURES = ("overview", "schools", "equity", "voice", "year", "profile", "quality")
WORDS = ("release", "metric", "characteristic", "characteristic_group", "level", "period")


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a real release, faculty files, and a table nobody has told the dashboard of."""
    data = tmp_path_factory.mktemp("real")
    name = write_release(data / "published", Sample(name="real-one", source="real"))
    folder = data / "published" / name
    with duckdb.connect(str(folder / "university.duckdb")) as connection:
        connection.execute("create table novelty as select 'Law and Criminology' as said, 'school:BUS3' as unit")
    write_faculties(folder, ("ENG", "EDU"))
    write_pack(data)
    write_pack(data, "faculty", "faculty:ENG", "A faculty")
    write_pack(data, ".draft", title="not released")
    write_pack(data, "invented", title="made from the example", example=True)
    (data / "packs" / "notes.pdf").write_bytes(b"not a pack")
    return data


@pytest.fixture
def access(real: Path, serve: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The real release served, and the access.toml in force."""
    serve(real)
    file = write_access(tmp_path)
    monkeypatch.setenv("APT_ACCESS", str(file))
    return file


def ask_as(email: str, **more: Any) -> Callable[[bool], Viewer]:
    told = claims(email, **more)
    return lambda _: decide(told, load_access(), time.time())


def open_as(role: str) -> Release:
    return open_release(ask_as(PEOPLE[role]))


@pytest.mark.usefixtures("access")
@pytest.mark.parametrize("query", [{}, FORGED], ids=["plain", "forged"])
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("role", PEOPLE)
def test_a_page_names_only_the_units_of_its_viewer(role: str, page: str, query: dict[str, str]) -> None:
    app = visit(page, PEOPLE[role], query)
    assert not app.exception
    said = everything(app)
    assert names_told(said) <= SEEN[role]
    assert "novelty" not in said
    if page in ROLES[role].pages:
        assert len(app.title) == 1
        assert "not part of your role" not in app.title[0].value
    elif page != "overview":
        assert app.title[0].value == "This page is not part of your role"
    if role in LEADS and query and page in ("overview", "schools", "equity", "voice", "year", "profile"):
        assert "not among those you may see" in said


@pytest.mark.usefixtures("access")
@pytest.mark.parametrize("role", LEADS)
def test_no_view_names_a_unit_of_somebody_else(role: str) -> None:
    for page, query in VIEWS:
        app = visit(page, PEOPLE[role], query)
        assert not app.exception, (page, query)
        assert names_told(everything(app)) <= SEEN[role], (page, query)


@pytest.mark.usefixtures("access")
def test_a_lead_sees_several_schools_in_one_table_and_a_single_one_in_its_own_view() -> None:
    schools = {role: everything(visit("schools", PEOPLE[role])) for role in LEADS}
    assert 'class=\\"matrix\\"' in schools["faculty lead"]
    assert 'class=\\"matrix\\"' not in schools["school lead"]


@pytest.mark.usefixtures("access")
def test_the_test_of_names_can_fail() -> None:
    assert names_told(everything(visit("schools", PEOPLE["university lead"]))) >= {
        unit for unit in NAMES if unit.startswith("school")
    }


@pytest.mark.usefixtures("access")
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("email", "more"),
    [
        (None, {}),
        ("stranger@northmere.example", {}),
        ("stranger@northmere.example", {"roles": ["Other.App"]}),
        (PEOPLE["university lead"], {"exp": time.time() - 1}),
        (PEOPLE["university lead"], {"email_verified": False}),
    ],
    ids=["nobody", "stranger", "other role", "expired", "unverified"],
)
def test_whoever_has_no_role_sees_nothing(page: str, email: str | None, more: dict[str, Any]) -> None:
    app = visit(page, email, FORGED, **more)
    assert not app.exception
    said = everything(app)
    assert names_told(said) == set()
    for words in ("Northmere University", "real-one", "Met their tutor", "plotly"):
        assert words not in said
    assert app.title[0].value in ("Sign in", "You have no access")
    if email and "stranger" in email:
        assert "Ask the data team." in said


@pytest.mark.usefixtures("access")
@pytest.mark.parametrize("viewer", ["university", "faculty:BUS", "school:BUS1", "steward"])
def test_the_examples_choice_of_viewer_is_nothing_to_real_data(viewer: str) -> None:
    app = visit("overview", PEOPLE["school lead"], {"viewer": viewer})
    assert "Example data" not in everything(app)
    assert not [box for box in app.selectbox if box.key == "viewer_choice"]
    assert names_told(everything(app)) <= SEEN["school lead"]
    app.session_state["chosen_viewer"] = viewer
    app.session_state["viewer_choice"] = viewer
    assert names_told(everything(app.run())) <= SEEN["school lead"]


@pytest.mark.parametrize("viewer", ["", "university", "faculty:ENG", "steward"])
def test_real_data_without_sign_in_refuses_to_serve(real: Path, serve, viewer: str) -> None:
    serve(real)
    app = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=30)
    app.query_params["viewer"] = viewer
    app.session_state["chosen_viewer"] = viewer
    app.run()
    said = everything(app)
    assert "secrets.toml" in said
    assert "access.toml" in said
    assert names_told(said) == set()
    assert "Northmere" not in said


@pytest.mark.usefixtures("access")
def test_widget_values_of_another_scope_are_not_taken() -> None:
    app = visit("equity", PEOPLE["faculty lead"])
    box = app.selectbox(key="unit")
    assert names_told("\n".join(box.options)) <= SEEN["faculty lead"]
    box.options.append("school:BUS1")  # as a forged message from the browser would
    box.set_value("school:BUS1").run()
    app.session_state["chosen"] = {"unit": "school:BUS1", "faculty": "faculty:BUS"}
    app.query_params.clear()
    app.run()
    assert app.selectbox(key="unit").value == "faculty:ENG"
    assert names_told(everything(app)) <= SEEN["faculty lead"]


def test_who_is_demoted_or_removed_while_signed_in_sees_so_at_once(access: Path) -> None:
    app = visit("overview", PEOPLE["faculty lead"])
    assert "school:ENG1" in names_told(everything(app))
    write_access(access.parent, ACCESS.replace('"faculty lead", faculty = "ENG"', '"school lead", school = "ENG3"'))
    assert names_told(everything(app.run())) <= SEEN["school lead"]
    write_access(access.parent, ACCESS.replace("Eng.Dean@", "Somebody.Else@"))
    assert app.run().title[0].value == "You have no access"
    assert names_told(everything(app)) == set()
    write_access(access.parent, "people = nonsense")
    assert "nobody is let in" in everything(visit("overview", PEOPLE["university lead"]))


def test_what_is_kept_in_memory_is_asked_for_again(access: Path) -> None:
    whole, release = open_as("university lead"), open_as("school lead")
    keys = {"metric": "any_meeting", "level": "all", "characteristic": "all", "group": "all"}
    assert whole.cells(**keys)["unit"].nunique() == len(NAMES) + 1
    assert set(release.cells(**keys)["unit"]) == {"university", *SEEN["school lead"]}
    assert set(release.units.index) == {"university", *SEEN["school lead"]}
    write_access(access.parent, ACCESS.replace('school = "ENG3"', 'school = "EDU1"'))
    for read in (
        lambda: release.units,
        lambda: release.about,
        lambda: release.cells(**keys),
        lambda: release.findings("school:ENG3"),
        lambda: release.checks,
    ):
        with pytest.raises(AccessDeniedError):
            read()
    assert set(open_as("school lead").units.index) == {"university", "school:EDU1"}
    access.unlink()
    with pytest.raises(AccessDeniedError):
        _ = whole.units


def test_in_a_faculty_of_two_schools_neither_can_be_worked_out_from_the_other(access: Path) -> None:
    write_access(access.parent, ACCESS.replace('school = "ENG3"', 'school = "EDU1"'))
    release = open_as("school lead")
    for table in LEAD:
        rows = release._read(table)
        for column in {"unit", "school", "parent"} & set(rows.columns):
            assert set(rows[column].dropna()) <= {"university", "school:EDU1"}, table
    for page, query in [*((page, {}) for page in ROLES["school lead"].pages), *VIEWS]:
        app = visit(page, PEOPLE["school lead"], query)
        assert not app.exception, (page, query)
        assert names_told(everything(app)) <= {"school:EDU1"}, (page, query)


@pytest.mark.usefixtures("access")
@pytest.mark.parametrize("role", [r for r in PEOPLE if r != "university lead"])
def test_every_table_is_cut_to_the_viewers_units(role: str) -> None:
    release = open_as(role)
    with published.connect(release.file) as connection:
        tables = [t for (t,) in connection.execute("select table_name from information_schema.tables").fetchall()]
    allowed = SEEN[role] | {"university"} if SEEN[role] else set()
    own = allowed - {"university"} - ({"faculty:ENG"} if role == "school lead" else set())
    for table in tables:
        rows = release._read(table)
        for column in {"unit", "school", "parent"} & set(rows.columns):
            assert set(rows[column].dropna()) <= allowed, table
        if table == "finding":
            assert set(rows.get("unit", [])) <= own
        if table == "novelty" or not (allowed or table in WORDS or role == "data steward"):
            assert rows.empty, table
    assert (len(release._read("cell")) > 0) == (role in LEADS)
    assert (len(release._read("check")) > 0) == (role != "committee member")


@pytest.mark.usefixtures("access")
@pytest.mark.parametrize("role", LEADS)
def test_data_quality_names_no_file_and_no_value_to_leads(role: str) -> None:
    release = open_as(role)
    assert release.checks["observed"].isna().all()
    assert set(release.reconciliation["file"]) == set(release.quarantine["file"]) == {""}
    assert "SITS" not in everything(visit("quality", PEOPLE[role]))
    assert "SITS" in everything(visit("quality", PEOPLE["data steward"]))


@pytest.mark.parametrize("held", ["BUS", "university"])
def test_a_faculty_file_with_other_figures_is_not_opened(tmp_path: Path, serve, held: str) -> None:
    name = write_release(tmp_path / "published")
    folder = tmp_path / "published" / name
    write_faculties(folder, ("BUS",))
    source = folder / (f"faculty-{held}.duckdb" if held == "BUS" else "university.duckdb")
    (folder / "faculty-ENG.duckdb").write_bytes(source.read_bytes())
    serve(tmp_path)
    for role, scope in (("Faculty lead", "faculty:ENG"), ("School lead", "school:ENG3")):
        with pytest.raises(UnreadableReleaseError, match="another faculty"):
            open_release(lambda _, role=role, scope=scope: Viewer(role, scope))


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], bytes]]:
    """Downloads that pages offer: name → what a click asks for."""
    found: dict[str, Callable[[], bytes]] = {}

    def button(label: str, data: Callable[[], bytes], *, file_name: str, **_: Any) -> None:
        found[file_name] = data

    monkeypatch.setattr(layout.st, "download_button", button)
    return found


class Undrawn:
    """Gives a chart as it would be drawn, in words: an image would hide whose names stand in it."""

    def begin(self, drawn: go.Figure, *_: Any) -> SimpleNamespace:
        told = json.dumps(drawn.to_plotly_json(), ensure_ascii=False, default=str)
        return SimpleNamespace(result=lambda: told.replace("<br>", " ").encode())


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "drawing", lambda: nullcontext(Undrawn()))


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("role", PEOPLE)
def test_downloads_are_offered_and_given_by_role(access: Path, downloads: dict, role: str, real: Path) -> None:
    for page in PAGES:
        visit(page, PEOPLE[role])
    packed = {"faculty.pdf"} if role == "faculty lead" else {"committee.pdf", "faculty.pdf"}
    files = {"check report": {"check-report.csv"}, "packs": packed}
    numbers = {name for name in downloads if name not in {"check-report.csv", "committee.pdf", "faculty.pdf"}}
    assert bool(numbers) == ("data" in ROLES[role].exports)
    given = [files[export] for export in ROLES[role].exports if export in files]
    assert set(downloads) - numbers == set().union(*given)
    in_images = set()
    for name, give in downloads.items():
        data = give()
        last = list(audit.records(real / "audit"))[-1]
        assert (last["event"], last["what"], last["role"].lower()) == ("download", name, role)
        assert data
        told = names_told(data.decode("utf-8", "ignore"))
        assert told <= SEEN[role]
        in_images |= told if name.endswith((".png", ".svg")) else set()
    assert bool(in_images) == bool(numbers), "charts name the units they are of"
    write_access(access.parent, re.sub(PEOPLE[role], "gone@northmere.example", ACCESS, flags=re.IGNORECASE))
    for give in downloads.values():
        with pytest.raises(AccessDeniedError):
            give()


@pytest.mark.usefixtures("access")
@pytest.mark.parametrize("role", PEOPLE)
def test_the_data_layer_refuses_what_a_role_does_not_take(role: str) -> None:
    ask = ask_as(PEOPLE[role])
    exports, pages = ROLES[role].exports, ROLES[role].pages
    for allowed, read in (
        ("packs" in exports, lambda: packs.listed(ask)),
        ("packs" in exports, lambda: packs.read(ask, "faculty", "faculty.pdf")),
        (role in ("university lead", "committee member"), lambda: packs.read(ask, "committee", "committee.pdf")),
        ("build" in pages, lambda: offered(ask)),
        ("releases" in pages, lambda: published.releases(ask)),
        ("check report" in exports, lambda: open_release(ask).check_report()),
    ):
        if allowed:
            assert len(read())
        else:
            with pytest.raises(AccessDeniedError):
                read()
    for name, file in (
        (".draft", ".draft.pdf"),
        ("invented", "invented.pdf"),
        ("", "notes.pdf"),
        ("committee", "../faculty/faculty.pdf"),
        ("committee", "pack.json"),
        ("../packs/committee", "committee.pdf"),
    ):
        with pytest.raises(AccessDeniedError):
            packs.read(ask, name, file)


@pytest.mark.usefixtures("access")
def test_visits_and_refusals_are_recorded_once_and_without_a_value(tmp_path: Path, serve) -> None:
    data = tmp_path / "own"
    write_release(data / "published", Sample(name="real-two", source="real"))
    write_faculties(data / "published" / "real-two", ("ENG",))
    serve(data)
    app = visit("schools", PEOPLE["faculty lead"], {"metric": "trust", "unit": "school:BUS1"})
    app.run()
    app.run()
    app.selectbox(key="level").select("UG").run()
    visit("who", PEOPLE["faculty lead"])
    visit("overview", "stranger@northmere.example")
    visit("overview", None)
    told = [(r["event"], r["viewer"].partition("@")[0], r["what"]) for r in audit.records(data / "audit")]
    assert told == [
        ("sign-in", "eng.dean", ""),
        ("view", "eng.dean", "Compare schools?metric=trust"),
        ("refusal", "eng.dean", "unit in the address"),
        ("view", "eng.dean", "Compare schools?level=UG&metric=trust"),
        ("sign-in", "eng.dean", ""),
        ("refusal", "eng.dean", "page Who sees what"),
        ("refusal", "stranger", "no role"),
    ]
    assert audit.verify(data / "audit")[1] == []
    assert {r["release"] for r in audit.records(data / "audit")} == {"real-two", ""}


@pytest.mark.usefixtures("access")
def test_what_cannot_be_recorded_is_not_shown(tmp_path: Path, serve) -> None:
    data = tmp_path / "own"
    write_release(data / "published", Sample(name="real-three", source="real"))
    (data / "audit").write_text("in the way")
    serve(data)
    app = visit("overview", PEOPLE["university lead"])
    assert not app.exception
    assert "cannot be recorded is not shown" in everything(app)
    assert names_told(everything(app)) == set()


@pytest.mark.usefixtures("access")
def test_who_sees_what_names_everybody_with_role_and_unit() -> None:
    said = json.dumps(everything(visit("who", PEOPLE["university lead"])))
    for words in (*PEOPLE.values(), "Tutoring.EDU", "Computer Science and Informatics", "Education and Social Policy"):
        assert words in said
