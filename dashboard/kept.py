"""Made of a release once, for all who see the same of it; handed out only to who may still see it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from dashboard.published import Release

P = ParamSpec("P")
T = TypeVar("T")
MOST = 600  # results; beyond that all are made afresh
_made: dict[tuple[Hashable, ...], Any] = {}


def keep(release: Release, make: Callable[[], T], *key: Hashable) -> T:
    """What `make` makes of a release and of all that `key` names. It is shared: never change it."""
    release.ask_again()
    whole = (release.file, release.viewer.role, release.viewer.scope, *key)
    if whole not in _made:
        if len(_made) >= MOST:
            _made.clear()
        _made[whole] = make()
    found: T = _made[whole]
    return found


def kept(make: Callable[Concatenate[Release, P], T]) -> Callable[Concatenate[Release, P], T]:
    """A function of a release and of hashable values, run once. What it returns is shared: never change it."""

    @wraps(make)
    def get(release: Release, *args: P.args, **named: P.kwargs) -> T:
        key = (make.__module__, make.__qualname__, args, *sorted(named.items()))
        return keep(release, lambda: make(release, *args, **named), *key)

    return get
