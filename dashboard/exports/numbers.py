"""The tidy numbers behind every figure: one row per number, typed; where there is none, the word for why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard.exports.reading import Reading
from dashboard.findings.consistency import LIMITS, Comparison
from dashboard.findings.tutors import SAYS, TOO_FEW, is_alike
from dashboard.style import words
from dashboard.tables import against_range

Row = Mapping[Any, Any]
SHOWN = "shown"
EVERYONE = "Everyone"
NONE_PUBLISHED = "not published"
NO_LIMITS = "no limits"
NOT_SEEN = "no difference can be seen"
LIKE_FOR_LIKE = {
    "Like for like": "like_for_like",
    "Like for like, from": "like_for_like_lower",
    "Like for like, to": "like_for_like_upper",
}


def cells(reading: Reading, metric: Row, rows: Sequence[Row], characteristic: str = "") -> pd.DataFrame:
    """Rows of `cell`; `name` says where."""
    return pd.DataFrame(
        [
            {
                **_about(reading, metric, r),
                **({"Characteristic": characteristic, "Group": _group(r)} if characteristic else {}),
                "Value": _number(r, "value", metric),
                "Interval from": _number(r, "lower", metric),
                "Interval to": _number(r, "upper", metric),
                "Out of (to the nearest 5)": _base(r, "base"),
                "Status": SHOWN if r["status"] == "shown" else words.missing(r),
            }
            for r in rows
        ]
    )


def schools(reading: Reading, c: Comparison, incomplete: Collection[str]) -> pd.DataFrame:
    """The university and each school on one measure, with the limits at its size and what is said of it."""
    rows = [{**LIMITS, **c.university, "name": "University", "unit": "university", "side": ""}]
    rows += c.schools.to_dict("records")
    return cells(reading, c.metric, rows).assign(
        **{
            "95% limits from": [_limit(r["limit"]) for r in rows],
            "95% limits to": [_limit(r["limit_above"]) for r in rows],
            "Against the usual range": [
                against_range(r, c.metric, incomplete) if r["side"] else NO_LIMITS for r in rows
            ],
            "Record": ["looks incomplete" if r["unit"] in incomplete else "not in doubt" for r in rows],
        }
    )


def standing(reading: Reading, compared: Sequence[Comparison]) -> pd.DataFrame:
    """The same for several measures, one below the other."""
    frames = [schools(reading, c, reading.incomplete if c.metric["theme"] == "contact" else ()) for c in compared]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def gaps(reading: Reading, metric: Row, rows: Sequence[Row]) -> pd.DataFrame:
    """Rows of `gap`."""
    return pd.DataFrame(
        [
            {
                **_about(reading, metric, r, "percentage points"),
                "Characteristic": r["characteristic"],
                "Group": r["group"],
                "Against": r["reference"],
                "Gap": _number(r, "value", metric),
                "Interval from": _number(r, "lower", metric),
                "Interval to": _number(r, "upper", metric),
                "Evidence": r["evidence"] if r["status"] == "shown" else words.STATUS[r["status"]],
                **{name: _number(r, column, metric) for name, column in LIKE_FOR_LIKE.items()},
                "Group, out of (to the nearest 5)": _base(r, "base"),
                "Against, out of (to the nearest 5)": _base(r, "reference_base"),
                "Status": SHOWN if r["status"] == "shown" else words.STATUS[r["status"]],
            }
            for r in rows
        ]
    )


def headline(reading: Reading, compared: Sequence[Comparison], own: Sequence[Row]) -> pd.DataFrame:
    """Headline measures: the university, the unit, the middle 80% of schools, and every school seen."""
    frames = []
    for c, row in zip(compared, own, strict=True):
        places = [{**c.university, "name": "University"}]
        if not reading.is_university:
            places.append({**row, "name": reading.name})
        places += [r for r in c.schools.to_dict("records") if r["unit"] != reading.unit]
        low, high = (round(x, int(c.metric["decimals"])) for x in c.middle) if c.middle else (NONE_PUBLISHED,) * 2
        frames.append(
            cells(reading, c.metric, places).assign(**{f"{c.middle_name} from": low, f"{c.middle_name} to": high})
        )
    return pd.concat(frames, ignore_index=True)


def tutors(reading: Reading, metric: Row, rows: Sequence[Row], year: str) -> pd.DataFrame:
    """How far tutors differ in a year, a row per school. rows: as `findings.tutors.rows`."""
    figures = {
        "All its students": "value",
        "Could be as far apart as, from": "could_low", "Could be as far apart as, to": "could_high",
    }  # fmt: skip
    return pd.DataFrame(
        [
            {
                **_about(reading, metric, r),
                "Period": year,
                "Tutors (to the nearest 5)": _base(r, "members"),
                **{
                    f"Eight in ten tutors {end}": NOT_SEEN
                    if r["status"] == "shown" and is_alike(r)
                    else _number(r, column, metric)
                    for end, column in (("from", "low"), ("to", "high"))
                },
                **{name: _number(r, column, metric) for name, column in figures.items()},
                "Says": SAYS.get(r["says"], TOO_FEW) if r["status"] == "shown" else words.missing(r),
                "Status": SHOWN if r["status"] == "shown" else words.missing(r),
            }
            for r in rows
        ]
    )


def _about(reading: Reading, metric: Row, row: Row, percent: str = "per cent") -> dict[str, Any]:
    return {
        "Measure": metric["label"],
        "Measured in": percent if metric["suffix"] == "%" else "number",
        "Period": reading.label(pd.Series(metric)),
        "Level": reading.level,
        "Place": row["name"],
    }


def _limit(value: Any) -> object:
    return float(value) if pd.notna(value) else NO_LIMITS


def _group(row: Row) -> str:
    return EVERYONE if row.get("group") == "all" else str(row["group"])


def _number(row: Row, column: str, metric: Row) -> object:
    if row["status"] != "shown":
        return words.missing(row)
    value = row[column]
    return float(value) if pd.notna(value) else NONE_PUBLISHED


def _base(row: Row, column: str) -> object:
    if row["status"] != "shown":
        return words.missing(row)
    return int(row[column]) if pd.notna(row[column]) else NONE_PUBLISHED
