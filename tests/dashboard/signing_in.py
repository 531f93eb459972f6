"""People who sign in: an access.toml for each role, and what an identity provider says of them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

ACCESS = """
contact = "the data team"

[people]
"lead@northmere.example" = { role = "university lead" }
"Eng.Dean@northmere.example" = { role = "faculty lead", faculty = "ENG" }
"eng3@northmere.example" = { role = "school lead", school = "ENG3" }
"committee@northmere.example" = { role = "committee member" }
"steward@northmere.example" = { role = "data steward" }

[claim]
name = "roles"
[claim.values]
"Tutoring.EDU" = { role = "faculty lead", faculty = "EDU" }
"Tutoring.Steward" = { role = "data steward" }
"""
PEOPLE = {
    "university lead": "lead@northmere.example",
    "faculty lead": "eng.dean@northmere.example",
    "school lead": "eng3@northmere.example",
    "committee member": "committee@northmere.example",
    "data steward": "steward@northmere.example",
}
SECRETS = {
    "auth": {
        "redirect_uri": "http://localhost:8501/oauth2callback",
        "cookie_secret": "a secret for tests alone",
        "client_id": "tests",
        "client_secret": "tests",
        "server_metadata_url": "http://localhost:9/.well-known/openid-configuration",
    }
}


def claims(email: str, **more: Any) -> dict[str, Any]:
    """What a provider says of somebody who has just signed in."""
    return {"is_logged_in": True, "email": email, "sub": f"sub of {email}", "exp": int(time.time()) + 3600, **more}


def sign_in(app: AppTest, email: str | None, **more: Any) -> AppTest:
    """Configure sign-in for an app, and sign somebody in (or nobody)."""
    app.secrets = dict(SECRETS)
    app.user = claims(email, **more) if email else {"is_logged_in": False}
    return app


def write_access(folder: Path, text: str = ACCESS) -> Path:
    """Write an access.toml."""
    file = folder / "access.toml"
    file.write_text(text, encoding="utf-8")
    return file
