"""Facts: everything but observations. Few and precious; each is one leaf of the journal.

A leaf holds numbers, pseudonymous ids and commitments, never a name or a person's words. What is personal travels
beside the fact as `Personal` and is kept, with the salt of its commitment, where it can be erased. What is bulky
(the rows of an import, the targets of an order) travels beside it too, and the leaf holds its digest.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from vigie.core.scope import Verb
from vigie.core.times import DAY_US

POST = "post"
"""The actor of what the post does by itself."""

COMMAND_LINE = "command-line"
"""The actor of what is done on the machine itself, by whoever may log in there."""

RESIDENT = "resident"
"""The actor of what is done without an account, by whoever reported something."""

PLAIN = "plain"
"""The protocol of a device that asks the post, and is never asked: observations and orders in JSON."""

REASON_KEPT_US = 365 * DAY_US


class Fact(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What every fact says: which it is, when it was, who did it (a pseudonymous id), and the commitments to the
    personal fields that travel beside it (field -> hex of HMAC-SHA256(salt, value))."""

    id: str
    at: int
    actor: str
    sealed: dict[str, str] = {}


class InstallationMade(Fact, frozen=True, tag=True):
    """The first leaf: a city, the shard of its journal and the public key that signs its heads."""

    city: str
    shard: str
    key: str


class AssetsTaken(Fact, frozen=True, tag=True):
    """An inventory was taken in. items: digest of the rows; counts by what became of them."""

    source: str
    made: int
    changed: int
    unchanged: int
    retired: int
    rejected: int
    items: str


class AssetMade(Fact, frozen=True, tag=True):
    """An asset was created by hand. item: digest of its row."""

    asset: str
    kind: str
    item: str


class AssetChanged(Fact, frozen=True, tag=True):
    """What the inventory says of an asset was changed by hand: these fields. item: digest of its row."""

    asset: str
    changed: list[str]
    item: str


class AssetRetired(Fact, frozen=True, tag=True):
    """An asset was decommissioned: it keeps its number and its history, and takes no more orders."""

    asset: str


class DeviceReplaced(Fact, frozen=True, tag=True):
    """Another apparatus stands in an asset's place, which keeps its history."""

    asset: str
    serial: str
    model: str


class ConditionRaised(Fact, frozen=True, tag=True):
    """An asset is in an abnormal state. received: when the post knew it; `at` is when it was."""

    condition: str
    kind: str
    asset: str
    evidence: dict[str, float | str]
    state: str
    received: int


class ConditionMoved(Fact, frozen=True, tag=True):
    """A condition was acknowledged, cleared or raised anew (see the lives of conditions)."""

    condition: str
    event: str
    state: str


class CommandProposed(Fact, frozen=True, tag=True):
    """An order was given. selection: how its targets were named; items: digest of their asset numbers.

    targets, refused: how many assets it was meant for, and how many of them a guard kept it from.
    """

    command: str
    action: str
    params: dict[str, float | str | bool]
    selection: dict[str, str]
    targets: int
    refused: int
    hazard: str
    expires: int
    items: str
    state: str


class CommandMoved(Fact, frozen=True, tag=True):
    """An order was released, cancelled, refused, handed over again, or has come to its end; totals by the state of its
    targets."""

    command: str
    event: str
    state: str
    totals: dict[str, int] = {}


class TargetsMoved(Fact, frozen=True, tag=True):
    """Targets of an order were sent, proved, given up ... together. items: digest of (asset number, state, instant)."""

    command: str
    counts: dict[str, int]
    items: str


class ConsignationSet(Fact, frozen=True, tag=True):
    """A crew locked out an asset and all that it feeds. The crew's words travel beside it."""

    consignation: str
    asset: str


class ConsignationMoved(Fact, frozen=True, tag=True):
    """A lock-out was lifted by its crew, or its override was asked for, withdrawn or carried out by a second person."""

    consignation: str
    event: str
    state: str


class PlanSaved(Fact, frozen=True, tag=True):
    """A draft of a plan was saved. item: digest of its document."""

    plan: str
    kind: str
    version: int
    revision: int
    item: str


class PlanMoved(Fact, frozen=True, tag=True):
    """A version of a plan was approved (and the one before it is in force no more), discarded or withdrawn."""

    plan: str
    version: int
    event: str
    state: str


class ComparisonTaken(Fact, frozen=True, tag=True):
    """Somebody told the post what a change would do, as it was compared before: a sealed result, by its seal. to: the
    change that was tried; run: when it was; holds: whether all that was set for it was proved to be kept."""

    comparison: str
    to: str
    run: int
    junctions: int
    holds: bool


class CaseOpened(Fact, frozen=True, tag=True):
    """Something came up that people must deal with. number: what people call it by. due: by when; source: the rule of
    the post that opened it, empty for a person. item: digest of its document. Its title and a person's words travel
    beside it."""

    case: str
    number: int
    kind: str
    category: str
    priority: int
    due: int
    assets: list[str]
    source: str
    state: str
    item: str


class CaseMoved(Fact, frozen=True, tag=True):
    """A case was given to a crew, begun, ended ... crew: the id of whom it was given to; planned: when they are to be
    there, 0 for whenever; into: the case that does its work from now on. done: when that was, where it is told later,
    as from a telephone that had no network; 0 for now."""

    case: str
    event: str
    state: str
    crew: str = ""
    planned: int = 0
    into: str = ""
    done: int = 0


class CaseChanged(Fact, frozen=True, tag=True):
    """What a case says was changed: these fields. due, priority: as they are now. item: digest of its document."""

    case: str
    changed: list[str]
    priority: int
    due: int
    item: str


class CaseJoined(Fact, frozen=True, tag=True):
    """More assets belong to a case."""

    case: str
    assets: list[str]


class CaseNoted(Fact, frozen=True, tag=True):
    """Somebody wrote something in a case. It travels beside the fact."""

    case: str


class CaseClaimed(Fact, frozen=True, tag=True):
    """Somebody says of a case what its life does not allow any more, since others have moved it meanwhile. It moves
    nothing, and is kept for whoever reads the case. done: when that was."""

    case: str
    event: str
    state: str
    done: int


class CasePhotographed(Fact, frozen=True, tag=True):
    """Somebody added a photo to a case. The digest of what is kept of it travels beside it, sealed: the photo is erased
    with that."""

    case: str
    photo: str


class DeviceAdmitted(Fact, frozen=True, tag=True):
    """A device may report for these assets, and carry out their orders. items: digest of their ids.

    protocol: what it speaks, `PLAIN` or such as "talq". uri: the one address at which the post may ask it; empty for
    none, or for whichever it names itself.
    """

    device: str
    count: int
    items: str
    protocol: str = PLAIN
    uri: str = ""


class DeviceExpelled(Fact, frozen=True, tag=True):
    """A device's credential was withdrawn."""

    device: str


class GatewayReread(Fact, frozen=True, tag=True):
    """Somebody had what a gateway holds of the programmes read anew, and what differs mended."""

    device: str


class UserMade(Fact, frozen=True, tag=True):
    """Somebody got an account. Login and name travel beside it."""

    user: str
    language: str


class UserChanged(Fact, frozen=True, tag=True):
    """What became of an account: its password was set, it was closed or opened again, its language was changed."""

    user: str
    change: str


class RoleGranted(Fact, frozen=True, tag=True):
    """Somebody got a role: these verbs of it, in an area and some services."""

    user: str
    role: str
    area: str
    services: list[str]


class RoleWithdrawn(Fact, frozen=True, tag=True):
    """A role was taken back."""

    user: str
    role: str
    area: str


class SessionOpened(Fact, frozen=True, tag=True):
    """Somebody logged in."""

    session: str
    user: str


class SessionClosed(Fact, frozen=True, tag=True):
    """A session ended. why: "logout", "expired", "revoked"."""

    session: str
    user: str
    why: str


class TokenMade(Fact, frozen=True, tag=True):
    """A program got a token with a scope of its own, in the name of whoever made it."""

    token: str
    role: str
    area: str
    services: list[str]
    expires: int


class TokenRevoked(Fact, frozen=True, tag=True):
    """A token counts no more."""

    token: str


class PersonalErased(Fact, frozen=True, tag=True):
    """Personal fields were erased with their salts. rule: under which rule; fields: "leaf id/field" each."""

    rule: str
    fields: list[str]


AnyFact = (
    InstallationMade
    | AssetsTaken
    | AssetMade
    | AssetChanged
    | AssetRetired
    | DeviceReplaced
    | ConditionRaised
    | ConditionMoved
    | CommandProposed
    | CommandMoved
    | TargetsMoved
    | ConsignationSet
    | ConsignationMoved
    | PlanSaved
    | PlanMoved
    | ComparisonTaken
    | CaseOpened
    | CaseMoved
    | CaseChanged
    | CaseJoined
    | CaseNoted
    | CaseClaimed
    | CasePhotographed
    | DeviceAdmitted
    | DeviceExpelled
    | GatewayReread
    | UserMade
    | UserChanged
    | RoleGranted
    | RoleWithdrawn
    | SessionOpened
    | SessionClosed
    | TokenMade
    | TokenRevoked
    | PersonalErased
)


@dataclass(frozen=True, slots=True)
class Personal:
    """A field about a person: what it says, what it is kept for, and until when."""

    value: str
    purpose: str
    until_us: int


@dataclass(frozen=True, slots=True)
class About:
    """Whom and what a fact is about: what decides who may read it in the journal, beside the right to read it at all.

    subject: the id of the asset, command, device or user it speaks of. area, service, verb: as of a placement; what
    concerns no place is of the whole town and of the desk, and takes the right to personal data.
    """

    subject: str = ""
    area: str = ""
    service: str = "desk"
    verb: str = Verb.PERSONAL


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact on its way to the journal.

    personal: field -> what may be erased one day. payload: the rows the fact speaks of, typed by the fact. about: see
    `About`.
    """

    fact: AnyFact
    personal: Mapping[str, Personal] = field(default_factory=dict[str, Personal])
    payload: Any = None
    about: About = About()


def because(reason: str, at_us: int) -> dict[str, Personal]:
    """A person's own words for why, as they travel beside a fact of this instant: kept a year, erasable. Nothing where
    nothing was said."""
    return {"reason": Personal(reason, "who answers for it", at_us + REASON_KEPT_US)} if reason else {}


def commitment(salt: bytes, value: str) -> str:
    """What a leaf shows of a personal field: nothing about it can be learned once the salt is gone."""
    return hmac.new(salt, value.encode(), hashlib.sha256).hexdigest()


def leaf_bytes(fact: AnyFact) -> bytes:
    """The one canonical form of a fact: JSON with sorted keys. The journal hashes these bytes."""
    return msgspec.json.encode(fact, order="sorted")


def fact_of(leaf: bytes) -> AnyFact:
    """The fact that a leaf says."""
    return msgspec.json.decode(leaf, type=AnyFact)


def digest(*parts: bytes) -> str:
    """Hex SHA-256 over length-prefixed parts: what a leaf says of the rows it speaks of."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8))
        whole.update(part)
    return whole.hexdigest()
