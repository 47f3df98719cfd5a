"""Why something that a person asks for is not done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why what was asked is not done: a text's key, and what to put into it. Shown word for word."""

    rule: str
    detail: Mapping[str, str | float] = field(default_factory=dict[str, str | float])
