"""Picture every page of every role at three widths, light and dark.

python -m tests.browser.screenshots --data data --out docs/screenshots
"""

from __future__ import annotations

import argparse
import os
from itertools import product
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from dashboard.access import COMMITTEE, FACULTY_LEAD, ROLES, SCHOOL_LEAD, STEWARD, UNIVERSITY, UNIVERSITY_LEAD
from dashboard.published import current_release, scopes
from tests.browser.chromium import find_chromium
from tests.browser.serving import dashboard, settle

WIDTHS = (1440, 1024, 390)
SCHEMES = ("light", "dark")
SHADES = 96  # of a picture's palette: pages have few colours, and rare ones matter
LOWEST, TALLEST = 1000, 6000  # pixels; a page of text goes on as it begins
FOOT = (
    "document.querySelector('.st-key-onward').getBoundingClientRect().bottom"
    " + document.querySelector('[data-testid=stMain]').scrollTop"
)


def main() -> None:
    """Command line: see the module's first lines."""
    parser = argparse.ArgumentParser(description="Picture every page of the dashboard.")
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder that holds published/")
    parser.add_argument("--out", type=Path, default=Path("docs/screenshots"), help="where the pictures go")
    parser.add_argument("--roles", nargs="*", default=list(ROLES), choices=list(ROLES))
    parser.add_argument("--pages", nargs="*", help="names of pages; all without")
    parser.add_argument("--widths", nargs="*", type=int, default=list(WIDTHS))
    parser.add_argument("--schemes", nargs="*", default=list(SCHEMES), choices=list(SCHEMES))
    options = parser.parse_args()
    chromium = find_chromium()
    if not chromium:
        raise SystemExit("No Chromium found. Run `make browser`, or name one in the CHROMIUM variable.")
    os.environ["APT_DATA"] = str(options.data.resolve())
    viewers = {role: viewer for role, viewer in _viewers().items() if role in options.roles}
    with dashboard(options.data) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for width, scheme in product(options.widths, options.schemes):
            # one context for all pages of a kind: what is fetched once is there
            context = browser.new_context(viewport={"width": width, "height": LOWEST}, color_scheme=scheme)
            opened = context.new_page()
            for role, viewer in viewers.items():
                folder = options.out / role.replace(" ", "-")
                folder.mkdir(parents=True, exist_ok=True)
                for page in ROLES[role].pages:
                    target = folder / f"{page}-{width}-{scheme}.png"
                    if not options.pages or page in options.pages:
                        path = "" if page == "overview" else page
                        picture(opened, f"{address}/{path}?viewer={viewer}", target, width)
            print(f"{width}, {scheme}", flush=True)
            context.close()
        browser.close()


def _viewers() -> dict[str, str]:
    """Role → a viewer who has it: of the first faculty with three schools, and its first school. Example data only."""
    units = scopes(current_release())
    if units.empty:
        raise SystemExit("Pictures are of the example university: run `make run` without extracts of your own.")
    schools = units[units["kind"] == "school"]
    faculty = next(str(f) for f, rows in schools.groupby("parent", sort=False) if len(rows) > 2)
    school = str(schools.loc[schools["parent"] == faculty, "unit"].iloc[0])
    of = {UNIVERSITY_LEAD: UNIVERSITY, FACULTY_LEAD: faculty, SCHOOL_LEAD: school, COMMITTEE: "committee"}
    return {role.lower(): viewer for role, viewer in {**of, STEWARD: "steward"}.items()}


def picture(page: Page, url: str, target: Path, width: int) -> None:
    """Save the page at `url`, down to its foot unless it is very long."""
    page.set_viewport_size({"width": width, "height": LOWEST})
    page.goto(url)
    settle(page)
    # The page scrolls inside its main section: make the window reach to the page's foot, then picture it. Once more,
    # because what is drawn anew for a narrow screen has another height.
    for _ in range(2):
        page.wait_for_selector(".st-key-onward")  # a page drawn anew has no foot for a moment
        height = int(page.evaluate(FOOT)) + 60
        page.set_viewport_size({"width": width, "height": min(max(height, LOWEST), TALLEST)})
        settle(page)
    page.screenshot(path=target)
    Image.open(target).convert("RGB").quantize(SHADES, Image.Quantize.FASTOCTREE).save(target, optimize=True)


if __name__ == "__main__":
    main()
