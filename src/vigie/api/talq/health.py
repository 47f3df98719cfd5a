"""Whether gateways are silent, or have a wrong clock: conditions of lighting, at the cabinet that a gateway stands for.

A gateway is no asset of the city. What is wrong with it is shown where its lamps are, at the first cabinet that it
speaks for, to those who may see that.
"""

from __future__ import annotations

import asyncio

import numpy as np

from vigie.api.talq.door import TalqDoor
from vigie.api.talq.link import Link
from vigie.core.service import Clear, Effect, Raise
from vigie.core.times import MINUTE_US, SECOND_US
from vigie.engine.loop import Engine
from vigie.engine.ports import Clock
from vigie.services.lighting.conditions import GATEWAY_CLOCK, GATEWAY_SILENT
from vigie.services.lighting.kinds import Cabinet

EVERY_S = 10.0
SILENT_US = 10 * MINUTE_US
ASKED_AFTER_US = 4 * MINUTE_US
"""A gateway that has said nothing for so long is asked something small: by day it may just have nothing to say."""

WRONG_US = 60 * SECOND_US
"""How far a clock may be off: an order's proof is held against the gateway's own instants."""

_OURS = frozenset({GATEWAY_SILENT.name, GATEWAY_CLOCK.name})


class GatewayHealth:
    """Watches the gateways. Lives on the engine's own thread."""

    def __init__(self, talq: TalqDoor, engine: Engine, clock: Clock) -> None:
        self._talq, self._engine, self._clock = talq, engine, clock
        self._since_us = clock.now_us()

    async def run(self) -> None:
        """Watches until it is cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            self.look()

    def look(self) -> None:
        """Raises and clears what is so now, and asks those who have been silent for a while."""
        now_us = self._clock.now_us()
        effects: list[Effect] = []
        anchors: set[int] = set()
        for link in self._talq.links.values():
            anchor, count = self._anchor(link)
            if anchor:
                anchors.add(anchor)
                effects += self._found(link, anchor, {"gateway": link.name, "assets": count}, now_us)
            quiet_us = now_us - max(link.heard_us, self._since_us)
            if link.is_ready and quiet_us >= ASKED_AFTER_US and not len(link.courier):
                link.ask([link.peer.probe()])
        for condition in self._engine.conditions:
            # Its gateway was expelled, or stands for other assets now.
            if condition.kind.name in _OURS and condition.asset not in anchors:
                effects.append(Clear(condition.kind, condition.asset, now_us))
        if effects:
            self._engine.apply(effects, self._engine.next_ingest, f"talq.health.{now_us}", now_us)

    def _found(self, link: Link, anchor: int, evidence: dict[str, float | str], now_us: int) -> list[Effect]:
        effects: list[Effect] = []
        heard_us = max(link.heard_us, self._since_us)
        if now_us - heard_us >= SILENT_US:
            effects.append(Raise(GATEWAY_SILENT, anchor, heard_us, evidence))
        elif link.heard_us:
            # One that was silent before the post started again is so until it is heard.
            effects.append(Clear(GATEWAY_SILENT, anchor, now_us))
        ahead_us = link.clock_ahead_us(now_us)
        if abs(ahead_us) > WRONG_US:
            said = evidence | {"clock_ahead": round(ahead_us / SECOND_US)}
            effects.append(Raise(GATEWAY_CLOCK, anchor, now_us, said))
        elif link.clock_heard:
            effects.append(Clear(GATEWAY_CLOCK, anchor, now_us))
        return effects

    def _anchor(self, link: Link) -> tuple[int, int]:
        """The number of the asset that stands for a gateway, 0 for none, and for how many it speaks."""
        registry = self._engine.registry
        own = (registry.reporter[: registry.count] == link.number) & ~registry.gone[: registry.count]
        mine = np.flatnonzero(own)
        cabinets = mine[registry.kind[mine] == registry.kind_codes[Cabinet.kind]]
        return (int(cabinets[0]) if len(cabinets) else int(mine[0]) if len(mine) else 0), len(mine)
