"""Findings: for each unit, the few sentences worth reading first, computed from the published tables alone.

Every sentence rests on figures that are shown, and carries its numbers, its doubt and the view that shows it. None
says why something is so, and none names a person.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from pipelines.findings.facts import Facts, Finding
from pipelines.findings.gaps import closed_gaps, largest_gaps
from pipelines.findings.places import changes, consistency, conversations, incomplete_records, outstanding
from pipelines.findings.tutors import between_tutors
from pipelines.findings.voices import missing_voices

MOST = 9
MOST_OF_A_KIND = {"gap": 4, "closed gap": 2, "outstanding": 2, "conversation": 2, "change": 1}
FIRST = 3  # both good and bad news are among these, where there is both
KINDS = (
    largest_gaps,
    closed_gaps,
    outstanding,
    conversations,
    incomplete_records,
    missing_voices,
    consistency,
    between_tutors,
    changes,
)
COLUMNS = [
    "unit", "ordering", "kind", "sentence", "view",
    "metric", "characteristic", "group", "academic_year", "part", "level",
]  # fmt: skip


def findings(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The published table `finding`, from the other published tables by name. Tables that are missing say nothing."""
    facts = Facts.of(tables)
    found = [finding for kind in KINDS for finding in kind(facts)]
    rows = [
        {**finding.row(), "ordering": place}
        for unit in facts.units
        for place, finding in enumerate(ranked([f for f in found if f.unit == unit]))
    ]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.astype({"ordering": "int64", **{c: object for c in COLUMNS if c != "ordering"}})


def ranked(found: list[Finding]) -> list[Finding]:
    """One unit's findings: the weightiest first, few of a kind, good and bad news among the first three."""
    seen: dict[str, int] = {}
    kept: list[Finding] = []
    for finding in sorted(found, key=lambda f: (-f.weight, f.sentence)):
        seen[finding.kind] = seen.get(finding.kind, 0) + 1
        if seen[finding.kind] <= MOST_OF_A_KIND.get(finding.kind, 1):
            kept.append(finding)
    first = {f.news for f in kept[:FIRST]}
    for news in ("good", "bad"):
        other = next((f for f in kept if f.news == news), None)
        if news not in first and other is not None:
            kept.remove(other)
            kept.insert(FIRST - 1, other)
    return kept[:MOST]
