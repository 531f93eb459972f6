"""Data quality: can these figures be trusted?"""

from __future__ import annotations

import streamlit as st

from dashboard import layout, tables
from dashboard.findings import quality
from dashboard.layout import Visit
from dashboard.style import html, words


def page(visit: Visit) -> None:
    """Whether every row is accounted for, what was checked, what was set aside."""
    release = visit.release
    layout.question(release.about["university"], "Can I trust these figures?")
    layout.answer(quality.quality_answer(release.reconciliation, release.checks))
    layout.quiet(
        f"{quality.last_meeting(release.about['data_through'])}; "
        f"this release was made on {words.moment(release.about['created'])} (UTC)."
    )
    if visit.viewer.takes("check report"):
        layout.download(visit, "Check report (CSV)", "check-report.csv", visit.release.check_report, "text/csv")
    _rows(visit)
    _checks(visit)
    _set_aside(visit)
    _cost(visit)
    _missing(visit)
    visit.link("methods", "What each measure means")


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


def _cost(visit: Visit) -> None:
    frame = visit.release.protection
    if frame.empty:
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


def _missing(visit: Visit) -> None:
    missing = quality.not_available(visit.release.metrics)
    if text := quality.not_in_extract(visit.release.characteristics):
        missing.append(text)
    if missing:
        layout.section("What these figures cannot show")
        for text in missing:
            layout.prose(text)
