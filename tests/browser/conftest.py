"""A served sample release and a browser page that notices what goes wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.chromium import find_chromium
from tests.browser.serving import dashboard
from tests.dashboard.sample_faculties import write_faculties
from tests.dashboard.sample_release import write_release

# On a deep link Streamlit first looks for its server below the page's own path, then at the root.
PROBE = re.compile(r"/[a-z]+/_stcore/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium; without one, the tests are skipped and say how to get it."""
    chromium = find_chromium()
    if not chromium:
        pytest.skip("no Chromium found: run `make browser`, or name one in the CHROMIUM variable")
    expect.set_options(timeout=20_000)  # a busy machine is no failure
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a sample release, which tests may add releases to."""
    folder = tmp_path_factory.mktemp("served")
    write_release(folder / "published")
    return folder


@pytest.fixture(scope="session")
def address(data: Path) -> Iterator[str]:
    """Where the dashboard is served."""
    with dashboard(data) as url:
        yield url


@pytest.fixture(scope="session")
def roles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A dashboard that is only looked at, with files for faculties: its address and the folder of its release.

    One school stands out so far on trust that others may learn from it.
    """
    folder = tmp_path_factory.mktemp("roles")
    release = folder / "published" / write_release(folder / "published")
    with duckdb.connect(str(release / "university.duckdb")) as connection:
        connection.execute(
            "update funnel set position = 'above', says = 'worth learning from' where metric = 'trust' and unit = "
            "(select unit from funnel where metric = 'trust' and unit like 'school:%' order by value desc limit 1)"
        )
    write_faculties(release, ("ENG",))
    with dashboard(folder) as url:
        yield url, release


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh visitor; the test fails if the browser met an error or the page called elsewhere."""
    with visitor(browser) as opened:
        yield opened


@pytest.fixture(scope="module")
def same_page(browser: Browser) -> Iterator[Page]:
    """One visitor for all tests of a file that begin by opening a page: what is fetched once is there."""
    with visitor(browser) as opened:
        yield opened


@contextmanager
def visitor(browser: Browser) -> Iterator[Page]:
    """A page in a browser of its own, in which nothing may go wrong."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    troubles: list[str] = []

    def note(what: str, url: str) -> None:
        if not PROBE.search(url):
            troubles.append(f"{what}: {url}")

    opened.on("console", lambda m: note(f"console: {m.text}", m.location["url"]) if m.type == "error" else None)
    opened.on("pageerror", lambda e: troubles.append(f"page: {e}"))
    opened.on("requestfailed", lambda r: note("failed", r.url))
    opened.on("response", lambda r: note(str(r.status), r.url) if r.status >= 400 else None)
    opened.on("request", lambda r: None if _is_local(r.url) else note("elsewhere", r.url))
    yield opened
    context.close()
    assert not troubles


def _is_local(url: str) -> bool:
    return url.startswith(("http://localhost:", "data:", "blob:"))
