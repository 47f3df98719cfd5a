"""Road services at the post: what people may read of vehicles and their rounds."""

from vigie.api.roads.covering import Covering
from vigie.api.roads.rounds import RoundsDoor
from vigie.api.roads.streets import Streets
from vigie.api.roads.trails import TrailsDoor

__all__ = ["Covering", "RoundsDoor", "Streets", "TrailsDoor"]
