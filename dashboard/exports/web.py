"""A pack as one web page that needs nothing else: interactive charts, opened from a disk, without a network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Sequence
from functools import lru_cache
from html import escape
from pathlib import Path

import pandas as pd
from plotly.offline import get_plotlyjs

from dashboard.exports.figure import Figure
from dashboard.exports.findings import Finding, Named
from dashboard.exports.sections import Section
from dashboard.exports.story import Story
from dashboard.style import html
from dashboard.style.theme import LIGHT

STYLE = Path(__file__).with_name("web.css")
DRAW = """
for (const holder of document.querySelectorAll("[data-chart]")) {
  const figure = JSON.parse(document.getElementById(holder.dataset.chart).textContent);
  Plotly.newPlot(holder, figure.data, figure.layout, {displayModeBar: false, responsive: true});
}
addEventListener("beforeprint", () => { for (const d of document.querySelectorAll("details")) d.open = true; });
"""


@lru_cache(maxsize=1)
def _library() -> str:
    return get_plotlyjs().replace("</script", "<\\/script")


def make(story: Story) -> bytes:
    """The page. Nothing in it is fetched, and no script runs but its own two: a policy in its head says so."""
    allowed = " ".join(f"'sha256-{_digest(script)}'" for script in (_library(), DRAW))
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )
    title = f"{story.title}: {story.scope}, {story.period}"
    page = (
        '<!doctype html><html lang="en-GB"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_variables()}{STYLE.read_text(encoding='utf-8')}</style></head><body>"
        '<a class="skip" href="#summary">To the summary</a>'
        f"{_head(story)}<div class='columns'>{_contents(story)}<main>{_summary(story)}{_findings(story)}"
        f"{''.join(_section(story, s) for s in story.sections)}{_methods(story)}</main></div>"
        f"<footer><p>{escape(story.source)}</p></footer>"
        f"<script>{_library()}</script><script>{DRAW}</script></body></html>"
    )
    return page.encode()


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _variables() -> str:
    names = ("page", "panel", "ink", "muted", "line", "context", "accent", "attention", "well")
    return ":root{" + "".join(f"--{name}:{getattr(LIGHT, name)};" for name in names) + "}\n"


def _head(story: Story) -> str:
    banner = html.paragraph("banner", "Example data: a fictional university") if story.example else ""
    return (
        f"<header>{banner}{html.paragraph('eyebrow', story.university)}<h1>{escape(story.title)}</h1>"
        f'<p class="scope">{escape(story.scope)} · {escape(story.period)}</p>'
        f'<p class="status"><strong>{escape(story.status)}</strong> · Release {escape(story.release)}, made on '
        f"{escape(story.made)} · {escape(story.data_through)}</p></header>"
    )


def _contents(story: Story) -> str:
    entries = [("summary", "Summary"), *((f"finding-{n}", f.lead) for n, f in enumerate(story.findings, 1))]
    entries += [(s.key, s.title) for s in story.sections] + [
        ("methods", "Methods and disclosure"),
        ("words", "Glossary"),
    ]
    links = "".join(f'<li><a href="#{escape(key)}">{escape(title)}</a></li>' for key, title in entries)
    return f'<nav aria-label="Contents"><ul>{links}</ul></nav>'


def _summary(story: Story) -> str:
    cards = html.cards(
        [
            html.Card(h.label, h.value, h.interval, h.change, h.verdict, is_figure=h.is_figure, beside=h.beside)
            for h in story.headlines
        ]
    )
    found = "".join(
        f'<li><a href="#finding-{n}"><strong>{escape(f.lead)}.</strong> {escape(f.headline)}.</a></li>'
        for n, f in enumerate(story.findings, 1)
    )
    return (
        f'<section id="summary"><h2>{escape(story.question)}</h2><p class="answer">{escape(story.answer)}</p>{cards}'
        f'<h3>What to know</h3><ol class="found">{found}</ol>{_listed("Where to begin", story.steps)}{_said(story)}'
        f"<h3>How sure is this?</h3><p>{escape(story.how_sure)}</p></section>"
    )


def _said(story: Story) -> str:
    """The lead's own words."""
    said = ""
    if story.commentary:
        said += "<h3>Commentary</h3>" + "".join(f"<p>{escape(text)}</p>" for text in story.commentary)
    return said + _listed("Agreed actions", story.actions)


def _listed(heading: str, lines: Sequence[str]) -> str:
    if not lines:
        return ""
    return f"<h3>{heading}</h3><ul>" + "".join(f"<li>{escape(text)}</li>" for text in lines) + "</ul>"


def _findings(story: Story) -> str:
    return "".join(_finding(story, n, f) for n, f in enumerate(story.findings, 1))


def _finding(story: Story, number: int, finding: Finding) -> str:
    figure = _figure(story, finding.figure, finding.headline) if finding.figure else ""
    return (
        f'<section id="finding-{number}" class="finding">{html.paragraph("eyebrow", finding.lead)}'
        f"<h2>{escape(finding.headline)}</h2><p>{escape(finding.text)}</p>{_lists(finding.lists)}{figure}"
        f'<p class="caveat"><strong>Keep in mind.</strong> {escape(finding.caveat)}</p></section>'
    )


def _lists(lists: Sequence[Named]) -> str:
    return html.pair([html.Named(n.heading, n.explanation, n.names, n.verdict) for n in lists]) if lists else ""


def _section(story: Story, section: Section) -> str:
    text = "".join(f"<p>{escape(t)}</p>" for t in section.text)
    shown = "".join(_figure(story, f) for f in section.figures)
    held = "".join(f"<h3>{escape(t.caption)}</h3>{html.table(t.words, t.caption, t.numeric)}" for t in section.tables)
    body = f"{text}{shown}{held}{_lists(section.lists)}"
    return f'<section id="{section.key}"><h2>{escape(section.title)}</h2>{body}</section>'


def _figure(story: Story, figure: Figure, said: str = "") -> str:
    """A chart with its finding (unless just said), its key, and the same figures as a table behind it."""
    number = story.number(figure)
    drawn = figure.draw(LIGHT).checked()
    data = str(drawn.to_json()).replace("<", "\\u003c")  # no text ends the script it stands in
    height = int(drawn.layout.height or 400)
    title = "" if figure.title == said else f"<h3>{escape(figure.title)}</h3>"
    return (
        f'<figure><figcaption>{title}<p class="subtitle">Figure {number}. {escape(figure.subtitle)}</p></figcaption>'
        f"{_key(figure.legend)}"
        f'<div class="chart" tabindex="0"><div role="img" aria-label="{escape(figure.alt)}" '
        f'data-chart="chart-{number}" style="height:{height}px"></div></div>'
        f'<script type="application/json" id="chart-{number}">{data}</script>'
        f"{html.paragraph('note', figure.note) if figure.note else ''}"
        f"<details><summary>The figures behind this chart</summary>{_table(figure.table, figure.title, figure.numeric)}"
        "</details></figure>"
    )


def _table(table: pd.DataFrame, caption: str, numeric: Collection[str]) -> str:
    return html.table(table, caption, numeric)


def _key(legend: Sequence[tuple[str, str, str]]) -> str:
    return html.key([(LIGHT.of(verdict), glyph, text) for verdict, glyph, text in legend]) if legend else ""


def _methods(story: Story) -> str:
    how = "".join(f"<h3>{escape(heading)}</h3><p>{escape(text)}</p>" for heading, text in story.methods)
    hidden = "".join(f"<p>{escape(text)}</p>" for text in story.disclosure)
    words = "".join(f"<dt>{escape(word)}</dt><dd>{escape(meaning)}</dd>" for word, meaning in story.glossary)
    return (
        f'<section id="methods"><h2>Methods and disclosure</h2><h3>What is hidden</h3>{hidden}{how}'
        f"<h3>What each measure means</h3>{html.table(story.definitions, 'What each measure means')}</section>"
        f'<section id="words"><h2>Glossary</h2><dl>{words}</dl></section>'
    )
