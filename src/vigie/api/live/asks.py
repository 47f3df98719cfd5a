"""What a browser may ask of the live door: one JSON object a message, with one member that says what."""

from __future__ import annotations

import math

import msgspec
from msgspec import UNSET, UnsetType

MESSAGE_BYTES_MAX = 16_384
KINDS_MAX = 256


class AskRefused(Exception):
    """A message that asks for nothing that there is."""


class Resume(msgspec.Struct, frozen=True):
    """What a subscriber was last told: the epoch and the version of the last frame that had both."""

    epoch: str
    version: int


class Subscribe(msgspec.Struct, frozen=True):
    """Tell me of the assets of a viewport.

    id: the subscriber's own number for it; one that is taken already asks for something else instead. bbox: west,
    south, east, north. kinds: of these alone; null: of all. cells: of no effect; the browser counts by itself.
    """

    id: int
    bbox: tuple[float, float, float, float]
    kinds: list[str] | None = None
    cells: float | None = None
    resume: Resume | None = None


class Watch(msgspec.Struct, frozen=True):
    """Tell me of one asset, by its id."""

    id: int
    asset: str


class Topic(msgspec.Struct, frozen=True):
    """Tell me of the figures, the alarms or the orders that I may see, or when the inventory has changed; or no more of
    what has this number."""

    id: int


class Ask(msgspec.Struct, frozen=True):
    """One message: exactly one of these."""

    subscribe: Subscribe | UnsetType = UNSET
    watch: Watch | UnsetType = UNSET
    figures: Topic | UnsetType = UNSET
    conditions: Topic | UnsetType = UNSET
    commands: Topic | UnsetType = UNSET
    inventory: Topic | UnsetType = UNSET
    unsubscribe: Topic | UnsetType = UNSET


Asked = Subscribe | Watch | Topic

_decode = msgspec.json.Decoder(Ask).decode


def read_ask(message: str) -> tuple[str, Asked]:
    """What a message asks for, and the verb it does so with. Raises AskRefused."""
    if len(message) > MESSAGE_BYTES_MAX:
        raise AskRefused(f"a message may have {MESSAGE_BYTES_MAX} characters")
    try:
        ask = _decode(message)
    except msgspec.DecodeError as error:
        raise AskRefused(str(error)) from None
    said: list[tuple[str, Asked]] = [
        (name, value) for name in Ask.__struct_fields__ if (value := getattr(ask, name)) is not UNSET
    ]
    if len(said) != 1:
        raise AskRefused(f"a message asks for one of {', '.join(Ask.__struct_fields__)}")
    asked = said[0][1]
    if isinstance(asked, Subscribe):
        west, south, east, north = asked.bbox
        if not (all(map(math.isfinite, asked.bbox)) and west <= east and south <= north):
            raise AskRefused("a bbox is west, south, east, north, in degrees")
        if asked.kinds is not None and len(asked.kinds) > KINDS_MAX:
            raise AskRefused(f"a subscription names {KINDS_MAX} kinds at most")
    return said[0]
