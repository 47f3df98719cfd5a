"""How RSMP writes an instant, and the two clocks of an end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from vigie.core.times import from_us, to_us

_END_US = to_us(datetime(9999, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happens at an end.

    steady_us: microseconds of a clock that never goes back nor jumps; everything that is waited for is measured by it,
    so that a clock which is set can neither end a connection nor keep a dead one. clock_us: the instant that the end's
    clock shows; only what is written into messages comes from it.
    """

    steady_us: int
    clock_us: int

    @staticmethod
    def at(instant_us: int) -> Moment:
        """Where both clocks are one, as in a simulated day."""
        return Moment(instant_us, instant_us)


def stamp(instant_us: int) -> str:
    """An instant as RSMP writes it: UTC, three decimals, such as 2026-11-24T03:00:00.000Z."""
    return from_us(instant_us).isoformat(timespec="milliseconds")[:-6] + "Z"


def instant(text: str) -> int:
    """The instant that a timestamp names; one without a zone is UTC, as all of RSMP is. Raises ValueError, also for one
    before 1970, which no clock of a site shows but one that is broken."""
    said = datetime.fromisoformat(text)
    instant_us = to_us(said if said.tzinfo is not None else said.replace(tzinfo=UTC))
    if not 0 <= instant_us < _END_US:
        raise ValueError(f"{text!r} is out of all bounds")
    return instant_us
