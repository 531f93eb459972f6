"""Whether a school's record of meetings can be taken at its word.

A school that meets its students but does not log it looks like a school that does not meet them: where far
fewer meetings are on record than students recall, its contact figures carry a caution.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from dashboard.findings import consistency
from dashboard.periods import periods_with
from dashboard.published import Release
from dashboard.style import words

RECORD_CHECK = "recorded_of_recalled"
INCOMPLETE = "record looks incomplete"
FIRST = words.headline(consistency.CHECK)


def incomplete(release: Release, level: str) -> dict[str, float]:
    """Schools whose record looks incomplete, with the share on record, in the latest period with a record check."""
    metrics = release.metrics
    if RECORD_CHECK not in metrics.index or not metrics.loc[RECORD_CHECK, "available"]:
        return {}
    period = periods_with(release, RECORD_CHECK, level).iloc[0]
    return consistency.incomplete_records(release.everyone(RECORD_CHECK, level, period))


def named(release: Release, incomplete: Mapping[str, float]) -> dict[str, float]:
    """The same by the schools' names."""
    return {str(release.units.loc[unit, "name"]): share for unit, share in incomplete.items()}


def doubt(schools: Collection[str], own: bool = False) -> str:
    """That figures of contact may partly be a matter of logging; nothing where records look complete.

    own: the figures are of that one school.
    """
    if not schools:
        return ""
    whose = "its record" if own else f"in {words.plural(len(schools), 'school')} the record"
    return f"Figures of contact may partly be a matter of logging: {whose} looks incomplete."


def caution(release: Release, schools: dict[str, float]) -> str:
    """The words of caution for those schools."""
    named = [f"{words.within(str(release.units.loc[unit, 'name']))} ({x:.0f})" for unit, x in schools.items()]
    return (
        "Read with care: of every 100 meetings that students recall, far fewer are on record in "
        f"{words.listed(named)}, so low contact figures there may be a matter of logging."
    )
