"""Schools, and groups, on all headline measures at once, in words."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd

from dashboard.findings import consistency, equity
from dashboard.findings.consistency import OUTSIDE, Comparison
from dashboard.style import words

MOST_NAMED = 2  # groups in a title
WAYS = {
    ("well",): "on the good side",
    ("attention",): "on the other",
    ("attention", "well"): "on either",
}


def answer(compared: Sequence[Comparison], incomplete: Collection[str]) -> str:
    """How many schools stand apart on any headline measure, and which way.

    incomplete: schools whose record looks incomplete, of which figures of contact say neither.
    """
    judged = [c for c in compared if c.limited]
    if not judged:
        return "There are too few figures to say which schools stand apart."
    ways: dict[str, set[str]] = {}
    figures, outside, seen = 0, 0, set[str]()
    for c in judged:
        limited = c.schools.loc[c.schools["side"] != "", "unit"]
        figures += len(limited)
        seen |= set(limited)
        for school in c.schools[c.schools["side"].isin(OUTSIDE)].to_dict("records"):
            outside += 1
            way = consistency.verdict(str(school["side"]), str(c.metric["better"]))
            in_doubt = consistency.is_doubted(school["unit"], c.metric, incomplete)
            ways.setdefault(str(school["unit"]), set()).update({"doubt"} if in_doubt else {way})
    count, several = len(seen), len(judged) > 1
    schools = f"your {words.plural(count, 'school')}" if judged[0].partial else words.plural(count, "school")
    on = f"{words.plural(len(judged), 'headline measure')}" if several else "the headline measure"
    if not ways:
        one_of = f"any of {on}" if several else on
        return words.sentence(f"none of {schools} stands apart on {one_of}: all lie within the usual range")
    sides = [tuple(sorted(way - {"context", "doubt"})) for way in ways.values()]
    told = [f"{words.small(n)} {said}" for key, said in WAYS.items() if (n := sides.count(key))]
    if doubtful := sum(way == {"doubt"} for way in ways.values()):
        said = "whose record looks incomplete (†), which is to be checked first"
        told.append(f"{words.small(doubtful)} {said}")
    said = f"{words.small(len(ways))} of {schools} {'stands' if len(ways) == 1 else 'stand'} apart on "
    said += f"at least one of {on}" if several else on
    lie = f"{words.small(outside)} of {words.plural(figures, 'figure')} {'lies' if outside == 1 else 'lie'} outside"
    chance = words.sentence(f"{lie} the usual range; {consistency.by_chance(figures)} would in any case")
    return f"{words.sentence(f'{said}: {words.listed(told)}' if told else said)} {chance}"


def gaps_title(found: pd.DataFrame, metrics: pd.DataFrame, characteristics: pd.DataFrame) -> str:
    """Which group is clearly worse off on the most of several measures, or how many gaps are clear at all.

    found: gaps of one unit on these measures. metrics: all of them, by name.
    """
    shown = found[found["status"] == "shown"]
    clear = equity.finest_of_each(equity.missing_out(shown, metrics), characteristics)
    measures = shown["metric"].nunique()
    count = clear.groupby(["characteristic", "worse_off"], sort=False)["metric"].nunique()
    if count.empty or count.max() < 2:
        return equity.equity_title(found)
    first = [
        equity.students(group, characteristics.loc[characteristic])
        for characteristic, group in count.index[count == count.max()]
    ]
    who = words.listed(first[:MOST_NAMED])
    more = f" and {words.plural(len(first) - MOST_NAMED, 'other group')}" if len(first) > MOST_NAMED else ""
    on = "all of" if count.max() == measures else f"{words.small(int(count.max()))} of"
    return words.headline(f"{who}{more} are clearly worse off on {on} {words.plural(measures, 'headline measure')}")
