"""A figure on its way to many browsers."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go


class Sent(go.Figure):
    """A finished figure, encoded once: Streamlit asks for that at every run of a page. Not for drawing on."""

    def __init__(self, figure: go.Figure) -> None:
        super().__init__()
        self._encoded: dict[str, Any] = figure.to_dict()

    def to_dict(self) -> dict[str, Any]:
        """The figure as plotly's own `to_dict` encodes it. Shared: never change it."""
        return self._encoded
