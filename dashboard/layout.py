"""What every page is made of: a question, its answer, charts with the table behind them, quiet notes."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import log
from dashboard.access import AccessDeniedError, Ask, Viewer
from dashboard.charts.rows import WIDE
from dashboard.filters import Filters
from dashboard.published import NoReleaseError, Release, current_release, is_example
from dashboard.style import html, words
from dashboard.style.theme import LIGHT, THEMES, Theme, stylesheet

WATCH_SECONDS = 10
JOINER = "\u2060"
AUTOMATIC = re.compile(r":(?=\S)|@|www(?=\.)", re.IGNORECASE)
STILL = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}


@dataclass(frozen=True)
class Visit:
    """One run of one page: who looks, at which release, in which colours, and where links lead."""

    viewer: Viewer
    release: Release
    theme: Theme
    pages: Mapping[str, st.Page]
    column: int = WIDE  # characters of a label's line in charts
    keep: Mapping[str, str] = field(default_factory=dict)  # what every link carries on

    def link(self, page: str, label: str, **view: str) -> None:
        """A link to a page with its filters set; just the words where the page is not part of the viewer's role."""
        if page not in self.pages:
            st.markdown(label)
            return
        query = {**self.keep, **view} or None
        st.page_link(self.pages[page], label=label, query_params=query, icon=":material/arrow_forward:")

    def name(self, unit: str) -> str:
        """What a unit is called."""
        return str(self.release.units.loc[unit, "name"])


def appearance() -> Theme:
    """The colours of the reader's own light or dark setting."""
    return THEMES.get(st.context.theme.type or "", LIGHT)


def question(eyebrow: str, asked: str) -> None:
    """The page's one question."""
    st.html(html.paragraph("eyebrow", eyebrow))
    st.title(asked, anchor=False)


def answer(text: str) -> None:
    """The answer, first thing under the question."""
    with st.container(key="answer"):
        st.markdown(plain(text))


def prose(text: str) -> None:
    """A paragraph."""
    st.markdown(plain(text))


def quiet(text: str) -> None:
    """One quiet sentence."""
    st.html(html.paragraph("note", text))


def define(metric: Mapping[Any, Any]) -> None:
    """What the chosen measure means."""
    quiet(f"{metric['label']}: {metric['definition']} Out of {metric['out_of']}.")


def about(metric: Mapping[Any, Any], period: str, level: str) -> str:
    """What a chart is about, for its subtitle: 'Met their tutor, 2025/26, all levels'."""
    return f"{metric['label']}, {period}, {words.lowered(level)}"


def section(title: str, subtitle: str = "") -> None:
    """A heading that states a finding, with what it is about underneath."""
    st.header(plain(title), anchor=False)
    if subtitle:
        st.html(html.paragraph("subtitle", subtitle))


def chart(
    figure: go.Figure,
    *,
    title: str,
    subtitle: str,
    alt: str,
    table: pd.DataFrame,
    numeric: Collection[str] = (),
    key: str,
    legend: str = "",
    note: str = "",
    pick: Callable[[list[str]], None] | None = None,
) -> None:
    """A chart under its finding, with a note and the same figures as a table behind it.

    `pick` is told the customdata of the mark that a reader points at and clicks.
    """
    section(title, subtitle)
    if legend:
        st.html(legend)
    clicks: dict[str, Any] = {"on_select": partial(_picked, key, pick), "selection_mode": "points"} if pick else {}
    st.plotly_chart(figure, theme=None, config=STILL, alt=alt, key=key, **clicks)
    if note:
        quiet(note)
    with st.expander("The figures behind this chart"):
        st.html(html.table(table, title, numeric))


def _picked(key: str, pick: Callable[[list[str]], None]) -> None:
    points = st.session_state[key]["selection"]["points"]
    if points and points[0].get("customdata"):
        pick([str(one) for one in points[0]["customdata"]])


def filters(visit: Visit, key: str = "filters", label: str = "Choose what to look at") -> DeltaGenerator:
    """Where a page's filters stand: folded on a phone, where they would push the answer's chart off the screen."""
    where = st.expander(label) if visit.column != WIDE else st.container()
    return where.container(key=key)


def plain(text: str) -> str:
    """Text that Markdown shows as it is.

    Links without brackets, `:icon:` codes and e-mail addresses are found after backslashes are gone: an
    invisible word joiner breaks them.
    """
    for mark in "\\`*_[]<>$#~|&":
        text = text.replace(mark, "\\" + mark)
    return AUTOMATIC.sub(lambda found: found[0] + JOINER, text)


def dress(theme: Theme) -> None:
    """Colours and typography of the page."""
    st.html(stylesheet(theme))


def banner(release: Release) -> None:
    """Says so when the figures are invented."""
    if release.example:
        st.html(html.paragraph("banner", "Example data: a fictional university"))


def not_seen(visit: Visit, filters: Filters) -> None:
    """Says so, and records it, where the URL asks for a unit that is not the viewer's to see."""
    if filters.not_seen:
        st.session_state["noted"] = True
        log.once("refusal", visit.viewer, visit.release.name, "unit in the address")
        here = words.within(visit.name(filters.shown_unit))
        quiet(f"The unit in the address is not among those you may see: this is {here}.")


def foot(visit: Visit, here: st.Page) -> None:
    """Which release this is, how far it reaches, who looks, where its words are explained, and the way on.

    On a phone the navigation above is folded away: here it is in full.
    """
    about, viewer = visit.release.about, visit.viewer
    said = f"Release {about['release']} · {about['grade']} · {words.data_through(about['data_through'])}"
    st.html(html.paragraph("foot", f"{said} · seen as {viewer.role.lower()}"))
    if "quality" in visit.pages and here != visit.pages["quality"]:
        visit.link("quality", "What each measure means", view="meanings")
    with st.container(key="onward", horizontal=True):
        for page in visit.pages.values():
            if page != here:
                st.page_link(page, label=page.title, query_params=dict(visit.keep) or None, width="content")


def download(visit: Visit, label: str, name: str, make: Callable[[], bytes], mime: str) -> None:
    """A file to take away: made, allowed and recorded at the moment it is asked for."""

    def give() -> bytes:
        try:
            visit.release.ask_again()
            data = make()
        except AccessDeniedError:
            log.record("refusal", visit.viewer, visit.release.name, f"download {name}")
            raise
        log.record("download", visit.viewer, visit.release.name, name, data)
        return data

    st.download_button(label, give, file_name=name, mime=mime, on_click="ignore", key=f"download {name}")


def nothing_to_show(why: str) -> None:
    """A page in words where there is no release to read."""
    question("Personal tutoring", "Nothing to show yet")
    st.markdown(why)


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
