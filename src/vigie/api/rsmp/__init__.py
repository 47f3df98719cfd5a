"""RSMP on real TCP: the post as the supervisor of the sites of traffic signals that are admitted to it."""

from vigie.api.rsmp.deciding import DecidingDoor
from vigie.api.rsmp.door import Listening, Means, RsmpDoor, Site
from vigie.api.rsmp.escorting import EscortsDoor
from vigie.api.rsmp.escorts import Escort, EscortOrders, no_escorts, nobody_to_ask
from vigie.api.rsmp.figures import RsmpFigures
from vigie.api.rsmp.health import SiteHealth
from vigie.api.rsmp.orders import RsmpOrders
from vigie.api.rsmp.steering import Deciding, Memory, RsmpSteering, nobody_steers

__all__ = [
    "Deciding",
    "DecidingDoor",
    "Escort",
    "EscortOrders",
    "EscortsDoor",
    "Listening",
    "Means",
    "Memory",
    "RsmpDoor",
    "RsmpFigures",
    "RsmpOrders",
    "RsmpSteering",
    "Site",
    "SiteHealth",
    "no_escorts",
    "nobody_steers",
    "nobody_to_ask",
]
