"""vigie: the one command post of a metropolis."""

__version__ = "0.1.0"
