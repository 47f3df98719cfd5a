"""Road services at the post: what people may read of vehicles and their rounds."""

from vigie.api.roads.trails import Streets, TrailsDoor

__all__ = ["Streets", "TrailsDoor"]
