"""The messages of RSMP 3.1.5 to 3.2.2, read and written.

Reading is tolerant unless it is asked to be strict. Tolerant: unknown attributes are kept in `extra`, enumerated words
may have any casing, a number or a boolean may stand where RSMP wants its text, a timestamp may have any precision.
Strict: what the text of the core and its schemas do not allow is refused. Whatever is wrong is a `Malformed`; no other
exception leaves this module.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any, ClassVar, cast

import msgspec
from msgspec import UNSET, UnsetType, field

from vigie.protocols.rsmp.framing import END, number_in
from vigie.protocols.rsmp.limits import EXTRA_MAX, ITEMS_MAX, REASON_CHARS_MAX, TEXT_CHARS_MAX
from vigie.protocols.rsmp.times import instant

Text = Annotated[str, msgspec.Meta(max_length=TEXT_CHARS_MAX)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_CHARS_MAX)]
Records = list[dict[str, str]]
Value = str | Records | None
"""A value: a text, from 3.2 on a list of records too, or None where it is not known."""


class Malformed(Exception):
    """A message that cannot be understood. number: its mId, empty where none can be found: such a message cannot be
    refused, since a refusal names it. kind: its type, where that much is known."""

    def __init__(self, reason: str, number: str = "", kind: str = "") -> None:
        super().__init__(reason[:REASON_CHARS_MAX])
        self.number, self.kind = number, kind


class Quality(StrEnum):
    """How good a value is (q of a status, age of a command's answer)."""

    RECENT = "recent"
    OLD = "old"
    """Not up to date: kept through a loss of the connection."""
    UNDEFINED = "undefined"
    """There is no such component."""
    UNKNOWN = "unknown"
    """It is not known, or the site does not have this status."""


class About(StrEnum):
    """What an alarm message is about (aSp)."""

    ISSUE = "Issue"
    ACKNOWLEDGE = "Acknowledge"
    SUSPEND = "Suspend"
    RESUME = "Resume"
    REQUEST = "Request"


class Acknowledged(StrEnum):
    """Whether an alarm was seen by a person (ack)."""

    YES = "Acknowledged"
    NO = "notAcknowledged"


class Active(StrEnum):
    """Whether what the alarm is about is so now (aS)."""

    YES = "Active"
    NO = "inActive"


class Suspended(StrEnum):
    """Whether the alarm is kept from being told (sS)."""

    YES = "Suspended"
    NO = "notSuspended"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """The base of all of them. extra: unknown attributes, which are written again as they came."""

    kind: ClassVar[str] = ""
    extra: dict[str, Any] = {}


class Numbered(Message, frozen=True, kw_only=True):
    """A message that must be acknowledged. number: a UUID of version 4, new each time something is sent."""

    number: Name = field(name="mId")


class Addressed(Numbered, frozen=True, kw_only=True):
    """A message about a component. The other two names are a national system's, and empty elsewhere."""

    component: Text = field(name="cId")
    national: Text = field(name="ntsOId", default="")
    external: Text = field(name="xNId", default="")


class MessageAck(Message, frozen=True, kw_only=True):
    """A message was understood."""

    kind = "MessageAck"
    about: Name = field(name="oMId")


class MessageNotAck(Message, frozen=True, kw_only=True):
    """A message was not understood, or refused."""

    kind = "MessageNotAck"
    about: Name = field(name="oMId")
    reason: str = field(name="rea", default="")


class CoreVersion(msgspec.Struct, frozen=True):
    """A version of the core that an end speaks."""

    version: Name = field(name="vers")


class SiteId(msgspec.Struct, frozen=True):
    """A site that speaks through this connection."""

    name: Name = field(name="sId")


class Version(Numbered, frozen=True, kw_only=True):
    """The first message of each end."""

    kind = "Version"
    cores: Annotated[tuple[CoreVersion, ...], msgspec.Meta(min_length=1, max_length=ITEMS_MAX)] = field(name="RSMP")
    sites: Annotated[tuple[SiteId, ...], msgspec.Meta(min_length=1, max_length=ITEMS_MAX)] = field(name="siteId")
    sxl: Name = field(name="SXL")


class Watchdog(Numbered, frozen=True, kw_only=True):
    """A sign of life, and what the sender's clock shows."""

    kind = "Watchdog"
    at: Name = field(name="wTs")


class AggregatedStatus(Addressed, frozen=True, kw_only=True):
    """The state of a site in eight bits, of which the first is `bits[0]`."""

    kind = "AggregatedStatus"
    at: Name = field(name="aSTS")
    position: Text | None = field(name="fP", default=None)
    state: Text | None = field(name="fS", default=None)
    bits: Annotated[tuple[bool, ...], msgspec.Meta(min_length=8, max_length=8)] = field(name="se")


class AggregatedStatusRequest(Addressed, frozen=True, kw_only=True):
    """Asks for it."""

    kind = "AggregatedStatusRequest"


class ReturnValue(msgspec.Struct, frozen=True):
    """A value that goes with an alarm."""

    name: Name = field(name="n")
    value: str = field(name="v")


class Alarm(Addressed, frozen=True, kw_only=True):
    """An alarm, or what is to be done with it. A supervisor's request has neither states nor values."""

    kind = "Alarm"
    code: Name = field(name="aCId")
    external_code: Text = field(name="xACId", default="")
    national_code: Text = field(name="xNACId", default="")
    about: About = field(name="aSp")
    acknowledged: Acknowledged | UnsetType = field(name="ack", default=UNSET)
    active: Active | UnsetType = field(name="aS", default=UNSET)
    suspended: Suspended | UnsetType = field(name="sS", default=UNSET)
    at: Text | UnsetType = field(name="aTs", default=UNSET)
    category: Text | UnsetType = field(name="cat", default=UNSET)
    priority: Text | UnsetType = field(name="pri", default=UNSET)
    values: Annotated[tuple[ReturnValue, ...], msgspec.Meta(max_length=ITEMS_MAX)] | UnsetType = field(
        name="rvs", default=UNSET
    )

    @property
    def tells(self) -> bool:
        """Whether a site tells a state with it; otherwise a supervisor asks for something."""
        return self.active is not UNSET


class StatusName(msgspec.Struct, frozen=True):
    """Which status is meant: its code and the name of one of its values."""

    code: Name = field(name="sCI")
    name: Name = field(name="n")


Names = Annotated[tuple[StatusName, ...], msgspec.Meta(min_length=1, max_length=ITEMS_MAX)]


class StatusRequest(Addressed, frozen=True, kw_only=True):
    """Asks for values once."""

    kind = "StatusRequest"
    statuses: Names = field(name="sS")


class Wish(msgspec.Struct, frozen=True):
    """A value that is subscribed to. every_s: seconds between two updates as text, "0" for none; on_change: whether
    each change is told."""

    code: Name = field(name="sCI")
    name: Name = field(name="n")
    every_s: Text = field(name="uRt")
    on_change: bool = field(name="sOc", default=False)


class StatusSubscribe(Addressed, frozen=True, kw_only=True):
    """Asks for values again and again."""

    kind = "StatusSubscribe"
    statuses: Annotated[tuple[Wish, ...], msgspec.Meta(min_length=1, max_length=ITEMS_MAX)] = field(name="sS")


class StatusUnsubscribe(Addressed, frozen=True, kw_only=True):
    """Ends that."""

    kind = "StatusUnsubscribe"
    statuses: Names = field(name="sS")


class Status(msgspec.Struct, frozen=True):
    """One value of a status."""

    code: Name = field(name="sCI")
    name: Name = field(name="n")
    value: Value = field(name="s")
    quality: Quality = field(name="q")


Statuses = Annotated[tuple[Status, ...], msgspec.Meta(max_length=ITEMS_MAX)]


class StatusResponse(Addressed, frozen=True, kw_only=True):
    """The answer to a request. at: when the values were fetched."""

    kind = "StatusResponse"
    at: Name = field(name="sTs")
    statuses: Statuses = field(name="sS")


class StatusUpdate(Addressed, frozen=True, kw_only=True):
    """What a subscription brings. at: when the values were fetched."""

    kind = "StatusUpdate"
    at: Name = field(name="sTs")
    statuses: Statuses = field(name="sS")


class Argument(msgspec.Struct, frozen=True):
    """One argument of a command. verb: the list's word for what the command does, such as `setPlan`."""

    code: Name = field(name="cCI")
    name: Name = field(name="n")
    verb: Text = field(name="cO")
    value: str = field(name="v")


class CommandRequest(Addressed, frozen=True, kw_only=True):
    """One or several commands to one component."""

    kind = "CommandRequest"
    arguments: Annotated[tuple[Argument, ...], msgspec.Meta(min_length=1, max_length=ITEMS_MAX)] = field(name="arg")


class Outcome(msgspec.Struct, frozen=True):
    """What an argument is after the command."""

    code: Name = field(name="cCI")
    name: Name = field(name="n")
    value: str | None = field(name="v")
    quality: Quality = field(name="age")


class CommandResponse(Addressed, frozen=True, kw_only=True):
    """What became of a command. It names no request: it belongs to the oldest with its component and codes."""

    kind = "CommandResponse"
    at: Name = field(name="cTS")
    outcomes: Annotated[tuple[Outcome, ...], msgspec.Meta(max_length=ITEMS_MAX)] = field(name="rvs")


KINDS: dict[str, type[Message]] = {
    each.kind: each
    for each in (
        MessageAck, MessageNotAck, Version, Watchdog, AggregatedStatus, AggregatedStatusRequest, Alarm, StatusRequest,
        StatusSubscribe, StatusUnsubscribe, StatusResponse, StatusUpdate, CommandRequest, CommandResponse,
    )
}  # fmt: skip

_KNOWN = {kind: frozenset(each.__struct_encode_fields__) - {"extra"} for kind, each in KINDS.items()}
_WORDS: dict[str, dict[str, str]] = {
    key: {word.value.casefold(): word.value for word in words}
    for key, words in (("aSp", About), ("ack", Acknowledged), ("aS", Active), ("sS", Suspended), ("q", Quality),
                       ("age", Quality))
}  # fmt: skip
_STAMPS = frozenset({"wTs", "aSTS", "aTs", "sTs", "cTS"})
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_NUMBER = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)

# In an Issue the schemas of 3.2 write this one word small, though the text and all other messages do not.
_ISSUE_SUSPENDED = "suspended"

# msgspec follows nesting with the interpreter's own stack.
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError)
_decoder = msgspec.json.Decoder(dict[str, Any])
_encoder = msgspec.json.Encoder()


def write(message: Message) -> bytes:
    """The message as bytes, its form feed included."""
    body = cast("dict[str, Any]", msgspec.to_builtins(message))
    extra = body.pop("extra")
    if body.get("aSp") == About.ISSUE and body.get("sS") == Suspended.YES:
        body["sS"] = _ISSUE_SUSPENDED
    return _encoder.encode({"mType": "rSMsg", "type": message.kind} | extra | body) + END


def read(frame: bytes, *, strict: bool = False) -> Message:
    """The message of a frame. Raises Malformed."""
    try:
        raw = _decoder.decode(frame.removeprefix(b"\xef\xbb\xbf"))
    except _UNREADABLE as error:
        raise Malformed(f"no JSON object: {error}", number_in(frame)) from None
    said = raw.pop("mId", "") if raw.get("type") not in ("MessageAck", "MessageNotAck") else ""
    number, kind = said if isinstance(said, str) and len(said) <= TEXT_CHARS_MAX else "", raw.pop("type", None)
    if raw.pop("mType", None) != "rSMsg":
        raise Malformed("mType is not rSMsg", number)
    of = KINDS.get(kind) if isinstance(kind, str) else None
    if of is None:
        raise Malformed(f"unknown packet type: {str(kind)[:TEXT_CHARS_MAX]}", number)
    if said != "":
        raw["mId"] = said
    try:
        return _understand(of, raw, strict=strict)
    except (ValueError, msgspec.ValidationError, RecursionError) as error:
        raise Malformed(f"{of.kind}: {error}", number, of.kind) from None


def _understand(of: type[Message], raw: dict[str, Any], *, strict: bool) -> Message:
    extra = {key: value for key, value in raw.items() if key not in _KNOWN[of.kind]}
    if strict and extra:
        raise ValueError(f"unknown attribute {min(extra)!r}")
    for key in extra:
        del raw[key]
    if len(extra) > EXTRA_MAX:
        raise ValueError(f"more than {EXTRA_MAX} unknown attributes")
    (_check_exact if strict else _bend)(raw)
    for key in _STAMPS & raw.keys():
        _check_stamp(raw[key], strict=strict)
    if raw.get("sS") == _ISSUE_SUSPENDED and of is Alarm:
        raw["sS"] = Suspended.YES.value
    message = msgspec.convert(raw, of, strict=strict)
    if isinstance(message, Alarm):
        _check_alarm(message)
    return msgspec.structs.replace(message, extra=extra) if extra else message


def _check_stamp(said: object, *, strict: bool) -> None:
    if not isinstance(said, str) or (strict and not _STAMP.fullmatch(said)):
        raise ValueError(f"{said!r} is no timestamp of RSMP")
    instant(said)


def _check_exact(raw: dict[str, Any]) -> None:
    for key in ("mId", "oMId"):
        if key in raw and not (isinstance(raw[key], str) and _NUMBER.fullmatch(raw[key])):
            raise ValueError(f"{key} is no UUID of version 4")
    for item in _items(raw):
        for key, words in _WORDS.items():
            said = item.get(key)
            if isinstance(said, str) and said.casefold() in words and said not in words.values():
                if key == "sS" and said == _ISSUE_SUSPENDED:
                    continue
                raise ValueError(f"{key} is {said!r}, not {words[said.casefold()]!r}")


def _check_alarm(alarm: Alarm) -> None:
    """An alarm is whole, or a request; nothing between."""
    parts = (alarm.acknowledged, alarm.active, alarm.suspended, alarm.at, alarm.category, alarm.priority, alarm.values)
    if alarm.tells and UNSET in parts:
        raise ValueError("a state of an alarm is missing")
    if not alarm.tells and alarm.about is About.ISSUE:
        raise ValueError("an issue without its state")
    if alarm.tells and alarm.about is About.REQUEST:
        raise ValueError("a request with a state")


def _items(raw: dict[str, Any]) -> list[dict[str, Any]]:
    """The message itself and the records in its lists."""
    lists = [cast("list[Any]", value) for value in raw.values() if isinstance(value, list)]
    return [raw, *(item for each in lists for item in each if isinstance(item, dict))]


def _bend(raw: dict[str, Any]) -> None:
    """Puts right what is meant and is not written as it should be."""
    for item in _items(raw):
        for key, words in _WORDS.items():
            said = item.get(key)
            if isinstance(said, str):
                item[key] = words.get(said.casefold(), said)
        for key in ("s", "v", "uRt"):
            if isinstance(item.get(key), int | float):
                item[key] = plain(item[key])
        if isinstance(item.get("s"), list):
            for record in _items(item)[1:]:
                record |= {key: plain(each) for key, each in record.items() if isinstance(each, int | float)}


def plain(value: bool | float | str) -> str:
    """A value as RSMP writes it: everything is text."""
    return ("True" if value else "False") if isinstance(value, bool) else str(value)
