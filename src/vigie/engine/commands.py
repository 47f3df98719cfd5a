"""Commands: the life of each order and of each of its targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One asset that an order is meant for, as it is kept. state: its place among the states of the life "target"."""

    asset: int
    state: int
    sent_us: int | None
    ended_us: int | None
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class ProposedRows:
    """What travels beside the fact of a proposed order. key: its idempotency key, "" for none."""

    key: str
    area: str
    service: str
    targets: Sequence[TargetRow]
