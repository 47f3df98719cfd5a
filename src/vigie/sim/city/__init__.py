"""A metropolis of Dijon's size from a seed."""

from vigie.sim.city.city import City, generate

__all__ = ["City", "generate"]
