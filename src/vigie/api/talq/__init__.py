"""TALQ on real HTTP: the post as the CMS of the gateways that are admitted to it."""

from vigie.api.talq.door import PREFIX, TalqDoor
from vigie.api.talq.figures import TalqFigures
from vigie.api.talq.gateways import GatewaysDoor
from vigie.api.talq.health import GatewayHealth
from vigie.api.talq.keeping import ProgrammeKeeping
from vigie.api.talq.link import Link, Means
from vigie.api.talq.orders import TalqOrders

__all__ = [
    "PREFIX",
    "GatewayHealth",
    "GatewaysDoor",
    "Link",
    "Means",
    "ProgrammeKeeping",
    "TalqDoor",
    "TalqFigures",
    "TalqOrders",
]
