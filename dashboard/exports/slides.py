"""A pack as slides: one finding per slide, its chart a native one that can be edited, its caveats in the notes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from pptx import Presentation
from pptx.enum.lang import MSO_LANGUAGE_ID
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls, qn
from pptx.util import Emu, Inches, Pt

from dashboard.exports import native
from dashboard.exports.findings import Finding
from dashboard.exports.story import Story
from dashboard.style import words
from dashboard.style.theme import LIGHT

WIDTH, HEIGHT = Inches(13.333), Inches(7.5)
LEFT, RIGHT = Inches(0.6), Inches(12.73)
TITLE_SLIDE, TITLE_ONLY = 0, 5  # layouts of the default template
SERIF = "Georgia"
MOST_OF_A_TITLE = 100  # characters that surely stay within two lines; longer ones are set smaller
MOST_OF_A_PROPERTY = 255  # characters that Office allows
MANY_FINDINGS = 8  # on the summary, which are set smaller
MOST_ACTIONS = 10  # on one slide
LARGER = (1.5, 1.4, 1.3, 1.2, 1.1)  # times a text's size, where there is room for it
LETTER, LINE = 0.55, 1.22  # of its size: the width of a letter on average in a wide font, and from line to line


@dataclass(frozen=True)
class Text:
    """A paragraph: what it says and how it looks."""

    text: str
    size: float = 14
    bold: bool = False
    colour: str = LIGHT.ink
    after: float = 6  # points below
    serif: bool = False
    lead: str = ""  # in bold before the text


def make(story: Story) -> bytes:
    """The slides of a story."""
    deck = Presentation()
    _prepare(deck, story)
    _cover(deck, story)
    _summary(deck, story)
    for number, finding in enumerate(story.findings, 1):
        _finding(deck, story, number, finding)
    if story.commentary or story.actions:
        _said(deck, story)
    _closing(deck, story)
    held = io.BytesIO()
    deck.save(held)
    return held.getvalue()


def _prepare(deck: Any, story: Story) -> None:
    """Sixteen to nine, titles set left in a serif, for these slides and for those that somebody adds."""
    stretch = WIDTH / deck.slide_width
    deck.slide_width, deck.slide_height = WIDTH, HEIGHT
    master = deck.slide_master
    for holder in (master, *deck.slide_layouts):
        for shape in holder.placeholders:
            if shape.element.spPr.find(qn("a:xfrm")) is not None:
                shape.left, shape.width = Emu(int(shape.left * stretch)), Emu(int(shape.width * stretch))
    title = master.placeholders[0]
    title.left, title.top, title.width, title.height = LEFT, Inches(0.62), RIGHT - LEFT, Inches(1.0)
    title.text_frame.vertical_anchor = MSO_ANCHOR.TOP
    title.text_frame.margin_left = 0
    only = deck.slide_layouts[TITLE_ONLY].placeholders[0]
    if (placed := only.element.spPr.find(qn("a:xfrm"))) is not None:
        only.element.spPr.remove(placed)
    style = master.element.find(f".//{qn('p:titleStyle')}/{qn('a:lvl1pPr')}")
    style.set("algn", "l")
    looks = style.find(qn("a:defRPr"))
    looks.set("sz", "2600")
    theme = master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    theme._blob = theme.blob.replace(
        b'<a:majorFont><a:latin typeface="Calibri"', f'<a:majorFont><a:latin typeface="{SERIF}"'.encode()
    )
    about = deck.core_properties
    about.title = f"{story.title}, {story.scope}, {story.period}"[:MOST_OF_A_PROPERTY]
    about.author, about.subject = story.university[:MOST_OF_A_PROPERTY], story.source[:MOST_OF_A_PROPERTY]
    about.language = "en-GB"


def _slide(deck: Any, story: Story, title: str, lead: str = "", notes: Sequence[str] = ()) -> Any:
    """A slide with its title, a line above it, its source and number, and notes."""
    slide = deck.slides.add_slide(deck.slide_layouts[TITLE_ONLY])
    slide.shapes.title.text = title
    if len(title) > MOST_OF_A_TITLE:
        slide.shapes.title.text_frame.paragraphs[0].runs[0].font.size = Pt(21)
    _speak(slide.shapes.title.text_frame)
    if lead:
        _write(
            slide,
            LEFT,
            Inches(0.32),
            RIGHT - LEFT,
            Inches(0.35),
            [Text(lead, 13, colour=LIGHT.muted)],
            "Kind of finding",
        )
    _foot(slide, story)
    _notes(slide, [*notes, story.source])
    return slide


def _foot(slide: Any, story: Story) -> None:
    _write(slide, LEFT, Inches(7.05), Inches(11.3), Inches(0.32), [Text(story.source, 9, colour=LIGHT.muted)], "Source")
    box = _write(slide, Inches(12.1), Inches(7.05), Inches(0.63), Inches(0.32), [Text("", 9)], "Slide number")
    paragraph = box.text_frame.paragraphs[0]._p
    paragraph.append(
        parse_xml(
            f'<a:fld {nsdecls("a")} id="{{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}}" type="slidenum">'
            '<a:rPr lang="en-GB" sz="900"/><a:t>‹#›</a:t></a:fld>'
        )
    )


def _notes(slide: Any, notes: Sequence[str]) -> None:
    slide.notes_slide.notes_text_frame.text = "\n".join(note for note in notes if note)


def _cover(deck: Any, story: Story) -> None:
    slide = deck.slides.add_slide(deck.slide_layouts[TITLE_ONLY])
    title = slide.shapes.title
    title.text = story.title
    title.left, title.top, title.width, title.height = LEFT, Inches(2.2), Inches(11.5), Inches(1.0)
    title.text_frame.paragraphs[0].runs[0].font.size = Pt(44)
    _speak(title.text_frame)
    if story.example:
        box = _write(
            slide,
            LEFT,
            Inches(0.6),
            RIGHT - LEFT,
            Inches(0.45),
            [Text("Example data: a fictional university")],
            "Banner",
        )
        box.fill.solid()
        box.fill.fore_color.rgb = native.rgb(LIGHT.panel)
    _write(
        slide,
        LEFT,
        Inches(1.75),
        Inches(11),
        Inches(0.4),
        [Text(story.university, 16, colour=LIGHT.muted)],
        "University",
    )
    about = [Text(f"{story.scope} · {story.period}", 22, after=18), Text(story.status, 14, bold=True)]
    about.append(Text(f"Release {story.release}, made on {story.made}. {story.data_through}.", 14))
    about.append(Text(story.disclosure[-1], 12, colour=LIGHT.muted))
    _write(slide, LEFT, Inches(3.3), Inches(11.5), Inches(2.6), about, "What this is")
    _foot(slide, story)
    _notes(slide, [*story.disclosure, story.source])


def _summary(deck: Any, story: Story) -> None:
    slide = _slide(deck, story, story.question, notes=(story.how_sure,))
    _write(slide, LEFT, Inches(1.5), RIGHT - LEFT, Inches(0.85), [Text(story.answer, 17, serif=True)], "Answer")
    wide = (RIGHT - LEFT) // max(len(story.headlines), 1)
    for n, h in enumerate(story.headlines):
        left = LEFT + n * wide
        line = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, left, Inches(2.5), wide - Inches(0.3), Pt(1.5))
        line.fill.solid()
        line.fill.fore_color.rgb = native.rgb(LIGHT.ink)
        line.line.fill.background()
        line.shadow.inherit = False
        _describe(line, "")
        change = getattr(LIGHT, h.verdict) if h.verdict in ("well", "attention") else LIGHT.muted
        told = [Text(h.label, 13, bold=True, after=0), Text(h.value, 30 if h.is_figure else 16, serif=True, after=0)]
        told += [Text(h.beside, 12, bold=True, after=0)] if h.beside else []
        told += [Text(h.interval, 11, colour=LIGHT.muted, after=0)] if h.interval else []
        told.append(Text(h.change, 11, colour=change))
        _write(slide, left, Inches(2.55), wide - Inches(0.3), Inches(1.9), told, h.label)
    size = 12 if len(story.findings) < MANY_FINDINGS else 10.5
    found = [Text(f"{f.headline}.", size, lead=f"{n}  {f.lead}. ", after=2) for n, f in enumerate(story.findings, 1)]
    if story.steps:
        found[-1] = replace(found[-1], after=8)
        found.append(Text(" ".join(story.steps), size, lead="Where to begin. "))
    _write(slide, LEFT, Inches(4.3), RIGHT - LEFT, Inches(2.7), found, "What to know", fit=True)


def _finding(deck: Any, story: Story, number: int, finding: Finding) -> None:
    figure = finding.figure
    told = [finding.text, f"Keep in mind. {finding.caveat}"]
    told += [f"Figure {story.number(figure)}. {figure.subtitle}", figure.note, figure.alt] if figure else []
    slide = _slide(deck, story, finding.headline, f"{number} · {finding.lead}", told)
    wide = Inches(7.5)
    if figure:
        high = min(Inches(4.6), Inches(0.6) + Inches(0.8) * len(figure.marks))
        chart = native.add(slide, figure, (LEFT, Inches(1.65), wide, high))
        _describe(chart, figure.alt)
        about = [Text(f"Figure {story.number(figure)}. {figure.subtitle}", 10, colour=LIGHT.muted, after=2)]
        if key := native.key(figure):
            about.append(Text(key, 10, colour=LIGHT.muted))
        top = Inches(1.68) + high
        _write(slide, LEFT, top, wide, Inches(6.95) - top, about, "What the chart shows", fit=True)
    side = [Text(finding.text, 13, after=9)] if finding.text else []
    for named in finding.lists:
        side.append(Text(named.heading, 13, bold=True, colour=getattr(LIGHT, named.verdict), after=0))
        side.append(Text(f"{named.explanation}:", 10, colour=LIGHT.muted, after=2))
        side += [Text(name, 10.5, after=0) for name in named.names[:-1]]
        side.append(Text(named.names[-1], 10.5, after=7))
    if figure and figure.note:
        side.append(Text(figure.note, 10.5, after=7))
    side.append(Text(finding.caveat, 11, lead="Keep in mind. ", colour=LIGHT.muted))
    left = LEFT + wide + Inches(0.35) if figure else LEFT
    _write(slide, left, Inches(1.65), RIGHT - left, Inches(5.2), side, "What it says", fit=True)


def _said(deck: Any, story: Story) -> None:
    """The lead's own words; what is long goes on on further slides."""
    told = [Text(text, 15, after=8) for text in story.commentary]
    if story.actions:
        told.append(Text("Agreed actions", 16, bold=True))
        told += [Text(f"• {text}", 15, after=5) for text in story.actions]
    pages: list[list[Text]] = [[]]
    room = 0
    for text in told:
        lines = 1 + len(text.text) // 110
        if pages[-1] and room + lines > MOST_ACTIONS:
            pages.append([])
            room = 0
        pages[-1].append(text)
        room += lines
    title = (
        "Commentary and agreed actions"
        if story.commentary and story.actions
        else ("Commentary" if story.commentary else "Agreed actions")
    )
    for n, page in enumerate(pages):
        slide = _slide(deck, story, title if not n else f"{title}, continued ({n + 1})")
        _write(slide, LEFT, Inches(1.5), RIGHT - LEFT, Inches(5.3), page, "Commentary and actions")


def _closing(deck: Any, story: Story) -> None:
    methods = [f"{heading}. {text}" for heading, text in story.methods]
    slide = _slide(deck, story, "How sure this is, and what is hidden", notes=methods)
    told = [Text(story.how_sure, 15, after=12), *(Text(text, 13) for text in story.disclosure)]
    _write(slide, LEFT, Inches(1.5), RIGHT - LEFT, Inches(5.3), told, "How sure, and what is hidden", fit=True)


def _write(
    slide: Any, left: int, top: int, width: int, height: int, told: Sequence[Text], name: str, fit: bool = False
) -> Any:
    """A box of paragraphs; with `fit`, as large as the box surely holds."""
    told = _fitting(told, width, height) if fit else told
    box = slide.shapes.add_textbox(left, top, width, height)
    box.name = name
    frame = box.text_frame
    frame.word_wrap = True
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    for n, text in enumerate(told):
        paragraph = frame.paragraphs[0] if not n else frame.add_paragraph()
        paragraph.space_after = Pt(text.after)
        for said, bold in ((text.lead, True), (text.text, text.bold)):
            if not said:
                continue
            run = paragraph.add_run()
            run.text = said
            run.font.size, run.font.bold = Pt(text.size), bold
            run.font.color.rgb = native.rgb(text.colour)
            run.font.language_id = MSO_LANGUAGE_ID.ENGLISH_UK
            if text.serif:
                run.font.name = SERIF
    return box


def _fitting(told: Sequence[Text], width: int, height: int) -> Sequence[Text]:
    """The paragraphs, larger where that much fits into so much room (EMU), and as they are where they barely do."""
    larger = ([replace(t, size=t.size * times, after=t.after * times) for t in told] for times in LARGER)
    return next((each for each in larger if sum(_height(t, width) for t in each) <= height), told)


def _height(text: Text, width: int) -> float:
    """How high a paragraph is at the most, in EMU."""
    lines = ceil(len(text.lead + text.text) * LETTER * Pt(text.size) / width)
    return float(Pt(text.size) * LINE * lines + Pt(text.after))


def _speak(frame: Any) -> None:
    for paragraph in frame.paragraphs:
        for run in paragraph.runs:
            run.font.language_id = MSO_LANGUAGE_ID.ENGLISH_UK
            run.font.color.rgb = native.rgb(LIGHT.ink)


def _describe(shape: Any, alt: str) -> None:
    """Alternative text; without any, a shape is there for the eye only."""
    about = shape._element.xpath(".//p:cNvPr")[0]
    about.set("descr", words.sentence(alt) if alt else "")
