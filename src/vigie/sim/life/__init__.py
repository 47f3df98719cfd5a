"""The life of the city's devices: a function of the seed, the instant and the orders they got."""

from vigie.sim.life.columns import Habits, Reports
from vigie.sim.life.metropolis import Life

__all__ = ["Habits", "Life", "Reports"]
