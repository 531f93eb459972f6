"""One pack of the sample release, in every format, made once; with words in it that try to be more than words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dashboard.exports import document, slides, web, workbook
from dashboard.exports.scope import command_line
from dashboard.exports.story import Request, Story, told
from dashboard.published import Release, open_release

YEAR = "2025/26"
HOSTILE = (
    "=HYPERLINK(0) first",
    "+1+1 <script>alert('x')</script> & <img src=x onerror=alert(1)>",
    '@SUM(A1) #panic("typst") $x$ *bold* _under_ @ref <label> `code` \\ " \'',
    "-2+3 {{ jinja }} %s {0} \x00\x1b[31m \u202eright to left",
)


@dataclass(frozen=True)
class Exported:
    """A story and its files."""

    release: Release
    story: Story
    pdf: bytes
    pptx: bytes
    xlsx: bytes
    html: bytes


@pytest.fixture(scope="session")
def exported(sample: Path) -> Exported:
    """The university's pack of the sample release. Its PDF has tables in place of charts, so it needs no Chromium."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("APT_DATA", str(sample))
        release = open_release(command_line("university"))
        words = {"commentary": "\n\n".join(HOSTILE), "actions": "\n".join(HOSTILE)}
        story = told(release, Request("university", YEAR, **words))
    # What a school or university is called comes from extracts, and is not to be trusted either.
    story = replace(story, university=f"{story.university} {HOSTILE[1]}", scope=HOSTILE[2])
    return Exported(release, story, document.make(story), slides.make(story), workbook.workbook(story), web.make(story))
