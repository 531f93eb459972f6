"""Data quality: can these figures be trusted? One view per question; the URL names the open one."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import layout, record, tables
from dashboard.charts.schools import intervals
from dashboard.compared import compare
from dashboard.filters import Filters
from dashboard.findings import consistency, quality
from dashboard.layout import Visit
from dashboard.periods import periods_with
from dashboard.published import Release
from dashboard.style import html, words

VIEWS = {
    "record": "Recorded or recalled",
    "rows": "Every row",
    "checks": "Checks",
    "aside": "Set aside",
    "hidden": "What is hidden",
}
ALL_LEVELS = "all"


def page(visit: Visit) -> None:
    """Whether every row is accounted for, what was checked and set aside, what is on record, and what is hidden."""
    release = visit.release
    layout.question(release.about["university"], "Can I trust these figures?")
    layout.answer(visit.once("answer", lambda: _answer(release)))
    if warnings := quality.warnings(release.checks):
        st.html(html.listed(warnings))
    layout.quiet(
        f"{quality.last_meeting(release.about['data_through'])}; "
        f"this release was made on {words.moment(release.about['created'])} (UTC). "
        f"{quality.attack_title(_attacks(visit))}."
    )
    if visit.viewer.takes("check report"):
        layout.download(visit, "Check report (CSV)", "check-report.csv", visit.release.check_report, "text/csv")
    for text in (*quality.not_available(release.metrics), quality.not_in_extract(release.characteristics)):
        if text:
            layout.quiet(text)
    drawn = {"rows": _rows, "checks": _checks, "aside": _set_aside, "record": _record, "hidden": _hidden}
    view = Filters(release).switch("view", "What to see of data quality", _views(visit))
    drawn[view](visit)
    visit.link("methods", "What each measure means")


def _answer(release: Release) -> str:
    incomplete = record.incomplete(release, ALL_LEVELS) if len(release.units) else {}
    return quality.quality_answer(release.reconciliation, release.checks, record.named(release, incomplete))


def _views(visit: Visit) -> dict[str, str]:
    """The views there is anything for: figures of schools are not everybody's."""
    has = {"record": record.RECORD_CHECK in visit.release.metrics.index and len(visit.release.units) > 0}
    return {name: label for name, label in VIEWS.items() if has.get(name, True)}


def _attacks(visit: Visit) -> pd.DataFrame:
    checks = visit.release.checks
    return checks[(checks["table_name"] == "release") & checks["expectation"].str.startswith("attack")]


def _rows(visit: Visit) -> None:
    frame = visit.release.reconciliation
    layout.section(quality.reconciliation_title(frame), "Rows read = loaded + set aside + duplicates, for every file")
    st.html(html.table(tables.totals(frame), "Rows per table", tables.TOTALLED))
    if not visit.release.sight.names_files:
        return
    with st.expander(f"All {words.plural(len(frame), 'file')}"):
        st.html(html.table(tables.reconciliation(frame), "Rows per file", tables.RECONCILED))


def _checks(visit: Visit) -> None:
    checks = visit.release.checks
    checks = checks.drop(_attacks(visit).index)
    layout.section(
        quality.checks_title(checks),
        "A critical check stops the run; a row-level one sets rows aside; a warning is reported here",
    )
    # What row-level checks found has its own section below.
    failed = checks[~checks["passed"].astype(bool) & (checks["severity"] != "row-level")]
    if len(failed):
        st.html(html.table(tables.checks(failed), "Checks that need a look", ("Rows",)))
    for name, rows in checks.groupby("table_name", sort=False):
        label = words.TABLES.get(name, name)
        with st.expander(f"{label}: {words.plural(len(rows), 'check')}"):
            st.html(html.table(tables.checks(rows), f"All checks of {words.lowered(label)}", ("Rows",)))


def _set_aside(visit: Visit) -> None:
    quarantine = visit.release.quarantine
    title = quality.quarantine_title(quarantine)
    if quarantine.empty:
        layout.section(title)
        return
    layout.section(title, "These rows count nowhere until the extract is mended")
    st.html(html.table(tables.rules_broken(quarantine), "Rows set aside, by rule", ("Rows",)))
    if not visit.release.sight.names_files:
        return
    with st.expander("By file"):
        st.html(html.table(tables.quarantine(quarantine), "Rows set aside, by rule and file", ("Rows",)))


def _record(visit: Visit) -> None:
    """Meetings on record for every hundred that students recall, school by school."""
    release, theme = visit.release, visit.theme
    metric = release.metrics.loc[record.RECORD_CHECK]
    period = periods_with(release, record.RECORD_CHECK, ALL_LEVELS).iloc[0]
    c = compare(release, metric, period, ALL_LEVELS)
    low = consistency.incomplete_records(release.everyone(record.RECORD_CHECK, ALL_LEVELS, period))
    title = quality.record_title(c, low)
    if c.shown.empty:
        layout.section(title)
        return
    verdicts = ["attention" if u in low else "context" for u in c.schools["unit"]]
    schools = c.unjudged.schools.assign(verdict=verdicts)
    layout.chart(
        visit,
        intervals(schools, c.university, c.metric, theme, (), dict.fromkeys(low, record.INCOMPLETE), visit.column),
        title=title,
        subtitle=(
            f"{layout.about(metric, c.period, release.levels.loc[ALL_LEVELS, 'label'])}. A school that meets its "
            "students but does not log it looks like one that does not meet them. Lines are 95% intervals."
        ),
        alt=f"{title}.",
        table=tables.schools(c, set(low)),
        figures=lambda: c.numbers.assign(level=ALL_LEVELS),
        numeric=tables.SCHOOL_FIGURES,
        legend=[
            (theme.attention, "●", f"clearly below {consistency.INCOMPLETE_BELOW}%"),
            (theme.context, "●", "not clearly"),
        ],
        key="record",
    )


def _hidden(visit: Visit) -> None:
    """Whether hidden figures hold, and what hiding them costs."""
    attacks = _attacks(visit)
    layout.section(quality.attack_title(attacks), "An attacker sees what is published and nothing else")
    if attacks.empty:
        layout.prose(quality.NOT_ATTACKED)
    else:
        st.html(html.table(tables.checks(attacks), "Attacks on this release", ("Rows",)))
    _cost(visit)


def _cost(visit: Visit) -> None:
    frame = visit.release.protection
    if frame.empty:
        layout.quiet("What hiding figures costs is not part of your role, or not published in this release.")
        return
    layout.section(quality.cost_title(frame), "Over all periods, measures and groups")
    layout.prose(quality.cost_words(frame))
    kind = frame["kind"].map(words.KINDS)
    level = (frame["level"] == "all").map({True: "all levels together", False: "one level"})
    order = frame.assign(place=frame["kind"].map({k: i for i, k in enumerate(words.KINDS)})).sort_values(
        ["place", "level"], kind="stable"
    )
    by_unit = tables.protection(order, {"Figures of": (kind + ", " + level).reindex(order.index)})
    st.html(html.table(by_unit, "What protection costs", tables.PROTECTED))
    labels = visit.release.characteristics["label"].to_dict()
    of = frame["characteristic"].map({"all": "Everyone together", **labels}).fillna(frame["characteristic"])
    with st.expander("By characteristic"):
        by_characteristic = tables.protection(frame, {"Groups by": of})
        st.html(html.table(by_characteristic, "What protection costs, by characteristic", tables.PROTECTED))
