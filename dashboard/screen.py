"""Whether the reader's screen is narrow: charts give their labels less room there.

Only the browser knows. It tells when its answer differs from what is believed, which runs the page again;
until then a browser that calls itself mobile is believed to be narrow. There the way to other pages is a button, which
is called in the browser what style.css writes on it.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

KEY = "screen"
LISTEN = """
export default function ({ data, setStateValue }) {
  const phone = window.matchMedia("(max-width: 640px)");
  const printing = window.matchMedia("print");  // paper is no other screen: charts stay as they are
  const tell = () => {
    if (!printing.matches && phone.matches !== data.narrow) setStateValue("narrow", phone.matches);
    document.querySelector('[data-testid="stExpandSidebarButton"]')?.setAttribute("aria-label", "Pages");
  };
  tell();
  phone.addEventListener("change", tell);
  return () => phone.removeEventListener("change", tell);
}
"""


def is_narrow() -> bool:
    """What is known, or else believed, of the reader's screen."""
    told: Any = st.session_state.get(KEY) or {}
    if "narrow" in told:
        return bool(told["narrow"])
    return "Mobi" in st.context.headers.get("User-Agent", "")


def listen() -> None:
    """Let the browser tell, now and whenever its window crosses the line. Takes no room; put it last."""
    screen = st.components.v2.component(KEY, js=LISTEN)
    screen(key=KEY, data={"narrow": is_narrow()}, on_narrow_change=lambda: None, height=0)
