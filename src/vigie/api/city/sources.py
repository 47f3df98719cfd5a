"""What the reading half of the API reads from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vigie.api.access import Caller
from vigie.api.city.sight import Sight, sight_of
from vigie.core.scope import Verb
from vigie.core.service import Service
from vigie.engine.loop import Engine
from vigie.engine.ports import Clock
from vigie.store.facts import SqlFacts
from vigie.store.history import History


@dataclass(frozen=True)
class Sources:
    """The post as the API reads it.

    name, zone: of the city. shard, key: of the journal; key is the public one that its heads are signed with.
    """

    engine: Engine
    services: Sequence[Service]
    facts: SqlFacts
    history: History
    clock: Clock
    name: str
    zone: str
    shard: str
    version: str
    key: bytes

    def sight(self, caller: Caller) -> Sight:
        """What a caller sees now."""
        return sight_of(self.engine, caller.scope)

    def reads_people(self, caller: Caller, no: int) -> bool:
        """Whether a caller may read who did what to an asset, and why."""
        return bool(self.engine.visibility.mask(caller.scope, Verb.PERSONAL)[no])

    def knows_crew(self, caller: Caller, no: int) -> bool:
        """Whether a caller may read who works at an asset that is locked out, and why: who could work against it, and
        who may read personal fields there."""
        mask = self.engine.visibility.mask
        return any(mask(caller.scope, verb)[no] for verb in (Verb.PERSONAL, Verb.ORDER, Verb.CONSIGN))
