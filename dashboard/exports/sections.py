"""The sections of a pack: contact, consistency between schools, equity gaps, student voice, data quality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from dashboard import record, tables, tables_headline
from dashboard.exports import figures, numbers
from dashboard.exports.figure import Figure
from dashboard.exports.findings import Named, named_schools
from dashboard.exports.reading import Reading
from dashboard.findings import consistency, quality
from dashboard.findings.consistency import Comparison
from dashboard.style import words

SECTIONS = {
    "contact": "Contact",
    "consistency": "Consistency between schools",
    "equity": "Equity gaps",
    "voice": "Student voice",
    "quality": "Data quality",
}


@dataclass(frozen=True)
class Table:
    """A table in words with its columns of figures; `numbers`: the same typed, for those who calculate."""

    caption: str
    words: pd.DataFrame
    numeric: tuple[str, ...] = ()
    numbers: pd.DataFrame | None = None


@dataclass(frozen=True)
class Section:
    """One section: what it says in words, its figures (those of findings by reference), lists of schools and tables."""

    key: str
    title: str
    text: tuple[str, ...]
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    lists: tuple[Named, ...] = ()


def section(key: str, reading: Reading, compared: Sequence[Comparison], used: set[str]) -> Section:
    """One section by its key. `used`: figures that findings have shown already."""
    make = {"contact": _contact, "consistency": _consistency, "equity": _equity, "voice": _voice, "quality": _quality}
    made = make[key](reading, compared)
    return replace(made, figures=tuple(f for f in made.figures if f.key not in used))


def _of_theme(reading: Reading, theme: str) -> Figure | None:
    metrics = reading.measures(theme)
    if not metrics:
        return None
    shown = [m for m in metrics if m["headline"]] or metrics
    said = [f"{words.shown(reading.own(m), m)} on {words.quoted(str(m['label']))}" for m in shown]
    here = "the university" if reading.is_university else words.within(reading.name)
    return figures.measures(
        reading,
        metrics,
        f"measures {theme}",
        words.headline(f"{here}: {words.listed(said)}"),
        f"{words.THEMES.get(theme, theme)}, {reading.name}, {reading.period['label']} unless another year is named, "
        f"{words.lowered(reading.level)}. Lines are 95% intervals.",
    )


def _contact(reading: Reading, compared: Sequence[Comparison]) -> Section:
    here = _of_theme(reading, "contact")
    shown = [figures.schools(reading, c) for c in compared if c.metric["theme"] == "contact" and len(c.shown)]
    text = ["How many students meet their tutor, how soon, and as often as their school promises."]
    if reading.incomplete:
        text.append(
            "No record is not no meeting: where the record looks incomplete, low contact may be a matter of logging."
        )
    if here is None and not shown:
        text = ["There are no figures about contact in this year."]
    return Section("contact", SECTIONS["contact"], tuple(text), tuple(f for f in (here, *shown) if f))


def _consistency(reading: Reading, compared: Sequence[Comparison]) -> Section:
    others = [figures.schools(reading, c) for c in compared if c.metric["theme"] != "contact" and len(c.shown)]
    text = []
    for c in compared:
        if reading.is_university:
            text.append(f"{words.sentence(consistency.spread(c))} {_chance(c)}".strip())
        else:
            text.append(figures.of_measure(c, figures.schools_answer(reading, c)))
    if not text:
        text = ["There are no headline figures to compare in this year."]
    matrix = tables_headline.matrix(compared, reading.incomplete).map(str)
    caption = f"Each school beside the university: headline measures, {reading.period['label']}; "
    caption += "▲ above, ▼ below the usual range for schools of that size"
    caption += "; † record looks incomplete" if reading.incomplete else ""
    shown = (Table(caption, matrix, (), numbers.standing(reading, compared)),)
    lists = () if reading.is_school else tuple(one for one in named_schools(reading, compared) if one.names)
    tables = shown if len(matrix) else ()
    return Section("consistency", SECTIONS["consistency"], tuple(text), tuple(others), tables, lists)


def _chance(c: Comparison) -> str:
    if c.says == consistency.MAY:
        return "By itself that is more than chance; among as many comparisons as are looked at it may be chance."
    if c.differs is None:
        return "There are too few figures to say whether that is more than chance."
    return "That is more than chance." if c.differs else words.sentence(consistency.alike(c))


def _equity(reading: Reading, compared: Sequence[Comparison]) -> Section:
    shown = {str(m["label"]): figures.gaps(reading, m) for m in reading.measures(headline=True)}
    missing = quality.not_in_extract(reading.release.characteristics)
    text = [
        "Each group is compared with its reference group in the same place and period. A clear gap is one that chance "
        "hardly explains and that is large enough to matter; too few to say means what it says.",
    ]
    if reading.is_school:
        text.append("In a single school many groups are small: for those, see the university’s pack.")
    if missing:
        text.append(missing)
    without = [words.quoted(label) for label, figure in shown.items() if figure is None]
    if without:
        text.append(
            f"No gap is shown on {words.listed(without, 'or')}: hidden to protect people, or nobody to compare."
        )
    if not shown:
        text.append("There is no comparison to show here.")
    return Section("equity", SECTIONS["equity"], tuple(text), tuple(f for f in shown.values() if f))


def _voice(reading: Reading, compared: Sequence[Comparison]) -> Section:
    here = _of_theme(reading, "voice")
    if here is None:
        return Section(
            "voice",
            SECTIONS["voice"],
            ("There are no answers to show: no survey has been read for this year or before.",),
        )
    text = (
        "What students say of their tutor: the share answering ‘agree’ or ‘strongly agree’.",
        "Answers are those of whoever answered; groups who answer less are heard less.",
    )
    return Section("voice", SECTIONS["voice"], text, (here,))


def _quality(reading: Reading, compared: Sequence[Comparison]) -> Section:
    release = reading.release
    text = [quality.quality_answer(release.reconciliation, release.checks, record.named(release, reading.incomplete))]
    if not reading.is_university:
        text.append("Numbers of rows, files and checks are the whole university’s, of all years that were read.")
    text.append(f"{quality.last_meeting(release.about['data_through'])}.")
    text.append(f"{quality.checks_title(release.checks)}.")
    text.append(f"{quality.quarantine_title(release.quarantine)}.")
    text += quality.not_available(release.metrics)
    shown = [
        Table(
            "Rows read = loaded + set aside + duplicates, per table",
            tables.totals(release.reconciliation),
            tables.TOTALLED,
        )
    ]
    failed = release.checks[~release.checks["passed"].astype(bool) & (release.checks["severity"] != "row-level")]
    if len(failed):
        warned = tables.checks(failed).drop(columns="Seen")
        shown.append(Table("Checks that need a look", warned, ("Rows",)))
    if len(release.quarantine):
        shown.append(Table("Rows set aside, by rule", tables.rules_broken(release.quarantine), ("Rows",)))
    return Section("quality", SECTIONS["quality"], tuple(text), (), tuple(shown))
