"""Noticed: what a look at a whole table finds and no rule about rows can tell, as one more of its checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MOST_PLACES = 5  # named in one message


@dataclass(frozen=True)
class Noticed:
    """One look: a warning among the checks, and what a run says of it.

    sentences: what the data team reads, none where nothing was found. observed: what readers of the release may read.
    """

    name: str
    column: str | None
    rule: str
    sentences: tuple[str, ...] = ()
    observed: str | None = None


def listed(places: Sequence[str], what: str = "") -> str:
    """The first five in words, and how many more there are (of `what`)."""
    more = [f"and {len(places) - MOST_PLACES:,} more{what}"] if len(places) > MOST_PLACES else []
    return "; ".join([*places[:MOST_PLACES], *more])
