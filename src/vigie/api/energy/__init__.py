"""Energy as people see it: asked for over some nights, summed beside the loop, told as a report, a table or a paper."""

from vigie.api.energy.door import EnergyDoor

__all__ = ["EnergyDoor"]
