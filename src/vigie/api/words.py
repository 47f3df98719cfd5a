"""The catalogue of texts, for what the post itself writes: heads of tables, pages without script."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path

TEXTS = Path(__file__).resolve().parents[1] / "texts"

Words = Callable[..., str]
"""said(key, gap="what goes into {gap}") -> the text. Raises KeyError for a key that the catalogue has not."""


@cache
def words(language: str) -> Words:
    """The words of a language, "fr" or "en"."""
    texts: dict[str, str] = {}
    for path in sorted(TEXTS.glob(f"{language}.*json")):
        texts |= json.loads(path.read_text("utf-8"))

    def said(key: str, **gaps: object) -> str:
        return re.sub(r"\{(\w+)\}", lambda gap: str(gaps.get(gap[1], gap[0])), texts[key])

    return said


def instant(said: Words, at: datetime, key: str = "mail.at") -> str:
    """When something was, to the minute, as it stands before what was then; or as another text has it."""
    return said(key, day=f"{at:%d}", month=f"{at:%m}", year=f"{at:%Y}", time=f"{at:%H:%M}")
