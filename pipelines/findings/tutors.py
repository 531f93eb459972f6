"""Findings about the differences between tutors of the same school; never about any tutor."""

from __future__ import annotations

from pipelines.findings import wording as w
from pipelines.findings.facts import Facts, Finding, plain
from pipelines.findings.places import placed
from pipelines.measures.consistency import DIFFERS
from pipelines.tutors import LADDER

FIRST, OF_A_SCHOOL, MOST_MORE = 2.0, 1.0, 1.0  # what it weighs against gaps that are material once or more


def between_tutors(facts: Facts) -> list[Finding]:
    """Where tutors differ by more than chance, in a school or a typical one of a unit, in the latest whole year: on
    which headline measure they do most. Only where it can be told how far at the most.
    """
    found = facts.get("consistency")
    if found is None:
        return []
    found = plain(found[found["between"] == "tutors"])
    found = found[found["academic_year"] == found["academic_year"].max()]
    found = found[(found["says"] == DIFFERS) & (found["odds_ratio_upper"] < LADDER[-1])]
    found = found[found["metric"].isin(facts.judged(headline=True))]
    out = []
    for unit, rows in found.groupby("unit", sort=False):
        most = rows.sort_values(["odds_ratio", "metric"], ascending=False).iloc[0].to_dict()
        metric, when = facts.metrics[most["metric"]], (most["academic_year"], most["part"])
        is_school = facts.units[str(unit)]["kind"] == "school"
        where = "here" if is_school else "in a typical school"
        during = "" if when == next(iter(facts.periods)) else f" in {facts.periods.get(when, when[0])}"
        text = (
            f"{facts.label(most['metric'])} differed from tutor to tutor by more than chance{during}: about eight in "
            f"ten tutors {where} lay between {w.value(most['low'], metric)} and {w.value(most['high'], metric)}. "
            "Which students they have may play a part"
        )
        text += ", and what they log" if metric["theme"] == "contact" else ""
        weight = (OF_A_SCHOOL if is_school else FIRST) + min(most["odds_ratio"] - 1, MOST_MORE)
        out.append(placed(str(unit), "tutors", text, "schools", weight, "bad", most))
    return out
