"""Ice over the API: what each station says of the roads, and what it has called out."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

import numpy as np

from vigie.api.city.forms import Form, Instant
from vigie.api.city.sources import Sources
from vigie.api.operation import Ask, Nothing, Operation
from vigie.core.arrays import ints
from vigie.core.times import from_us
from vigie.services.roads.winter.risk import Cause, Level, Reading, judge
from vigie.services.roads.winter.stations import ICE_RISK, readings, speaking, station_kind


class IceForm(Form, frozen=True, kw_only=True):
    """What a station says of the roads now. level: `not_known` where it is silent, or measures nothing that tells.
    speaks: whether it may raise an alarm: it measures a road, or the air where none with a road is near. since: of the
    alarm that is open there. surface, air, dew_point: in degrees; humidity in %; null where not known."""

    station: str
    name: str
    level: Level
    cause: Cause
    speaks: bool
    since: Instant | None
    surface: float | None
    air: float | None
    dew_point: float | None
    humidity: float | None


class Ice(Form, frozen=True, kw_only=True):
    """The stations that you may see."""

    items: Sequence[IceForm]


class WinterDoor:
    """The operation on ice."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    @property
    def operations(self) -> list[Operation]:
        """As the API declares it."""
        return [Operation("GET", "roads/ice", self.ice, answer=Ice)]

    async def ice(self, ask: Ask[Nothing, Nothing]) -> Ice:
        """Tells how likely ice is at each weather station by what it says now. The alarm `ice_risk` also knows of the
        last hours' rain and of what is to come."""
        engine, seen = self._sources.engine, self._sources.sight(ask.caller).seen
        kind = station_kind(engine)
        if kind is None:
            return Ice(items=[])
        stations = engine.assets(kind)
        said = readings(engine, kind, stations, self._sources.clock.now_us())
        speaks = speaking(engine, kind, stations, said)
        since = {each.asset: each.at_us for each in engine.present(ICE_RISK)}
        rows = np.flatnonzero(seen[stations])
        numbers = ints(stations)
        return Ice(items=[self._form(numbers[n], said[n], since, speaks=speaks[n]) for n in ints(rows)])

    def _form(self, station: int, reading: Reading, since: dict[int, int], *, speaks: bool) -> IceForm:
        registry, risk = self._sources.engine.registry, judge(reading)
        return IceForm(
            station=registry.ids[station],
            name=registry.names[station],
            level=risk.level,
            cause=risk.cause,
            speaks=speaks,
            since=from_us(since[station]) if station in since else None,
            surface=_told(reading.surface_c),
            air=_told(reading.air_c),
            dew_point=_told(reading.dew_c),
            humidity=_told(reading.humidity),
        )


def _told(value: float) -> float | None:
    return None if isnan(value) else round(value, 1)
