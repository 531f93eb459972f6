"""Find a Chromium for the browser tests, or install one.

python -m tests.browser.chromium
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def find_chromium() -> str | None:
    """A Chromium's path: the CHROMIUM variable, the PATH, macOS's applications, Playwright's own; or None."""
    if named := os.environ.get("CHROMIUM"):
        return named
    for name in NAMES:
        if found := shutil.which(name):
            return found
    return next((path for path in (*APPLICATIONS, _playwrights_own()) if path and Path(path).exists()), None)


def _playwrights_own() -> str:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def install() -> None:
    """Debian's package where this account may install packages, else Playwright's own build."""
    administrator = [] if hasattr(os, "geteuid") and os.geteuid() == 0 else ["sudo", "--non-interactive"]
    if shutil.which("apt-get") and (not administrator or shutil.which("sudo")):
        print("No Chromium found: installing Debian's package.")
        for command in (["update", "-qq"], ["install", "-y", "-qq", "chromium"]):
            quiet = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, "stdout": subprocess.DEVNULL}
            subprocess.run([*administrator, "apt-get", *command], check=False, **quiet)
    if not find_chromium():
        print("No Chromium found: installing Playwright's.")
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def main() -> None:
    """Say where Chromium is; where there is none, install one."""
    if not find_chromium():
        install()
    if found := find_chromium():
        print(f"Browser tests use {found}")
        return
    print(
        "There is no Chromium and none could be installed: the browser tests will be skipped. "
        "Debian: apt install chromium. Or name one in the CHROMIUM variable."
    )
    if os.environ.get("CI"):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
