"""The dashboard: navigation for the current viewer, and nothing else. Start it with `make dashboard`."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import streamlit as st

if (root := str(Path(__file__).resolve().parent.parent)) not in sys.path:
    sys.path.insert(0, root)  # Streamlit puts this file's folder on the path, not the repository

from dashboard import layout, screen
from dashboard.access import viewer
from dashboard.charts.rows import NARROW, WIDE
from dashboard.layout import Visit
from dashboard.page import equity, overview, quality, schools
from dashboard.published import AccessDeniedError, NoReleaseError, UnreadableReleaseError, open_release

NAME = "Personal tutoring"
ICON = Path(__file__).with_name("style") / "icon.svg"

st.set_page_config(page_title=NAME, page_icon=str(ICON), layout="wide")


def main() -> None:
    """Open the current release for the viewer and run the page asked for."""
    theme = layout.appearance()
    layout.dress(theme)
    who = viewer()
    try:
        release = open_release(who)
    except (NoReleaseError, UnreadableReleaseError, AccessDeniedError) as error:
        layout.nothing_to_show(str(error))
        layout.watch(None)
        return
    pages: dict[str, st.Page] = {}
    visit = Visit(who, release, theme, pages, NARROW if screen.is_narrow() else WIDE)
    pages["overview"] = st.Page(partial(overview.page, visit), title="Overview", url_path="overview", default=True)
    pages["schools"] = st.Page(partial(schools.page, visit), title="Compare schools", url_path="schools")
    pages["equity"] = st.Page(partial(equity.page, visit), title="Equity gaps", url_path="equity")
    pages["quality"] = st.Page(partial(quality.page, visit), title="Data quality", url_path="quality")
    asked = st.navigation(list(pages.values()), position="top")
    st.set_page_config(page_title=f"{asked.title} · {NAME}")
    layout.banner(release)
    asked.run()
    layout.foot(visit, asked)
    screen.listen()
    layout.watch(release.name)


main()
