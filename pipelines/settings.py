"""Paths and settings: the environment (APT_...) first, then settings.toml, then these defaults."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from pipelines.definitions import FOLDER
from pipelines.errors import did_you_mean

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "APT_"
ELSEWHERE = ("ACCESS", "DEBUG", "SHARED")  # read by the dashboard, the command line and the tests
# of Debian's package manager, which is called apt too
OF_DEBIAN = re.compile(r"CONFIG|LIST(CHANGES|BUGS)_\w+|KEY_DONT_WARN\w*")


class SettingError(ValueError):
    """A setting where it must not be; the message says where it may be."""


class _KnownNames(PydanticBaseSettingsSource):
    """Nothing but a refusal of names in the environment that no setting has: a misspelt rule would not be in force."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        known = [*self.settings_cls.model_fields, *ELSEWHERE]
        known += [f"RULES__{rule}" for rule in Rules.model_fields]
        if problems := list(_strange_names(os.environ, [f"{PREFIX}{name.upper()}" for name in known])):
            raise SettingError("\n".join(problems))
        return {}


def _strange_names(environment: Iterable[str], known: list[str]) -> Iterator[str]:
    for name in sorted(environment):
        upper = name.upper()
        own = upper.removeprefix(PREFIX)
        if upper == own or upper in known or own.startswith("SPARK__") or OF_DEBIAN.fullmatch(own):
            continue
        yield (
            f"The environment has {name}, which is no setting.{did_you_mean(name, known)} "
            "Correct or remove it; docs/operations.md says where the settings are."
        )


class _TomlWithoutKey(TomlConfigSettingsSource):
    """settings.toml, which lies in the repository and so never holds the key."""

    def __call__(self) -> dict[str, Any]:
        settings = super().__call__()
        if any(name.lower() == "key" for name in settings):
            raise SettingError(
                "settings.toml holds the key of the pseudonyms, and it lies in the repository, where it could be "
                "committed or copied. Remove `key` from it. The key may come from the environment (APT_KEY) or from "
                "the key file (key_file) only; if the file was ever shared, make a new key."
            )
        return settings


class Rules(BaseModel):
    """Disclosure rules in force (defaults follow HESA's and the Office for Students' published rules).

    The least that may be set: of two people each knows the other's figure; a figure that nobody or everybody shares
    tells of each of them; and a hidden count that can be one thing only is not hidden.
    """

    model_config = ConfigDict(extra="forbid")

    smallest_base: int = Field(default=10, ge=3, description="a cell on fewer is hidden")
    smallest_percentage_base: int = Field(default=23, ge=3, description="a percentage on fewer is hidden")
    smallest_margin: int = Field(
        default=3, ge=1, description="fewer than this many on either side of a percentage: hidden"
    )
    smallest_mean_base: int = Field(default=8, ge=3, description="a mean on fewer is hidden")
    smallest_respondents: int = Field(default=10, ge=3, description="feedback from fewer is hidden")
    narrowest_base: int = Field(
        default=5, ge=2, description="the counts a hidden base may be must range over this many"
    )
    narrowest_margin: int = Field(
        default=3,
        ge=2,
        description="where the base is known, those a hidden numerator may be must range over this many",
    )
    round_bases_to: int = Field(default=5, ge=1, description="bases are shown to the nearest")


class Settings(BaseSettings):
    """Everything a university's data team may want to change without touching code."""

    model_config = SettingsConfigDict(
        env_prefix="APT_", env_nested_delimiter="__", toml_file=ROOT / "settings.toml", extra="forbid"
    )

    data: Path = Field(default=ROOT / "data", description="folder of inbox, warehouse and published")
    definitions: Path = Field(default=FOLDER, description="folder of the three definitions files")
    key: SecretStr | None = Field(
        default=None, description="the pseudonymisation key itself, 32 characters or more; never in settings.toml"
    )
    key_file: Path = Field(
        Path("~/.config/personal-tutoring/pseudonym.key"),
        description="file with the key, outside the repository",
    )
    memory_limit: str = Field(default="3.8GB", description="what DuckDB may use before it spills to disk")
    threads: int = Field(default=0, ge=0, description="processors for DuckDB, protection and attack; 0: all")
    engine: str = Field(default="duckdb", description="which engine takes in and models the extracts: duckdb or spark")
    master: str = Field(default="local[*]", description="URL of the Spark cluster's master, such as spark://host:7077")
    work: Path | None = Field(
        default=None, description="path or URL that every Spark worker reaches, for its tables; else in the warehouse"
    )
    spark: dict[str, str] = Field(default={}, description="settings of Spark itself, such as spark.executor.memory")
    keep_releases: int = Field(default=5, ge=1, description="how many releases are kept")
    most_unmapped: float = Field(
        default=0.01, ge=0, le=1, description="share of unknown codes in a column that stops a run"
    )
    most_quarantined: float = Field(
        default=0.10, ge=0, le=1, description="share of quarantined rows in a table that stops a run"
    )
    material: float = Field(3.0, gt=0, description="smallest gap that matters, in points; a metric's own counts first")
    too_wide: float = Field(
        3.5,
        gt=0,
        description="a gap whose interval reaches further either side than this many material gaps is too few to say",
    )
    rules: Rules = Rules()

    @property
    def runs(self) -> str:
        """How the folders of this installation's runs on Spark begin, so that no other's are taken for them."""
        return f"run-{hashlib.sha256(str(self.data.resolve()).encode()).hexdigest()[:8]}-"

    @property
    def inbox(self) -> Path:
        """Where extracts and their sources.toml are."""
        return self.data / "inbox"

    @property
    def warehouse(self) -> Path:
        """Where what is restricted is: student-level rows, ledgers, quarantine."""
        return self.data / "warehouse"

    @property
    def published(self) -> Path:
        """Where releases are."""
        return self.data / "published"

    @property
    def example(self) -> Path:
        """Where the example university's extracts are."""
        return self.data / "example"

    @property
    def processors(self) -> int:
        """How many processors to use: `threads`, or all that this process may run on."""
        may = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        return self.threads or may or 1

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What counts first, what else, and what is refused."""
        return init_settings, _KnownNames(settings_cls), env_settings, _TomlWithoutKey(settings_cls)
