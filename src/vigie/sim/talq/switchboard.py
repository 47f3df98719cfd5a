"""All gateways of a city on one socket: each has a path of its own below it, and a conversation with the CMS."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from vigie.protocols.talq import Identity, digest
from vigie.sim.life import Reports
from vigie.sim.talq.conversation import Conversation
from vigie.sim.talq.equipment import VENDOR
from vigie.sim.talq.lighting import Lighting
from vigie.transports.http_end import Asked, Told

COMES_UP_S = 0.1


class Switchboard:
    """Who is asked by the CMS, and who speaks to it."""

    def __init__(self) -> None:
        """Nobody is connected: what is asked is answered with 404, and what devices say is not heard."""
        self.conversations: dict[str, Conversation] = {}
        self.lighting: Lighting | None = None

    def connect(self, lighting: Lighting, now: Callable[[], int]) -> None:
        """These gateways speak from now on. now: the instant in microseconds."""
        self.lighting = lighting
        self.conversations = {
            name: Conversation(gateway, now, lambda events, name=name: lighting.carry_out(name, events, now()))
            for name, gateway in lighting.gateways.items()
        }

    def answer(self, asked: Asked) -> Told:
        """What a gateway answers, whose name is the first part of the path."""
        name, slash, rest = asked.target.removeprefix("/").partition("/")
        conversation = self.conversations.get(name)
        return conversation.receive(asked, slash + rest) if conversation else Told(404)

    def is_up(self) -> bool:
        """Whether all of them have been let in."""
        return all(each.live for each in self.conversations.values())

    def hear(self, reports: Reports) -> None:
        """What lamps and cabinets say."""
        if self.lighting is not None:
            self.lighting.hear(reports)

    def tick(self) -> None:
        """Time has passed, for all of them."""
        if self.lighting is not None:
            self.lighting.tick()
        for conversation in self.conversations.values():
            conversation.tick()

    async def run(self) -> None:
        """Speaks until it is cancelled. Gateways come up one after another: the first are whole when the last begin."""
        async with asyncio.TaskGroup() as tasks:
            for conversation in self.conversations.values():
                tasks.create_task(conversation.run())
                await asyncio.sleep(COMES_UP_S)


def identities(url: str, secrets: Mapping[str, str], cms_tokens: Mapping[str, str], base: str) -> dict[str, Identity]:
    """Who the gateways are. url: of the post. secrets: by name, what each shows to it. cms_tokens: by name, what it
    shows to each. base: where the gateways are reached."""
    return {
        name: Identity(name, f"{base}/{name}", f"{url}/talq", VENDOR, secrets[name], digest(token))
        for name, token in cms_tokens.items()
    }
