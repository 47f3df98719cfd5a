"""Identities. Time and randomness are handed in, so that the same input gives the same id."""

from __future__ import annotations

import hashlib
from uuid import UUID


def uuid7(now_us: int, random80: bytes) -> UUID:
    """A UUIDv7 (RFC 9562, section 5.7): the millisecond first, so that ids sort by time.

    random80: at least ten bytes of randomness, or of a digest where the id must be the same each time.
    """
    value = (now_us // 1_000 & (1 << 48) - 1) << 80 | int.from_bytes(random80[:10])
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def keyed_id(who: str, key: str) -> UUID:
    """The id of what somebody makes under an idempotency key: made twice, it is one (UUIDv8, RFC 9562, section 5.8)."""
    value = int.from_bytes(hashlib.sha256(f"{who}\0{key}".encode()).digest()[:16])
    value = value & ~(0xF << 76) | 0x8 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def effect_id(now_us: int, shard: str, ingest: int, rule: str, ordinal: int) -> UUID:
    """The id of an effect: stepping the same batch twice gives the same id, so nothing is done twice."""
    digest = hashlib.sha256(f"{shard}\0{ingest}\0{rule}\0{ordinal}".encode()).digest()
    return uuid7(now_us, digest)
