"""Assets: the list that mirrors the map, the sheet of one, and both as a table for spreadsheets."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, cast

import msgspec
import numpy as np
import shapely
from msgspec import Meta
from numpy.typing import NDArray
from starlette.responses import Response

from vigie.api.access import Caller
from vigie.api.city import describe, forms
from vigie.api.city.export import csv_of
from vigie.api.city.index import AssetIndex, words_of
from vigie.api.city.search import SearchDoor
from vigie.api.city.selecting import selection_of
from vigie.api.city.sight import Sight, places
from vigie.api.city.sources import Sources
from vigie.api.cursors import cursor, place_of
from vigie.api.operation import Ask, Nothing, Operation
from vigie.api.problems import Problem
from vigie.core.times import rfc3339
from vigie.engine.selection import SelectionWrong, mask_of
from vigie.engine.visibility import may_order
from vigie.store.sheets import CommandRow, SheetRow

LIMIT_MAX = 500
CHILDREN_MAX = 50
NEIGHBOURS_MAX = 12


class AssetsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which assets, and how many of them."""

    kind: Annotated[str, Meta(description="The kind, such as luminaire.")] = ""
    q: Annotated[str, Meta(max_length=200, description="Words that its name, street or id begin with.")] = ""
    worst: Annotated[int | None, Meta(description="1 to 3: its worst alarm; 4: maintenance alone; 0: nothing.")] = None
    bbox: Annotated[str, Meta(description="west,south,east,north in degrees.")] = ""
    street: Annotated[str, Meta(description="The street it stands on, by its name.")] = ""
    area: Annotated[str, Meta(description="The path of an area, with all below it.")] = ""
    polygon: Annotated[str, Meta(description="Corners lon,lat;lon,lat;... in degrees.")] = ""
    device: Annotated[str, Meta(max_length=200, description="The device that speaks for it, such as a gateway.")] = ""
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX, description="How many a page has.")] = 100
    cursor: Annotated[str, Meta(description="`next` of the page before.")] = ""
    format: Annotated[
        Literal["json", "csv"], Meta(description="csv: all of them in one table; limit and cursor say nothing then.")
    ] = "json"


class Assets:
    """The operations on assets that only read."""

    def __init__(self, sources: Sources, search: SearchDoor) -> None:
        self._sources, self._search = sources, search

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        return [
            Operation(
                "GET",
                "assets",
                self.list,
                query=AssetsQuery,
                answer=forms.Page[forms.AssetRow],
                public=True,
                also={"text/csv": "With format=csv."},
            ),
            Operation("GET", "assets/{id}", self.sheet, answer=forms.AssetSheet, public=True, kept=True),
        ]

    async def list(self, ask: Ask[AssetsQuery, Nothing]) -> forms.Page[forms.AssetRow] | Response:
        """Lists the assets that you may see and that fit all that is asked for.

        By their numbers, which grow with the city: what is added while you read comes last. With format=csv the whole
        list is one table; its head is in your language. Which device speaks for an asset is told of what you see fully.
        """
        query, sources = ask.query, self._sources
        index = await self._search.index() if query.q else None
        reporter = await asyncio.to_thread(self._device, query.device) if query.device else None
        sight = sources.sight(ask.caller)
        numbers = self._fitting(query, sight, index, reporter)
        if query.format == "csv":
            return csv_of(sources.engine, sight.kept, numbers, ask.caller.language, sources.clock.now_us())
        after = place_of(query.cursor, tuple[int])
        start = 0 if after is None else int(np.searchsorted(numbers, after[0], side="right"))
        some = cast("list[int]", numbers[start : start + query.limit].tolist())
        more = start + query.limit < len(numbers)
        return forms.Page(
            items=describe.rows(sources.engine, sight, some, sources.clock.now_us()),
            next=cursor(some[-1]) if more else None,
            total=len(numbers),
        )

    async def sheet(self, ask: Ask[Nothing, Nothing]) -> forms.AssetSheet:
        """Tells all about one asset: values with their age, conditions, orders, what feeds it and what it feeds.

        Of an asset that you see only because its kind is public you get what is public of it.
        """
        sources = self._sources
        no = self.number(ask.part("id"), sources.sight(ask.caller))
        row = await asyncio.to_thread(sources.facts.sheets.sheet, no)
        people = await asyncio.to_thread(self._names, ask.caller, no, row)
        return self._sheet(ask.caller, sources.sight(ask.caller), no, row, people)

    def number(self, asset_id: str, sight: Sight) -> int:
        """The number of an asset. Raises Problem 404 for one that does not exist or that the caller may not see: both
        are told alike."""
        no = self._sources.engine.registry.numbers.get(asset_id, 0)
        if not sight.seen[no]:
            raise Problem(404, "No such asset", f"There is no asset {asset_id[:80]!r} that you may see.")
        return no

    def _device(self, name: str) -> int:
        """The number of a device that may speak; -1 where there is none of this name."""
        return next((number for number, known in self._sources.facts.devices().values() if known == name), -1)

    def _fitting(
        self, query: AssetsQuery, sight: Sight, index: AssetIndex | None, reporter: int | None
    ) -> NDArray[np.intp]:
        """The numbers of the assets that fit, sorted. reporter: the device that is asked for."""
        engine = self._sources.engine
        selection = selection_of(
            engine.registry,
            kind=query.kind,
            street=query.street,
            area=query.area,
            bbox=query.bbox,
            polygon=query.polygon,
            reporter=reporter,
        )
        try:
            fits = mask_of(engine.registry, selection, places(engine, sight)) & sight.seen
            fits &= sight.covered if reporter is not None else True
        except SelectionWrong as error:
            raise Problem(400, "Impossible parameter", f"{str(error).capitalize()}.") from error
        if query.worst is not None:
            engine.conditions.fit()
            worst = np.where(sight.covered, engine.conditions.worst[: engine.registry.count], 0)
            fits &= worst == query.worst
        if index is not None:
            fits &= index.fits(engine.registry, words_of(query.q))
        return np.flatnonzero(fits)

    def _names(self, caller: Caller, no: int, row: SheetRow) -> Mapping[str, str]:
        """What those who gave the orders are called, for whoever may read it."""
        if not self._sources.reads_people(caller, no):
            return {}
        return self._sources.facts.sheets.names([command.actor for command in row.commands])

    def _sheet(
        self, caller: Caller, sight: Sight, no: int, row: SheetRow, people: Mapping[str, str]
    ) -> forms.AssetSheet:
        engine, now_us = self._sources.engine, self._sources.clock.now_us()
        registry = engine.registry
        kind, covered = registry.kind_of(no), bool(sight.covered[no])
        itself = describe.rows(engine, sight, [no], now_us)[0]
        reticent = engine.reticences.now(no, now_us) if covered else None
        parent = int(registry.parent[no])
        children = registry.children(no)
        children = children[sight.seen[children]]
        devices = [
            forms.DeviceSpan(
                serial=each.serial,
                model=each.model,
                since=rfc3339(each.since_us),
                until=None if each.until_us is None else rfc3339(each.until_us),
            )
            for each in row.devices
            if covered
        ]
        attributes: dict[str, forms.Value] = {
            name: value
            for name, value in row.attributes.items()
            if name in kind.attributes and (covered or kind.attributes[name].public)
        }
        return forms.AssetSheet(
            **msgspec.structs.asdict(itself),
            attributes=attributes,
            geometry=geojson(row.geometry),
            points=describe.readings(engine, sight, no, now_us),
            withheld=None if reticent is None else reticent.why,
            unfollowed=[] if reticent is None else [point.name for point in reticent.points],
            conditions=[describe.condition_of_asset(each) for each in engine.conditions.of(no) if covered],
            commands=[_command(each, people) for each in row.commands if covered],
            parent=next(iter(describe.rows(engine, sight, [parent] if sight.seen[parent] else [], now_us)), None),
            children=forms.Children(
                total=len(children),
                items=describe.rows(engine, sight, children[:CHILDREN_MAX].tolist(), now_us),
            ),
            neighbours=describe.rows(engine, sight, self._neighbours(no, sight), now_us),
            consignation=self._held_by(caller, no) if covered else None,
            actions=self._actions(caller, no),
            device=next((each for each in devices if each.until is None), None),
            devices=devices,
        )

    def _neighbours(self, no: int, sight: Sight) -> Sequence[int]:
        """The nearest assets on its street that the caller sees."""
        registry = self._sources.engine.registry
        street, span = int(registry.street[no]), slice(0, registry.count)
        if not street:
            return []
        fits = (registry.street[span] == street) & ~registry.gone[span] & sight.seen
        fits[no] = False
        others = np.flatnonzero(fits)
        lon, lat = places(self._sources.engine, sight, np.append(others, no))
        away = np.hypot((lon[:-1] - lon[-1]) * np.cos(np.radians(lat[-1])), lat[:-1] - lat[-1])
        return others[np.lexsort((others, away))][:NEIGHBOURS_MAX].tolist()

    def _actions(self, caller: Caller, no: int) -> list[str]:
        registry = self._sources.engine.registry
        kind, area = registry.kind_of(no), registry.areas[int(registry.area[no])]
        if registry.gone[no]:
            return []
        return [name for name, each in kind.actions.items() if may_order(caller.scope, area, kind, each)]

    def _held_by(self, caller: Caller, no: int) -> forms.HeldBy | None:
        """The lock-out that holds it."""
        engine = self._sources.engine
        holder = engine.consignations.holder(no)
        if holder is None:
            return None
        knows = self._sources.knows_crew(caller, no)
        return forms.HeldBy(
            id=holder.id,
            crew=holder.crew if knows else "",
            since=rfc3339(holder.set_us),
            reason=holder.reason if knows else "",
            by_parent=None if holder.asset == no else engine.registry.ids[holder.asset],
        )


def geojson(wkb: bytes | None) -> dict[str, Any] | None:
    """GeoJSON of a shape; None for what has none that can be read."""
    shape = None if wkb is None else shapely.from_wkb(wkb, on_invalid="ignore")
    if shape is None:
        return None
    return msgspec.json.decode(shapely.to_geojson(shape))


def _command(row: CommandRow, people: Mapping[str, str]) -> forms.CommandOfAsset:
    return forms.CommandOfAsset(
        id=row.id,
        action=row.action,
        params=dict(row.params),
        state=row.state,
        outcome=row.outcome,
        at=rfc3339(row.at_us),
        actor=forms.Who(id=row.actor, name=people.get(row.actor)),
    )
