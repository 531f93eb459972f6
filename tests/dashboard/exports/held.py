"""The release's own rows behind the figures of a pack."""

from __future__ import annotations

import pandas as pd

from dashboard import between
from dashboard.exports.figure import Figure
from dashboard.exports.numbers import LIKE_FOR_LIKE, NONE_PUBLISHED, NOT_SEEN
from dashboard.exports.story import Story
from dashboard.published import Release
from dashboard.style import words

Key = tuple[str, ...]
Row = dict[str, object]
TUTORS = "Tutors (to the nearest 5)"


def held(release: Release, figure: Figure) -> dict[Key, Row]:
    """Measure, period, place, characteristic and group → row of the release."""
    found: dict[Key, Row] = {}
    for (label, period), _ in figure.numbers.groupby(["Measure", "Period"]):
        metric = release.metrics.index[release.metrics["label"] == label][0]
        when = release.periods[release.periods["label"] == period].iloc[0]
        keys = {"metric": metric, "level": "all", "academic_year": when["academic_year"], "part": when["part"]}
        keys |= {} if "Group" in figure.numbers else {"characteristic": "all"}
        if TUTORS in figure.numbers:
            found |= _between_tutors(release, label, period, when, metric)
            continue
        rows = release.gaps(**keys) if "Gap" in figure.numbers else release.cells(**keys)
        for row in rows.to_dict("records"):
            university = row["unit"] == "university"
            for place in (
                ("University", release.about["university"]) if university else (release.units.loc[row["unit"], "name"],)
            ):
                found[(label, period, place, row["characteristic"], row["group"])] = row
    return found


def _between_tutors(release: Release, label: str, period: str, when: pd.Series, metric: str) -> dict[Key, Row]:
    """The rows of `consistency` between tutors, by what each place is called; of schools without one: none."""
    rows = {r["unit"]: r for r in between.tutors(release, when, metric=metric).to_dict("records")}
    found: dict[Key, Row] = {}
    for unit, name in release.units["name"].items():
        places = {
            "university": ("a typical school", "a typical school of all"),
            "faculty": (f"a typical school of {words.within(name)}",),
            "school": (name,),
        }[str(unit).partition(":")[0]]
        found |= {(label, period, place, "all", "all"): rows.get(unit, {"status": "none"}) for place in places}
    return found


def key_of(release: Release, row: pd.Series) -> Key:
    """The key of one row of a figure's numbers."""
    labels = release.characteristics["label"]
    group = row.get("Group", "Everyone")
    characteristic = "all" if group == "Everyone" else str(labels.index[labels == row["Characteristic"]][0])
    return row["Measure"], row["Period"], row["Place"], characteristic, "all" if group == "Everyone" else group


def columns_of(row: pd.Series) -> dict[str, str]:
    """Which columns of a figure's numbers are which of the release."""
    if TUTORS in row:
        ends = {"Eight in ten tutors from": "low", "Eight in ten tutors to": "high"}
        is_seen = row["Eight in ten tutors from"] != NOT_SEEN
        return {TUTORS: "members", "All its students": "value"} | (ends if is_seen else {})
    pairs = {"Gap" if "Gap" in row else "Value": "value", "Interval from": "lower", "Interval to": "upper"}
    if "Gap" in row and row[next(iter(LIKE_FOR_LIKE))] != NONE_PUBLISHED:
        pairs |= LIKE_FOR_LIKE
    pairs |= {name: "base" for name in row.index if str(name).startswith(("Out of", "Group, out of"))}
    return pairs | {name: "reference_base" for name in row.index if str(name).startswith("Against, out of")}


def scopes(release: Release) -> list[str]:
    """The university, the faculties that the release has a file for, and their schools."""
    units = release.units
    files = {f"faculty:{file.stem.removeprefix('faculty-')}" for file in release.file.parent.glob("faculty-*.duckdb")}
    faculties = [unit for unit in units.index if unit in files]
    return ["university", *faculties, *units.index[units["parent"].isin(faculties)]]


def compared(release: Release, story: Story) -> int:
    """How many numbers of a pack are the release's own; AssertionError on one that is not, or is hidden there."""
    numbers = 0
    for figure in story.figures:
        rows = held(release, figure)
        for _, row in figure.numbers.iterrows():
            own = rows.get(key_of(release, row), {"status": "none"})  # a school of other years alone has no row
            told = {column: row[name] for name, column in columns_of(row).items()}
            shown = {column: value for column, value in told.items() if pd.notna(value)}
            if own["status"] != "shown":
                assert not [v for v in shown.values() if isinstance(v, int | float)], (story.scope, figure.key)
            else:
                assert shown == {column: own[column] for column in shown}, (story.scope, figure.key)
            numbers += len(shown)
    return numbers
