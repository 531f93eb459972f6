"""The one story of a pack: what every format tells, in the same words and with the same numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from dashboard.access import AccessDeniedError
from dashboard.exports import about, findings, inert, numbers, sections
from dashboard.exports.figure import Figure
from dashboard.exports.findings import Finding
from dashboard.exports.reading import Reading
from dashboard.exports.sections import SECTIONS, Section
from dashboard.findings import consistency, standing
from dashboard.published import Release
from dashboard.style import words

DRAFT = "Draft: not released"
WHOLE = "The whole university"


@dataclass(frozen=True)
class Request:
    """What is asked for: a scope, an academic year, sections, and the lead's own words as plain text."""

    scope: str
    year: str
    sections: tuple[str, ...] = tuple(SECTIONS)
    commentary: str = ""
    actions: str = ""
    status: str = DRAFT  # who released it and when, once somebody has


@dataclass(frozen=True)
class Headline:
    """One headline measure of the summary."""

    label: str
    value: str
    interval: str
    beside: str
    change: str
    verdict: str  # well, attention or context
    is_figure: bool


@dataclass(frozen=True)
class Story:
    """Everything a pack tells, from its cover to its glossary."""

    title: str
    university: str
    scope: str
    period: str
    release: str
    made: str
    data_through: str
    status: str
    example: bool
    question: str
    answer: str
    how_sure: str
    headlines: tuple[Headline, ...]
    findings: tuple[Finding, ...]
    sections: tuple[Section, ...]
    methods: tuple[tuple[str, str], ...]
    disclosure: tuple[str, ...]
    glossary: tuple[tuple[str, str], ...]
    commentary: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()  # where to begin, by name
    definitions: pd.DataFrame = field(default_factory=pd.DataFrame)
    headline_numbers: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def source(self) -> str:
        """One line for every page, slide, sheet and image: where this comes from."""
        invented = "Example data: a fictional university. " if self.example else ""
        about = self.university if self.scope == WHOLE else f"{self.university}, {self.scope}"
        return f"{invented}{about}, {self.period}. Release {self.release}. {self.status}."

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Every figure once, in reading order."""
        found: dict[str, Figure] = {}
        for figure in [f.figure for f in self.findings] + [f for s in self.sections for f in s.figures]:
            if figure is not None:
                found.setdefault(figure.key, figure)
        return tuple(found.values())

    def number(self, figure: Figure) -> int:
        """A figure's number throughout the pack."""
        return [f.key for f in self.figures].index(figure.key) + 1


def told(release: Release, request: Request) -> Story:
    """The story of one scope and year, from a release that was opened for exactly that scope.

    Raises AccessDeniedError where it was opened for another, NothingToTellError where there is no such year.
    """
    if release.viewer.scope != request.scope:
        raise AccessDeniedError("This release was opened for another scope.")
    reading = Reading(release, request.scope, request.year)
    facts, period = release.about, str(reading.period["label"])
    headline = reading.measures(headline=True)
    compared = [reading.compare(m) for m in headline]
    found = findings.findings(reading, compared)
    own = [reading.own(m) for m in headline]
    if reading.is_university:
        asked = consistency.consistency_question(period, False)
        asked = asked.replace("Was", "Is") if reading.in_progress else asked
        answer = consistency.consistency_answer(compared)
    else:
        asked = standing.question(reading.name, period, False)
        answer = standing.answer(reading.name, compared, own, reading.unit in reading.incomplete)
    used = {f.figure.key for f in found if f.figure}
    chosen = [name for name in SECTIONS if name in request.sections]
    return Story(
        title="Academic personal tutoring",
        university=str(facts["university"]),
        scope=WHOLE if reading.is_university else reading.name,
        period=period,
        release=release.name,
        made=f"{words.moment(facts['created'])} (UTC)",
        data_through=words.headline(words.data_through(facts["data_through"])),
        status=request.status,
        example=release.example,
        question=asked,
        answer=f"{answer} {findings.doubt(reading)}".rstrip(),
        how_sure=about.how_sure(reading),
        headlines=tuple(_headline(reading, m) for m in headline),
        findings=tuple(found),
        sections=tuple(sections.section(name, reading, compared, used) for name in chosen),
        methods=about.methods(reading),
        disclosure=about.disclosure(facts, release.protection),
        glossary=about.GLOSSARY,
        commentary=inert.paragraphs(request.commentary),
        actions=inert.lines(request.actions),
        steps=findings.steps(reading, compared),
        definitions=about.definitions(reading),
        headline_numbers=_numbers(reading, headline),
    )


def _headline(reading: Reading, metric: pd.Series) -> Headline:
    row, (moved, since) = reading.own(metric), reading.change(metric)
    is_shown = row["status"] == "shown"
    beside = "" if reading.is_university else f"University {words.shown(_university(reading, metric), metric)}"
    other = reading.label(metric)
    interval = words.shown_interval(row, metric) if is_shown else ""
    when = "" if other == reading.period["label"] else other
    return Headline(
        label=str(metric["label"]),
        value=words.shown(row, metric),
        interval=" · ".join(x for x in (when, f"95% interval {interval}" if interval else "") if x),
        beside=beside,
        change=consistency.change_words(moved, metric, since),
        verdict=consistency.change_verdict(moved, str(metric["better"])),
        is_figure=is_shown,
    )


def _numbers(reading: Reading, headline: Sequence[pd.Series]) -> pd.DataFrame:
    """The headline measures as typed numbers, with their change in words."""
    rows = [
        numbers.cells(reading, m, [{**reading.own(m), "name": reading.name}]).assign(
            Change=consistency.change_words(reading.change(m)[0], m, reading.change(m)[1])
        )
        for m in headline
    ]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()


def _university(reading: Reading, metric: pd.Series) -> Mapping[str, object]:
    return standing.figure(reading.everyone(metric), "university")
