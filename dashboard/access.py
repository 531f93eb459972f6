"""Who is looking, and what they may see."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Viewer:
    """A reader of the pages: their role, and the unit whose figures they may see."""

    role: str
    scope: str


def viewer() -> Viewer:
    """Who is looking. There is no sign-in yet: whoever reaches the server reads as the University lead."""
    return Viewer(role="University lead", scope="university")
