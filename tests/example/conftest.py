"""A small example university, and a reader of its extracts that shares no code with the pipeline."""

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from pipelines.example import Summary, generate

STUDENTS, YEARS, SEED = 2000, 3, 7


@dataclass
class Example:
    """The folder, and what the extracts and the truth in it say."""

    folder: Path
    summary: Summary

    @property
    def planted(self) -> dict:
        return json.loads((self.folder / "truth" / "planted.json").read_text(encoding="utf-8"))

    @property
    def truth(self) -> pd.DataFrame:
        return pd.read_parquet(self.folder / "truth" / "truth.parquet")

    @property
    def sources(self) -> dict:
        return tomllib.loads((self.folder / "sources.toml").read_text(encoding="utf-8"))

    def extract(self, table: str) -> pd.DataFrame:
        """Every row of a table's files, bad ones too, under the contract's names and codes."""
        mapping = self.sources["tables"][table]
        paths = sorted(path for pattern in mapping["files"] for path in self.folder.glob(pattern))
        rows = pd.concat([self.read(path, mapping).assign(file=path.name) for path in paths], ignore_index=True)
        rows = rows.rename(columns={own: ours for ours, own in mapping.get("columns", {}).items()})
        rows = rows.rename(columns={"Level": "level"})
        for column, codes in mapping.get("codes", {}).items():
            rows[column] = rows[column].replace(codes)
        return rows

    def good(self, table: str) -> pd.DataFrame:
        """The rows a right pipeline loads."""
        rows = self.extract(table)
        rows["school_code"] = rows["school_code"].str.strip()
        good = rows["school_code"] != "ZZZZ"
        if table == "enrolments":
            good &= is_date(rows["start_date"])
        if table == "meetings":
            good &= is_date(rows["meeting_date"]) & ~rows["student_id"].str.startswith("9")
        if table == "feedback":
            good &= (rows["trust"] != "0") & (rows["supported"] != "6")
        return rows[good].drop_duplicates().reset_index(drop=True)

    def read(self, path: Path, mapping: dict) -> pd.DataFrame:
        if path.suffix == ".xlsx":
            sheet, skip = mapping.get("sheet", 0), mapping.get("skip_rows", 0)
            return pd.read_excel(path, sheet_name=sheet, skiprows=skip, dtype=str, keep_default_na=False)
        legacy = path.name == min(p.name for p in self.folder.glob("enrolments_*.csv"))
        style = {"sep": ";", "encoding": "cp1252"} if legacy else {"encoding": "utf-8-sig"}
        return pd.read_csv(path, dtype=str, keep_default_na=False, **style)


def dates(texts: pd.Series) -> pd.Series:
    """ISO or dd/mm/yyyy, as dates; what is neither, as NaT."""
    iso = pd.to_datetime(texts, format="%Y-%m-%d", errors="coerce")
    return iso.fillna(pd.to_datetime(texts, format="%d/%m/%Y", errors="coerce"))


def is_date(texts: pd.Series) -> pd.Series:
    return dates(texts).notna()


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Example:
    folder = tmp_path_factory.mktemp("example")
    return Example(folder, generate(folder, STUDENTS, YEARS, SEED))
