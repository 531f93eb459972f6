"""Makes a pack's files from one story; every format from the same words and numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field

from dashboard.access import Ask
from dashboard.exports import document, images, slides, web, workbook
from dashboard.exports.chromium import Chromium, NoBrowserError, drawing
from dashboard.exports.story import Request, Story, told
from dashboard.published import open_release

FORMATS = {
    "pdf": ("PDF", "application/pdf"),
    "pptx": ("Slides", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    "xlsx": ("Workbook", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "html": ("Web page", "text/html"),
}
WITHOUT_CHARTS = "In the PDF, tables stand in place of the charts."
Tell = Callable[[float, str], None]  # how far (0 to 1), and with what


@dataclass(frozen=True)
class Made:
    """A pack's files by format, its story, and what went otherwise than asked for."""

    story: Story
    files: dict[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def make(asked: Ask, request: Request, formats: Iterable[str] = FORMATS, tell: Tell = lambda _, __: None) -> Made:
    """Every format asked for. `asked`: whoever sees the scope of the request and nothing else.

    Asked again for each figure that is read, and once more before anything is handed out. Without Chromium the PDF
    has tables in place of charts, and a note says what to install. Raises AccessDeniedError, NothingToTellError.
    """
    wanted = [name for name in FORMATS if name in set(formats)]
    notes: list[str] = []
    with ExitStack() as open_while:
        chromium: Chromium | None = None
        if "pdf" in wanted:
            try:  # first, so that it starts while the figures are read
                chromium = open_while.enter_context(drawing())
            except NoBrowserError as error:
                notes = [f"{error} {WITHOUT_CHARTS}"]
        tell(0.0, "Reading the figures")
        release = open_release(asked)
        story = told(release, request)
        files: dict[str, bytes] = {}
        # Chromium draws while the other formats are written.
        drawn = {figure.key: images.svg(chromium, figure) for figure in story.figures} if chromium else {}
        for n, (name, write) in enumerate((("xlsx", workbook.workbook), ("pptx", slides.make), ("html", web.make)), 1):
            if name in wanted:
                tell(0.2 + 0.1 * n, f"Writing the {FORMATS[name][0].lower()}")
                files[name] = write(story)
        if "pdf" in wanted:
            charts: dict[str, bytes] = {}
            try:
                for n, (key, drawing_now) in enumerate(drawn.items()):
                    tell(0.6 + 0.3 * n / len(drawn), f"Drawing chart {n + 1} of {len(drawn)}")
                    charts[key] = drawing_now.result()
            except NoBrowserError as error:
                charts, notes = {}, [f"{error} {WITHOUT_CHARTS}"]
            tell(0.92, "Typesetting the PDF")
            files["pdf"] = document.make(story, charts)
    release.ask_again()
    tell(1.0, "Done")
    return Made(story, {name: files[name] for name in wanted}, tuple(notes))


def preview(asked: Ask, request: Request) -> tuple[Story, list[bytes]]:
    """The story, and its cover and summary as images; quick, since neither needs a chart."""
    release = open_release(asked)
    story = told(release, request)
    pages = document.first_pages(story)
    release.ask_again()
    return story, pages


def stem(request: Request) -> str:
    """The name of a pack's files without their endings."""
    safe = "".join(c if c.isalnum() else "-" for c in f"{request.scope}-{request.year}")
    return f"personal-tutoring-{safe}"
