"""Writes the audit log: who signed in, saw which page, took which file, and was refused what, and who
released or withdrew a pack. Never a value."""

from __future__ import annotations

import hashlib
import re

import streamlit as st

import audit
from dashboard.access import Viewer
from dashboard.published import published_folder

NOBODY = "nobody signed in"
SAFE = re.compile(r"[^\w .:+/@=&?()-]")


def record(event: str, viewer: Viewer | None, release: str = "", what: str = "", artefact: bytes = b"") -> None:
    """Append one record to data/audit. Raises audit.AuditError where that fails: then nothing may be shown."""
    audit.record(
        published_folder().parent / "audit",
        event,
        viewer=viewer.name if viewer else _claimed(),
        role=viewer.role if viewer else "",
        scope=viewer.scope if viewer else "",
        release=release,
        what=SAFE.sub("", what)[:300],
        artefact=hashlib.sha256(artefact).hexdigest() if artefact else "",
    )


def record_release(viewer: Viewer, release: str, event: str, what: str, artefact: bytes) -> None:
    """The same for a pack that is released or withdrawn."""
    record(event, viewer, release, what, artefact)


def once(event: str, viewer: Viewer | None, release: str = "", what: str = "") -> None:
    """The same, unless it is what this session recorded last of this kind: a rerun is no second visit."""
    seen: dict[str, tuple[object, ...]] = st.session_state.setdefault("recorded", {})
    this = (viewer, release, what)
    if seen.get(event) != this:
        record(event, viewer, release, what)
        seen[event] = this


def settled(viewer: Viewer, release: str, what: str) -> None:
    """The view just recorded now reads like this: the page has completed its address by itself."""
    st.session_state.setdefault("recorded", {})["view"] = (viewer, release, what)


def _claimed() -> str:
    """Whoever is signed in without a role, as the identity provider names them."""
    email = st.user.get("email") or st.user.get("sub")
    return str(email).casefold()[:200] if email else NOBODY
