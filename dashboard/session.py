"""Who is looking in this browser session: the identity provider's word, or the example's choice of viewer.

Streamlit's own sign-in (OpenID Connect) is configured in .streamlit/secrets.toml. Real data is never served
without it; the choice of viewer exists for the example university alone, and only while nobody can sign in.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.access import (
    COMMITTEE,
    FACULTY_LEAD,
    SCHOOL_LEAD,
    STEWARD,
    UNIVERSITY,
    UNIVERSITY_LEAD,
    Ask,
    NotConfiguredError,
    Viewer,
    decide,
    load_access,
)

PARAMETER = "viewer"
NOT_CONFIGURED = (
    "This release holds real data, and sign-in is not configured, so nothing is shown. Configure an identity "
    "provider in `.streamlit/secrets.toml` and say in `access.toml` who has which role: *Sign-in and roles* in "
    "docs/operations.md leads through both."
)
WITHOUT_UNIT = {
    UNIVERSITY: Viewer(UNIVERSITY_LEAD, UNIVERSITY),
    "committee": Viewer(COMMITTEE),
    "steward": Viewer(STEWARD),
}
LEADS = {"faculty": FACULTY_LEAD, "school": SCHOOL_LEAD}


def providers() -> list[str]:
    """Names of the identity providers in secrets.toml; 'default' is the unnamed one. Empty: no sign-in.

    A section `[auth]` without any provider still counts as sign-in, which then admits nobody.
    """
    if not st.secrets.load_if_toml_exists() or "auth" not in st.secrets:
        return []
    auth = st.secrets["auth"]
    named = [name for name, entry in auth.items() if isinstance(entry, Mapping) and "client_id" in entry]
    return ["default", *named] if "client_id" in auth or not named else named


def asker() -> Ask:
    """The question who is looking, for this run and the downloads it offers.

    What the browser said (claims, the chosen viewer) is taken once; whether that still allows anything is
    decided at every asking, from access.toml and the clock.
    """
    claims: dict[str, Any] = dict(st.user.to_dict())
    chosen = chosen_viewer()
    may_sign_in = bool(providers())

    def ask(example: bool) -> Viewer:
        if may_sign_in:
            return decide(claims, load_access(), time.time())
        if not example:
            raise NotConfiguredError(NOT_CONFIGURED)
        return chosen

    return ask


def offers_choice(example: bool) -> bool:
    """Whether the reader may choose whose view to see: example data, and no sign-in."""
    return example and not providers()


def chosen_viewer() -> Viewer:
    """The viewer the URL, or else the session, names; the University lead where it names none. Example only."""
    code = st.query_params.get(PARAMETER) or st.session_state.get("chosen_viewer", UNIVERSITY)
    kind, _, unit = code.partition(":")
    if kind in LEADS and unit:
        return Viewer(LEADS[kind], code)
    return WITHOUT_UNIT.get(code, WITHOUT_UNIT[UNIVERSITY])


def code_of(viewer: Viewer) -> str:
    """A viewer as the URL names it."""
    return viewer.scope or next(code for code, known in WITHOUT_UNIT.items() if known.role == viewer.role)
