"""What facts of the inventory do to the tables: assets, their placements, the apparatus in their places."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from vigie.core.assets import AssetChange, AssetGone
from vigie.core.facts import AssetChanged, AssetMade, AssetRetired, AssetsTaken, DeviceReplaced
from vigie.core.kinds import Catalogue
from vigie.engine.inventory import GONE, HAND, id_of
from vigie.store.bulk import insert_rows
from vigie.store.projections.base import Projections
from vigie.store.tables import APPARATUS, ASSET, PLACEMENT

_ASKED_AT_ONCE = 500


def _take_assets(
    catalogue: Catalogue, write: Connection, fact: AssetsTaken, rows: Sequence[AssetChange | AssetGone]
) -> None:
    changes = [row for row in rows if isinstance(row, AssetChange)]
    if changes:
        _write_changes(catalogue, write, fact.source, fact.at, changes)
    gone = [{"b_no": row.no} for row in rows if isinstance(row, AssetGone)]
    if gone:
        here = ASSET.c.no == bindparam("b_no")
        write.execute(update(ASSET).where(here).values(retired_us=fact.at, fingerprint=GONE), gone)
        _end_placements(write, gone, fact.at)


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
                "attributes": msgspec.json.encode(draft.attributes, order="sorted").decode(),
                "source": source,
                "source_key": draft.key,
                "fingerprint": change.fingerprint,
            }
        )
    new = [row | {"reporter": 0, "made_us": at_us} for row, change in zip(rows, changes, strict=True) if change.is_new]
    if new:
        insert_rows(write, ASSET, new)
        insert_rows(write, PLACEMENT, [_placement(catalogue, row, at_us) for row in new])
    old = [row for row, change in zip(rows, changes, strict=True) if not change.is_new]
    if old:
        here = ASSET.c.no == bindparam("b_no")
        values: dict[str, Any] = {name: bindparam(name) for name in old[0] if name != "no"}
        write.execute(update(ASSET).where(here).values(values), [row | {"b_no": row["no"]} for row in old])
        _move(catalogue, write, old, {change.no for change in changes if change.is_back}, at_us)


def _move(
    catalogue: Catalogue, write: Connection, rows: Sequence[Mapping[str, Any]], back: Collection[int], at_us: int
) -> None:
    """Places anew what lies in another area than before, and what is in service again."""
    open_now = select(PLACEMENT.c.asset, PLACEMENT.c.area).where(PLACEMENT.c.until_us.is_(None))
    lies_in: dict[int, str] = {}
    for start in range(0, len(rows), _ASKED_AT_ONCE):
        numbers = [row["no"] for row in rows[start : start + _ASKED_AT_ONCE]]
        lies_in |= {row.asset: row.area for row in write.execute(open_now.where(PLACEMENT.c.asset.in_(numbers)))}
    if back:
        here = ASSET.c.no == bindparam("b_no")
        write.execute(update(ASSET).where(here).values(retired_us=None), [{"b_no": no} for no in back])
    moved = [row for row in rows if row["no"] in back or lies_in.get(row["no"], row["area"]) != row["area"]]
    if moved:
        _end_placements(write, [{"b_no": row["no"]} for row in moved], at_us)
        write.execute(insert(PLACEMENT), [_placement(catalogue, row, at_us) for row in moved])


def _end_placements(write: Connection, numbers: Sequence[Mapping[str, Any]], at_us: int) -> None:
    """numbers: {"b_no": asset number} each. What began at this very moment was never in force, and is forgotten."""
    here = (PLACEMENT.c.asset == bindparam("b_no")) & PLACEMENT.c.until_us.is_(None)
    write.execute(delete(PLACEMENT).where(here, PLACEMENT.c.from_us >= at_us), list(numbers))
    write.execute(update(PLACEMENT).where(here).values(until_us=at_us), list(numbers))


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


def _make_asset(catalogue: Catalogue, write: Connection, fact: AssetMade, payload: tuple[AssetChange, int]) -> None:
    change, parent = payload
    _write_changes(catalogue, write, HAND, fact.at, [change])
    write.execute(update(ASSET).where(ASSET.c.no == change.no).values(parent=parent))


def _change_asset(catalogue: Catalogue, write: Connection, fact: AssetChanged, row: Mapping[str, Any]) -> None:
    here = ASSET.c.no == row["no"]
    write.execute(update(ASSET).where(here).values({name: value for name, value in row.items() if name != "no"}))
    if "area" in row:
        kind = write.execute(select(ASSET.c.kind).where(here)).scalar_one()
        _move(catalogue, write, [{**row, "kind": kind}], (), fact.at)


def _retire_asset(catalogue: Catalogue, write: Connection, fact: AssetRetired, no: int) -> None:
    write.execute(update(ASSET).where(ASSET.c.no == no).values(retired_us=fact.at))
    _end_placements(write, [{"b_no": no}], fact.at)


def _replace_device(catalogue: Catalogue, write: Connection, fact: DeviceReplaced, no: int) -> None:
    here = (APPARATUS.c.asset == no) & APPARATUS.c.until_us.is_(None)
    write.execute(delete(APPARATUS).where(here, APPARATUS.c.since_us >= fact.at))
    write.execute(update(APPARATUS).where(here).values(until_us=fact.at))
    write.execute(insert(APPARATUS).values(asset=no, serial=fact.serial, model=fact.model, since_us=fact.at))


PROJECT: Projections = {
    AssetsTaken: _take_assets,
    AssetMade: _make_asset,
    AssetChanged: _change_asset,
    AssetRetired: _retire_asset,
    DeviceReplaced: _replace_device,
}
