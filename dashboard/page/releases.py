"""Releases: which one is in force, and which are kept?"""

from __future__ import annotations

import streamlit as st

from dashboard import layout, published, tables
from dashboard.layout import Visit
from dashboard.style import html, words


def page(visit: Visit) -> None:
    """Every release kept, and which one readers see."""
    about = visit.release.about
    found = published.releases(visit.release.ask)
    layout.question(str(about["university"]), "Which release is in force?")
    layout.answer(
        f"The one made on {words.moment(about['created'])} (UTC), with {words.data_through(about['data_through'])}."
    )
    layout.section(f"{words.headline(words.plural(len(found), 'release'))} kept", "The newest first")
    st.html(html.table(tables.releases(found), "Releases"))
    layout.quiet("A release is never changed once made; the data team can return to any of these.")
