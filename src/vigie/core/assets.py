"""Assets as the post keeps them: a draft that got a number, and whose place keeps its history."""

from __future__ import annotations

import msgspec

from vigie.core.drafts import Draft, Scalar


class AssetRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One asset as it stands now.

    no: its number for good, from 1; never used again. parent: the number of what feeds it, 0 for none.
    street: the name of the street it stands on. reporter: the number of the device that speaks for it, 0 for none.
    """

    no: int
    id: str
    kind: str
    name: str
    area: str
    street: str
    parent: int
    reporter: int
    lon: float
    lat: float
    attributes: dict[str, Scalar]
    made_us: int
    retired_us: int | None = None


class DeviceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The apparatus that stood in an asset's place for a time; until_us is None for the one that does now."""

    asset: int
    serial: str
    model: str
    since_us: int
    until_us: int | None = None


class AssetChange(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a draft when it is taken in: its number, whether it is new, and the row to write.

    is_back: it was retired because its source named it no more, and is in service again.
    """

    no: int
    is_new: bool
    draft: Draft
    fingerprint: bytes
    is_back: bool = False


class AssetGone(msgspec.Struct, frozen=True, kw_only=True):
    """An asset that is retired because its source names it no more."""

    no: int
