"""Whatever comes in, at either end and at any step, is answered or let go; nothing is raised and nothing grows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.protocols.rsmp.pair import MAIN, Pair
from tests.protocols.rsmp.standard import Standard
from vigie.protocols.rsmp import Line, Meeting, Rate, Turn
from vigie.protocols.rsmp.events import Garbled, Ordered, StatusTold
from vigie.protocols.rsmp.framing import END, number_in
from vigie.protocols.rsmp.limits import FRAME_BYTES_MAX, UNACKNOWLEDGED_MAX

NUMBER = "6f968141-4de5-42ff-8032-45f8093762c5"
loose = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])


def a_story() -> list[tuple[str, bytes]]:
    """All frames of a conversation in which everything is said once, by who sent them."""
    pair = Pair()
    pair.observe("S0001", signalgroupstatus="A")
    pair.want(groups=Rate(5))
    pair.connect()
    pair.alarm("A0001")
    pair.order("M0002", status="True", timeplan="3")
    pair.do(lambda link: link.ask(MAIN, [("S0001", "stage")], pair.now))
    pair.do(lambda link: link.ask_aggregated(MAIN, pair.now))
    pair.want()
    pair.wait(61)
    return [(who, json.dumps(message).encode() + END) for who, message in pair.passed]


STORY = a_story()


def ends(*, met: bool) -> list[tuple[Line, Pair]]:
    """A supervisor's and a site's end, that have met or only begun to."""
    pairs = [Pair(), Pair()]
    for pair in pairs:
        if met:
            pair.connect()
        else:
            pair.link = pair.supervisor.open()
            pair.link.opened(pair.now)
            pair.site.opened(pair.now)
    assert pairs[0].link is not None
    return [(pairs[0].link, pairs[0]), (pairs[1].site, pairs[1])]


rubbish = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([frame for _, frame in STORY]),
    st.tuples(st.sampled_from([frame for _, frame in STORY]), st.integers(1, 400)).map(lambda cut: cut[0][: cut[1]]),
    st.sampled_from([b"{}\x0c", b"\x0c\x0c\x0c", b"[" * 5_000 + END, b"\xff" * 50 + END, b'"\x0c', b"null\x0c"]),
)


@pytest.mark.parametrize("met", [False, True])
@loose
@given(pieces=st.lists(rubbish, max_size=12))
def test_no_rubbish_raises_and_every_end_goes_on_or_closes(met: bool, pieces: list[bytes]) -> None:
    for end, pair in ends(met=met):
        for piece in pieces:
            turn = end.receive(piece, pair.now)
            assert bool(turn.close) is (end.meeting is Meeting.CLOSED) or not turn.data
            if turn.close:
                break
        end.tick(pair.now)
        end.lost(pair.now)
        assert end.meeting is Meeting.CLOSED


@loose
@given(data=st.data())
def test_rubbish_between_messages_costs_none_of_them(rsmp: Standard, data: st.DataObject) -> None:
    pair = Pair()
    pair.want(groups=Rate(5))
    pair.observe("S0001", signalgroupstatus="A")
    pair.connect()
    pair.judge = rsmp
    for letter in "BCD":
        pair.box(pair.site.observe(MAIN, "S0001", {"signalgroupstatus": letter}, pair.now))
        pair.up = data.draw(st.binary(max_size=40)).replace(END, b"") + END + pair.up
        pair.pump()
    assert [value for value, _ in pair.values(("S0001", "signalgroupstatus"))] == ["A", "B", "C", "D"]
    assert pair.link is not None


@pytest.mark.parametrize("who", ["post", "site"])
def test_what_is_cut_is_refused_by_its_number_and_changes_nothing(who: str) -> None:
    end, pair = ends(met=True)[who == "post"]
    for frame in (frame for sender, frame in STORY if sender == who):
        before = len(pair.site.subscriptions), dict(pair.site.alarms)
        turn = end.receive(frame[: len(frame) * 3 // 4] + END, pair.now)
        (event,) = turn.events
        assert isinstance(event, Garbled)
        number = number_in(frame[: len(frame) * 3 // 4])
        answers = [json.loads(each) for each in turn.data.split(END) if each]
        assert [(each["type"], each["oMId"]) for each in answers] == ([("MessageNotAck", number)] if number else [])
        assert (len(pair.site.subscriptions), dict(pair.site.alarms)) == before


def test_a_giant_is_refused_and_the_next_message_is_heard() -> None:
    for end, pair in ends(met=True):
        head = b'{"mType":"rSMsg","type":"Watchdog","mId":"%s","wTs":"' % NUMBER.encode()
        end.receive(head, pair.now)
        for _ in range(3):
            assert end.receive(b"9" * FRAME_BYTES_MAX, pair.now).data == b""
        watchdog = head + b'2026-11-24T03:00:00.000Z"}'
        turn = end.receive(END + watchdog + END, pair.now)
        said = [json.loads(each)["type"] for each in turn.data.split(END) if each]
        assert said[:2] == ["MessageNotAck", "MessageAck"]
        assert end.tally.oversize == 1


def test_who_does_not_say_who_he_is_gets_little_room() -> None:
    for end, pair in ends(met=False):
        assert end.receive(b"x" * 100_000, pair.now) == Turn()
        assert end.receive(END, pair.now).data == b""
        assert end.tally.oversize == 1
        closes = [end.receive(b"{}" + END, pair.now).close for _ in range(150)]
        assert [why for why in closes if why] == ["no Version among the first messages"]


def test_who_asks_and_never_acknowledges_is_left() -> None:
    pair = Pair()
    pair.connect()
    asked = {"mType": "rSMsg", "type": "StatusRequest", "mId": NUMBER, "cId": MAIN,
             "sS": [{"sCI": "S0001", "n": "stage"}]}  # fmt: skip
    frame = json.dumps(asked).encode() + END
    closes = [turn.close for turn in (pair.site.receive(frame * 100, pair.now) for _ in range(20)) if turn.close]
    assert closes == ["too much is unacknowledged"]
    assert pair.site.tally.sent < UNACKNOWLEDGED_MAX * 3


def test_who_asks_for_much_and_never_acknowledges_is_left_sooner() -> None:
    pair = Pair()
    pair.observe("S0098", config="QUJD" * 100_000)
    pair.connect()
    asked = {"mType": "rSMsg", "type": "StatusRequest", "mId": NUMBER, "cId": MAIN,
             "sS": [{"sCI": "S0098", "n": "config"}]}  # fmt: skip
    turn = pair.site.receive((json.dumps(asked).encode() + END) * 500, pair.now)
    assert turn.close == "too much is unacknowledged"
    assert len(turn.data) < 40 << 20


def test_what_is_told_of_a_component_that_nobody_knows_is_told_to_nobody() -> None:
    pair = Pair().connect()
    assert pair.link is not None
    frame = next(frame for _, frame in STORY if b'"StatusUpdate"' in frame)
    events = pair.link.receive(frame.replace(MAIN.encode(), b"XX").replace(b'"A"', b'"?!"'), pair.now).events
    told = [each for each in events if isinstance(each, StatusTold)]
    assert [(each.values, bool(each.receipt)) for each in told] == [((), True)]
    assert "of no component" in str(events)


def test_acknowledgements_of_nothing_are_counted_and_change_nothing() -> None:
    for end, pair in ends(met=True):
        for kind in ("MessageAck", "MessageNotAck"):
            assert end.receive(b'{"mType":"rSMsg","type":"%s","oMId":"x"}\x0c' % kind.encode(), pair.now).data == b""
        assert end.tally.stray == 2


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@loose
@given(data=st.data())
def test_any_attribute_may_be_anything(data: st.DataObject) -> None:
    who, frame = data.draw(st.sampled_from(STORY))
    said: dict[str, Any] = json.loads(frame[:-1])
    for key in data.draw(st.lists(st.sampled_from(sorted(said)), max_size=2)):
        said[key] = data.draw(json_values)
    end, pair = ends(met=data.draw(st.booleans()))[who == "post"]
    end.receive(json.dumps(said).encode() + END, pair.now)


def test_a_story_played_twice_orders_once_each_time_and_never_raises() -> None:
    pair = Pair()
    pair.connect()
    commands = [frame for who, frame in STORY if b'"CommandRequest"' in frame]
    assert len(commands) == 1
    events = pair.site.receive(commands[0], pair.now).events
    assert [type(each) for each in events] == [Ordered]


def test_a_site_that_tells_more_than_can_be_kept_is_left_and_nothing_of_it_acknowledged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vigie.protocols.rsmp.link.OWED_MAX", 1_000)
    pair = Pair(keeps=False)
    pair.connect()
    assert pair.link is not None
    frame = next(frame for who, frame in STORY if b'"StatusUpdate"' in frame)
    told = [frame.replace(b'"mId": "', b'"mId": "%06d' % n) for n in range(1_001)]
    turns = [pair.link.receive(each, pair.now) for each in told]
    assert [turn.close for turn in turns if turn.close] == ["too much waits to be kept"]
    assert not any(turn.data for turn in turns)
    assert pair.link.owed == 0


def test_an_end_that_is_opened_again_begins_anew() -> None:
    for end, pair in ends(met=True):
        events = end.opened(pair.now).events
        assert "a new connection" in str(events)
        assert end.meeting is Meeting.VERSIONS
