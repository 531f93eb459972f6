"""What a release says of its own words: measures, groups, levels, periods and the rules in force."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from dashboard.style import words

KINDS = {
    "proportion": "share",
    "mean": "average",
    "ratio": "one sum out of another",
}
PARTS = {
    "year": "the whole academic year",
    "to_date": "up to this teaching week, to compare a year in progress with earlier ones",
    "pooled": "whole years together, so that small groups can be seen",
}
RULES = {
    "smallest_base": "A figure on fewer than {} people is hidden",
    "smallest_percentage_base": "A percentage of fewer than {} people is hidden",
    "smallest_mean_base": "An average over fewer than {} people is hidden",
    "smallest_respondents": "Answers of fewer than {} people are hidden",
    "smallest_margin": "A figure that fewer than {} people share, or all but fewer than {}, is hidden",
    "narrowest_base": "What remains hidden could be any of at least {} counts, whatever else is shown",
    "narrowest_margin": "Where it is known how many people a hidden figure is about, it could be any of at least {}",
    "round_bases_to": "How many people a figure is out of is shown to the nearest {}",
}


def answer(metrics: pd.DataFrame, characteristics: pd.DataFrame, levels: pd.DataFrame) -> str:
    """The answer to 'What do these numbers mean?'."""
    offered = metrics["available"].astype(bool).sum()
    told = (characteristics["available"].astype(bool) & characteristics["of"].isna()).sum()
    return (
        f"{words.headline(words.plural(int(offered), 'measure'))} of tutoring, for everyone and by "
        f"{words.plural(int(told), 'characteristic')} of students, at {words.plural(len(levels) - 1, 'level')} "
        "and all together: each with a range that says how sure one can be."
    )


def measures(metrics: pd.DataFrame) -> pd.DataFrame:
    """What each measure means, whom it is out of, which way is better and from what size a gap matters."""
    return pd.DataFrame(
        [
            {
                "Measure": m["label"],
                "What it means": m["definition"],
                "Out of": m["out_of"],
                "Kind": KINDS.get(m["kind"], m["kind"]),
                "Better": m["better"],
                "A gap matters from": words.size(m["material"], {**m, "decimals": 2 if m["material"] % 1 else 0}),
            }
            for m in metrics.to_dict("records")
        ]
    )


def groups(characteristics: pd.DataFrame, of: pd.DataFrame) -> pd.DataFrame:
    """Which groups there are, and with whom they are compared. of: `characteristic_group`."""
    labels = characteristics["label"]
    rows = []
    for c in characteristics.to_dict("records"):
        own = of[of["characteristic"] == c["characteristic"]]
        note = "in order" if c["ordered"] else ""
        if isinstance(c["of"], str) and c["of"] in labels.index:
            note = f"joins the groups of {words.lowered(str(labels[c['of']]))}"
        if not c["available"]:
            note = f"not shown: {c['unavailable_because']}"
        rows.append(
            {
                "Characteristic": c["label"],
                "Groups": ", ".join(own.loc[own["compared"].astype(bool), "group"]),
                "Compared with": c["reference"],
                "Note": note,
            }
        )
    return pd.DataFrame(rows)


def periods(frame: pd.DataFrame) -> pd.DataFrame:
    """What each period holds, the newest first."""
    return pd.DataFrame(
        [
            {
                "Period": f"{p['label']}, in force now" if p["is_current"] else p["label"],
                "What it holds": PARTS.get(p["part"], "–") + ("" if p.get("has_groups", True) else "; everyone alone"),
            }
            for p in frame.to_dict("records")
        ]
    )


def rules(text: Any) -> list[str]:
    """The disclosure rules in force, one sentence each; those without a sentence by name. text: JSON."""
    found: Mapping[str, Any] = json.loads(text) if isinstance(text, str) and text else {}
    return [
        words.sentence(RULES[name].replace("{}", str(x)) if name in RULES else f"{name.replace('_', ' ')}: {x}")
        for name, x in sorted(found.items(), key=lambda rule: [*RULES, rule[0]].index(rule[0]))
    ]
