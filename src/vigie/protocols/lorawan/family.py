"""What a family of controllers is: how its frames are read and written, at both ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

WHOLE = ""
"""The part that is the whole luminaire."""

FRAME_BYTES_MAX = 242
"""The most that a LoRaWAN frame carries (EU868, DR4 and faster)."""


class Unreadable(Exception):
    """A frame that is none of this family, or broken; says why."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What travels: the port, which tells the sorts of frames apart, and the bytes."""

    f_port: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a controller says of one lamp head that hangs on it, or of the whole; None is not said.

    name: WHOLE, or what the family calls the head, such as dali-9. fault: one of the luminaire's point `fault`.
    """

    name: str = WHOLE
    level_pct: float | None = None
    power_w: float | None = None
    energy_wh: float | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Controllers whose frames mean the same.

    hear: the post's end of an uplink; raises Unreadable. dim: the downlink that sets a part to a level in %; raises
    ValueError for a part or a level that it cannot say. tell, heed: the controller's ends of both; tell gets the time
    in microseconds.
    """

    name: str
    hear: Callable[[Frame], list[Part]]
    dim: Callable[[str, float], Frame]
    tell: Callable[[Sequence[Part], int], list[Frame]]
    heed: Callable[[Frame], dict[str, float]]
