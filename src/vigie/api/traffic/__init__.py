"""Traffic as people see it: what is usual, and what comes next."""

from vigie.api.traffic.door import TrafficDoor

__all__ = ["TrafficDoor"]
