"""The definitions hang together, and a wrong entry is named."""

import shutil

import pytest

from pipelines import definitions


def test_the_definitions_load():
    found = definitions.load()
    assert found.levels == ("UG", "PGT", "PGR")
    assert set(found.characteristics) <= set(found.tables["enrolments"].columns)
    assert set(found.characteristics) <= set(found.tables["feedback"].columns)


@pytest.mark.parametrize(
    ("file", "entry", "message"),
    [
        (
            "characteristics.toml",
            '[x]\nlabel = "X"\ngroups = ["A"]\nreference = "B"',
            r"\[x\].*reference 'B'",
        ),
        (
            "characteristics.toml",
            '[x]\nlabel = "X"\ngroups = ["Unknown"]\nreference = "Unknown"',
            "added by themselves",
        ),
        ("metrics.toml", '[x]\nlabel = "X"', r"\[x\].*missing"),
        ("metrics.toml", "[x", "metrics.toml is not valid TOML"),
        (
            "metrics.toml",
            '[x]\nlabel="X"\ntheme="contact"\ndefinition="d"\nout_of="o"\ngrain="enrolment"\nkind="ratio"\nvalue="1"\nbetter="higher"',
            "only a ratio, has a denominator",
        ),
        (
            "metrics.toml",
            '[x]\nlabel="X"\ntheme="contact"\ndefinition="d"\nout_of="o"\ngrain="enrolment"\nkind="mean"\nvalue="1"\nbetter="higher"\nneeds=["feedback.nothing"]',
            "no table has",
        ),
    ],
)
def test_a_wrong_entry_is_named(tmp_path, file, entry, message):
    for path in definitions.FOLDER.glob("*.toml"):
        shutil.copy(path, tmp_path)
    with (tmp_path / file).open("a") as opened:
        opened.write("\n" + entry)
    with pytest.raises(definitions.DefinitionError, match=message):
        definitions.load(tmp_path)
