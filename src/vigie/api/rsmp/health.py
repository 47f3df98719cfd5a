"""Whether the controllers of junctions are silent: a condition of signals, at the junction itself.

RSMP's watchdogs tell within a minute and a half that a connection is dead, so silence is a connection that is not
there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from vigie.api.rsmp.door import RsmpDoor
from vigie.core.service import Clear, Effect, Raise
from vigie.core.times import MINUTE_US
from vigie.engine.loop import Engine
from vigie.engine.ports import Clock
from vigie.services.signals import CONTROLLER_SILENT, Detector

EVERY_S = 10.0
SILENT_US = 2 * MINUTE_US
"""A site connects again ten seconds after a loss; one that is away for so long will not by itself."""


class SiteHealth:
    """Watches the sites. Lives on the engine's own thread."""

    def __init__(self, rsmp: RsmpDoor, engine: Engine, clock: Clock, asset_of: Callable[[int], str]) -> None:
        """asset_of: see `vigie.api.rsmp.door.Means`."""
        self._rsmp, self._engine, self._clock, self._asset_of = rsmp, engine, clock, asset_of
        self._known = (-1, -1)

    async def run(self) -> None:
        """Watches until it is cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            self.look()

    def look(self) -> None:
        """Raises and clears what is so now."""
        # Other detectors, or other devices that speak for them; what is not on disk yet cannot be read there.
        known = self._engine.registry.version_of(Detector), self._rsmp.edition
        if self._known != known and not self._engine.owed:
            self._known = known
            self._rsmp.look_for_detectors()
        now_us, effects = self._clock.now_us(), list[Effect]()
        watched: set[int] = set()
        for site in self._rsmp.sites.values():
            asset = self._engine.registry.numbers.get(self._asset_of(site.number), 0)
            if not asset:
                continue
            watched.add(asset)
            if site.attached:
                effects.append(Clear(CONTROLLER_SILENT, asset, now_us))
            elif now_us - site.since_us >= SILENT_US:
                effects.append(Raise(CONTROLLER_SILENT, asset, site.since_us, {"site": site.name}))
        for condition in self._engine.conditions:
            # Its site was expelled, or stands for another junction now.
            if condition.kind.name == CONTROLLER_SILENT.name and condition.asset not in watched:
                effects.append(Clear(CONTROLLER_SILENT, condition.asset, now_us))
        if effects:
            self._engine.apply(effects, self._engine.next_ingest, f"rsmp.health.{now_us}", now_us)
