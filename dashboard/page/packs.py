"""Packs: what was released to the committee?"""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard import layout, packs
from dashboard.layout import Visit
from dashboard.style import words


def page(visit: Visit) -> None:
    """Released packs, the newest first, each with its download."""
    release = visit.release
    layout.question(str(release.about["university"]), "What was released to the committee?")
    found = packs.listed(release.ask)
    if not found:
        layout.answer("No pack has been released yet.")
        layout.prose(
            "A pack holds the committee's pages as slides, a document and a workbook. Once the University lead's team "
            "releases one, it stands here to download; this page then fills by itself."
        )
        return
    layout.answer(f"{words.headline(words.plural(len(found), 'pack'))}, the newest first.")
    for pack in found:
        with st.container(key=f"pack {pack.name}", horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"**{layout.plain(pack.name)}**  \n{pack.kind}, {words.file_size(pack.size)}, "
                f"released on {words.day(pack.released)}"
            )
            layout.download(visit, "Download", pack.name, partial(packs.read, release.ask, pack.name), pack.mime)
