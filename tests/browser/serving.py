"""A real dashboard server, for browser tests and screenshots."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, TimeoutError

ROOT = Path(__file__).resolve().parents[2]
SECRETS = """
[auth]
redirect_uri = "http://localhost:{port}/oauth2callback"
cookie_secret = "a secret for tests alone"
client_id = "tests"
client_secret = "tests"
server_metadata_url = "{provider}/.well-known/openid-configuration"
"""


@contextmanager
def dashboard(data: Path, log: Path | None = None, provider: str = "") -> Iterator[str]:
    """Serve the dashboard over the releases in `data`/published on a free port; yields its address.

    `provider`: the address of an identity provider to sign in with; `data`/access.toml then says who has which role.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "streamlit", "run", str(ROOT / "dashboard" / "app.py"),
        "--server.port", str(port), "--server.headless", "true", "--server.fileWatcherType", "none",
    ]  # fmt: skip
    if provider:
        secrets = data / "secrets.toml"
        secrets.write_text(SECRETS.format(port=port, provider=provider), encoding="utf-8")
        command += ["--secrets.files", str(secrets)]
    with open(log or os.devnull, "w") as out:
        server = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"APT_DATA": str(data), "APT_ACCESS": str(data / "access.toml")},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            address = f"http://localhost:{port}"
            _wait_for(f"{address}/_stcore/health", server)
            yield address
        finally:
            server.terminate()
            server.wait(timeout=20)


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if server.poll() is not None:
            raise RuntimeError("the dashboard's server ended before it answered")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the dashboard's server did not answer within 30 s")


def settle(page: Page) -> None:
    """Wait until the page's script has run, all its parts are there and its charts are drawn."""
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning] h1", timeout=30_000)
    page.wait_for_function(
        "() => !document.querySelector('[data-testid=stSkeleton]')"
        " && [...document.querySelectorAll('[data-testid=stPlotlyChart]')].every(c => c.querySelector('.main-svg'))"
    )
    page.wait_for_timeout(250)


def pick(page: Page, box: str, option: str) -> None:
    """Pick an option of a box: its list is shortened by typing; anew where a moving page closed it."""
    wanted = page.get_by_role("option", name=option, exact=True)
    typed = page.get_by_role("combobox", name=box)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        typed.click()
        typed.fill(option)
        try:
            wanted.click(timeout=5000)
        except TimeoutError:
            page.keyboard.press("Escape")  # a list that is open would be closed by the next click
            settle(page)
        else:
            return settle(page)
    raise TimeoutError(f"the list of {box!r} never showed {option!r}")


def beyond(page: Page) -> list[str]:
    """What reaches beyond the screen's right edge, other than a table that scrolls in itself."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('[data-testid=stMain] *')]
            .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.unseen, svg, .matrix table'))
            .map(e => e.tagName + '.' + e.className)"""
    )
    return found
