"""What facts of the inventory do to the tables: assets, their placements, the apparatus in their places."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from vigie.core.assets import AssetChange
from vigie.core.facts import AssetChanged, AssetMade, AssetRetired, AssetsTaken, DeviceReplaced
from vigie.core.kinds import Catalogue
from vigie.engine.inventory import HAND, id_of
from vigie.store.projections.base import Projections
from vigie.store.tables import APPARATUS, ASSET, PLACEMENT


def _take_assets(catalogue: Catalogue, write: Connection, fact: AssetsTaken, changes: Sequence[AssetChange]) -> None:
    _write_changes(catalogue, write, fact.source, fact.at, changes)


def _write_changes(
    catalogue: Catalogue, write: Connection, source: str, at_us: int, changes: Sequence[AssetChange]
) -> None:
    numbers = {change.draft.key: change.no for change in changes}
    wanted = {change.draft.parent for change in changes if change.draft.parent} - numbers.keys()
    if wanted:
        query = select(ASSET.c.source_key, ASSET.c.no).where(ASSET.c.source == source)
        numbers |= {row.source_key: row.no for row in write.execute(query) if row.source_key in wanted}
    rows: list[dict[str, Any]] = []
    for change in changes:
        draft = change.draft
        rows.append(
            {
                "no": change.no,
                "id": id_of(draft),
                "kind": draft.kind,
                "name": draft.name,
                "area": draft.area,
                "street": draft.street,
                "parent": numbers.get(draft.parent, 0) if draft.parent else 0,
                "lon": draft.lon,
                "lat": draft.lat,
                "geometry": draft.geometry,
                "attributes": json.dumps(draft.attributes, sort_keys=True),
                "source": source,
                "source_key": draft.key,
                "fingerprint": change.fingerprint,
            }
        )
    new = [row | {"reporter": 0, "made_us": at_us} for row, change in zip(rows, changes, strict=True) if change.is_new]
    if new:
        write.execute(insert(ASSET), new)
        write.execute(insert(PLACEMENT), [_placement(catalogue, row, at_us) for row in new])
    for row, change in zip(rows, changes, strict=True):
        if not change.is_new:
            write.execute(update(ASSET).where(ASSET.c.no == row["no"]).values(row))
            newest = select(func.max(PLACEMENT.c.from_us)).where(PLACEMENT.c.asset == row["no"]).scalar_subquery()
            here = (PLACEMENT.c.asset == row["no"]) & (PLACEMENT.c.from_us == newest)
            if write.execute(select(PLACEMENT.c.area).where(here)).scalar_one() != row["area"]:
                write.execute(update(PLACEMENT).where(here).values(until_us=at_us))
                write.execute(insert(PLACEMENT).values(_placement(catalogue, row, at_us)))


def _placement(catalogue: Catalogue, row: Mapping[str, Any], at_us: int) -> dict[str, Any]:
    kind = catalogue.assets[row["kind"]]
    return {
        "asset": row["no"],
        "area": row["area"],
        "service": kind.service,
        "verb": kind.verb,
        "public": int(kind.public),
        "from_us": at_us,
    }


def _make_asset(catalogue: Catalogue, write: Connection, fact: AssetMade, change: AssetChange) -> None:
    _write_changes(catalogue, write, HAND, fact.at, [change])


def _change_asset(catalogue: Catalogue, write: Connection, fact: AssetChanged, row: Mapping[str, Any]) -> None:
    write.execute(update(ASSET).where(ASSET.c.no == row["no"]).values({k: v for k, v in row.items() if k != "no"}))
    if "area" in row:
        _place_anew(catalogue, write, int(row["no"]), fact.at)


def _place_anew(catalogue: Catalogue, write: Connection, no: int, at_us: int) -> None:
    kind, area = write.execute(select(ASSET.c.kind, ASSET.c.area).where(ASSET.c.no == no)).one()
    here = (PLACEMENT.c.asset == no) & PLACEMENT.c.until_us.is_(None)
    write.execute(update(PLACEMENT).where(here).values(until_us=at_us))
    write.execute(insert(PLACEMENT).values(_placement(catalogue, {"no": no, "kind": kind, "area": area}, at_us)))


def _retire_asset(catalogue: Catalogue, write: Connection, fact: AssetRetired, no: int) -> None:
    write.execute(update(ASSET).where(ASSET.c.no == no).values(retired_us=fact.at))
    here = (PLACEMENT.c.asset == no) & PLACEMENT.c.until_us.is_(None)
    write.execute(update(PLACEMENT).where(here).values(until_us=fact.at))


def _replace_device(catalogue: Catalogue, write: Connection, fact: DeviceReplaced, no: int) -> None:
    here = (APPARATUS.c.asset == no) & APPARATUS.c.until_us.is_(None)
    write.execute(update(APPARATUS).where(here).values(until_us=fact.at))
    write.execute(insert(APPARATUS).values(asset=no, serial=fact.serial, model=fact.model, since_us=fact.at))


PROJECT: Projections = {
    AssetsTaken: _take_assets,
    AssetMade: _make_asset,
    AssetChanged: _change_asset,
    AssetRetired: _retire_asset,
    DeviceReplaced: _replace_device,
}
