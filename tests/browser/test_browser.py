"""What a reader meets in a real browser: every page opens, views survive, new releases arrive, phones work."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.serving import beyond, dashboard, pick, settle
from tests.dashboard.sample_release import Sample, write_release

QUESTIONS = {
    "": "Is tutoring consistent this year?",
    "schools": "Which schools stand apart from the rest?",
    "equity": "Who is missing out, where, and is it real?",
    "voice": "Do students know, trust and feel supported by their tutor?",
    "year": "Who has not met their tutor yet?",
    "quality": "Can I trust these figures?",
}


def open_page(page: Page, url: str) -> None:
    page.goto(url)
    settle(page)


def go_to(page: Page, name: str) -> None:
    page.get_by_test_id("stTopNavLink").filter(has_text=name).click()
    settle(page)


def query(page: Page) -> str:
    return str(page.evaluate("location.search"))


@pytest.mark.parametrize(("path", "question"), QUESTIONS.items())
def test_each_page_opens_without_trouble(same_page: Page, address: str, path: str, question: str) -> None:
    open_page(same_page, f"{address}/{path}")
    expect(same_page.get_by_role("heading", level=1)).to_have_text(question)
    for chart in same_page.get_by_test_id("stPlotlyChart").all():
        assert chart.locator("svg.main-svg").count()


def test_the_first_visit_may_be_a_deep_link(page: Page, data: Path) -> None:
    with dashboard(data) as fresh:
        open_page(page, f"{fresh}/quality")
        expect(page.get_by_role("heading", level=1)).to_have_text(QUESTIONS["quality"])
        page.goto("about:blank")


def test_filters_survive_reload_navigation_and_the_back_button(page: Page, address: str) -> None:
    open_page(page, f"{address}/schools?drawn=rows")
    pick(page, "Level", "Undergraduate")
    pick(page, "Measure", "Attendance")
    page.wait_for_function("location.search.includes('level=UG') && location.search.includes('metric=attendance')")
    page.reload()
    settle(page)
    expect(page.get_by_text("Attendance: Meetings attended")).to_be_visible()
    go_to(page, "Equity gaps")
    expect(page.get_by_text("Attendance: Meetings attended")).to_be_visible()
    page.wait_for_function("location.search.includes('level=UG')")
    go_to(page, "Data quality")
    go_to(page, "Compare schools")
    page.wait_for_function("location.search.includes('metric=attendance')")
    pick(page, "Measure", "I trust my tutor")
    page.wait_for_function("location.search.includes('metric=trust')")
    page.go_back()
    page.wait_for_function("location.search.includes('metric=attendance')")
    expect(page.get_by_text("Attendance: Meetings attended")).to_be_visible()


def test_forged_filters_are_dropped_from_the_url(page: Page, address: str) -> None:
    open_page(page, f"{address}/schools?level=nobody&metric=trust&period=1999-00")
    expect(page.get_by_text("I trust my tutor: Answered 4 or 5")).to_be_visible()
    page.wait_for_function("location.search === '?metric=trust'")


def test_a_finding_leads_to_its_evidence(page: Page, address: str) -> None:
    open_page(page, address)
    finding = page.get_by_role("link").filter(has_text="lower for").first
    said = finding.inner_text()
    finding.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(QUESTIONS["equity"])
    settle(page)
    assert "characteristic=" in query(page)
    label = said.split("‘")[1].split("’")[0]
    expect(page.get_by_text(f"On ‘{label}’")).to_be_visible()


def test_a_new_release_appears_in_an_open_session(page: Page, data: Path, address: str) -> None:
    open_page(page, address)
    expect(page.get_by_text("Release 2026-11-30-0600-a1b2c3")).to_be_visible()
    write_release(data / "published", Sample(name="2026-12-07-0600-d4e5f6", shift=0.5))
    expect(page.get_by_text("Release 2026-12-07-0600-d4e5f6")).to_be_visible(timeout=30_000)


def test_an_empty_dashboard_fills_by_itself(page: Page, tmp_path: Path) -> None:
    with dashboard(tmp_path) as fresh:
        page.goto(fresh)
        expect(page.get_by_text("make dashboard")).to_be_visible()
        write_release(tmp_path / "published")
        expect(page.get_by_role("heading", level=1)).to_have_text(QUESTIONS[""], timeout=30_000)
        settle(page)
        page.goto("about:blank")


def test_a_phone_reader_goes_on_from_the_foot_of_a_page(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 850})
    open_page(page, address)
    page.get_by_test_id("stPageLink").get_by_role("link", name="Compare schools", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(QUESTIONS["schools"])


def test_labels_have_the_room_the_screen_gives(page: Page, address: str) -> None:
    open_page(page, f"{address}/schools?drawn=rows")
    lines = page.locator(".annotation-text").filter(has_text="Pharmacy and").locator("tspan.line")
    expect(lines).to_have_count(0)
    page.set_viewport_size({"width": 390, "height": 850})
    expect(lines).to_have_count(2)


def test_names_are_shown_as_they_are(page: Page, tmp_path: Path) -> None:
    name = ":material/home: http://x.example www.x.example a@x.example"
    release = write_release(tmp_path / "published")
    with duckdb.connect(str(tmp_path / "published" / release / "university.duckdb")) as connection:
        connection.execute("update unit set name = ? where unit = 'university'", [name])
    with dashboard(tmp_path) as served:
        open_page(page, f"{served}/equity?view=where")
        expect(page.get_by_role("heading", level=2).filter(has_text="x.example")).to_have_count(1)
        expect(page.locator("a[href*='x.example']")).to_have_count(0)
        expect(page.locator("h2 [data-testid=stIconMaterial], h2 [role=img]")).to_have_count(0)
        page.goto("about:blank")


@pytest.mark.parametrize("width", [390, 1024])
@pytest.mark.parametrize("path", QUESTIONS)
def test_nothing_reaches_beyond_the_screen(same_page: Page, address: str, path: str, width: int) -> None:
    same_page.set_viewport_size({"width": width, "height": 850})
    open_page(same_page, f"{address}/{path}")
    assert beyond(same_page) == []
    assert same_page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_profile_fits_a_phone_and_prints_without_what_is_for_screens(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 850})
    open_page(page, f"{address}/profile?unit=school:SCI3")
    assert beyond(page) == []
    page.emulate_media(media="print")
    for gone in (".stAppHeader", ".st-key-viewer", ".st-key-filters", "[class*=st-key-along]", ".st-key-onward"):
        expect(page.locator(gone).first).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_contain_text("School of Mathematics")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator(".foot")).to_be_visible()
    expect(page.locator(".foot")).to_contain_text("example data")


@pytest.mark.parametrize("width", [820, 1024, 1440])
def test_words_of_a_profile_stay_in_their_columns(same_page: Page, address: str, width: int) -> None:
    same_page.set_viewport_size({"width": width, "height": 850})
    open_page(same_page, f"{address}/profile?unit=school:SCI3")
    expect(same_page.locator(".table.even").first).to_be_visible()
    out = "[...document.querySelectorAll('.table.even :is(th, td)')].filter(c => c.scrollWidth > c.clientWidth)"
    assert same_page.evaluate(f"{out}.map(c => c.textContent)") == []


def test_on_a_phone_the_way_to_other_pages_says_so(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 850})
    open_page(page, address)
    way = page.get_by_role("button", name="Pages", exact=True)
    expect(way).to_be_visible()
    assert "Pages" in page.evaluate("b => getComputedStyle(b, '::after').content", way.element_handle())
    way.click()
    page.get_by_role("link", name="Compare schools").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Which schools stand apart")


def test_the_keyboard_copies_a_link_and_a_word_of_welcome_stays_away(page: Page, address: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_page(page, f"{address}/schools?metric=trust")
    page.get_by_role("button", name="Got it").press("Enter")
    expect(page.get_by_role("button", name="Got it")).to_have_count(0)
    page.reload()
    settle(page)
    expect(page.get_by_role("button", name="Got it")).to_have_count(0)
    page.get_by_role("button", name="Copy link").first.press("Enter")
    expect(page.get_by_text("Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{address}/schools?metric=trust&level=all&period=2025-26&faculty=all&drawn=rows&order=name"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_charts_follow_the_readers_light_or_dark(browser: Browser, address: str, scheme: str) -> None:
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    open_page(page, f"{address}/schools?drawn=rows")
    label = ".main-svg .annotation-text tspan[style*=fill]"
    page.wait_for_selector(label)
    colour = page.evaluate("label => getComputedStyle(document.querySelector(label)).fill", label)
    context.close()
    red, green, blue = (int(x) for x in re.findall(r"\d+", colour)[:3])
    assert (red + green + blue > 380) == (scheme == "dark"), "text is light on dark and dark on light"


def test_a_table_of_all_measures_fits_a_phone_and_scrolls_in_itself_where_it_cannot(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 850})
    open_page(page, f"{address}/schools")
    table = page.get_by_role("region", name=re.compile("^Schools are furthest apart"))
    assert table.evaluate("e => e.scrollWidth <= e.clientWidth")
    page.set_viewport_size({"width": 280, "height": 850})
    name = table.get_by_role("rowheader").nth(1)
    table.evaluate("e => { e.scrollLeft = 0 }")
    before = name.bounding_box()
    table.evaluate("e => { e.scrollLeft = 1000 }")
    assert table.evaluate("e => e.scrollLeft") > 0
    assert name.bounding_box() == before, "the names of schools stay"
