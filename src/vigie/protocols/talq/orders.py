"""Which of vigie's orders are overrides of lamp actuators: data, checked against the Kinds in a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from vigie.protocols.talq.messages import ResourceReference
from vigie.protocols.talq.peer import Peer
from vigie.protocols.talq.readings import FULL_LEVEL
from vigie.protocols.talq.requests import Request

Targets = Sequence[ResourceReference]


def _dim(peer: Peer, params: Mapping[str, Any], targets: Targets, until: datetime, mark: str) -> Request:
    """A level until the programme takes over again. A fade is TALQ's ramp to the level; the one back is the lamp's."""
    fade_s = float(params.get("fade", 0.0))
    return peer.override(targets, round(params["level"]), until=until, ramp_s=fade_s, mark=mark)


def _release(peer: Peer, params: Mapping[str, Any], targets: Targets, until: datetime, mark: str) -> Request:
    """The programme rules again at once."""
    return peer.release(targets)


def _set_full_light(peer: Peer, params: Mapping[str, Any], targets: Targets, until: datetime, mark: str) -> Request:
    """Full light stays until it is taken back, which the post does in time: no clock of a gateway ends an emergency."""
    return peer.override(targets, FULL_LEVEL, mark=mark) if params["on"] else peer.release(targets)


ORDERS: Mapping[str, Callable[[Peer, Mapping[str, Any], Targets, datetime, str], Request]] = {
    "luminaire.dim": _dim,
    "luminaire.release": _release,
    "cabinet.set_full_light": _set_full_light,
}
"""kind.action -> the request that it is. until: when the programme rules again. mark: see `Peer.override`."""
