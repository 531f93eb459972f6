"""Whether the figures can be trusted: reconciliation, checks, quarantine and what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dashboard.findings.consistency import Comparison
from dashboard.style import words

NOT_ATTACKED = (
    "Nobody has tried to work out the hidden figures of this release from those that are shown: whether they hold is "
    "not known."
)
MOST_NAMED = 4
MOST_LOST = 0.03  # of a table's rows set aside: with more its figures are not to be trusted yet
# tables whose rows must not be lost: what a row is, and what figures may be for want of it
LOST = {
    "meetings": ("meetings", "contact figures may be too low"),
    "enrolments": ("enrolments", "students are missing from the figures, and contact figures may be too low"),
    "feedback": ("answers", "the figures of student voice rest on too few"),
}
SUPERSEDED = ("key_unique", "answers_once")  # rules whose rows a later row replaces, so that nothing is lost
LACKS = " has no "  # before the name of a column, which means nothing to a reader


def quality_answer(
    reconciliation: pd.DataFrame, checks: pd.DataFrame, incomplete: Mapping[str, float] | None = None
) -> str:
    """The answer to 'Can I trust these figures?'. incomplete: names of schools whose record looks incomplete, with the
    share of recalled meetings on record: the first reason for doubt.
    """
    failed = checks.loc[~checks["passed"].astype(bool), "severity"].value_counts()
    critical, warnings = int(failed.get("critical", 0)), int(failed.get("warning", 0))
    if len(unbalanced(reconciliation)):
        return "Not yet: some rows are unaccounted for."
    if critical:
        return f"Not yet: {words.plural(critical, 'critical check')} failed."
    if much := lost(reconciliation, checks):
        return f"Not yet: {'; '.join(_lost_words(one) for one in much)}."
    read, aside = int(reconciliation["rows_read"].sum()), int(reconciliation["rows_quarantined"].sum())
    said = f"every one of {words.number(read)} rows is accounted for, and {words.share(aside, read)} of them"
    said += " was set aside because a check failed" if not aside else " were set aside because a check failed"
    to_see = words.sentence(f"{words.plural(warnings, 'warning')} to look at") if warnings else ""
    if incomplete:
        return f"Yes, with care: {_not_on_record(incomplete)}. {words.sentence(said)} {to_see}".rstrip()
    return f"Yes, with care: {said}. {to_see}" if warnings else f"Yes: {said}."


@dataclass(frozen=True)
class Lost:
    """A table of whose rows many were set aside: how many, of how many, and the rule that most of them broke."""

    table: str
    rows: int
    of: int
    rule: str

    @property
    def share(self) -> str:
        """'7.4% of meetings were set aside'."""
        return f"{words.share(self.rows, self.of)} of {LOST[self.table][0]} were set aside"

    @property
    def so(self) -> str:
        """What figures may be for want of them."""
        return f"so {LOST[self.table][1]}"


def lost(reconciliation: pd.DataFrame, checks: pd.DataFrame) -> list[Lost]:
    """The tables of which more than 3% of rows were set aside, without those that a later row supersedes."""
    broken = checks[(checks["severity"] == "row-level") & ~checks["passed"].astype(bool)]
    broken = broken[~broken["expectation"].str.endswith(SUPERSEDED)]
    found = []
    for table in LOST:
        by_rule = broken[broken["table_name"] == table].groupby("rule")["rows_failing"].sum()
        rows = int(by_rule.sum())
        of = rows + int(reconciliation.loc[reconciliation["table_name"] == table, "rows_loaded"].sum())
        if rows > MOST_LOST * of:
            found.append(Lost(table, rows, of, str(by_rule.idxmax()).rstrip(".")))
    return found


def _lost_words(one: Lost) -> str:
    """'7.4% of meetings were set aside, most often for breaking ‘…’, so contact figures may be too low'."""
    return f"{one.share}, most often for breaking the rule {words.quoted(one.rule)}, {one.so}"


def _not_on_record(incomplete: Mapping[str, float]) -> str:
    """'in two schools 66% to 71% of the meetings that students recall are not on record (A and B)'."""
    missing = sorted(round(100 - share) for share in incomplete.values())
    how_many = f"{missing[0]}%" if missing[0] == missing[-1] else f"{missing[0]}% to {missing[-1]}%"
    recalled = f"{how_many} of the meetings that students recall are not on record"
    names = [words.within(name) for name in incomplete]
    if len(names) == 1:
        return f"in {names[0]} {recalled}"
    return f"in {words.plural(len(names), 'school')} {recalled}" + (
        f" ({words.listed(names)})" if len(names) <= MOST_NAMED else ""
    )


def warnings(checks: pd.DataFrame) -> list[str]:
    """Each rule that gave a warning, in a line."""
    failed = checks[~checks["passed"].astype(bool) & (checks["severity"] == "warning")]
    tables: dict[str, list[str]] = {}
    for c in failed.to_dict("records"):
        said = f"a rule is broken: ‘{str(c['rule']).rstrip('.')}’."
        if pd.notna(c["observed"]):
            said += f" Seen: {c['observed']}."
        tables.setdefault(said, []).append(words.lowered(words.TABLES.get(c["table_name"], c["table_name"])))
    return [f"Warning, {words.listed(names)}: {said}" for said, names in tables.items()]


def badge(through: Any, reconciliation: pd.DataFrame, checks: pd.DataFrame) -> str:
    """Freshness and quality in one line: 'Data through 27 November 2026 · every row accounted for · three warnings'.
    Where much is lost that is said instead: 'not to be trusted yet: 7.4% of meetings were set aside, so …'.
    """
    failed = checks.loc[~checks["passed"].astype(bool), "severity"].value_counts()
    critical, warnings = int(failed.get("critical", 0)), int(failed.get("warning", 0))
    said = [words.headline(words.data_through(through))]
    much = [f"{one.share}, {one.so}" for one in lost(reconciliation, checks)]
    if len(unbalanced(reconciliation)):
        said.append("some rows are unaccounted for")
    elif not much:
        said.append("every row accounted for")
    said += [f"not to be trusted yet: {'; '.join(much)}"] if much else []
    if critical:
        said.append(f"{words.plural(critical, 'critical check')} failed")
    said.append(words.plural(warnings, "warning"))
    return " · ".join(said)


def last_meeting(date: Any) -> str:
    """How far the record of meetings reaches."""
    return f"The last meeting read was on {words.day(date)}" if pd.notna(date) else "No meeting was read"


def unbalanced(reconciliation: pd.DataFrame) -> pd.DataFrame:
    """Files whose rows read are not rows loaded + quarantined + duplicates."""
    accounted = reconciliation[["rows_loaded", "rows_quarantined", "duplicates_dropped"]].sum(axis=1)
    return reconciliation[reconciliation["rows_read"] != accounted]


def reconciliation_title(reconciliation: pd.DataFrame) -> str:
    """Whether every row is accounted for, or in which files not."""
    off = unbalanced(reconciliation)
    if off.empty:
        return "Every row read is loaded, set aside or an exact duplicate"
    return f"Rows are unaccounted for in {words.listed(off['file'].tolist())}"


def checks_title(checks: pd.DataFrame) -> str:
    """What the checks found, by what failing means."""
    failed = checks.loc[~checks["passed"].astype(bool), "severity"].value_counts()
    if failed.empty:
        return f"All {words.plural(len(checks), 'check')} passed"
    critical, row_level, warning = (int(failed.get(s, 0)) for s in ("critical", "row-level", "warning"))
    found = [f"{words.plural(critical, 'critical one')} failed"]
    found += [f"{words.small(row_level)} set rows aside"] if row_level else []
    found += [f"{words.small(warning)} gave a warning"] if warning else []
    return f"Of {words.plural(len(checks), 'check')}, {words.listed(found)}"


def quarantine_title(quarantine: pd.DataFrame) -> str:
    """How many rows were set aside, and by which rule most."""
    if quarantine.empty:
        return "No rows were set aside"
    by_rule = quarantine.groupby("rule")["rows"].sum().sort_values(ascending=False)
    total, first = int(by_rule.sum()), int(by_rule.iloc[0])
    rule = words.quoted(str(by_rule.index[0]).rstrip("."))
    said = "1 row was set aside" if total == 1 else f"{words.number(total)} rows were set aside"
    if len(by_rule) == 1:
        return f"{said}{', all of them' if total > 1 else ''} for breaking one rule: {rule}"
    if first > total / 2:
        return f"{said}, most of them for breaking one rule: {rule}"
    if (tied := int((by_rule == first).sum())) > 1:
        return f"{said}; {words.small(tied)} rules are broken most, by {words.number(first)} each"
    return f"{said}; the rule broken most is {rule}"


def cost_title(protection: pd.DataFrame) -> str:
    """How much is hidden to protect people."""
    cells, shown = protection["cells"].sum(), protection["shown"].sum()
    if shown == cells:
        return "No figure is hidden to protect people"
    return f"{words.share(cells - shown, cells)} of all figures are hidden to protect people"


def cost_words(protection: pd.DataFrame) -> str:
    """By which rule figures are hidden, and how many of their groups can be seen nearby."""
    counts = ["cells", "shown", "small", "linked", "nearer"]
    below = protection[protection["kind"] != "university"][counts]
    told, every = below.dropna().sum(), below.sum()  # where it is told which rule it was; everywhere
    hidden = every["cells"] - every["shown"]
    said = (
        f"Of the figures of schools and faculties, too few to show: {words.share(told['small'], told['cells'])}, where "
        f"so few people, or so few on one side, would say something about them. Hidden to protect another figure: "
        f"{words.share(told['linked'], told['cells'])}, where that one could be worked out from them."
    )
    if not hidden:
        return said
    return (
        f"{said} Of the hidden ones {words.share(every['nearer'], hidden)} are of groups "
        "that can be seen nearby: at all levels together, in a broader group, in three years together or in the "
        "faculty. Wherever a figure is hidden, the page leads to the nearest view."
    )


def attack_title(attacks: pd.DataFrame) -> str:
    """Whether an attacker who sees what is published alone could work out a hidden figure. `attacks`: of `check`."""
    if attacks.empty:
        return "Nobody tried whether hidden figures of this release can be worked out"
    failed = int((~attacks["passed"].astype(bool)).sum())
    if failed:
        tests = words.plural(len(attacks), "test")
        return f"Of {tests} whether hidden figures can be worked out, this release did not pass {words.small(failed)}"
    ways = f" in {words.small(len(attacks))} ways" if len(attacks) > 1 else " by an attack"
    return f"Before it was published, this release was tested{ways}: none worked out a hidden figure"


def record_title(c: Comparison, low: Mapping[str, float]) -> str:
    """In how many schools far fewer meetings are on record than students recall."""
    if c.shown.empty:
        return "There is no figure here for recorded against recalled meetings"
    if not low:
        return "In no school are clearly fewer meetings on record than students recall"
    few = words.plural(len(low), "school")
    return words.headline(f"in {few} of {words.number(len(c.shown))}, far fewer meetings are on record than recalled")


def not_available(metrics: pd.DataFrame) -> list[str]:
    """One sentence per reason why measures are not shown."""
    missing = metrics[~metrics["available"].astype(bool)]
    reasons: dict[str, list[str]] = {}
    for reason, label in zip(missing["unavailable_because"], missing["label"], strict=True):
        source, lacks, _ = str(reason).rstrip(".").partition(LACKS)
        because = f"{source} lacks a column they need" if lacks else source
        reasons.setdefault(because, []).append(words.quoted(label))
    return [f"Not shown, because {because}: {words.listed(labels)}." for because, labels in reasons.items()]


def not_in_extract(characteristics: pd.DataFrame) -> str:
    """'Not in the extract: Ethnicity, Commuting.', or nothing."""
    missing = characteristics.loc[~characteristics["available"].astype(bool) & characteristics["of"].isna(), "label"]
    return f"Not in the extract: {', '.join(missing)}." if len(missing) else ""
