"""What the API answers, as types: the one schema, shared by HTTP, the live door and the OpenAPI document.

Instants are RFC 3339 texts in UTC. A value is in the unit of its point; an unknown one is null, never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from vigie.core.observations import Outcome

Value = bool | int | float | str | tuple[float, float] | None
"""A number, a yes or no, the name of a choice, a text, a place (longitude, latitude), or nothing known."""

Bounds = tuple[float, float, float, float]
"""West, south, east, north, in degrees."""

Instant = Annotated[datetime, Meta(tz=True)]
"""When, in an address: RFC 3339 with its zone."""

Item = TypeVar("Item")


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """The base of what is answered."""


class Page(Form, Generic[Item], frozen=True, kw_only=True):
    """A part of a list. next: the cursor of the next part, null after the last. total: how many there are in all, where
    that is known."""

    items: list[Item]
    next: str | None = None
    total: int | UnsetType = UNSET


class NotTold(Form, frozen=True, kw_only=True):
    """An asset that is no entity: what the model requires of it and nobody knows, or you may not read."""

    id: str
    missing: list[str]


class Entities(Page[dict[str, Any]], frozen=True, kw_only=True):
    """Entities of NGSI-LD, as a broker takes them. left_out: those of this part that are none."""

    left_out: list[NotTold]


class Who(Form, frozen=True, kw_only=True):
    """Somebody. name: null for whoever may not read it, and where it was erased."""

    id: str
    name: str | None


class Sun(Form, frozen=True, kw_only=True):
    """Sunrise and sunset of this day at the city's middle; null where the sun does neither."""

    rise: str | None
    set: str | None


class Area(Form, frozen=True, kw_only=True):
    """A part of the town. path: as assets lie in it. asset: the id of the asset that it is."""

    path: str
    name: str
    kind: str
    asset: str
    bounds: Bounds
    lon: float
    lat: float


class City(Form, frozen=True, kw_only=True):
    """The city that this post watches. assets: kind -> how many of it you may see. now: the post's time."""

    name: str
    zone: str
    bounds: Bounds
    shard: str
    now: str
    version: str
    sun: Sun | None
    assets: dict[str, int]
    areas: list[Area]


class PointKind(Form, frozen=True, kw_only=True):
    """What a kind of asset reports. valid_s: how long a value stays true after it was observed. stands_for: the point
    of a text that this number is the CRC-32 of; people read that one."""

    sort: str
    unit: str
    low: float | None
    high: float | None
    valid_s: float
    public: bool
    choices: list[str]
    stands_for: str


class AttributeKind(Form, frozen=True, kw_only=True):
    """What the inventory says of a kind of asset."""

    sort: str
    unit: str
    choices: list[str]
    public: bool


class ParamKind(Form, frozen=True, kw_only=True):
    """A parameter of an action. default: what stands for it where it is not said, such as the next dawn. ahead_s: how
    far ahead an instant may lie."""

    name: str
    sort: str
    unit: str
    low: float | None
    high: float | None
    choices: list[str]
    default: str | None
    ahead_s: float | None


class HoldKind(Form, frozen=True, kw_only=True):
    """What an order sets lasts until the parameter `until` says, as the point shows: `held`, and then `free`. ends: the
    action that ends it before, with these parameters. keeper: who ends it in time, the device or the post."""

    until: str
    point: str
    held: Value
    free: Value
    ends: str
    end_params: dict[str, Value]
    keeper: str


class ProofKind(Form, frozen=True, kw_only=True):
    """The observation that proves an order: the point shows the value of `param`, or else `equals`."""

    point: str
    param: str
    equals: Value
    tolerance: float


class PresetKind(Form, frozen=True, kw_only=True):
    """An order that a form offers whole. lasts_s: how long it lasts from when it is given."""

    params: Mapping[str, Value]
    lasts_s: float | None


class ActionKind(Form, frozen=True, kw_only=True):
    """What a kind of asset can be told to do. holds: how what it sets ends. paced: whether it goes out a few at a time.
    answered: whether it needs a reason. presets: what a form offers whole, by name."""

    params: list[ParamKind]
    proof: ProofKind | None
    hazard: str
    expires_s: float
    proof_s: float
    once: bool
    holds: HoldKind | None
    paced: bool
    answered: bool
    presets: dict[str, PresetKind]


class AssetKind(Form, frozen=True, kw_only=True):
    """A kind of asset. code: its number in tiles and frames. shown: the point that drives its picture on the map."""

    code: int
    service: str
    shape: str
    icon: str
    shown: str
    public: bool
    area: bool
    points: dict[str, PointKind]
    attributes: dict[str, AttributeKind]
    actions: dict[str, ActionKind]


class ConditionKind(Form, frozen=True, kw_only=True):
    """An abnormal state that a service can find, and where it goes."""

    code: int
    service: str
    outlet: str
    priority: int


class LifeKind(Form, frozen=True, kw_only=True):
    """A life: state -> event -> the state it leads to."""

    first: str
    last: list[str]
    states: list[str]
    moves: dict[str, dict[str, str]]


class Kinds(Form, frozen=True, kw_only=True):
    """All that this post knows of: kinds of assets and of conditions, and the lives of what has one."""

    assets: dict[str, AssetKind]
    conditions: dict[str, ConditionKind]
    lives: dict[str, LifeKind]


class Shown(Form, frozen=True, kw_only=True):
    """The value that drives an asset's picture. old: it is past its time."""

    point: str
    value: Value
    at: str | None
    old: bool


class State(Form, frozen=True, kw_only=True):
    """How an asset is. worst: the priority of its worst open alarm (1 to 3), 4 for maintenance, 0 for nothing."""

    worst: int
    shown: Shown | None


class AssetRow(Form, frozen=True, kw_only=True):
    """An asset in a list. area: the path of the area it lies in. street: the name of the street it stands on."""

    no: int
    id: str
    kind: str
    name: str
    lon: float
    lat: float
    area: str
    street: str | None
    state: State


class Reading(Form, frozen=True, kw_only=True):
    """The newest value of a point. at: when it was observed; received: when the post had it on disk. old: past its
    time. quality: what the device said of it, good, uncertain or bad."""

    point: str
    value: Value
    at: str
    received: str
    old: bool
    quality: str


class ConditionOfAsset(Form, frozen=True, kw_only=True):
    """An abnormal state. evidence: what was seen, in the point's own terms."""

    id: str
    condition: str
    outlet: str
    priority: int
    state: str
    raised: str
    cleared: str | None
    evidence: Mapping[str, float | str]


class Alarm(ConditionOfAsset, frozen=True, kw_only=True):
    """An abnormal state with the asset that it is of."""

    asset: AssetRow
    acknowledged_by: Who | None


class DeviceSpan(Form, frozen=True, kw_only=True):
    """The apparatus that stood in an asset's place for a time; until is null for the one that does now."""

    serial: str
    model: str
    since: str
    until: str | None


class CommandOfAsset(Form, frozen=True, kw_only=True):
    """An order that an asset was a target of. outcome: the state of this target."""

    id: str
    action: str
    params: dict[str, Value]
    state: str
    outcome: str
    at: str
    actor: Who


class HeldBy(Form, frozen=True, kw_only=True):
    """The lock-out that holds an asset. by_parent: the id of what feeds it, where the lock-out is on that."""

    id: str
    crew: str
    since: str
    reason: str
    by_parent: str | None


class Children(Form, frozen=True, kw_only=True):
    """The assets that one feeds: how many you may see, and the first of them."""

    total: int
    items: list[AssetRow]


class AssetSheet(AssetRow, frozen=True, kw_only=True):
    """All about one asset. geometry: GeoJSON of a line or a surface, null for a point. withheld: why it is not followed
    now. unfollowed: the points of which nothing is taken in then; no value of them is among `points`. neighbours: the
    nearest on its street. actions: what you may order of it. device: the apparatus in its place; devices: all, the
    newest first."""

    attributes: dict[str, Value]
    geometry: dict[str, Any] | None
    points: list[Reading]
    withheld: Outcome | None
    unfollowed: list[str]
    conditions: list[ConditionOfAsset]
    commands: list[CommandOfAsset]
    parent: AssetRow | None
    children: Children
    neighbours: list[AssetRow]
    consignation: HeldBy | None
    actions: list[str]
    device: DeviceSpan | None
    devices: list[DeviceSpan]


class Found(Form, frozen=True, kw_only=True):
    """Something that a search found. id: of the asset, the path of the area, or the street's name with its area."""

    type: Literal["asset", "street", "area"]
    id: str
    kind: str
    name: str
    context: str
    lon: float
    lat: float


class FigureValue(Form, frozen=True, kw_only=True):
    """A figure that a service declares; null where nothing is known."""

    key: str
    value: float | None
    unit: str


class ServiceFigures(Form, frozen=True, kw_only=True):
    """A service in figures. old: how many assets show a value past its time."""

    assets: int
    alarm1: int
    alarm2: int
    alarm3: int
    maintenance: int
    old: int
    figures: list[FigureValue]


class Figures(Form, frozen=True, kw_only=True):
    """Each service that you may see something of, in figures."""

    services: dict[str, ServiceFigures]


class History(Form, frozen=True, kw_only=True):
    """What one point was over a time.

    raw: whether the rows are the observations themselves, [ms since 1970, value], always of a text; otherwise a row is
    a span of bucket_s: [its start, min, mean, max, count] for a number, [its start, last value] for a choice or a yes
    and no. bucket_s is wider than was asked for where there would be too many rows.
    """

    point: str
    unit: str
    bucket_s: float
    rows: list[list[float | str]]
    raw: bool


class Erased(Form, frozen=True, kw_only=True):
    """A personal field that was erased: when, and under which rule."""

    field: str
    on: str
    rule: str


class JournalEntry(Form, frozen=True, kw_only=True):
    """A fact of the journal. n: its place, from 0. summary: what it says. assets: the first of those it is about."""

    n: int
    id: str
    at: str
    type: str
    actor: Who | None
    summary: dict[str, Any]
    assets: list[str]
    erased: list[Erased]


class JournalHead(Form, frozen=True, kw_only=True):
    """The newest signed head of the journal. signature: Ed25519 by `key`, over "vigie tree head 1\\n", the size and
    at_us as 8 bytes each, big end first, and the root. root, signature, key: hexadecimal."""

    size: int
    root: str
    at: str
    at_us: int
    signature: str
    key: str


class JournalProof(Form, frozen=True, kw_only=True):
    """That a leaf is in the tree of `size` leaves (RFC 6962, 2.1.1): its bytes, the path and the root, hexadecimal."""

    leaf: str
    index: int
    size: int
    root: str
    path: list[str]
