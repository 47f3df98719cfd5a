"""The TALQ door of an installation: who may speak, what the post shows to them, and where what it learns is kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from vigie.api.talq import Means, TalqDoor
from vigie.app.installation import Installation, write_key
from vigie.engine.pump import Pump
from vigie.protocols.talq import Cms, Enrolment

TALQ = "talq"
"""The protocol of a device that is a TALQ gateway."""

KEY = Path("keys") / "talq.key"
_KEY_BYTES = 32


def gateway_token(data: Path, name: str) -> str:
    """What the post of this folder shows to the gateway that is called so: it follows from the name and from a key of
    the installation, which is made at first need, so that it need not be kept and is the same each time."""
    path = data / KEY
    if not path.exists():
        write_key(path, secrets.token_bytes(_KEY_BYTES))
    return hmac.new(path.read_bytes(), name.encode(), hashlib.sha256).hexdigest()


def enrolments(opened: Installation) -> list[tuple[int, Enrolment]]:
    """The TALQ gateways that are admitted, by their numbers as devices."""
    return [
        (each.no, Enrolment(each.name, each.digest.hex(), gateway_token(opened.settings.data, each.name), each.uri))
        for each in opened.facts.speakers(TALQ)
    ]


def talq_door(opened: Installation, pump: Pump) -> TalqDoor:
    """The door, with the gateways that are admitted now."""
    # The address is the installation's own for good, the seed another for each start: no request's number comes twice.
    address = str(uuid5(NAMESPACE_URL, f"urn:vigie:{opened.shard}"))
    cms = Cms(address, opened.settings.talq_uri, (), seed=opened.dice.bytes(16).hex())
    memories = opened.facts.memories

    async def keep(number: int, parts: Mapping[str, bytes]) -> None:
        await pump.run_in_writer(partial(memories.keep, number, parts))

    door = TalqDoor(Means(cms, opened.clock, pump.submit, keep), memories.of)
    door.load(enrolments(opened))
    return door
