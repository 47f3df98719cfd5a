"""Junctions at the post: what control knows of each, and what people may read of that."""

from vigie.api.signals.changes import ChangesDoor
from vigie.api.signals.comparisons import ComparisonsDoor, Trials
from vigie.api.signals.corridors import CorridorsDoor
from vigie.api.signals.documents import documents_of, sites_of
from vigie.api.signals.door import JunctionsDoor
from vigie.api.signals.levels import Approaches

__all__ = [
    "Approaches",
    "ChangesDoor",
    "ComparisonsDoor",
    "CorridorsDoor",
    "JunctionsDoor",
    "Trials",
    "documents_of",
    "sites_of",
]
