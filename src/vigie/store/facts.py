"""Facts in SQL, through SQLAlchemy Core: the journal and the tables that are read from move in one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
from sqlalchemy import Connection, create_engine, event, func, insert, select, update
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

from vigie.core.assets import AssetChange
from vigie.core.facts import (
    AnyFact,
    AssetsTaken,
    ConditionMoved,
    ConditionRaised,
    DeviceAdmitted,
    DeviceExpelled,
    Entry,
    PersonalErased,
    commitment,
    leaf_bytes,
)
from vigie.core.kinds import Catalogue
from vigie.engine.conditions import Condition
from vigie.engine.inventory import Known, id_of
from vigie.engine.ports import Dice, StorageFull
from vigie.store.files import free_bytes
from vigie.store.journal import Journal, append_leaf, erase_fields, size_of
from vigie.store.migrations import migrate
from vigie.store.tables import ASSET, CONDITION, DEVICE, LEAF, META, PERSONAL, PLACEMENT, POINT

SALT_BYTES = 32

Row = tuple[int, str, str, str, int, int, float, float, bool]


class SqlFacts:
    """The facts of one installation."""

    def __init__(
        self, engine: Engine, catalogue: Catalogue, dice: Dice, *, folder: Path, reserve_bytes: int = 32 << 20
    ) -> None:
        """reserve_bytes: what stays free in `folder` for reads and for whoever mends it."""
        self._engine = engine
        self._catalogue = catalogue
        self._dice = dice
        self._folder = folder
        self._reserve_bytes = reserve_bytes
        migrate(engine)
        self.journal = Journal(engine)
        self._reacted_to = int(self.meta("reacted_to") or 0)

    @staticmethod
    def sqlite(path: Path, catalogue: Catalogue, dice: Dice, *, reserve_bytes: int = 32 << 20) -> SqlFacts:
        """Facts in one SQLite file: write-ahead log, every commit synced."""
        engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})
        event.listen(engine, "connect", _set_up_sqlite)
        return SqlFacts(engine, catalogue, dice, folder=path.parent, reserve_bytes=reserve_bytes)

    def close(self) -> None:
        """Lets go of the database."""
        self._engine.dispose()

    @property
    def reacted_to(self) -> int:
        """The ingest number up to which the services have reacted, as of the last commit."""
        return self._reacted_to

    def meta(self, key: str) -> str | None:
        """What the installation says of itself."""
        with self._engine.connect() as read:
            return read.execute(select(META.c.value).where(META.c.key == key)).scalar_one_or_none()

    def set_meta(self, key: str, value: str) -> None:
        """Notes what the installation says of itself."""
        with self._engine.begin() as write:
            _set_meta(write, key, value)

    def commit(self, entries: Sequence[Entry], *, reacted_to: int | None = None) -> list[int]:
        """Appends facts and moves the tables in one synced transaction; see `vigie.engine.ports.FactStore`."""
        if free_bytes(self._folder) < self._reserve_bytes:
            raise StorageFull(f"less than {self._reserve_bytes >> 20} MiB are free in {self._folder}")
        try:
            with self._engine.begin() as write:
                numbers = [self._take(write, entry) for entry in entries]
                if reacted_to is not None and reacted_to > self._reacted_to:
                    _set_meta(write, "reacted_to", str(reacted_to))
        except OperationalError as error:
            if "full" in str(error).lower():
                raise StorageFull(str(error)) from error
            raise
        self._reacted_to = max(self._reacted_to, reacted_to or 0)
        return numbers

    def point_numbers(self) -> Mapping[tuple[str, str], int]:
        """(kind, point) -> its number; a point that the catalogue has for the first time gets the next one."""
        with self._engine.begin() as write:
            known = {(row.kind, row.name): row.no for row in write.execute(select(POINT))}
            for kind in self._catalogue.assets.values():
                for name in kind.points:
                    if (kind.kind, name) not in known:
                        known[kind.kind, name] = len(known) + 1
                        write.execute(insert(POINT).values(no=len(known), kind=kind.kind, name=name))
        return known

    def registry_rows(self) -> list[Row]:
        """Every asset, sorted by number, as `Registry.add_columns` takes it."""
        c = ASSET.c
        query = select(c.no, c.id, c.kind, c.area, c.parent, c.reporter, c.lon, c.lat, c.retired_us.is_not(None))
        with self._engine.connect() as read:
            return cast("list[Row]", [tuple(row) for row in read.execute(query.order_by(c.no))])

    def known_of(self, source: str) -> Mapping[str, Known]:
        """What the post has from a source, by the source's own keys."""
        query = select(ASSET.c.source_key, ASSET.c.no, ASSET.c.kind, ASSET.c.fingerprint)
        with self._engine.connect() as read:
            rows = read.execute(query.where(ASSET.c.source == source, ASSET.c.retired_us.is_(None)))
            return {row.source_key: Known(row.no, row.kind, row.fingerprint) for row in rows}

    def ids(self) -> Mapping[str, int]:
        """Every asset id of the city."""
        with self._engine.connect() as read:
            return {row.id: row.no for row in read.execute(select(ASSET.c.id, ASSET.c.no))}

    def devices(self) -> Mapping[bytes, tuple[int, str]]:
        """The devices that may speak: digest of the secret -> number and name."""
        with self._engine.connect() as read:
            rows = read.execute(select(DEVICE).where(DEVICE.c.expelled_us.is_(None)))
            return {row.digest: (row.no, row.name) for row in rows}

    def open_conditions(self) -> list[Condition]:
        """The conditions whose life has not ended."""
        with self._engine.connect() as read:
            rows = read.execute(
                select(CONDITION).where(CONDITION.c.state != "normal").order_by(CONDITION.c.received_us)
            ).all()
        return [
            Condition(
                row.id,
                row.asset,
                self._catalogue.conditions[row.kind],
                row.state,
                row.raised_us,
                json.loads(row.evidence),
            )
            for row in rows
            if row.kind in self._catalogue.conditions
        ]

    def due_for_erasure(self, now_us: int) -> list[str]:
        """The personal fields, "leaf id/field" each, whose end date has come."""
        query = select(PERSONAL.c.leaf_id, PERSONAL.c.field)
        query = query.where(PERSONAL.c.until_us <= now_us, PERSONAL.c.erased_us.is_(None))
        with self._engine.connect() as read:
            return [f"{row.leaf_id}/{row.field}" for row in read.execute(query)]

    def _take(self, write: Connection, entry: Entry) -> int:
        fact = entry.fact
        held = write.execute(select(LEAF.c.n).where(LEAF.c.id == fact.id)).scalar_one_or_none()
        if held is not None:
            return int(held)
        salts = {name: self._dice.bytes(SALT_BYTES) for name in entry.personal}
        if salts:
            sealed = {name: commitment(salts[name], field.value) for name, field in entry.personal.items()}
            fact = msgspec.structs.replace(fact, sealed=sealed)
        n = size_of(write)
        append_leaf(write, n, fact.id, fact, leaf_bytes(fact))
        for name, field in entry.personal.items():
            write.execute(
                insert(PERSONAL).values(
                    leaf_id=fact.id,
                    field=name,
                    value=field.value,
                    salt=salts[name],
                    purpose=field.purpose,
                    until_us=field.until_us,
                )
            )
        apply = _APPLY.get(type(fact))
        if apply is not None:
            apply(self._catalogue, write, fact, entry.payload)
        return n


def _set_up_sqlite(connection: Any, _record: object) -> None:
    # FULL syncs the log at each commit; NORMAL would lose commits with the power.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")


def _set_meta(write: Connection, key: str, value: str) -> None:
    if not write.execute(update(META).where(META.c.key == key).values(value=value)).rowcount:
        write.execute(insert(META).values(key=key, value=value))


def _take_assets(catalogue: Catalogue, write: Connection, fact: AssetsTaken, changes: Sequence[AssetChange]) -> None:
    numbers = {change.draft.key: change.no for change in changes}
    wanted = {change.draft.parent for change in changes if change.draft.parent} - numbers.keys()
    if wanted:
        query = select(ASSET.c.source_key, ASSET.c.no).where(ASSET.c.source == fact.source)
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
                "source": fact.source,
                "source_key": draft.key,
                "fingerprint": change.fingerprint,
            }
        )
    new = [
        row | {"reporter": 0, "made_us": fact.at} for row, change in zip(rows, changes, strict=True) if change.is_new
    ]
    if new:
        write.execute(insert(ASSET), new)
        write.execute(insert(PLACEMENT), [_placement(catalogue, row, fact.at) for row in new])
    for row, change in zip(rows, changes, strict=True):
        if not change.is_new:
            write.execute(update(ASSET).where(ASSET.c.no == row["no"]).values(row))
            newest = select(func.max(PLACEMENT.c.from_us)).where(PLACEMENT.c.asset == row["no"]).scalar_subquery()
            here = (PLACEMENT.c.asset == row["no"]) & (PLACEMENT.c.from_us == newest)
            if write.execute(select(PLACEMENT.c.area).where(here)).scalar_one() != row["area"]:
                write.execute(update(PLACEMENT).where(here).values(until_us=fact.at))
                write.execute(insert(PLACEMENT).values(_placement(catalogue, row, fact.at)))


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


def _admit_device(
    catalogue: Catalogue, write: Connection, fact: DeviceAdmitted, payload: tuple[bytes, Sequence[int]]
) -> None:
    digest, assets = payload
    number = write.execute(select(func.coalesce(func.max(DEVICE.c.no), 0) + 1)).scalar_one()
    write.execute(insert(DEVICE).values(no=number, name=fact.device, digest=digest, admitted_us=fact.at))
    for start in range(0, len(assets), 500):
        write.execute(update(ASSET).where(ASSET.c.no.in_(assets[start : start + 500])).values(reporter=number))


def _expel_device(catalogue: Catalogue, write: Connection, fact: DeviceExpelled, payload: None) -> None:
    number = write.execute(select(DEVICE.c.no).where(DEVICE.c.name == fact.device)).scalar_one()
    write.execute(update(DEVICE).where(DEVICE.c.no == number).values(expelled_us=fact.at))
    write.execute(update(ASSET).where(ASSET.c.reporter == number).values(reporter=0))


def _raise_condition(catalogue: Catalogue, write: Connection, fact: ConditionRaised, asset: int) -> None:
    write.execute(
        insert(CONDITION).values(
            id=fact.condition,
            asset=asset,
            kind=fact.kind,
            state=fact.state,
            raised_us=fact.at,
            received_us=fact.received,
            evidence=json.dumps(fact.evidence, sort_keys=True),
        )
    )


def _move_condition(catalogue: Catalogue, write: Connection, fact: ConditionMoved, payload: None) -> None:
    values: dict[str, Any] = {"state": fact.state}
    if fact.event == "clear":
        values["cleared_us"] = fact.at
    elif fact.event == "raise":
        values["cleared_us"] = None
    write.execute(update(CONDITION).where(CONDITION.c.id == fact.condition).values(values))


def _erase(catalogue: Catalogue, write: Connection, fact: PersonalErased, payload: None) -> None:
    erase_fields(write, fact.fields, fact.at, fact.rule)


_APPLY: Mapping[type[AnyFact], Callable[[Catalogue, Connection, Any, Any], None]] = {
    AssetsTaken: _take_assets,
    DeviceAdmitted: _admit_device,
    DeviceExpelled: _expel_device,
    ConditionRaised: _raise_condition,
    ConditionMoved: _move_condition,
    PersonalErased: _erase,
}
"""What each fact does to the tables, beside being a leaf."""
