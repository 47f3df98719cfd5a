"""What the tables know of one asset beside the live picture: its row, its apparatus, the orders it was a target of."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import and_, case, not_, or_, select, text, true
from sqlalchemy.engine import Engine

from vigie.core.assets import DeviceRecord
from vigie.core.drafts import Scalar
from vigie.core.lives import TARGET as TARGET_LIFE
from vigie.core.scope import Placement, Scope
from vigie.engine.areas import segment
from vigie.store.tables import APPARATUS, ASSET, COMMAND, PERSONAL, PLACEMENT, TARGET
from vigie.store.transactions import reading

COMMANDS_MAX = 20

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class AreaRow:
    """A part of the town: the asset that it is, the path it lies in, and its surface as WKB in WGS84."""

    id: str
    kind: str
    name: str
    within: str
    lon: float
    lat: float
    surface: bytes | None

    @property
    def path(self) -> str:
        """The path that assets in it have."""
        return f"{self.within}/{segment(self.name or self.id)}".strip("/")


@dataclass(frozen=True, slots=True)
class CommandRow:
    """An order, and what became of it at one of its targets."""

    id: str
    action: str
    params: Mapping[str, Scalar]
    state: str
    outcome: str
    at_us: int
    actor: str


@dataclass(frozen=True, slots=True)
class SheetRow:
    """What the tables know of an asset. geometry: WKB in WGS84 of a line or a surface."""

    attributes: Mapping[str, Scalar]
    geometry: bytes | None
    devices: list[DeviceRecord]
    commands: list[CommandRow]


Since = tuple[int, int, int | None]
"""An asset's number, and from and until when it was so, in microseconds since the epoch; None is still."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an asset belonged for a time; until_us is None for where it does now."""

    from_us: int
    until_us: int | None
    placement: Placement


class Sheets:
    """Reading; what writes is the projections."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def sheet(self, no: int) -> SheetRow:
        """All that the tables know of an asset; its apparatus and its orders the newest first. Raises KeyError."""
        devices = select(APPARATUS).where(APPARATUS.c.asset == no).order_by(APPARATUS.c.since_us.desc())
        c = COMMAND.c
        orders = select(c.id, c.action, c.params, c.state, TARGET.c.state.label("target"), c.proposed_us, c.actor)
        orders = orders.join(TARGET, TARGET.c.command == c.id).where(TARGET.c.asset == no)
        orders = orders.order_by(c.proposed_us.desc(), c.id.desc()).limit(COMMANDS_MAX)
        with self._engine.connect() as read:
            row = read.execute(select(ASSET.c.attributes, ASSET.c.geometry).where(ASSET.c.no == no)).one_or_none()
            if row is None:
                raise KeyError(no)
            return SheetRow(
                json.loads(row.attributes),
                row.geometry,
                [
                    DeviceRecord(
                        asset=no, serial=each.serial, model=each.model, since_us=each.since_us, until_us=each.until_us
                    )
                    for each in read.execute(devices)
                ],
                [
                    CommandRow(
                        row.id,
                        row.action,
                        json.loads(row.params),
                        row.state,
                        TARGET_LIFE.states[int(row.target)],
                        row.proposed_us,
                        row.actor,
                    )
                    for row in read.execute(orders)
                ],
            )

    def attributes(self, numbers: Collection[int]) -> dict[int, Mapping[str, Scalar]]:
        """What the inventory says of assets, by their numbers; those that do not exist are left out."""
        wanted = list(numbers)
        found: dict[int, Mapping[str, Scalar]] = {}
        query = select(ASSET.c.no, ASSET.c.attributes)
        with self._engine.connect() as read:
            for start in range(0, len(wanted), _AT_ONCE):
                some = query.where(ASSET.c.no.in_(wanted[start : start + _AT_ONCE]))
                found |= {row.no: json.loads(row.attributes) for row in read.execute(some)}
        return found

    def areas(self, kinds: Collection[str]) -> list[AreaRow]:
        """The assets of these kinds that are in service, in the order of their numbers."""
        c = ASSET.c
        query = select(c.id, c.kind, c.name, c.area, c.lon, c.lat, c.geometry)
        query = query.where(c.kind.in_(list(kinds)), c.retired_us.is_(None)).order_by(c.no)
        with self._engine.connect() as read:
            return [AreaRow(*row) for row in read.execute(query)]

    def placements(self, asset: int) -> list[Placed]:
        """Where an asset belonged, from its first day on; the last row is open unless it was retired."""
        c = PLACEMENT.c
        query = select(c.from_us, c.until_us, c.area, c.service, c.verb, c.public)
        with self._engine.connect() as read:
            return [
                Placed(row.from_us, row.until_us, Placement(row.area, row.service, row.verb, bool(row.public)))
                for row in read.execute(query.where(c.asset == asset).order_by(c.from_us))
            ]

    def placed_of_kind(self, kind: str, scope: Scope, area: str, *, public: bool) -> list[Since] | None:
        """When the assets of a kind lay where a scope shows them and within an area; None if that was so of all of them
        at all times. public: whether what anybody may see is among them. An asset's first row is from ever."""
        c = PLACEMENT.c
        clause = scope.clause("placement", public=public)
        shown, hidden = (text(said).bindparams(**clause.params) for said in (clause.text, f"NOT {clause.text}"))
        within = or_(c.area == area, and_(c.area > area + "/", c.area < area + "0")) if area else true()
        ever = case((c.from_us <= ASSET.c.made_us, 0), else_=c.from_us).label("from_us")
        of_kind = select(c.asset, ever, c.until_us).join(ASSET, ASSET.c.no == c.asset).where(ASSET.c.kind == kind)
        with reading(self._engine) as read:
            # A whole city's rows are not fetched to learn that nothing is hidden: that would take half a second.
            if read.execute(of_kind.where(or_(hidden, not_(within))).limit(1)).first() is None:
                return None
            rows = read.execute(of_kind.where(shown, within))
            return [(row.asset, row.from_us, row.until_us) for row in rows]

    def names(self, users: Collection[str]) -> dict[str, str]:
        """What users are called, by their pseudonymous ids; those whose name was erased are left out."""
        wanted = sorted(set(users))
        found: dict[str, str] = {}
        c = PERSONAL.c
        with self._engine.connect() as read:
            for start in range(0, len(wanted), _AT_ONCE):
                some = wanted[start : start + _AT_ONCE]
                query = select(c.leaf_id, c.value).where(c.leaf_id.in_(some), c.field == "name", c.value.is_not(None))
                found |= {row.leaf_id: row.value for row in read.execute(query)}
        return found
