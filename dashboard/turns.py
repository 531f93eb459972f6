"""Turns: so many scripts run at once as help each other. More would only take turns at every step, and all be slow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

AT_ONCE = 2  # one computes while another waits for figures
_turns = BoundedSemaphore(AT_ONCE)


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
