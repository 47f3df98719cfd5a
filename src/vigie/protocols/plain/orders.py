"""Orders and receipts as JSON: what a device picks up, and what it says of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec


class Order(msgspec.Struct, frozen=True):
    """An order to one asset. The device carries it out unless `expires` is past, and may get it twice."""

    order: str
    asset: str
    action: str
    params: dict[str, float | str | bool]
    issued: datetime
    expires: datetime


class Orders(msgspec.Struct, frozen=True):
    """What waits for a device."""

    orders: list[Order]


class Receipt(msgspec.Struct, frozen=True):
    """What a device says of an order it got. The proof is not here: it is the observation that follows."""

    order: str
    asset: str
    result: Literal["accepted", "failed"]
    detail: str = ""


_encoder = msgspec.json.Encoder()
_orders = msgspec.json.Decoder(Orders)
_receipts = msgspec.json.Decoder(list[Receipt])


def encode_orders(orders: Sequence[Order]) -> bytes:
    """The post's end."""
    return _encoder.encode(Orders(list(orders)))


def decode_orders(body: bytes) -> list[Order]:
    """The device's end. Raises msgspec.DecodeError."""
    return _orders.decode(body).orders


def encode_receipts(receipts: Sequence[Receipt]) -> bytes:
    """The device's end."""
    return _encoder.encode(list(receipts))


def decode_receipts(body: bytes) -> list[Receipt]:
    """The post's end. Raises msgspec.DecodeError."""
    return _receipts.decode(body)
