"""Notices while a page is open that another release is in force, or that the viewer may see something else."""

from __future__ import annotations

import streamlit as st

from dashboard.access import AccessDeniedError, Ask
from dashboard.published import NoReleaseError, current_release, is_example

WATCH_SECONDS = 10


@st.fragment(run_every=WATCH_SECONDS)
def watch(ask: Ask, seen: object) -> None:
    """Run the whole page again once another release is in force, or the viewer may see something else.

    `seen`: what `standing` was when the page was drawn.
    """
    if standing(ask) != seen:
        st.rerun()


def standing(ask: Ask) -> tuple[str | None, object]:
    """The release in force, and who looks at it or why nobody does."""
    name = None
    try:
        name = current_release()
        return name, ask(is_example(name))
    except (NoReleaseError, AccessDeniedError) as error:
        return name, f"{type(error).__name__}: {error}"
