"""Methods: what do these numbers mean, how are they made, and what can they not say?"""

from __future__ import annotations

import streamlit as st

from dashboard import layout, texts
from dashboard.findings import definitions
from dashboard.layout import Visit
from dashboard.style import html, words

CONTENTS = {"measures": "Measures", "groups": "Groups, levels and periods", "rules": "What is hidden"}


def page(visit: Visit) -> None:
    """The release's definitions, the text on methods with its formulae behind folds, and the glossary."""
    release = visit.release
    layout.question(str(release.about["university"]), "What do these numbers mean?")
    layout.answer(definitions.answer(release.metrics, release.characteristics, release.levels))
    methods = texts.methods()
    known = {**CONTENTS, **{s.anchor: s.title for s in methods if not s.is_part}, "glossary": "Glossary"}
    with st.container(key="contents"):
        st.markdown(" · ".join(f"[{layout.plain(title)}](#{anchor})" for anchor, title in known.items()))
    _measures(visit)
    _groups(visit)
    _rules(visit)
    for section in methods:
        _method(section)
    st.header("Glossary", anchor="glossary")
    layout.quiet("One word for one thing, on every page.")
    st.html(html.table(texts.glossary(), "Glossary"))


def _measures(visit: Visit) -> None:
    st.header(CONTENTS["measures"], anchor="measures")
    for theme, rows in visit.release.metrics.groupby("theme", sort=False):
        label = words.THEMES.get(theme, theme)
        with st.expander(f"{label}: {words.plural(len(rows), 'measure')}"):
            st.html(html.table(definitions.measures(rows), f"Measures of {words.lowered(label)}"))


def _groups(visit: Visit) -> None:
    release = visit.release
    st.header(CONTENTS["groups"], anchor="groups")
    told = f"Levels: {words.listed([words.lowered(str(label)) for label in release.levels['label']])}."
    layout.prose(f"{told} ‘Unknown’ is kept as a group of its own, shown and never compared.")
    with st.expander(
        f"{words.headline(words.plural(len(release.characteristics), 'characteristic'))} and their groups"
    ):
        st.html(html.table(definitions.groups(release.characteristics, release.groups), "Groups"))
    with st.expander(words.headline(words.plural(len(release.periods), "period"))):
        st.html(html.table(definitions.periods(release.periods), "Periods"))


def _rules(visit: Visit) -> None:
    st.header(CONTENTS["rules"], anchor="rules")
    layout.prose(
        "Small figures could tell something about a person, so they are hidden, and the page says so in words."
    )
    with st.expander("The rules in force"):
        for rule in definitions.rules(visit.release.about["rules"]):
            layout.prose(rule)


def _method(section: texts.Section) -> None:
    show = st.subheader if section.is_part else st.header
    show(section.title, anchor=section.anchor)
    if section.plain:
        st.markdown(section.plain)
    if section.made:
        with st.expander(f"Exactly: {words.lowered(section.title)}"):
            st.markdown(section.made)
