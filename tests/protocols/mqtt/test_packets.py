"""MQTT 5 packets: what a real broker sent, whole, byte by byte and with rubbish around it; laws on any bytes."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.protocols.mqtt import (
    Acknowledged,
    Broken,
    Connected,
    Delivered,
    Disconnected,
    Packet,
    Pong,
    Reader,
    Subscribed,
    acknowledge,
    connect,
    disconnect,
    ping,
    publish,
    reason,
    subscribe,
)

# What mosquitto 2.0.11 sent on four connections.
GREETING = b" \x0e\x00\x00\x0b\"\x00\n'\x00\x10\x00\x00! \x00"
TOPIC = "vigie/v1/gateway/observations"
POST = GREETING + (b"\x90\x05\x00\x01\x00\x01\x012$\x00\x1dvigie/v1/gateway/observations\x00\x01\x00[]\xd0\x00")
DEVICE = GREETING + b"@\x02\x00\x01@\x03\x00\x02\x87@\x03\x00\x03\x87"
WRONG = b" \x03\x00\x87\x00"
RESUMED = b" \x0e\x01\x00\x0b\"\x00\n'\x00\x10\x00\x00! \x00:$\x00\x1dvigie/v1/gateway/observations\x00\x01\x00[]"

CAPTURED: list[tuple[bytes, list[Packet]]] = [
    (POST, [Connected(0, False, None, 8192), Subscribed(1, (1, 1)), Delivered(TOPIC, b"[]", 1), Pong()]),
    (DEVICE, [Connected(0, False, None, 8192), Acknowledged(1), Acknowledged(2, 0x87), Acknowledged(3, 0x87)]),
    (WRONG, [Connected(0x87, False)]),
    (RESUMED, [Connected(0, True, None, 8192), Delivered(TOPIC, b"[]", 1, again=True)]),
]


@pytest.mark.parametrize(("captured", "said"), CAPTURED)
def test_what_a_broker_sent_is_read_whole_byte_by_byte_and_in_any_two_parts(
    captured: bytes, said: list[Packet]
) -> None:
    assert Reader().feed(captured) == said
    reader = Reader()
    assert [packet for n in range(len(captured)) for packet in reader.feed(captured[n : n + 1])] == said
    for cut in range(len(captured)):
        reader = Reader()
        assert reader.feed(captured[:cut]) + reader.feed(captured[cut:]) == said


def test_a_greeting_may_set_the_keep_alive_and_name_properties_that_are_of_no_use() -> None:
    properties = b"\x13\x00\x0a" + b"\x1f\x00\x02ok" + b"\x26\x00\x01a\x00\x01b" + b"\x0b\x80\x01"
    packet = b"\x20" + bytes([3 + len(properties)]) + b"\x00\x00" + bytes([len(properties)]) + properties
    assert Reader().feed(packet) == [Connected(0, False, 10)]


def test_a_message_may_carry_properties_and_be_of_qos_0() -> None:
    packet = b"\x30\x0c\x00\x01t\x05\x02\x00\x00\x00\x09abc"
    said = Reader().feed(packet + b"\xe0\x02\x8e\x00\xe0\x00")
    assert said == [Delivered("t", b"abc", 0), Disconnected(0x8E), Disconnected(0)]


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\x32\x02\x00\x09",  # a topic longer than its packet
        b"\x32\x05\x00\x01t\x00\x00",  # a message at QoS 1 with the number 0
        b"\x34\x06\x00\x01t\x00\x01\x00",  # QoS 2 was not asked for
        b"\x32\x06\x00\x01\xff\x00\x01\x00",  # a topic that is no UTF-8
        b"\x32\x06\x00\x01t\x00\x01\x7f",  # properties longer than the packet
        b"\x20\x02\x00",
        b"\x20\x01\x00\xff",
        b"\x20\x05\x00\x00\x02\x7e\x00",  # a property that nobody knows
        b"\xf0\x00",  # AUTH
        b"\x00\x00",
        b"\x40\x01\x00\xff",
        b"\x90\x01\x00\xff",
        b"\x30\xff\xff\xff\xff\x01",  # a length of five bytes
        b"\x30\x80\x80\x80\x01",  # two million bytes
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
    ],
)
def test_rubbish_breaks_the_connection_after_what_was_good_before_it(rubbish: bytes) -> None:
    reader = Reader()
    assert reader.feed(GREETING) == [Connected(0, False, None, 8192)]
    with pytest.raises(Broken):
        reader.feed(rubbish + bytes(100))


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_break_the_connection(data: bytes) -> None:
    with contextlib.suppress(Broken):
        Reader().feed(data)


@given(
    st.lists(st.tuples(st.text(max_size=40), st.binary(max_size=20_000), st.integers(0, 65_535)), max_size=5),
    st.integers(1, 5_000),
)
def test_what_one_end_writes_the_other_reads_however_it_is_cut(
    messages: list[tuple[str, bytes, int]], step: int
) -> None:
    stream = b"".join(publish(*message) for message in messages)
    reader = Reader()
    read = [packet for at in range(0, len(stream), step) for packet in reader.feed(stream[at : at + step])]
    assert read == [Delivered(*message) for message in messages]


def test_a_packet_over_the_limit_is_refused_before_it_is_whole() -> None:
    with pytest.raises(Broken, match="1007 bytes"):
        Reader(100).feed(publish("t", bytes(1_000))[:4])


def test_the_client_writes_as_the_specification_says() -> None:
    said = connect("a", "u", "pw", keep_alive_s=30, session_s=60, receive_max=9, packet_bytes_max=1 << 20)
    properties = b"\x11\x00\x00\x00\x3c\x21\x00\x09\x27\x00\x10\x00\x00"
    body = b"\x00\x04MQTT\x05\xc0\x00\x1e" + bytes([len(properties)]) + properties + b"\x00\x01a\x00\x01u\x00\x02pw"
    assert said == b"\x10" + bytes([len(body)]) + body
    assert connect("a", "", "", keep_alive_s=1)[9:10] == b"\x02"
    assert subscribe(7, ["t"]) == b"\x82\x07\x00\x07\x00\x00\x01t\x21"
    assert acknowledge([1, 258]) == b"\x40\x02\x00\x01\x40\x02\x01\x02"
    assert (ping(), disconnect()) == (b"\xc0\x00", b"\xe0\x00")


def test_a_reason_is_told_in_words() -> None:
    assert "access list" in reason(0x87)
    assert reason(0x9F) == "reason 0x9f"
