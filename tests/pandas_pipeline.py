"""The straightforward way to the same cells: read with pandas, tidy, join, group. No checks, no quarantine."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipelines import definitions as definition_files
from pipelines import sources
from tests import reference_cells


def run(sources_file: Path) -> pd.DataFrame:
    """Cells (as tests.reference_cells.cells) of the extracts that `sources_file` maps."""
    definitions = definition_files.load()
    mapped = sources.load(sources_file)
    tables = {name: _read(mapped, table) for name, table in definitions.tables.items()}
    calendar, schools = tables["calendar"], tables["schools"]
    days = (calendar["teaching_end"] - calendar["teaching_start"]).dt.days + 1
    calendar = calendar.assign(teaching_weeks=days // 7)

    enrolments = tables["enrolments"].drop_duplicates(["student_id", "academic_year", "school_code"], keep="last")
    enrolments = enrolments[enrolments["school_code"].isin(schools["school_code"])]
    enrolments = enrolments.reset_index(drop=True).reset_index(names="enrolment")
    characteristics = [c.name for c in definitions.characteristics.values() if not c.of]
    enrolments[characteristics] = enrolments[characteristics].fillna("Unknown")

    meetings = tables["meetings"].drop_duplicates(["meeting_id", "student_id"], keep="last")
    meetings = meetings.dropna(subset="meeting_date")
    starts = calendar.sort_values("teaching_start")
    opens = (starts["teaching_start"] - pd.Timedelta(days=42)).to_numpy()
    year = pd.Series(opens).searchsorted(meetings["meeting_date"], side="right") - 1
    meetings = meetings.assign(academic_year=starts["academic_year"].to_numpy()[year])[year >= 0]
    keys = ["student_id", "academic_year", "school_code"]
    meetings = meetings.merge(enrolments[[*keys, "enrolment"]], on=keys)
    meetings = meetings.merge(calendar[["academic_year", "teaching_start"]], on="academic_year")
    meetings["teaching_week"] = _week(meetings, "meeting_date")

    feedback = tables["feedback"].drop_duplicates("response_id").dropna(subset="response_date")
    for statement in reference_cells.STATEMENTS:
        feedback = feedback[feedback[statement].isna() | feedback[statement].between(1, 5)]
    feedback = feedback.drop(columns=characteristics, errors="ignore")
    feedback = feedback.merge(enrolments[[*keys, "enrolment", *characteristics]], on=keys, how="left")
    feedback[characteristics] = feedback[characteristics].fillna("Unknown")
    feedback = feedback.merge(calendar[["academic_year", "teaching_start"]], on="academic_year")
    feedback["teaching_week"] = _week(feedback, "response_date")
    enrolments, feedback = (reference_cells.with_broader(frame, definitions) for frame in (enrolments, feedback))
    return reference_cells.cells(
        enrolments, meetings, feedback, tables["tutors"], tables["standards"], calendar, schools,
        list(definitions.characteristics),
    )  # fmt: skip


def _week(frame: pd.DataFrame, column: str) -> pd.Series:
    return ((frame[column] - frame["teaching_start"]).dt.days // 7 + 1).clip(lower=0)


def _read(mapped: sources.Sources, table: definition_files.Table) -> pd.DataFrame:
    source = mapped.of(table)
    frames = []
    for path in sorted(p for pattern in source.files for p in mapped.folder.glob(pattern)):
        if path.suffix == ".xlsx":
            sheet = next(iter(source.sheet), 0)
            frame = pd.read_excel(path, sheet_name=sheet, skiprows=source.skip_rows or 0, dtype=str)
        else:
            try:
                frame = pd.read_csv(path, dtype=str, encoding="utf-8-sig")
            except UnicodeDecodeError:
                frame = pd.read_csv(path, dtype=str, encoding="cp1252", sep=";")
        # fmt: off
        named = {n: name for name in table.columns for n in source.columns.get(name, (name,))}
        frame = frame.rename(columns={c: named.get(c.strip(), named.get(c.strip().lower(), c.strip().lower()))
                                      for c in frame.columns})
        # fmt: on
        frames.append(frame[[c for c in table.columns if c in frame]])
    out = pd.concat(frames, ignore_index=True).drop_duplicates()
    for name, column in table.columns.items():
        if name not in out:
            out[name] = None
            continue
        out[name] = out[name].str.strip()
        out[name] = out[name].mask(out[name] == "")
        if source.codes.get(name):
            out[name] = out[name].replace(dict(source.codes[name]))
        if column.type == "date":
            iso = pd.to_datetime(out[name], format="%Y-%m-%d", errors="coerce")
            iso = iso.fillna(pd.to_datetime(out[name], format="%Y-%m-%d %H:%M:%S", errors="coerce"))
            out[name] = iso.fillna(pd.to_datetime(out[name], format="%d/%m/%Y", errors="coerce"))
        elif column.type in ("integer", "number"):
            out[name] = pd.to_numeric(out[name], errors="coerce")
    return out
