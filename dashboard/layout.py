"""What every page is made of: a question, its answer, charts with the table behind them, quiet notes."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, TypeVar
from urllib.parse import urlencode

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import inbrowser, log, numbers
from dashboard.access import UNIVERSITY, AccessDeniedError, Viewer
from dashboard.charts.chart import Chart, Sent
from dashboard.charts.rows import WIDE
from dashboard.exports import chromium, images
from dashboard.filters import Filters, chosen_here
from dashboard.kept import keep
from dashboard.published import Release
from dashboard.style import html, words
from dashboard.style.theme import LIGHT, THEMES, Theme, stylesheet

T = TypeVar("T")
JOINER = "\u2060"
AUTOMATIC = re.compile(r":(?=\S)|@|www(?=\.)", re.IGNORECASE)
WELCOME = (
    "Each page asks one question, answers it in its first sentence, and shows below how sure one can be. "
    "Figures here start conversations, they do not judge: small groups are hidden to protect people, and ‘Methods’ "
    "says what each number means."
)
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
    here: str = ""  # the page

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

    def once(self, what: str, make: Callable[[], T]) -> T:
        """What `make` makes of this view: once for all who see the same, with the same filters, colours and width.

        Only the filters drawn so far count. It is shared, and may outlive its visit: never change it, and read the
        release while making it, not in what is made.
        """
        return keep(self.release, make, self.here, what, *sorted(chosen_here().items()), self.theme, self.column)


def appearance() -> Theme:
    """The colours of the reader's own light or dark setting."""
    return THEMES.get(st.context.theme.type or "", LIGHT)


def question(eyebrow: str, asked: str) -> None:
    """The page's one question."""
    st.html(html.paragraph("eyebrow", eyebrow))
    st.title(asked, anchor=False)


def whose(visit: Visit, unit: str, period: str) -> str:
    """Whose figures and of when, above a question: 'Northmere University · School of Law · 2025/26'."""
    university = str(visit.release.about["university"])
    return " · ".join([university, *([] if unit == UNIVERSITY else [visit.name(unit)]), period])


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
    visit: Visit,
    figure: Chart,
    *,
    title: str,
    subtitle: str,
    alt: str,
    table: pd.DataFrame,
    figures: Callable[[], pd.DataFrame],
    numeric: Collection[str] = (),
    key: str,
    legend: Sequence[html.Key] = (),
    note: str = "",
    pick: Callable[[list[str]], None] | None = None,
) -> None:
    """A chart under its finding, with a note, ways to take it along, and the same figures as a table behind it.

    figures: gives the published rows drawn, once the file of numbers is asked for; see `numbers.tidy`.
    pick: is told the customdata of the mark that a reader points at and clicks.
    """
    section(title, subtitle)
    if legend:
        st.html(html.key(legend))
    clicks: dict[str, Any] = {"on_select": partial(_picked, key, pick), "selection_mode": "points"} if pick else {}
    sent = visit.once(f"sent {key}", lambda: Sent(figure))
    st.plotly_chart(sent, theme=None, config=STILL, alt=alt, key=key, **clicks)
    if note:
        quiet(note)
    image = partial(images.of_page, figure, visit.theme, title, subtitle, (numbers.source(visit.release), note), legend)
    _take_along(visit, title, subtitle, figures, image, key)
    with st.expander("The figures behind this chart"):
        st.html(visit.once(f"table {key}", lambda: html.table(table, title, numeric)))


def table(
    visit: Visit,
    markup: str,
    *,
    title: str,
    subtitle: str,
    figures: Callable[[], pd.DataFrame],
    key: str,
    legend: Sequence[html.Key] = (),
) -> None:
    """A table under its finding, with ways to take it along; see `chart`."""
    section(title, subtitle)
    if legend:
        st.html(html.key(legend))
    st.html(markup)
    _take_along(visit, title, subtitle, figures, None, key)


def _take_along(
    visit: Visit,
    title: str,
    subtitle: str,
    figures: Callable[[], pd.DataFrame],
    image: Callable[[str], bytes] | None,
    key: str,
) -> None:
    """A link to this very view, and its files for those whose role takes them; each file is one `download` here."""
    view = chosen_here()
    query = urlencode({**visit.keep, **view})
    here = st.context.url
    address = f"{here}?{query}" if here else ""
    with st.container(key=f"along {key}", horizontal=True, vertical_alignment="center"):
        inbrowser.copy_link(address, f"?{query}", title, key)
        if visit.viewer.takes("data"):
            name = numbers.file_name(visit.here, key, view)

            def data() -> bytes:
                return numbers.file(visit.release, figures(), title, subtitle, address or f"?{query}")

            download(visit, "Data (CSV)", f"{name}.csv", data, "text/csv", quiet=True)
            if image and chromium.there():
                for kind, mime in images.KINDS.items():
                    make = partial(image, kind)
                    download(visit, f"Image ({kind.upper()})", f"{name}.{kind}", make, mime, quiet=True)


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


def welcome(visit: Visit) -> None:
    """Two sentences for whoever is here for the first time, about the pages with figures."""
    if "overview" in visit.pages:
        inbrowser.welcome(WELCOME)


def not_as_asked(visit: Visit, filters: Filters) -> None:
    """Says so where a period is asked for that is not offered here, or by the URL a unit that is not the viewer's to
    see, which is recorded too.
    """
    if filters.other_period:
        asked, shown = filters.other_period
        quiet(f"The period asked for, {asked}, is not among those to choose here: this is {shown}.")
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
    said += " · example data" if visit.release.example else ""
    st.html(html.paragraph("foot", f"{said} · seen as {viewer.role.lower()}"))
    if "methods" in visit.pages and here != visit.pages["methods"]:
        with st.container(key="foot-link"):
            visit.link("methods", "What each number means")
    with st.container(key="onward", horizontal=True):
        for page in visit.pages.values():
            if page != here:
                st.page_link(page, label=page.title, query_params=dict(visit.keep) or None, width="content")


def download(visit: Visit, label: str, name: str, make: Callable[[], bytes], mime: str, quiet: bool = False) -> None:
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

    look: Literal["secondary", "tertiary"] = "tertiary" if quiet else "secondary"
    st.download_button(label, give, file_name=name, mime=mime, on_click="ignore", key=f"download {name}", type=look)


def nothing_to_show(why: str) -> None:
    """A page in words where there is no release to read."""
    question("Personal tutoring", "Nothing to show yet")
    st.markdown(why)
