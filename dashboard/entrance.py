"""What stands before the pages: signing in and out, who may not enter and why, and the example's choice of viewer."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import streamlit as st

from dashboard import layout, log, session
from dashboard.access import (
    FACULTY_LEAD,
    SCHOOL_LEAD,
    UNIVERSITY,
    AccessDeniedError,
    NotConfiguredError,
    SignInExpiredError,
    SignInNeededError,
    Viewer,
)
from dashboard.published import published_folder, scopes
from dashboard.style import html

CHOOSE = "Example data: choose whose view to see"
KEY = "viewer_choice"


def turn_away(error: AccessDeniedError) -> None:
    """The page for whoever may not see the dashboard (yet): sign in, or why not and whom to ask."""
    if isinstance(error, SignInExpiredError):
        log.once("refusal", None, what="sign-in expired")
        st.logout()
    if isinstance(error, SignInNeededError | SignInExpiredError):
        layout.question("Personal tutoring", "Sign in")
        st.markdown(str(error))
        for provider in session.providers():
            label = "Sign in" if provider == "default" else f"Sign in with {provider}"
            st.button(label, key=f"sign in {provider}", type="primary", on_click=_sign_in, args=(provider,))
        return
    configured = not isinstance(error, NotConfiguredError)
    log.once("refusal", None, what="no role" if configured else "sign-in not configured")
    layout.question("Personal tutoring", "You have no access" if configured else "Not open yet")
    st.markdown(str(error))
    sign_out()


def _sign_in(provider: str) -> None:
    st.login(None if provider == "default" else provider)


def sign_out() -> None:
    """A way out for whoever is signed in."""
    if st.user.get("is_logged_in"):
        st.button("Sign out", key="sign out", on_click=st.logout)


def not_yours(viewer: Viewer, release: str, title: str) -> None:
    """A page that is not part of the viewer's role."""
    log.once("refusal", viewer, release, f"page {title}")
    layout.question("Personal tutoring", "This page is not part of your role")
    st.markdown(
        f"You are here as {viewer.role.lower()}, and *{layout.plain(title)}* is for others. "
        "The pages you may open are named above and below."
    )


def choose_viewer(release: str) -> None:
    """The example's viewer switch. Whatever the URL asks for that is not offered counts as not given."""
    offered = _offered(published_folder(), release)
    code = session.code_of(session.chosen_viewer())
    code = code if code in offered else UNIVERSITY
    st.session_state["chosen_viewer"] = st.session_state[KEY] = code
    with st.container(key="viewer"):
        st.html(html.paragraph("banner", f"{CHOOSE}. The university is fictional."))
        st.selectbox(
            "Whose view",
            list(offered),
            format_func=lambda c: offered[c],
            key=KEY,
            on_change=_changed,
            label_visibility="collapsed",
        )
    if code != UNIVERSITY:
        st.query_params[session.PARAMETER] = code
    else:
        st.query_params.pop(session.PARAMETER, None)


@lru_cache(maxsize=4)
def _offered(folder: Path, release: str) -> dict[str, str]:
    """Viewers by code, in words. A release never changes, but another folder may have one of the same name."""
    units = scopes(release)
    offered = {code: viewer.role for code, viewer in session.WITHOUT_UNIT.items() if code == UNIVERSITY}
    for kind, role in (("faculty", FACULTY_LEAD), ("school", SCHOOL_LEAD)):
        of_kind = units[units["kind"] == kind]
        offered |= {unit: f"{role}: {name}" for unit, name in zip(of_kind["unit"], of_kind["short_name"], strict=True)}
    return offered | {code: viewer.role for code, viewer in session.WITHOUT_UNIT.items() if code != UNIVERSITY}


def _changed() -> None:
    """Another viewer starts afresh: what the one before had chosen may not be theirs."""
    st.session_state["chosen_viewer"] = st.session_state[KEY]
    st.session_state.pop("chosen", None)
    st.query_params.clear()
    st.query_params[session.PARAMETER] = st.session_state[KEY]
