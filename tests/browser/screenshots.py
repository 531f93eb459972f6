"""Picture every page at three widths, light and dark.

python -m tests.browser.screenshots --data data --out docs/screenshots
"""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import find_chromium
from tests.browser.serving import dashboard, settle

PAGES = {"overview": ""} | {
    page: page for page in ("schools", "equity", "voice", "year", "profile", "quality", "methods")
}
WIDTHS = (1440, 1024, 390)
TALLEST = 6000  # a page of text goes on as it begins
FOOT = (
    "document.querySelector('.st-key-onward').getBoundingClientRect().bottom"
    " + document.querySelector('[data-testid=stMain]').scrollTop"
)


def main() -> None:
    """Command line: see the module's first lines."""
    parser = argparse.ArgumentParser(description="Picture every page of the dashboard.")
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder that holds published/")
    parser.add_argument("--out", type=Path, default=Path("docs/screenshots"), help="where the pictures go")
    parser.add_argument("--pages", nargs="*", default=list(PAGES), choices=list(PAGES))
    parser.add_argument("--widths", nargs="*", type=int, default=list(WIDTHS))
    parser.add_argument("--schemes", nargs="*", default=["light", "dark"], choices=["light", "dark"])
    options = parser.parse_args()
    chromium = find_chromium()
    if not chromium:
        raise SystemExit("No Chromium found. Run `make browser`, or name one in the CHROMIUM variable.")
    options.out.mkdir(parents=True, exist_ok=True)
    with dashboard(options.data) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for scheme in options.schemes:
            for width in options.widths:
                for page in options.pages:
                    target = options.out / f"{page}-{width}-{scheme}.png"
                    picture(browser, f"{address}/{PAGES[page]}", target, width, scheme)
                    print(target)
        browser.close()


def picture(browser: Browser, url: str, target: Path, width: int, scheme: str) -> None:
    """Save the page at `url`, down to its foot unless it is very long."""
    context = browser.new_context(viewport={"width": width, "height": 1000}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(url)
    settle(page)
    # The page scrolls inside its main section: make the window reach to the page's foot, then picture it. Once more,
    # because what is drawn anew for a narrow screen has another height.
    for _ in range(2):
        height = page.evaluate(FOOT)
        page.set_viewport_size({"width": width, "height": min(max(int(height) + 60, 1000), TALLEST)})
        settle(page)
    page.screenshot(path=target)
    Image.open(target).convert("RGB").quantize(256).save(target, optimize=True)  # a third of the size
    context.close()


if __name__ == "__main__":
    main()
