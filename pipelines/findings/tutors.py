"""Findings about the differences between tutors of the same school; never about any tutor."""

from __future__ import annotations

from pipelines.findings import wording as w
from pipelines.findings.facts import Facts, Finding
from pipelines.findings.places import placed
from pipelines.measures.consistency import DIFFERS, MOST_TOLD, range_at

FIRST, OF_A_SCHOOL, MOST_MORE = 2.0, 1.0, 1.0  # what it weighs against gaps that are material once or more


def between_tutors(facts: Facts) -> list[Finding]:
    """Where tutors differ by more than chance, in a school or a typical one of a unit: the surest headline measure.

    Of a school only where it can be told how far at the most.
    """
    found = facts.now("consistency", "value", "odds_ratio_lower", "odds_ratio_upper", "low", "high")
    if found is None:
        return []
    found = found[(found["between"] == "tutors") & (found["says"] == DIFFERS) & (found["odds_ratio_upper"] < MOST_TOLD)]
    found = found[found["metric"].isin(facts.judged(headline=True))]
    out = []
    for unit, rows in found.groupby("unit", sort=False):
        most = rows.sort_values(["odds_ratio_lower", "metric"], ascending=False).iloc[0].to_dict()
        metric = facts.metrics[most["metric"]]
        is_school = facts.units[str(unit)]["kind"] == "school"
        where = "here" if is_school else "in a typical school"
        least = [w.value(end, metric) for end in range_at(most["value"], most["odds_ratio_lower"])]
        sure = f" ({' to '.join(least)} at the least)" if least[0] != least[1] else ""
        text = (
            f"{facts.label(most['metric'])}{facts.during(most['metric'])} differs from tutor to tutor by more than "
            f"chance: about eight in ten tutors {where} lie between {w.value(most['low'], metric)} and "
            f"{w.value(most['high'], metric)}{sure}. Which students they have may play a part"
        )
        text += ", and what they log" if metric["theme"] == "contact" else ""
        weight = (OF_A_SCHOOL if is_school else FIRST) + min(most["odds_ratio_lower"] - 1, MOST_MORE)
        out.append(placed(str(unit), "tutors", text, "schools", weight, "bad", most))
    return out
