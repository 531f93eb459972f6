"""Made of a release once, for all who see the same of it; handed out only to who may still see it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from dashboard.published import Release

P = ParamSpec("P")
T = TypeVar("T")
MOST = 1000  # results; beyond that all are made afresh
_made: dict[tuple[Hashable, ...], Any] = {}


def kept(make: Callable[Concatenate[Release, P], T]) -> Callable[Concatenate[Release, P], T]:
    """A function of a release and of hashable values, that is run once. What it returns is shared: never change it."""

    @wraps(make)
    def get(release: Release, *args: P.args, **named: P.kwargs) -> T:
        release.ask_again()
        viewer = release.viewer
        key = (
            make.__module__,
            make.__qualname__,
            release.file,
            viewer.role,
            viewer.scope,
            args,
            *sorted(named.items()),
        )
        if key not in _made:
            if len(_made) >= MOST:
                _made.clear()
            _made[key] = make(release, *args, **named)
        found: T = _made[key]
        return found

    return get
