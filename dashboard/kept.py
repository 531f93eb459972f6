"""Made of a release once, for all who see the same of it; handed out only to who may still see it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import wraps
from threading import Lock
from typing import Any, Concatenate, ParamSpec, TypeVar

from dashboard.published import Release

P = ParamSpec("P")
T = TypeVar("T")
MOST = 2000  # results of some 0.1 MB, ten to a view; beyond that the one longest not asked for goes
_made: OrderedDict[tuple[Hashable, ...], Any] = OrderedDict()
_lock = Lock()


def keep(release: Release, make: Callable[[], T], *key: Hashable) -> T:
    """What `make` makes of a release and of all that `key` names. It is shared: never change it."""
    release.ask_again()
    whole = (release.file, release.viewer.role, release.viewer.scope, *key)
    with _lock:
        if whole in _made:
            _made.move_to_end(whole)
            found: T = _made[whole]
            return found
    made = make()
    with _lock:
        _made[whole] = made
        while len(_made) > MOST:
            _made.popitem(last=False)
    return made


def kept(make: Callable[Concatenate[Release, P], T]) -> Callable[Concatenate[Release, P], T]:
    """A function of a release and of hashable values, run once. What it returns is shared: never change it."""

    @wraps(make)
    def get(release: Release, *args: P.args, **named: P.kwargs) -> T:
        key = (make.__module__, make.__qualname__, args, *sorted(named.items()))
        return keep(release, lambda: make(release, *args, **named), *key)

    return get
