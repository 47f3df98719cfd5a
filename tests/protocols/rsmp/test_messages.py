"""Frames and messages: cut from bytes and put together, read as they should be written and as they are."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from tests.protocols.rsmp.standard import FOLDERS, Standard
from vigie.protocols.rsmp import SXLS, About, Malformed, Message, Of, Quality, read, write
from vigie.protocols.rsmp import messages as m
from vigie.protocols.rsmp.framing import END, Frames, Oversize
from vigie.protocols.rsmp.limits import FRAME_BYTES_MAX
from vigie.protocols.rsmp.lists import Argument, Form, Signal, Sxl
from vigie.protocols.rsmp.times import instant, stamp

NUMBER = "6f968141-4de5-42ff-8032-45f8093762c5"

# Frames of three makes: as the text of the core shows them, tight, and with the liberties that are met with.
CAPTURED: list[tuple[bytes, type[Message]]] = [
    (b'{\r\n  "mType": "rSMsg",\r\n  "type": "Version",\r\n  "mId": "%s",\r\n  "RSMP": [{"vers": "3.1.2"},\r\n'
     b' {"vers": "3.1.5"}],\r\n  "siteId": [{"sId": "O+14439=481WA001"}],\r\n  "SXL": "1.0.15"\r\n}', m.Version),
    (b'{"mType":"rSMsg","type":"Watchdog","mId":"%s","wTs":"2015-06-08T12:01:39.654Z"}', m.Watchdog),
    (b'{"mType":"rSMsg","type":"MessageAck","oMId":"%s"}', m.MessageAck),
    (b'{"mType":"rSMsg","type":"MessageNotAck","oMId":"%s","rea":"Unknown packet type: Watchdddog"}', m.MessageNotAck),
    (b'{"mType":"rSMsg","type":"StatusUpdate","mId":"%s","ntsOId":"","xNId":"","cId":"TC","sTs":"2015-05-29T13:47:56Z",'
     b'"sS":[{"sCI":"S0096","n":"minute","s":47,"q":"Recent"}]}', m.StatusUpdate),
    (b'{"mType":"rSMsg","type":"Alarm","mId":"%s","ntsOId":"","xNId":"","cId":"SG","aCId":"A0201","xACId":"Serious",'
     b'"xNACId":"","aSp":"issue","ack":"notacknowledged","aS":"active","sS":"notsuspended",'
     b'"aTs":"2009-10-01T11:59:31.571Z","cat":"D","pri":"2","rvs":[{"n":"color","v":"red"}]}', m.Alarm),
    (b'{"mType":"rSMsg","type":"AggregatedStatus","mId":"%s","ntsOId":"TC","xNId":"","cId":"TC",'
     b'"aSTS":"2015-06-08T08:05:06.584Z","fP":null,"fS":null,"se":["true",false,false,false,false,false,false,false]}',
     m.AggregatedStatus),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "sort"), CAPTURED, ids=[sort.kind for _, sort in CAPTURED])
def test_captured_frames_are_read_whole_byte_by_byte_and_among_rubbish(frame: bytes, sort: type[Message]) -> None:
    whole = frame % NUMBER.encode()
    message = read(whole)
    assert type(message) is sort
    assert read(write(message)[:-1]) == message
    frames = Frames()
    pieces = [frames.feed(bytes([byte])) for byte in b"\x0c\x0c" + whole + b"\x0crubbish\x0c \r\n\x0c" + whole + END]
    assert [one for each in pieces for one in each] == [whole, b"rubbish", whole]
    for end in range(len(whole)):
        with pytest.raises(Malformed):
            read(whole[:end])


@given(
    parts=st.lists(st.binary(max_size=30).map(lambda part: part.replace(END, b"")), max_size=8),
    cuts=st.lists(st.integers(0, 300), max_size=20),
)
def test_frames_come_out_as_they_went_in_however_they_are_cut(parts: list[bytes], cuts: list[int]) -> None:
    data = b"".join(part + END for part in parts)
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    frames = Frames()
    found = [frame for a, b in pairwise(places) for frame in frames.feed(data[a:b])]
    assert found == [part for part in parts if part.strip()]
    assert frames.held_bytes == 0


def test_a_giant_is_let_go_as_it_comes_and_its_number_is_kept() -> None:
    frames = Frames()
    head = b'{"mType":"rSMsg","mId":"%s","x":"' % NUMBER.encode()
    assert frames.feed(head) == []
    for _ in range(3 * FRAME_BYTES_MAX >> 16):
        assert frames.feed(b"x" * (1 << 16)) == []
        assert frames.held_bytes <= FRAME_BYTES_MAX
    giant, after = frames.feed(b'"}\x0c{}\x0c')
    assert isinstance(giant, Oversize)
    assert giant.head.startswith(head)
    assert after == b"{}"
    assert Frames(4).feed(b"1234\x0c12345\x0c12\x0c") == [b"1234", Oversize(b"12345"), b"12"]


@pytest.mark.parametrize(
    ("frame", "number"),
    [
        (b"", ""),
        (b"[]", ""),
        (b"{", ""),
        (b"\xff\xfe", ""),
        (b"[" * 100_000, ""),
        (b'{"a":' * 100_000, ""),
        (b'{"mType":"rSMsg","type":"Watchdog","mId":"%s","wTs":"2015-06-08' % NUMBER.encode(), NUMBER),
        (b'{"mType":"other","type":"Watchdog","mId":"%s"}' % NUMBER.encode(), NUMBER),
        (b'{"mType":"rSMsg","type":"Watchdddog","mId":"%s"}' % NUMBER.encode(), NUMBER),
        (b'{"mType":"rSMsg","type":["Watchdog"],"mId":"%s"}' % NUMBER.encode(), NUMBER),
        (b'{"mType":"rSMsg","type":"Watchdog","mId":7}', ""),
        (b'{"mType":"rSMsg","type":"Watchdog","mId":"%s","wTs":"soon"}' % NUMBER.encode(), NUMBER),
        (b'{"mType":"rSMsg","type":"Watchdog","mId":"%s","wTs":null}' % NUMBER.encode(), NUMBER),
        (b'{"mType":"rSMsg","type":"Watchdog","mId":"%s"}' % (b"x" * 2_000), ""),
        (b'{"mType":"rSMsg","type":"Alarm","mId":"%s","cId":"a","aCId":"A1","aSp":"Issue"}' % NUMBER.encode(), NUMBER),
        (b'{"mType":"rSMsg","type":"StatusRequest","mId":"%s","cId":"a","sS":[]}' % NUMBER.encode(), NUMBER),
        (b'{"mType":"rSMsg","type":"StatusRequest","mId":"%s","cId":"a","sS":[7]}' % NUMBER.encode(), NUMBER),
        (b'{"mType":"rSMsg","type":"MessageAck"}', ""),
    ],
)
def test_what_is_no_message_is_malformed_and_its_number_is_known_where_it_can_be(frame: bytes, number: str) -> None:
    for strict in (False, True):
        with pytest.raises(Malformed) as caught:
            read(frame, strict=strict)
        assert caught.value.number == number


def test_unknown_attributes_are_kept_unless_strictness_is_asked_for() -> None:
    said = {"mType": "rSMsg", "type": "MessageAck", "oMId": NUMBER, "extra": 1, "step": {"a": [None]}}
    frame = json.dumps(said).encode()
    message = read(frame)
    assert message.extra == {"extra": 1, "step": {"a": [None]}}
    assert json.loads(write(message)[:-1]) == said
    with pytest.raises(Malformed, match="unknown attribute 'extra'"):
        read(frame, strict=True)
    with pytest.raises(Malformed, match="more than 50"):
        read(json.dumps(said | {f"x{n}": 1 for n in range(60)}).encode())


def test_strict_reading_wants_the_words_as_they_are_written() -> None:
    for frame, sort in CAPTURED:
        exact = b"recent" not in frame.lower() and sort not in (m.Alarm, m.AggregatedStatus)
        whole = frame % NUMBER.encode()
        if exact:
            assert read(whole, strict=True) == read(whole)
        else:
            with pytest.raises(Malformed):
                read(whole, strict=True)
    loose = b'{"mType":"rSMsg","type":"Watchdog","mId":"%s","wTs":"2015-06-08T12:01:39.654Z"}'
    with pytest.raises(Malformed, match="UUID"):
        read(loose % b"1", strict=True)
    with pytest.raises(Malformed, match="no timestamp"):
        read((loose % NUMBER.encode()).replace(b".654Z", b"Z"), strict=True)


def test_instants_are_written_with_three_decimals_and_read_with_any() -> None:
    assert stamp(1_433_764_899_654_999) == "2015-06-08T12:01:39.654Z"
    assert stamp(0) == "1970-01-01T00:00:00.000Z"
    assert instant("2015-06-08T12:01:39.654Z") == instant("2015-06-08T14:01:39.654000+02:00") == 1_433_764_899_654_000
    assert instant("2015-06-08T12:01:39") == 1_433_764_899_000_000
    for text in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999-12:00", "1969-12-31T23:59:59.999Z", "", "now"):
        with pytest.raises(ValueError, match=r"bounds|isoformat"):
            instant(text)


# Any message that can be said in a version of the list, and whether the schemas of each version of the core take it.

texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)
flags = st.sampled_from(["True", "False"])
stamps = st.integers(0, 4_000_000_000_000_000).map(stamp)
numbers = st.uuids(version=4).map(str)
EXAMPLES = {
    "[a-hA-G0-9N-P]*": "AaBb01NOP", "[01]*": "0110", r"\d{1,2}-\d{1,2}(,\d{1,2}-\d{1,2})*": "1-20,2-5",
    r"\d{1,3}-\d{1,3}(,\d{1,3}-\d{1,3})*": "1-120,20-5",
    r"(\d{1,2}-\d{1,2}-\d{1,2}(,\d{1,2}-\d{1,2}-\d{1,2})*)?": "1-2-10,2-10-0",
}  # fmt: skip


def values_of(argument: Argument) -> st.SearchStrategy[Any]:
    """What an argument may be."""
    whole = st.integers(argument.least or 0, 99 if argument.most is None else argument.most).map(str)
    one = st.sampled_from(sorted(argument.words)) if argument.words else None
    match argument.form:
        case Form.RECORDS:
            optional = {each.name: values_of(each) for each in argument.fields if each.optional}
            wanted = {each.name: values_of(each) for each in argument.fields if not each.optional}
            return st.lists(st.fixed_dictionaries(wanted, optional=optional), max_size=2)
        case Form.INTEGER | Form.INTEGERS:
            one = whole if one is None else one
        case Form.BOOLEAN | Form.BOOLEANS:
            one = flags
        case Form.TIMESTAMP:
            one = stamps
        case Form.BASE64:
            one = st.sampled_from(["", "AAAA", "QUJD/+=="])
        case _:
            if one is None:
                one = st.just(EXAMPLES[argument.pattern]) if argument.pattern else texts
    many = argument.form in (Form.TEXTS, Form.INTEGERS, Form.BOOLEANS)
    return st.lists(one, min_size=1, max_size=3).map(",".join) if many else one


@st.composite
def said(draw: st.DrawFn, sxl: Sxl, arrays: bool) -> Message:
    """A message of any kind."""
    head: dict[str, Any] = {"number": draw(numbers), "component": draw(texts)}
    kind = draw(st.sampled_from(sorted(m.KINDS)))
    signals = [each for each in sxl.signals.values() if each.code[0] == {"C": "M", "A": "A"}.get(kind[0], "S")]
    signal = draw(st.sampled_from(signals))
    fitting = [each for each in signal.arguments if arrays or each.form is not Form.RECORDS]
    names = tuple(m.StatusName(signal.code, each.name) for each in signal.arguments)
    values = [(each.name, draw(values_of(each))) for each in fitting]
    match kind:
        case "MessageAck":
            return m.MessageAck(about=head["number"])
        case "MessageNotAck":
            return m.MessageNotAck(about=head["number"], reason=draw(texts))
        case "Version":
            sites = draw(st.lists(texts.filter(bool).map(m.SiteId), min_size=1, max_size=3, unique=True))
            cores = tuple(m.CoreVersion(each) for each in FOLDERS)
            return m.Version(number=head["number"], cores=cores, sites=tuple(sites), sxl=sxl.version)
        case "Watchdog":
            return m.Watchdog(number=head["number"], at=draw(stamps))
        case "AggregatedStatus":
            bits = tuple(draw(st.lists(st.booleans(), min_size=8, max_size=8)))
            return m.AggregatedStatus(**head, at=draw(stamps), bits=bits, position=draw(st.none() | texts))
        case "AggregatedStatusRequest":
            return m.AggregatedStatusRequest(**head)
        case "Alarm":
            return draw(alarms(head, signal, values))
        case "StatusRequest":
            return m.StatusRequest(**head, statuses=names)
        case "StatusUnsubscribe":
            return m.StatusUnsubscribe(**head, statuses=names)
        case "StatusSubscribe":
            rate = draw(st.integers(0, 3600).map(str))
            return m.StatusSubscribe(
                **head, statuses=tuple(m.Wish(each.code, each.name, rate, draw(st.booleans())) for each in names)
            )
        case "CommandRequest":
            arguments = tuple(m.Argument(signal.code, name, signal.verb, value) for name, value in values)
            return m.CommandRequest(**head, arguments=arguments)
        case "CommandResponse":
            return m.CommandResponse(
                **head, at=draw(stamps), outcomes=tuple(m.Outcome(signal.code, *each) for each in draw(rated(values)))
            )
    statuses = tuple(m.Status(signal.code, *each) for each in draw(rated(values or [(names[0].name, None)])))
    sort = m.StatusResponse if kind == "StatusResponse" else m.StatusUpdate
    return sort(**head, at=draw(stamps), statuses=statuses)


@st.composite
def rated(draw: st.DrawFn, values: list[tuple[str, Any]]) -> list[tuple[str, Any, Quality]]:
    """The values with a quality each; those that are not known are null."""
    qualities = [draw(st.sampled_from(list(Quality))) if value is not None else Quality.UNKNOWN for _, value in values]
    bare = (Quality.UNKNOWN, Quality.UNDEFINED)
    return [(name, None if q in bare else value, q) for (name, value), q in zip(values, qualities, strict=True)]


@st.composite
def alarms(draw: st.DrawFn, head: dict[str, Any], signal: Signal, values: list[tuple[str, str]]) -> m.Alarm:
    """A supervisor's request or a site's state."""
    about = draw(st.sampled_from(list(About)))
    if about is About.REQUEST or (about is not About.ISSUE and draw(st.booleans())):
        at = draw(stamps) if about is About.ACKNOWLEDGE else UNSET
        return m.Alarm(**head, code=signal.code, about=about, at=at)
    return m.Alarm(
        **head, code=signal.code, about=about, at=draw(stamps), category="D", priority=str(signal.priority),
        acknowledged=draw(st.sampled_from(list(m.Acknowledged))), active=draw(st.sampled_from(list(m.Active))),
        suspended=draw(st.sampled_from(list(m.Suspended))), values=tuple(m.ReturnValue(*each) for each in values),
    )  # fmt: skip


@pytest.mark.parametrize("sxl", SXLS.values(), ids=SXLS)
@pytest.mark.parametrize("core", ["3.1.5", "3.2.2"])
@settings(max_examples=30)
@given(data=st.data())
def test_any_message_is_what_the_schemas_say_and_comes_back_as_it_was(
    rsmp: Standard, core: str, sxl: Sxl, data: st.DataObject
) -> None:
    message = data.draw(said(sxl, core != "3.1.5"))
    frame = write(message)
    rsmp.check(frame, core, sxl.version)
    for strict in (False, True):
        assert read(frame[:-1], strict=strict) == message
    assert msgspec.json.decode(frame[:-1])["type"] == message.kind


@settings(max_examples=50)
@given(data=st.data(), name=st.sampled_from([*FOLDERS]))
def test_what_is_changed_in_a_message_is_read_or_malformed(data: st.DataObject, name: str) -> None:
    frame = bytearray(write(data.draw(said(SXLS["1.2.1"], name != "3.1.5")))[:-1])
    for place in data.draw(st.lists(st.integers(0, len(frame) - 1), max_size=4)):
        frame[place] = data.draw(st.integers(0, 255))
    for strict in (False, True):
        with suppress(Malformed):
            read(bytes(frame), strict=strict)


def test_each_object_type_has_alarms() -> None:
    assert all(SXLS["1.0.15"].alarms[of] for of in Of)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (b'"n":"stage"', b'"n":"stages"'),
        (b'"s":"1"', b'"s":1'),
        (b'"s":"1"', b'"s":"x"'),
        (b'"q":"recent"', b'"q":"Recent"'),
        (b'"q":"recent"', b'"q":"unknown"'),
        (b'"sCI":"S0001"', b'"sCI":"S0999"'),
        (b'"cId":"TC"', b'"cID":"TC"'),
        (b".000Z", b"Z"),
        (NUMBER.encode(), NUMBER.encode()[:-1]),
    ],
)
def test_the_judge_sees_what_is_wrong(rsmp: Standard, right: bytes, wrong: bytes) -> None:
    statuses = (m.Status("S0001", "stage", "1", Quality.RECENT),)
    frame = write(m.StatusUpdate(number=NUMBER, component="TC", at=stamp(0), statuses=statuses))
    rsmp.check(frame, "3.2.2", "1.2.1")
    with pytest.raises((AssertionError, KeyError)):
        rsmp.check(frame.replace(right, wrong), "3.2.2", "1.2.1")
