"""What is asked of traffic and what is answered, as types."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from vigie.api.city.forms import Form, Instant

WAIT_S_MAX = 30

Level = Literal["A", "B", "C", "D", "E", "F"]
"""A level of service."""


class ForecastQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Of which detectors."""

    detector: Annotated[
        str, Meta(max_length=100, description="One detector by its id; all that you see unless said.")
    ] = ""
    wait_s: Annotated[float, Meta(ge=0, le=WAIT_S_MAX, description="How long the answer may wait for the counts.")] = 10


class Outlook(Form, frozen=True, kw_only=True):
    """One detector: vehicles in the last hour, None where it was silent; what is usual in the next one, what is
    foretold of it, and the ends of an interval that holds four hours of five."""

    id: str
    last: float | None
    usual: float
    vehicles: float
    low: float
    high: float


class StreetTraffic(Form, frozen=True, kw_only=True):
    """Traffic at one detector on its stretch of a street. line: longitude and latitude of its corners, in the direction
    that is driven; both: whether that direction is unknown. flow: vehicles an hour; occupancy: percent of time; speed
    in km/h, told or reckoned from these two; free_speed: the street's limit; density: vehicles on a kilometre of one
    lane; level: level of service, A to F. What is unknown is null."""

    detector: str
    street: str
    name: str
    line: list[tuple[float, float]]
    both: bool
    flow: float | None
    speed: float | None
    free_speed: float
    occupancy: float | None
    density: float | None
    level: Level | None


class Streets(Form, frozen=True, kw_only=True):
    """Traffic in the streets where somebody counts, at an instant."""

    at: Instant
    streets: list[StreetTraffic]


class Forecast(Form, frozen=True, kw_only=True):
    """The next hour. state: "reading" while the counts of the last weeks are read, with the share that is done;
    "learning" where too few days are known to foretell anything; "ready". days, wanted: days with counts, and how many
    it takes. start, end: the hour that is foretold."""

    state: Literal["reading", "learning", "ready"]
    done: float = 1.0
    days: int = 0
    wanted: int
    start: Instant | None = None
    end: Instant | None = None
    detectors: list[Outlook] = msgspec.field(default_factory=list[Outlook])
