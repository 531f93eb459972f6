"""The definitions hang together, and a wrong entry is named."""

import re
import shutil

import pytest

from pipelines import definitions
from pipelines.protect import terms_of
from pipelines.settings import ROOT, Settings


def test_the_definitions_load():
    found = definitions.load()
    assert found.levels == ("UG", "PGT", "PGR")
    read = {c.name for c in found.characteristics.values() if not c.of}
    for table in ("enrolments", "feedback"):
        assert set(found.characteristics) & set(found.tables[table].columns) == read


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
        (
            "characteristics.toml",
            '[x]\nlabel="X"\ngroups=["A", "B"]\nreference="A"\npeople={ C = "those of C" }',
            "people names 'C', which is not one of its groups",
        ),
    ],
)
def test_a_wrong_entry_is_named(tmp_path, file, entry, message):
    assert_wrong(tmp_path, file, entry, message)


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("study_mode", "enrolments"), ("year_of_study", "enrolments"), ("level", "enrolments"),
        ("trust", "feedback"), ("part", "a model"), ("attended", "a model"),
    ],
)  # fmt: skip
def test_a_characteristic_called_like_another_column_is_refused_with_what_to_do(tmp_path, name, where):
    entry = f'[{name}]\nlabel = "X"\ngroups = ["A", "B"]\nreference = "A"'
    said = rf"(?s)\[{name}\]: {where} has a column of that name already.*tables.enrolments.columns.*{name}_group = "
    assert_wrong(tmp_path, "characteristics.toml", entry, said)


def test_a_broader_characteristic_called_like_another_column_is_refused(tmp_path):
    entry = "[attended]\n" + "\n".join(f"{key} = {value}" for key, value in BROADER.items())
    assert_wrong(tmp_path, "characteristics.toml", entry, r"\[attended\]: a model has a column of that name already")


@pytest.mark.parametrize("name", definitions.BY_NAME)
def test_metrics_spoken_of_by_name_must_stay(tmp_path, name):
    for path in definitions.FOLDER.glob("*.toml"):
        (tmp_path / path.name).write_text(path.read_text().replace(f"[{name}]", f"[my_{name}]"))
    with pytest.raises(definitions.DefinitionError, match=rf"no entry \[{name}\].*: {definitions.BY_NAME[name]}"):
        definitions.load(tmp_path)


def test_every_metric_spoken_of_by_name_is_listed():
    metrics = definitions.load().metrics
    spoken_of = {
        name
        for folder in ("pipelines", "dashboard")
        for path in (ROOT / folder).rglob("*.py")
        if "example" not in path.parts
        for name in re.findall(r'^[A-Z_]+ = "(\w+)"', path.read_text(encoding="utf-8"), re.MULTILINE)
        if name in metrics
    }
    assert spoken_of == {*definitions.BY_NAME}
    header = (definitions.FOLDER / "metrics.toml").read_text(encoding="utf-8").partition("\n[")[0]
    assert all(name in header for name in definitions.BY_NAME)


BROADER = {
    "label": '"X"', "groups": '["Asian or Black", "Others"]', "reference": '"Others"', "of": '"ethnicity"',
    "join": '{ "Asian or Black" = ["Asian", "Black"], Others = ["Mixed", "Other", "White"] }',
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"of": '"age"'}, "of is 'age', which is no other characteristic"),
        ({"of": '"x"'}, "of is 'x', which is no other characteristic"),
        ({"of": '"ethnicity_broad"'}, "joins groups itself; join those of 'ethnicity'"),
        ({"of": '""'}, "given both or not at all"),
        ({"join": "{}"}, "given both or not at all"),
        ({"groups": '["Others"]'}, "'Asian or Black' is in only one of 'groups' and 'join'"),
        ({"groups": '["Asian or Black", "Others", "Z"]'}, "'Z' is in only one of 'groups' and 'join'"),
        (
            {"join": '{ "Asian or Black" = ["Asian", "Black"], Others = ["Mixed", "White"] }'},
            "'Other' of ethnicity is joined to no group",
        ),
        (
            {"join": '{ "Asian or Black" = ["Asian", "Black"], Others = ["Mixed", "Other", "White", "Black"] }'},
            "'Black' of ethnicity is joined more than once",
        ),
        (
            {"join": '{ "Asian or Black" = ["Asian", "Black"], Others = ["Mixed", "Other", "White", "Unknown"] }'},
            "join names 'Unknown', which is no group of ethnicity",
        ),
    ],
)
def test_groups_wrongly_joined_are_named(tmp_path, changed, message):
    entry = "[x]\n" + "\n".join(f"{key} = {value}" for key, value in (BROADER | changed).items())
    assert_wrong(tmp_path, "characteristics.toml", entry, rf"\[x\]: .*{message}")


@pytest.mark.parametrize(
    ("written", "instead", "published_anew"),
    [
        ('"commuters"', '"those who commute"', False),
        ('label = "Commuting"', 'label = "Travel to campus"', False),
        ('label = "I trust my tutor"', 'label = "Trust"', False),
        ('out_of = "students who answered"', 'out_of = "those who answered"', False),
        ('"Students with at least one attended meeting on record."', '"Met at least once."', False),
        ("private = false", "private = true", True),
        ('better = "higher"', 'better = "neither"', True),
        ('needs = ["enrolments.tutor_id"]', "needs = []", True),
        ('"Commuter"', '"Commutes"', True),
    ],
)
def test_words_reopen_no_published_period_and_what_is_counted_does(tmp_path, written, instead, published_anew):
    for path in definitions.FOLDER.glob("*.toml"):
        (tmp_path / path.name).write_text(path.read_text().replace(written, instead))
    loaded, changed = definitions.load(definitions.FOLDER), definitions.load(tmp_path)
    assert changed != loaded
    assert (terms_of(changed, Settings(), "x") != terms_of(loaded, Settings(), "x")) == published_anew


def assert_wrong(tmp_path, file, entry, message):
    for path in definitions.FOLDER.glob("*.toml"):
        shutil.copy(path, tmp_path)
    with (tmp_path / file).open("a") as opened:
        opened.write("\n" + entry)
    with pytest.raises(definitions.DefinitionError, match=message):
        definitions.load(tmp_path)


METRIC = {
    "label": '"X"', "theme": '"contact"', "definition": '"d"', "out_of": '"o"', "grain": '"enrolment"',
    "kind": '"mean"', "value": '"1"', "better": '"higher"',
}  # fmt: skip


def metric(name="x", **changed):
    return f"[{name}]\n" + "\n".join(f"{key} = {value}" for key, value in (METRIC | changed).items())


@pytest.mark.parametrize(
    ("file", "entry", "message"),
    [
        ("metrics.toml", metric(kind='"propotion"'), r"\[x\].*kind is 'propotion'.*'proportion', 'mean' or 'ratio'"),
        ("metrics.toml", metric(better='"high"'), r"better is 'high'.*'higher', 'lower' or 'neither'"),
        ("metrics.toml", metric(grain='"student"'), r"grain is 'student'.*'enrolment', 'response' or 'tutor'"),
        ("metrics.toml", metric(theme='"other"'), r"theme is 'other'.*'contact'"),
        ("metrics.toml", metric(material='"much"'), "material is 'much'"),
        ("metrics.toml", metric(metrial="3"), "no key 'metrial'; the keys are label"),
        ("metrics.toml", metric("Met-Often"), r"\[Met-Often\].*small letters"),
        ("metrics.toml", metric('"a; drop"'), "small letters"),
        ("characteristics.toml", '["1st"]\nlabel = "X"\ngroups = ["A"]\nreference = "A"', r"\[1st\].*small letters"),
        ("characteristics.toml", '[x]\nlabel = "X"\ngroups = "A"\nreference = "A"', "groups is 'A'"),
        ("tables.toml", '[schools.columns.x]\ntype = "words"', r"\[schools.columns.x\].*type is 'words'.*'text'"),
        ("tables.toml", "[x]\noptional = true", r"\[x\].*x.columns"),
        ("tables.toml", '[x]\nkey = ["b"]\noptional = true\ncolumns.a = {type = "text"}', "key 'b'"),
        ("tables.toml", '[x]\nkey = ["a"]\ncolumns.a = {type = "text"}', "'optional' is missing"),
    ],
)
def test_a_wrong_value_or_name_is_named_with_what_is_allowed(tmp_path, file, entry, message):
    assert_wrong(tmp_path, file, entry, f"(?s){file}, entry.*{message}" if "\\[" not in message else message)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(definitions.DefinitionError, match=r"characteristics\.toml"):
        definitions.load(tmp_path)
