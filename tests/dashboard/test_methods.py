"""Methods: what each number means, from the release and from docs/, for every role."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dashboard import texts
from dashboard.access import ROLES
from dashboard.findings import definitions
from dashboard.published import Release
from tests.dashboard.test_pages import text, visit


def test_every_section_opens_in_plain_english() -> None:
    found = texts.methods()
    titles = [section.title for section in found]
    assert len(titles) == len(set(titles)) > 10
    for section in found:
        assert section.plain, section.title
        assert "](" not in section.plain + section.made, "pages cannot follow links between documents"
        assert not section.plain.startswith("|")


def test_formulae_stand_behind_a_fold() -> None:
    text_of = {section.title: section for section in texts.methods()}
    assert "Wilson" in text_of["Values and their intervals"].made
    assert "Wilson" not in text_of["Values and their intervals"].plain
    assert "Clear gap" in text_of["Evidence in words"].plain


def test_the_glossary_is_the_one_in_the_documents() -> None:
    words = texts.glossary()
    assert {"gap", "interval", "release", "like-for-like gap"} <= set(words["Word"])
    assert "mart" not in set(words["Word"])
    assert (words["Meaning"].str.len() > 5).all()


def test_rules_in_force_are_sentences_known_or_not() -> None:
    said = definitions.rules(json.dumps({"round_bases_to": 5, "something_new": 3, "smallest_base": 10}))
    assert said == [
        "A figure on fewer than 10 people is hidden.",
        "How many people a figure is out of is shown to the nearest 5.",
        "Something new: 3.",
    ]
    assert definitions.rules(None) == []


def test_definitions_cover_all_that_a_release_names(release: Release) -> None:
    assert definitions.measures(release.metrics)["Measure"].tolist() == release.metrics["label"].tolist()
    groups = definitions.groups(release.characteristics, release.groups)
    assert groups["Characteristic"].tolist() == release.characteristics["label"].tolist()
    assert "not shown" in groups.set_index("Characteristic").loc["Care experience", "Note"]
    held = definitions.periods(release.periods)["What it holds"]
    assert len(held) == len(release.periods)
    assert held.str.endswith("everyone alone").sum() == (~release.periods["has_groups"]).sum() > 0


@pytest.mark.parametrize("viewer", ["university", "committee"])
def test_the_page_explains_without_a_figure(sample: Path, serve, viewer: str) -> None:
    serve(sample)
    app = visit("methods", viewer=viewer)
    assert not app.exception
    assert app.title[0].value == "What do these numbers mean?"
    said = text(app)
    assert "Met their tutor" in said
    assert "Glossary" in said
    assert all("methods" in role.pages for role in ROLES.values())
