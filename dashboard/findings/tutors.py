"""How far the tutors of a school differ, chance set aside: whether it depends on the tutor, never on which."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from dashboard.findings.consistency import DIFFER, Row, range_at
from dashboard.style import words

UNIVERSITY = "university"
CHANCE = "no more than chance"
VERDICTS = {DIFFER: "attention", CHANCE: "context"}  # else there are too few to say
SAYS = {DIFFER: "differ beyond chance", CHANCE: "no more than chance can be seen"}
TOO_FEW = "too few students to say"
MOST_NAMES, SEVERAL = 4, 2
FIGURES = ("Tutors", "Middle tutor", "Eight in ten tutors", "Could be as far apart as", "Median odds ratio")
CAUTION = (
    "Tutors differ by what they do and by whom they tutor: students of one course or level often share tutors. A wide "
    "range is a reason to ask how tutors are prepared, supported and given time. No figure is made of any tutor."
)
WHOM = "among the students of each named tutor: of tutors with five or more, where a school has ten such tutors"
LOGGED = " Whoever logs fewer meetings seems to meet fewer students."


def rows(found: pd.DataFrame, units: pd.DataFrame, home: str = UNIVERSITY) -> pd.DataFrame:
    """A typical school of all (and of the faculty `home`), where there is one, then every school, from A to Z.

    found: published rows of `consistency` between tutors, of one measure, period and level. Returns unit, name,
    short_name, is_school, status, why, members, value (of the middle tutor), low and high (of about eight in ten),
    could_low and could_high (at the limit of the odds ratio), least (its lower limit), odds, says and verdict.
    """
    by_unit = {r["unit"]: r for r in found.to_dict("records")}
    typical = {UNIVERSITY: "a typical school"}
    if home.startswith("faculty:"):
        typical = {home: "a typical school of the faculty", UNIVERSITY: "a typical school of all"}
    places = [
        {"unit": unit, "name": name, "short_name": words.headline(name), "is_school": False}
        for unit, name in typical.items()
        if by_unit.get(unit, {}).get("status") == "shown"
    ]
    schools = units[units["kind"] == "school"].sort_values("short_name", key=lambda names: names.str.casefold())
    places += [
        {"unit": s["unit"], "name": s["name"], "short_name": s["short_name"], "is_school": True}
        for s in schools.to_dict("records")
    ]
    return pd.DataFrame([{**place, **_spread(by_unit.get(place["unit"]))} for place in places])


def _spread(row: Row | None) -> dict[str, object]:
    nothing = dict.fromkeys(("members", "value", "low", "high", "could_low", "could_high", "least"))
    if row is None:
        return {**nothing, "status": "none", "why": "few tutors", "odds": "–", "says": "", "verdict": "doubt"}
    if row["status"] != "shown":
        return {**nothing, "status": row["status"], "why": "", "odds": "–", "says": "", "verdict": "doubt"}
    low, high = range_at(float(row["value"]), float(row["odds_ratio_upper"]))
    return {
        **{c: row[c] for c in ("status", "members", "value", "low", "high", "says")},
        "why": "",
        "could_low": low,
        "could_high": high,
        "least": row["odds_ratio_lower"],
        "odds": f"{row['odds_ratio']:.2f} ({row['odds_ratio_lower']:.2f} to {row['odds_ratio_upper']:.2f})",
        "verdict": VERDICTS.get(str(row["says"]), "doubt"),
    }


def title(spreads: pd.DataFrame, metric: Row) -> str:
    """Whether it depends on the tutor: in a typical school, else in those that can be seen."""
    label, shown = words.quoted(str(metric["label"])), spreads[spreads["status"] == "shown"]
    if shown.empty:
        return f"Too few tutors have enough students to say how far they differ on {label}"
    first = shown.iloc[0].to_dict()
    if first["is_school"] and len(shown) > 1:
        n = int((shown["says"] == DIFFER).sum())
        return f"Tutors differ beyond chance on {label} in {words.small(n)} of {words.plural(len(shown), 'school')}"
    where = f"in {words.within(str(first['name']))}"
    if first["says"] == DIFFER:
        apart = words.interval(first["low"], first["high"], metric).replace(" to ", " and ")
        return words.headline(f"{where} about eight in ten tutors lie between {apart} on {label}")
    if first["says"] == CHANCE:
        return words.headline(f"{where} no difference between tutors beyond chance can be seen on {label}")
    return words.headline(f"{where} too few students have been counted to say whether tutors differ on {label}")


def answer(spreads: pd.DataFrame, metric: Row) -> str:
    """The title, and which schools' tutors differ beyond chance taken by themselves."""
    return f"{words.sentence(title(spreads, metric))} {by_school(spreads, metric)}".rstrip()


def by_school(spreads: pd.DataFrame, metric: Row) -> str:
    """Which schools' tutors differ beyond chance, taken by themselves; nothing of a single school."""
    schools = spreads[spreads["is_school"] & (spreads["status"] == "shown")]
    if len(schools) < SEVERAL:
        return ""
    apart = schools[schools["says"] == DIFFER].to_dict("records")
    named = [f"{r['name']} ({_range(r, metric)})" for r in apart]
    if len(named) > MOST_NAMES:
        named = [*named[:MOST_NAMES], f"{words.small(len(named) - MOST_NAMES)} more"]
    text = f"taken by itself, {words.small(len(apart))} of {words.small(len(schools))} schools has tutors who differ "
    text = text if len(apart) == 1 else text.replace("itself", "themselves").replace(" has ", " have ")
    text += "beyond chance" + (f": {words.listed(named)}" if named else "")
    if vague := int((schools["verdict"] == "doubt").sum()):
        text += f"; in {words.small(vague)} there are too few students to say"
    return words.sentence(text)


def table(spreads: pd.DataFrame, metric: Row) -> pd.DataFrame:
    """One row per school, a typical one first."""
    return pd.DataFrame([_told(r, metric) for r in spreads.to_dict("records")])


def _told(r: Row, metric: Row) -> dict[str, str]:
    if r["status"] != "shown":
        return {"School": words.headline(str(r["name"])), **dict.fromkeys(FIGURES, "–"), "Says": words.missing(r)}
    return {
        "School": words.headline(str(r["name"])),
        "Tutors": words.about(r["members"]),
        "Middle tutor": words.value(r["value"], metric),
        "Eight in ten tutors": _range(r, metric),
        "Could be as far apart as": words.interval(r["could_low"], r["could_high"], metric),
        "Median odds ratio": str(r["odds"]),
        "Says": SAYS.get(str(r["says"]), TOO_FEW),
    }


def _range(r: Row, metric: Row) -> str:
    """'65% to 84%', '82%'."""
    ends = [words.value(r[end], metric) for end in ("low", "high")]
    return " to ".join(dict.fromkeys(ends))


def of_school(found: pd.DataFrame, metrics: Sequence[Row]) -> pd.DataFrame:
    """One row for each of some measures on which it is published how far one school's tutors differ.

    found: the school's rows of `consistency` between tutors, each measure's of one period and level.
    """
    by_metric = {r["metric"]: r for r in found.to_dict("records")}
    own = [(m, _spread(by_metric[m["metric"]])) for m in metrics if m["metric"] in by_metric]
    told = [(m, {**spread, "name": m["label"]}) for m, spread in own]
    return pd.DataFrame([_told(r, m) for m, r in told]).rename(columns={"School": "Measure"})


def school_title(told: pd.DataFrame) -> str:
    """Whether it depends on the tutor in one school. told: from `of_school`."""
    apart = [words.quoted(m) for m in told.loc[told["Says"] == SAYS[DIFFER], "Measure"]]
    alike, vague = (int((told["Says"] == says).sum()) for says in (SAYS[CHANCE], TOO_FEW))
    if apart:
        return f"Tutors differ beyond chance on {words.listed(apart)}"
    if not alike:
        return "Too few students to say how far it depends on the tutor"
    which = f"{words.small(alike)} of {words.plural(len(told), 'measure')}"
    rest = "; too few students to say on the others" if vague else ""
    return f"No difference between tutors beyond chance can be seen on {which}{rest}"


def caution(metric: Row) -> str:
    """What else a range of tutors may come from."""
    return CAUTION + (LOGGED if metric["theme"] == "contact" else "")


def legend(spreads: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Verdict, glyph and words of what is drawn."""
    marks: Sequence[tuple[str, str, str]] = (
        ("attention", "◆", "tutors differ beyond chance"),
        ("context", "●", SAYS[CHANCE]),
        ("doubt", "○", TOO_FEW),
    )
    there = set(spreads.loc[spreads["status"] == "shown", "verdict"])
    return [
        *(mark for mark in marks if mark[0] in there),
        ("context", "▒", "about eight in ten tutors, chance set aside"),
        ("context", "―", "as far apart as they could still be"),
    ]
