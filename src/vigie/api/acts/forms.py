"""What is asked of the acting half of the API, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from vigie.api.bodies import Reason
from vigie.api.city.forms import AssetRow, Form, Value, Who

_SAID = r"\S"
"""What is more than blanks."""

Given = Annotated[
    str, Meta(max_length=300, pattern=_SAID, description="Why, in your own words: kept a year, erasable.")
]


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of what is asked for."""


class PathForm(Asked, frozen=True, kw_only=True):
    """A way, such as a resident's home or a crew's along a street. places: [lon, lat] in their order, 5 km in all at
    most. within_m: how far from it an asset may stand."""

    places: Annotated[list[tuple[float, float]], Meta(min_length=2, max_length=200)]
    within_m: Annotated[float, Meta(ge=1, le=60)] = 25.0


class Select(Asked, frozen=True, kw_only=True):
    """Which assets are meant: all of what is said must fit, and something must be said. polygon: corners [lon, lat].
    path: a way, which the journal does not repeat.
    order: the id of an order that you may see; its targets are meant."""

    assets: Annotated[list[str], Meta(max_length=10_000)] | None = None
    kind: str = ""
    street: str = ""
    area: str = ""
    polygon: Annotated[list[tuple[float, float]], Meta(min_length=3, max_length=1_000)] | None = None
    path: PathForm | None = None
    order: Annotated[str, Meta(max_length=100)] = ""


class OrderForm(Asked, frozen=True, kw_only=True):
    """An order. action: such as luminaire.dim. params: as the kind declares them."""

    action: str
    params: dict[str, Any] = {}
    select: Select
    reason: Reason = ""


class RefusalForm(Form, frozen=True, kw_only=True):
    """Why a target is refused: a rule, and what goes into its sentence."""

    rule: str
    detail: Mapping[str, str | float]


class RefusedTargets(RefusalForm, frozen=True, kw_only=True):
    """How many targets a rule refuses, or says something of, and the first of them."""

    count: int
    examples: list[str]


class Range(Form, frozen=True, kw_only=True):
    """From the smallest to the largest."""

    min: float
    max: float


class Preview(Form, frozen=True, kw_only=True):
    """What an order would do. already: how many are so now. from: what the targets are at. old: how many of these
    values are past their time. until: when it is over. stays: how many would not end it by themselves, nor are told to.
    lasts_s: how long it takes at least until the last target has left. advice: what is to be known of targets that
    nothing refuses, such as which comparison stands behind a change of control."""

    targets: int
    already: int
    refused: list[RefusedTargets]
    advice: list[RefusedTargets]
    hazard: str
    before: Range | None = msgspec.field(name="from")
    old: int
    until: str | None
    stays: int
    lasts_s: float


class CommandForm(Form, frozen=True, kw_only=True):
    """An order. counts: how many targets are in each state. lasts_s: how long it takes at least until the last of those
    that wait has left. may_move: whether your rights let you confirm it or take it back. changed: of two answers about
    the same order that with the higher number is the later one; it counts from the start of the post, and is null where
    the order is only kept."""

    id: str
    state: str
    action: str
    params: dict[str, Value]
    reason: str
    actor: Who
    created: str
    expires: str
    hazard: str
    counts: dict[str, int]
    targets: int
    lasts_s: float
    may_move: bool
    changed: int | None


class TargetForm(Form, frozen=True, kw_only=True):
    """One asset that an order is meant for, and what became of it."""

    asset: AssetRow
    state: str
    sent: str | None
    ended: str | None
    refusal: RefusalForm | None


class Resent(Form, frozen=True, kw_only=True):
    """To how many targets an order is handed over again."""

    targets: int


class ConsignForm(Asked, frozen=True, kw_only=True):
    """A lock-out of an asset and of all that it feeds."""

    asset: str
    crew: Annotated[str, Meta(max_length=100, pattern=_SAID)]
    reason: Given


class WhyForm(Asked, frozen=True, kw_only=True):
    """Why."""

    reason: Reason = ""


class ConsignationForm(Form, frozen=True, kw_only=True):
    """A lock-out that holds. It never replaces the physical one."""

    id: str
    asset: AssetRow
    crew: str
    reason: str
    since: str
    state: str
    set_by: Who
    override_asked_by: Who | None


class MovedCondition(Form, frozen=True, kw_only=True):
    """A condition after what was done to it."""

    id: str
    state: str
    acknowledged_by: Who | None


class AssetForm(Asked, frozen=True, kw_only=True):
    """A new asset. id: made from the kind where it is empty. street: a name. parent: the id of what feeds it."""

    kind: str
    name: Annotated[str, Meta(max_length=200)] = ""
    id: Annotated[str, Meta(max_length=100, pattern=r"^[\w.~-]*$")] = ""
    lon: Annotated[float, Meta(ge=-180, le=180)]
    lat: Annotated[float, Meta(ge=-90, le=90)]
    street: Annotated[str, Meta(max_length=200)] = ""
    parent: str = ""
    attributes: dict[str, str | int | float | bool] = {}
    reason: Reason = ""


class AssetChangeForm(Asked, frozen=True, kw_only=True):
    """What changes of an asset; what is not said stays."""

    lon: Annotated[float, Meta(ge=-180, le=180)] | UnsetType = UNSET
    lat: Annotated[float, Meta(ge=-90, le=90)] | UnsetType = UNSET
    name: Annotated[str, Meta(max_length=200)] | UnsetType = UNSET
    street: Annotated[str, Meta(max_length=200)] | UnsetType = UNSET
    parent: str | UnsetType = UNSET
    reason: Reason = ""


class ReplaceForm(Asked, frozen=True, kw_only=True):
    """Another apparatus in an asset's place."""

    serial: Annotated[str, Meta(max_length=100, pattern=_SAID)]
    model: Annotated[str, Meta(max_length=100, pattern=_SAID)]
    reason: Given


class RetireForm(Asked, frozen=True, kw_only=True):
    """An asset is decommissioned."""

    reason: Given


OpenQuery = Literal["true", "false", ""]
