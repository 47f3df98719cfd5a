"""How much room one site can take at the post, and that an order always finds some."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.protocols.rsmp.pair import GROUPS, MAIN, NOW_US, Pair
from vigie.protocols.rsmp import CannotAsk, Line, Moment, Rate
from vigie.protocols.rsmp.events import AlarmTold, Detached, Fate, Garbled, Settled
from vigie.protocols.rsmp.framing import END
from vigie.protocols.rsmp.limits import NEWEST_MAX, ORDERS_MIN, PASSED_CHARS_MAX, PENDING_MAX
from vigie.protocols.rsmp.line import NotTaken
from vigie.protocols.rsmp.messages import Numbered, StatusRequest, StatusSubscribe
from vigie.protocols.rsmp.times import stamp


def deaf(pair: Pair, sort: type[Numbered], monkeypatch: pytest.MonkeyPatch, refusal: str = "") -> list[Numbered]:
    """A site that acknowledges one sort of message and does nothing, or refuses it; what came of it."""
    took, before = list[Numbered](), pair.site._on_message

    def take(message: Numbered, moment: Moment) -> None:
        if not isinstance(message, sort):
            before(message, moment)
            return
        took.append(message)
        if refusal:
            raise NotTaken(refusal)
        Line._acknowledge(pair.site, message.number, moment)

    monkeypatch.setattr(pair.site, "_on_message", take)
    return took


def alarm(n: int, component: str, at_us: int, code: str = "A0001", value: str = "") -> bytes:
    told = {"mType": "rSMsg", "type": "Alarm", "mId": f"{n:08x}-0000-4000-8000-000000000000", "ntsOId": "", "xNId": "",
            "cId": component, "aCId": code, "xACId": "", "xNACId": "", "aSp": "Issue", "ack": "notAcknowledged",
            "aS": "Active", "sS": "notSuspended", "aTs": stamp(at_us), "cat": "D", "pri": "2",
            "rvs": [{"n": "color", "v": value}] if value else []}  # fmt: skip
    return json.dumps(told).encode() + END


def hear(pair: Pair, frame: bytes) -> AlarmTold:
    assert pair.link is not None
    turn = pair.link.receive(frame, pair.now)
    (told,) = [each for each in turn.events if isinstance(each, AlarmTold)]
    pair.link.kept([told.receipt], pair.now)
    return told


def test_requests_that_were_given_up_take_no_room_of_those_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair().connect()
    deaf(pair, StatusRequest, monkeypatch)
    for _ in range(PENDING_MAX + 100):
        pair.do(lambda link: link.ask(MAIN, [("S0014", "status")], pair.now))
        pair.wait(1)
    number = pair.order("M0001", status="YellowFlash", timeout="0", intersection="0")
    assert pair.told(Settled)[-1].number == number
    # What is remembered of them has its bound too.
    pair.do(lambda link: link.ask(MAIN, [("S0014", "status")], pair.now))
    assert pair.link is not None
    assert len(pair.link._asking._by_number) <= PENDING_MAX + 31


def test_requests_leave_places_to_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair().connect()
    deaf(pair, StatusRequest, monkeypatch)
    for _ in range(PENDING_MAX - ORDERS_MIN):
        pair.do(lambda link: link.ask(MAIN, [("S0014", "status")], pair.now))
    with pytest.raises(CannotAsk, match="too many"):
        pair.do(lambda link: link.ask(MAIN, [("S0014", "status")], pair.now))
    pair.order("M0001", status="YellowFlash", timeout="0", intersection="0")
    assert pair.told(Settled)[-1].fate is Fate.DONE


def test_a_subscription_that_is_refused_is_tried_again_ever_later(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair()
    pair.observe("S0001", signalgroupstatus="A")
    pair.observe("S0014", status="1")
    pair.want(groups=Rate(0))
    with monkeypatch.context() as busy:
        asked = deaf(pair, StatusSubscribe, busy, "busy")
        pair.connect()
        pair.wait(150)
        assert len(asked) == 3
        pair.wait(24 * 3_600, step_s=10)
        assert 20 < len(asked) < 40
    assert pair.told(Garbled)[2].why == "our StatusSubscribe of S0001 was refused, for the 3. time: busy"
    # What was refused holds up nothing else, and is followed once the site takes it.
    pair.want(groups=Rate(0), plan=Rate(0))
    assert pair.values(("S0014", "status")) == [("1", "recent")]
    pair.wait(3_700, step_s=10)
    pair.observe("S0001", signalgroupstatus="B")
    assert pair.values(GROUPS) == [("A", "recent"), ("B", "recent")]


def test_components_that_a_site_makes_up_are_remembered_up_to_a_bound() -> None:
    pair = Pair().connect()
    old_us = NOW_US - 3_600_000_000
    for n in range(NEWEST_MAX + 100):
        assert not hear(pair, alarm(n, f"c{n}", old_us)).late
    assert pair.link is not None
    assert len(pair.link._lateness._newest_us) == NEWEST_MAX
    # Of the first there is a picture, of the last none: it is never taken for history.
    assert hear(pair, alarm(9_001, "c1", old_us - 1)).late
    assert not hear(pair, alarm(9_002, f"c{NEWEST_MAX + 50}", old_us - 1)).late
    assert hear(pair, alarm(9_003, MAIN, old_us)).late


def test_what_was_told_as_history_is_remembered_up_to_a_bound_and_the_newest_of_it() -> None:
    pair = Pair().connect()
    value = "x" * 100_000
    for n in range(30):
        assert hear(pair, alarm(n, MAIN, NOW_US - 1_000_000 * (100 - n), value=value)).late
    assert pair.link is not None
    held = pair.link._lateness.mistaken(0, NOW_US)
    assert [each.at_us for each in held] == [NOW_US - 1_000_000 * (100 - n) for n in range(20, 30)]
    assert sum(len(value) for _ in held) <= PASSED_CHARS_MAX
    pair.wait(61)
    assert pair.link._lateness.mistaken(0, NOW_US) == []


def test_a_site_whose_watchdog_has_died_is_left_after_three(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair().connect()
    monkeypatch.setattr(pair.site, "_send_watchdog", lambda moment: None)
    pair.wait(175)
    assert pair.link is not None
    turn = pair.link.tick(replace(pair.now, steady_us=pair.now.steady_us + 10_000_000))
    assert (turn.close, turn.events) == ("no watchdog came", (Detached("J-1", "no watchdog came"),))
