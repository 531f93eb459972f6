"""Filters that live in the URL, so that a link reproduces a view, and follow the reader between pages.

The URL is the only truth: each run sets the boxes from it, and a changed box writes to it. A page opened
without any query takes what was last chosen in the session. Unknown or forged values count as not given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd
import streamlit as st

from dashboard.access import UNIVERSITY
from dashboard.kept import kept
from dashboard.periods import code, periods_with
from dashboard.published import Release

EVERYWHERE = "all"
NAMES = ("metric", "level", "period", "unit", "faculty", "characteristic", "group", "view", "drawn", "order")
Offered = dict[str, pd.Series]  # code → its row


@dataclass
class Filters:
    """The filters of one page in one run."""

    release: Release
    asked: dict[str, str] = field(init=False)
    shown_unit: str = field(init=False)
    other_period: tuple[str, str] | None = field(init=False, default=None)  # asked for, and shown instead

    def __post_init__(self) -> None:
        self._chosen: dict[str, str] = st.session_state.setdefault("chosen", {})
        self._view: dict[str, str] = {}
        st.session_state["chosen_here"] = self._view
        self.asked = asked()
        self.shown_unit = self.release.viewer.home

    def choose(self, name: str, label: str, options: Mapping[str, str], default: str, pin: bool = False) -> str:
        """A box of `options` (code → words). The URL names the code unless it is the default; `pin`: always."""
        code = self._settled(name, options, default, pin)
        st.selectbox(label, list(options), format_func=lambda c: options[c], key=name, on_change=_changed, args=(name,))
        return code

    def switch(self, name: str, label: str, options: Mapping[str, str], default: str = "") -> str:
        """A row of views, of which one is open: the URL names it unless it is the default, the first unless another is
        given. No row for a single one.
        """
        code = self._settled(name, options, default or next(iter(options)), pin=False)
        if len(options) > 1:
            st.segmented_control(
                label, list(options), format_func=lambda c: options[c], key=name, required=True,
                on_change=_changed, args=(name,), label_visibility="collapsed",
            )  # fmt: skip
        return code

    def _settled(self, name: str, options: Mapping[str, str], default: str, pin: bool) -> str:
        """The option that the URL names, else the default; set for its widget, the session and the URL."""
        asked = self.asked.get(name, "")
        code = asked if asked in options else default if default in options else next(iter(options))
        st.session_state[name] = code
        self._chosen[name] = self._view[name] = code
        if code == default and not pin:
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != code:
            st.query_params[name] = code
        return code

    def metric(self, default: str = "") -> pd.Series:
        """The chosen metric; only available ones are offered, the first headline measure as default."""
        offered, first = _metrics(self.release)
        return offered[self.choose("metric", "Measure", _labels(offered), default or first, pin=True)]

    def level(self) -> str:
        """The chosen level."""
        return self.choose("level", "Level", self.release.levels["label"].to_dict(), "all")

    def period(self, metric: str, level: str) -> pd.Series:
        """The chosen period: those in which the university has the metric, the latest as default."""
        return self._period("Period", _periods(self.release, metric, level))

    def year(self) -> pd.Series:
        """The chosen academic year: whole years, and the one in progress up to now. The current one is the default."""
        return self._period("Year", _years(self.release))

    def _period(self, label: str, offered: Offered) -> pd.Series:
        """One of the periods offered, the first as default; notes where another that is published was asked for."""
        chosen = offered[self.choose("period", label, _labels(offered), next(iter(offered)))]
        asked = self.asked.get("period", "")
        if asked and asked not in offered:
            published = (str(p["label"]) for _, p in self.release.periods.iterrows() if code(p) == asked)
            self.other_period = next(((other, str(chosen["label"])) for other in published), None)
        return chosen

    def unit(self) -> str:
        """The chosen unit among those the viewer sees; the viewer's own where the URL names another."""
        units = self.release.units
        self.shown_unit = self.choose("unit", "Whose figures", units["name"].to_dict(), self.release.viewer.home)
        return self.shown_unit

    def school(self) -> str:
        """The chosen school among those the viewer sees: their own, one of the faculty asked for, or the first."""
        units = self.release.units
        schools = units[units["kind"] == "school"]["name"].to_dict()
        if len(schools) == 1:  # no box: there is nothing to choose
            self.shown_unit = self._view["unit"] = next(iter(schools))
            return self.shown_unit
        of_asked = [school for school in schools if units.loc[school, "parent"] == self.asked.get("unit")]
        default = of_asked[0] if of_asked else self.release.viewer.home
        self.shown_unit = self.choose("unit", "School", schools, default, pin=True)
        return self.shown_unit

    @property
    def not_seen(self) -> bool:
        """Whether the URL asks for a unit that the viewer does not see, or that there is not; or did just now."""
        units = self.release.units.index
        just_now = st.session_state.get("noted_at") == (st.session_state.get("page"), self.asked)
        return just_now or any(
            self.asked.get(name, EVERYWHERE) not in (EVERYWHERE, *units) for name in ("unit", "faculty")
        )

    def faculty(self, label: str, nothing: str) -> str:
        """The chosen faculty, or EVERYWHERE."""
        if self.release.viewer.home != UNIVERSITY:
            return EVERYWHERE
        return self.choose("faculty", label, {EVERYWHERE: nothing, **_faculties(self.release)}, EVERYWHERE)

    def characteristic(self, default: str) -> pd.Series:
        """The chosen characteristic; only available ones are offered."""
        offered = _characteristics(self.release)
        return offered[self.choose("characteristic", "Characteristic", _labels(offered), default, pin=True)]

    def group(self, groups: pd.DataFrame, default: str) -> str:
        """The chosen group among those compared with the reference."""
        offered = groups[groups["compared"].astype(bool) & ~groups["is_reference"].astype(bool)]["group"]
        return self.choose("group", "Group", dict(zip(offered, offered, strict=True)), default, pin=True)


@kept
def _metrics(release: Release) -> tuple[Offered, str]:
    """The available metrics, and the code of the one that comes first."""
    offered = release.metrics[release.metrics["available"].astype(bool)]
    headline = offered[offered["headline"].astype(bool)]
    return dict(offered.iterrows()), str((headline if len(headline) else offered).index[0])


@kept
def _characteristics(release: Release) -> Offered:
    return dict(release.characteristics[release.characteristics["available"].astype(bool)].iterrows())


@kept
def _faculties(release: Release) -> dict[str, str]:
    units = release.units
    return {str(unit): str(name) for unit, name in units.loc[units["kind"] == "faculty", "name"].items()}


@kept
def _periods(release: Release, metric: str, level: str) -> Offered:
    return {code(period): period for _, period in periods_with(release, metric, level).iterrows()}


@kept
def _years(release: Release) -> Offered:
    """The current period, and whole years before it."""
    is_current = release.periods["is_current"].astype(bool)
    whole = ~is_current & (release.periods["part"] == "year")
    return {code(p): p for _, p in pd.concat([release.periods[is_current], release.periods[whole]]).iterrows()}


def _labels(offered: Offered) -> dict[str, str]:
    return {code: str(row["label"]) for code, row in offered.items()}


def _changed(name: str) -> None:
    st.query_params[name] = st.session_state[name]


def asked() -> dict[str, str]:
    """The filters the URL names, or else those last chosen in the session."""
    named = {name: value for name, value in st.query_params.to_dict().items() if name in NAMES}
    return named or dict(st.session_state.get("chosen", {}))


def chosen_here() -> dict[str, str]:
    """What the boxes of this page are set to so far in this run, defaults too."""
    return dict(st.session_state.get("chosen_here", {}))


def settle() -> None:
    """Remember the address as the page completed it: a note on what it asked for stays until something changes."""
    st.session_state.pop("chosen_here", None)
    noted = st.session_state.pop("noted", False)
    st.session_state["noted_at"] = (st.session_state.get("page"), asked()) if noted else None


def view(title: str, release: Release) -> str:
    """A page with the filters asked for, as the audit log names it; without units that the viewer does not see."""
    named = dict(sorted(asked().items()))
    if named.keys() & {"unit", "faculty"}:
        seen = (EVERYWHERE, *release.units.index)
        named = {name: code for name, code in named.items() if name not in ("unit", "faculty") or code in seen}
    return f"{title}?{'&'.join(f'{name}={code}' for name, code in named.items())}".rstrip("?")
