"""One entry adds a metric, and one a characteristic, from the extract to the page."""

import shutil

import pytest

from pipelines import definitions as definition_files
from tests.bad_input.tiny import tiny_university
from tests.dashboard.test_pages import visit
from tests.pipelines.commanding import read, run_in

METRIC = """
[met_often]
label = "Has met more than twice"
theme = "contact"
definition = "Students with three or more attended meetings on record."
out_of = "all students enrolled"
grain = "enrolment"
kind = "proportion"
value = "case when attended > 2 then 1 else 0 end"
better = "higher"
"""
CHARACTERISTIC = """
[accommodation]
label = "Accommodation"
groups = ["University hall", "Private"]
reference = "Private"

[accommodation_hall]
label = "Halls"
groups = ["In halls", "Elsewhere"]
reference = "Elsewhere"
of = "accommodation"
join = { "In halls" = ["University hall"], Elsewhere = ["Private"] }
"""


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """A metric, a characteristic and its broader one more: a TOML entry each, and one column in the extract."""
    place = tmp_path_factory.mktemp("extended")
    folder = place / "definitions"
    shutil.copytree(definition_files.FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for name, entry in (("metrics.toml", METRIC), ("characteristics.toml", CHARACTERISTIC)):
        with (folder / name).open("a") as file:
            file.write(entry)
    inbox = place / "data" / "inbox"
    tiny_university(inbox)
    lines = (inbox / "enrolments.csv").read_text().splitlines()
    values = ("Accommodation", *("University hall" if n % 4 < 3 else "Private" for n in range(len(lines) - 1)))
    (inbox / "enrolments.csv").write_text("\n".join(f"{a},{b}" for a, b in zip(lines, values, strict=True)) + "\n")
    return run_in(place, APT_DEFINITIONS=folder)


def test_one_entry_adds_a_metric_and_one_a_characteristic(extended):
    assert read(extended, "select label, available from metric where metric = 'met_often'") == [
        ("Has met more than twice", True)
    ]
    groups = read(
        extended,
        """select "group" from characteristic_group where characteristic = 'accommodation' order by ordering""",
    )
    assert groups == [("University hall",), ("Private",), ("Unknown",)]
    shown = read(
        extended,
        """select "group", base, status from cell
           where characteristic = 'accommodation' and metric = 'met_often' and unit = 'university' and level = 'all'
           order by 1""",
    )
    assert [group for group, *_ in shown] == ["Private", "University hall"]
    # ten are in private housing, too few to show: the others' figure would give theirs away
    assert {status for *_, status in shown} == {"suppressed"}
    everyone = """select status from cell where characteristic = 'all' and metric = 'met_often'
                  and unit = 'university' and level = 'all'"""
    assert read(extended, everyone) == [("shown",)]
    assert read(extended, "select characteristic, available from characteristic where of = 'accommodation'") == [
        ("accommodation_hall", True)
    ]
    joined = read(
        extended,
        """select status from cell where characteristic = 'accommodation_hall' and "group" = 'In halls'
           and metric = 'met_often' and unit = 'university' and level = 'all'""",
    )
    assert joined == [("suppressed",)], "the same people"


def test_the_added_metric_and_characteristic_are_on_the_page(extended, monkeypatch):
    monkeypatch.setenv("APT_DATA", str(extended.data))
    schools = visit("schools", metric="met_often")
    measure = next(box for box in schools.selectbox if box.label == "Measure")
    assert measure.value == "met_often"
    assert "Has met more than twice" in measure.options
    equity = visit("equity", metric="met_often", characteristic="accommodation", view="where")
    assert not schools.exception
    assert not equity.exception
    characteristic = next(box for box in equity.selectbox if box.label == "Characteristic")
    assert "Accommodation" in characteristic.options
    assert characteristic.value == "accommodation"
