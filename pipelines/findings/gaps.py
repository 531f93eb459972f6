"""Findings about gaps between groups: the largest clear ones, and those that closed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pipelines.findings import wording as w
from pipelines.findings.facts import UNIVERSITY, WHEN, Facts, Finding, plain
from pipelines.measures.gaps import CLEAR, NONE
from pipelines.measures.like_for_like import GONE, REMAINS, TURNS
from pipelines.measures.like_for_like import SCHOOLS as WHICH
from pipelines.measures.over_time import CROSSED, LEFT, NARROWING, WIDENING
from pipelines.measures.pooling import DIFFERS

PAIR = ["unit", "metric", "characteristic", "group"]
MOST_BESIDE = 3  # further measures named in one sentence
LESS_SO = 0.8  # the weight of a measure that is not a headline one
ELSEWHERE = 0.7  # of a gap that comes with which schools and levels students are in
MOVED = {NARROWING: "narrowed", WIDENING: "widened", CROSSED: "turned round"}
CLOSING = (NARROWING, LEFT)
NEVER_DRAWN = "how much of it is chance in small numbers cannot be told from so few schools"

Row = dict[str, Any]
Years = dict[tuple[Any, ...], Row]  # PAIR and academic year → gap


def largest_gaps(facts: Facts) -> list[Finding]:
    """The clear gaps of each unit, one sentence per characteristic and theme, told from the side of the worse off.

    Of a school only those that are still there when drawn towards those of all schools, by how clear they are then.
    """
    found = _clear(facts)
    if found is None:
        return []
    moved = _trends(facts, tuple(MOVED))
    pooled, trends, drawn = (_looked_up(f) for f in (facts.now("pooled_gap"), moved, _drawn_gaps(facts)))
    yearly = {} if moved is None else _yearly(facts, moved[moved["says"] == CROSSED])
    found = facts.finest(_likely(found, drawn), "unit", "theme")
    out = []
    for (unit, _, _), rows in found.groupby(["unit", "characteristic", "theme"], sort=False):
        rows = rows.sort_values("weight", ascending=False, kind="stable")
        first = rows.iloc[0].to_dict()
        key = tuple(first[c] for c in PAIR)
        said = [_size(first, rows, facts)]
        if facts.units[str(unit)]["kind"] != "school":
            said.append(_where(first, pooled.get(key), facts))
        else:
            said.append(_drawn(first, drawn.get(key), facts))
        said.append(_moved(trends.get(key), yearly, facts))
        out.append(
            Finding(
                str(unit), "gap", " ".join(w.sentence(s) for s in said if s), "equity",
                weight=first["weight"] * (ELSEWHERE if first["says"] in (WHICH, GONE, TURNS) else 1), news="bad",
                **{str(c): str(first[c]) for c in ("metric", "characteristic", "group", *WHEN)},
            )
        )  # fmt: skip
    return out


def _likely(found: pd.DataFrame, drawn: dict[tuple[Any, ...], Row]) -> pd.DataFrame:
    """The gaps without those that may be nothing once drawn; those without a drawn gap as they are."""
    weights = []
    for row in found.to_dict("records"):
        nearest, own = row["nearest"], drawn.get(tuple(row[c] for c in PAIR))
        if own is not None:
            side = np.sign(row["value"])
            nearest = max(min(own["lower"] * side, own["upper"] * side), 0.0)
        weights.append(nearest * row["weighs"])
    found = found.assign(weight=np.array(weights, float))
    return found[found["weight"] > 0]


def _clear(facts: Facts) -> pd.DataFrame | None:
    """Clear gaps in the current period, with who is worse off, the limit nearest to no gap, and what a point weighs."""
    gap = facts.now("gap", "value", "lower", "upper")
    if gap is None:
        return None
    found = gap[(gap["evidence"] == CLEAR) & (gap["direction"] != "none") & gap["metric"].isin(facts.judged())]
    found = found.sort_values(PAIR)  # so that ties fall the same way whatever order the rows come in
    if "against" in found:
        found = found[found["against"] == "reference"]
    if found.empty:
        return None
    metric = pd.DataFrame.from_dict(facts.metrics, orient="index").loc[found["metric"]]
    nearest = np.where(found["lower"] * found["upper"] > 0, found[["lower", "upper"]].abs().min(axis=1), 0)
    worse, fewer = found["direction"] == "worse", found["base"] <= found["reference_base"]
    headline = np.where(metric["headline"].astype(bool), 1, LESS_SO)
    unlogged = (metric["theme"] == "contact").to_numpy() & found["unit"].isin(facts.incomplete()).to_numpy()
    return found.assign(
        theme=metric["theme"].to_numpy(),
        worse_off=found["group"].where(worse, found["reference"]),
        better_off=found["reference"].where(worse, found["group"]),
        smaller=found["group"].where(fewer, found["reference"]),
        smaller_base=found["base"].where(fewer, found["reference_base"]),
        apart=found["value"].where(worse, -found["value"]),  # of the worse off
        says=found.get("like_for_like_says", ""),
        nearest=nearest,
        weighs=headline * np.where(unlogged, 0.5, 1) / metric["material"].to_numpy(float),
    )


def _size(first: Row, rows: pd.DataFrame, facts: Facts) -> str:
    """How large the gap is, on which measures, and for whom else."""
    metric = facts.metrics[first["metric"]]
    worse, better = (facts.students(first[side], first["characteristic"]) for side in ("worse_off", "better_off"))
    people = facts.students(first["smaller"], first["characteristic"])
    people += " who answered" if first["theme"] == "voice" else ""
    doubt = w.sizes(first["lower"], first["upper"], metric) + w.about(first["smaller_base"], people)
    more = w.more(first["apart"])
    said = f"{facts.label(first['metric'])}{facts.during(first['metric'])} is {w.size(first['apart'], metric)} {more} "
    said += f"for {worse} than for {better} ({doubt})"
    same = rows[(rows["worse_off"] == first["worse_off"]) & (rows["better_off"] == first["better_off"])]
    beside = [
        f"{facts.label(r['metric'])} ({w.size(r['apart'], facts.metrics[r['metric']])})"
        for r in same[["metric", "apart"]].iloc[1:].to_dict("records")
        if w.more(r["apart"]) == more
    ][:MOST_BESIDE]
    if beside:
        said += f"; {w.listed(beside)} {'is' if len(beside) == 1 else 'are'} {more} too"
    also = rows[(rows["metric"] == first["metric"]) & (rows["better_off"] == first["better_off"])].iloc[1:]
    if len(also):
        others = [facts.students(group, first["characteristic"]) for group in also["worse_off"]]
        said += f". So it is for {w.listed(others)}"
    return said


def _where(first: Row, pooled: Row | None, facts: Facts) -> str:
    """What is left of it like for like, and whether it is the same in all schools."""
    metric, says = facts.metrics[first["metric"]], first["says"]
    between = "it differs between schools" if pooled is not None and pooled["says"] == DIFFERS else ""
    if says not in (WHICH, GONE, REMAINS, TURNS) or pd.isna(left := first["like_for_like"]):
        return between
    side = np.sign(first["value"]) * (-1 if says in (GONE, TURNS) else 1)
    bounds = w.sizes(first["like_for_like_lower"], first["like_for_like_upper"], metric, side)
    alike, size = "among students of the same school and level", w.size(left, metric)
    if says == TURNS:
        return f"{alike} it turns round: {size} {w.more(-first['apart'])} ({bounds})"
    if says == GONE:
        return f"{alike} it is gone, and if anything turned round: {size} {w.more(-first['apart'])} ({bounds})"
    if says == WHICH:
        kept = size if side * round(left, int(metric["decimals"])) > 0 else "nothing"
        verb = "are" if kept.endswith("s") else "is"
        return f"{alike} {kept} of it {verb} left ({bounds}): it comes mostly from which schools and levels they are in"
    but = f", and {between}" if between else "" if pooled is None else ", with no clear difference between schools"
    return f"{alike} it is {size} ({bounds}){but}"


def _drawn(first: Row, drawn: Row | None, facts: Facts) -> str:
    """A school's gap in the light of other schools': in few students the largest gaps are partly chance."""
    if drawn is None:
        return NEVER_DRAWN
    metric = facts.metrics[first["metric"]]
    if round(drawn["value"] - first["value"], int(metric["decimals"])) == 0:
        return ""
    bounds = w.sizes(drawn["lower"], drawn["upper"], metric, np.sign(first["value"]))
    likely = f"it is more likely to be {w.size(drawn['value'], metric)}"
    if round(drawn["value"] * np.sign(first["value"]), int(metric["decimals"])) <= 0:
        likely = "little or nothing of it is left"
    return f"allowing for chance in small numbers, {likely} ({bounds})"


def _moved(trend: Row | None, yearly: Years, facts: Facts) -> str:
    """How it moved over the years: by how much, or of one that turned round from what to what, as that is less."""
    if trend is None:
        return ""
    metric, years = facts.metrics[trend["metric"]], f"from {trend['first_year']} to {trend['last_year']}"
    if trend["says"] != CROSSED:
        change = f"{w.size(trend['change'], metric)} ({w.sizes(trend['lower'], trend['upper'], metric)})"
        return f"it has {MOVED[trend['says']]} by {change} {years}"
    first, last = _ends(trend, yearly)
    if first is None or last is None or first["value"] * last["value"] >= 0:  # the years lie about the line
        return f"it has {MOVED[CROSSED]} {years}"
    was, now = (f"{_beside(row, metric)} in {row['academic_year']}" for row in (first, last))
    group = facts.students(trend["group"], trend["characteristic"])
    return f"it has {MOVED[CROSSED]}: for {group} it was {was}, and {now}"


def _beside(row: Row, metric: Row) -> str:
    """'9 points lower (6 to 12)': a gap from the side of its group."""
    limits = w.sizes(row["lower"], row["upper"], metric, row["value"])
    return f"{w.size(row['value'], metric)} {w.more(row['value'])} ({limits})"


def _trends(facts: Facts, says: tuple[str, ...]) -> pd.DataFrame | None:
    """Gaps that clearly changed so over the whole years."""
    trend = facts.get("trend")
    if trend is None:
        return None
    trend = plain(trend[(trend["of"] == "gap") & trend["says"].isin(says)])
    return trend.dropna(subset=["change", "lower", "upper"])


def _yearly(facts: Facts, trends: pd.DataFrame) -> Years:
    """The gaps of each whole year in the units and on the metrics of these trends."""
    gap = facts.get("gap")
    if gap is None or trends.empty:
        return {}
    gap = gap[(gap["part"] == "year") & gap["unit"].isin(trends["unit"]) & gap["metric"].isin(trends["metric"])]
    if "against" in gap:
        gap = gap[gap["against"] == "reference"]
    return {(*(r[c] for c in PAIR), r["academic_year"]): r for r in plain(gap).to_dict("records")}


def _ends(trend: Row, yearly: Years) -> tuple[Row | None, Row | None]:
    """A trend's gap in its first and its last year."""
    key = tuple(trend[c] for c in PAIR)
    return yearly.get((*key, trend["first_year"])), yearly.get((*key, trend["last_year"]))


def _drawn_gaps(facts: Facts) -> pd.DataFrame | None:
    """Each school's gap drawn towards that of all schools, under the school's own name."""
    drawn = facts.now("pooled_gap_school", "value", "lower", "upper")
    return None if drawn is None else drawn[drawn["unit"] == UNIVERSITY].assign(unit=drawn["school"])


def _looked_up(frame: pd.DataFrame | None) -> dict[tuple[Any, ...], Row]:
    return {} if frame is None else {tuple(r[c] for c in PAIR): r for r in frame.to_dict("records")}


def closed_gaps(facts: Facts) -> list[Finding]:
    """Gaps that clearly narrowed and closed, or are not clear any more: of the unit itself, and of its schools."""
    trends = _trends(facts, CLOSING)
    if trends is None:
        return []
    trends = trends[trends["metric"].isin(facts.judged())].sort_values(PAIR)
    yearly = _yearly(facts, trends)
    open_now = _looked_up(_clear(facts))
    still_open = {key[:3] for key in open_now}
    closed: dict[tuple[str, str, str], list[tuple[float, Row, Row, Row]]] = {}
    for trend in trends.to_dict("records"):
        key = tuple(trend[c] for c in PAIR)
        first, last = _ends(trend, yearly)
        if key in open_now or first is None or last is None or last["evidence"] == CLEAR or first["evidence"] != CLEAR:
            continue
        if (*key[:2], facts.finer.get(key[2])) in still_open:  # closed for the groups together, not for each
            continue
        weight = min(abs(trend["lower"]), abs(trend["upper"])) / float(facts.metrics[trend["metric"]]["material"])
        closed.setdefault((key[0], key[2], key[3]), []).append((weight, trend, first, last))
    told = {key[:2] for key in closed}
    return [
        f
        for (unit, characteristic, _), rows in closed.items()
        if (unit, facts.finer.get(characteristic)) not in told
        for f in _closed(sorted(rows, key=lambda r: (not _is_gone(r[2], r[3], facts), -r[0])), facts)
    ]


def _is_gone(first: Row, last: Row, facts: Facts) -> bool:
    """Whether the last year's gap can be called none, and not the first year's; else it is merely no longer clear."""
    small = abs(last["value"]) < float(facts.metrics[last["metric"]]["material"])
    return bool(last["evidence"] == NONE and small and not last["lower"] <= first["value"] <= last["upper"])


def _closed(rows: list[tuple[float, Row, Row, Row]], facts: Facts) -> list[Finding]:
    weight, trend, first, last = rows[0]
    metric = facts.metrics[trend["metric"]]
    group, reference = (facts.students(last[c], trend["characteristic"]) for c in ("group", "reference"))
    was, now = _beside(first, metric), _beside(last, metric)
    if round(last["value"], int(metric["decimals"])) == 0:
        now = f"level with them ({w.sizes(last['lower'], last['upper'], metric, last['value'])})"
    gone = _is_gone(first, last, facts)
    beside = [facts.label(r[1]["metric"]) for r in rows[1:] if _is_gone(r[2], r[3], facts) == gone][:MOST_BESIDE]
    also = f"; {'it closed' if gone else 'so it is'} on {w.listed(beside)} too" if beside else ""
    narrowed = "is" if trend["says"] == LEFT else "has narrowed and is"
    lead = "a gap has closed" if gone else f"a gap {narrowed} no longer clear"
    years = f"in {trend['first_year']}", f"in {trend['last_year']}"
    out = []
    for unit in facts.owners(trend["unit"]):
        own = unit == trend["unit"]
        place = "" if own else f" in {facts.name(trend['unit'])}"
        said = (
            f"{lead}{place}: {facts.label(trend['metric'])} was {was} for {group} than for {reference} "
            f"{years[0]}, and {now} {years[1]}{also}"
        )
        link = {str(c): str(trend[c]) for c in ("metric", "characteristic", "group")}
        out.append(
            Finding(
                unit, "closed gap", w.sentence(said), "equity", weight=weight * (1 if own else 0.6), news="good",
                **link, academic_year=str(trend["last_year"]), part="year",
            )
        )  # fmt: skip
    return out
