"""Packs: what was released to the committee?"""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard import layout, log, packs
from dashboard.access import AccessDeniedError
from dashboard.layout import Visit
from dashboard.packs import Pack
from dashboard.style import words


def page(visit: Visit) -> None:
    """Released packs, the newest first, each with its downloads; withdrawn ones with who withdrew them and why."""
    release = visit.release
    layout.question(str(release.about["university"]), "What was released to the committee?")
    found = packs.listed(release.ask)
    kept = [pack for pack in found if not pack.withdrawn]
    makes = packs.may_withdraw(release.ask)
    if not found:
        layout.answer("No pack has been released yet.")
        layout.prose(
            "A pack tells one unit’s year as a PDF, slides, a workbook and a web page. Once a lead releases one, it "
            "stands here to download; this page then fills by itself."
        )
    elif kept:
        layout.answer(f"{words.headline(words.plural(len(kept), 'pack'))}, the newest first.")
    else:
        layout.answer("None that still stands: what was released has been withdrawn.")
    if makes:
        visit.link("build", "Make a pack")
    for pack in kept:
        _standing(visit, pack, pack.scope in makes)
    if len(found) > len(kept):
        layout.section("Withdrawn", "Do not use copies you may have of these")
    for pack in found:
        if pack.withdrawn:
            when = words.moment(pack.withdrawn)
            _head(pack)
            layout.quiet(f"Withdrawn by {pack.withdrawn_by} on {when} (UTC): {words.sentence(pack.why)}")


def _head(pack: Pack) -> None:
    st.markdown(
        f"**{layout.plain(pack.title)}, {layout.plain(pack.period)}**  \n"
        f"Released by {layout.plain(pack.released_by)} on {words.moment(pack.released)} (UTC), from release "
        f"{layout.plain(pack.release)}"
    )


def _standing(visit: Visit, pack: Pack, may_withdraw: bool) -> None:
    with st.container(key=f"pack {pack.name}", border=True):
        _head(pack)
        with st.container(key=f"files {pack.name}", horizontal=True):
            for file in pack.files:
                label = f"{file.label} ({words.file_size(file.size)})"
                give = partial(packs.read, visit.release.ask, pack.name, file.name)
                layout.download(visit, label, file.name, give, file.mime)
        if may_withdraw:
            with st.expander("Withdraw this pack"):
                _withdraw(visit, pack)


def _withdraw(visit: Visit, pack: Pack) -> None:
    """A reason, and the button: the files go, the trace stays."""
    layout.quiet("Its files can then no longer be downloaded; that it was released, and why it was withdrawn, stays.")
    why = st.text_input("Why", key=f"why {pack.name}", max_chars=packs.MOST_OF_A_REASON)
    if not st.button("Withdraw", key=f"withdraw {pack.name}"):
        return
    try:
        packs.withdraw(visit.release.ask, pack.name, why, partial(log.record_release, visit.viewer, visit.release.name))
    except ValueError as error:
        st.error(str(error))
        return
    except AccessDeniedError:
        log.record("refusal", visit.viewer, visit.release.name, f"withdraw {pack.name}")
        raise
    st.rerun()
