"""A metropolis of Dijon's size from a seed."""

from vigie.sim.city.city import City, generate, grow

__all__ = ["City", "generate", "grow"]
