"""The city as the API tells it: what exists, how it is, what happened. Read under the Scope of whoever asks."""

from vigie.api.city.assets import Assets
from vigie.api.city.city import CityDoor
from vigie.api.city.conditions import ConditionsDoor
from vigie.api.city.figures import FiguresDoor
from vigie.api.city.history import HistoryDoor
from vigie.api.city.journal import JournalDoor
from vigie.api.city.ngsi_ld import EntitiesDoor
from vigie.api.city.search import SearchDoor
from vigie.api.city.sources import Sources
from vigie.api.operation import Operation


class Reading:
    """The half of the API that only reads."""

    def __init__(self, sources: Sources) -> None:
        self._search = SearchDoor(sources)
        self._doors = (
            CityDoor(sources),
            Assets(sources, self._search),
            self._search,
            FiguresDoor(sources),
            ConditionsDoor(sources),
            HistoryDoor(sources),
            JournalDoor(sources),
            EntitiesDoor(sources),
        )

    @property
    def operations(self) -> list[Operation]:
        """All operations, each below /api/v1/."""
        return [operation for door in self._doors for operation in door.operations]

    async def warm(self) -> None:
        """Makes the search's index before anybody asks."""
        await self._search.index()
