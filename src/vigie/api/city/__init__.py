"""The city as the API tells it: what exists, how it is, what happened. Read under the Scope of whoever asks."""

from vigie.api.city.assets import Assets
from vigie.api.city.city import CityDoor
from vigie.api.city.sources import Sources
from vigie.api.operation import Operation


def reading_operations(sources: Sources) -> list[Operation]:
    """The operations that only read, each below /api/v1/."""
    doors = (CityDoor(sources), Assets(sources))
    return [operation for door in doors for operation in door.operations]
