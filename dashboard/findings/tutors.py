"""How far the tutors of a school differ in what their students say and get, chance set aside; never which."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from dashboard.findings.consistency import CHANCE, DIFFER, MAY, Row, range_at
from dashboard.style import words

UNIVERSITY = "university"
MOST_TOLD = 5.0  # a median odds ratio: whatever is larger
MARKS = {DIFFER: ("◆", "attention"), MAY: ("◇", "attention"), CHANCE: ("●", "context")}
TOO_FEW_MARK = ("○", "doubt")
SAYS = {DIFFER: "differ beyond chance", MAY: "may differ", CHANCE: "no more than chance can be seen"}
TOO_FEW = "too few students to say"
MOST_NAMES = 4
NUMBERS = ("members", "value", "low", "high", "could_low", "could_high", "ratio")
COLUMNS = ["unit", "name", "short_name", "is_school", "status", "why", *NUMBERS, "odds", "says", "mark", "verdict"]
FIGURES = ("Tutors", "All students", "Eight in ten tutors", "Could be as far apart as", "Median odds ratio")
WHOM = "among each named tutor’s students: tutors with five or more of them, schools with ten such tutors"
CAUTION = (
    "Tutors differ by what they do and by whom they tutor: students of one course or level often share tutors. A wide "
    "range is a reason to ask how tutors are prepared, supported and given time. No tutor’s own figure is shown."
)
TYPICAL = " A typical school stands for the average of all; any one may differ."
LOGGED = " Whoever logs fewer meetings seems to meet fewer students."


def rows(found: pd.DataFrame, units: pd.DataFrame, home: str = UNIVERSITY) -> pd.DataFrame:
    """A typical school of all (and of the faculty at hand), where there is one, and every school, from A to Z; first
    the school `home` where it is one.

    found: published rows of `consistency` between tutors, of one measure, period and level. Returns unit, name,
    short_name, is_school, status, why, members, value (of all its students), low and high (of about eight in ten; at
    the limit of the odds ratio could_low and could_high), ratio (median odds ratio), odds, says, mark and verdict.
    """
    by_unit = {r["unit"]: r for r in found.to_dict("records")}
    schools = units[units["kind"] == "school"].sort_values("short_name", key=lambda names: names.str.casefold())
    own = [
        {"unit": s["unit"], "name": s["name"], "short_name": s["short_name"], "is_school": True}
        for s in schools.to_dict("records")
    ]
    typical = [
        {"unit": unit, "name": name, "short_name": words.headline(name), "is_school": False}
        for unit, name in _typical(units, home).items()
        if by_unit.get(unit, {}).get("status") == "shown"
    ]
    places = [*own, *typical] if home.startswith("school:") else [*typical, *own]
    return pd.DataFrame([{**place, **_spread(by_unit.get(place["unit"]))} for place in places], columns=COLUMNS)


def _typical(units: pd.DataFrame, home: str) -> dict[str, str]:
    """Units of whose typical school is told, with what it is called."""
    of = units.set_index("unit")
    faculty = str(of.loc[home, "parent"]) if home.startswith("school:") else home
    if not faculty.startswith("faculty:"):
        return {UNIVERSITY: "a typical school"}
    return {
        faculty: f"a typical school of {words.within(str(of.loc[faculty, 'name']))}",
        UNIVERSITY: "a typical school of all",
    }


def _spread(row: Row | None) -> dict[str, object]:
    if row is None or row["status"] != "shown":
        why = {"status": "none", "why": "few tutors"} if row is None else {"status": row["status"], "why": ""}
        return {**dict.fromkeys(NUMBERS), **why, "odds": "–", "says": "", "mark": "", "verdict": "doubt"}
    value, low, high, ratio, most = (float(row[c]) for c in ("value", "low", "high", "odds_ratio", "odds_ratio_upper"))
    at_most = [round(end) for end in range_at(value, most)] if most < MOST_TOLD else [0, 100]  # beyond, none is told
    mark, verdict = MARKS.get(str(row["says"]), TOO_FEW_MARK)
    return {
        **{c: row[c] for c in ("status", "members", "value", "low", "high", "says")},
        "why": "",
        "could_low": min(low, at_most[0]),
        "could_high": max(high, at_most[1]),
        "ratio": ratio,
        "odds": f"{_odds(ratio)} (at most {_odds(most)})" if most < MOST_TOLD else _odds(ratio),
        "mark": mark,
        "verdict": verdict,
    }


def _odds(ratio: float) -> str:
    """'1.3', '5 or more'."""
    return f"{ratio:g}" if ratio < MOST_TOLD else f"{MOST_TOLD:g} or more"


def title(spreads: pd.DataFrame, metric: Row) -> str:
    """How far tutors differ: in a typical school, in the one school, else in how many of those that can be seen."""
    label, shown = words.quoted(str(metric["label"])), spreads[spreads["status"] == "shown"]
    if shown.empty:
        is_hidden = (spreads["status"] == "suppressed").any()
        why = "is hidden to protect people" if is_hidden else "cannot be told: too few of them have enough students"
        return f"How far tutors differ on {label} {why}"
    if (first := _told_first(shown)) is None:
        n = int((shown["says"] == DIFFER).sum())
        which = f"{words.small(n) if n else 'none'} of {words.plural(int(shown['is_school'].sum()), 'school')}"
        return f"Tutors are seen to differ beyond chance on {label} in {which}"
    where = f"in {words.within(str(first['name'])) if first['is_school'] else first['name']}"
    apart = "" if is_alike(first) or _is_open(first) else _between(first, metric)
    beyond = f"about eight in ten tutors lie between {apart}" if apart else "tutors differ beyond chance"
    said = {
        DIFFER: f"{beyond} on {label}",
        MAY: f"tutors may differ on {label}" + (f": about eight in ten between {apart}" if apart else ""),
        CHANCE: f"no difference between tutors beyond chance can be seen on {label}",
    }
    few = f"too few students have been counted to say whether tutors differ on {label}"
    return words.headline(f"{where} {said.get(first['says'], few)}")


def _told_first(shown: pd.DataFrame) -> Row | None:
    """The row that the title is about: a typical school, or a school by itself."""
    if shown.empty or (shown["is_school"].iloc[0] and int(shown["is_school"].sum()) > 1):
        return None
    return {str(name): value for name, value in shown.iloc[0].items()}


def is_alike(r: Row) -> bool:
    """Whether nothing is left of the range where chance is set aside."""
    return bool(r["low"] >= r["high"])


def _is_open(r: Row) -> bool:
    """Whether tutors could be as far apart as can be."""
    return bool(r["could_low"] <= 0 and r["could_high"] >= 100)


def answer(spreads: pd.DataFrame, metric: Row) -> str:
    """The title, and what there is to say under it."""
    return f"{words.sentence(title(spreads, metric))} {more(spreads, metric)}".rstrip()


def more(spreads: pd.DataFrame, metric: Row) -> str:
    """How sure the title is, and in which schools tutors differ beyond chance taken by themselves."""
    shown = spreads[spreads["status"] == "shown"]
    schools, first, said = shown[shown["is_school"]], _told_first(shown), []
    if first:
        said.append(_how_sure(first, metric))
    if len(schools) > 1:
        said.append(_by_school(schools, metric))
    return " ".join(filter(None, said))


def _how_sure(r: Row, metric: Row) -> str:
    """How far apart about eight in ten tutors could still be."""
    if _is_open(r):
        return "They could lie any distance apart."
    apart = _between(r, metric, "could_low", "could_high")
    return f"They could lie as far apart as {apart}." if r["could_low"] < r["could_high"] else ""


def _by_school(schools: pd.DataFrame, metric: Row) -> str:
    apart = schools[schools["says"] == DIFFER].to_dict("records")
    named = [str(r["name"]) if is_alike(r) or _is_open(r) else f"{r['name']} ({_range(r, metric)})" for r in apart]
    if len(named) > MOST_NAMES:
        named = [*named[:MOST_NAMES], f"{words.small(len(named) - MOST_NAMES)} more"]
    n = len(apart)
    text = f"taken by itself, {words.small(n) if n else 'none'} of {words.small(len(schools))} schools has tutors seen"
    text = text if n < 2 else text.replace("itself", "themselves").replace("schools has", "schools have")
    text += " to differ beyond chance" + (f": {words.listed(named)}" if named else "")
    if may := int((schools["says"] == MAY).sum()):
        text += f"; in {words.small(may)} they may"
    if vague := int((schools["verdict"] == "doubt").sum()):
        text += f"; in {words.small(vague)} there are too few students to say"
    return words.sentence(text)


def table(spreads: pd.DataFrame, metric: Row) -> pd.DataFrame:
    """One row per school, and of a typical one."""
    return pd.DataFrame([_told(r, metric) for r in spreads.to_dict("records")])


def _told(r: Row, metric: Row) -> dict[str, str]:
    if r["status"] != "shown":
        return {"School": words.headline(str(r["name"])), **dict.fromkeys(FIGURES, "–"), "Says": words.missing(r)}
    could = "anything" if _is_open(r) else _range(r, metric, "could_low", "could_high")
    return {
        "School": words.headline(str(r["name"])),
        "Tutors": words.about(r["members"]) + ("" if r.get("is_school", True) else " in all"),
        "All students": words.value(r["value"], metric),
        "Eight in ten tutors": "–" if is_alike(r) else _range(r, metric),
        "Could be as far apart as": could if r["could_low"] < r["could_high"] else "–",
        "Median odds ratio": str(r["odds"]),
        "Says": SAYS.get(str(r["says"]), TOO_FEW),
    }


def _range(r: Row, metric: Row, low: str = "low", high: str = "high") -> str:
    """'65% to 84%'."""
    return words.interval(r[low], r[high], metric)


def _between(r: Row, metric: Row, low: str = "low", high: str = "high") -> str:
    """'65% and 84%'."""
    return f"{words.value(r[low], metric)} and {words.value(r[high], metric)}"


def of_school(found: pd.DataFrame, metrics: Sequence[Row]) -> pd.DataFrame:
    """One row for each of some measures on which it is published how far one school's tutors differ.

    found: the school's rows of `consistency` between tutors, each measure's of one period and level.
    """
    by_metric = {r["metric"]: r for r in found.to_dict("records")}
    own = [(m, _spread(by_metric[m["metric"]])) for m in metrics if m["metric"] in by_metric]
    told = [(m, {**spread, "name": m["label"]}) for m, spread in own]
    return pd.DataFrame([_told(r, m) for m, r in told]).rename(columns={"School": "Measure"})


def school_title(told: pd.DataFrame) -> str:
    """Whether tutors differ in one school. told: from `of_school`."""
    said = {says: told.loc[told["Says"] == says, "Measure"].map(words.quoted).tolist() for says in SAYS.values()}
    differ, may, alike = (said[SAYS[says]] for says in (DIFFER, MAY, CHANCE))
    if differ:
        return f"Tutors differ beyond chance on {words.listed(differ)}"
    if may:
        return f"Tutors may differ on {words.listed(may)}"
    if alike:
        on = f"{words.small(len(alike))} of {words.plural(len(told), 'measure')}"
        return f"No difference between tutors beyond chance can be seen on {on}{_rest(told)}"
    if (told["Says"] == TOO_FEW).any():
        return "Too few students to say whether tutors differ"
    return "How far tutors differ is hidden to protect people"


def _rest(told: pd.DataFrame) -> str:
    """On how many measures it cannot be told whether tutors differ, and why: '; too few to say on two'."""
    why = {TOO_FEW: "too few to say", words.STATUS["suppressed"]: "hidden", words.STATUS["none"]: "no figure"}
    counts = {said: int((told["Says"] == says).sum()) for says, said in why.items()}
    rest = [f"{said} on {words.small(n)}" for said, n in counts.items() if n]
    return f"; {words.listed(rest)}" if rest else ""


def caution(is_contact: bool, is_typical: bool = True) -> str:
    """What else a range of tutors may come from."""
    return CAUTION + (TYPICAL if is_typical else "") + (LOGGED if is_contact else "")


def legend(spreads: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Verdict, glyph and words of what is drawn."""
    said = {DIFFER: "tutors differ beyond chance", MAY: "may differ", CHANCE: SAYS[CHANCE], "": TOO_FEW}
    marks = [(*MARKS.get(says, TOO_FEW_MARK), told) for says, told in said.items()]
    there = set(spreads["mark"])
    return [
        *((verdict, glyph, told) for glyph, verdict, told in marks if glyph in there),
        ("context", "▒", "about eight in ten tutors, chance set aside"),
        ("context", "―", "as far apart as they could still be"),
    ]
