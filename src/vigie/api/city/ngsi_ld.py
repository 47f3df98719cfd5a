"""Street lighting for those who speak NGSI-LD: entities of the Smart Data Models, under the Scope of whoever asks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, cast
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from msgspec import Meta

from vigie.api.city import describe, forms
from vigie.api.city.sight import Sight, places
from vigie.api.city.sources import Sources
from vigie.api.cursors import cursor, place_of
from vigie.api.operation import Ask, Nothing, Operation
from vigie.core.drafts import Scalar
from vigie.core.kinds import Quality
from vigie.core.times import to_us
from vigie.engine.selection import Selection, mask_of
from vigie.protocols.ngsi_ld import TABLE, Asset, Incomplete, Observed, Place, entity_of, simplified, write

LIMIT_MAX = 500

_AT_ONCE = 100
"""The loop is let go between so many assets."""

_BAD = Quality.BAD.name.lower()


class EntitiesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which entities, and how many of them."""

    type: Annotated[
        Literal["Streetlight", "StreetlightControlCabinet", "StreetlightGroup"],
        Meta(description="The model; a group is all luminaires that one cabinet feeds."),
    ]
    area: Annotated[str, Meta(description="The path of an area, with all below it.")] = ""
    options: Annotated[
        Literal["normalized", "keyValues"], Meta(description="keyValues: without units and instants of the values.")
    ] = "normalized"
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX, description="How many a page has, those left out among them.")] = 100
    cursor: Annotated[str, Meta(description="`next` of the page before.")] = ""


class EntitiesDoor:
    """The operation on entities."""

    def __init__(self, sources: Sources) -> None:
        self._sources, self._zone = sources, ZoneInfo(sources.zone)

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        return [
            Operation("GET", "ngsi-ld/entities", self.entities, query=EntitiesQuery, answer=forms.Entities, public=True)
        ]

    async def entities(self, ask: Ask[EntitiesQuery, Nothing]) -> forms.Entities:
        """Tells street lighting as NGSI-LD entities of the Smart Data Models, of what you may see.

        By the assets' numbers, as the list of assets is. What the model requires and nobody knows is not made up: such
        an asset is under `left_out`, with what is missing. What you may not read is missing too.
        """
        query, sources = ask.query, self._sources
        model = TABLE[query.type]
        sight = sources.sight(ask.caller)
        numbers = np.flatnonzero(
            mask_of(sources.engine.registry, Selection(kinds=[model.kind], area=query.area)) & sight.seen
        )
        after = place_of(query.cursor, tuple[int])
        start = 0 if after is None else int(np.searchsorted(numbers, after[0], side="right"))
        some = cast("list[int]", numbers[start : start + query.limit].tolist())
        items: list[dict[str, Any]] = []
        left_out: list[forms.NotTold] = []
        for first in range(0, len(some), _AT_ONCE):
            part = some[first : first + _AT_ONCE]
            attributes = await asyncio.to_thread(sources.facts.sheets.attributes, part)
            assets = self._assets(sources.sight(ask.caller), part, attributes)
            told, not_told = await asyncio.to_thread(_told, assets, query, self._zone)
            items += told
            left_out += not_told
        return forms.Entities(
            items=items,
            left_out=left_out,
            next=cursor(some[-1]) if start + query.limit < len(numbers) else None,
            total=len(numbers),
        )

    def _assets(
        self, sight: Sight, numbers: Sequence[int], attributes: Mapping[int, Mapping[str, Scalar]]
    ) -> list[Asset]:
        """Assets of one kind as the protocol has them, with what may be read of them; whoever lost sight of one since
        it was counted gets it no more."""
        engine, now_us = self._sources.engine, self._sources.clock.now_us()
        registry = engine.registry
        seen = [no for no in numbers if sight.seen[no]]
        rows = describe.rows(engine, sight, seen, now_us)
        feeds = self._feeds(sight, seen)
        is_cabinet = ~registry.gone & (
            registry.kind == registry.kind_codes.get(TABLE["StreetlightControlCabinet"].kind, -2)
        )
        made: list[Asset] = []
        for no, row in zip(seen, rows, strict=True):
            known, parent = registry.kind_of(no).attributes, int(registry.parent[no])
            made.append(
                Asset(
                    id=row.id,
                    place=(row.lon, row.lat),
                    name=row.name,
                    area=row.area,
                    street=row.street or "",
                    readings=_observed(describe.readings(engine, sight, no, now_us)),
                    attributes={
                        name: value
                        for name, value in attributes.get(no, {}).items()
                        if name in known and (sight.covered[no] or known[name].public)
                    },
                    fed_by=registry.ids[parent] if is_cabinet[parent] and sight.seen[parent] else "",
                    feeds=feeds.get(no, {}),
                )
            )
        return made

    def _feeds(self, sight: Sight, numbers: Sequence[int]) -> dict[int, dict[str, Place]]:
        """The luminaires that these assets feed, by the asset's number."""
        registry = self._sources.engine.registry
        span = slice(0, registry.count)
        lit = registry.kind[span] == registry.kind_codes.get(TABLE["Streetlight"].kind, -1)
        fed = np.flatnonzero(lit & ~registry.gone[span] & sight.seen & np.isin(registry.parent[span], numbers))
        lon, lat = places(self._sources.engine, sight, fed)
        found: dict[int, dict[str, Place]] = {}
        for no, parent, *at in zip(
            fed.tolist(), registry.parent[fed].tolist(), lon.tolist(), lat.tolist(), strict=True
        ):
            found.setdefault(parent, {})[registry.ids[no]] = (at[0], at[1])
        return found


def _told(
    assets: Sequence[Asset], query: EntitiesQuery, zone: ZoneInfo
) -> tuple[list[dict[str, Any]], list[forms.NotTold]]:
    """The documents of those that the model can tell, and what is missing of the others."""
    items: list[dict[str, Any]] = []
    left_out: list[forms.NotTold] = []
    for asset in assets:
        try:
            document = write(entity_of(asset, query.type, zone))
        except Incomplete as error:
            left_out.append(forms.NotTold(id=asset.id, missing=list(error.names)))
        else:
            items.append(simplified(document) if query.options == "keyValues" else document)
    return items, left_out


def _observed(readings: Sequence[forms.Reading]) -> dict[str, Observed]:
    """What was observed; what the device itself calls bad is nothing known."""
    return {
        each.point: Observed(each.value, to_us(datetime.fromisoformat(each.at)))
        for each in readings
        if each.value is not None and not isinstance(each.value, tuple) and each.quality != _BAD
    }
