"""Who is missing out: gaps between groups, with the evidence the release gives them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from dashboard.style import words

Row = Mapping[str, Any]
MOST_HIDDEN = 6  # named one by one
MOST_FEW = 3  # groups of a characteristic, likewise
HIDDEN = words.STATUS["suppressed"]
WORTH = ("clear gap", "possible gap")


def missing_out(gaps: pd.DataFrame, metrics: pd.DataFrame, evidence: str = "clear gap") -> pd.DataFrame:
    """Gaps with that evidence, told from the side of whoever is worse off, widest first.

    Adds `worse_off`, `better_off` (groups) and `weight` (the gap in multiples of what is material).
    A gap in favour of a group is a gap against its reference: both ways round belong here.
    """
    found = gaps[(gaps["status"] == "shown") & (gaps["evidence"] == evidence) & (gaps["direction"] != "none")].copy()
    against_group = found["direction"] == "worse"
    found["worse_off"] = found["group"].where(against_group, found["reference"])
    found["better_off"] = found["reference"].where(against_group, found["group"])
    found["weight"] = found["value"].abs() / found["metric"].map(metrics["material"]).astype(float)
    return found.sort_values("weight", ascending=False, kind="stable")


def apart(gaps: pd.DataFrame, metrics: pd.DataFrame, seen: Collection[str]) -> tuple[str, str] | str:
    """The two groups of the widest clear gap among groups that are `seen`, the worse off first; else why there is none.

    gaps: of one metric, place and characteristic.
    """
    clear = missing_out(gaps, metrics) if len(gaps) else gaps
    for gap in clear.to_dict("records"):
        if gap["worse_off"] in seen and gap["better_off"] in seen:
            return str(gap["worse_off"]), str(gap["better_off"])
    if len(clear):
        return "a clear gap is of a group that is not shown here"
    shown = gaps[gaps["status"] == "shown"] if len(gaps) else gaps
    if (shown["evidence"] != "too few to say").any() if len(shown) else False:
        return "no clear gap between groups"
    return "too few to say whether groups differ" if len(shown) else "no gap between groups can be shown"


def no_gap_title(gaps: pd.DataFrame) -> str:
    """Why no clear gap on the headline measures is named: there is none, or nobody can say, or not of most groups."""
    evidence = gaps.loc[gaps["status"] == "shown", "evidence"]
    if evidence.empty:
        return "No gap between groups to show on the headline measures"
    judged = int((evidence != "too few to say").sum())
    if not judged:
        return "Too few students to say who is missing out on the headline measures"
    if 2 * judged < len(evidence):
        return "In most comparisons on the headline measures too few students to say who is missing out"
    return "No clear gap between groups on the headline measures"


def no_gap_words(gaps: pd.DataFrame) -> str:
    """Of how many comparisons anything can be said, and how many gaps may be real."""
    evidence = gaps.loc[gaps["status"] == "shown", "evidence"]
    judged, possible = int((evidence != "too few to say").sum()), int((evidence == "possible gap").sum())
    unseen = len(gaps) - len(evidence)
    said = f"of {words.plural(len(gaps), 'comparison')} {words.small(judged) if judged else 'none'} can say"
    said += f", {words.small(unseen)} {'is' if unseen == 1 else 'are'} hidden or without a figure" if unseen else ""
    said += f", and {words.plural(possible, 'gap')} may be real" if possible else ""
    return words.sentence(said)


def widest_by_characteristic(found: pd.DataFrame, characteristics: pd.DataFrame, most: int) -> pd.DataFrame:
    """Of gaps sorted widest first: the widest of each characteristic, at most `most`.

    Of a broader characteristic only where its finer one has none: they would say the same thing twice.
    """
    return finest(found, characteristics).drop_duplicates("characteristic").head(most)


def finest(found: pd.DataFrame, characteristics: pd.DataFrame) -> pd.DataFrame:
    """The gaps without those of a broader characteristic whose finer one is among them."""
    return found[~found["characteristic"].map(characteristics["of"]).isin(found["characteristic"])]


def finest_of_each(found: pd.DataFrame, characteristics: pd.DataFrame) -> pd.DataFrame:
    """The same of each metric by itself, in the order given."""
    found = found.reset_index(drop=True)
    of_each = [finest(rows, characteristics) for _, rows in found.groupby("metric")]
    return pd.concat(of_each).sort_index() if of_each else found


def students(group: str, characteristic: Row) -> str:
    """A group within a sentence: 'Black students'."""
    return str(characteristic["people"].get(group, group))


def gap_words(gap: Row, metric: Row, characteristic: Row) -> str:
    """'9 points lower for Black students than for White students (7 to 11 points)', from `missing_out`."""
    x = gap["value"] if gap["worse_off"] == gap["group"] else -gap["value"]
    low, high = sorted((abs(gap["lower"]), abs(gap["upper"])))
    if gap["lower"] <= 0 <= gap["upper"]:
        low = 0.0
    limits = words.precise(gap["lower"], gap["upper"], metric)
    bounds = f"{words.number(low, limits['decimals'])} to {words.size(high, limits)}"
    direction = "higher" if x > 0 else "lower"
    worse, better = (students(gap[side], characteristic) for side in ("worse_off", "better_off"))
    return f"{words.size(x, metric)} {direction} for {worse} than for {better} ({bounds})"


def equity_answer(
    gaps: pd.DataFrame,
    metrics: pd.DataFrame,
    metric: Row,
    characteristics: pd.DataFrame,
    place: str = "at the university",
) -> str:
    """The answer to 'Who is missing out?' for one metric in one place."""
    label = words.quoted(metric["label"])
    shown = gaps[gaps["status"] == "shown"]
    judged = shown[shown["evidence"] != "too few to say"]
    if shown.empty:
        return f"There are no gaps to show for {label} {place}."
    if judged.empty:
        return f"Too few students to say who is missing out on {label} {place}."
    if metric["better"] == "neither":
        clear_ones = words.plural(int((judged["evidence"] == "clear gap").sum()), "clear difference")
        return words.sentence(f"{clear_ones} between groups on {label} {place}; neither direction is better in itself")
    clear = missing_out(shown, metrics)
    if clear.empty:
        possible = len(finest(missing_out(shown, metrics, "possible gap"), characteristics))
        doubt = f"; {words.plural(possible, 'gap')} may be real" if possible else ""
        return f"No clear gap on {label} {place}{doubt}.{_mostly_unseen(gaps)}"
    clear = finest(clear, characteristics)
    first = clear.iloc[0]
    by = words.plural(finest(judged, characteristics)["characteristic"].nunique(), "characteristic")
    n = words.small(clear["characteristic"].nunique())
    widest = characteristics.loc[first["characteristic"]]
    return (
        f"On {label}, there is a clear gap {place} by {n} of {by}. "
        f"The widest is by {words.lowered(widest['label'])}: {gap_words(first, metric, widest)}."
    )  # fmt: skip


def without_gap(gaps: pd.DataFrame, characteristics: pd.DataFrame) -> list[str]:
    """Characteristics by which there is neither a clear nor a possible gap, and no group shown is too few to say.

    A broader characteristic and its finer one count as one, named after whichever can say.
    """
    rest = _not_worth(gaps, characteristics)
    few = rest.loc[rest["evidence"] == "too few to say", "characteristic"]
    sure = finest(rest[~rest["characteristic"].isin(few)], characteristics)
    return [str(c) for c in sure["characteristic"].drop_duplicates()]


def too_few(gaps: pd.DataFrame, characteristics: pd.DataFrame) -> list[str]:
    """What is too few to say beside those: a characteristic where no group shown can say, else those that cannot."""
    told = []
    for name, rows in finest(_not_worth(gaps, characteristics), characteristics).groupby("characteristic", sort=False):
        label = words.lowered(str(characteristics.loc[name, "label"]))
        few = [str(group) for group in rows.loc[rows["evidence"] == "too few to say", "group"]]
        if len(few) == len(rows):
            told.append(label)
        elif few:
            groups = words.listed(few) if len(few) <= MOST_FEW else f"{words.small(len(few))} groups"
            told.append(f"{groups} by {label}")
    return told


def _not_worth(gaps: pd.DataFrame, characteristics: pd.DataFrame) -> pd.DataFrame:
    """Shown gaps of characteristics by which, finer or broader, there is none that is clear or possible."""
    shown = gaps[gaps["status"] == "shown"]
    finer = shown["characteristic"].replace(characteristics["of"].dropna().to_dict())
    return shown[~finer.isin(finer[shown["evidence"].isin(WORTH)])]


def no_gap_note(gaps: pd.DataFrame, characteristics: pd.DataFrame) -> str:
    """'No clear or possible gap by age on entry. Too few to say: care experience; Black by ethnicity.'; or nothing."""
    without = [words.lowered(str(characteristics.loc[c, "label"])) for c in without_gap(gaps, characteristics)]
    said = [f"No clear or possible gap by {words.listed(without)}."] if without else []
    if few := too_few(gaps, characteristics):
        said.append(f"Too few to say: {'; '.join(few)}.")
    return " ".join(said)


def _mostly_unseen(gaps: pd.DataFrame) -> str:
    """That most comparisons are hidden, or too few to say, where so: then no gap seen is not no gap."""
    seen = (gaps["status"] == "shown") & (gaps["evidence"] != "too few to say")
    n = int(seen.sum())
    return f" Only {words.small(n)} of {len(gaps)} comparisons can say." if 2 * n < len(gaps) else ""


def one_gap(gaps: pd.DataFrame, group: str, metric: Row, characteristic: Row, place: str) -> str:
    """What is published of one group's gap: 'Possible gap at the university: 3 points lower for disabled …'."""
    found = gaps[(gaps["group"] == group) & (gaps["status"] != "none")]
    if found.empty:
        return ""
    gap = found.iloc[0]
    people, others = (students(each, characteristic) for each in (group, gap["reference"]))
    if gap["status"] != "shown":
        return words.sentence(f"{people} and {others} {place}: {HIDDEN}")
    than = f" for {people} than for {others}"
    apart = words.difference(gap["value"], gap["lower"], gap["upper"], metric, than)
    return words.sentence(f"{gap['evidence']} {place}: {apart}")


def equity_title(gaps: pd.DataFrame) -> str:
    """The finding of the chart of all gaps at the university."""
    counts = gaps.loc[gaps["status"] == "shown", "evidence"].value_counts()
    clear, possible = int(counts.get("clear gap", 0)), int(counts.get("possible gap", 0))
    of_all = words.plural(int(counts.sum()), "comparison")
    also = f", {words.small(possible)} a possible one" if possible else ""
    if counts.empty:
        return "No comparison to show here"
    if not clear:
        hidden = " that can be shown" if (gaps["status"] == "suppressed").any() else ""
        return f"None of {of_all}{hidden} shows a clear gap{also}"
    verb = "shows" if clear == 1 else "show"
    return words.headline(f"{words.small(clear)} of {of_all} {verb} a clear gap{also}")


def groups_title(cells: pd.DataFrame, groups: pd.DataFrame, metric: Row, place: str) -> str:
    """The finding of the chart of groups side by side: how far apart they are at `place`."""
    comparable = groups[groups["compared"].astype(bool)].set_index("group")["is_reference"].astype(bool)
    shown = cells[(cells["status"] == "shown") & cells["group"].isin(comparable.index)]
    if len(shown) < 2:
        return f"{place}: too few groups have figures to set side by side"
    # Of groups at the same value the reference is named: it is what the others are compared with.
    by_value = shown.assign(other=~shown["group"].map(comparable)).sort_values("other", kind="stable")
    low, high = by_value.loc[by_value["value"].idxmin()], by_value.loc[by_value["value"].idxmax()]
    lowest, highest = words.value(low["value"], metric), words.value(high["value"], metric)
    if lowest == highest:
        return f"{place}: all groups at {lowest}"
    return f"{place}: from {low['group']} at {lowest} to {high['group']} at {highest}"


def hidden_words(cells: pd.DataFrame, places: pd.DataFrame) -> str:
    """'Hidden to protect people: Black in Music and Law.' for groups without a mark, or nothing."""
    names = places.set_index("unit")["short_name"]
    drawn = cells[(cells["status"] != "none") & cells["unit"].isin(names.index)]
    hidden = drawn[drawn["status"] == "suppressed"]
    if len(hidden) > MOST_HIDDEN:
        return f"{len(hidden)} of {len(drawn)} figures are {HIDDEN}; the table below says which."
    said = [
        f"{group} in {words.listed([str(names[u]) for u in rows['unit']])}"
        for group, rows in hidden.groupby("group", sort=False)
    ]
    return words.sentence(f"{HIDDEN}: {'; '.join(said)}") if said else ""


def without_words(schools: pd.DataFrame) -> str:
    """'Hidden to protect people: Law and Music. No figure: Dentistry.' `schools`: short_name, status."""
    return " ".join(
        words.sentence(f"{words.STATUS[str(status)]}: {words.listed(rows['short_name'].tolist())}")
        for status, rows in schools.groupby("status", sort=False)
    )


def elsewhere(university: pd.DataFrame, schools: pd.DataFrame) -> str:
    """What it may mean that the university has a clear gap and no school does; or nothing.

    Both frames hold one group's gap; a gap can come from which schools a group studies in.
    """
    shown = schools[schools["status"] == "shown"]
    judged = shown[shown["evidence"] != "too few to say"]
    of_all = university.loc[university["status"] == "shown", "evidence"]
    if not (of_all == "clear gap").any() or judged.empty or (judged["evidence"] == "clear gap").any():
        return ""
    return (
        "The university’s gap is clear, yet no school with enough students to say shows one: it may come from which "
        "schools the group studies in, or from gaps too small to see school by school."
    )


def school_title(gap: Row, group: str, reference: str) -> str:
    """The finding of the chart of one group's gap in the only school there is to see."""
    said = (
        HIDDEN if gap["status"] == "suppressed" else gap["evidence"] if gap["status"] == "shown" else "no gap to show"
    )
    return f"{group} and {reference} in {words.within(str(gap['name']))}: {said}"


def places_title(gaps: pd.DataFrame, group: str, reference: str) -> str:
    """The finding of the chart of one group's gap in every school: where it is clear, and where nobody can say."""
    evidence = gaps.loc[gaps["status"] == "shown", "evidence"]
    too_few, hidden = int((evidence == "too few to say").sum()), int((gaps["status"] == "suppressed").sum())
    clear, possible = (int((evidence == kind).sum()) for kind in WORTH)
    judged = len(evidence) - too_few
    if not judged:
        said = "too few students to say in any school" if too_few else "no gap to show in any school"
    else:
        if clear:
            said = f"a clear gap in {words.small(clear)} of {words.plural(len(evidence), 'school')} shown"
        else:
            said = f"no clear gap in the {words.plural(judged, 'school')} with enough students to say"
        said += f", a possible one in {words.small(possible)}" if possible else ""
        said += f", too few to say in {words.small(too_few)}" if too_few else ""
    said += f", hidden in {words.small(hidden)}" if hidden else ""
    return f"{group} and {reference}: {said}"
