"""Chromium, kept open while charts become images: started in the background, and given up on if it does not answer."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
INSTALL = "Debian: `apt install chromium`. macOS: `brew install --cask chromium`. Or name one in the variable CHROMIUM."
MISSING = f"Charts as images need Chromium, and none was found. {INSTALL}"
PATIENCE = 90  # seconds for one image, or for the start
_one_at_a_time = threading.Lock()  # each takes a few hundred megabytes


class NoBrowserError(Exception):
    """There is no Chromium to draw with; the message says how to install one."""


def find() -> str:
    """Where Chromium is: the CHROMIUM variable, the PATH, macOS's applications. Raises NoBrowserError."""
    named = os.environ.get("CHROMIUM")
    found = named or next((path for name in NAMES if (path := shutil.which(name))), None)
    found = found or next((path for path in APPLICATIONS if Path(path).exists()), None)
    if not found or not (Path(found).exists() or shutil.which(found)):
        raise NoBrowserError(MISSING)
    return found


@cache
def there() -> bool:
    """Whether there is a Chromium; looked for once."""
    try:
        return bool(find())
    except NoBrowserError:
        return False


@dataclass(frozen=True)
class Drawing:
    """An image that is being drawn."""

    made: Future[bytes]

    def result(self) -> bytes:
        """The image. Raises NoBrowserError where Chromium does not start or answer."""
        try:
            return self.made.result(PATIENCE)
        except Exception as error:  # of many kinds, none of which says what to do
            why = str(error) or type(error).__name__
            raise NoBrowserError(f"Chromium did not draw ({why}). {INSTALL}") from error


class Chromium:
    """One Chromium. It is starting when this is made; the first image waits for it."""

    def __init__(self, path: str) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._kaleido: Any = None
        self._started = asyncio.run_coroutine_threadsafe(self._start(path), self._loop)

    async def _start(self, path: str) -> None:
        import kaleido  # slow to import, and only needed here

        for name in ("kaleido", "choreographer"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        # Without a page generator of our own, MathJax would be fetched from the network.
        self._kaleido = kaleido.Kaleido(
            path=path, page_generator=kaleido.PageGenerator(mathjax=False), timeout=PATIENCE
        )
        await self._kaleido.__aenter__()

    def begin(self, drawn: go.Figure, kind: str, width: int, height: int, scale: float = 1) -> Drawing:
        """Have a figure drawn as svg or png, while the caller goes on."""
        how = {"format": kind, "width": width, "height": height, "scale": scale}

        async def draw() -> bytes:
            await asyncio.wrap_future(self._started)
            return bytes(await self._kaleido.calc_fig(drawn.to_dict(), opts=how))

        return Drawing(asyncio.run_coroutine_threadsafe(draw(), self._loop))

    def close(self) -> None:
        """Stop it; one that does not stop by itself is left to the system."""
        with suppress(Exception):
            self._started.result(PATIENCE)
            closing = self._kaleido.__aexit__(None, None, None)
            asyncio.run_coroutine_threadsafe(closing, self._loop).result(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)


@contextmanager
def drawing() -> Iterator[Chromium]:
    """Chromium for as long as it is needed. Raises NoBrowserError where there is none."""
    path = find()
    with _one_at_a_time:
        opened = Chromium(path)
        try:
            yield opened
        finally:
            opened.close()
