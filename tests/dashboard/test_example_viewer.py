"""The example's choice of viewer: offered with example data and no sign-in, and with nothing else."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.access import Viewer
from dashboard.published import current_release, open_release
from tests.dashboard.sample_faculties import write_faculties
from tests.dashboard.sample_release import Sample, write_release
from tests.dashboard.signing_in import PEOPLE, write_access
from tests.dashboard.visiting import ROOT, SEEN, everything, names_told, visit


@pytest.fixture
def example(tmp_path: Path, serve) -> Path:
    name = write_release(tmp_path / "published")
    write_faculties(tmp_path / "published" / name, ("ENG",))
    serve(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("example")
@pytest.mark.parametrize(
    ("viewer", "role", "first"),
    [
        ("faculty:ENG", "faculty lead", "How does the Faculty of Engineering"),
        ("school:ENG3", "school lead", "How does the School of Computer Science"),
        ("university", "university lead", "Is tutoring consistent"),
        ("faculty:BUS", "university lead", "Is tutoring consistent"),  # it has no file
        ("king", "university lead", "Is tutoring consistent"),
    ],
)
def test_the_example_shows_whose_view_the_url_names(viewer: str, role: str, first: str) -> None:
    app = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=30)
    app.query_params["viewer"] = viewer
    app.run()
    assert not app.exception
    assert "choose whose view to see" in everything(app)
    assert app.title[0].value.startswith(first)
    units = next(box for box in app.selectbox if box.key == "unit").options
    assert len(units) == len(SEEN[role]) + 1


@pytest.mark.usefixtures("example")
def test_another_viewer_of_the_example_starts_afresh() -> None:
    app = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=30)
    app.query_params["unit"] = "school:BUS1"
    app.run()
    app.selectbox(key="viewer_choice").select("faculty:ENG").run()
    assert app.query_params["viewer"] == "faculty:ENG"
    assert app.selectbox(key="unit").value == "faculty:ENG"
    assert "not among those" not in everything(app)
    assert all("viewer=faculty" in link.proto.query_string for link in app.get("page_link"))


@pytest.mark.usefixtures("example")
def test_with_sign_in_configured_the_example_is_signed_in_to_as_well(access_toml: Path) -> None:
    app = visit("overview", None, {"viewer": "university"})
    assert app.title[0].value == "Sign in"
    said = everything(visit("overview", PEOPLE["school lead"], {"viewer": "university"}))
    assert names_told(said) <= SEEN["school lead"]
    assert "Example data: a fictional university" in said


@pytest.fixture
def access_toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = write_access(tmp_path)
    monkeypatch.setenv("APT_ACCESS", str(file))
    return file


def test_an_examples_viewer_is_not_the_next_releases(example: Path) -> None:
    app = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=30)
    assert "University lead" in everything(app.run())
    release = open_release(lambda _: Viewer("University lead", "university"))
    write_release(example / "published", Sample(name="a-real-one", source="real"))
    assert current_release() == "a-real-one"
    said = everything(app.run())
    assert "secrets.toml" in said
    assert names_told(said) == set()
    assert release.example, "an open release stays what it was"


@pytest.mark.parametrize("page", ["overview", "schools", "equity"])
@pytest.mark.parametrize("viewer", ["faculty:ENG", "school:ENG3"])
def test_leads_pages_do_without_a_band(example: Path, page: str, viewer: str) -> None:
    with duckdb.connect(str(example / "published" / current_release() / "faculty-ENG.duckdb")) as connection:
        connection.execute("drop table band")
        connection.execute("drop table consistency")
    app = visit(page, None, {"viewer": viewer}, signs_in=False)
    assert not app.exception
    assert "unnamed" not in everything(app)
    assert names_told(everything(app)) >= SEEN["school lead"] - {"faculty:ENG"}


@pytest.mark.usefixtures("example")
@pytest.mark.parametrize(("viewer", "several"), [("faculty:ENG", True), ("school:ENG3", False)])
def test_schools_beside_each_other_are_offered_to_who_sees_several(viewer: str, several: bool) -> None:
    app = visit("equity", None, {"viewer": viewer, "view": "map"}, signs_in=False)
    assert not app.exception
    assert ("Every school" in next(iter(app.get("button_group"))).proto.options.__str__()) == several
