"""The plain protocol: JSON that any device can write. Both ends; HTTP and MQTT carry it alike."""

from vigie.protocols.plain.observations import (
    MalformedBody,
    decode_array,
    decode_lines,
    decode_messages,
    encode_array,
)
from vigie.protocols.plain.orders import (
    Order,
    Orders,
    Receipt,
    decode_orders,
    decode_receipts,
    encode_orders,
    encode_receipts,
)

__all__ = [
    "MalformedBody",
    "Order",
    "Orders",
    "Receipt",
    "decode_array",
    "decode_lines",
    "decode_messages",
    "decode_orders",
    "decode_receipts",
    "encode_array",
    "encode_orders",
    "encode_receipts",
]
