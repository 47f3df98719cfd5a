"""Orders and receipts: what one end writes, the other reads."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.times import from_us
from vigie.protocols.plain import (
    Order,
    Receipt,
    decode_orders,
    decode_receipts,
    encode_orders,
    encode_receipts,
)

words = st.text(max_size=6)
instants = st.integers(0, 2**52).map(from_us)
params = st.dictionaries(words, words | st.booleans() | st.floats(allow_nan=False, allow_infinity=False), max_size=3)
orders = st.builds(Order, words, words, words, params, instants, instants)
receipts = st.builds(Receipt, words, words, st.sampled_from(["accepted", "failed"]), words)


@given(st.lists(orders, max_size=5))
def test_a_device_reads_the_orders_that_were_written(sent: list[Order]) -> None:
    assert decode_orders(encode_orders(sent)) == sent


@given(st.lists(receipts, max_size=5))
def test_the_post_reads_the_receipts_that_were_written(sent: list[Receipt]) -> None:
    assert decode_receipts(encode_receipts(sent)) == sent


def test_orders_are_as_the_contract_says() -> None:
    body = encode_orders([Order("7", "lamp", "dim", {"level": 60.0}, from_us(0), from_us(1_500_000))])
    assert json.loads(body) == {
        "orders": [
            {
                "order": "7",
                "asset": "lamp",
                "action": "dim",
                "params": {"level": 60.0},
                "issued": "1970-01-01T00:00:00Z",
                "expires": "1970-01-01T00:00:01.500000Z",
            }
        ]
    }


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[1]", b'[{"order":"7","asset":"lamp"}]', b'[{"order":"7","asset":"lamp","result":"done"}]'],
)
def test_a_receipt_that_says_nothing_known_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_receipts(body)


def test_an_order_without_an_end_is_refused() -> None:
    body = b'{"orders":[{"order":"7","asset":"lamp","action":"dim","params":{},"issued":"1970-01-01T00:00:00Z"}]}'
    with pytest.raises(msgspec.ValidationError, match="expires"):
        decode_orders(body)
