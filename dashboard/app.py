"""The dashboard: navigation for the current viewer, and nothing else. Start it with `make dashboard`."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import streamlit as st

if (root := str(Path(__file__).resolve().parent.parent)) not in sys.path:
    sys.path.insert(0, root)  # Streamlit puts this file's folder on the path, not the repository

from audit import AuditError
from dashboard import entrance, layout, log, screen, session, turns, watching
from dashboard.access import AccessDeniedError
from dashboard.charts.rows import NARROW, WIDE
from dashboard.filters import settle, view
from dashboard.layout import Visit
from dashboard.page import (
    build,
    equity,
    methods,
    overview,
    packs,
    profile,
    quality,
    releases,
    schools,
    voice,
    who,
    year,
)
from dashboard.published import (
    NoReleaseError,
    Release,
    UnreadableReleaseError,
    current_release,
    is_example,
    open_release,
)
from dashboard.style.theme import Theme

NAME = "Personal tutoring"
ICON = Path(__file__).with_name("style") / "icon.svg"
PAGES = {
    "overview": ("Overview", overview.page),
    "schools": ("Compare schools", schools.page),
    "equity": ("Equity gaps", equity.page),
    "voice": ("Student voice", voice.page),
    "year": ("Through the year", year.page),
    "profile": ("School profile", profile.page),
    "quality": ("Data quality", quality.page),
    "methods": ("Methods", methods.page),
    "releases": ("Releases", releases.page),
    "packs": ("Packs", packs.page),
    "build": ("Make a pack", build.page),
    "who": ("Who sees what", who.page),
}

st.set_page_config(page_title=NAME, page_icon=str(ICON), layout="wide")


def main() -> None:
    """Find out who is looking, open the current release for them and run the page asked for."""
    theme = layout.appearance()
    layout.dress(theme)
    try:
        chosen = session.offers_choice(is_example(current_release()))
        if chosen:
            entrance.choose_viewer(current_release())
    except NoReleaseError as error:
        layout.nothing_to_show(str(error))
    ask = session.asker()
    seen = watching.standing(ask)
    try:
        release = open_release(ask)
        if not chosen:
            log.once("sign-in", release.viewer)
        _serve(release, theme, chosen)
    except NoReleaseError:
        pass
    except UnreadableReleaseError as error:
        layout.nothing_to_show(str(error))
    except AccessDeniedError as error:
        entrance.turn_away(error)
    except AuditError as error:
        layout.nothing_to_show(f"{error} What cannot be recorded is not shown.")
    watching.watch(ask, seen)


def _serve(release: Release, theme: Theme, chosen: bool) -> None:
    """Run the page asked for, among those of the viewer's role; the others are there to be refused."""
    st.session_state.pop("chosen_here", None)  # of a run that was broken off
    viewer = release.viewer
    pages: dict[str, st.Page] = {}
    keep = {session.PARAMETER: session.code_of(viewer)} if chosen and viewer.scope != "university" else {}
    visit = Visit(viewer, release, theme, pages, NARROW if screen.is_narrow() else WIDE, keep)
    routes = []
    for path in [*viewer.pages, *(path for path in PAGES if path not in viewer.pages)]:
        title, page = PAGES[path]
        if path in viewer.pages:
            title = "Your school" if path == "schools" and viewer.scope.startswith("school:") else title
            pages[path] = st.Page(
                partial(page, replace(visit, here=path)), title=title, url_path=path, default=path == "overview"
            )
            routes.append(pages[path])
        else:
            refused = partial(entrance.not_yours, viewer, release.name, title)
            routes.append(st.Page(refused, title=title, url_path=path, visibility="hidden"))
    if "overview" not in pages:  # the address without a path leads to the first page of the role
        first = partial(st.switch_page, pages[viewer.pages[0]], query_params=dict(keep))
        routes.append(st.Page(first, title=NAME, url_path="start", default=True, visibility="hidden"))
    asked = st.navigation(routes, position="top")
    st.set_page_config(page_title=f"{asked.title} · {NAME}")
    if not chosen:
        layout.banner(release)
    is_page = asked in pages.values()
    if is_page:
        layout.welcome(visit)
        log.once("view", viewer, release.name, view(asked.title, release))
    st.session_state["page"] = asked.title
    asked.run()
    settle()
    if is_page:
        log.settled(viewer, release.name, view(asked.title, release))
    layout.foot(visit, asked)
    entrance.sign_out()
    screen.listen()


with turns.turn():
    main()
