"""Turns: one script runs at a time. Several would only take turns at every step of Python, and all be slow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

_turns = BoundedSemaphore(1)


@contextmanager
def turn() -> Iterator[None]:
    """Wait for a turn, and run in it."""
    with _turns:
        yield


@contextmanager
def aside() -> Iterator[None]:
    """Within a turn: let others go on while something takes long."""
    _turns.release()
    try:
        yield
    finally:
        _turns.acquire()
