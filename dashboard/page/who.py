"""Who sees what: which roles there are, what each sees, and who has them?"""

from __future__ import annotations

import streamlit as st

from dashboard import layout, session, tables
from dashboard.access import ROLES, AccessDeniedError, NotConfiguredError, load_access
from dashboard.layout import Visit
from dashboard.style import html, words


def page(visit: Visit) -> None:
    """Roles in plain words, then everybody access.toml names."""
    visit.release.ask_again()
    if "who" not in visit.viewer.pages:
        raise AccessDeniedError("Who has which role is not yours to see.")
    layout.question(str(visit.release.about["university"]), "Who sees what?")
    if session.offers_choice(visit.release.example):
        layout.answer("Each role sees what is listed here. The university is fictional, so anyone may try any role.")
        layout.prose("With real data nobody sees anything until sign-in is set up and the data team gave them a role.")
        _roles()
        return
    try:
        access = load_access()
    except NotConfiguredError as error:  # removed between two readings
        st.markdown(str(error))
        return
    people, groups = [p for p in access.people if not p.by_claim], [p for p in access.people if p.by_claim]
    said = f"{words.plural(len(people), 'person')}".replace("persons", "people")
    also = f" and {words.plural(len(groups), 'group')} of the identity provider" if groups else ""
    layout.answer(f"{words.headline(said)}{also} may sign in; everybody else sees nothing.")
    _roles()
    layout.section("Who has which role", "As access.toml stands now; a change counts at once")
    st.html(html.table(tables.people(access.people, visit.release.units, access.claim), "Who has which role"))
    layout.quiet("Every sign-in, page, download and refusal is in the audit log: who and when, never a figure.")


def _roles() -> None:
    layout.section("What each role sees")
    st.html(html.table(tables.roles(list(ROLES.values())), "What each role sees"))
