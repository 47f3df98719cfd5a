"""Facts in SQL, through SQLAlchemy Core: the journal and the tables that are read from move in one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import msgspec
from numpy.typing import NDArray
from sqlalchemy import Connection, create_engine, event, insert, select, update
from sqlalchemy.engine import Engine

from vigie.core.facts import Entry, PersonalErased, commitment, leaf_bytes
from vigie.core.kinds import AssetKind, Catalogue
from vigie.core.observations import Floats, Int64s
from vigie.core.plans import Given, Troubles
from vigie.engine.conditions import Condition
from vigie.engine.inventory import Known, KnownArea
from vigie.engine.ports import Dice, StorageFull
from vigie.engine.registry import Row
from vigie.engine.tiles.ground import Outline
from vigie.store.accounts import SqlAccounts
from vigie.store.attributes import attribute_columns
from vigie.store.cases import StoredCases
from vigie.store.chronicle import Chronicle
from vigie.store.commands import StoredCommands
from vigie.store.comparisons import StoredComparisons
from vigie.store.conditions import PastConditions
from vigie.store.erasures import ERASURES, Erasures
from vigie.store.files import free_bytes
from vigie.store.geometry import read_lines, read_outlines
from vigie.store.journal import Journal, append_leaf, size_of
from vigie.store.mailing import StoredMail
from vigie.store.memories import Memories
from vigie.store.migrations import migrate
from vigie.store.plans import StoredPlans
from vigie.store.projections import PROJECT
from vigie.store.rounds import StoredRounds
from vigie.store.sheets import Sheets
from vigie.store.tables import ASSET, CONDITION, DEVICE, LEAF, META, PERSONAL, POINT
from vigie.store.transactions import writing

SALT_BYTES = 32

# FULL syncs the log at each commit; NORMAL would lose commits with the power. What is erased is overwritten, too.
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "foreign_keys=ON", "temp_store=MEMORY")


@dataclass(frozen=True, slots=True)
class Speaker:
    """A device that may speak. no: its number. digest: of its secret. uri: see `DeviceAdmitted`."""

    no: int
    name: str
    digest: bytes
    uri: str


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
        self.chronicle = Chronicle(engine)
        self.sheets = Sheets(engine)
        self.past_conditions = PastConditions(engine, catalogue)
        self.accounts = SqlAccounts(engine)
        self.orders = StoredCommands(engine, catalogue)
        self.plans = StoredPlans(engine)
        self.comparisons = StoredComparisons(engine)
        self.cases = StoredCases(engine)
        self.mail = StoredMail(engine)
        self.memories = Memories(engine)
        self.rounds = StoredRounds(engine)
        self._reacted_to = int(self.meta("reacted_to") or 0)
        self._erasures = Erasures(folder / ERASURES)
        self._erasures.note(engine)

    @staticmethod
    def sqlite(path: Path, catalogue: Catalogue, dice: Dice, *, reserve_bytes: int = 32 << 20) -> SqlFacts:
        """Facts in one SQLite file: write-ahead log, every commit synced."""
        # An error says which statement failed, never what was in it: that may be of persons, and ends in the log.
        engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30}, hide_parameters=True)
        event.listen(engine, "connect", _set_up_sqlite)
        return SqlFacts(engine, catalogue, dice, folder=path.parent, reserve_bytes=reserve_bytes)

    def close(self) -> None:
        """Lets go of the database."""
        self._engine.dispose()

    @property
    def reacted_to(self) -> int:
        """The ingest number up to which the services have reacted, as of the last commit."""
        return self._reacted_to

    @property
    def has_room(self) -> bool:
        """Whether facts would be taken now."""
        return free_bytes(self._folder) >= self._reserve_bytes

    def meta(self, key: str) -> str | None:
        """What the installation says of itself."""
        with self._engine.connect() as read:
            return read.execute(select(META.c.value).where(META.c.key == key)).scalar_one_or_none()

    def set_meta(self, key: str, value: str) -> None:
        """Notes what the installation says of itself."""
        with writing(self._engine) as write:
            _set_meta(write, key, value)

    def commit(self, entries: Sequence[Entry], *, reacted_to: int | None = None) -> list[int]:
        """Appends facts and moves the tables in one synced transaction; see `vigie.engine.ports.FactStore`."""
        if not self.has_room:
            raise StorageFull(f"less than {self._reserve_bytes >> 20} MiB are free in {self._folder}")
        with writing(self._engine) as write:
            numbers = [self._take(write, entry) for entry in entries]
            if reacted_to is not None and reacted_to > self._reacted_to:
                _set_meta(write, "reacted_to", str(reacted_to))
        self._reacted_to = max(self._reacted_to, reacted_to or 0)
        if any(isinstance(entry.fact, PersonalErased) for entry in entries):
            self._erasures.note(self._engine)
        return numbers

    def point_numbers(self) -> Mapping[tuple[str, str], int]:
        """(kind, point) -> its number; a point that the catalogue has for the first time gets the next one."""
        with writing(self._engine) as write:
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
        gone = c.retired_us.is_not(None)
        query = select(c.no, c.id, c.kind, c.area, c.parent, c.reporter, c.lon, c.lat, gone, c.name, c.street)
        with self._engine.connect() as read:
            return cast("list[Row]", [tuple(row) for row in read.execute(query.order_by(c.no)).all()])

    def known_of(self, source: str) -> Mapping[str, Known]:
        """What the post has from a source, retired or not, by the source's own keys."""
        c = ASSET.c
        query = select(c.source_key, c.no, c.kind, c.fingerprint, c.id, c.name, c.retired_us.is_not(None))
        with self._engine.connect() as read:
            return {row[0]: Known(*row[1:]) for row in read.execute(query.where(c.source == source))}

    def attributes(self, kind: type[AssetKind], names: Sequence[str]) -> tuple[Int64s, Mapping[str, NDArray[Any]]]:
        """What the inventory says of the assets of a kind; see `attribute_columns`."""
        return attribute_columns(self._engine, kind, names)

    def known_areas(self) -> list[KnownArea]:
        """The parts of the town, of every source, that are in service and have a surface."""
        kinds = [kind.kind for kind in self._catalogue.assets.values() if kind.area]
        c = ASSET.c
        query = select(c.source, c.source_key, c.kind, c.name, c.area, c.lon, c.lat, c.geometry)
        query = query.where(c.kind.in_(kinds), c.retired_us.is_(None), c.geometry.is_not(None)).order_by(c.no)
        with self._engine.connect() as read:
            return [KnownArea(*row) for row in read.execute(query)]

    def ids(self) -> Mapping[str, int]:
        """Every asset id of the city."""
        with self._engine.connect() as read:
            return dict(iter(read.execute(select(ASSET.c.id, ASSET.c.no))))

    def outlines(self) -> list[Outline]:
        """The outlines of the town, as its tiles are drawn from."""
        return read_outlines(self._engine, self._catalogue)

    def lines(self, kind: type[AssetKind] | None = None) -> tuple[Int64s, list[str], Int64s, Floats, Floats]:
        """The stretches of streets, or the lines of a kind, as they are drawn; see `vigie.engine.ports.FactStore`."""
        streets = [each.kind for each in self._catalogue.assets.values() if each.street]
        return read_lines(self._engine, streets if kind is None else [kind.kind])

    def troubles(self, conditions: Sequence[str], since_us: int) -> Troubles:
        """Conditions of every asset; see `vigie.engine.ports.FactStore`."""
        return self.past_conditions.troubles(conditions, since_us)

    def given(self, automation: str, since_us: int) -> list[Given]:
        """What an automation has ordered since an instant; see `vigie.engine.ports.FactStore`."""
        return self.orders.given(automation, since_us)

    def devices(self) -> Mapping[bytes, tuple[int, str]]:
        """The devices that may speak: digest of the secret -> number and name."""
        with self._engine.connect() as read:
            rows = read.execute(select(DEVICE).where(DEVICE.c.expelled_us.is_(None)))
            return {row.digest: (row.no, row.name) for row in rows}

    def speakers(self, protocol: str) -> list[Speaker]:
        """The devices that may speak this protocol."""
        c = DEVICE.c
        query = select(c.no, c.name, c.digest, c.uri).where(c.protocol == protocol, c.expelled_us.is_(None))
        with self._engine.connect() as read:
            return [Speaker(*row) for row in read.execute(query.order_by(c.no))]

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
                row.acknowledged_by,
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

    def personal_kept(self) -> set[str]:
        """The personal fields, "leaf id/field" each, that are not erased."""
        with self._engine.connect() as read:
            rows = read.execute(select(PERSONAL.c.leaf_id, PERSONAL.c.field).where(PERSONAL.c.erased_us.is_(None)))
            return {f"{row.leaf_id}/{row.field}" for row in rows}

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
        append_leaf(write, n, fact, leaf_bytes(fact), entry.about)
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
        project = PROJECT.get(type(fact))
        if project is not None:
            project(self._catalogue, write, fact, entry.payload)
        return n


def _set_up_sqlite(connection: Any, _record: object) -> None:
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _set_meta(write: Connection, key: str, value: str) -> None:
    if not write.execute(update(META).where(META.c.key == key).values(value=value)).rowcount:
        write.execute(insert(META).values(key=key, value=value))
