"""The ledger remembers what each release published, and for how long it counts."""

import numpy as np
import pandas as pd
import pytest

from pipelines.disclosure import ledger
from pipelines.disclosure.ledger import COUNTS

FIRST, SECOND = "2026-01-01T000000Z-0001", "2026-02-01T000000Z-0002"


def cells(why, n=30.0, part="year", year="2024/25"):
    groups = [f"g{i}" for i in range(len(why))]
    of = pd.DataFrame(
        {"academic_year": year, "part": part, "level": "all", "unit": "school:A", "metric": "met",
         "characteristic": "sex", "group": groups}
    )  # fmt: skip
    return of.assign(**dict.fromkeys(COUNTS, 1.0)).assign(n=n), pd.Series(why)


def periods(part="year", week=31, year="2024/25"):
    return pd.DataFrame({"academic_year": [year], "part": [part], "through_week": [week]})


def saved(folder, release, before=ledger.NOTHING, what=None, when=None, terms="t"):
    ledger.save(
        folder,
        release,
        before,
        *(what or cells(["shown", "small", "unlisted"])),
        periods() if when is None else when,
        terms,
    )
    return ledger.load(folder, release)


def test_nothing_was_published_at_first(tmp_path):
    first = ledger.load(tmp_path, None)
    assert first.cells.empty
    assert first.shown(periods()).empty
    assert first.hidden(periods()).empty


def test_a_period_stays_on_the_same_terms_unless_it_is_revised(tmp_path):
    first = saved(tmp_path, FIRST)
    assert first.kept(periods(), "t") == {("2024/25", "year")}
    assert first.kept(periods(), "other") == first.kept(periods(), "t", ["2024/25"]) == set()


def test_to_date_a_week_later_is_another_period(tmp_path):
    first = saved(tmp_path, FIRST, what=cells(["shown"], part="to_date"), when=periods("to_date", 9))
    assert len(first.shown(periods("to_date", 9))) == 1
    assert first.shown(periods("to_date", 10)).empty
    assert first.kept(periods("to_date", 10), "t") == set()


def test_what_other_releases_show_is_known_too(tmp_path):
    first = saved(tmp_path, FIRST)
    second = saved(tmp_path, SECOND, first, what=cells(["small", "shown", "unlisted"], n=31.0))
    known = second.shown(periods()).set_index("group")["n"]
    assert known.to_dict() == {"g0": 30.0, "g1": 31.0}
    assert list(second.hidden(periods())["group"]) == ["g0"]


def test_going_back_goes_back_to_what_that_release_published(tmp_path):
    first = saved(tmp_path, FIRST)
    saved(tmp_path, SECOND, first, what=cells(["small", "shown", "unlisted"], n=31.0))
    again = ledger.load(tmp_path, FIRST)
    assert list(again.cells["why"]) == ["shown", "small", "unlisted"]
    assert set(again.shown(periods())["group"]) == {"g0", "g1"}


def test_other_periods_are_carried_on(tmp_path):
    first = saved(tmp_path, FIRST)
    later = cells(["shown"], year="2025/26"), periods(year="2025/26")
    second = saved(tmp_path, SECOND, first, *later)
    assert set(second.cells["academic_year"]) == {"2024/25", "2025/26"}
    assert np.isclose(second.cells["n"], 30).all()


def test_ledgers_go_with_their_releases(tmp_path):
    saved(tmp_path, SECOND, saved(tmp_path, FIRST))
    ledger.tidy(tmp_path, [SECOND])
    assert ledger.load(tmp_path, FIRST).cells.empty
    assert not ledger.load(tmp_path, SECOND).cells.empty


def test_what_is_not_shown_is_forgotten_on_demand(tmp_path):
    first = saved(tmp_path, FIRST)
    saved(tmp_path, SECOND, first, cells(["shown", "small"], year="2025/26"), periods(year="2025/26"))
    assert ledger.forget(tmp_path, "2025/26") == 4, "two cells in each of two ledgers"
    left = ledger.load(tmp_path, SECOND)
    assert list(left.cells["why"]) == ["shown", "shown", "small"]
    assert left.kept(periods(), "t") == set()
    assert left.kept(periods(year="2025/26"), "t") == {("2025/26", "year")}
    assert ledger.forget(tmp_path, "2025/26") == 0


@pytest.mark.parametrize("release", [FIRST, SECOND])
def test_it_is_for_its_owner_only(tmp_path, release):
    saved(tmp_path, release)
    assert [path.stat().st_mode & 0o077 for path in tmp_path.iterdir()] == [0]
