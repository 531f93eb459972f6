"""The texts of docs/ that pages show: how each number is made, and the glossary. One source for both. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pandas as pd

DOCS = Path(__file__).resolve().parent.parent / "docs"
HEADING = re.compile(r"^(#{2,3}) (.+)$", re.MULTILINE)
MADE = re.compile(r"^\*\*(?:Made|How)\b", re.MULTILINE)  # from here on a section is for those who want the formulae
LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
WORDS_ON_PAGES = "Words on the pages"


@dataclass(frozen=True)
class Section:
    """A section of a text: its plain paragraphs; and its tables with how it is made ('' where there are none)."""

    title: str
    plain: str
    made: str
    is_part: bool  # of the section before it

    @property
    def anchor(self) -> str:
        """The name under which a link finds it."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


def methods() -> list[Section]:
    """docs/methods.md, section by section; links between documents are plain words, which pages cannot follow."""
    return sections((DOCS / "methods.md").read_text(encoding="utf-8"))


@lru_cache(maxsize=2)
def sections(text: str) -> list[Section]:
    """The sections of a Markdown text, in order."""
    _, *pieces = HEADING.split(LINK.sub(r"\1", text))
    found = []
    for hashes, title, body in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True):
        split = MADE.search(body)
        at = split.start() if split else len(body)
        blocks = body[:at].strip().split("\n\n")
        plain, exact = ([b for b in blocks if b.startswith("|") == is_table] for is_table in (False, True))
        made = "\n\n".join([*exact, body[at:].strip()]).strip()
        found.append(Section(title.strip(), "\n\n".join(plain), made, hashes == "###"))
    return found


def glossary() -> pd.DataFrame:
    """The words on the pages in docs/glossary.md: Word, Meaning."""
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    body = next(section.made for section in sections(text) if section.title == WORDS_ON_PAGES)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in body.splitlines() if line.startswith("|")]
    return pd.DataFrame(rows[2:], columns=["Word", "Meaning"]).map(lambda cell: re.sub(r"[*`]", "", cell))
