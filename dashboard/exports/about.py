"""What a pack says about itself: how sure its figures are, how they are made, what is hidden, what its words mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from dashboard.exports.reading import Reading
from dashboard.findings import definitions as meanings
from dashboard.findings import quality
from dashboard.style import words

GRADES = {
    "protected": (
        "Small figures are hidden, with as many others as it takes that they cannot be worked out; an automatic attack "
        "on the figures this pack is made of found no way in."
    ),
    "internal": (
        "This pack is graded internal: hidden figures might be worked out by whoever combines many published ones. "
        "Keep it among those who may see the students’ records."
    ),
}
RESPONSE = "response_rate"
GLOSSARY = (
    (
        "about eight in ten schools, chance set aside",
        "where the middle 80% of schools would lie if there were no chance in small numbers",
    ),
    ("academic personal tutoring", "the pairing of every student with a tutor who follows their journey"),
    ("clear gap", "a gap that chance hardly explains, and that is large enough to matter"),
    ("consistency", "how far schools, or tutors of a school, differ beyond chance"),
    ("gap", "the value of a group minus the value of its reference group"),
    ("hidden to protect people", "there is a figure, and showing it would say too much about a few people"),
    ("interval", "the range that holds the true value in 95 of 100 such figures"),
    ("like for like", "among students of the same school and level"),
    (
        "median odds ratio",
        "of two schools or tutors picked at random, by how much the odds are higher in the better one",
    ),
    ("no clear gap", "chance alone could explain the gap, or it is too small to matter"),
    ("no figure", "there is nobody to count, or no interval can be given"),
    ("out of", "how many students or answers a figure counts, to the nearest five"),
    ("possible gap", "a gap that may be real, and that chance could still explain"),
    ("promised week", "the teaching week by which a school promises a first meeting"),
    ("record looks incomplete", "far fewer meetings are on record than students recall"),
    ("reference group", "the group the others of a characteristic are compared with"),
    ("release", "one published set of figures, never changed once made"),
    ("standard", "the meetings a school promises: how many, and the first by which week"),
    ("too few to say", "the interval is so wide that it says neither that there is a gap nor that there is none"),
    ("typical school", "of tutors: an average of three schools or more, tutors around the value of their own school"),
    ("unnamed band", "where the middle 80% of all schools lie, chance in small numbers included, none of them named"),
    ("usual range", "where chance, and the differences schools usually have, put 95 of 100 schools of that size"),
    ("worth a conversation", "outside the usual range for schools, on the less good side"),
    ("worth learning from", "outside the usual range on the good side: ★ beyond 99.8% limits, ☆ beyond 95% ones"),
)


def how_sure(reading: Reading) -> str:
    """How sure the figures are, in one or two sentences for the first page."""
    release = reading.release
    trust = quality.quality_answer(release.reconciliation, release.checks)
    sure = f"Every figure has a 95% interval, and it is said where a difference could be chance.{_answered(reading)}"
    care = ""
    if reading.incomplete:
        n = words.plural(len(reading.incomplete), "school")
        care = f" Read contact in {n} with care: there the record looks incomplete."
    return f"{sure}{care} Can the data be trusted? {trust}"


def _answered(reading: Reading) -> str:
    """What share of students the voice of students rests on; nothing where that is not shown."""
    metric = reading.measure(RESPONSE)
    if metric is None or (own := reading.own(metric))["status"] != "shown":
        return ""
    when = reading.label(metric)
    at = "" if when == reading.period["label"] else f" in {when}"
    return f" What students say is said by the {words.value(own['value'], metric)} who answered{at}."


def methods(reading: Reading) -> tuple[tuple[str, str], ...]:
    """How the figures are made: heading and paragraph each."""
    year = "up to the same teaching week of each year" if reading.in_progress else "over the whole academic year"
    told = [
        (
            "Who is counted",
            "One student in one school in one academic year is counted once: a student of two schools counts in both. "
            f"Figures are {year}, all levels of study together unless a figure says otherwise.",
        ),
        (
            "Intervals",
            "A 95% interval holds, in 95 of 100 figures made this way, the value that would be seen with endlessly "
            "many students under the same conditions. A wide one means few students. Shares: Wilson’s interval; means: "
            "Student’s t; ratios: linearised. Limits are rounded outwards.",
        ),
        (
            "Gaps and their evidence",
            "A gap is a group’s value minus its reference group’s in the same place and period, computed before "
            "rounding. Because many gaps are looked at, p-values are adjusted (Benjamini and Hochberg). A clear gap "
            "has an adjusted p below 0.05, is as large as matters (usually 3 points), and its interval leaves 0 out; a "
            "possible gap has an unadjusted p below 0.05 and is as large.",
        ),
        (
            "Like for like",
            "Where given, the gap among students of the same school and level (Mantel–Haenszel). It says whether a gap "
            "is there within schools and levels or comes from which of them students are in. It is not a cause.",
        ),
        (
            "Schools that stand apart",
            "A school stands apart, on any measure, where its value lies outside the usual range: the 95% limits that "
            "chance, and the differences that schools usually have, put around the university at its size "
            "(Spiegelhalter’s funnel). They hold 95 schools in 100: of 20, about one lies outside in any case. A "
            "faculty has no such limits: it is judged by its interval. Whether schools differ is judged over all of "
            "them: the range given is where about eight in ten would lie, chance set aside.",
        ),
        (
            "Between tutors",
            "Of tutors with five students or more, in schools with ten such tutors, the range given is where about "
            "eight in ten would lie, chance set aside; no tutor’s own figure is shown. Where tutors seem to differ, so "
            "may the students they have.",
        ),
        (
            "Change",
            "A figure is compared with the same part of the year before. A change is called one only where the "
            "interval of the difference leaves 0 out.",
        ),
        (
            "What these figures cannot say",
            "They say what differs and how surely, never why. No record is not no meeting. They are signals for a "
            "conversation, not a league table.",
        ),
    ]
    return tuple(told)


def disclosure(facts: Mapping[str, Any], protection: pd.DataFrame) -> tuple[str, ...]:
    """What is hidden, rounded and not published, and who may read this."""
    rules = _rules(facts)
    said = ["Everything here is about groups of people; no figure is about one person."]
    small = rules.get("smallest_percentage_base")
    fewest = rules.get("smallest_base")
    if small and fewest:
        said.append(
            f"A figure out of fewer than {fewest} people, or a percentage out of fewer than {small}, is hidden, and so "
            "is one where almost everybody or almost nobody has what is measured."
        )
    said.append(
        "Further figures are hidden so that no hidden one can be worked out by subtraction. A hidden figure is given "
        "in words, never as a blank."
    )
    step = rules.get("round_bases_to", 5)
    said.append(f"Numbers of people are rounded to the nearest {step}, percentages to whole numbers.")
    if len(protection):
        said.append(f"{quality.cost_title(protection)}, over everything this release holds.")
    said.append(GRADES.get(str(facts["grade"]), f"This release is graded {facts['grade']}."))
    return tuple(said)


def _rules(facts: Mapping[str, Any]) -> dict[str, Any]:
    try:
        found = json.loads(str(facts.get("rules") or "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def definitions(reading: Reading) -> pd.DataFrame:
    """What each measure means."""
    metrics = reading.release.metrics
    return meanings.measures(metrics[metrics["available"].astype(bool)])
