"""Road services at the post: vehicles and their rounds, and rounds of work orders for crews."""

from vigie.api.roads.covering import Covering
from vigie.api.roads.dispatching import DispatchDoor
from vigie.api.roads.rounds import RoundsDoor
from vigie.api.roads.streets import Streets
from vigie.api.roads.trails import TrailsDoor
from vigie.api.roads.winter import WinterDoor

__all__ = ["Covering", "DispatchDoor", "RoundsDoor", "Streets", "TrailsDoor", "WinterDoor"]
