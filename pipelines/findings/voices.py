"""Findings about whose voice is missing from the survey."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pipelines.findings import wording as w
from pipelines.findings.facts import ANSWERING, EVERYONE, WHEN, Facts, Finding, plain

MATERIAL = 3.0  # points of the response rate
SHARE_OF_WEIGHT = 0.6  # against gaps of the same size
PER_CENT = {"decimals": 0, "suffix": "%", "gap_suffix": " points"}

Row = dict[str, Any]


def missing_voices(facts: Facts) -> list[Finding]:
    """In each unit, the group whose response rate lies furthest, and clearly, below everybody's."""
    answered = _rates(facts)
    if answered is None:
        return []
    pairs = zip(answered["characteristic"], answered["group"], strict=True)
    compared = answered[[pair in facts.groups for pair in pairs]]
    everyone = answered[answered["characteristic"] == EVERYONE]
    out = []
    for overall in everyone.to_dict("records"):
        rows = compared[(compared["unit"] == overall["unit"]) & (compared["upper"] <= overall["value"] - MATERIAL)]
        if rows.empty:
            continue
        rows = facts.finest(rows).sort_values(["upper", "value", "characteristic", "group"])
        first = rows.iloc[0].to_dict()
        others = rows[rows["characteristic"] != first["characteristic"]].drop_duplicates("characteristic").head(2)
        out.append(
            Finding(
                str(overall["unit"]), "voice", _said(first, others, overall, facts), "voice",
                weight=SHARE_OF_WEIGHT * (overall["value"] - first["upper"]) / MATERIAL, news="bad",
                **{str(c): str(first[c]) for c in ("characteristic", "group", *WHEN)},
            )
        )  # fmt: skip
    return out


def _rates(facts: Facts) -> pd.DataFrame | None:
    """Response rates in the latest period that has one for the university; from their own table, else the cells."""
    rates = facts.get("response")
    if rates is None:
        cells = facts.tables["cell"]
        rates = cells[cells["metric"] == ANSWERING]
    rates = plain(rates).dropna(subset=["value", "lower", "upper"])
    whole = rates[(rates["unit"] == "university") & (rates["characteristic"] == EVERYONE)]
    have = set(zip(whole["academic_year"], whole["part"], strict=True))
    when = facts.when.get(ANSWERING) or next((p for p in facts.periods if p in have), None)
    if when is None:
        return None
    return rates[(rates["academic_year"] == when[0]) & (rates["part"] == when[1])]


def _said(first: Row, others: pd.DataFrame, overall: Row, facts: Facts) -> str:
    when = (first["academic_year"], first["part"])
    during = "" if when == next(iter(facts.periods)) else f" in {facts.periods[when]}"
    who = facts.students(first["group"], first["characteristic"])
    said = (
        f"the voice most missing is that of {who}: {w.value(first['value'], PER_CENT)} "
        f"({w.interval(first, PER_CENT)}{w.about(first['base'], 'students')}) answered the survey{during}, "
        f"against {w.value(overall['value'], PER_CENT)} of everybody"
    )
    if len(others):
        also = [
            f"{facts.students(r['group'], r['characteristic'])} ({w.value(r['value'], PER_CENT)})"
            for r in others.to_dict("records")
        ]
        said += f"; {w.listed(also)} answered less often too"
    weighed = _weighted(facts, str(first["unit"]), when)
    return w.sentence(said) + (f" {w.sentence(weighed)}" if weighed else "")


def _weighted(facts: Facts, unit: str, when: tuple[str, str]) -> str:
    """Whether the headline answers change when those who answered are weighted to everyone enrolled."""
    weighted = facts.get("weighted")
    if weighted is None:
        return ""
    rows = plain(weighted)
    rows = rows[(rows["unit"] == unit) & rows["metric"].isin(facts.judged("voice", headline=True))]
    rows = rows[(rows["academic_year"] == when[0]) & (rows["part"] == when[1])].dropna(subset=["value", "weighted"])
    if rows.empty:
        return ""
    moved = (rows["weighted"] - rows["value"]).abs()
    if moved.max() < 1:
        return "weighted to everyone enrolled, the headline answers come out the same, to the nearest point"
    row = rows.loc[moved.idxmax()].to_dict()
    metric = facts.metrics[row["metric"]]
    if moved.max() == 1:
        return "weighted to everyone enrolled, the headline answers move by no more than 1 point"
    was, becomes = w.value(row["value"], metric), w.value(row["weighted"], metric)
    return f"weighted to everyone enrolled, {facts.label(row['metric'])} is {becomes} rather than {was}"
