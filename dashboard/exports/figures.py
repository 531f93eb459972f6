"""A figure of a pack: its finding in words, its chart, the table behind it, and its numbers; from one reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from dashboard import record, tables
from dashboard.charts.gaps import graded_gaps
from dashboard.charts.rows import AIR, DENSE
from dashboard.charts.schools import intervals
from dashboard.charts.strip import FEW, strips
from dashboard.exports import numbers
from dashboard.exports.figure import MANY, Figure, Mark
from dashboard.exports.reading import Reading
from dashboard.findings import consistency, equity, standing
from dashboard.findings.consistency import Comparison
from dashboard.style import words
from dashboard.style.theme import VERDICT
from dashboard.tables_headline import matrix

COLUMN = 40  # characters of a label's line
NO_GAP = 0.0
HIDDEN = words.STATUS["suppressed"]
CHANGES = (
    ("well", "▶", "clearly better than the year before"),
    ("attention", "◀", "clearly worse"),
    ("context", "●", "no clear change"),
)


def about(reading: Reading, metric: Mapping[Any, Any]) -> str:
    """'Met their tutor, 2025/26, all levels'."""
    return f"{metric['label']}, {reading.label(pd.Series(metric))}, {words.lowered(reading.level)}"


def headline_strips(reading: Reading, compared: Sequence[Comparison]) -> Figure | None:
    """Schools on every headline percentage; those of the unit over the unnamed middle of all schools."""
    shown = _percentages(compared)
    if not shown:
        return None
    own = [reading.own(pd.Series(c.metric)) for c in shown]
    seen_band = "the middle 80% of schools" if reading.is_university else "the middle 80% of all schools, unnamed"
    if reading.is_university and any(c.chance_aside for c in shown):
        seen_band = "where about eight in ten schools lie, chance set aside"
    if reading.is_university:
        marked: list[str] = []
        subtitle = f"Each dot is a school, the tick the university, the band {seen_band}. {reading.level}."
        title, table = consistency.strips_title(shown), tables.headline(shown)
        numeric: tuple[str, ...] = tables.HEADLINE_FIGURES
        alt = " ".join(words.sentence(consistency.spread(c)) for c in shown)
    else:
        if reading.is_school:
            shown = [_without_faculty(c) for c in shown]
        marked = list(shown[0].schools["unit"])
        seen = "In colour are the faculty’s schools" if len(marked) > 1 else "In colour is the school"
        band = f", the band {seen_band}" if any(c.middle for c in shown) else ""
        subtitle = f"{seen}, the tick and its figure the university{band}. {reading.level}."
        subtitle += f" † {record.INCOMPLETE}." if reading.incomplete and len(marked) <= FEW else ""
        title = standing.strips_title(shown, "the faculty’s" if len(marked) > 1 else "the")
        table = standing.headline(reading.name, shown, own)
        numeric = (reading.name, "95% interval", "University", standing.ALL_SCHOOLS)
        alt = " ".join(words.sentence(of_measure(c, standing.schools_answer(c, None))) for c in shown)
    return Figure(
        key="headline measures",
        kind="strips",
        title=title,
        subtitle=subtitle,
        alt=alt,
        table=table,
        numbers=numbers.headline(reading, shown, own),
        draw=lambda theme: strips(shown, theme, marked, reading.incomplete),
        marks=tuple(
            Mark(
                *(str(s["name"]), float(s["value"]), float(s["lower"]), float(s["upper"])),
                series=str(c.metric["label"]),
                verdict="own" if marked else "context",
            )
            for c in shown
            for s in c.shown.to_dict("records")
        )
        + tuple(
            Mark("University", float(c.university["value"]), series=str(c.metric["label"]), verdict="university")
            for c in shown
            if c.university["status"] == "shown"
        ),
        metric=shown[0].metric,
        numeric=numeric,
        legend=(("context", "▒", seen_band),) if any(c.middle for c in shown) else (),
        bands={str(c.metric["label"]): c.middle for c in shown if c.middle},
    )


def practice(
    reading: Reading, compared: Sequence[Comparison], units: Sequence[str], title: str, alt: str
) -> Figure | None:
    """The first few of some schools with their intervals among all that are seen, on every headline percentage."""
    units = units[:FEW]
    figure = headline_strips(reading, compared)
    if figure is None:
        return None
    shown = _percentages(compared)
    names = set(reading.release.units["name"].loc[list(units)])
    table = matrix(shown, reading.incomplete).map(str)
    band = f", the band {figure.legend[0][2]}" if figure.legend else ""
    named = "are the schools named" if len(units) > 1 else "is the school named"
    return replace(
        figure,
        key="good practice",
        title=title,
        subtitle=f"In colour {named}, each dot another school, the tick the university{band}. {reading.level}.",
        legend=(("context", "―", "95% interval of a school named"), *figure.legend),
        alt=alt,
        table=table[table["School"].isin(names | {"University"})],
        numeric=(),
        draw=lambda theme: strips(shown, theme, units, reading.incomplete),
        marks=tuple(
            m if m.verdict == "university" else replace(m, verdict="own" if m.label in names else "context")
            for m in figure.marks
        ),
    )


def _percentages(compared: Sequence[Comparison]) -> list[Comparison]:
    return [c for c in compared if len(c.shown) and c.metric["suffix"] == "%"]


def _without_faculty(c: Comparison) -> Comparison:
    return replace(c, schools=c.schools[c.schools["unit"].str.startswith("school:")].reset_index(drop=True))


def schools(reading: Reading, c: Comparison, title: str = "") -> Figure:
    """Every school seen on one measure, around the university's value."""
    better, spread = str(c.metric["better"]), reading.band(pd.Series(c.metric))
    incomplete = reading.incomplete if c.metric["theme"] in ("contact", "record") else {}
    rows = c.schools.assign(verdict=[consistency.verdict(s, better) for s in c.schools["side"]])
    is_record = c.metric["metric"] == record.RECORD_CHECK
    answer = schools_answer(reading, c)
    if is_record:  # judged by its interval alone
        c = c.unjudged
        rows = c.schools.assign(verdict="context")
    doubted = rows["unit"].isin(incomplete)
    rows["verdict"] = rows["verdict"].mask(doubted, "attention" if is_record else "doubt")
    if not title:
        in_part = of_measure(c, answer.partition(". ")[0])
        title = words.headline(consistency.spread(c) if reading.is_university and c.middle else in_part)
    band = (spread.low, spread.high) if spread else None
    legend = (
        [("attention", "●", record.INCOMPLETE)]
        if is_record
        else [
            (consistency.verdict(side, better), glyph, f"{side} the usual range")
            for side, glyph in (("above", "▶"), ("below", "◀"))
            if (~doubted & (rows["side"] == side)).any()
        ]
    )
    inside = "within the usual range" if c.limited else "a school"
    legend.append(("context", "●", "not in doubt" if is_record else inside))
    legend += [("doubt", "○", f"{record.INCOMPLETE}: check it first")] if doubted.any() and not is_record else []
    legend += [("context", glyph, said) for glyph, said in consistency.SHADES] if c.limited else []
    legend += [("context", "▒", "the middle 80% of all schools, unnamed")] if spread else []
    base = words.shown_base(c.university)
    base = base if reading.is_university else f"{base} at the university"
    return Figure(
        key=f"schools {c.metric['metric']}",
        kind="rows",
        title=title,
        subtitle=f"{about(reading, c.metric)}, out of {base} ({c.metric['out_of']}). Lines are 95% intervals."
        + (" The usual range allows for each school’s size and for how schools differ anyway." if c.limited else ""),
        alt=(f"{title}." if is_record else answer)
        + (f" {words.sentence(consistency.spread(c))}" if reading.is_university else ""),
        table=tables.schools(c, set(incomplete), standing.rows(spread, c.metric)),
        numbers=numbers.schools(reading, c, set(incomplete)),
        draw=lambda theme: intervals(
            rows,
            c.university,
            c.metric,
            theme,
            (),
            dict.fromkeys(incomplete, record.INCOMPLETE),
            COLUMN,
            band,
            air=DENSE if len(rows) > MANY else AIR,
        ),
        marks=tuple(
            replace(
                _mark(r, str(r["short_name"]), str(r["verdict"]), legend),
                doubted=r["unit"] in incomplete and not is_record,
            )
            for r in rows.to_dict("records")
        ),
        metric=c.metric,
        numeric=("Value", "95% interval", "Out of"),
        legend=tuple(legend),
        note=record.caution(reading.release, incomplete) if incomplete else "",
        reference=_reference(c.university, c.metric),
        band=band,
    )


def schools_answer(reading: Reading, c: Comparison) -> str:
    """How many schools stand apart from the university, and whether by chance."""
    if reading.is_university:
        n = len(reading.incomplete) if c.metric["theme"] == "contact" else 0
        return consistency.schools_answer(c, n)
    c = _without_faculty(c) if reading.is_school else c
    said = standing.schools_answer(c, reading.band(pd.Series(c.metric)))
    return said.replace("any of your schools", "any school of the faculty")


def of_measure(c: Comparison, said: str) -> str:
    """A sentence about schools that says of which measure it is: '‘Met their tutor’: of four schools, …'."""
    return f"{words.quoted(str(c.metric['label']))}: {words.lowered(said)}"


def groups(reading: Reading, metric: pd.Series, characteristic: str, title: str) -> Figure:
    """One characteristic's groups in the unit on one measure, with the evidence of each gap."""
    release = reading.release
    named = release.characteristics.loc[characteristic]
    order = release.groups[release.groups["characteristic"] == characteristic].set_index("group")
    gaps = reading.gaps(metric)
    gaps = gaps[gaps["characteristic"] == characteristic].set_index("group")
    found = reading.groups(metric, characteristic)
    found = found.assign(place=found["group"].map(order["ordering"])).sort_values("place", kind="stable")
    rows = []
    for cell in found.to_dict("records"):
        gap = gaps.loc[cell["group"]] if cell["group"] in gaps.index else None
        verdict = VERDICT.get(str(gap["direction"]), "context") if gap is not None else "context"
        evidence = "reference" if cell["group"] == named["reference"] else ""
        if gap is not None:
            evidence = str(gap["evidence"]) if gap["status"] == "shown" else words.STATUS[gap["status"]]
        side = "near"
        if verdict != "context" and gap is not None:
            side = "above" if gap["value"] > 0 else "below"
        rows.append(
            {**cell, "name": cell["group"], "short_name": cell["group"], "verdict": verdict, "side": side,
             "evidence": evidence or "never compared", "unit": cell["group"]}
        )  # fmt: skip
    frame = pd.DataFrame(rows)
    own = reading.own(metric)
    notes = {str(r["unit"]): str(r["evidence"]) for r in rows if r["status"] == "shown"}
    here = "University" if reading.is_university else "School" if reading.is_school else "Faculty"
    table = pd.DataFrame(
        [
            {
                "Group": r["group"],
                "Value": words.shown(r, metric),
                "95% interval": words.shown_interval(r, metric),
                "Out of": words.shown_base(r),
                f"Against {named['reference']}": r["evidence"],
            }
            for r in rows
        ]
    )
    return Figure(
        key=f"groups {metric['metric']} {characteristic}",
        kind="rows",
        title=title,
        subtitle=(
            f"{about(reading, metric)}, by {words.lowered(str(named['label']))}. Lines are 95% intervals; "
            f"with each group, the evidence for a gap to {named['reference']}."
        ),
        alt=f"{title}. " + "; ".join(f"{r['group']} {words.shown(r, metric)}" for r in rows) + ".",
        table=table,
        numbers=numbers.cells(
            reading,
            metric,
            [{**own, "name": reading.name, "group": "all"}, *({**r, "name": reading.name} for r in rows)],
            str(named["label"]),
        ),
        draw=lambda theme: intervals(frame, own, metric, theme, (), notes, COLUMN, None, here),
        marks=tuple(_mark(r, _with_evidence(r), str(r["verdict"]), _gap_legend(metric)) for r in rows),
        metric=metric,
        numeric=("Value", "95% interval", "Out of"),
        legend=_gap_legend(metric),
        reference=_reference(own, metric, here),
    )  # fmt: skip


def _with_evidence(row: Mapping[str, Any]) -> str:
    return f"{row['group']} ({row['evidence']})" if row["status"] == "shown" else str(row["group"])


def gaps(reading: Reading, metric: pd.Series) -> Figure | None:
    """The gaps of the unit on one measure; None where none is shown.

    Characteristics without any are named in the note and stand in the table; they are not drawn.
    """
    found = reading.gaps(metric)
    drawn = _drawn(found, reading) if len(found) else found
    if drawn.empty:
        return None
    rows = tables.gap_rows(drawn, reading.release.characteristics, reading.release.groups).assign(name=reading.name)
    every = tables.gap_rows(found, reading.release.characteristics, reading.release.groups).assign(name=reading.name)
    told = every[~every["heading"].astype(bool)]
    place = "at the university" if reading.is_university else f"in {words.within(reading.name)}"
    answer = equity.equity_answer(found, reading.release.metrics, metric, reading.release.characteristics, place)
    unit_of = f", in{metric['gap_suffix']}" if metric["gap_suffix"] else ""
    legend = _gap_legend(metric, gap=True)
    return Figure(
        key=f"gaps {metric['metric']}",
        kind="gaps",
        title=words.headline(answer.split(". ")[0]),
        subtitle=(
            f"{reading.name}: groups against their reference. {about(reading, metric)}{unit_of}. "
            "Bands darken towards the likeliest size."
            f"{' The table has every group.' if len(drawn) < len(found) else ''}"
        ),
        alt=f"{equity.equity_title(found)}. {answer}",
        table=tables.gaps(told, metric, "group"),
        numbers=numbers.gaps(reading, metric, told.to_dict("records")),
        draw=lambda theme: graded_gaps(rows, metric, theme, False, COLUMN),
        marks=tuple(
            _mark(r, f"{r['group']} against {r['reference']}", VERDICT.get(str(r["direction"]), "context"), legend)
            for r in rows[~rows["heading"].astype(bool)].to_dict("records")
        ),
        metric=metric,
        numeric=("Gap", "95% interval", "Out of"),
        legend=legend,
        reference=(NO_GAP, "no gap"),
        note=_not_drawn(found, reading),
    )


def _drawn(found: pd.DataFrame, reading: Reading) -> pd.DataFrame:
    """Gaps to be drawn: of characteristics with a figure; broader groups only where a finer one has none."""
    shown = found["status"] == "shown"
    whole = {c for c, rows in shown.groupby(found["characteristic"]) if rows.all()}
    of = reading.release.characteristics["of"]
    wanted = [c for c in set(found.loc[shown, "characteristic"]) if of.get(c) not in whole]
    return found[found["characteristic"].isin(wanted)]


def _not_drawn(found: pd.DataFrame, reading: Reading) -> str:
    """Characteristics none of whose gaps is shown."""
    shown = set(found.loc[found["status"] == "shown", "characteristic"])
    labels = reading.release.characteristics["label"]
    hidden = [words.lowered(str(labels[c])) for c in found["characteristic"].unique() if c not in shown]
    return f"No gap is shown by {words.listed(hidden)}: {HIDDEN} or nobody to compare." if hidden else ""


def measures(reading: Reading, metrics: Sequence[pd.Series], key: str, title: str, subtitle: str) -> Figure | None:
    """The unit's percentages side by side, this year's value against the last one's in the table."""
    own = [(m, reading.own(m)) for m in metrics]
    drawn = [
        {**row, "unit": str(m["metric"]), "name": m["label"], "short_name": m["label"], **_moved(reading, m)}
        for m, row in own
        if m["suffix"] == "%"
    ]
    if not any(row["status"] == "shown" for row in drawn):
        return None
    nothing = {"status": "none"}
    frame, percent = pd.DataFrame(drawn), next(m for m in metrics if m["suffix"] == "%")
    notes = {str(m["metric"]): reading.label(m) for m, _ in own if reading.label(m) != reading.period["label"]}
    return Figure(
        key=key,
        kind="rows",
        title=title,
        subtitle=subtitle,
        alt=" ".join(f"{m['label']}: {words.shown(row, m)}." for m, row in own),
        table=pd.DataFrame(
            [
                {
                    "Measure": m["label"],
                    "Period": reading.label(m),
                    "Value": words.shown(row, m),
                    "95% interval": words.shown_interval(row, m),
                    "Out of": f"{words.shown_base(row)} ({m['out_of']})",
                    "Against the year before": consistency.change_words(*_changed(reading, m)),
                }
                for m, row in own
            ]
        ),
        numbers=pd.concat([numbers.cells(reading, m, [{**row, "name": reading.name}]) for m, row in own]),
        draw=lambda theme: intervals(frame, nothing, percent, theme, (), notes, COLUMN),
        marks=tuple(_mark(r, str(r["name"]), str(r["verdict"]), CHANGES) for r in frame.to_dict("records")),
        metric=percent,
        numeric=("Value", "95% interval"),
        legend=CHANGES,
    )


def _changed(reading: Reading, metric: pd.Series) -> tuple[Any, pd.Series, str]:
    moved, since = reading.change(metric)
    return moved, metric, since


def _moved(reading: Reading, metric: pd.Series) -> dict[str, str]:
    moved, _ = reading.change(metric)
    verdict = consistency.change_verdict(moved, str(metric["better"]))
    return {"verdict": verdict, "side": {"well": "above", "attention": "below"}.get(verdict, "near")}


def _reference(row: Mapping[Any, Any], metric: Mapping[Any, Any], name: str = "University") -> tuple[float, str] | None:
    return (float(row["value"]), f"{name} {words.shown(row, metric)}") if row["status"] == "shown" else None


def _mark(row: Mapping[Any, Any], label: str, verdict: str, legend: Sequence[tuple[str, str, str]]) -> Mark:
    if row["status"] != "shown":
        return Mark(label, None, why=words.missing(row))
    glyph = next((glyph for meant, glyph, _ in legend if meant == verdict and verdict in ("well", "attention")), "")
    return Mark(label, float(row["value"]), float(row["lower"]), float(row["upper"]), verdict, glyph=glyph)


def _gap_legend(metric: Mapping[Any, Any], gap: bool = False) -> tuple[tuple[str, str, str], ...]:
    if metric["better"] == "neither":
        return (("context", "●", "neither direction is better"),)
    worse, better = ("◀", "▶") if metric["better"] == "higher" else ("▶", "◀")
    doubt = "; open: possible" if gap else ", or possibly"
    return (
        ("attention", worse, f"clearly worse off{doubt}"),
        ("well", better, f"clearly better off{doubt}"),
        ("context", "●", "no clear gap, or too few to say"),
    )
