"""Road services at the post: vehicles and their rounds, rounds of work orders for crews, and works in streets."""

from vigie.api.roads.buried import BuriedDoor
from vigie.api.roads.covering import Covering
from vigie.api.roads.dispatching import DispatchDoor
from vigie.api.roads.rounds import RoundsDoor
from vigie.api.roads.salted import SaltedDoor
from vigie.api.roads.streets import Streets
from vigie.api.roads.stretches import StretchesDoor
from vigie.api.roads.trails import TrailsDoor
from vigie.api.roads.winter import WinterDoor
from vigie.api.roads.works import WorksDoor
from vigie.api.roads.worksites import Worksites

__all__ = [
    "BuriedDoor",
    "Covering",
    "DispatchDoor",
    "RoundsDoor",
    "SaltedDoor",
    "Streets",
    "StretchesDoor",
    "TrailsDoor",
    "WinterDoor",
    "WorksDoor",
    "Worksites",
]
