"""Cases at the post: what people have to deal with, listed, opened, given to crews, and brought to an end."""

from vigie.api.cases.crews import CrewDoor
from vigie.api.cases.door import CasesDoor
from vigie.api.cases.photos import PhotosDoor

__all__ = ["CasesDoor", "CrewDoor", "PhotosDoor"]
