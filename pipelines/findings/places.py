"""Findings about schools and the differences between them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pipelines.findings import wording as w
from pipelines.findings.facts import EVERYONE, RECORD, THEMES, UNIVERSITY, WHEN, Facts, Finding, clearly, plain
from pipelines.measures.consistency import CHANCE, DIFFERS, range_at
from pipelines.measures.funnel import LEARN, TALK
from pipelines.measures.over_time import FALLING, RISING

FEWEST_SCHOOLS = 5  # fewer say nothing about consistency
MANY_SCHOOLS = 10
MOST_OUTSTANDING = 3
MOST_DIFFERENT = 2.5  # the most that inconsistency weighs against gaps
BARELY = 1.0
Row = dict[str, Any]


def outstanding(facts: Facts) -> list[Finding]:
    """Schools worth learning from: far on the good side on one measure, and clearly better on contact and on voice."""
    standing = _funnel(facts)
    if standing is None:
        return []
    far = standing[(standing["says"] == LEARN) & (standing["side"] == "better") & standing["headline"]]
    best = {s: [_best(facts, s, theme, far) for theme in THEMES] for s in far["unit"].unique()}
    kept = {s: [r for r in rows if r] for s, rows in best.items() if all(rows) and s not in facts.incomplete()}
    out = []
    for unit in facts.units:
        here = [s for s in facts.schools(unit) if s in kept][:MOST_OUTSTANDING]
        if not here:
            continue
        said = [f"{facts.name(s)} ({'; '.join(_level(facts, r) for r in kept[s])})" for s in here]
        whole = {r["metric"]: w.value(r["target"], facts.metrics[r["metric"]]) for s in here for r in kept[s]}
        text = f"worth learning from, on contact and in students’ voice: {w.listed(said)}. The university is at "
        text += w.listed([f"{v} on {facts.label(m)}" if len(here) > 1 else v for m, v in whole.items()])
        out.append(placed(unit, "outstanding", text, "schools", 2.5 + len(here) / 10, "good", kept[here[0]][-1]))
    return out


def _level(facts: Facts, row: Row) -> str:
    metric = facts.metrics[row["metric"]]
    return f"{facts.label(row['metric'])}{facts.during(row['metric'])} {w.value(row['value'], metric)}, " + w.interval(
        row, metric
    )


def _best(facts: Facts, school: str, theme: str, far: pd.DataFrame) -> Row | None:
    """The headline measure of a theme on which a school stands best; None if none is clearly better, or one worse."""
    rows = []
    for metric in facts.judged(theme, headline=True):
        own, whole = facts.whole.get((metric, school)), facts.whole.get((metric, UNIVERSITY))
        if own is None or whole is None:
            continue
        side = clearly(own, whole["value"], facts.metrics[metric]["better"])
        if side == "worse":
            return None
        is_far = bool(((far["unit"] == school) & (far["metric"] == metric)).any())
        if side == "better":
            ahead = abs(own["value"] - whole["value"]) / float(facts.metrics[metric]["material"])
            rows.append({**own, "target": whole["value"], "rank": (is_far, ahead)})
    return max(rows, key=lambda r: r["rank"]) if rows else None


def conversations(facts: Facts) -> list[Finding]:
    """Where a school itself lies on the worse side of the usual range, one per theme, and what chance does."""
    standing = _funnel(facts)
    if standing is None:
        return []
    outside = standing[(standing["says"] == TALK) & (standing["side"] == "worse") & (standing["beyond"] > 0)]
    outside = outside.sort_values(["headline", "beyond", "metric"], ascending=False)
    judged = standing.groupby("unit")["metric"].nunique()
    out = []
    for (unit, theme), rows in outside.groupby(["unit", "theme"], sort=False):
        if theme == "contact" and unit in facts.incomplete():
            continue
        row = rows.iloc[0].to_dict()
        metric = facts.metrics[row["metric"]]
        others = [facts.label(m) for m in rows["metric"].iloc[1:4]]
        text = (
            f"{facts.label(row['metric'])}{facts.during(row['metric'])} is worth a conversation: "
            f"{w.value(row['value'], metric)}, outside the usual range of {w.interval(row, metric)}"
        )
        text += f"; so {'is' if len(others) == 1 else 'are'} {w.listed(others)}" if others else ""
        text += f". {w.by_chance(int(judged[unit]))}"
        out.append(placed(str(unit), "conversation", text, "schools", 1.5 + min(row["beyond"], 1.5), "bad", row))
    return out


def _funnel(facts: Facts) -> pd.DataFrame | None:
    """Schools against the funnel's limits in the current period, each with its side and how far beyond it is."""
    funnel = facts.now("funnel", "value", "target", "lower", "upper")
    if funnel is None:
        return None
    funnel = funnel[funnel["metric"].isin(facts.judged())]
    if funnel.empty:
        return None
    metric = pd.DataFrame.from_dict(facts.metrics, orient="index").loc[funnel["metric"]]
    high = funnel["value"] > funnel["target"]
    past = np.where(high, funnel["value"] - funnel["upper"], funnel["lower"] - funnel["value"])
    return funnel.assign(
        theme=metric["theme"].to_numpy(),
        headline=metric["headline"].to_numpy(bool),
        side=np.where(high.to_numpy() == (metric["better"] == "higher").to_numpy(), "better", "worse"),
        beyond=np.maximum(past, 0) / metric["material"].to_numpy(float),
    )


def incomplete_records(facts: Facts) -> list[Finding]:
    """Schools that log far fewer meetings than their students recall: their figures of contact say little."""
    low = facts.incomplete()
    out = []
    for unit, about in facts.units.items():
        own = {s: low[s] for s in facts.schools(unit) if s in low}
        if not own:
            continue
        metric = facts.metrics[RECORD]
        shares = [f"{facts.name(s)} ({_share(c, metric)})" for s, c in own.items()]
        when = facts.during(RECORD)
        if about["kind"] == "school":
            said = f"for every 100 meetings students recall, about {w.number(own[unit]['value'])} are on record{when} "
            text = f"{said}({w.interval(own[unit], metric)}): figures of contact here may be a matter of logging"
        else:
            text = f"far fewer meetings are on record{when} than students recall in {w.listed(shares)}: low contact "
            text += "there may be a matter of logging"
        weight = 4.0 if about["kind"] == "school" else 1.0 + min(10 * len(own) / len(facts.schools(unit)), 1.5)
        first = next(iter(own.values()))
        out.append(placed(unit, "record", text, "schools", weight, "bad", first))
    return out


def _share(cell: Row, metric: Row) -> str:
    return f"{w.value(cell['value'], metric)}, {w.interval(cell, metric)}"


def consistency(facts: Facts) -> list[Finding]:
    """How far schools differ on the headline measure on which they differ most, and whether that has changed."""
    found = facts.now("consistency", "value", "odds_ratio", "odds_ratio_lower", "odds_ratio_upper", "low", "high")
    if found is None:
        return []
    found = found[(found["between"] == "schools") & (found["members"] >= FEWEST_SCHOOLS)]
    found = found[found["metric"].isin(facts.judged(headline=True))]
    out = []
    for unit, rows in found.groupby("unit", sort=False):
        differ = rows[rows["says"] == DIFFERS]
        if differ.empty:
            alike = rows[rows["says"] == CHANCE]
            if len(alike):
                out.append(_alike(str(unit), alike, len(rows), facts))
            continue
        differ = differ.assign(apart=differ["high"] - differ["low"]).sort_values(["apart", "metric"], ascending=False)
        most = differ.iloc[0].to_dict()
        metric = facts.metrics[most["metric"]]
        on = "most" if len(rows) > 1 else "beyond chance"
        text = (
            f"schools differ {on} on {facts.label(most['metric'])}{facts.during(most['metric'])}: {_most_of(most)} lie "
            f"between {w.value(most['low'], metric)} and {w.value(most['high'], metric)} "
            f"({_apart(most, 'odds_ratio_lower', metric)} at the least){_since(most, facts)}"
        )
        unlogged = [s for s in facts.schools(str(unit)) if s in facts.incomplete()]
        if unlogged and metric["theme"] == "contact":
            text += ". Part of it may be a matter of logging"
        weight = min(2 * (most["odds_ratio_lower"] - 1), MOST_DIFFERENT)
        out.append(placed(str(unit), "consistency", text, "schools", weight, "bad", most))
    return out


def _alike(unit: str, alike: pd.DataFrame, judged: int, facts: Facts) -> Finding:
    """No difference to be seen, and how large a one may be there all the same where least is known."""
    least = alike.sort_values(["odds_ratio_upper", "metric"]).iloc[-1].to_dict()
    label, n = facts.label(least["metric"]), len(alike)
    which = "all" if n == judged else f"{w.small(n)} of"
    measures = f"{which} {w.small(judged)} headline measures" if judged > 1 else label
    still = f"; on {label}" if judged > 1 else "; still"
    text = f"on {measures}, no more than chance can be seen between schools{still}, {_most_of(least)} could lie as far "
    text += f"apart as {_apart(least, 'odds_ratio_upper', facts.metrics[least['metric']], ' and ')}"
    return placed(unit, "consistency", text, "schools", BARELY, "good", least)


def _most_of(row: Row) -> str:
    many = "about eight in ten" if row["members"] >= MANY_SCHOOLS else "most"
    return f"{many} of {w.small(int(row['members']))}"


def _apart(row: Row, limit: str, metric: Row, to: str = " to ") -> str:
    """The middle 80% of schools if they differed by this limit of the median odds ratio."""
    return to.join(w.value(end, metric) for end in range_at(row["value"], row[limit]))


def _since(now: Row, facts: Facts) -> str:
    """How that compares with the same part of the first year there is, where it can be compared."""
    every = facts.tables["consistency"]
    for column in ("unit", "metric", "between", "part"):
        every = every[every[column] == now[column]]
    every = plain(every).dropna(subset=["odds_ratio_lower", "odds_ratio_upper", "low", "high"])
    first = every.sort_values("academic_year").iloc[0].to_dict()
    if first["academic_year"] >= now["academic_year"]:
        return ""
    metric = facts.metrics[now["metric"]]
    was, year = f"{w.value(first['low'], metric)} and {w.value(first['high'], metric)}", first["academic_year"]
    if now["odds_ratio_upper"] < first["odds_ratio_lower"]:
        return f", clearly closer together than the {was} of {year}"
    if now["odds_ratio_lower"] > first["odds_ratio_upper"]:
        return f", clearly further apart than the {was} of {year}"
    return f"; no clear change since {year} ({was})"


def changes(facts: Facts) -> list[Finding]:
    """The value of a unit that clearly rose or fell most over the years."""
    trend = facts.get("trend")
    if trend is None:
        return []
    trend = plain(trend[(trend["of"] == "value") & (trend["characteristic"] == EVERYONE)])
    trend = trend[trend["says"].isin([RISING, FALLING]) & trend["metric"].isin(facts.judged())]
    out = []
    for row in trend.dropna(subset=["change", "lower", "upper"]).to_dict("records"):
        metric = facts.metrics[row["metric"]]
        verb = "rose" if row["says"] == RISING else "fell"
        text = (
            f"{facts.label(row['metric'])} {verb} by {w.size(row['change'], metric)} "
            f"({w.sizes(row['lower'], row['upper'], metric)}) from {row['first_year']} to {row['last_year']}"
        )
        weight = min(abs(row["lower"]), abs(row["upper"])) / float(metric["material"])
        news = "good" if (row["says"] == RISING) == (metric["better"] == "higher") else "bad"
        row |= {"academic_year": row["last_year"], "part": "year"}
        out.append(placed(str(row["unit"]), "change", text, "schools", weight, news, row))
    return out


def placed(unit: str, kind: str, text: str, view: str, weight: float, news: str, row: Row) -> Finding:
    """A finding of a unit, in the period of the row it rests on."""
    return Finding(
        unit, kind, w.sentence(text), view, float(weight), news,
        **{str(c): str(row[c]) for c in ("metric", *WHEN)},
    )  # fmt: skip
