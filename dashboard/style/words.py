"""Numbers and statuses as readers see them. One word for one thing, everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

STATUS = {"suppressed": "hidden to protect people", "none": "no figure"}
WHY = {  # where a release says, or it is known
    "small": "too few to show", "linked": "hidden to protect another figure",
    "few tutors": "too few tutors to say",
}  # fmt: skip
KINDS = {"university": "The university", "faculty": "Faculties", "school": "Schools"}
SEVERITY = {"critical": "stops the run", "row-level": "sets rows aside", "warning": "is reported"}
THEMES = {"contact": "Contact", "voice": "Student voice", "staff": "Staff", "record": "Record check"}
TABLES = {
    "schools": "Schools", "calendar": "Calendar", "standards": "Standards", "tutors": "Tutors",
    "enrolments": "Enrolments", "meetings": "Meetings", "feedback": "Feedback", "release": "Release",
}  # fmt: skip
FINDINGS = {
    "gap": "Gap", "closed gap": "Good news", "outstanding": "Good practice", "conversation": "Standing apart",
    "record": "Record", "voice": "Missing voice", "consistency": "Consistency", "tutors": "Between tutors",
    "change": "Change",
}  # fmt: skip
WITH_ARTICLE = (" School", " Centre", " Institute", " Department")
MOST_DECIMALS = 4
NUMERALS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def number(x: float, decimals: int = 0) -> str:
    """1234.5 as '1,235' (or with decimals), with a real minus sign."""
    text = f"{abs(x):,.{decimals}f}"
    return f"−{text}" if x < 0 and float(text.replace(",", "")) else text


def about(base: float) -> str:
    """A rounded base as 'about 1,235'."""
    return f"about {number(base)}"


def small(n: int) -> str:
    """A count within a sentence: words up to ten, figures beyond."""
    return NUMERALS[n] if 0 <= n < len(NUMERALS) else number(n)


def plural(n: int, one: str) -> str:
    """'one school', '12 schools', 'no school'."""
    return f"{small(n)} {one if n in (0, 1) else one + 's'}"


def listed(names: Sequence[str], last: str = "and") -> str:
    """'A, B and C'."""
    return f" {last} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def value(x: float, metric: Mapping[str, Any]) -> str:
    """A value with its unit of measure: '78%', '2.4'."""
    return number(x, int(metric["decimals"])) + str(metric["suffix"])


def interval(lower: float, upper: float, metric: Mapping[str, Any]) -> str:
    """'77% to 79%'."""
    return f"{value(lower, metric)} to {value(upper, metric)}"


def size(x: float, metric: Mapping[str, Any]) -> str:
    """The size of a difference, without its sign: '9 points', '1 point', '0.4'."""
    text = number(abs(x), int(metric["decimals"])) + str(metric["gap_suffix"])
    return text.removesuffix("s") if text == "1 points" else text


def signed(x: float, metric: Mapping[str, Any]) -> str:
    """A difference with its sign: '+9', '−0.4', '0'."""
    text = number(x, int(metric["decimals"]))
    return f"+{text}" if x > 0 and text.strip("0.") else text


def gap_interval(lower: float, upper: float, metric: Mapping[str, Any]) -> str:
    """'−11 to −7 points'. Limits on one side of 0 have the decimals that show it: '+0.4 to +8.0 points'."""
    low, high = (signed(x, precise(lower, upper, metric)) for x in (lower, upper))
    return f"{low} to {high}{metric['gap_suffix']}"


def difference(value: float, lower: float, upper: float, metric: Mapping[str, Any], than: str = "") -> str:
    """'6 points lower than for B (5 to 8 points)', '1 point higher (1 lower to 2 points higher)'."""
    way, is_none = "higher" if value > 0 else "lower", not float(number(abs(value), int(metric["decimals"])))
    if lower * upper > 0:
        fine = precise(lower, upper, metric)
        low, high = sorted((abs(lower), abs(upper)))
        bounds = f"{number(low, fine['decimals'])} to {size(high, fine)}"
        return f"{size(value, fine if is_none else metric)} {way}{than} ({bounds})"
    said = "no higher or lower" if is_none else f"{size(value, metric)} {way}"
    return f"{said}{than} ({sides(lower, upper, metric)})"


def sides(lower: float, upper: float, metric: Mapping[str, Any]) -> str:
    """The limits of a difference, each with its side in words: '1 lower to 2 points higher'."""
    low, high = sorted((lower, upper), key=abs) if lower * upper > 0 else (lower, upper)
    start = number(abs(low), int(metric["decimals"])) + (" lower" if lower <= 0 <= upper else "")
    return f"{start} to {size(high, metric)} {'higher' if high > 0 else 'lower'}"


def precise(lower: float, upper: float, metric: Mapping[str, Any]) -> dict[str, Any]:
    """The metric with the decimals that show limits on one side of 0 to be there."""
    decimals, nearest = int(metric["decimals"]), min(abs(lower), abs(upper))
    while lower * upper > 0 and round(nearest, decimals) == 0 and decimals < MOST_DECIMALS:
        decimals += 1
    return {**metric, "decimals": decimals}


def shown(row: Mapping[str, Any], metric: Mapping[str, Any]) -> str:
    """A cell's value, or the word for why there is none."""
    return value(row["value"], metric) if row["status"] == "shown" else missing(row)


def missing(row: Mapping[str, Any]) -> str:
    """Why a row has no figure: the release's reason where it gives one, else what its status means."""
    return WHY.get(str(row.get("why", "")), STATUS[str(row["status"])])


def missing_all(rows: Sequence[Mapping[str, Any]]) -> str:
    """Why none of some rows of one place has a figure: the reason they share, else that they are hidden."""
    reasons = {missing(row) for row in rows}
    hidden = any(row["status"] == "suppressed" for row in rows)
    return reasons.pop() if len(reasons) == 1 else STATUS["suppressed" if hidden else "none"]


def shown_interval(row: Mapping[str, Any], metric: Mapping[str, Any]) -> str:
    """A cell's interval, or a dash where there is no value."""
    return interval(row["lower"], row["upper"], metric) if row["status"] == "shown" else "–"


def shown_base(row: Mapping[str, Any]) -> str:
    """A cell's base as 'about 1,235', or a dash where it is hidden."""
    return about(row["base"]) if row["status"] == "shown" and pd.notna(row["base"]) else "–"


def day(date: Any) -> str:
    """'27 November 2026', or 'no date' where there is none."""
    return f"{date.day} {date:%B %Y}" if pd.notna(date) else "no date"


def data_through(date: Any) -> str:
    """How far a release's meetings reach: 'data through 27 November 2026', or 'no meetings on record'."""
    return f"data through {day(date)}" if pd.notna(date) else "no meetings on record"


def moment(when: Any) -> str:
    """'27 November 2026 at 06:00', or 'no date' where there is none."""
    return f"{day(when)} at {when:%H:%M}" if pd.notna(when) else day(when)


def share(part: float, whole: float) -> str:
    """A small share of rows: '0.2%', 'under 0.1%', 'none'."""
    if not part:
        return "none"
    percent = 100 * part / whole
    return "under 0.1%" if percent < 0.1 else f"{percent:.1f}%"


def within(name: str) -> str:
    """A unit's name within a sentence: 'the School of Law', 'Northmere University'."""
    has_article = name.startswith(("School ", "Faculty ", "Department ", "Institute ")) or name.endswith(WITH_ARTICLE)
    return f"the {name}" if has_article else name


def file_size(count: int) -> str:
    """Bytes as '12 KB' or '1.4 MB'."""
    return f"{max(1, round(count / 1000))} KB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def sentence(text: str) -> str:
    """The text with a capital and a full stop."""
    text = text.strip()
    return (text[:1].upper() + text[1:]).rstrip(".") + "." if text else ""


def headline(text: str) -> str:
    """The text as a title: a capital, no full stop."""
    return sentence(text)[:-1]


def lowered(label: str) -> str:
    """A label within a sentence: 'ethnicity', but 'IMD quintile'."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def quoted(label: str) -> str:
    """A measure's label inside a sentence: ‘Met their tutor’."""
    return f"‘{label}’"
