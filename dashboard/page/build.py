"""Make a pack: what should the committee read?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from dashboard import layout, log, packs, turns
from dashboard.access import AccessDeniedError
from dashboard.exports import inert, make
from dashboard.exports.make import FORMATS
from dashboard.exports.reading import NothingToTellError, years
from dashboard.exports.scope import narrowed, offered
from dashboard.exports.sections import SECTIONS
from dashboard.exports.story import Request, Story
from dashboard.layout import Visit
from dashboard.style import words

PREVIEW, RELEASED = "pack preview", "pack released"
PLAIN = "Plain text, shown as you write it; it is not checked for names, so name nobody."


def page(visit: Visit) -> None:
    """Choose a scope, a year and sections, add one's own words, look at the result, release it."""
    layout.question(str(visit.release.about["university"]), "What should the committee read?")
    layout.answer("A pack tells one unit’s year: a summary on one page, findings with their charts, and the numbers.")
    layout.quiet("What you release stands under Packs for the committee and is never changed; it can be withdrawn.")
    if said := st.session_state.pop(RELEASED, None):
        st.success(said)
        visit.link("packs", "See it under Packs")
    request, formats = _request(visit)
    if not request.sections or not formats:
        layout.prose("Choose at least one section and one format.")
        return
    if st.button("Preview", type="primary"):
        _trying(visit, request, partial(_preview, visit, request))
    found = st.session_state.get(PREVIEW)
    if found is None:
        return
    previewed, story, pages = found
    if previewed != (request, visit.viewer, visit.release.name):
        layout.quiet("Something has changed since the preview: preview it again before you release it.")
        return
    _show(story, pages)
    layout.section("Release it", "Made afresh from the release in force, with your name and today’s date on it")
    draft = f"{make.stem(request)}-draft.pdf"
    layout.download(visit, "Draft as PDF", draft, partial(_draft, visit, request), FORMATS["pdf"][1])
    if st.checkbox("I have read the preview and release it to the committee", key="pack read") and st.button("Release"):
        _trying(visit, request, partial(_release, visit, request, formats))


def _request(visit: Visit) -> tuple[Request, tuple[str, ...]]:
    """What the boxes ask for."""
    offers = years(visit.release)
    whole = next((y for y, label in offers.items() if y == label), next(iter(offers)))
    with st.container(key="filters"):
        scope = st.selectbox("Scope", offered(visit.release.ask), format_func=lambda u: visit.name(u), key="pack scope")
        year = st.selectbox(
            "Year", list(offers), list(offers).index(whole), format_func=lambda y: offers[y], key="pack year"
        )
    sections = st.pills(
        "Sections", list(SECTIONS), selection_mode="multi", default=list(SECTIONS), format_func=lambda s: SECTIONS[s],
        key="pack sections",
    )  # fmt: skip
    formats = st.pills(
        "Formats", list(FORMATS), selection_mode="multi", default=list(FORMATS),
        format_func=lambda f: FORMATS[f][0], key="pack formats",
    )  # fmt: skip
    limit = inert.MOST_CHARACTERS
    commentary = st.text_area("Your commentary", key="pack commentary", max_chars=limit)
    actions = st.text_area("Agreed actions, one a line", key="pack actions", max_chars=limit)
    layout.quiet(PLAIN)
    chosen = tuple(name for name in SECTIONS if name in sections)
    request = Request(str(scope), str(year), chosen, commentary or "", actions or "")
    return request, tuple(name for name in FORMATS if name in formats)


def _trying(visit: Visit, request: Request, act: Callable[[], None]) -> None:
    """Do something, and say so where the scope is refused or there is nothing to tell."""
    try:
        act()
    except AccessDeniedError:
        st.session_state.pop(PREVIEW, None)
        log.record("refusal", visit.viewer, visit.release.name, f"pack {request.scope}")
        raise
    except NothingToTellError as error:
        layout.prose(str(error))


def _preview(visit: Visit, request: Request) -> None:
    with st.spinner("Reading the figures and setting the first pages"), turns.aside():
        story, pages = make.preview(narrowed(visit.release.ask, request.scope), request)
    st.session_state[PREVIEW] = (request, visit.viewer, visit.release.name), story, pages


def _show(story: Story, pages: list[bytes]) -> None:
    """The first pages as they will look, and in words what follows."""
    layout.section("Preview", f"{story.scope}, {story.period}")
    for column, page_image, alt in zip(
        st.columns(len(pages)), pages, ("The cover of the pack", f"The summary: {story.answer}"), strict=False
    ):
        column.image(page_image, caption=alt, width="stretch")
    held = [f"{f.lead}: {f.headline}" for f in story.findings]
    held += [f"{s.title}: {words.plural(len(s.figures) + len(s.tables), 'figure or table')}" for s in story.sections]
    with st.expander("What follows, page by page"):
        for line in [*held, "Methods and disclosure, glossary, and every figure as a table"]:
            st.markdown(f"- {layout.plain(line).replace('figure or tables', 'figures and tables')}")


def _draft(visit: Visit, request: Request) -> bytes:
    return make.make(narrowed(visit.release.ask, request.scope), request, ("pdf",)).files["pdf"]


def _release(visit: Visit, request: Request, formats: tuple[str, ...]) -> None:
    bar = st.progress(0.0, "Starting")

    def tell(share: float, what: str) -> None:
        bar.progress(share, what)

    recorded = partial(log.record_release, visit.viewer, visit.release.name)
    with turns.aside():
        pack, notes = packs.release(visit.release.ask, request, formats, recorded, tell)
    st.session_state.pop(PREVIEW, None)
    st.session_state[RELEASED] = " ".join([f"Released: {pack.title}, {pack.period}.", *notes])
    st.rerun()
