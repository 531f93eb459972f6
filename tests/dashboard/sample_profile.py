"""Limits around every school of the sample release, as the funnel publishes them."""

from __future__ import annotations

import numpy as np
import pandas as pd

KEY = ["academic_year", "part", "level", "metric"]
HALF = 14  # points either side of the university's value: 95% limits; half as much again for 99.8%


def funnel(cells: pd.DataFrame, metrics: pd.DataFrame) -> pd.DataFrame:
    """Rows of `funnel` for the schools' shown percentages of everyone."""
    percentages = metrics.loc[metrics["suffix"] == "%", "metric"]
    shown = cells[(cells["characteristic"] == "all") & (cells["status"] == "shown") & cells["metric"].isin(percentages)]
    target = shown.loc[shown["unit"] == "university", [*KEY, "value"]].rename(columns={"value": "target"})
    rows = shown[shown["unit"].str.startswith("school:")].merge(target, on=KEY)
    off = rows["value"] - rows["target"]
    good = np.sign(off) == rows["metric"].map(metrics.set_index("metric")["better"]).map({"higher": 1, "lower": -1})
    position = np.select([off > HALF, off < -HALF], ["above", "below"], "within the limits")
    far_and_good = good & (off.abs() > 1.5 * HALF)
    says = np.where(position == "within the limits", position, "worth a conversation")
    return rows[[*KEY, "unit", "value", "target", "status"]].assign(
        lower=rows["target"] - HALF,
        upper=rows["target"] + HALF,
        lower_outer=rows["target"] - 1.5 * HALF,
        upper_outer=rows["target"] + 1.5 * HALF,
        overdispersion=9.0,
        position=position,
        says=np.where(far_and_good, "worth learning from", says),
    )
