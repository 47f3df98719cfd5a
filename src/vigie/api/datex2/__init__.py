"""DATEX II: the town's roadworks as everybody may read them, and what others tell of the roads around."""

from vigie.api.datex2.door import Datex2Door
from vigie.api.datex2.events import SOURCE, RoadEvents

__all__ = ["SOURCE", "Datex2Door", "RoadEvents"]
