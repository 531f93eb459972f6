"""The few things that only the reader's browser can do: copy a link, print, and remember that a note was read."""

from __future__ import annotations

from typing import Any

import streamlit as st

WELCOMED = "tutoring-welcomed"
STYLE = """
:host, div { font-family: var(--st-font); font-size: 0.92rem; }
div { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.4rem 0.75rem; }
p { margin: 0; max-width: 70ch; flex: 1 1 20rem; font-size: 1rem; color: var(--ink); line-height: 1.5; }
button {
  font: inherit; color: var(--muted); background: none; border: 0; border-radius: 4px; padding: 0.25rem 0;
  min-height: 2rem; cursor: pointer; text-decoration: underline; text-underline-offset: 0.2em;
  text-decoration-color: var(--line);
}
button:hover { color: var(--accent); text-decoration-color: currentcolor; }
button:focus-visible, input:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
span { color: var(--well); }
span:empty { margin-left: -0.75rem; }
input {
  font: inherit; width: min(100%, 30rem); padding: 0.25rem 0.5rem; color: var(--ink); background: var(--panel);
  border: 1px solid var(--line); border-radius: 4px;
}
[hidden] { display: none; }
"""
COPY_HTML = """
<div><button type="button">Copy link</button><span role="status"></span>
<input readonly hidden aria-label="Link to this view"></div>
"""
# Browsers allow copying on secure pages only; elsewhere the link is laid out to be copied by hand.
COPY = """
export default function ({ data, parentElement }) {
  const [button, said, field] = ["button", "span", "input"].map((x) => parentElement.querySelector(x));
  field.value = data.address || window.location.origin + window.location.pathname + data.query;
  button.setAttribute("aria-label", `Copy link to ${data.of}`);
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(field.value);
      said.textContent = "Copied";
      setTimeout(() => { said.textContent = ""; }, 4000);
    } catch {
      field.hidden = false;
      field.focus();
      field.select();
    }
  };
}
"""
PRINT_HTML = '<div><button type="button">Print this page</button></div>'
# Charts are as wide as the page was on the screen: they are given a moment to take the width of paper.
PRINT = """
export default function ({ parentElement }) {
  const page = document.documentElement;
  parentElement.querySelector("button").onclick = () => {
    page.classList.add("paper");
    window.addEventListener("afterprint", () => page.classList.remove("paper"), { once: true });
    setTimeout(() => window.print(), 600);
  };
}
"""
WELCOME_HTML = '<div role="note"><p></p><button type="button">Got it</button></div>'
WELCOME = """
export default function ({ data, parentElement, setStateValue }) {
  parentElement.querySelector("p").textContent = data.text;
  parentElement.querySelector("button").onclick = () => {
    document.cookie = `${data.cookie}=yes; path=/; max-age=31536000; samesite=lax`;
    setStateValue("read", true);
  };
}
"""


def copy_link(address: str, query: str, of: str, key: str) -> None:
    """A button that copies a link. address: whole, where it is known; else the page's own with `query`."""
    mount = st.components.v2.component("copy-link", html=COPY_HTML, css=STYLE, js=COPY)
    mount(key=f"copy {key}", data={"address": address, "query": query, "of": of}, width="content", height="content")


def print_page() -> None:
    """A button that prints the page."""
    mount = st.components.v2.component("print-page", html=PRINT_HTML, css=STYLE, js=PRINT)
    mount(key="print", width="content", height="content")


def welcome(text: str) -> None:
    """A note for the first visit. Once read it stays away, in this browser, for a year."""
    told: Any = st.session_state.get("welcome") or {}
    if told.get("read") or st.context.cookies.get(WELCOMED) == "yes":
        return
    mount = st.components.v2.component("welcome", html=WELCOME_HTML, css=STYLE, js=WELCOME)
    with st.container(key="welcome-note"):
        mount(key="welcome", data={"text": text, "cookie": WELCOMED}, on_read_change=lambda: None, height="content")
