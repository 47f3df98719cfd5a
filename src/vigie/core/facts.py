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

POST = "post"
"""The actor of what the post does by itself."""

COMMAND_LINE = "command-line"
"""The actor of what is done on the machine itself, by whoever may log in there."""


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


class DeviceAdmitted(Fact, frozen=True, tag=True):
    """A device may report for these assets, and pick up their orders. items: digest of their ids."""

    device: str
    count: int
    items: str


class DeviceExpelled(Fact, frozen=True, tag=True):
    """A device's credential was withdrawn."""

    device: str


class PersonalErased(Fact, frozen=True, tag=True):
    """Personal fields were erased with their salts. rule: under which rule; fields: "leaf id/field" each."""

    rule: str
    fields: list[str]


AnyFact = (
    InstallationMade | AssetsTaken | ConditionRaised | ConditionMoved | DeviceAdmitted | DeviceExpelled | PersonalErased
)


@dataclass(frozen=True, slots=True)
class Personal:
    """A field about a person: what it says, what it is kept for, and until when."""

    value: str
    purpose: str
    until_us: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact on its way to the journal.

    personal: field -> what may be erased one day. payload: the rows the fact speaks of, typed by the fact.
    """

    fact: AnyFact
    personal: Mapping[str, Personal] = field(default_factory=dict[str, Personal])
    payload: Any = None


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
