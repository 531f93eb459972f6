"""Hidden does not mean unseen: the nearest view of a group, and the links that open it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

import duckdb
import pandas as pd
import pytest

from dashboard.findings import nearest
from dashboard.findings.nearest import Nearest, View
from dashboard.published import open_release
from tests.dashboard.sample_faculties import write_faculties
from tests.dashboard.sample_release import write_release
from tests.dashboard.signing_in import PEOPLE, write_access
from tests.dashboard.test_pages import links, text, visit
from tests.dashboard.test_scopes import ask_as
from tests.dashboard.visiting import SEEN

HIDDEN = View("trust", "ethnicity", "Black", "school:A", "PGT", "2026/27", "to_date")
PARENTS = {"school:A": "faculty:F", "faculty:F": "university"}
BROADER = {("ethnicity", "Black"): [("ethnicity_broad", "Minority")]}
LAST = {"academic_year": "2025/26", "part": "year"}
POOLED = {"academic_year": "2023/24 to 2025/26", "part": "pooled"}
IN_ORDER = [
    replace(HIDDEN, level="all"),
    replace(HIDDEN, characteristic="ethnicity_broad", group="Minority"),
    replace(HIDDEN, **POOLED, level="all"),
    replace(HIDDEN, unit="faculty:F"),
    replace(HIDDEN, unit="faculty:F", level="all"),
    replace(HIDDEN, unit="university"),
    replace(HIDDEN, unit="university", level="all"),
    replace(HIDDEN, **LAST),
    replace(HIDDEN, **LAST, level="all"),
]


def test_the_nearest_view_comes_first_and_the_next_when_it_is_hidden_too() -> None:
    for first in range(len(IN_ORDER)):
        seen = Nearest(frozenset(IN_ORDER[first:]), PARENTS, BROADER, tuple(POOLED.values()), tuple(LAST.values()))
        assert seen.to(HIDDEN) == IN_ORDER[first]
    assert Nearest(frozenset(), PARENTS, BROADER, tuple(POOLED.values()), tuple(LAST.values())).to(HIDDEN) is None
    other = replace(HIDDEN, group="Asian", level="all")
    assert Nearest(frozenset([other]), PARENTS, BROADER).to(HIDDEN) is None, "another group is not an answer"


def test_broader_groups_are_those_the_release_names() -> None:
    characteristics = pd.DataFrame({"of": [None, "ethnicity"]}, index=["ethnicity", "ethnicity_broad"])
    groups = pd.DataFrame(
        [("ethnicity", "Black", ""), ("ethnicity_broad", "Minority", '["Asian", "Black"]')],
        columns=["characteristic", "group", "joins"],
    )
    found = nearest.broader(characteristics, groups)
    assert found["ethnicity", "Black"] == [("ethnicity_broad", "Minority")]
    assert nearest.broader(characteristics.drop(columns="of"), groups) == {}


def test_a_hidden_group_is_named_with_its_characteristic() -> None:
    units = pd.DataFrame({"short_name": ["A", "B"], "name": ["A", "B"]}, index=["school:A", "school:B"])
    hidden = [HIDDEN, replace(HIDDEN, group="Other"), replace(HIDDEN, characteristic="sex", group="Other")]
    by = {"ethnicity": "ethnicity", "sex": "sex"}
    said = nearest.named(hidden, lambda view: view.group, units, by)
    assert said == "Black and Other (ethnicity) in A and Other (sex) in A"
    offer = nearest.Offer(replace(HIDDEN, level="all"), ((HIDDEN, "too few to show"),))
    said = nearest.offer_words(offer, lambda view: view.group, units, "All levels", "2026/27", by)
    assert said == "Too few to show: Black (ethnicity) in A. Nearest: A, all levels"


def query_of(link: object) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(link.query_string).items()}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("page", "asked"),
    [
        (
            "equity",
            {"unit": "school:ENG3", "metric": "trust", "characteristic": "ethnicity", "level": "UG", "view": "where"},
        ),
        ("schools", {"metric": "trust", "level": "PGR"}),
        ("overview", {"unit": "school:EDU1", "level": "PGR"}),
    ],
)
def test_links_open_views_in_which_the_group_is_shown(served, release, page: str, asked: dict[str, str]) -> None:
    found = [link for link in links(visit(page, **asked)) if "Nearest" in link.label]
    assert found
    for link in found:
        to = query_of(link)
        opened = visit(link.page.rpartition("/")[2] or page, **to)
        assert not opened.exception
        boxes = {box.key: box.value for box in opened.selectbox}
        here = {"equity": set(to) - {"view"}, "schools": {"metric", "level", "period"}, "overview": {"unit", "level"}}
        assert {k: boxes[k] for k in here[page]} == {k: to[k] for k in here[page]}
        if page == "equity":
            year = to["period"].replace("-", "/", 1)
            view = {"unit": to["unit"], "level": to["level"], "characteristic": to["characteristic"]}
            shown = release.cells(metric="trust", academic_year=year, part="year", **view)
            shown = shown[shown["status"] == "shown"]
            assert len(shown)
            assert to.get("group") in {None, *shown["group"]}


@pytest.fixture
def served(sample: Path, serve) -> None:
    serve(sample)


def test_hidden_figures_say_why_in_words(served) -> None:
    said = text(
        visit("equity", unit="school:ENG3", metric="trust", characteristic="ethnicity", level="UG", view="where")
    )
    assert "too few to show" in said
    assert "hidden to protect another figure" in said


def test_a_release_that_does_not_say_why_still_says_hidden(tmp_path: Path, serve) -> None:
    name = write_release(tmp_path / "published")
    with duckdb.connect(str(tmp_path / "published" / name / "university.duckdb")) as connection:
        connection.execute("alter table cell drop column why")
        connection.execute("drop table protection")
    serve(tmp_path)
    for page in ("overview", "schools", "equity"):
        app = visit(page, metric="trust", unit="school:EDU1", level="UG" if page == "equity" else "PGR")
        assert not app.exception
        assert "hidden to protect people" in text(app).lower()
    app = visit("quality", view="hidden")
    assert not app.exception
    assert "What protection costs" not in text(app)


def test_what_protection_costs_is_told_to_those_it_is_for(tmp_path: Path, serve, monkeypatch) -> None:
    name = write_release(tmp_path / "published")
    write_faculties(tmp_path / "published" / name, ("ENG",))
    serve(tmp_path)
    monkeypatch.setenv("APT_ACCESS", str(write_access(tmp_path)))
    told = {role: len(open_release(ask_as(PEOPLE[role])).protection) for role in PEOPLE}
    assert told["university lead"] == told["data steward"] == told["faculty lead"] > 0
    assert told["school lead"] == told["committee member"] == 0
    said = text(visit("quality", PEOPLE["data steward"], view="hidden"))
    assert "hidden to protect people" in said
    assert "What protection costs" in said


def test_a_lead_is_led_to_no_unit_they_may_not_see(tmp_path: Path, serve, monkeypatch) -> None:
    name = write_release(tmp_path / "published")
    write_faculties(tmp_path / "published" / name, ("ENG",))
    serve(tmp_path)
    monkeypatch.setenv("APT_ACCESS", str(write_access(tmp_path)))
    asked = {"unit": "school:ENG3", "metric": "trust", "characteristic": "ethnicity", "level": "UG", "view": "where"}
    found = [query_of(n) for n in links(visit("equity", PEOPLE["school lead"], **asked)) if "Nearest" in n.label]
    assert found
    assert {to["unit"] for to in found} <= SEEN["school lead"] | {"university"}
