"""The same cells as a polars user would make them: scan, tidy, join, group. No checks, no quarantine."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import polars as pl

from pipelines import definitions as definition_files
from pipelines import sources
from tests.reference_cells import KEY, STATEMENTS, SUMS, UNDATED

UNKNOWN = definition_files.UNKNOWN
ENROLMENT = ["student_id", "academic_year", "school_code"]
OF_ENROLMENTS = ["has_tutor", "any_meeting", "met_by_promised_week", "met_standard", "meetings_per_student",
                 "attendance", "same_tutor", "no_meeting", "response_rate"]  # fmt: skip


def run(sources_file: Path) -> pl.DataFrame:
    """Cells (as tests.reference_cells.cells) of the extracts that `sources_file` maps."""
    definitions = definition_files.load()
    mapped = sources.load(sources_file)
    tables = {name: _read(mapped, table) for name, table in definitions.tables.items()}
    schools, standards, tutors, calendar = pl.collect_all(
        [tables["schools"], tables["standards"], tables["tutors"], tables["calendar"].sort("teaching_start")]
    )
    days = (pl.col("teaching_end") - pl.col("teaching_start")).dt.total_days() + 1
    calendar = calendar.with_columns(teaching_weeks=days // 7, opens=pl.col("teaching_start").dt.offset_by("-42d"))
    enrolments = _enrolments(tables["enrolments"], schools, definitions)
    meetings, feedback = pl.collect_all(
        [
            _meetings(tables["meetings"], enrolments, calendar),
            _feedback(tables["feedback"], enrolments, calendar, definitions),
        ],
        engine="streaming",
    )

    characteristics = list(definitions.characteristics)
    by_school = []
    for part, periods in _periods(calendar, meetings).items():
        so_far = pl.lit(True) if part == "year" else pl.col("teaching_week") <= periods["week"][0]
        met, answered = meetings.filter(so_far), feedback.filter(so_far)
        lately = periods["academic_year"].sort().to_list()[-2:]  # of years to date, those with groups
        of_groups = pl.lit(True) if part == "year" else pl.col("academic_year").is_in(lately)
        dated = pl.lit(part == "year") | ~pl.col("metric").is_in(UNDATED) | (pl.col("academic_year") == lately[-1])
        enrolled = _enrolment_values(enrolments, met, answered, standards, periods, part)
        for rows, groups, metrics in (
            (enrolled, characteristics, OF_ENROLMENTS),
            (_response_values(answered, meetings, periods), characteristics, [*STATEMENTS, "recorded_of_recalled"]),
            (_tutor_values(tutors, enrolled, periods), [], ["tutees_per_fte"]),
        ):
            grouped = rows.filter(of_groups)
            summed = [_summed(rows, "all", metrics), *(_summed(grouped, group, metrics) for group in groups)]
            by_school += [each.filter(dated).with_columns(part=pl.lit(part)) for each in summed]
    return _rolled_up(pl.concat(by_school), schools)


def _read(mapped: sources.Sources, table: definition_files.Table) -> pl.LazyFrame:
    """The rows of all files of a table, with the contract's columns, codes and types."""
    source = mapped.of(table)
    named = {n: name for name in table.columns for n in source.columns.get(name, (name,))}
    frames = []
    for path in sorted(p for pattern in source.files for p in mapped.folder.glob(pattern)):
        frame = _scan(path, source)
        names = {c: named.get(c.strip(), named.get(c.strip().lower())) for c in frame.collect_schema()}
        frames.append(frame.select(pl.col(c).alias(name) for c, name in names.items() if name))
    rows = pl.concat(frames, how="diagonal").unique(keep="first", maintain_order=True)
    present = rows.collect_schema()
    return rows.select(
        _typed(column, source.codes.get(name, {})) if name in present else pl.lit(None, pl.String).alias(name)
        for name, column in table.columns.items()
    )


def _scan(path: Path, source: sources.TableSource) -> pl.LazyFrame:
    """One file, every column as text; a header with semicolons is that of the old, Windows-1252 system."""
    if path.suffix == ".xlsx":
        sheet = pd.read_excel(
            path, sheet_name=next(iter(source.sheet), 0), skiprows=source.skip_rows or 0, dtype=str, engine="calamine"
        )
        return pl.from_pandas(sheet).lazy()
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        header = file.readline()
    if b";" in header:
        return pl.read_csv(path, separator=";", encoding="cp1252", infer_schema=False).lazy()
    return pl.scan_csv(path, infer_schema=False)


def _typed(column: definition_files.Column, codes: dict[str, str]) -> pl.Expr:
    text = pl.col(column.name).str.strip_chars()
    text = pl.when(text != "").then(text)
    if codes:
        text = text.replace(codes)
    if column.type == "date":
        return pl.coalesce(
            text.str.to_date("%Y-%m-%d", strict=False),
            text.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False).dt.date(),
            text.str.to_date("%d/%m/%Y", strict=False),
        )
    return text.cast(pl.Float64, strict=False) if column.type in ("integer", "number") else text


def _enrolments(rows: pl.LazyFrame, schools: pl.DataFrame, definitions: definition_files.Definitions) -> pl.DataFrame:
    """The last row of each enrolment at a known school, numbered, with the broader characteristics."""
    every = definitions.characteristics.values()
    joined = {c.name: {finer: group for group, groups in c.join.items() for finer in groups} for c in every if c.of}
    return (
        rows.unique(ENROLMENT, keep="last")
        .filter(pl.col("school_code").is_in(schools["school_code"].implode()))
        .with_columns(pl.col(c.name).fill_null(UNKNOWN) for c in every if not c.of)
        .with_columns(pl.col(c.of).replace_strict(joined[c.name], default=UNKNOWN).alias(c.name) for c in every if c.of)
        .collect(engine="streaming")
        .with_row_index("enrolment")
    )


def _week(day: str) -> pl.Expr:
    """The teaching week of a day; 0 for all before the first."""
    days = (pl.col(day) - pl.col("teaching_start")).dt.total_days()
    return (days // 7 + 1).clip(lower_bound=0).alias("teaching_week")


def _meetings(rows: pl.LazyFrame, enrolments: pl.DataFrame, calendar: pl.DataFrame) -> pl.LazyFrame:
    """The last row of each meeting and student, with the enrolment and week it falls in."""
    return (
        rows.unique(["meeting_id", "student_id"], keep="last")
        .drop_nulls("meeting_date")
        .sort("meeting_date")
        .join_asof(calendar.lazy(), left_on="meeting_date", right_on="opens")
        .join(enrolments.lazy().select("enrolment", *ENROLMENT), on=ENROLMENT)
        .select("enrolment", "academic_year", "meeting_date", _week("meeting_date"), "status", "tutor_id")
    )


def _feedback(
    rows: pl.LazyFrame, enrolments: pl.DataFrame, calendar: pl.DataFrame, definitions: definition_files.Definitions
) -> pl.LazyFrame:
    """The first row of each response on the scale, with its enrolment's characteristics where it is linked."""
    characteristics = list(definitions.characteristics)
    return (
        rows.unique("response_id", keep="first")
        .drop_nulls("response_date")
        .filter(pl.col(s).is_null() | pl.col(s).is_between(1, 5) for s in STATEMENTS)
        .drop(characteristics, strict=False)
        .join(enrolments.lazy().select("enrolment", *ENROLMENT, *characteristics), on=ENROLMENT, how="left")
        .with_columns(pl.col(characteristics).fill_null(UNKNOWN))
        .join(calendar.lazy().select("academic_year", "teaching_start"), on="academic_year")
        .with_columns(_week("response_date"))
    )


def _periods(calendar: pl.DataFrame, meetings: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The whole years with meetings; and, where the latest is in progress, all up to the week it has reached."""
    through = meetings.filter(pl.col("status").ne_missing("cancelled"))["meeting_date"].max()
    with_meetings = meetings["academic_year"].unique().implode()
    calendar = calendar.filter(pl.col("academic_year").is_in(with_meetings), pl.col("teaching_start") <= through)
    whole = calendar.with_columns(week="teaching_weeks", ends="teaching_end")
    latest = calendar.row(-1, named=True)
    if (latest["teaching_end"] - through).days <= 28:
        return {"year": whole}
    week = ((through - latest["teaching_start"]).days + 3) // 7
    ends = pl.col("teaching_start") + pl.duration(days=7 * week - 3)
    return {"year": whole.head(-1), "to_date": calendar.with_columns(week=pl.lit(week), ends=ends)}


def _enrolment_values(
    enrolments: pl.DataFrame,
    meetings: pl.DataFrame,
    feedback: pl.DataFrame,
    standards: pl.DataFrame,
    periods: pl.DataFrame,
    part: str,
) -> pl.DataFrame:
    """The enrolments of the periods with the value of each metric, null for those it is not about."""
    attended, tutor = pl.col("status") == "attended", pl.col("tutor_id")
    counts = meetings.lazy().group_by("enrolment").agg(
        attended=attended.sum(),
        missed=(pl.col("status") == "missed").sum(),
        first_week=pl.col("teaching_week").filter(attended).min(),
        with_tutor=tutor.filter(attended).count(),
        tutors=tutor.filter(attended).drop_nulls().n_unique(),
    )  # fmt: skip
    own = standards.lazy().drop_nulls("school_code")
    common = standards.lazy().filter(pl.col("school_code").is_null()).drop("school_code")
    responded = feedback["enrolment"].drop_nulls().unique().implode()

    start, end, begins = pl.col("start_date"), pl.col("end_date"), pl.col("teaching_start")
    promised = pl.coalesce("first_meeting_by_week", "first_meeting_by_week_common")
    due = pl.coalesce("meetings_per_year", "meetings_per_year_common")
    if part == "to_date":
        due = (due * pl.col("week") / pl.col("teaching_weeks")).floor()
    early = start.is_null() | (start <= begins + pl.duration(days=6))
    stayed = end.is_null() | (end >= begins + pl.duration(days=(7 * pl.col("promised") - 3).cast(pl.Int64)))
    throughout = (start.is_null() | (start <= begins + pl.duration(days=14))) & (
        end.is_null() | (end >= pl.col("ends"))
    )
    met, happened = pl.col("attended"), pl.col("attended") + pl.col("missed")
    in_time = (pl.col("first_week") <= pl.col("promised")).fill_null(False)
    counted = (pl.col("promised") <= pl.col("week")) & early & stayed
    return (
        enrolments.lazy()
        .join(periods.lazy(), on="academic_year")
        .filter(start.is_null() | (start <= pl.col("ends")), end.is_null() | (end >= begins))
        .join(counts, on="enrolment", how="left")
        .join(own, on=["school_code", "academic_year", "level"], how="left")
        .join(common, on=["academic_year", "level"], how="left", suffix="_common")
        .with_columns(pl.col("attended", "missed", "with_tutor").fill_null(0), promised=promised, due=due)
        .with_columns(
            x_has_tutor=tutor.is_not_null(),
            x_any_meeting=met > 0,
            x_met_by_promised_week=pl.when(counted).then(in_time),
            x_met_standard=pl.when((pl.col("due") >= 1) & throughout).then(met >= pl.col("due")),
            x_meetings_per_student=met,
            x_attendance=pl.when(happened > 0).then(met),
            y_attendance=pl.when(happened > 0).then(happened),
            x_same_tutor=pl.when(pl.col("with_tutor") >= 2).then(pl.col("tutors") == 1),
            x_no_meeting=met == 0,
            x_response_rate=pl.col("enrolment").is_in(responded),
        )
        .with_columns(pl.col("^[xy]_.*$").cast(pl.Float64))
        .collect()
    )


def _response_values(feedback: pl.DataFrame, meetings: pl.DataFrame, periods: pl.DataFrame) -> pl.DataFrame:
    """The responses of the periods with the value of each metric, null for those it is not about."""
    recorded = (
        feedback.lazy()
        .select("response_id", "enrolment", "response_date")
        .join(meetings.lazy().filter(pl.col("status") == "attended"), on="enrolment")
        .filter(pl.col("meeting_date") <= pl.col("response_date"))
        .group_by("response_id")
        .agg(recorded=pl.len())
    )
    counted = pl.col("recalled_meetings").is_not_null() & pl.col("enrolment").is_not_null()
    return (
        feedback.lazy()
        .join(periods.lazy().select("academic_year"), on="academic_year")
        .join(recorded, on="response_id", how="left")
        .with_columns(
            ((pl.col(s) >= 4).cast(pl.Float64).alias(f"x_{s}") for s in STATEMENTS),
            x_recorded_of_recalled=pl.when(counted).then(pl.col("recorded").fill_null(0).cast(pl.Float64)),
            y_recorded_of_recalled=pl.when(counted).then("recalled_meetings"),
        )
        .collect()
    )


def _tutor_values(tutors: pl.DataFrame, enrolments: pl.DataFrame, periods: pl.DataFrame) -> pl.DataFrame:
    """The tutors of the periods with their tutees, over their hours."""
    keys = ["academic_year", "school_code", "tutor_id"]
    tutees = enrolments.group_by(keys).agg(x_tutees_per_fte=pl.len().cast(pl.Float64))
    return (
        tutors.join(periods.select("academic_year"), on="academic_year", how="semi")
        .join(tutees, on=keys, how="left")
        .with_columns(pl.col("x_tutees_per_fte").fill_null(0), y_tutees_per_fte="fte", level=pl.lit("all"))
    )


def _summed(rows: pl.DataFrame, characteristic: str, metrics: list[str]) -> pl.DataFrame:
    """Sums by school of the metrics of rows, x over y, of a characteristic's groups; a row per metric."""
    keys = ["academic_year", "level", "school_code", "group"]
    group = pl.lit("all") if characteristic == "all" else pl.col(characteristic)
    sums = []
    for metric in metrics:
        x, n = pl.col(f"x_{metric}"), pl.col(f"x_{metric}").count()
        if f"y_{metric}" in rows.columns:
            y = pl.col(f"y_{metric}")
            sy, syy, sxy, lack = y.sum(), (y * y).sum(), (x * y).sum(), (x == 0) | (x < y)
        else:  # y is 1 for each x
            sy = syy = n.cast(pl.Float64)
            sxy, lack = x.sum(), x < 1
        of_metric = pl.struct(
            n=n, sx=x.sum(), sxx=(x * x).sum(), sy=sy, syy=syy, sxy=sxy, have_some=(x > 0).sum(), lack_some=lack.sum()
        )
        sums.append(of_metric.alias(metric))
    return (
        rows.lazy()
        .with_columns(group=group)
        .drop_nulls(keys)
        .group_by(keys)
        .agg(sums)
        .unpivot(metrics, index=keys, variable_name="metric", value_name="sums")
        .unnest("sums")
        .filter(pl.col("n") > 0)
        .with_columns(characteristic=pl.lit(characteristic))
        .collect()
    )


def _rolled_up(by_school: pl.DataFrame, schools: pl.DataFrame) -> pl.DataFrame:
    """The sums of schools with those of faculties, the university and all levels."""
    in_faculty = by_school.lazy().join(
        schools.lazy().select("school_code", "faculty_code"), on="school_code", how="left"
    )
    units = ("school:" + pl.col("school_code"), "faculty:" + pl.col("faculty_code"), pl.lit("university"))
    by_unit = pl.concat(_added_up(in_faculty.with_columns(unit=unit)) for unit in units)
    every_level = _added_up(by_unit.filter(pl.col("level") != "all").with_columns(level=pl.lit("all")))
    return pl.concat([by_unit, every_level]).collect(engine="streaming")


def _added_up(cells: pl.LazyFrame) -> pl.LazyFrame:
    return cells.drop_nulls("unit").group_by(KEY).agg(pl.col(SUMS).sum())
