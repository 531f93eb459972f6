"""What comes in, what is measured and for whom: the TOML files of this folder, as typed objects."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

FOLDER = Path(__file__).parent
UNKNOWN = "Unknown"
IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")
# metrics that pipeline and pages speak of by name, and what they are for
BY_NAME = {
    "any_meeting": "the curves through the year and how students met are shown where it is",
    "met_by_promised_week": "a curve through the year is shown where it is not hidden",
    "no_meeting": "the pages say of whom there is no record",
    "response_rate": "the pages say who answered the survey",
    "recorded_of_recalled": "schools whose record looks incomplete are found by it",
}
# columns of the models that put a characteristic beside them, besides those of the tables
RESERVED = frozenset({
    "all", "answered", "attended", "attended_with_tutor", "begun_week", "counted", "counted_part", "counted_year",
    "counts_for", "enrolled", "enrolled_through_promised_week", "enrolled_throughout", "enrolment", "everyone",
    "first_meeting_by_week", "first_week", "grp", "has_groups", "has_tutor", "has_undated", "linked",
    "meetings_due", "meetings_per_year", "met_week", "missed", "n", "named_tutor", "next_valid_from", "one_tutor",
    "part", "promised_week", "recorded_meetings", "responded", "rows_read", "source_file", "source_row",
    "superseded_by", "teaching_end", "teaching_start", "teaching_week", "teaching_weeks", "through_week", "unit",
    "valid_from", "valid_to", "year_begins", "year_ends",
})  # fmt: skip

ColumnType = Literal["text", "identifier", "code", "date", "integer", "number"]


_NOTHING_ELSE = ConfigDict(extra="forbid")


class DefinitionError(ValueError):
    """An entry in a definitions file that cannot be used; the message says which and why."""


@dataclass(frozen=True)
class Column:
    """One column of an input table."""

    __pydantic_config__: ClassVar[ConfigDict] = _NOTHING_ELSE
    name: str
    type: ColumnType
    says: str = ""
    required: bool = False
    not_blank: bool = False
    values: tuple[str, ...] = ()
    person: str = ""  # whose identifier: student, tutor, meeting or response
    used: bool = True  # else nothing is made of it: what cannot be read is told, and its row stays


@dataclass(frozen=True)
class Table:
    """One input table."""

    __pydantic_config__: ClassVar[ConfigDict] = _NOTHING_ELSE
    name: str
    key: tuple[str, ...]
    optional: bool
    columns: dict[str, Column]


@dataclass(frozen=True)
class Characteristic:
    """A characteristic and its groups in reading order.

    of: of a broader one, the finer characteristic whose groups it joins. join: each group → the finer ones in it.
    The representation leaves out words alone, which decide neither which cells there are nor which are shown.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _NOTHING_ELSE
    name: str
    label: str = field(repr=False)
    groups: tuple[str, ...]
    reference: str
    ordered: bool = False
    of: str = ""
    join: dict[str, tuple[str, ...]] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def column(self) -> str:
        """The column of the extracts that it is read from."""
        return self.of or self.name

    def students(self, group: str) -> str:
        """A group as the people it stands for: 'Black students', 'students in IMD 1 (most deprived)'."""
        if group == UNKNOWN:
            return "students whose group is not known"
        return self.people.get(group, f"students in {group}" if " " in group else f"{group} students")


@dataclass(frozen=True)
class Metric:
    """What is measured: SQL for one row, whom it is out of, and how to read it.

    The representation leaves out words alone: they decide neither which figures there are, nor which are shown, nor
    what is said of them.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _NOTHING_ELSE
    name: str
    label: str = field(repr=False)
    theme: Literal["contact", "voice", "staff", "record"] = field(repr=False)
    definition: str = field(repr=False)
    out_of: str = field(repr=False)
    grain: Literal["enrolment", "response", "tutor"]
    kind: Literal["proportion", "mean", "ratio"]
    value: str
    better: Literal["higher", "lower", "neither"]
    denominator: str = ""
    needs: tuple[str, ...] = ()
    material: float = 3.0
    private: bool = True
    headline: bool = field(default=False, repr=False)
    counts_respondents: bool = False
    percent: bool = True  # a ratio shown as a percentage
    part_of_whole: bool = False  # a ratio that can never exceed 1
    tells_met: Literal["", "have", "base", "beyond"] = ""  # what it tells of how many have met their tutor
    dated: bool = True  # else it tells how things stand now: of earlier years there is no figure to date

    @property
    def is_percentage(self) -> bool:
        """Whether it is shown as a percentage."""
        return self.kind == "proportion" or (self.kind == "ratio" and self.percent)

    @property
    def decimals(self) -> int:
        """How many decimals it is shown with."""
        return 0 if self.is_percentage else 1

    @property
    def scale(self) -> float:
        """What a computed value is multiplied by to be shown."""
        return 100.0 if self.is_percentage else 1.0


@dataclass(frozen=True)
class Definitions:
    """Everything in the definitions folder."""

    tables: dict[str, Table] = field(default_factory=dict)
    characteristics: dict[str, Characteristic] = field(default_factory=dict)
    metrics: dict[str, Metric] = field(default_factory=dict)

    @cached_property
    def levels(self) -> tuple[str, ...]:
        """The levels of study that an enrolment may have."""
        return self.tables["enrolments"].columns["level"].values


def _entries(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError(f"{path.name} is not valid TOML: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DefinitionError(f"{path} cannot be read ({type(error).__name__}).") from error


def _build(kind: type, file: str, name: str, entry: Any, place: str = "") -> Any:
    """One entry as a typed object. Raises DefinitionError naming the entry, its keys at fault and what they may be."""
    where = f"{file}, entry [{place}{name}]"
    if not IDENTIFIER.fullmatch(name):
        raise DefinitionError(f"{where}: a name has small letters, digits and _ only, and begins with a letter")
    if not isinstance(entry, dict):
        raise DefinitionError(f"{where}: it must be a table of keys and values")
    entry = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
    try:
        return TypeAdapter(kind).validate_python({**entry, "name": name})
    except ValidationError as error:
        problems = "; ".join(_in_words(kind, e["loc"], e["type"], e["msg"], e["input"]) for e in error.errors())
        raise DefinitionError(f"{where}: {problems}") from error


def _in_words(kind: type, place: tuple[int | str, ...], problem: str, message: str, found: Any) -> str:
    key = ".".join(str(part) for part in place)
    if problem == "missing":
        return f"'{key}' is missing"
    if problem in ("extra_forbidden", "unexpected_keyword_argument"):
        known = ", ".join(each.name for each in fields(kind) if each.name != "name")
        return f"there is no key '{key}'; the keys are {known}"
    return f"{key} is {found!r}; {message[:1].lower()}{message[1:]}"


def _wrong(c: Characteristic, others: dict[str, Characteristic]) -> str | None:
    """What is wrong with a characteristic, in words; None where nothing is."""
    if c.reference not in c.groups:
        return f"reference {c.reference!r} is not one of its groups"
    if UNKNOWN in c.groups or c.name == "all":
        return "'Unknown' and 'all' are added by themselves"
    if strange := c.people.keys() - {*c.groups}:
        return f"people names {min(strange)!r}, which is not one of its groups"
    if bool(c.of) != bool(c.join):
        return (
            "'of' (the finer characteristic) and 'join' (which of its groups go together) are given both or not at all"
        )
    return _wrongly_joined(c, others) if c.of else None


def _wrongly_joined(c: Characteristic, others: dict[str, Characteristic]) -> str | None:
    if c.of not in others or c.of == c.name:
        return f"of is {c.of!r}, which is no other characteristic"
    finer = others[c.of]
    if finer.of:
        return f"of is {c.of!r}, which joins groups itself; join those of {finer.of!r}"
    if set(c.join) != set(c.groups):
        odd = min(set(c.join) ^ set(c.groups))
        return f"{odd!r} is in only one of 'groups' and 'join'"
    joined = [group for groups in c.join.values() for group in groups]
    if strange := [group for group in joined if group not in finer.groups]:
        return f"join names {strange[0]!r}, which is no group of {c.of}"
    if wrong := [group for group in finer.groups if joined.count(group) != 1]:
        return f"{wrong[0]!r} of {c.of} is joined {'more than once' if wrong[0] in joined else 'to no group'}"
    return None


def _taken(c: Characteristic, where: str) -> str:
    """The message for a characteristic called like something else."""
    said = f"characteristics.toml, entry [{c.name}]: {where} has a column of that name already. Call it otherwise"
    if c.of:
        return f"{said}, such as [{c.name}_group]."
    return (
        f"{said}, such as [{c.name}_group], and say in sources.toml which column of your extract it is, mapped already "
        f'or not:\n    [tables.enrolments.columns]\n    {c.name}_group = "the name of the column in your extract"'
    )


def load(folder: Path = FOLDER, material: float = Metric.material) -> Definitions:
    """Read the definitions in `folder` and check that they hang together.

    material: the smallest gap that matters, for metrics that do not say.

    Raises DefinitionError naming the file and entry at fault.
    """
    characteristics = {
        name: _build(Characteristic, "characteristics.toml", name, entry)
        for name, entry in _entries(folder / "characteristics.toml").items()
    }
    for c in characteristics.values():
        if wrong := _wrong(c, characteristics):
            raise DefinitionError(f"characteristics.toml, entry [{c.name}]: {wrong}")

    tables: dict[str, Table] = {}
    for name, entry in _entries(folder / "tables.toml").items():
        if not isinstance(entry, dict) or not isinstance(entry.get("columns"), dict):
            raise DefinitionError(f"tables.toml, entry [{name}]: it has no [{name}.columns]")
        columns = {n: _build(Column, "tables.toml", n, c, f"{name}.columns.") for n, c in entry["columns"].items()}
        if entry.get("characteristics"):
            for c in characteristics.values():
                if c.name in columns or c.name in RESERVED:
                    raise DefinitionError(_taken(c, name if c.name in columns else "a model"))
            for c in (c for c in characteristics.values() if not c.of):
                columns[c.name] = Column(c.name, "code", says=c.label, values=(*c.groups, UNKNOWN))
        rest = {key: value for key, value in entry.items() if key != "characteristics"}
        tables[name] = _build(Table, "tables.toml", name, {**rest, "columns": columns})
        if unknown := [key for key in tables[name].key if key not in columns]:
            raise DefinitionError(f"tables.toml, entry [{name}]: key {unknown[0]!r} is none of its columns")

    metrics = {
        name: _build(Metric, "metrics.toml", name, {"material": material} | entry)
        for name, entry in _entries(folder / "metrics.toml").items()
    }
    for name, use in BY_NAME.items():
        if name not in metrics:
            raise DefinitionError(
                f"metrics.toml: there is no entry [{name}], which is spoken of by name: {use}. Keep it, as in "
                f"{FOLDER / 'metrics.toml'}; its label, definition and value may be your own."
            )
    for m in metrics.values():
        if (m.kind == "ratio") != bool(m.denominator):
            raise DefinitionError(f"metrics.toml, entry [{m.name}]: a ratio, and only a ratio, has a denominator")
        for need in m.needs:
            table, _, column = need.partition(".")
            if table not in tables or column not in tables[table].columns:
                raise DefinitionError(f"metrics.toml, entry [{m.name}]: needs {need!r}, which no table has")
    return Definitions(tables, characteristics, metrics)
