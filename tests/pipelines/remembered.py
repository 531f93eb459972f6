"""Figures that several tests of a file look at are made once: the same tables and rules give the same figures."""

import pickle
from collections.abc import Callable
from functools import wraps
from typing import Any


def remembered(make: Callable[..., Any]) -> Callable[..., Any]:
    """Call `make(tables, settings, …)` once for each content of its arguments; every caller gets a copy of its own."""
    made: dict[bytes, bytes] = {}

    @wraps(make)
    def again(tables: Any, settings: Any, *others: Any, **named: Any) -> Any:
        key = pickle.dumps((tables, settings.rules, others, named))
        if key not in made:
            made[key] = pickle.dumps(make(tables, settings, *others, **named))
        return pickle.loads(made[key])

    return again
