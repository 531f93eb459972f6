"""What stands under a chart: a link that opens the same view, and its numbers, safe to open, saying what they are."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pandas as pd
import pytest

from dashboard import layout, numbers
from dashboard.exports import chromium, inert
from dashboard.published import Release
from dashboard.style.theme import DARK, LIGHT
from tests.dashboard.test_pages import text, visit
from tests.dashboard.visiting import everything


def read(data: bytes) -> tuple[dict[str, str], pd.DataFrame]:
    """The lines above a file's numbers, and the numbers."""
    above, _, below = data.decode("utf-8-sig").partition("\r\n\r\n")
    return dict(csv.reader(io.StringIO(above))), pd.read_csv(io.StringIO(below), keep_default_na=False)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], dict[str, Callable[[], bytes]]]:
    """Links offered to copy, and files offered: name → what a click asks for. There is a Chromium."""
    links: list[str] = []
    files: dict[str, Callable[[], bytes]] = {}
    monkeypatch.setattr(layout.chromium, "there", lambda: True)
    monkeypatch.setattr(layout.inbrowser, "copy_link", lambda address, query, of, key: links.append(query))
    monkeypatch.setattr(layout, "download", lambda visit, label, name, make, *_, **__: files.update({name: make}))
    return links, files


def test_what_is_hidden_is_said_in_words(release: Release) -> None:
    keys = {"academic_year": "2026/27", "part": "to_date", "level": "all", "metric": "any_meeting"}
    figures = release.cells(**keys)
    said = numbers.tidy(figures, release)
    hidden = said[said["status"] == "suppressed"]
    assert len(hidden)
    assert (hidden[["base", "value", "lower", "upper"]] == "hidden to protect people").all(axis=None)
    assert not said.isna().any(axis=None)
    assert "why" not in said
    assert set(said["period"]) == {"2026/27 to week 9"}
    assert set(said["measure"]) == {"Met their tutor"}


def test_a_file_says_what_it_is_and_holds_the_published_figures(release: Release) -> None:
    figures = release.cells(metric="trust", level="all", characteristic="all", academic_year="2025/26", part="year")
    head, found = read(numbers.file(release, figures, "=1+1", "@about", "http://x.example/schools?metric=trust"))
    assert head["Title"] == "'=1+1"
    assert head["About"] == "'@about"
    assert head["Status"] == "example data: a fictional university"
    assert head["View"] == "http://x.example/schools?metric=trust"
    assert release.name in head["Release"]
    assert found["value"].astype(float).tolist() == figures["value"].tolist()
    assert found["name"].tolist() == release.units.loc[figures["unit"], "name"].tolist()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_nothing_in_a_file_is_taken_for_a_formula(start: str) -> None:
    said = inert.csv(pd.DataFrame({"name": [f"{start}cmd", "Law"]}), {"Title": f"{start}cmd"}).decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(said, newline="")) for cell in row]
    assert cells.count(f"'{start}cmd") == 2
    assert "cmd" not in cells


@pytest.mark.parametrize("page", ["overview", "schools", "equity", "profile"])
def test_a_link_opens_the_same_view_and_names_every_filter(page: str, sample: Path, serve, taken) -> None:
    serve(sample)
    links, files = taken
    asked = {"profile": {"unit": "school:SCI2"}, "schools": {"level": "UG", "drawn": "rows"}}.get(page, {"level": "UG"})
    app = visit(page, **asked)
    charts = len(app.get("plotly_chart"))
    assert len(links) == charts
    assert Counter(name.rpartition(".")[2] for name in files) == {"csv": charts, "png": charts, "svg": charts}
    query = dict(parse_qsl(urlsplit(links[-1]).query))
    boxes = {name: code for name, code in query.items() if name not in ("view", "drawn", "order")}
    assert boxes == {box.key: box.value for box in app.selectbox if box.key != "viewer_choice"}
    again = visit(page, **query)
    assert text(again) == text(app)
    for name, make in [(name, make) for name, make in files.items() if name.endswith(".csv")]:
        head, found = read(make())
        assert name.startswith(page)
        assert head["Source"].startswith("Northmere University")
        assert len(found)


def test_a_table_has_its_link_and_its_numbers(sample: Path, serve, taken) -> None:
    serve(sample)
    links, files = taken
    app = visit("schools", level="UG")
    assert text(visit("schools", **dict(parse_qsl(urlsplit(links[0]).query)))) == text(app)
    [(name, make)] = files.items()
    assert name.endswith(".csv")
    assert len(read(make())[1])


@pytest.mark.browser
def test_the_image_of_a_chart_says_where_it_comes_from_and_is_light(
    sample: Path, serve, taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        chromium.find()
    except chromium.NoBrowserError as error:
        pytest.skip(str(error))
    monkeypatch.setattr(layout, "appearance", lambda: DARK)
    serve(sample)
    _, files = taken
    app = visit("schools", metric="trust", drawn="rows")
    made = {name.rpartition(".")[2]: make for name, make in files.items()}
    drawn = unescape(made["svg"]().decode())
    assert app.header[0].value[:20] in drawn
    assert "Release " in drawn
    assert "Example data: a fictional university." in drawn
    assert not [colour for colour in set(DARK.colours) - set(LIGHT.colours) if rgb(colour) in drawn]
    assert made["png"]().startswith(b"\x89PNG")


def rgb(colour: str) -> str:
    """A colour as SVG files write it."""
    return f"rgb({', '.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))})"


def test_without_a_chromium_no_image_is_offered(sample: Path, serve, taken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout.chromium, "there", lambda: False)
    serve(sample)
    visit("schools", drawn="rows")
    assert {name.rpartition(".")[2] for name in taken[1]} == {"csv"}


def test_the_word_of_welcome_goes_once_it_is_read(sample: Path, serve) -> None:
    serve(sample)
    app = visit()
    assert 'welcome-note"' in everything(app)
    app.session_state["welcome"] = {"read": True}
    assert 'welcome-note"' not in everything(app.run())
