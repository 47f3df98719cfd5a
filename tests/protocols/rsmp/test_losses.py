"""Connections that break, clocks that jump, buffers that fill: what is lost, and what is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.protocols.rsmp.pair import COMPONENTS, DETECTORS, ENROLMENT, GROUPS, MAIN, NOW_US, SETUP, Pair
from tests.protocols.rsmp.standard import Standard
from vigie.protocols.rsmp import About, Enrolment, Moment, Rate, Supervisor
from vigie.protocols.rsmp.alarms import MOVES, Life, Move, Standing
from vigie.protocols.rsmp.buffer import Buffer
from vigie.protocols.rsmp.events import (
    AggregatedTold,
    AlarmTold,
    Attached,
    Detached,
    Fate,
    Ordered,
    Settled,
    StatusTold,
)
from vigie.protocols.rsmp.messages import Alarm, StatusUpdate
from vigie.protocols.rsmp.traffic_lights import SXLS

_WITHOUT, _WITHOUT_12 = (
    frozenset(code for code in SXLS[sxl].signals if code[0] == "A" and code != "A0001") for sxl in ("1.0.15", "1.2.1")
)
ON_CHANGE = Rate(0, on_change=True)


@pytest.fixture
def pair(rsmp: Standard) -> Pair:
    pair = Pair(rsmp)
    pair.observe("S0001", signalgroupstatus="0")
    pair.observe("S0002", detectorlogicstatus="0")
    pair.want(groups=ON_CHANGE, detectors=ON_CHANGE)
    return pair.connect()


def test_what_happened_during_a_loss_is_told_after_it_in_order_and_marked_old(pair: Pair) -> None:
    pair.cut()
    for n in range(1, 6):
        pair.wait(1)
        pair.observe("S0001", signalgroupstatus=str(n))
    pair.alarm("A0002")
    pair.wait(1)
    pair.alarm("A0002", active=False)
    pair.wait(1)
    pair.alarm("A0002")
    told = len(pair.values(GROUPS))
    pair.heard.clear()
    pair.connect()
    assert told == 1
    assert pair.values(GROUPS) == [(str(n), "old") for n in range(1, 6)]
    assert [each.at_us - NOW_US for each in pair.told(StatusTold)] == [n * 1_000_000 for n in range(1, 6)]
    alarms = [(each.state.active, each.late) for each in pair.told(AlarmTold) if each.code == "A0002"]
    # How it stands comes first and once; what led to it follows as history.
    assert alarms == [(True, False), (True, True), (False, True)]
    pair.observe("S0001", signalgroupstatus="A")
    assert pair.values(GROUPS)[-1] == ("A", "recent")
    assert len(pair.site.buffer) == 0


def test_before_3_2_old_values_are_not_marked(rsmp: Standard) -> None:
    pair = Pair(rsmp, replace(SETUP, cores=("3.1.5",)))
    pair.observe("S0001", signalgroupstatus="0")
    pair.want(groups=ON_CHANGE)
    pair.connect().cut()
    pair.observe("S0001", signalgroupstatus="1")
    pair.connect()
    assert pair.values(GROUPS) == [("0", "recent"), ("1", "recent")]


def test_records_that_waited_for_an_older_version_are_said_not_to_be_known(rsmp: Standard) -> None:
    pair = Pair(rsmp)
    pair.observe("S0033", status=[])
    pair.supervisor.want("J-1", MAIN, {("S0033", "status"): ON_CHANGE})
    pair.connect().cut()
    pair.observe("S0033", status=[{"r": "7", "t": "2026-11-24T03:00:00.000Z", "s": "queued"}])
    pair.supervisor.cores = ("3.1.5",)
    pair.connect()
    assert pair.told(Attached)[-1].core == "3.1.5"
    assert pair.values(("S0033", "status"))[-1] == (None, "unknown")


def test_what_was_on_its_way_unacknowledged_is_sent_again(pair: Pair) -> None:
    pair.keeps = False
    pair.observe("S0001", signalgroupstatus="1")
    pair.alarm("A0001")
    pair.cut()
    pair.keeps = True
    pair.heard.clear()
    pair.connect()
    assert pair.values(GROUPS) == [("1", "old")]
    assert [each.state.active for each in pair.told(AlarmTold) if each.code == "A0001"] == [True]
    numbers = [message["mId"] for who, message in pair.passed if who == "site" and "mId" in message]
    assert len(set(numbers)) == len(numbers)


def test_a_picture_that_was_lost_takes_no_event_with_it(pair: Pair) -> None:
    pair.cut()
    pair.wait(1)
    pair.alarm("A0001")
    pair.keeps = False
    pair.connect()
    pair.cut()
    pair.wait(1)
    pair.alarm("A0001", active=False)
    pair.keeps = True
    pair.heard.clear()
    pair.connect()
    told = [(each.state.active, each.late) for each in pair.told(AlarmTold) if each.code == "A0001"]
    assert told == [(False, False), (True, True)]


def test_statuses_that_are_not_buffered_are_subscribed_to_anew(rsmp: Standard) -> None:
    pair = Pair(rsmp, replace(SETUP, buffers=frozenset({"S0002"})))
    pair.observe("S0001", signalgroupstatus="0")
    pair.observe("S0002", detectorlogicstatus="0")
    pair.want(groups=ON_CHANGE, detectors=ON_CHANGE)
    pair.connect().cut()
    for n in "12":
        pair.observe("S0001", signalgroupstatus=n)
        pair.observe("S0002", detectorlogicstatus=n)
    pair.connect()
    assert pair.values(GROUPS) == [("0", "recent"), ("2", "recent")]
    assert pair.values(DETECTORS) == [("0", "recent"), ("1", "old"), ("2", "old")]


def test_a_full_buffer_loses_the_oldest_status_and_no_alarm_and_counts_it(rsmp: Standard) -> None:
    pair = Pair(rsmp, replace(SETUP, buffer_max=10))
    pair.observe("S0001", signalgroupstatus="0")
    pair.want(groups=ON_CHANGE)
    pair.connect().cut()
    pair.wait(1)
    for n in range(20):
        pair.alarm("A0001", active=n % 2 == 0)
        pair.observe("S0001", signalgroupstatus="ABCDEFG012"[n % 10])
        if n == 1:
            assert pair.site.buffer.dropped == 0
    assert len(pair.site.buffer) == 10
    # 20 updates, 20 events of the alarm and 20 aggregated states, of which 10 are kept.
    assert pair.site.buffer.dropped == 50
    pair.heard.clear()
    pair.connect()
    assert pair.values(GROUPS) == []
    assert len(pair.told(AggregatedTold)) == 6


def test_acknowledgements_never_wait_behind_what_was_kept() -> None:
    pair = Pair()
    pair.observe("S0001", signalgroupstatus="0")
    pair.want(groups=ON_CHANGE)
    pair.connect().cut()
    for n in range(1_000):
        pair.observe("S0001", signalgroupstatus=f"{n:04}")
    pair.passed.clear()
    pair.connect()
    sent = [(message["type"], message.get("oMId")) for who, message in pair.passed if who == "site"]
    waits = [n for n, (kind, _) in enumerate(sent) if kind == "MessageAck"]
    first = next(n for n, (kind, _) in enumerate(sent) if kind == "StatusUpdate")
    # The supervisor's subscription came while 1,000 messages waited, and was acknowledged among the first.
    assert any(n < first + 64 for n in waits[2:])
    assert [value for value, _ in pair.values(GROUPS)] == ["0", *(f"{n:04}" for n in range(1_000))]


@pytest.mark.parametrize("jump_s", [-3_600.0, 3_600.0, -86_400.0 * 365])
def test_a_clock_that_is_set_ends_no_connection_and_hides_no_alarm(pair: Pair, jump_s: float) -> None:
    pair.wait(5)
    pair.alarm("A0001")
    pair.wait(10, jump_s=jump_s)
    pair.alarm("A0001", active=False)
    pair.wait(120)
    pair.alarm("A0002")
    pair.wait(120)
    standing = {(each.code): each.state.active for each in pair.told(AlarmTold) if not each.late}
    assert (standing["A0001"], standing["A0002"]) == (False, True)
    assert not pair.told(Detached)
    assert pair.link is not None
    assert pair.link.tally.sent < 250


def test_two_sites_are_apart_and_a_site_may_have_two_names(rsmp: Standard) -> None:
    both = Supervisor(
        [ENROLMENT, Enrolment(("J-2", "J-2b"), {MAIN: COMPONENTS[MAIN]}, codes=ENROLMENT.codes)], seed="post"
    )
    one = Pair(rsmp, supervisor=both)
    two = Pair(rsmp, replace(SETUP, names=("J-2", "J-2b"), sxl="1.0.15", cores=("3.1.5",)), supervisor=both)
    for pair, plan in ((one, "1"), (two, "2")):
        pair.observe("S0014", status=plan)
        pair.want(plan=ON_CHANGE)
        pair.connect()
    assert {site: (link.core.version if link.core else "") for site, link in both.links.items()} == {
        "J-1": "3.2.2",
        "J-2": "3.1.5",
    }
    assert (one.values(("S0014", "status")), two.values(("S0014", "status"))) == (
        [("1", "recent")],
        [("2", "recent")],
    )
    one.cut()
    two.order("M0002", status="True", timeplan="7")
    two.observe("S0014", status="7")
    assert [*both.links] == ["J-2"]
    assert {each.site for each in two.told(StatusTold)} == {"J-2"}
    assert len(one.values(("S0014", "status"))) == 1


@settings(max_examples=25)
@given(sizes=st.lists(st.tuples(st.integers(1, 900), st.integers(1, 900)), min_size=1, max_size=12))
def test_two_sites_interleaved_in_any_pieces_do_not_mix(sizes: list[tuple[int, int]]) -> None:
    both = Supervisor([ENROLMENT, replace(ENROLMENT, names=("J-2",))], seed="post")
    pairs = [Pair(None, replace(SETUP, names=(name,), without=_WITHOUT_12), supervisor=both) for name in ("J-1", "J-2")]
    for plan, pair in enumerate(pairs, start=1):
        pair.observe("S0014", status=str(plan))
        pair.want(plan=ON_CHANGE)
        pair.link = both.open()
        pair.post(pair.link.opened(pair.now))
        pair.box(pair.site.opened(pair.now))
    while any(pair.up or pair.down for pair in pairs):
        for up_and_down in sizes:
            for pair, size in zip(pairs, up_and_down, strict=True):
                pair.pump(up_bytes=size, down_bytes=size)
    for plan, pair in enumerate(pairs, start=1):
        assert pair.values(("S0014", "status")) == [(str(plan), "recent")]
        assert {each.site for each in pair.told(StatusTold)} == {f"J-{plan}"}


steps = st.one_of(
    st.tuples(st.just("observe"), st.integers(0, 99)),
    st.tuples(st.just("alarm"), st.booleans()),
    st.tuples(st.just("change"), st.sampled_from([About.ACKNOWLEDGE, About.SUSPEND, About.RESUME])),
    st.tuples(st.just("here"), st.none()),
    st.tuples(st.just("wait"), st.integers(1, 40)),
    st.tuples(st.just("cut"), st.integers(0, 400)),
    st.tuples(st.just("connect"), st.none()),
    st.tuples(st.just("keep"), st.booleans()),
    st.tuples(st.just("order"), st.integers(1, 255)),
    st.tuples(st.just("trickle"), st.tuples(st.integers(0, 700), st.integers(0, 300))),
)


@settings(max_examples=40)
@given(core=st.sampled_from(["3.1.5", "3.2.0", "3.2.2"]), script=st.lists(steps, max_size=30))
def test_whatever_breaks_nothing_that_was_told_is_lost(
    rsmp: Standard, core: str, script: list[tuple[str, object]]
) -> None:
    """All values and all events of an alarm arrive, in order; at the end the post knows how things stand."""
    pair = Pair(rsmp, replace(SETUP, sxl="1.0.15", cores=(core,), without=_WITHOUT))
    pair.observe("S0001", signalgroupstatus="")
    pair.want(groups=ON_CHANGE)
    pair.connect()
    observed = [""]
    for what, how in script:
        match what, how:
            case "observe", int(n):
                if observed[-1] != str(n):
                    observed.append(str(n))
                pair.box(pair.site.observe(MAIN, "S0001", {"signalgroupstatus": str(n)}, pair.now))
            case "alarm", bool(active):
                pair.box(pair.site.alarm(MAIN, "A0001", active=active, moment=pair.now))
            case "change", About() if pair.link is not None and pair.supervisor.links:
                pair.post(pair.link.about_alarm(MAIN, "A0001", how, pair.now)[1])
            case "here", _:
                pair.box(pair.site.acknowledge(MAIN, "A0001", pair.now))
            case "wait", int(seconds):
                pair.wait(seconds, step_s=5)
            case "cut", int(size) if pair.link is not None:
                pair.pump(up_bytes=size, down_bytes=size)
                pair.cut()
            case "connect", _ if pair.link is None:
                pair.connect()
            case "keep", bool(keeps):
                # Whoever could not keep something lets go of the connection, as the transport does.
                if pair.link is not None and pair.link.owed:
                    pair.cut()
                pair.keeps = keeps
            case "order", int(plan) if pair.link is not None and pair.supervisor.links:
                pair.order("M0002", status="True", timeplan=str(plan))
            case "trickle", (int(up), int(down)):
                pair.pump(up_bytes=up, down_bytes=down)
            case _:
                pass
    pair.keeps = True
    pair.cut()
    pair.connect()
    pair.pump()
    kept = [value for value, _ in pair.values(GROUPS)]
    # Each value, as often as it had to be sent, in its order.
    places = iter(kept)
    assert all(value in places for value in observed), (observed, kept)
    assert kept[-1] == observed[-1]
    standing = [each.state for each in pair.told(AlarmTold) if each.code == "A0001" and not each.late]
    assert standing[-1] == pair.site.alarms[MAIN, "A0001"].state
    assert len(pair.site.buffer) == 0
    assert pair.site.tally.malformed == pair.site.buffer.dropped == 0


@given(moves=st.lists(st.sampled_from(Move)))
def test_an_alarm_moves_as_the_table_says(moves: list[Move]) -> None:
    alarm = Standing(MAIN, SXLS["1.2.1"].signals["A0001"])
    for n, move in enumerate(moves):
        before, alarm = alarm, alarm.moved(move, n)
        assert alarm.life is MOVES.get((before.life, move), before.life)
        assert alarm.state.active is (alarm.life in (Life.ACTIVE, Life.SEEN))
        assert alarm.hushed(True, n).moved(Move.RAISE, n).state.suspended
    assert set(MOVES.values()) == set(Life)


def an_update(n: int) -> StatusUpdate:
    return StatusUpdate(number="", component=MAIN, at=str(n), statuses=())


def an_alarm(n: int) -> Alarm:
    return Standing(MAIN, SXLS["1.2.1"].signals["A0001"], issued_us=n * 1_000_000).message(About.ISSUE)


@settings(max_examples=100)
@given(script=st.lists(st.one_of(st.sampled_from(["status", "alarm", "next", "settle", "lost", "open"]))))
def test_a_buffer_keeps_its_order_and_its_bound(script: list[str]) -> None:
    buffer, away, taken = Buffer(most=6, window=3), dict[str, int](), list[int]()
    for n, what in enumerate(script):
        match what:
            case "status":
                buffer.put(an_update(n))
            case "alarm":
                buffer.put(an_alarm(n))
            case "next":
                kept = buffer.next()
                if kept is not None:
                    buffer.sent(str(n), kept)
                    if not kept.first:
                        assert all(kept.place > place for place in away.values())
                        away[str(n)] = kept.place
            case "settle" if away:
                number = next(iter(away))
                taken.append(away.pop(number))
                buffer.settled(number)
            case "lost":
                buffer.lost()
                away.clear()
            case "open" if not away:
                buffer.lost()
                buffer.open_with([])
            case _:
                pass
        assert len(buffer) <= 6 + len(away)
    assert len(set(taken)) == len(taken)


def test_moments_of_one_clock() -> None:
    assert Moment.at(5) == Moment(5, 5)


def test_events_of_one_instant_are_told_apart_and_a_clock_that_is_set_is_believed() -> None:
    alarm = Standing(MAIN, SXLS["1.2.1"].signals["A0001"], issued_us=NOW_US)
    stamps = []
    for move in (Move.RAISE, Move.CLEAR, Move.ACKNOWLEDGE, Move.RAISE):
        alarm = alarm.moved(move, NOW_US + 1)
        stamps.append(max(alarm.issued_us, alarm.acknowledged_us) - NOW_US)
    assert stamps == [1_000, 2_000, 3_000, 4_000]
    assert alarm.moved(Move.CLEAR, NOW_US - 3_600_000_000).issued_us == NOW_US - 3_600_000_000


def test_tables_whose_connection_is_cut_arrive_whole_or_not_at_all_and_can_be_sent_again(pair: Pair) -> None:
    commands = {
        "M0017": {"status": "1-2-6-30,1-1-22-0"},
        "M0016": {"status": ",".join(f"{day}-1" for day in range(7))},
        "M0002": {"status": "False", "timeplan": "1"},
    }

    def sent() -> None:
        assert pair.link is not None
        _, turn = pair.link.order(MAIN, commands, pair.now)
        pair.post(turn)

    def ordered() -> list[list[str]]:
        return [list(each.commands) for each in pair.learnt if isinstance(each, Ordered)]

    pair.obeys = False
    # All but the last byte; then all of it, and the answer is lost.
    sent()
    pair.pump(down_bytes=len(pair.down) - 1)
    pair.cut()
    assert ordered() == []
    pair.connect()
    sent()
    pair.pump()
    pair.cut()
    assert ordered() == [list(commands)]
    assert [each.fate for each in pair.told(Settled)] == [Fate.UNKNOWN] * 2
    pair.obeys = True
    pair.connect()
    sent()
    pair.pump()
    assert ordered() == [list(commands)] * 2
    assert pair.told(Settled)[-1].fate is Fate.DONE
