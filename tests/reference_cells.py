"""The cells once more, written plainly in pandas: what the SQL models must agree with, and are timed against."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.definitions import Definitions

KEY = ["academic_year", "part", "level", "unit", "characteristic", "group", "metric"]
SUMS = ["n", "sx", "sxx", "sy", "syy", "sxy", "have_some", "lack_some"]
UNDATED = ["has_tutor", "tutees_per_fte"]  # how things stand now: not known of earlier years to date
STATEMENTS = ["knows_me", "trust", "supported", "part_of_journey", "belonging"]


def with_broader(frame: pd.DataFrame, definitions: Definitions) -> pd.DataFrame:
    """The rows with a column more for each broader characteristic, from that of its finer one."""
    for c in definitions.characteristics.values():
        if c.of in frame:
            joined = {finer: group for group, groups in c.join.items() for finer in groups}
            frame = frame.assign(**{c.name: frame[c.of].map(joined).fillna("Unknown")})
    return frame


def current_week(meetings: pd.DataFrame, calendar: pd.DataFrame) -> tuple[str, int] | None:
    """The year in progress and the week it has reached; None where the latest year is complete."""
    through = meetings.loc[meetings["status"] != "cancelled", "meeting_date"].max()
    latest = calendar.sort_values("teaching_start").iloc[-1]
    if through >= latest["teaching_end"] - pd.Timedelta(days=28):
        return None
    return latest["academic_year"], ((through - latest["teaching_start"]).days + 3) // 7


def cells(
    enrolments: pd.DataFrame,
    meetings: pd.DataFrame,
    feedback: pd.DataFrame,
    tutors: pd.DataFrame,
    standards: pd.DataFrame,
    calendar: pd.DataFrame,
    schools: pd.DataFrame,
    characteristics: list[str],
) -> pd.DataFrame:
    """Sufficient statistics of the metrics below, from staged rows (dates as datetime64)."""
    with_meetings = enrolments.loc[enrolments["enrolment"].isin(meetings["enrolment"]), "academic_year"]
    through = meetings.loc[meetings["status"] != "cancelled", "meeting_date"].max()
    calendar = calendar[calendar["academic_year"].isin(with_meetings) & (calendar["teaching_start"] <= through)]
    progress = current_week(meetings, calendar)
    parts: list[pd.DataFrame] = []
    for part in ("year", "to_date"):
        if part == "to_date" and progress is None:
            continue
        periods = calendar.copy()
        if part == "year":
            periods = periods[periods["academic_year"] != (progress[0] if progress else None)]
            periods["week"], periods["ends"] = periods["teaching_weeks"], periods["teaching_end"]
        else:
            periods["week"] = progress[1]
            periods["ends"] = periods["teaching_start"] + pd.Timedelta(days=7 * progress[1] - 3)
        valued = _enrolment_values(enrolments, meetings, feedback, standards, periods, part)
        answers = _response_values(feedback, meetings, periods, part)
        staff = _tutor_values(tutors, valued, periods)
        long = [
            *aggregate(valued, characteristics, ["has_tutor", "any_meeting", "met_by_promised_week", "met_standard",
                        "meetings_per_student", "attendance", "same_tutor", "no_meeting", "response_rate"]),
            *aggregate(answers, characteristics, [*STATEMENTS, "recorded_of_recalled"]),
            *aggregate(staff, [], ["tutees_per_fte"]),
        ]  # fmt: skip
        every = pd.concat(long).assign(part=part)
        if part == "to_date":  # groups of the year in progress and the one before alone
            lately = sorted(periods["academic_year"])[-2:]
            every = every[(every["characteristic"] == "all") | every["academic_year"].isin(lately)]
            every = every[~every["metric"].isin(UNDATED) | (every["academic_year"] == progress[0])]
        parts.append(every)
    return rolled_up(pd.concat(parts), schools)


def _enrolment_values(enrolments, meetings, feedback, standards, periods, part):
    e = enrolments.merge(
        periods[["academic_year", "week", "ends", "teaching_start", "teaching_weeks"]], on="academic_year"
    )
    e = e[e["start_date"].isna() | (e["start_date"] <= e["ends"])]
    e = e[e["end_date"].isna() | (e["end_date"] >= e["teaching_start"])]
    m = meetings if part == "year" else meetings[meetings["teaching_week"] <= e["week"].iloc[0]]
    attended = m[m["status"] == "attended"]
    counts = attended.groupby("enrolment").agg(attended=("teaching_week", "size"), first_week=("teaching_week", "min"))
    with_tutor = attended[attended["tutor_id"].notna()].groupby("enrolment")["tutor_id"].agg(["size", "nunique"])
    missed = m[m["status"] == "missed"].groupby("enrolment").size().rename("missed")
    e = e.merge(counts, left_on="enrolment", right_index=True, how="left")
    e = e.merge(with_tutor, left_on="enrolment", right_index=True, how="left")
    e = e.merge(missed, left_on="enrolment", right_index=True, how="left")
    e[["attended", "missed", "size"]] = e[["attended", "missed", "size"]].fillna(0)

    own = standards[standards["school_code"].notna()]
    common = standards[standards["school_code"].isna()].drop(columns="school_code")
    e = e.merge(own, on=["school_code", "academic_year", "level"], how="left")
    e = e.merge(common, on=["academic_year", "level"], how="left", suffixes=("", "_common"))
    promised = e["first_meeting_by_week"].fillna(e["first_meeting_by_week_common"])
    due = e["meetings_per_year"].fillna(e["meetings_per_year_common"])
    if part == "to_date":
        due = np.floor(due * e["week"] / e["teaching_weeks"])
    days = lambda n: pd.to_timedelta(n, unit="D")  # noqa: E731
    early = e["start_date"].isna() | (e["start_date"] <= e["teaching_start"] + days(6))
    stayed = e["end_date"].isna() | (e["end_date"] >= e["teaching_start"] + days(7 * promised - 3))
    throughout = (e["start_date"].isna() | (e["start_date"] <= e["teaching_start"] + days(14))) & (
        e["end_date"].isna() | (e["end_date"] >= e["ends"])
    )
    responses = feedback if part == "year" else feedback[feedback["teaching_week"] <= e["week"].iloc[0]]
    met = (e["attended"] > 0).astype(float)
    return e.assign(
        x_has_tutor=e["tutor_id"].notna().astype(float),
        x_any_meeting=met,
        x_met_by_promised_week=(e["first_week"] <= promised).astype(float).where(
            promised.notna() & (promised <= e["week"]) & early & stayed
        ),
        x_met_standard=(e["attended"] >= due).astype(float).where((due >= 1) & throughout),
        x_meetings_per_student=e["attended"],
        x_attendance=e["attended"].where(e["attended"] + e["missed"] > 0),
        y_attendance=(e["attended"] + e["missed"]).where(e["attended"] + e["missed"] > 0),
        x_same_tutor=(e["nunique"] == 1).astype(float).where(e["size"] >= 2),
        x_no_meeting=1 - met,
        x_response_rate=e["enrolment"].isin(responses["enrolment"].dropna()).astype(float),
    )  # fmt: skip


def _response_values(feedback, meetings, periods, part):
    r = feedback.merge(periods[["academic_year", "week"]], on="academic_year")
    if part == "to_date":
        r = r[r["teaching_week"] <= r["week"]]
    attended = meetings.loc[meetings["status"] == "attended", ["enrolment", "meeting_date"]]
    linked = r.dropna(subset="enrolment")[["response_id", "enrolment", "response_date"]].merge(attended, on="enrolment")
    recorded = linked[linked["meeting_date"] <= linked["response_date"]].groupby("response_id").size()
    recalled = r["recalled_meetings"].astype("Float64").astype(float)
    counted = recalled.notna() & r["enrolment"].notna()
    r = r.assign(
        x_recorded_of_recalled=r["response_id"].map(recorded).fillna(0).astype(float).where(counted),
        y_recorded_of_recalled=recalled.where(counted),
    )
    for statement in STATEMENTS:
        answer = r[statement].astype("Float64").astype(float)
        r[f"x_{statement}"] = (answer >= 4).astype(float).where(answer.notna())
    return r


def _tutor_values(tutors, enrolments, periods):
    keys = ["academic_year", "school_code", "tutor_id"]
    tutees = enrolments.dropna(subset="tutor_id").groupby(keys).size().rename("x_tutees_per_fte").reset_index()
    t = tutors[tutors["academic_year"].isin(periods["academic_year"])].merge(tutees, on=keys, how="left")
    return t.assign(
        level="all", x_tutees_per_fte=t["x_tutees_per_fte"].fillna(0).astype(float), y_tutees_per_fte=t["fte"]
    )


def aggregate(valued, characteristics, metrics):
    """Sums by school of the metrics of rows, x over y: of everyone and of each characteristic's groups."""
    for characteristic in ["all", *characteristics]:
        frame = valued.assign(group="all" if characteristic == "all" else valued[characteristic])
        keys = ["academic_year", "level", "school_code", "group"]
        for metric in metrics:
            x = frame[f"x_{metric}"].astype(float)
            y = frame[f"y_{metric}"].astype(float) if f"y_{metric}" in frame else x.notna().astype(float)
            sums = frame[keys].assign(
                n=x.notna(), sx=x, sxx=x * x, sy=y, syy=y * y, sxy=x * y, have_some=x > 0, lack_some=(x == 0) | (x < y)
            )
            out = sums.groupby(keys, observed=True)[SUMS].sum().reset_index()
            yield out[out["n"] > 0].assign(metric=metric, characteristic=characteristic)


def rolled_up(by_school, schools):
    """The sums of schools with those of faculties, the university and all levels."""
    faculty = by_school["school_code"].map(schools.set_index("school_code")["faculty_code"])
    units = pd.concat(
        [
            by_school.assign(unit="school:" + by_school["school_code"]),
            by_school.assign(unit="faculty:" + faculty),
            by_school.assign(unit="university"),
        ]
    )
    by_unit = units.groupby(KEY, observed=True)[SUMS].sum().reset_index()
    every_level = by_unit[by_unit["level"] != "all"].drop(columns="level").assign(level="all")
    return pd.concat([by_unit, every_level]).groupby(KEY, observed=True)[SUMS].sum().reset_index()
