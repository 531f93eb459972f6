"""Whatever comes in, every shown figure is a number, and what cannot be said is said in words."""

import numpy as np
import pandas as pd
import pytest

from pipelines import definitions as definition_files
from pipelines.measure import measure, terms
from pipelines.protect import TABLES, rounded, small_cells
from pipelines.settings import Settings
from tests.measures.building import PLACE

DEFINITIONS = definition_files.load()
SETTINGS = Settings()
KEY = [*PLACE, "group"]
GAP = [*KEY, "against"]
SCHOOLS = pd.DataFrame({"school_code": list("ABCDEFG"), "faculty_code": list("XXXXYYY")})
FACULTIES = pd.Series(("faculty:" + SCHOOLS["faculty_code"]).to_numpy(), index="school:" + SCHOOLS["school_code"])
SUMS = ["n", "sx", "sxx", "sy", "syy", "sxy", "have_some", "lack_some"]
MAY_BE_NULL = {
    "gap": {"ratio", "like_for_like", "like_for_like_lower", "like_for_like_upper"},
    "pooled_gap": {"likely_lower", "likely_upper"},
    "inequality": {
        "theil", "index_of_disparity", "slope", "slope_lower", "slope_upper",
        "relative", "relative_lower", "relative_upper", "p",
    },
}  # fmt: skip


def university(share, size, schools="ABCDEFG", characteristics=None, groups=99, years=2, levels=("UG", "PGT")):
    """Cells of schools, faculties and the university, everyone and by group. share, size: of (school, group) → number.

    Three kinds of metric: met their tutor, meetings, attendance.
    """
    characteristics = characteristics or {c.name: c.groups for c in DEFINITIONS.characteristics.values()}
    rows = []
    for year in range(2021, 2021 + years):
        for level in levels:
            for school in schools:
                for characteristic, names in characteristics.items():
                    for place, group in enumerate(names[:groups]):
                        n = size(school, place)
                        x = np.round(share(school, place) * n)
                        where = (f"{year}/{year % 100 + 1}", "year", level, f"school:{school}")
                        who = (x, n - x)
                        rows.append((*where, "any_meeting", characteristic, group, n, x, x, n, n, x, *who))
                        rows.append((*where, "meetings_per_student", characteristic, group, n, x, x, n, n, x, *who))
                        rows.append(
                            (*where, "attendance", characteristic, group, n, 2 * x, 4 * x, 2 * n, 4 * n, 4 * x, *who)
                        )
    cells = pd.DataFrame(rows, columns=[*KEY, *SUMS])
    first = next(iter(characteristics))
    everyone = cells[cells["characteristic"] == first].assign(characteristic="all", group="all")
    cells = pd.concat([cells, everyone])
    cells = cells[cells["n"] > 0]
    faculty = cells["unit"].map(FACULTIES)
    units = pd.concat([cells, cells.assign(unit=faculty), cells.assign(unit="university")])
    return pd.concat([units, units.assign(level="all")]).groupby(KEY, sort=False)[SUMS].sum().reset_index()


def made(cells):
    hidden = small_cells(cells, DEFINITIONS, SETTINGS)
    return rounded(measure(cells, hidden, terms(DEFINITIONS, SCHOOLS, SETTINGS)), DEFINITIONS, SETTINGS).tables


def varied(school, place):
    return 0.5 + 0.05 * "ABCDEFG".index(school) - 0.04 * place


USUAL = university(varied, lambda school, place: 60 + (7 + "ABCDEFG".index(school)) * place)
INPUTS = {
    "usual": USUAL,
    "no cells at all": USUAL[:0],
    "one school": university(varied, lambda school, place: 60, schools="A"),
    "one group": university(varied, lambda school, place: 60, groups=1),
    "nobody": university(lambda *_: 0.0, lambda *_: 60),
    "everybody": university(lambda *_: 1.0, lambda *_: 60),
    "all hidden": university(varied, lambda *_: 1, schools="AB", levels=("UG",)),
    "some hidden": university(varied, lambda school, place: 3 if school in "AB" or place == 1 else 40),
    "one year": university(varied, lambda *_: 60, years=1),
    "groups apart": university(varied, lambda school, place: 60 if ("ABCDEFG".index(school) + place) % 2 else 0),
    "one student each": university(lambda *_: 1.0, lambda *_: 1),
    "nothing to divide by": USUAL.assign(sy=0.0),
}


@pytest.mark.parametrize("name", INPUTS)
def test_every_shown_figure_is_a_number(name):
    for table, frame in made(INPUTS[name]).items():
        assert list(frame.columns) == list(TABLES[table])
        numbers = frame.select_dtypes("number").astype(float)
        shown = (frame["status"] == "shown").to_numpy(bool)
        assert not np.isinf(numbers.to_numpy()).any(), table
        empty = numbers[shown].isna().any()
        assert set(empty.index[empty]) <= MAY_BE_NULL.get(table, set()), table
        texts = frame.select_dtypes(exclude="number")
        assert not texts.isna().any(axis=None), table
        figures = [c for c, how in TABLES[table].items() if how is not None]
        assert frame.loc[~shown, figures].isna().all(axis=None), table


@pytest.mark.parametrize("name", ["all hidden", "no cells at all", "nothing to divide by"])
def test_without_anything_to_show_nothing_is_derived(name):
    tables = made(INPUTS[name])
    assert not (tables["gap"]["status"] == "shown").any()
    assert set(tables["gap"]["evidence"]) <= {"too few to say"}
    for table in TABLES.keys() - {"cell", "gap"}:
        assert tables[table].empty, table


@pytest.mark.parametrize("name", ["nobody", "everybody"])
def test_without_any_variation_there_is_no_clear_gap(name):
    gap = made(INPUTS[name])["gap"]
    assert set(gap["evidence"]) <= {"no clear gap", "too few to say"}
    no_spread = gap[gap["metric"] == "meetings_per_student"]
    assert not set(no_spread["status"]) & {"shown"}
    assert set(no_spread["evidence"]) == {"too few to say"}


def test_usual_input_fills_every_table():
    for table, frame in made(USUAL).items():
        assert (frame["status"] == "shown").any(), table
        assert not frame.duplicated([c for c in [*KEY, "against", "school", "between", "of"] if c in frame]).any()


def test_figures_about_schools_need_three_and_a_shown_unit():
    tables = made(INPUTS["some hidden"])
    shown = tables["gap"].query("status == 'shown' and against == 'reference'").set_index(KEY).index
    assert (tables["pooled_gap"]["schools"] >= 3).all()
    for table in ("decomposition", "pooled_gap"):
        assert set(tables[table].set_index(KEY).index) <= set(shown), table
    for table in ("decomposition_school", "pooled_gap_school"):
        own = tables[table].drop(columns="unit").rename(columns={"school": "unit"})
        assert set(own.set_index(KEY).index) <= set(shown), table
    assert made(INPUTS["one school"])["pooled_gap"].empty


def test_published_parts_of_a_gap_miss_it_by_a_tenth_at_most():
    parts = made(USUAL)["decomposition"].query("metric == 'any_meeting'")
    missed = (parts["value"] - parts["within_schools"] - parts["which_schools"]).abs()
    assert (parts["value"] % 1).any(), "to a tenth of a point"
    assert missed.max() < 0.1 + 1e-9


def test_hidden_cells_change_no_figure_about_groups():
    """Inequality, trends and gaps to everyone else are the same whatever a hidden cell holds."""
    cells = INPUTS["some hidden"]
    other = cells.copy()
    hidden = small_cells(cells, DEFINITIONS, SETTINGS).to_numpy()
    other.loc[hidden, ["sx", "sxx", "sxy"]] = 0.0
    one, two = made(cells), made(other)
    for table in ("inequality", "trend"):
        pd.testing.assert_frame_equal(one[table], two[table])
    there = (t["gap"].query("against == 'everyone else'").reset_index(drop=True) for t in (one, two))
    pd.testing.assert_frame_equal(*there)


def test_nothing_tells_hidden_schools_apart_beyond_their_sum():
    hidden = USUAL["unit"].isin(["school:A", "school:B"])
    first = {c.name: c.groups[0] for c in DEFINITIONS.characteristics.values()} | {"all": "all"}
    moved = USUAL["group"].eq(USUAL["characteristic"].map(first)) & USUAL["level"].isin(["UG", "all"]) & hidden
    step = np.where(USUAL["unit"] == "school:A", 1, -1) * moved
    sums = {"any_meeting": [1, 1, 0, 0, 1], "meetings_per_student": [1, 1, 0, 0, 1], "attendance": [2, 4, 0, 0, 4]}
    changes = np.array([sums[metric] for metric in USUAL["metric"]]) * step.to_numpy()[:, None]
    otherwise = USUAL.copy()
    otherwise[["sx", "sxx", "sy", "syy", "sxy"]] += changes
    otherwise["have_some"] += step
    otherwise["lack_some"] -= step
    one, two = (measure(cells, hidden, terms(DEFINITIONS, SCHOOLS, SETTINGS)) for cells in (USUAL, otherwise))
    alike = ["like_for_like", "like_for_like_lower", "like_for_like_upper", "like_for_like_says"]
    for name in one:  # like for like rests on schools' groups by level, none of which is ever shown
        before, now = (made[name].drop(columns=alike, errors="ignore").astype(object) for made in (one, two))
        seen = before["status"].eq("shown").to_numpy(bool)
        assert seen.any(), name
        pd.testing.assert_frame_equal(before[seen], now[seen], check_exact=False, rtol=1e-9, obj=name)


def test_a_gap_against_everyone_else_is_against_all_other_groups_together():
    gap = made(USUAL)["gap"]
    chosen = gap.query("unit == 'school:A' and level == 'all' and metric == 'any_meeting' and characteristic == 'sex'")
    chosen = chosen[chosen["academic_year"] == chosen["academic_year"].min()]
    # 60 Female at 50%, 67 Male at 46%, 74 Other at 42% per level, two levels
    counts = {"Female": (60, 30), "Male": (67, 31), "Other": (74, 31)}
    for group, (n, x) in counts.items():
        row = chosen.query(f"against == 'everyone else' and group == '{group}'").iloc[0]
        others, met = 201 - n, 92 - x
        assert row["value"] == np.floor(100 * (x / n - met / others) + 0.5)
        assert row["reference"] == "everyone else"
        assert row["ratio"] == pytest.approx(x / n / (met / others), abs=0.005)
    assert "Male" not in set(chosen.query("against == 'reference'")["group"])
    assert "everyone else" not in set(gap.query("characteristic == 'disability'")["against"])


def test_the_smallest_gap_that_matters_is_a_setting():
    assert definition_files.load(material=5.0).metrics["any_meeting"].material == 5.0
    assert definition_files.load(material=5.0).metrics["meetings_per_student"].material == 0.25
    assert definition_files.load().metrics["any_meeting"].material == SETTINGS.material


def measured(cells, hidden=None):
    hidden = small_cells(cells, DEFINITIONS, SETTINGS) if hidden is None else hidden
    return measure(cells, hidden, terms(DEFINITIONS, SCHOOLS, SETTINGS))


def test_no_cell_is_shown_without_limits():
    alike = university(lambda *_: 1.0, lambda *_: 60)
    cells = measured(alike, pd.Series(False, index=alike.index))["cell"].query("metric == 'meetings_per_student'")
    assert set(cells["status"]) == {"none"}, "all students alike: no spread, and so no interval"


def test_a_ratio_with_0_to_divide_by_is_listed_like_any_other_cell_without_a_figure():
    where = USUAL["metric"].eq("attendance") & USUAL["unit"].eq("school:A") & USUAL["characteristic"].eq("all")
    cells = USUAL.assign(sy=USUAL["sy"].mask(where, 0.0))
    small = small_cells(cells, DEFINITIONS, SETTINGS)
    of_level = where & cells["level"].ne("all")
    cell = measured(cells, small.mask(of_level, True))["cell"]
    of_school = cell.query("metric == 'attendance' and unit == 'school:A' and characteristic == 'all'")
    assert len(of_school) == where.sum(), "a cell that is not there would tell that all are at 0"
    status = of_school.groupby(of_school["level"].astype(str) == "all")["status"].unique()
    assert [list(s) for s in status] == [["suppressed"], ["none"]]


def test_the_interval_of_a_clear_gap_is_never_printed_as_touching_0():
    exact = measured(university(varied, lambda school, place: 180 + 70 * "ABCDEFG".index(school)))
    safe = rounded(exact, DEFINITIONS, SETTINGS).tables["gap"]
    exact = safe[GAP].merge(exact["gap"], on=GAP, validate="1:1")  # those that are published, in their order
    clear = exact["evidence"] == "clear gap"
    assert (safe["lower"] * safe["upper"] > 0)[clear].all()
    percent = clear & (exact["metric"] == "any_meeting")
    assert (safe["lower"] <= 100 * exact["lower"] + 1e-6)[percent].all()
    assert (safe["upper"] >= 100 * exact["upper"] - 1e-6)[percent].all()
    touching = percent & (100 * exact[["lower", "upper"]].abs().min(axis=1) < 1)
    assert touching.any()
    whole = safe.loc[(exact["metric"] == "any_meeting") & (safe["status"] == "shown") & ~touching, ["lower", "upper"]]
    assert (whole % 1 == 0).all(axis=None), "else whole points"
