"""Findings about the differences between tutors of the same school; never about any tutor."""

from __future__ import annotations

from pipelines.findings import wording as w
from pipelines.findings.facts import Facts, Finding
from pipelines.findings.places import placed
from pipelines.measures.consistency import DIFFERS, range_at

FIRST, MOST_MORE = 2.0, 1.0  # what it weighs against gaps that are material once or more


def between_tutors(facts: Facts) -> list[Finding]:
    """Where it depends on the tutor, in a school or a typical one of a unit: the headline measure of which most so."""
    found = facts.now("consistency", "value", "odds_ratio_lower", "low", "high")
    if found is None:
        return []
    found = found[(found["between"] == "tutors") & (found["says"] == DIFFERS)]
    found = found[found["metric"].isin(facts.judged(headline=True))]
    out = []
    for unit, rows in found.groupby("unit", sort=False):
        most = rows.sort_values(["odds_ratio_lower", "metric"], ascending=False).iloc[0].to_dict()
        metric = facts.metrics[most["metric"]]
        where = "here" if facts.units[str(unit)]["kind"] == "school" else "in a typical school"
        least = " to ".join(w.value(end, metric) for end in range_at(most["value"], most["odds_ratio_lower"]))
        text = (
            f"{facts.label(most['metric'])}{facts.during(most['metric'])} depends on the tutor by more than chance: "
            f"about eight in ten tutors {where} lie between {w.value(most['low'], metric)} and "
            f"{w.value(most['high'], metric)} ({least} at the least)"
        )
        weight = FIRST + min(most["odds_ratio_lower"] - 1, MOST_MORE)
        out.append(placed(str(unit), "tutors", text, "schools", weight, "bad", most))
    return out
