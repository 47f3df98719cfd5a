"""The tokens that residents get with their reports."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

from vigie.app.installation import write_key

KEY = Path("keys") / "reports.key"
_KEY_BYTES = 32
_SHOWN = 32
"""So many hex digits of it are told: 128 bits."""


def report_token(data: Path, case_id: str) -> str:
    """The secret that goes with a report: it follows from its id and from a key of the installation, which is made at
    first need, so that it need not be kept and is the same each time."""
    path = data / KEY
    if not path.exists():
        write_key(path, secrets.token_bytes(_KEY_BYTES))
    return hmac.new(path.read_bytes(), case_id.encode(), hashlib.sha256).hexdigest()[:_SHOWN]
