"""What charts are drawn on: a Plotly figure as plain data. Plotly's own classes check every property as it is set,
which takes longer than all else about a chart; here that is left to `checked`, for images and for tests.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go


class Chart:
    """Traces and a layout, drawn on with the few of plotly's methods that charts use, under plotly's names."""

    def __init__(self) -> None:
        self.traces: list[dict[str, Any]] = []
        self.layout: dict[str, Any] = {"annotations": [], "shapes": []}

    def add_scatter(self, **trace: Any) -> None:
        """Add marks, lines or texts."""
        self.traces.append({"type": "scatter", **trace})

    def add_bar(self, **trace: Any) -> None:
        """Add bars."""
        self.traces.append({"type": "bar", **trace})

    def update_layout(self, **layout: Any) -> None:
        """Set properties of the layout; of those within properties, only the given ones change."""
        _merge(self.layout, layout)

    def update_xaxes(self, **axis: Any) -> None:
        """Set properties of the first x axis."""
        self.update_layout(xaxis=axis)

    def update_yaxes(self, **axis: Any) -> None:
        """Set properties of the first y axis."""
        self.update_layout(yaxis=axis)

    def add_annotation(self, **annotation: Any) -> None:
        """Add a text at a place."""
        self.layout["annotations"] = [*self.layout["annotations"], annotation]

    def add_hline(self, y: float, line: dict[str, Any], layer: str = "above") -> None:
        """Add a line across the plot."""
        self._add_shape(type="line", xref="x domain", x0=0, x1=1, y0=y, y1=y, line=line, layer=layer)

    def add_vline(self, x: float, line: dict[str, Any], layer: str = "above") -> None:
        """Add a line up the plot."""
        self._add_shape(type="line", yref="y domain", y0=0, y1=1, x0=x, x1=x, line=line, layer=layer)

    def add_vrect(self, x0: float, x1: float, fillcolor: str, opacity: float) -> None:
        """Add a band up the plot, behind its marks."""
        look = {"fillcolor": fillcolor, "opacity": opacity, "line": {"width": 0}, "layer": "below"}
        self._add_shape(type="rect", yref="y domain", y0=0, y1=1, x0=x0, x1=x1, **look)

    def _add_shape(self, **shape: Any) -> None:
        self.layout["shapes"] = [*self.layout["shapes"], shape]

    def to_dict(self) -> dict[str, Any]:
        """The figure as Plotly's JSON has it: plain lists and numbers, null for what is not a number."""
        return {"data": [_plain(trace) for trace in self.traces], "layout": _plain(self.layout)}

    def checked(self) -> go.Figure:
        """The same as plotly's own figure. Raises ValueError for a property that Plotly does not know."""
        return go.Figure(self.to_dict())


class Sent(go.Figure):
    """A finished figure, encoded once: Streamlit asks for that at every run of a page. Not for drawing on."""

    def __init__(self, figure: Chart) -> None:
        super().__init__()
        self._encoded = figure.to_dict()

    def to_dict(self) -> dict[str, Any]:
        """The figure as `Chart.to_dict` encodes it. Shared: never change it."""
        return self._encoded


def _merge(into: dict[str, Any], new: dict[str, Any]) -> None:
    for name, value in new.items():
        if isinstance(value, dict):
            _merge(into.setdefault(name, {}), value)
        else:
            into[name] = value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (pd.Series, pd.Index, np.ndarray, np.generic)):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return None if value is pd.NA or (isinstance(value, float) and not np.isfinite(value)) else value
