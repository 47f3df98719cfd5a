"""RSMP on real TCP: the post as the supervisor of the sites of traffic signals that are admitted to it."""

from vigie.api.rsmp.door import Listening, Means, RsmpDoor, Site
from vigie.api.rsmp.figures import RsmpFigures
from vigie.api.rsmp.health import SiteHealth
from vigie.api.rsmp.orders import RsmpOrders

__all__ = ["Listening", "Means", "RsmpDoor", "RsmpFigures", "RsmpOrders", "Site", "SiteHealth"]
