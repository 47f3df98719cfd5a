"""The inventory by hand: one asset is made, changed, retired, or gets another apparatus in its place.

What a person changes stays until the source that the asset came from says something else of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from vigie.core.assets import AssetRecord
from vigie.core.drafts import Draft
from vigie.core.facts import AssetChanged, AssetMade, AssetRetired, DeviceReplaced, Entry, because, digest
from vigie.core.kinds import Shape
from vigie.engine.inventory import HAND, plan_intake
from vigie.engine.loop import Engine


class HandRefused(Exception):
    """What a person asks of the inventory cannot be: why, the rule that it breaks, and what to put into its words."""

    def __init__(self, rule: str, sentence: str, **detail: str | float) -> None:
        super().__init__(sentence)
        self.rule, self.detail = rule, detail


class Hand:
    """Changes of single assets. Each moves the registry at once and returns the fact that says so."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def make(
        self, draft: Draft, parent: int, *, fact_id: str, actor: str, reason: str, at_us: int
    ) -> tuple[int, Entry]:
        """A new asset; returns its number. draft.key is its identity for good. Raises HandRefused."""
        registry = self._engine.registry
        kind = registry.catalogue.assets.get(draft.kind)
        if kind is not None and kind.shape is not Shape.POINT:
            raise HandRefused("engine.drawn", f"a {draft.kind} is drawn, and comes with an import")
        if draft.id in registry.numbers:
            raise HandRefused("engine.id_taken", f"the id {draft.id!r} belongs to another asset", id=draft.id)
        placed = msgspec.structs.replace(draft, area=draft.area or self._engine.area_at(draft.lon, draft.lat))
        intake = plan_intake(registry.catalogue, [placed], {}, registry.numbers, registry.count, source=HAND)
        if intake.refused:
            raise HandRefused("engine.misfit", intake.refused[0].reason)
        change = intake.changes[0]
        made = change.draft
        registry.add(
            [
                AssetRecord(
                    no=change.no,
                    id=made.id,
                    kind=made.kind,
                    name=made.name,
                    area=made.area,
                    street=made.street,
                    parent=parent,
                    reporter=0,
                    lon=made.lon,
                    lat=made.lat,
                    attributes=made.attributes,
                    made_us=at_us,
                )
            ]
        )
        self._engine.consignations.fed_anew()
        fact = AssetMade(
            id=fact_id, at=at_us, actor=actor, asset=made.id, kind=made.kind, item=digest(change.fingerprint)
        )
        return change.no, self._entry(fact, change.no, reason, (change, parent))

    def change(self, no: int, values: Mapping[str, Any], *, fact_id: str, actor: str, reason: str, at_us: int) -> Entry:
        """What is known of an asset is changed. values: of name, street, parent (a number), lon and lat, by name.

        Raises HandRefused.
        """
        registry = self._engine.registry
        row: dict[str, Any] = dict(values)
        lon, lat = float(row.get("lon", registry.lon[no])), float(row.get("lat", registry.lat[no]))
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            raise HandRefused("engine.no_place", f"({lon}, {lat}) is no place on Earth")
        if "parent" in row and (row["parent"] == no or registry.fed_by(np.array([no]))[row["parent"]]):
            raise HandRefused("engine.feeds_itself", "it would feed itself")
        if "lon" in row or "lat" in row:
            if registry.kind_of(no).shape is not Shape.POINT:
                raise HandRefused("engine.drawn", f"a {registry.kind_of(no).kind} is drawn, and moves with an import")
            row |= {
                "lon": lon,
                "lat": lat,
                "area": self._engine.area_at(lon, lat) or registry.areas[int(registry.area[no])],
            }
        moves_feeder = row.get("parent", int(registry.parent[no])) != registry.parent[no]
        if moves_feeder and self._engine.consignations.held[[no, row["parent"]]].any():
            # Who works there relies on what is cut: a stroke of the pen must not let an order through, nor hide one.
            sentence = "a lock-out holds it, or what is to feed it: it is moved when that is lifted"
            raise HandRefused("engine.feed_consigned", sentence)
        registry.add([self._record(no, row, at_us)])
        if moves_feeder:
            self._engine.consignations.fed_anew()
        said = sorted(values)
        item = digest(*(f"{name}={row[name]}".encode() for name in sorted(row)))
        fact = AssetChanged(id=fact_id, at=at_us, actor=actor, asset=registry.ids[no], changed=said, item=item)
        return self._entry(fact, no, reason, row | {"no": no})

    def retire(self, no: int, *, fact_id: str, actor: str, reason: str, at_us: int) -> Entry:
        """An asset is decommissioned. Raises HandRefused where it is already."""
        registry = self._engine.registry
        if registry.gone[no]:
            raise HandRefused("engine.gone", "it is out of service already")
        registry.add([msgspec.structs.replace(self._record(no, {}, at_us), retired_us=at_us)])
        fact = AssetRetired(id=fact_id, at=at_us, actor=actor, asset=registry.ids[no])
        return self._entry(fact, no, reason, no)

    def replace(self, no: int, serial: str, model: str, *, fact_id: str, actor: str, reason: str, at_us: int) -> Entry:
        """Another apparatus stands in the place, which keeps its history."""
        asset = self._engine.registry.ids[no]
        fact = DeviceReplaced(id=fact_id, at=at_us, actor=actor, asset=asset, serial=serial, model=model)
        return self._entry(fact, no, reason, no)

    def _record(self, no: int, row: Mapping[str, Any], at_us: int) -> AssetRecord:
        registry = self._engine.registry
        return AssetRecord(
            no=no,
            id=registry.ids[no],
            kind=registry.kind_of(no).kind,
            name=row.get("name", registry.names[no]),
            area=row.get("area", registry.areas[int(registry.area[no])]),
            street=row.get("street", registry.streets[int(registry.street[no])]),
            parent=row.get("parent", int(registry.parent[no])),
            reporter=int(registry.reporter[no]),
            lon=row.get("lon", float(registry.lon[no])),
            lat=row.get("lat", float(registry.lat[no])),
            attributes={},
            made_us=at_us,
            retired_us=at_us if registry.gone[no] else None,
        )

    def _entry(self, fact: Any, no: int, reason: str, payload: Any) -> Entry:
        return Entry(fact, because(reason, fact.at), payload, self._engine.registry.about(no))
