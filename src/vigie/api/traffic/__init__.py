"""Traffic as people see it: what is usual, and what comes next."""

from vigie.api.traffic.door import TrafficDoor
from vigie.api.traffic.streets import Stretches

__all__ = ["Stretches", "TrafficDoor"]
