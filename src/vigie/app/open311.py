"""The tokens that residents get with their reports."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from vigie.app.installation import secret_key

KEY = Path("keys") / "reports.key"
_SHOWN = 32
"""So many hex digits of it are told: 128 bits."""


def report_token(data: Path, case_id: str) -> str:
    """The secret that goes with a report: it follows from its id and from a key of the installation, so that it need
    not be kept and is the same each time. Raises OSError."""
    return token_by(secret_key(data / KEY), case_id)


def token_by(key: bytes, case_id: str) -> str:
    """The same, by a key that was read already."""
    return hmac.new(key, case_id.encode(), hashlib.sha256).hexdigest()[:_SHOWN]
