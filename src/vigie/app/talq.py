"""The TALQ door of an installation: who may speak, what the post shows to them, and where what it learns is kept."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import numpy as np

from vigie.api.talq import Link, Means, ProgrammeKeeping, TalqDoor
from vigie.api.talq.programmes import Wanted, nights_ahead, wanted
from vigie.app.installation import Installation, secret_key
from vigie.app.post import Post
from vigie.core.arrays import ints
from vigie.core.calendar import Calendar
from vigie.core.scope import Scope
from vigie.core.service import Effect
from vigie.core.times import SECOND_US
from vigie.engine.known import Frozen
from vigie.engine.loop import Engine
from vigie.protocols.talq import Cms, Enrolment
from vigie.services.lighting.plans import PROGRAMME, layers_of, park_of

TALQ = "talq"
"""The protocol of a device that is a TALQ gateway."""

KEY = Path("keys") / "talq.key"


def gateway_token(data: Path, name: str) -> str:
    """What the post of this folder shows to the gateway that is called so: it follows from the name and from a key of
    the installation, so that it need not be kept and is the same each time. Raises OSError."""
    return hmac.new(secret_key(data / KEY), name.encode(), hashlib.sha256).hexdigest()


def enrolments(opened: Installation) -> list[tuple[int, Enrolment]]:
    """The TALQ gateways that are admitted, by their numbers as devices."""
    return [
        (each.no, Enrolment(each.name, each.digest.hex(), gateway_token(opened.settings.data, each.name), each.uri))
        for each in opened.facts.speakers(TALQ)
    ]


def programme_keeping(
    opened: Installation, post: Post, talq: TalqDoor, calendar: Callable[[], Calendar]
) -> ProgrammeKeeping:
    """What keeps the gateways in step with the programmes in force."""
    engine, clock = post.engine, opened.clock

    def edition() -> object:
        programmes = (each for each in engine.plans if each.kind is PROGRAMME)
        in_force = {each.id: each.in_force.number for each in programmes if each.in_force is not None}
        return engine.registry.version, int(nights_ahead(calendar(), clock.now_us()).days[0]), in_force

    async def made(from_noon: bool, step_min: int) -> Wanted:
        known = Frozen.of(engine, calendar(), Scope.everything(), clock.now_us())

        def make() -> Wanted:
            nights = nights_ahead(known.calendar, known.now_us)
            return wanted(park_of(known), layers_of(known), nights, from_noon=from_noon, step_min=step_min)

        return await asyncio.to_thread(make)

    def own(link: Link) -> dict[str, int]:
        return spoken_for(engine, link.number)

    def tell(effects: Sequence[Effect], now_us: int) -> None:
        engine.apply(effects, engine.next_ingest, f"talq.programmes.{now_us}", now_us)

    settle_us = int(opened.settings.talq_settle_s * SECOND_US)
    return ProgrammeKeeping(talq, clock, edition, made, own, tell, settle_us)


def talq_door(opened: Installation, post: Post) -> TalqDoor:
    """The door, with the gateways that are admitted now."""
    # The address is the installation's own for good, the seed another for each start: no request's number comes twice.
    address = str(uuid5(NAMESPACE_URL, f"urn:vigie:{opened.shard}"))
    cms = Cms(address, opened.settings.talq_uri, (), seed=opened.dice.bytes(16).hex())
    memories = opened.facts.memories

    async def keep(number: int, parts: Mapping[str, bytes]) -> None:
        await post.pump.run_in_writer(partial(memories.keep, number, parts))

    door = TalqDoor(Means(cms, opened.clock, post.pump.submit, keep, partial(spoken_for, post.engine)), memories.of)
    door.load(enrolments(opened))
    return door


def spoken_for(engine: Engine, number: int) -> dict[str, int]:
    """The assets that report through a device, and their numbers."""
    registry = engine.registry
    mine = (registry.reporter[: registry.count] == number) & ~registry.gone[: registry.count]
    return {registry.ids[no]: no for no in ints(np.flatnonzero(mine))}
