"""The tables behind the charts: frames of figures in, frames of words out. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard.access import Person, Role
from dashboard.findings.consistency import CHECK, LIMITS, MARKS, MIDDLE, OUTSIDE, SAYS, Comparison, is_doubted, place
from dashboard.style import words

Row = Mapping[str, Any]
SIDES = {"above": "above", "below": "below", "near": "within", "": "–"}
TOTALLED = ("Read", "Loaded", "Set aside", "Duplicates", "Files")
HEADLINE_FIGURES = (
    "University", "95% interval", *MIDDLE.values(), "Schools above", "Schools below", "Hidden",
)  # fmt: skip
SCHOOL_FIGURES = ("Value", "95% interval", "Out of", "95% limits", "99.8% limits")
CONSISTENCY_FIGURES = ("Eight in ten schools", "Middle school", "Median odds ratio", "Schools")
RECONCILED = ("Read", "Loaded", "Set aside", "Duplicates")
PROTECTED = ("Figures", "Shown", "Too few to show", "Hidden to protect another", "Of hidden, seen nearby")


def headline(compared: Sequence[Comparison]) -> pd.DataFrame:
    """One row per headline measure: the university and the spread of schools."""
    without = {MIDDLE[any(c.chance_aside for c in compared)]: "too few schools"}
    return pd.DataFrame(
        [
            {
                "Measure": c.metric["label"],
                "Period": c.period,
                "University": words.shown(c.university, c.metric),
                "95% interval": words.shown_interval(c.university, c.metric),
                **({c.middle_name: words.interval(*c.middle, c.metric)} if c.middle else without),
                "Schools above": len(c.on_side("above")) if c.limited else "–",
                "Schools below": len(c.on_side("below")) if c.limited else "–",
                "Hidden": len(c.hidden),
            }
            for c in compared
        ]
    ).fillna("–")


def schools(c: Comparison, incomplete: set[str], unnamed: Sequence[dict[str, str]] = ()) -> pd.DataFrame:
    """One row per school, from A to Z, the university first; `unnamed` rows last."""
    university = {**LIMITS, **c.university, "name": "University", "unit": "university", "side": ""}
    return pd.DataFrame(
        [
            {
                "School": r["name"],
                "Value": words.shown(r, c.metric),
                "95% interval": words.shown_interval(r, c.metric),
                "Out of": words.shown_base(r),
                "95% limits": _limits(r["limit"], r["limit_above"], c.metric),
                "99.8% limits": _limits(r["outer"], r["outer_above"], c.metric),
                "Against the usual range": against_range(r, c.metric, incomplete),
                "Record": "looks incomplete" if r["unit"] in incomplete else "–",
            }
            for r in [university, *c.schools.to_dict("records")]
        ]
        + list(unnamed)
    ).fillna("–")


def against_range(school: Row, metric: Row, incomplete: Collection[str] = ()) -> str:
    """'◆ below: worth a conversation', 'within' the usual range; of contact in schools whose record looks incomplete
    '○ below: check the record first'.
    """
    if school["side"] in OUTSIDE and is_doubted(school["unit"], metric, incomplete):
        return f"{MARKS['']} {SIDES[school['side']]}: {CHECK}"
    at, side = place(school, metric), SIDES[school["side"]]
    return f"{MARKS[at]} {side}: {SAYS[at]}" if at in SAYS else side


def _limits(low: Any, high: Any, metric: Row) -> str:
    return words.interval(low, high, metric) if pd.notna(low) and pd.notna(high) else "–"


def modes(places: Sequence[Row], names: Sequence[str], metric: Row) -> pd.DataFrame:
    """One row per place: the share of each mode among its meetings, and its outcome."""
    return pd.DataFrame(
        [
            {
                "Place": p["name"],
                **{n: f"{p['modes'].get(n, 0.0):.0f}%" if p["modes"] else p["without"] for n in names},
                metric["label"]: words.shown(p, metric),
                "95% interval": words.shown_interval(p, metric),
            }
            for p in places
        ]
    )


def consistency_by_year(rows: Sequence[Row], metric: Row) -> pd.DataFrame:
    """One row per year: how far apart schools were, chance set aside."""
    return pd.DataFrame(
        [
            {
                "Period": r["period"],
                "Eight in ten schools": words.interval(r["low"], r["high"], metric),
                "Middle school": words.value(r["value"], metric),
                "Median odds ratio": r["odds"],
                "Schools": words.number(r["members"]),
                "Says": r["says"],
            }
            if r["status"] == "shown"
            else {"Period": r["period"], "Eight in ten schools": words.missing(r)}
            for r in rows
        ]
    ).fillna("–")


def gap_rows(gaps: pd.DataFrame, characteristics: pd.DataFrame, groups: pd.DataFrame) -> pd.DataFrame:
    """Gaps of one unit, each characteristic under a heading, the widest first; for the chart of gaps."""
    order = dict(zip(zip(groups["characteristic"], groups["group"], strict=True), groups["ordering"], strict=True))
    of: dict[str, list[dict[Any, Any]]] = {}
    for gap in gaps.to_dict("records"):
        of.setdefault(gap["characteristic"], []).append(gap)
    reach = {c: max([abs(g["value"]) for g in own if pd.notna(g["value"])], default=0.0) for c, own in of.items()}
    about = characteristics[["label", "reference"]].to_dict("index")
    rows: list[dict[str, Any]] = []
    for characteristic in sorted((c for c in about if c in of), key=lambda c: -reach[c]):
        label, reference = about[characteristic]["label"], about[characteristic]["reference"]
        rows.append({"label": f"{label}, against {reference}", "heading": True, "status": "shown", "evidence": ""})
        for gap in sorted(of[characteristic], key=lambda g: order.get((g["characteristic"], g["group"]), 0)):
            rows.append({**gap, "label": gap["group"], "heading": False, "characteristic": label})
    return pd.DataFrame(rows)


def school_gap_rows(gaps: pd.DataFrame, units: pd.DataFrame, faculty: str | None) -> pd.DataFrame:
    """One group's gap at the university, then in every school (of a faculty), in their own order."""
    wanted = units[(units["kind"] == "school") & ((units["parent"] == faculty) if faculty else True)]
    wanted = pd.concat([units[units["unit"] == "university"], wanted]).reset_index(drop=True)
    figures = gaps.drop_duplicates("unit").set_index("unit")
    rows = wanted[["unit", "kind", "name", "short_name"]].join(figures, on="unit")
    rows["status"] = rows["status"].fillna("none")
    rows["label"], rows["heading"] = rows["short_name"], False
    return rows


def gaps(rows: pd.DataFrame, metric: Row, by: str) -> pd.DataFrame:
    """One row per gap: `by` is the column that names the row, 'group' or 'name'."""
    return pd.DataFrame(
        [
            {
                **(
                    {"Characteristic": r["characteristic"], "Group": r["group"], "Against": r["reference"]}
                    if by == "group"
                    else {"Place": r["name"]}
                ),
                **_gap(r, metric),
            }
            for r in rows.to_dict("records")
        ]
    )


def _gap(r: Row, metric: Row) -> dict[str, str]:
    if r["status"] != "shown":
        return {"Gap": words.STATUS[r["status"]], "95% interval": "–", "Evidence": "–", "Out of": "–"}
    return {
        "Gap": f"{words.signed(r['value'], metric)}{metric['gap_suffix']}",
        "95% interval": words.gap_interval(r["lower"], r["upper"], metric),
        "Evidence": r["evidence"],
        "Out of": f"{words.about(r['base'])} and {words.number(r['reference_base'])}" if pd.notna(r["base"]) else "–",
    }


def groups(
    cells: pd.DataFrame,
    places: pd.DataFrame,
    names: Sequence[str],
    metric: Row,
    unnamed: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """One row per place, one column per group: value and interval, or the word for why there is none; `unnamed` schools
    last.
    """
    found = {(c["unit"], c["group"]): _with_interval(c, metric) for c in cells.to_dict("records")}
    return pd.DataFrame(
        [
            {"Place": p["name"], **{g: found.get((p["unit"], g), words.STATUS["none"]) for g in names}}
            for p in places.to_dict("records")
        ]
        + ([{"Place": "All schools, unnamed: the middle 80%", **unnamed}] if unnamed else [])
    ).fillna("–")


def _with_interval(row: Row, metric: Row) -> str:
    value = words.shown(row, metric)
    return f"{value} ({words.shown_interval(row, metric)})" if row["status"] == "shown" else value


def totals(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows per table, over all its files."""
    counts = ["rows_read", "rows_loaded", "rows_quarantined", "duplicates_dropped"]
    summed = frame.groupby("table_name", sort=False).agg(
        files=("file", "size"), modified=("modified", "max"), **{c: (c, "sum") for c in counts}
    )
    return pd.DataFrame(
        [
            {
                "Table": words.TABLES.get(r["table_name"], r["table_name"]),
                **_counts(r),
                "Files": words.number(r["files"]),
                "Newest file": words.day(r["modified"]) if pd.notna(r["modified"]) else "none",
            }
            for r in summed.reset_index().to_dict("records")
        ]
    )


def _counts(r: Row) -> dict[str, str]:
    return {
        "Read": words.number(r["rows_read"]),
        "Loaded": words.number(r["rows_loaded"]),
        "Set aside": words.number(r["rows_quarantined"]),
        "Duplicates": words.number(r["duplicates_dropped"]),
    }


def reconciliation(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows per table and file."""
    return pd.DataFrame(
        [
            {
                "File": r["file"] or "no file",
                "Table": words.TABLES.get(r["table_name"], r["table_name"]),
                **_counts(r),
                "File dated": words.day(r["modified"]) if pd.notna(r["modified"]) else "–",
                "Note": r["note"] or "",
            }
            for r in frame.to_dict("records")
        ]
    )


def checks(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per expectation: the rule, what failing means, and the result in words."""
    return pd.DataFrame([_check(r) for r in frame.to_dict("records")])


def _check(r: Row) -> dict[str, str]:
    failing = r["rows_failing"]
    return {
        "Rule": r["rule"],
        "Table": words.TABLES.get(r["table_name"], r["table_name"]),
        "If it fails": words.SEVERITY.get(r["severity"], r["severity"]),
        "Result": "passed" if r["passed"] else "found something",
        "Rows": words.number(failing) if pd.notna(failing) and failing else "–",
        "Seen": r["observed"] if isinstance(r["observed"], str) else "",
    }


def rules_broken(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows set aside, by rule, over all files."""
    summed = frame.groupby(["rule", "table_name"], sort=False)["rows"].sum().sort_values(ascending=False)
    return pd.DataFrame(
        [
            {"Rule": rule, "Table": words.TABLES.get(table, table), "Rows": words.number(rows)}
            for (rule, table), rows in summed.items()
        ]
    )


def quarantine(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows set aside, by rule and file."""
    return pd.DataFrame(
        [
            {
                "Rule": r["rule"],
                "Table": words.TABLES.get(r["table_name"], r["table_name"]),
                "File": r["file"],
                "Rows": words.number(r["rows"]),
            }
            for r in frame.to_dict("records")
        ]
    )


def protection(frame: pd.DataFrame, by: Mapping[str, pd.Series]) -> pd.DataFrame:
    """How many figures are shown and hidden, and why; of how many hidden ones of schools and faculties the group
    can be seen nearby.

    by: name of a column → what each row is called in it.
    """
    counts = ["cells", "shown", "small", "linked", "nearer", "below"]
    below = (frame["cells"] - frame["shown"]).where(frame["kind"] != "university", 0)  # hidden of schools, faculties
    summed = (
        frame.assign(below=below)[counts].assign(**by).groupby([*by], sort=False)[counts].sum(min_count=1).reset_index()
    )
    return pd.DataFrame(
        [
            {
                **{name: r[name] for name in by},
                "Figures": words.number(r["cells"]),
                "Shown": words.share(r["shown"], r["cells"]),
                "Too few to show": words.share(r["small"], r["cells"]) if pd.notna(r["small"]) else "–",
                "Hidden to protect another": words.share(r["linked"], r["cells"]) if pd.notna(r["linked"]) else "–",
                "Of hidden, seen nearby": words.share(r["nearer"], r["below"]) if r["below"] else "–",
            }
            for r in summed.to_dict("records")
        ]
    )


def releases(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per release kept."""
    return pd.DataFrame(
        [
            {
                "Release": r["release"],
                "Made": words.moment(r["created"]) if r["readable"] else "cannot be read",
                "Data": r["source"] if r["readable"] else "–",
                "Through": words.day(r["data_through"]) if r["readable"] else "–",
                "In force": "yes" if r["in_force"] else "–",
            }
            for r in frame.to_dict("records")
        ]
    )


def roles(known: Sequence[Role]) -> pd.DataFrame:
    """One row per role: what it sees."""
    return pd.DataFrame([{"Role": role.name, "Sees": role.sees} for role in known])


def people(known: Sequence[Person], units: pd.DataFrame, claim: str) -> pd.DataFrame:
    """One row per line of access.toml: who, as what, for which unit."""
    return pd.DataFrame(
        [
            {
                "Who": f"whoever has ‘{p.who}’ in {claim}" if p.by_claim else p.who,
                "Role": p.role,
                "For": (units["name"].get(p.scope) or f"{p.scope}: not in this release") if p.scope else "–",
            }
            for p in known
        ]
    )
