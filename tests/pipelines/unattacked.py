"""Runs whose subject is not protection: with few characteristics, hiding nothing, or without the attack."""

import shutil
import tomllib
from pathlib import Path

import pytest

from pipelines import attack
from pipelines.definitions import FOLDER
from pipelines.disclosure.attacker import Attack, Bar
from pipelines.settings import Rules

# less than a university may set
NOTHING_HIDDEN = Rules.model_construct(**dict.fromkeys(Rules.model_fields, 0) | {"round_bases_to": 1})


def leave_out_the_attack(patch: pytest.MonkeyPatch) -> None:
    """Whatever is decided may be published, as far as this test is concerned."""
    found = Attack.together([], Bar())
    patch.setattr(attack, "withstand", lambda decision, *_, **__: attack.Withstood(decision, found, 0))


def few_characteristics(folder: Path, sources: Path, *names: str) -> Path:
    """A folder of definitions with the characteristics `names` alone; an example's sources follow."""
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    every = tomllib.loads((FOLDER / "characteristics.toml").read_text(encoding="utf-8"))
    for file in (folder / "characteristics.toml", sources):
        file.write_text(_without(file.read_text(encoding="utf-8"), set(every) - set(names)), encoding="utf-8")
    return folder


def _without(toml: str, names: set[str]) -> str:
    """A file without the tables and the lines of some names."""
    kept, keep = [], True
    for line in toml.splitlines():
        if line.startswith("["):
            keep = not names & set(line.strip("[]").split("."))
        kept += [line] if keep and line.partition(" = ")[0] not in names else []
    return "\n".join(kept)
