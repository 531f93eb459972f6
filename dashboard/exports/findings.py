"""The findings of a pack: what the committee should know first, each with its chart and its caveat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from dashboard import record
from dashboard.exports import figures, tutors
from dashboard.exports.about import RESPONSE
from dashboard.exports.figure import Figure
from dashboard.exports.reading import Reading
from dashboard.findings import consistency, equity, why
from dashboard.findings.consistency import Comparison
from dashboard.findings.tutors import caution, more
from dashboard.style import words

MOST_GAPS = 3
MOST_NAMES = 6
MOST_STEPS = 4  # schools named on the first page, of each kind
CONVERSATION = (
    "A school that stands apart is a signal for a conversation, not a verdict: who studies there, how it tutors and "
    "how it keeps its records all play a part."
)
OUTSIDE = {"well": "Worth learning from", "attention": "Worth a conversation"}
NOT_A_CAUSE = "A gap is a difference, not a cause: part of it may come from which schools and levels students are in."
OF_SCHOOLS = {
    "mostly which schools": ", mostly gone like for like",
    "turns round": ", turned round like for like",
    "gone, if anything turned round": ", gone like for like",
}
LIKE_FOR_LIKE = {
    "remains": "the gap remains",
    "mostly which schools": "most of it is gone there",
    "turns round": "there it turns round",
    "gone, if anything turned round": "there it is gone",
    "too few to say": "too few to say how much of it remains",
}


@dataclass(frozen=True)
class Named:
    """Schools under a heading, with what is said of each."""

    heading: str
    explanation: str
    names: tuple[str, ...]
    verdict: str
    units: Mapping[str, str] = field(default_factory=dict)  # the schools, all of them, with what is said


@dataclass(frozen=True)
class Finding:
    """One finding: said in one line, shown in one chart, with what to keep in mind."""

    lead: str
    headline: str
    text: str
    caveat: str
    verdict: str  # well, attention or context
    figure: Figure | None = None
    lists: tuple[Named, ...] = ()


def findings(reading: Reading, compared: Sequence[Comparison]) -> list[Finding]:
    """Consistency first, then schools that stand apart, good practice, tutors, the widest gaps, missing voices,
    incomplete records.
    """
    found = [_consistency(reading, compared), _apart(reading, compared), _practice(reading, compared)]
    found += [_tutors(reading), *_gaps(reading), _voice(reading), _record(reading)]
    return [finding for finding in found if finding]


def _consistency(reading: Reading, compared: Sequence[Comparison]) -> Finding | None:
    figure = figures.headline_strips(reading, compared)
    if figure is None:
        return None
    judged = [c for c in compared if c.differs is not None]
    apart = [c for c in judged if c.differs]
    text = consistency.consistency_answer(compared) if reading.is_university else figure.alt
    measured = words.listed([words.quoted(str(c.metric["label"])) for c in compared])
    if reading.is_university and any(c.metric["theme"] == "contact" for c in apart):
        text = f"{text} {doubt(reading)}".strip()
    return Finding(
        lead="Consistency",
        headline=figure.title,
        text=text,
        caveat=f"The measures are {measured}. The range of schools sets chance aside: small schools scatter more."
        if any(c.chance_aside for c in compared)
        else f"The measures are {measured}. Small schools scatter more by chance alone.",
        verdict="attention" if apart and reading.is_university else "context",
        figure=figure,
    )


def _apart(reading: Reading, compared: Sequence[Comparison]) -> Finding | None:
    contact = [c for c in compared if c.metric["theme"] == "contact" and len(c.shown)] or [
        c for c in compared if len(c.shown)
    ]
    if not contact:
        return None
    c = max(contact, key=lambda one: (one.reach, len(one.shown)))
    answer = figures.schools_answer(reading, c)
    headline = words.headline(answer.partition(". ")[0].partition(":")[0]) + _doubted(reading, c)
    figure = figures.schools(reading, c, headline)
    lists = [] if reading.is_school else _on_one(reading, c)
    return Finding(
        lead=f"Schools on {words.quoted(str(c.metric['label']))}",
        headline=headline,
        text=_spread(reading, c, answer),
        caveat=CONVERSATION,
        verdict="context",
        figure=figure,
        lists=tuple(one for one in lists if one.names),
    )


def _on_one(reading: Reading, c: Comparison) -> list[Named]:
    """Schools outside the usual range on one measure, on the good side and on the other; by themselves those whose
    record looks incomplete.
    """
    if c.metric["better"] == "neither":
        return []
    sure, outside = c.in_doubt(reading.incomplete)
    lists = {
        (OUTSIDE["well"], "well"): sure.called(consistency.LEARN),
        (OUTSIDE["attention"], "attention"): sure.called(consistency.TALK),
        (record.FIRST, "context"): outside,
    }
    on = f"On {words.quoted(str(c.metric['label']))}"
    return [
        Named(heading, on, _at_most(consistency.named(rows, c.metric, doubted=heading == record.FIRST)), verdict)
        for (heading, verdict), rows in lists.items()
    ]


def _at_most(told: Sequence[str]) -> tuple[str, ...]:
    """The first of so many schools, and how many more there are."""
    more = len(told) - MOST_NAMES
    return (*told[:MOST_NAMES], *([f"and {words.small(more)} more"] if more > 0 else []))


def _practice(reading: Reading, compared: Sequence[Comparison]) -> Finding | None:
    """Schools worth learning from on several measures, by name."""
    if reading.is_school:
        return None
    well = _standing(reading, compared, "well")
    told = {unit: said for unit, said in well.units.items() if unit not in reading.incomplete}
    units = list(told)
    if not units:
        return None
    schools = [words.within(str(name)) for name in reading.release.units["name"].loc[units]]
    more = [words.plural(len(units) - MOST_STEPS, "other")] if len(units) > MOST_STEPS else []
    named = words.listed([*schools[:MOST_STEPS], *more])
    headline = words.headline(f"{named} {'is' if len(units) == 1 else 'are'} worth learning from")
    listed = "; ".join(_at_most([*told.values()]))
    text = f"On the good side of the usual range for schools, on how many headline measures: {listed}."
    return Finding(
        lead="Good practice",
        headline=headline,
        text=text,
        figure=figures.practice(reading, compared, units, headline, text),
        caveat="Ask what these schools do that others could do too; who studies there plays a part as well.",
        verdict="well",
    )


def _tutors(reading: Reading) -> Finding | None:
    """Whether it depends on the tutor, where that can be told."""
    found = tutors.clearest(reading)
    if found is None:
        return None
    metric, rows, year = found
    own = rows.loc[rows["unit"] == reading.unit, "says"]
    figure = tutors.figure(reading, metric, rows, year)
    return Finding(
        lead="Between tutors",
        headline=figure.title,
        text=more(rows, metric) or figure.title,
        caveat=caution(metric["theme"] == "contact"),
        verdict="attention" if (own == consistency.DIFFER).any() else "context",
        figure=figure,
    )


def _doubted(reading: Reading, c: Comparison) -> str:
    """'; the records of three of those five look incomplete', where that bears on the measure."""
    apart = c.shown[c.shown["side"].isin(consistency.OUTSIDE)]
    n = int(apart["unit"].isin(reading.incomplete).sum()) if c.metric["theme"] == "contact" else 0
    if not n or reading.is_school:
        return ""
    if n == len(apart):
        return {1: "; its record looks incomplete", 2: "; the records of both look incomplete"}.get(
            n, f"; the records of all {words.small(n)} look incomplete"
        )
    looks = "record of one" if n == 1 else f"records of {words.small(n)}"
    return f"; the {looks} of those {words.small(len(apart))} look{'s' if n == 1 else ''} incomplete"


def _spread(reading: Reading, c: Comparison, answer: str) -> str:
    """What the answer says beside the headline; of all schools also how far apart they are."""
    rest = answer.partition(". ")[2]
    return f"{rest} {words.sentence(consistency.spread(c))}".strip() if reading.is_university else rest


def named_schools(reading: Reading, compared: Sequence[Comparison]) -> list[Named]:
    """Schools outside the usual range on two headline measures or more, on the good side and on the other."""
    return [_standing(reading, compared, verdict) for verdict in ("well", "attention")]


def doubt(reading: Reading) -> str:
    """How far the answer may be a matter of logging; nothing where records look complete."""
    if not reading.incomplete:
        return ""
    if reading.is_school:
        return "Its record of meetings looks incomplete: low contact may be a matter of logging."
    return record.doubt(reading.incomplete)


def steps(reading: Reading, compared: Sequence[Comparison]) -> tuple[str, ...]:
    """Where to begin, by name: whose record to look at, whom to learn from, whom to talk with."""
    if reading.is_school:
        return ()
    well, attention = (named.units for named in named_schools(reading, compared))
    begin = {
        ("Learn from", "good"): [u for u in well if u not in reading.incomplete],
        ("Talk with", "less good"): [u for u in attention if u not in reading.incomplete],
    }
    names = reading.release.units["name"].map(str).map(words.within)
    told = [
        f"{verb} {words.listed([names[u] for u in units[:MOST_STEPS]])}: on the {side} side of the usual range for "
        f"schools on two headline measures or more."
        for (verb, side), units in begin.items()
        if units
    ]
    if reading.incomplete:
        where = words.listed([names[u] for u in reading.incomplete])
        told.insert(0, f"First look at the record in {where}: low contact there may be a matter of logging.")
    return tuple(told)


def _standing(reading: Reading, compared: Sequence[Comparison], verdict: str) -> Named:
    counts: dict[str, int] = {}
    names: dict[str, str] = {}
    against: set[str] = set()
    for c in compared:
        sure, _ = c.in_doubt(reading.incomplete)
        for school in sure.shown.to_dict("records"):
            said = consistency.verdict(str(school["side"]), str(c.metric["better"]))
            names[str(school["unit"])] = str(school["name"])
            if said == verdict:
                counts[str(school["unit"])] = counts.get(str(school["unit"]), 0) + 1
            elif said != "context":
                against.add(str(school["unit"]))
    wanted = sorted((u for u, n in counts.items() if n > 1 and u not in against), key=lambda u: (-counts[u], names[u]))
    told = {}
    for unit in wanted:
        care = "; record looks incomplete" if unit in reading.incomplete else ""
        told[unit] = f"{names[unit]}: {words.small(counts[unit])}{care}"
    heading = f"{OUTSIDE[verdict]} on two headline measures or more"
    explanation = f"Outside the usual range for schools; on how many of {words.small(len(compared))}"
    explanation += ", not counting contact where the record looks incomplete" if reading.incomplete else ""
    return Named(heading, explanation, _at_most([*told.values()]), verdict, told)


def _gaps(reading: Reading) -> list[Finding]:
    metrics = {str(m["metric"]): m for m in reading.measures(headline=True)}
    every = [reading.gaps(m) for m in metrics.values()]
    every = [frame for frame in every if len(frame)]
    if not every:
        return []
    release = reading.release
    clear = equity.missing_out(pd.concat(every), release.metrics)
    widest = equity.widest_by_characteristic(clear, release.characteristics, MOST_GAPS)
    if widest.empty:
        return [
            Finding(
                lead="Gaps between groups",
                headline=equity.no_gap_title(pd.concat(every)),
                text=f"{equity.no_gap_words(pd.concat(every))} The document’s section on equity gaps has all of them.",
                caveat=NOT_A_CAUSE,
                verdict="context",
            )
        ]
    return [_gap(reading, gap, metrics[str(gap["metric"])]) for _, gap in widest.iterrows()]


def _gap(reading: Reading, gap: pd.Series, metric: pd.Series, lead: str = "Gap") -> Finding:
    named = reading.release.characteristics.loc[gap["characteristic"]]
    label = words.lowered(str(named["label"]))
    said = equity.gap_words(gap.to_dict(), metric, named)
    part = OF_SCHOOLS.get(str(gap.get("like_for_like_says")), "")
    headline = f"{words.quoted(str(metric['label']))}: {said}{part}"
    told = reading.sentence("gap", str(gap["metric"]), gap["characteristic"], gap["group"])
    text = told or (
        f"{words.headline(str(gap['evidence']))}, out of {words.about(gap['base'])} "
        f"({gap['group']}) and {words.number(gap['reference_base'])} ({gap['reference']}): {metric['out_of']}."
    )
    return Finding(
        lead=f"{lead} by {label}",
        headline=headline,
        text=text,
        caveat=NOT_A_CAUSE if told else f"{NOT_A_CAUSE} {_like_for_like(gap, metric, named)}".strip(),
        verdict="attention",
        figure=figures.groups(reading, metric, str(gap["characteristic"]), headline),
    )


def _like_for_like(gap: pd.Series, metric: pd.Series, characteristic: pd.Series) -> str:
    """What is left of the gap among students of the same school and level, where that can be said."""
    value = gap.get("like_for_like")
    if value is None or pd.isna(value):
        return ""
    left = words.difference(float(value), float(gap["like_for_like_lower"]), float(gap["like_for_like_upper"]), metric)
    said = LIKE_FOR_LIKE.get(str(gap.get("like_for_like_says")), "")
    said = f"part of {said}" if why.is_part(gap) else said
    says = f": {said}" if said else ""
    whom = equity.students(str(gap["group"]), characteristic)
    return f"Among students of the same school and level it is {left} for {whom}{says}."


def _voice(reading: Reading) -> Finding | None:
    """Whose voice is missing most among those asked."""
    metric = reading.measure(RESPONSE)
    if metric is None:
        return None
    gaps = reading.gaps(metric)
    clear = equity.missing_out(gaps, reading.release.metrics) if len(gaps) else gaps
    if clear.empty:
        return None
    widest = equity.widest_by_characteristic(clear, reading.release.characteristics, 1).iloc[0]
    finding = _gap(reading, widest, metric, "Missing voice")
    caveat = "What students say is said by those who answered: groups who answer less are heard less in every answer."
    return Finding(finding.lead, finding.headline, finding.text, caveat, "attention", finding.figure)


def _record(reading: Reading) -> Finding | None:
    """Schools that look as if they do not log their meetings."""
    if not reading.incomplete:
        return None
    metric = reading.release.metrics.loc[record.RECORD_CHECK]
    here = "" if reading.is_university else f" in {words.within(reading.name)}"
    n = len(reading.incomplete)
    said = f"the records of {words.plural(n, 'school')}{here} look incomplete"
    if n == 1:
        school = str(reading.release.units.loc[next(iter(reading.incomplete)), "name"])
        said = f"the record of {words.within(school)} looks incomplete"
    headline = words.headline(said)
    figure = replace(figures.schools(reading, reading.compare(metric), headline), note="")  # the finding's own text
    return Finding(
        lead="Record",
        headline=headline,
        text=record.caution(reading.release, reading.incomplete),
        caveat="No record is not no meeting: mend the record before drawing a conclusion about contact.",
        verdict="attention",
        figure=figure,
    )
