"""Whoever reads with a screen reader, a keyboard, or everything twice as large, reads the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from dashboard.access import ROLES
from tests.browser.serving import beyond, settle

VIEWERS = {"faculty lead": "faculty:ENG", "school lead": "school:ENG3", "committee member": "committee"}
VIEWERS |= {"university lead": "university", "data steward": "steward"}
VIEWS = [
    ("schools?drawn=funnel", "light"),
    ("schools?metric=trust&drawn=tutors", "light"),
    ("equity?view=map", "light"),
    ("schools?drawn=rows", "dark"),
]
GRAVE = ("serious", "critical")


def found(page: Page) -> dict[str, list[str]]:
    """What axe holds to be grave: the rule, with the elements that break it."""
    violations = Axe().run(page).response["violations"]
    return {v["id"]: [str(node["target"]) for node in v["nodes"]] for v in violations if v["impact"] in GRAVE}


@pytest.mark.parametrize("role", VIEWERS)
def test_axe_finds_nothing_grave_on_any_page_of_a_role(same_page: Page, roles: tuple[str, Path], role: str) -> None:
    first, *others = ROLES[role].pages
    same_page.goto(f"{roles[0]}/{'' if first == 'overview' else first}?viewer={VIEWERS[role]}")
    settle(same_page)
    graves = {first: found(same_page)}
    for path in others:
        onward = same_page.locator(f".st-key-onward a[href*='{path}']")
        onward.click()
        expect(onward).to_have_count(0)  # a page does not lead to itself
        settle(same_page)
        graves[path] = found(same_page)
    assert graves == {path: {} for path in ROLES[role].pages}


@pytest.mark.parametrize(("view", "scheme"), VIEWS)
def test_axe_finds_nothing_grave_in_a_view(
    same_page: Page, roles: tuple[str, Path], view: str, scheme: Literal["light", "dark"]
) -> None:
    same_page.emulate_media(color_scheme=scheme)
    same_page.goto(f"{roles[0]}/{view}&viewer=university")
    settle(same_page)
    graves = found(same_page)
    same_page.emulate_media(color_scheme="light")
    assert graves == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_button_is_read_on_its_own_colour(
    same_page: Page, roles: tuple[str, Path], scheme: Literal["light", "dark"]
) -> None:
    """Axe passes labels of Streamlit's buttons over."""
    same_page.emulate_media(color_scheme=scheme)
    same_page.goto(f"{roles[0]}/build?viewer=university")
    settle(same_page)
    button = same_page.get_by_role("button", name="Preview")
    ink = button.locator("p").evaluate("e => getComputedStyle(e).color")
    ground = button.evaluate("e => getComputedStyle(e).backgroundColor")
    same_page.emulate_media(color_scheme="light")
    assert contrast(ink, ground) >= 4.5


def contrast(one: str, other: str) -> float:
    """The contrast of two colours written 'rgb(r, g, b)' (WCAG 2.2, relative luminance)."""
    shares = ([int(part) / 255 for part in re.findall(r"\d+", colour)[:3]] for colour in (one, other))
    linear = ([c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb] for rgb in shares)
    dark, light = sorted(0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in linear)
    return (light + 0.05) / (dark + 0.05)


def test_axe_sees_what_is_wrong(same_page: Page, roles: tuple[str, Path]) -> None:
    same_page.goto(f"{roles[0]}/equity")
    settle(same_page)
    same_page.evaluate("document.querySelectorAll('.note').forEach(note => { note.style.color = '#ddd' })")
    assert list(found(same_page)) == ["color-contrast"]


def test_twice_as_large_everything_still_fits(browser: Browser, roles: tuple[str, Path]) -> None:
    context = browser.new_context(viewport={"width": 720, "height": 450}, device_scale_factor=2)
    page = context.new_page()
    for path in ("", "equity", "profile", "methods"):
        page.goto(f"{roles[0]}/{path}")
        settle(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert (path, beyond(page)) == (path, [])
    context.close()


def tab_to(page: Page, name: str, most: int = 60) -> None:
    """Presses Tab until what has the focus is called so."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED) == name:
            return
    raise AssertionError(f"{name} is not reached by keyboard")


# A fold says the name of its arrow first.
FOCUSED = r"""() => {
    let e = document.activeElement;
    while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
    return e ? (e.getAttribute('aria-label') || e.innerText || '').trim().split('\n').pop() : '';
}"""


@pytest.fixture
def by_keyboard(same_page: Page, roles: tuple[str, Path]) -> Page:
    """The Overview, the mouse put away."""
    same_page.goto(f"{roles[0]}/?viewer=university")
    settle(same_page)
    return same_page


def opens(page: Page, link: str) -> None:
    """Goes to a page by Tab and Enter."""
    tab_to(page, link)
    page.keyboard.press("Enter")
    expect(page).to_have_title(re.compile(f"^{link}"))
    settle(page)


def test_a_keyboard_finds_the_schools_to_learn_from(by_keyboard: Page) -> None:
    opens(by_keyboard, "Compare schools")
    tab_to(by_keyboard, "I trust my tutor")
    by_keyboard.keyboard.press("Enter")
    by_keyboard.wait_for_function("location.search.includes('metric=trust')")
    expect(by_keyboard.locator(".named.well li").first).to_contain_text("above the usual range")


def test_a_keyboard_finds_how_schools_meet(by_keyboard: Page) -> None:
    opens(by_keyboard, "Compare schools")
    tab_to(by_keyboard, "All headline measures")
    for _ in range(4):
        by_keyboard.keyboard.press("ArrowRight")
    by_keyboard.keyboard.press("Space")
    expect(by_keyboard.locator("h2").filter(has_text="of meetings by school")).to_be_visible()


def test_a_keyboard_finds_whether_to_trust_the_figures(by_keyboard: Page) -> None:
    opens(by_keyboard, "Data quality")
    expect(by_keyboard.locator(".st-key-answer")).to_contain_text("rows is accounted for")
    tab_to(by_keyboard, "Recorded or recalled")
    by_keyboard.keyboard.press("ArrowRight")
    by_keyboard.keyboard.press("Space")
    tab_to(by_keyboard, "All nine files")
    by_keyboard.keyboard.press("Enter")
    expect(by_keyboard.get_by_role("table", name="Rows per file")).to_be_visible()
