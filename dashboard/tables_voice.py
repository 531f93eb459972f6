"""The tables behind the charts of student voice: frames of figures in, frames of words out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dashboard.access import UNIVERSITY
from dashboard.findings.voice import ANSWERS, FIVE, RATE
from dashboard.style import words

Row = Mapping[str, Any]
DIVIDED = (*(words.headline(a) for a in ANSWERS), "Agree in all", "95% interval", "Out of")
RATED = ("Value", "95% interval", "Out of")
WEIGHTED = ("As given", "Weighted", "95% interval", "Out of")


def divided(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    """One row per statement, place or group: the five answers, and the share who agree with its interval."""
    return pd.DataFrame([_divided(r, by) for r in rows[~rows["heading"]].to_dict("records")])


def _divided(row: Row, by: str) -> dict[str, str]:
    in_three = row["bands"] == 3
    shares = {}
    for answer, said in zip(FIVE, ANSWERS, strict=True):
        if not row["bands"]:
            text = words.STATUS["suppressed" if row["status"] == "shown" else str(row["status"])]
        elif in_three and answer.startswith("strongly"):
            text = f"with {said.removeprefix('strongly ')}"
        else:
            text = words.value(row[answer], RATE)
        shares[words.headline(said)] = text
    return {
        by: str(row["name"]),
        **shares,
        "Agree in all": words.shown(row, RATE),
        "95% interval": words.shown_interval(row, RATE),
        "Out of": words.shown_base(row),
    }


def rated(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    """One row per group, then everyone: a share with its interval and base."""
    return pd.DataFrame(
        [
            {
                by: r["name"],
                "Value": words.shown(r, RATE),
                "95% interval": words.shown_interval(r, RATE),
                "Out of": words.shown_base(r),
            }
            for r in rows.to_dict("records")
        ]
    )


def weighted(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per statement: the share who agree as given, and weighted to everyone enrolled."""
    return pd.DataFrame(
        [
            {
                "Statement": r["label"],
                "As given": words.shown(r, RATE),
                "Weighted": words.value(r["weighted"], RATE) if r["status"] == "shown" else words.missing(r),
                "95% interval": words.shown_interval(r, RATE),
                "Out of": words.shown_base(r),
            }
            for r in rows.to_dict("records")
        ]
    )


def statement_rows(split: pd.DataFrame, metrics: pd.DataFrame, units: pd.DataFrame, unit: str) -> pd.DataFrame:
    """Every statement in one unit, for the chart of answers; a unit's with the university's under each statement."""
    rows: list[dict[str, Any]] = []
    for name, metric in metrics.iterrows():
        of = split[split["metric"] == name].set_index("unit").reindex(dict.fromkeys([unit, UNIVERSITY]))
        of = of.assign(status=of["status"].fillna("none"), bands=of["bands"].fillna(0))
        if len(of) > 1:
            rows.append({"label": metric["label"], "heading": True, "bold": False, "bands": 0, "status": "none"})
        for place, row in of.iterrows():
            label = units.loc[place, "short_name"] if len(of) > 1 else metric["label"]
            said = f"{metric['label']}: {units.loc[place, 'name']}" if len(of) > 1 else metric["label"]
            bold = len(of) > 1 and place == unit
            rows.append({**row, "label": label, "name": said, "heading": False, "bold": bold})
    return pd.DataFrame(rows)


def unit_rows(split: pd.DataFrame, places: pd.DataFrame, chosen: str) -> pd.DataFrame:
    """One statement in every place, in the order of `places`."""
    of = split.drop_duplicates("unit").set_index("unit")
    rows = places[["unit", "kind", "name", "short_name"]].join(of, on="unit")
    return _plain(rows, rows["short_name"], rows["unit"] == chosen)


def group_rows(split: pd.DataFrame, groups: pd.DataFrame) -> pd.DataFrame:
    """One statement, or the response rate, for every group that there is, in reading order. split: of one unit."""
    of = split.drop_duplicates("group").set_index("group")
    rows = groups[groups["group"].isin(of.index)][["group", "ordering", "compared", "is_reference"]]
    rows = rows.sort_values("ordering").join(of, on="group")
    return _plain(rows.assign(name=rows["group"]), rows["group"], pd.Series(False, index=rows.index))


def _plain(rows: pd.DataFrame, label: pd.Series, bold: pd.Series) -> pd.DataFrame:
    bands = rows["bands"].fillna(0) if "bands" in rows else 0
    return rows.assign(
        label=label, bold=bold, heading=False, status=rows["status"].fillna("none"), bands=bands
    ).reset_index(drop=True)


def weighted_rows(found: pd.DataFrame, cells: pd.DataFrame, metrics: pd.DataFrame) -> pd.DataFrame:
    """Every statement as given and weighted, for its chart. cells: everyone's in the same unit, for the bases."""
    of = found.set_index("metric").reindex(metrics.index)
    base = cells.drop_duplicates("metric").set_index("metric")["base"].reindex(metrics.index)
    rows = of.assign(base=base, **metrics[["label", "suffix", "decimals"]])
    rows["status"] = rows["status"].fillna("none").where(base.notna() | of["status"].ne("shown"), "suppressed")
    return rows.rename(columns={"weighted_lower": "lower", "weighted_upper": "upper"}).reset_index(drop=True)
