"""One school in words: where each of its measures stands, how it moved, its gaps, its voice and its record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from dashboard.findings import consistency, equity
from dashboard.findings.consistency import CHECK, INCOMPLETE_BELOW, MARKS, OUTSIDE, Change
from dashboard.style import html, words

Row = Mapping[str, Any]
GAP_KEY = ["metric", "characteristic", "group"]
NEARLY_ALL = 5  # meetings of 100 recalled by which a record may be off and still be taken at its word
FAR_BELOW = 3  # points below everybody's response rate
WITHIN = "within the usual range for schools"
VERDICTS = {"learn": "well", "better": "well", "conversation": "attention"}
COLUMNS = ("Value", "Faculty", "University", "Out of")


@dataclass(frozen=True)
class Measure:
    """One measure of a school beside its faculty and the university, and beside itself a year before.

    when: academic year and part of the period. limits: the school's row of `funnel`, None where there is none.
    before: the label of the earlier period, empty where there is none. faculty: None where the viewer does not see it.
    Cells are as published. doubted: a figure of contact of a school whose record looks incomplete, which is not judged.
    """

    metric: Row
    period: str
    when: tuple[str, str]
    own: Row
    faculty: Row | None
    university: Row
    limits: Row | None
    before: str
    earlier: Row
    doubted: bool = False

    @property
    def place(self) -> str:
        """Where it stands, as in `consistency.place`; '' where that cannot be said, or not yet."""
        if self.limits is None or self.own["status"] != "shown" or self.doubted:
            return ""
        return consistency.place({**self.limits, "side": self.limits["position"]}, self.metric)

    @property
    def outside(self) -> bool:
        """Whether it lies outside the usual range, in doubt or not."""
        return self.limits is not None and self.own["status"] == "shown" and self.limits["position"] in OUTSIDE

    @property
    def verdict(self) -> str:
        """'well', 'attention', 'context' or 'doubt'."""
        return "doubt" if self.doubted else VERDICTS.get(self.place, "context")

    @property
    def glyph(self) -> str:
        """The place as a mark in text."""
        return MARKS[self.place]

    @property
    def says(self) -> str:
        """The place in words; why there is none, where there is none."""
        if self.own["status"] != "shown":
            return words.missing(self.own)
        if self.limits is None:
            return "no limits to compare with"
        side = "higher" if self.limits["position"] == "above" else "lower"
        where = f"{side} than usual" if self.outside else WITHIN
        said = CHECK if self.doubted else consistency.SAYS.get(self.place, "")
        return f"{said}: {where}" if said else where

    @property
    def moved(self) -> Change | None:
        """How it moved since the period before."""
        return consistency.change(self.own, self.earlier)


def in_doubt(measures: Sequence[Measure], check: Measure | None) -> list[Measure]:
    """The measures, those of contact in doubt where the record looks incomplete. check: as in `record`."""
    incomplete = check is not None and looks_incomplete(check)
    return [
        replace(m, doubted=incomplete and m.metric["theme"] == "contact" and m.own["status"] == "shown")
        for m in measures
    ]


def answer(name: str, measures: Sequence[Measure], one: str = "measure") -> str:
    """The answer to how tutoring is in a school: on how many measures it stands apart, which way. one: of them."""
    judged = [m for m in measures if m.place]
    school, doubted, caution = words.within(name), any(m.doubted for m in measures), ""
    if doubted:
        caution = " Its record of meetings looks incomplete: contact cannot be judged before it is checked."
    if not judged:
        return words.sentence(f"there are too few figures to say where {school} stands") + caution
    of_all = words.plural(len(judged), one) + (" that can be judged" if doubted else "")
    well = [m for m in judged if m.verdict == "well"]
    others = [m for m in judged if m.place in ("conversation", "apart")]
    if not well and not others:
        said = f"on all of {of_all}, {school} lies {WITHIN}"
    else:
        told = [f"worth learning from on {words.small(len(well))}"] if well else []
        told += [f"worth a conversation on {words.small(len(others))}"] if others else []
        said = f"of {of_all}, {school} is {words.listed(told)}"
        if len(well) + len(others) < len(judged):
            said += f", and lies {WITHIN} on the rest"
    return words.sentence(said) + caution


def lists(measures: Sequence[Measure]) -> list[html.Named]:
    """What goes well and what is worth a conversation, side by side, both as plainly; by itself contact outside the
    usual range where the record looks incomplete, which may be all it is.
    """
    well = sorted((m for m in measures if m.verdict == "well"), key=lambda m: m.place != "learn")
    others = [m for m in measures if m.place in ("conversation", "apart")]
    found = [
        html.Named(
            "Worth learning from",
            "On the good side of the usual range for schools; ★ beyond the 99.8% limits.",
            [_named(m) for m in well],
            "well",
        ),
        html.Named(
            "Worth a conversation",
            "Outside it otherwise: a signal, not a verdict.",
            [_named(m) for m in others],
            "attention",
        ),
    ]
    if doubted := [m for m in measures if m.doubted and m.outside]:
        said = "Outside it, with far fewer meetings on record than students recall."
        found.append(html.Named(words.headline(CHECK), said, [_named(m) for m in doubted], "doubt"))
    return found


def _named(m: Measure) -> str:
    says = m.says.rpartition(": ")[2]  # the heading says the rest
    return f"{m.glyph} {m.metric['label']}: {_value(m)}, {says}"


def by_chance(measures: Sequence[Measure]) -> str:
    """How many of so many measures lie outside their limits whatever the school does."""
    judged = sum(1 for m in measures if m.place)
    about, of_all = consistency.by_chance(judged), words.plural(judged, "measure")
    return f"The usual range holds 95 schools in 100: of {of_all}, {about} would lie outside it in any case."


def chart_title(measures: Sequence[Measure]) -> str:
    """The finding of the chart of these measures, which are percentages: others are not drawn."""
    judged = [m for m in measures if m.place]
    outside = [m for m in judged if m.place != "within"]
    doubted = any(m.doubted for m in measures)
    if not judged:
        return words.headline(CHECK) if doubted else "No limits to compare with"
    of_all = words.plural(len(judged), "percentage")
    if not outside:
        said = f"{words.headline(WITHIN)} on {'all' if len(judged) > 1 else 'the'} {of_all}"
    elif len(outside) <= 2:
        said = f"Outside the usual range on {words.listed([words.quoted(m.metric['label']) for m in outside])}"
    else:
        said = f"Outside the usual range on {words.small(len(outside))} of {of_all}"
    return f"{said}; on contact {CHECK}" if doubted else said


def table(measures: Sequence[Measure]) -> pd.DataFrame:
    """One row per measure: where it stands, its value beside faculty and university, and how it moved."""
    return pd.DataFrame(
        [
            {
                "Measure": m.metric["label"],
                "Where it stands": html.Mark(m.glyph, m.says, m.verdict),
                "Value": _value(m),
                **({"Faculty": words.shown(m.faculty, m.metric)} if m.faculty else {}),
                "University": words.shown(m.university, m.metric),
                "Since the year before": _change(m),
                "Out of": words.shown_base(m.own),
            }
            for m in measures
        ]
    )


def _value(m: Measure) -> str:
    interval = f" ({words.shown_interval(m.own, m.metric)})" if m.own["status"] == "shown" else ""
    return f"{words.shown(m.own, m.metric)}{interval}"


def _change(m: Measure) -> str:
    if m.moved is None:
        return "no figure to compare with"
    bounds = words.gap_interval(m.moved.lower, m.moved.upper, m.metric).removesuffix(str(m.metric["gap_suffix"]))
    if not m.moved.is_clear:
        return f"no clear change ({bounds})"
    return f"{'up' if m.moved.value > 0 else 'down'} {words.size(m.moved.value, m.metric)} ({bounds})"


def beside(m: Measure) -> str:
    """'2026/27 to week 9, beside 2025/26 to week 9'."""
    return f"{m.period}, beside {m.before}" if m.before else m.period


def figures(measures: Sequence[Measure], unit: str, faculty: str) -> pd.DataFrame:
    """The numbers behind the page: the school, its faculty and the university on every measure."""
    rows = []
    for m in measures:
        shared = {"metric": m.metric["metric"], "period": m.period, "level": "all"}
        limits = {k: m.limits[k] for k in ("target", "position", "says")} if m.limits is not None else {}
        rows += [{**m.own, **limits, **shared, "unit": unit}]
        rows += [{**m.faculty, **shared, "unit": faculty}] if m.faculty else []
        rows += [{**m.university, **shared, "unit": "university"}]
    return pd.DataFrame(rows)


def clearest(
    gaps: pd.DataFrame, metrics: pd.DataFrame, characteristics: pd.DataFrame, drawn: pd.DataFrame
) -> pd.DataFrame:
    """A school's gaps worth naming, the clearest first: one for each characteristic and theme.

    drawn: the school's gaps drawn towards those of all schools (`pooled_gap_school`), which rank more surely; adds
    their limits as `drawn`, `drawn_lower`, `drawn_upper` (null where there is none).
    """
    found = pd.concat([equity.missing_out(gaps, metrics, evidence) for evidence in ("clear gap", "possible gap")])
    found = equity.finest(found, characteristics)
    towards = drawn.reindex(columns=[*GAP_KEY, "value", "lower", "upper"]).rename(
        columns={"value": "drawn", "lower": "drawn_lower", "upper": "drawn_upper"}
    )
    found = found.merge(towards, on=GAP_KEY, how="left")
    low, high = (found[f"drawn_{side}"].fillna(found[side]).astype(float) for side in ("lower", "upper"))
    nearest = pd.concat([low.abs(), high.abs()], axis=1).min(axis=1).where(low * high > 0, 0.0)
    found = found.assign(
        sure=nearest / found["metric"].map(metrics["material"]).astype(float),
        possible=found["evidence"] != "clear gap",
        theme=found["metric"].map(metrics["theme"]),
    ).sort_values(["possible", "sure", "weight"], ascending=[True, False, False], kind="stable")
    return found.drop_duplicates(["characteristic", "theme"])


def gap_sentence(gap: Row, metric: Row, characteristic: Row) -> tuple[str, str]:
    """'Clear gap by ethnicity' and '‘Trust’ is 9 points lower …', both with the doubt of other schools' gaps."""
    lead = words.headline(f"{gap['evidence']} by {words.lowered(str(characteristic['label']))}")
    lead += " taken by itself, unsure beside other schools" if _may_be_none(gap) else ""
    said = f"{words.quoted(str(metric['label']))}: {equity.gap_words(gap, metric, characteristic)}"
    return lead, words.sentence(said + _doubt(gap, metric))


def _may_be_none(gap: Row) -> bool:
    """Whether a gap that is drawn towards those of all schools may be none, or lie the other way."""
    if pd.isna(gap["drawn"]):
        return False
    return bool(gap["drawn_lower"] * gap["drawn_upper"] <= 0 or gap["drawn"] * gap["value"] <= 0)


def _doubt(gap: Row, metric: Row) -> str:
    if pd.isna(gap["drawn"]):
        return ""
    low, high = sorted((abs(gap["drawn_lower"]), abs(gap["drawn_upper"])))
    if _may_be_none(gap):
        return ". Beside other schools’ gaps it may be none at all"
    bounds = f"{words.number(low, int(metric['decimals']))} to {words.size(high, metric)}"
    return f". Beside other schools’ gaps it is likelier about {words.size(gap['drawn'], metric)} ({bounds})"


def gaps_title(gaps: pd.DataFrame) -> str:
    """How many of the school's comparisons show a gap."""
    return equity.equity_title(gaps).replace("here", "in this school")


def other_gaps(gaps: pd.DataFrame, more: int) -> str:
    """How many more gaps there are than are named, and how many comparisons are hidden; or nothing."""
    hidden = int((gaps["status"] == "suppressed").sum())
    said = (
        [f"{words.plural(more, 'further gap')} of this kind {'is' if more == 1 else 'are'} on ‘Equity gaps’"]
        if more > 0
        else []
    )
    if hidden:
        said.append(f"{words.plural(hidden, 'comparison')} {'is' if hidden == 1 else 'are'} hidden to protect people")
    return words.sentence("; ".join(said))


def voice(response: pd.DataFrame, representativeness: pd.DataFrame, characteristics: pd.DataFrame) -> list[str]:
    """Who answered the survey in a school, and who is heard less. Rows of `response` and of `representativeness`."""
    shown = response[response["status"] == "shown"] if len(response) else response
    everyone = shown[shown["characteristic"] == "all"] if len(shown) else shown
    if everyone.empty:
        return ["How many answered the survey is not shown for this school."]
    rate = everyone.iloc[0]
    said = [f"{_rate(rate)} answered the survey, out of {words.about(rate['base'])} students."]
    if representativeness.empty:
        return said
    uneven = representativeness.loc[representativeness["says"] == "some are heard less", "characteristic"]
    if uneven.empty:
        return [*said, "No group can be told to be heard clearly less than others."]
    silent = shown[shown["characteristic"].isin(uneven) & (shown["group"] != "Unknown")]
    silent = silent[(silent["upper"] < rate["value"]) & (silent["value"] <= rate["value"] - FAR_BELOW)]
    labels = characteristics["label"]
    by = words.listed([words.lowered(str(labels[c])) for c in uneven if c in labels.index])
    heard = words.sentence(f"some are heard less, by {by}")
    if len(silent):
        least = silent.sort_values("value").drop_duplicates("characteristic").to_dict("records")
        heard += " Least: " + words.sentence(words.listed([f"{g['group']} {_rate(g)}" for g in least]))
    return [*said, heard]


def _rate(row: Row) -> str:
    low, high = words.number(row["lower"]), words.number(row["upper"])
    return f"{words.number(row['value'])}% ({low}% to {high}%)"


def looks_incomplete(check: Measure) -> bool:
    """Whether far fewer meetings are on record than students recall. check: recorded of recalled meetings."""
    return check.own["status"] == "shown" and check.own["upper"] < INCOMPLETE_BELOW


def record(check: Measure | None) -> str:
    """Whether the school's contact figures can be taken at their word. check: recorded of recalled meetings."""
    if check is None or check.own["status"] != "shown":
        return "How much of what students recall is on record is not shown for this school."
    own = check.own
    said = (
        f"For every 100 meetings that students recall, about {words.number(own['value'])} are on record "
        f"({words.number(own['lower'])} to {words.number(own['upper'])}): "
    )
    if looks_incomplete(check):
        return said + "far fewer. Low contact figures here may be a matter of logging, not of meeting."
    if own["lower"] < INCOMPLETE_BELOW:
        return said + "the record may be incomplete. Read contact figures with care."
    if own["lower"] <= 100 <= own["upper"] or abs(own["value"] - 100) <= NEARLY_ALL:
        return said + "the record of contact can be taken at its word."
    more = "more" if own["value"] > 100 else "fewer"
    off = words.number(abs(own["value"] - 100))
    return said + f"about {off} in 100 {more} than students recall. Contact figures here are off by about as much."
