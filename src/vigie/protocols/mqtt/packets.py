"""What a client says to a broker and hears from it (OASIS MQTT 5.0), as far as vigie and its devices speak it.

Laws: whole packets only, however the bytes were cut; a packet over the limit, of an unknown type or cut within itself
breaks the connection (4.13) and never the program; of a property that is of no use here only the length counts.
QoS 2 is not spoken: its four steps buy what the numbers of observations give already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

PACKET_BYTES_MAX = 1 << 20
"""The largest packet that is taken; the broker is told, and keeps larger ones to itself."""

SESSION_S_MAX = 0xFFFF_FFFF
_LENGTH_BYTES_MAX = 4

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = 1, 2, 3, 4, 8, 9, 12, 13, 14

_SESSION_EXPIRY, _SERVER_KEEP_ALIVE, _RECEIVE_MAXIMUM, _MAXIMUM_PACKET = 0x11, 0x13, 0x21, 0x27

# How long each property's value is (2.2.2.2): so many bytes, or "text", "pair" of texts, "varint".
_PROPERTY: dict[int, int | str] = {
    **dict.fromkeys((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A), 1),
    **dict.fromkeys((0x13, 0x21, 0x22, 0x23), 2),
    **dict.fromkeys((0x02, 0x11, 0x18, 0x27), 4),
    **dict.fromkeys((0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F), "text"),
    0x0B: "varint",
    0x26: "pair",
}

# The reasons that a person can do something about (2.4), in words.
_REASONS = {
    0x10: "nobody is subscribed to it",
    0x80: "refused, and no reason given",
    0x81: "malformed packet",
    0x82: "protocol error",
    0x84: "it does not speak MQTT 5",
    0x85: "the client's name is refused",
    0x86: "wrong user or password",
    0x87: "not authorised: user or password are wrong, or the access list does not allow it",
    0x88: "not available",
    0x89: "busy",
    0x8B: "it is shutting down",
    0x8D: "silent for too long",
    0x8E: "another client took the session over: two posts with one name",
    0x93: "more in flight than allowed",
    0x95: "packet too large",
    0x97: "quota exceeded",
}


class Broken(Exception):
    """What came is no MQTT 5, or more than is taken: the connection is of no use any more."""


class Connected(msgspec.Struct, frozen=True):
    """The broker's answer to a connection. reason: 0 for yes. resumed: it kept the session and what waits in it.

    keep_alive_s: after how much silence it will let go; None for what was asked. receive_max: how many unacknowledged
    messages it takes at a time.
    """

    reason: int
    resumed: bool
    keep_alive_s: int | None = None
    receive_max: int = 65_535


class Delivered(msgspec.Struct, frozen=True, gc=False):
    """A message. number: what acknowledges it; 0 for one that wants none (QoS 0)."""

    topic: str
    payload: bytes
    number: int
    again: bool = False


class Acknowledged(msgspec.Struct, frozen=True, gc=False):
    """The broker has a message of ours in its keeping, if the reason is below 0x80."""

    number: int
    reason: int = 0


class Subscribed(msgspec.Struct, frozen=True):
    """What became of each topic asked for: the QoS granted, or 0x80 and above for refused."""

    number: int
    reasons: tuple[int, ...]


class Pong(msgspec.Struct, frozen=True):
    """The broker is there."""


class Disconnected(msgspec.Struct, frozen=True):
    """The broker lets go, and says why."""

    reason: int


Packet = Connected | Delivered | Acknowledged | Subscribed | Pong | Disconnected


def reason(code: int) -> str:
    """A reason code in words."""
    return _REASONS.get(code, f"reason {code:#04x}")


class Reader:
    """Bytes in, packets out."""

    def __init__(self, packet_bytes_max: int = PACKET_BYTES_MAX) -> None:
        """packet_bytes_max: what is larger breaks the connection."""
        self._rest = b""
        self._bytes_max = packet_bytes_max

    def feed(self, data: bytes) -> list[Packet]:
        """The packets that are whole now. Raises Broken; nothing may be fed after that."""
        data = self._rest + data if self._rest else data
        size, at = len(data), 0
        packets: list[Packet] = []
        while size - at >= 2:
            length, start = data[at + 1], at + 2
            if length & 0x80:
                read = _varint(data, at + 1, size)
                if read is None:
                    break
                length, start = read
            end = start + length
            if end - at > self._bytes_max:
                raise Broken(f"a packet of {end - at} bytes")
            if end > size:
                break
            try:
                packets.append(_packet(data[at], data, start, end))
            except (IndexError, ValueError) as error:
                raise Broken(f"a packet that is cut or malformed: {error}") from error
            at = end
        self._rest = data[at:]
        return packets


def _packet(head: int, data: bytes, at: int, end: int) -> Packet:
    """Reads one packet; raises IndexError or ValueError for a malformed one."""
    sort = head >> 4
    if sort == PUBLISH:
        return _delivered(head, data, at, end)
    read = _READ.get(sort)
    if read is None or head & 0x0F:
        raise ValueError(f"a packet that begins with {head:#04x}")
    return read(data[at:end])


def _delivered(head: int, data: bytes, at: int, end: int) -> Delivered:
    qos = head & 0x06
    if qos > 2:
        raise ValueError("a message of QoS 2, which was not asked for")
    body = at + 2 + (data[at] << 8 | data[at + 1])
    topic = data[at + 2 : body].decode()
    number = 0
    if qos:
        number = data[body] << 8 | data[body + 1]
        body += 2
        if not number:
            raise ValueError("a message without its number")
    length = data[body]
    body += 1
    if length & 0x80:
        length, body = _length(data, body - 1)
    body += length
    if body > end:
        raise ValueError("a message shorter than it says")
    return Delivered(topic, data[body:end], number, bool(head & 0x08))


def _connected(body: bytes) -> Connected:
    said = _properties(body, 2) if len(body) > 2 else {}
    return Connected(body[1], bool(body[0] & 1), said.get(_SERVER_KEEP_ALIVE), said.get(_RECEIVE_MAXIMUM, 65_535))


def _acknowledged(body: bytes) -> Acknowledged:
    return Acknowledged(body[0] << 8 | body[1], body[2] if len(body) > 2 else 0)


def _subscribed(body: bytes) -> Subscribed:
    length, at = _length(body, 2)
    return Subscribed(body[0] << 8 | body[1], tuple(body[at + length :]))


_READ: dict[int, Callable[[bytes], Packet]] = {
    CONNACK: _connected,
    PUBACK: _acknowledged,
    SUBACK: _subscribed,
    PINGRESP: lambda body: Pong(),
    DISCONNECT: lambda body: Disconnected(body[0] if body else 0),
}


def _properties(body: bytes, at: int) -> dict[int, int]:
    """The properties that are numbers. Raises ValueError for one that the specification does not know."""
    length, at = _length(body, at)
    end = at + length
    if end > len(body):
        raise ValueError("properties longer than their packet")
    said: dict[int, int] = {}
    while at < end:
        name, at = body[at], at + 1
        size = _PROPERTY.get(name)
        if isinstance(size, int):
            said[name] = int.from_bytes(body[at : at + size])
            at += size
        elif size == "varint":
            said[name], at = _length(body, at)
        elif size is not None:
            for _ in range(2 if size == "pair" else 1):
                at += 2 + int.from_bytes(body[at : at + 2])
        else:
            raise ValueError(f"an unknown property {name:#04x}")
    return said


def _varint(data: bytes, at: int, size: int) -> tuple[int, int] | None:
    """A variable byte integer (1.5.5) and where it ends; None where it is not whole. Raises Broken."""
    value = 0
    for place in range(_LENGTH_BYTES_MAX):
        if at + place >= size:
            return None
        byte = data[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if not byte & 0x80:
            return value, at + place + 1
    raise Broken("a length of more than four bytes")


def _length(body: bytes, at: int) -> tuple[int, int]:
    read = _varint(body, at, len(body))
    if read is None:
        raise ValueError("a length that is cut")
    return read


# The client's end, as bytes.


def connect(
    name: str,
    user: str,
    password: str,
    *,
    keep_alive_s: int,
    session_s: int = 0,
    receive_max: int = 65_535,
    packet_bytes_max: int = PACKET_BYTES_MAX,
) -> bytes:
    """The first packet of a connection. session_s: how long the broker keeps what waits for us while we are away; 0
    begins anew each time. receive_max: how many messages may be on their way unacknowledged."""
    properties = b"".join(
        (
            bytes([_SESSION_EXPIRY]) + session_s.to_bytes(4),
            bytes([_RECEIVE_MAXIMUM]) + receive_max.to_bytes(2),
            bytes([_MAXIMUM_PACKET]) + packet_bytes_max.to_bytes(4),
        )
    )
    flags = (0x80 if user else 0) | (0x40 if password else 0) | (0 if session_s else 0x02)
    said = [name, *([user] if user else ()), *([password] if password else ())]
    body = b"\0\4MQTT\5" + bytes([flags]) + keep_alive_s.to_bytes(2) + bytes([len(properties)]) + properties
    return _whole(CONNECT << 4, body + b"".join(map(_text, said)))


def subscribe(number: int, topics: Sequence[str]) -> bytes:
    """Asks for topics at QoS 1, without what is retained: an old value is no observation."""
    wanted = b"".join(_text(topic) + bytes([0x21]) for topic in topics)
    return _whole(SUBSCRIBE << 4 | 2, number.to_bytes(2) + b"\0" + wanted)


def publish(topic: str, payload: bytes, number: int = 0, *, again: bool = False) -> bytes:
    """A message of ours; with a number it is sent at QoS 1, and the broker acknowledges it."""
    head = PUBLISH << 4 | (0x02 if number else 0) | (0x08 if again else 0)
    return _whole(head, _text(topic) + (number.to_bytes(2) if number else b"") + b"\0" + payload)


def acknowledge(numbers: Iterable[int]) -> bytes:
    """One acknowledgement for each message, in one piece."""
    return b"".join([b"\x40\x02" + number.to_bytes(2) for number in numbers])


def ping() -> bytes:
    """Asks whether the broker is there."""
    return bytes([PINGREQ << 4, 0])


def disconnect() -> bytes:
    """Says goodbye; the session stays as it was agreed."""
    return bytes([DISCONNECT << 4, 0])


def _text(said: str) -> bytes:
    raw = said.encode()
    return len(raw).to_bytes(2) + raw


def _whole(head: int, body: bytes) -> bytes:
    length, left = bytearray(), len(body)
    while True:
        left, low = left >> 7, left & 0x7F
        length.append(low | (0x80 if left else 0))
        if not left:
            return bytes([head]) + bytes(length) + body
