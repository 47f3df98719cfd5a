"""Whole conversations, each message judged by the schemas of the version that was agreed upon."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.protocols.rsmp.pair import CODES, COMPONENTS, DETECTOR, ENROLMENT, GROUP, GROUPS, MAIN, NOW_US, SETUP, Pair
from tests.protocols.rsmp.standard import Standard
from vigie.protocols.rsmp import SXLS, About, Bit, CannotAsk, Enrolment, Meeting, Rate, Supervisor
from vigie.protocols.rsmp.events import (
    Accepted,
    AggregatedTold,
    AlarmState,
    AlarmTold,
    Attached,
    ClockTold,
    Detached,
    Fate,
    Garbled,
    Met,
    Ordered,
    Parted,
    Rejected,
    Settled,
    StatusTold,
    Ticked,
)


@pytest.fixture
def pair(rsmp: Standard) -> Pair:
    return Pair(rsmp)


def frame_of(message: dict[str, object]) -> bytes:
    return json.dumps(message).encode() + b"\x0c"


def fates(pair: Pair) -> list[tuple[Fate, str]]:
    return [(each.fate, each.why) for each in pair.told(Settled)]


def test_they_meet_in_the_order_of_the_text(pair: Pair) -> None:
    pair.connect()
    met = [(who, message["type"]) for who, message in pair.passed][:8]
    assert met == [
        ("site", "Version"), ("post", "MessageAck"), ("post", "Version"), ("site", "MessageAck"),
        ("site", "Watchdog"), ("post", "MessageAck"), ("post", "Watchdog"), ("site", "MessageAck"),
    ]  # fmt: skip
    assert [kind for kind in pair.kinds("site")[4:] if kind != "MessageAck"][:2] == ["AggregatedStatus", "Alarm"]
    assert pair.told(Attached) == [Attached("J-1", "3.2.2", "1.2.1", NOW_US)]
    assert [each for each in pair.learnt if isinstance(each, Met)] == [Met("3.2.2")]
    assert ClockTold(NOW_US) in pair.learnt
    assert pair.told(Ticked) == [Ticked("J-1", NOW_US, 0)]
    assert {(each.component, each.code) for each in pair.told(AlarmTold)} == set(pair.site.alarms)
    assert pair.told(AggregatedTold)[0].bits == (False,) * 5 + (True, False, False)


@pytest.mark.parametrize("theirs", ["3.1.5", "3.2.0", "3.2.1", "3.2.2"])
@pytest.mark.parametrize("sxl", SXLS)
def test_the_newest_common_version_is_spoken(rsmp: Standard, theirs: str, sxl: str) -> None:
    pair = Pair(rsmp, replace(SETUP, sxl=sxl, cores=(theirs, "3.1.5")))
    pair.connect()
    assert [(each.core, each.sxl) for each in pair.told(Attached)] == [(theirs, sxl)]
    pair.want(groups=Rate(5))
    pair.observe("S0001", signalgroupstatus="4A1")
    pair.alarm("A0001")
    pair.order("M0002", status="True", timeplan="3")
    pair.wait(65)
    assert pair.link is not None
    assert pair.link.tally.malformed == pair.site.tally.malformed == 0
    assert not pair.told(Garbled)


@pytest.mark.parametrize(
    ("setup", "reason"),
    [
        (replace(SETUP, names=("J-9",)), "site id ['J-9'] is not known here"),
        (replace(SETUP, names=("J-1", "J-2")), "site id ['J-1', 'J-2'] is not known here"),
        (replace(SETUP, cores=("3.1.5",)), "RSMP versions ['3.1.5'] requested, but only ['3.2.2'] supported"),
        (replace(SETUP, sxl="1.0.15"), "SXL 1.0.15 requested, but only ['1.2.1'] supported"),
    ],
)
def test_who_does_not_match_is_refused_with_the_reason_and_left(rsmp: Standard, setup: object, reason: str) -> None:
    pair = Pair(rsmp, setup)  # type: ignore[arg-type]
    pair.supervisor = Supervisor([ENROLMENT, Enrolment(("J-2",), {})], seed="p", cores=["3.2.2"], sxls=["1.2.1"])
    pair.connect()
    assert pair.passed[-1][1]["rea"] == reason
    assert pair.told(Rejected) == [Rejected(pair.setup.names, reason)]
    assert [each for each in pair.learnt if isinstance(each, Parted)] == [Parted(reason)]
    assert pair.link is None
    assert pair.site.meeting is Meeting.CLOSED
    assert not pair.supervisor.links


def test_a_site_refuses_a_supervisor_that_means_another(rsmp: Standard) -> None:
    pair = Pair(rsmp)
    pair.connect()
    pair.cut()
    pair.link = pair.supervisor.open()
    pair.post(pair.link.opened(pair.now))
    pair.box(pair.site.opened(pair.now))
    pair.pump(up_bytes=10_000, down_bytes=0)
    pair.down = pair.down.replace(b'"sId":"J-1"', b'"sId":"J-7"')
    pair.pump()
    assert any("J-7" in each.why for each in pair.learnt if isinstance(each, Parted))
    assert pair.link is None


def test_a_certificate_lets_in_its_own_site_alone() -> None:
    for shown, there in (("junction-1", True), ("junction-2", False), ("", False)):
        pair = Pair()
        pair.supervisor = Supervisor([replace(ENROLMENT, certificate="junction-1")], seed="p")
        pair.link = pair.supervisor.open(shown)
        pair.post(pair.link.opened(pair.now))
        pair.box(pair.site.opened(pair.now))
        pair.pump()
        assert bool(pair.told(Attached)) is there


def test_a_new_connection_of_a_site_takes_the_place_of_the_old_one(pair: Pair) -> None:
    pair.connect()
    old = pair.link
    assert old is not None
    pair.do(lambda link: link.ask(MAIN, [("S0095", "status")], pair.now))
    pair.obeys = False
    number = pair.order("M0004", status="True")
    pair.site.lost(pair.now)
    pair.connect()
    assert pair.supervisor.links["J-1"] is pair.link is not old
    assert Settled("J-1", number, Fate.UNKNOWN, "the site has connected anew") in pair.heard
    names = [type(each) for each in pair.heard if isinstance(each, Attached | Detached)]
    assert names == [Attached, Detached, Attached]
    assert old.tick(pair.now).close == "the site has connected anew"
    assert old.receive(b"{}\x0c", pair.now).data == b""


def test_watchdogs_go_both_ways_each_minute_and_keep_a_silent_connection(pair: Pair) -> None:
    pair.connect()
    pair.wait(600)
    assert pair.kinds("site").count("Watchdog") == pair.kinds("post").count("Watchdog") == 11
    assert pair.link is not None


@pytest.mark.parametrize("dead", ["site", "post"])
def test_an_end_that_acknowledges_nothing_is_left_after_thirty_seconds(pair: Pair, dead: str) -> None:
    pair.connect()
    link = pair.link
    assert link is not None
    end = link if dead == "site" else pair.site
    closes: list[tuple[int, str]] = []
    for second in range(1, 120):
        moment = replace(pair.now, steady_us=pair.now.steady_us + second * 1_000_000)
        if reason := end.tick(moment).close:
            closes.append((second, reason))
    assert closes == [(90, "no acknowledgement of Watchdog")]


def test_a_connection_on_which_nobody_comes_to_the_end_of_the_exchange_is_closed() -> None:
    pair = Pair()
    link = pair.supervisor.open()
    link.opened(pair.now)
    pair.site.opened(pair.now)
    later = replace(pair.now, steady_us=pair.now.steady_us + 30_000_000)
    assert link.tick(later).close == "no end of the exchange of versions"
    assert pair.site.tick(later).close == "no acknowledgement of Version"


def test_before_the_versions_nothing_else_is_answered(pair: Pair) -> None:
    pair.connect()
    site, post = (
        b"".join(frame_of(message) for who, message in pair.passed if who == end and message["type"] != "Version")
        for end in ("site", "post")
    )
    other = Pair()
    link = other.supervisor.open()
    link.opened(other.now)
    other.site.opened(other.now)
    assert link.receive(site, other.now).data == b""
    assert other.site.receive(post, other.now).data == b""
    assert link.tally.stray
    assert other.site.tally.stray


def test_statuses_are_asked_for_and_what_there_is_not_is_said(pair: Pair) -> None:
    pair.connect()
    pair.observe("S0014", status="4", source="forced")
    number = pair.do(lambda link: link.ask(MAIN, [("S0014", "status"), ("S0015", "status")], pair.now))
    told = pair.told(StatusTold)[-1]
    assert (told.asked, told.at_us, told.component) == (True, NOW_US, MAIN)
    assert [(each.value, each.quality) for each in told.values] == [("4", "recent"), (None, "unknown")]
    assert Accepted("J-1", number) in pair.heard
    assert fates(pair) == [(Fate.DONE, "")]
    pair.do(lambda link: link.ask(MAIN, [("S0096", "year"), ("S0096", "minute")], pair.now))
    assert [each.value for each in pair.told(StatusTold)[-1].values] == ["2026", "6"]
    assert pair.link is not None
    for code, name in (("S0001", "nothing"), ("S9999", "status"), ("S0025", "status"), ("M0002", "status")):
        with pytest.raises(CannotAsk):
            pair.link.ask(MAIN, [(code, name)], pair.now)


def test_what_a_site_gets_wrong_in_its_list_is_refused(pair: Pair) -> None:
    pair.connect()
    number = "6f968141-4de5-42ff-8032-45f8093762c5"
    head = {"mType": "rSMsg", "mId": number, "cId": MAIN}
    asked = [
        {"type": "StatusRequest", "sS": [{"sCI": "S9999", "n": "status"}]},
        {"type": "StatusRequest", "sS": [{"sCI": "S0001", "n": "wrong"}]},
        {"type": "StatusRequest", "sS": [{"sCI": "S0025", "n": "ToGConfidence"}]},
        {"type": "StatusSubscribe", "sS": [{"sCI": "S0001", "n": "stage", "uRt": "0", "sOc": False}]},
        {"type": "StatusSubscribe", "sS": [{"sCI": "S0001", "n": "stage", "uRt": "x", "sOc": True}]},
        {"type": "StatusSubscribe", "sS": [{"sCI": "S0001", "n": "stage", "uRt": "-1", "sOc": True}]},
        {"type": "Alarm", "aCId": "A9999", "xACId": "", "aSp": "Request"},
        {"type": "CommandRequest", "arg": [{"cCI": "M0002", "n": "status", "cO": "setPlan", "v": "True"}]},
        {"type": "CommandRequest", "arg": [{"cCI": "M9999", "n": "status", "cO": "setPlan", "v": "True"}]},
        {"type": "CommandRequest", "arg": [{"cCI": "S0014", "n": "status", "cO": "", "v": "1"}]},
        {"type": "StatusUpdate", "sTs": "2026-01-01T00:00:00.000Z", "sS": []},
    ]
    for message in asked:
        pair.passed.clear()
        pair.down += frame_of(head | message)
        pair.pump()
        (answer,) = [said for who, said in pair.passed if who == "site"]
        assert (answer["type"], answer["oMId"]) == ("MessageNotAck", number)
        assert answer["rea"]
    assert not [each for each in pair.learnt if isinstance(each, Ordered)]


def test_a_component_that_is_not_there_is_undefined(pair: Pair) -> None:
    strange = replace(ENROLMENT, components={**COMPONENTS, "KK+AG0503=001SG009": COMPONENTS[GROUP]})
    pair.supervisor = Supervisor([strange], seed="post")
    pair.connect()
    pair.do(lambda link: link.ask("KK+AG0503=001SG009", [("S0025", "ToGConfidence")], pair.now))
    assert pair.told(StatusTold)[-1].values[0].quality == "undefined"
    absent = replace(ENROLMENT, components={**COMPONENTS, "KK+AG0503=001DL009": COMPONENTS[DETECTOR]})
    pair.supervisor.enrol(absent)
    pair.order("M0008", "KK+AG0503=001DL009", status="True", mode="True")
    assert fates(pair)[-1] == (Fate.REFUSED, "no KK+AG0503=001DL009 there")


def test_changes_and_intervals_bring_updates(pair: Pair) -> None:
    pair.observe("S0001", signalgroupstatus="AA", cyclecounter="1")
    pair.observe("S0014", status="1")
    pair.want(groups=Rate(0, on_change=True), plan=Rate(10, on_change=False), clock=Rate(20, on_change=False))
    pair.connect()
    assert pair.values(GROUPS) == [("AA", "recent")]
    pair.observe("S0001", signalgroupstatus="BA", cyclecounter="2")
    pair.observe("S0001", signalgroupstatus="BA")
    pair.observe("S0014", status="2")
    assert pair.values(GROUPS) == [("AA", "recent"), ("BA", "recent")]
    assert pair.values(("S0014", "status")) == [("1", "recent")]
    pair.wait(40)
    assert pair.values(("S0014", "status")) == [("1", "recent"), *[("2", "recent")] * 4]
    assert [value for value, _ in pair.values(("S0096", "second"))] == ["40", "0", "20"]
    pair.want(groups=Rate(0, on_change=True))
    pair.wait(40)
    assert len(pair.values(("S0014", "status"))) == 5
    assert len(pair.site.subscriptions) == 1


@pytest.mark.parametrize(("core", "told"), [("3.2.2", 2), ("3.2.1", 3)])
def test_from_3_2_2_on_a_change_begins_the_interval_anew(rsmp: Standard, core: str, told: int) -> None:
    pair = Pair(rsmp, replace(SETUP, cores=(core,)))
    pair.observe("S0001", signalgroupstatus="A")
    pair.want(groups=Rate(10, on_change=True))
    pair.connect()
    pair.wait(8)
    pair.observe("S0001", signalgroupstatus="B")
    pair.wait(4)
    assert len(pair.values(GROUPS)) == told


@pytest.mark.parametrize(("core", "ended"), [("3.2.0", 0), ("3.1.5", 1)])
def test_an_interval_is_changed_as_the_version_has_it(rsmp: Standard, core: str, ended: int) -> None:
    pair = Pair(rsmp, replace(SETUP, cores=(core,)))
    pair.observe("S0001", signalgroupstatus="A")
    pair.want(groups=Rate(10, on_change=False))
    pair.connect()
    pair.want(groups=Rate(2, on_change=False))
    assert pair.kinds("post").count("StatusUnsubscribe") == ended
    before = len(pair.values(GROUPS))
    pair.wait(4)
    assert len(pair.values(GROUPS)) == before + 2


@pytest.mark.parametrize(("core", "updates"), [("3.2.0", 5), ("3.1.5", 1)])
def test_a_second_subscription_changes_the_first_from_3_2_on(rsmp: Standard, core: str, updates: int) -> None:
    pair = Pair(rsmp, replace(SETUP, cores=(core,)))
    pair.observe("S0001", signalgroupstatus="A")
    pair.want(groups=Rate(10, on_change=False))
    pair.connect()
    wish = {"sCI": GROUPS[0], "n": GROUPS[1], "uRt": "2", "sOc": False}
    again = {"mType": "rSMsg", "type": "StatusSubscribe", "cId": MAIN, "sS": [wish]}
    pair.down += frame_of(again | {"mId": "6f968141-4de5-42ff-8032-45f8093762c5"})
    pair.pump()
    before = len(pair.values(GROUPS))
    pair.wait(10)
    assert len(pair.values(GROUPS)) - before == updates


def test_a_value_that_is_not_known_is_told_and_not_subscribed_to(pair: Pair) -> None:
    pair.want(groups=Rate())
    pair.connect()
    assert pair.values(GROUPS) == [(None, "unknown")]
    assert len(pair.site.subscriptions) == 0
    pair.observe("S0001", signalgroupstatus="A")
    assert pair.values(GROUPS) == [(None, "unknown")]
    # It is asked for again each minute, and followed once there is something.
    pair.wait(61)
    pair.observe("S0001", signalgroupstatus="B")
    assert pair.values(GROUPS)[-2:] == [("A", "recent"), ("B", "recent")]
    pair.wait(300)
    assert pair.kinds("post").count("StatusSubscribe") == 2


def test_a_status_that_a_site_refuses_costs_no_other(pair: Pair) -> None:
    pair.observe("S0001", signalgroupstatus="A")
    pair.observe("S0014", status="1")
    pair.want(groups=Rate(5), plan=Rate(5))
    pair.link = pair.supervisor.open()
    pair.post(pair.link.opened(pair.now))
    pair.box(pair.site.opened(pair.now))
    pair.pump(up_bytes=10_000, down_bytes=0)
    while pair.link.meeting is not Meeting.READY:
        pair.pump(up_bytes=0, down_bytes=10_000)
        pair.pump(up_bytes=10_000, down_bytes=0)
    pair.down = pair.down.replace(b"S0014", b"S0999")
    pair.pump()
    assert pair.values(GROUPS) == [("A", "recent")]
    assert "S0999" in pair.told(Garbled)[-1].why
    assert len(pair.site.subscriptions) == 1


def test_lists_of_records_are_told_from_3_2_on(rsmp: Standard) -> None:
    request = [{"r": "bus-7", "t": "2026-11-24T03:00:00.000Z", "s": "completed", "e": "4"}]
    for core, value in (("3.2.0", request), ("3.1.5", None)):
        pair = Pair(rsmp, replace(SETUP, cores=(core,)))
        pair.observe("S0033", status=request)
        pair.connect()
        pair.do(lambda link, pair=pair: link.ask(MAIN, [("S0033", "status")], pair.now))  # type: ignore[misc]
        assert pair.told(StatusTold)[-1].values[0].value == value


def states(pair: Pair, code: str) -> list[tuple[str, AlarmState]]:
    return [(each.about.value, each.state) for each in pair.told(AlarmTold) if each.code == code]


def test_the_life_of_an_alarm(pair: Pair) -> None:
    pair.connect()
    pair.heard.clear()
    pair.wait(1)
    pair.alarm("A0001")
    pair.alarm("A0001")
    pair.wait(1)
    number = pair.do(lambda link: link.about_alarm(MAIN, "A0001", About.ACKNOWLEDGE, pair.now))
    pair.wait(1)
    pair.alarm("A0001", active=False)
    pair.alarm("A0001")
    pair.alarm("A0001", active=False)
    pair.box(pair.site.acknowledge(MAIN, "A0001", pair.now))
    pair.pump()
    assert states(pair, "A0001") == [
        ("Issue", AlarmState(True, False, False)),
        ("Acknowledge", AlarmState(True, True, False)),
        ("Issue", AlarmState(False, True, False)),
        ("Issue", AlarmState(True, False, False)),
        ("Issue", AlarmState(False, False, False)),
        ("Acknowledge", AlarmState(False, True, False)),
    ]
    assert [each.at_us - NOW_US for each in pair.told(AlarmTold)][:3] == [1_000_000, 2_000_000, 3_000_000]
    assert Settled("J-1", number, Fate.DONE) in pair.heard
    assert [each.bits.index(True) for each in pair.told(AggregatedTold)] == [Bit.FAULT_2, Bit.IN_USE] * 2


def test_a_suspended_alarm_is_not_told_until_it_is_resumed_or_asked_for(pair: Pair) -> None:
    pair.connect()
    pair.heard.clear()
    pair.do(lambda link: link.about_alarm(DETECTOR, "A0301", About.SUSPEND, pair.now))
    values = {"detector": "D1", "type": "loop", "errormode": "on", "manual": "False"}
    pair.box(pair.site.alarm(DETECTOR, "A0301", active=True, moment=pair.now, values=values))
    pair.pump()
    assert states(pair, "A0301") == [("Suspend", AlarmState(False, True, True))]
    pair.do(lambda link: link.about_alarm(DETECTOR, "A0301", About.REQUEST, pair.now))
    pair.do(lambda link: link.about_alarm(DETECTOR, "A0301", About.RESUME, pair.now))
    assert states(pair, "A0301")[1:] == [
        ("Suspend", AlarmState(True, False, True)),
        ("Suspend", AlarmState(True, False, False)),
    ]
    assert pair.told(AlarmTold)[-1].values == values
    with pytest.raises(ValueError, match="errormode is 'x'"):
        pair.site.alarm(DETECTOR, "A0301", active=False, moment=pair.now, values=values | {"errormode": "x"})


def test_an_order_is_checked_handed_on_once_and_answered(pair: Pair) -> None:
    pair.connect()
    number = pair.order("M0001", status="YellowFlash", timeout="30", intersection="0")
    (ordered,) = [each for each in pair.learnt if isinstance(each, Ordered)]
    assert ordered.commands["M0001"]["status"] == "YellowFlash"
    assert ordered.commands["M0001"]["securityCode"] == CODES[1]
    settled = pair.told(Settled)[-1]
    assert (settled.number, settled.fate) == (number, Fate.DONE)
    assert settled.values["M0001", "timeout"] == "30"
    assert CODES[1] not in repr(ordered) + repr(settled) + repr(ENROLMENT) + repr(SETUP) + repr(pair.supervisor.sites)
    assert pair.link is not None
    for code, component, values, why in (
        ("M0002", MAIN, {"status": "True"}, "lacks the argument 'timeplan'"),
        ("M0002", MAIN, {"status": "True", "timeplan": "0"}, "not from 1 to 255"),
        ("M0002", MAIN, {"status": "true", "timeplan": "1"}, "neither True nor False"),
        ("M0002", MAIN, {"status": "True", "timeplan": "1", "x": ""}, "no argument 'x'"),
        ("M0002", GROUP, {"status": "True", "timeplan": "1"}, "of a Traffic Light Controller"),
        ("M0010", GROUP, {"status": "True"}, "reserved"),
        ("M0012", MAIN, {"status": "1,1,0"}, "reserved"),
        ("M0002", "nowhere", {}, "no 'nowhere'"),
        ("S0001", MAIN, {}, "is no command"),
    ):
        with pytest.raises(CannotAsk, match=why):
            pair.link.order(component, {code: values}, pair.now)


def test_what_a_site_cannot_do_is_no_way_to_act_and_is_still_tried(rsmp: Standard) -> None:
    pair = Pair(rsmp, replace(SETUP, without=frozenset({"M0022", "S0033"})))
    pair.connect()
    known = pair.supervisor.sites["J-1"]
    assert "priority" in known.acts()
    pair.order("M0022", requestId="bus-7", type="new", level="7", signalGroupId=GROUP)
    assert fates(pair) == [(Fate.REFUSED, "the site cannot do M0022")]
    assert "priority" not in known.acts()
    pair.order("M0022", requestId="bus-7", type="new", level="7")
    assert len(fates(pair)) == 2
    pair.cut()
    pair.connect()
    assert "priority" in known.acts()
    pair.supervisor.enrol(replace(ENROLMENT, without=frozenset({"M0022"})))
    assert "priority" not in known.acts()
    assert pair.link is not None
    with pytest.raises(CannotAsk, match="does not have M0022"):
        pair.link.order(MAIN, {"M0022": {"requestId": "bus-7", "type": "new", "level": "7"}}, pair.now)


def test_an_order_that_can_be_done_after_all_is_a_way_to_act_again(pair: Pair) -> None:
    pair.connect()
    pair.obeys = False
    for done in (False, True):
        number = pair.order("M0002", status="True", timeplan="1")
        pair.box(pair.site.answered(number, pair.now, done=done))
        pair.pump()
        assert ("plan" in pair.supervisor.sites["J-1"].acts()) is done


def test_an_order_without_an_answer_has_an_unknown_fate_and_is_done_late_if_it_comes(pair: Pair) -> None:
    pair.connect()
    pair.obeys = False
    first = pair.order("M0002", status="True", timeplan="1")
    pair.wait(31)
    assert fates(pair) == [(Fate.UNKNOWN, "no answer in time")]
    second = pair.order("M0002", status="True", timeplan="2")
    numbers = [each.number for each in pair.learnt if isinstance(each, Ordered)]
    assert numbers == [first, second]
    # The second answer is the first one's, by its values.
    for number in numbers:
        pair.box(pair.site.answered(number, pair.now))
        pair.pump()
    assert [(each.number, each.fate) for each in pair.told(Settled)][1:] == [(first, Fate.DONE), (second, Fate.DONE)]
    with pytest.raises(KeyError):
        pair.site.answered(first, pair.now)


def test_an_answer_goes_over_the_connection_of_its_order_or_nowhere(pair: Pair) -> None:
    pair.connect()
    pair.obeys = False
    number = pair.order("M0002", status="True", timeplan="1")
    pair.cut()
    assert fates(pair) == [(Fate.UNKNOWN, "the connection was lost")]
    pair.connect()
    pair.box(pair.site.answered(number, pair.now))
    pair.pump()
    assert "CommandResponse" not in pair.kinds("site")
    number = pair.order("M0002", status="True", timeplan="1")
    pair.box(pair.site.answered(number, pair.now, done=False))
    pair.pump()
    assert fates(pair)[-1] == (Fate.REFUSED, "the site cannot do M0002")


def test_orders_and_requests_have_a_limit(pair: Pair) -> None:
    pair.connect()
    pair.obeys = False
    for _ in range(256):
        pair.order("M0002", status="True", timeplan="1")
    with pytest.raises(CannotAsk, match="too many"):
        pair.order("M0002", status="True", timeplan="1")


def test_nothing_is_asked_of_a_site_that_is_not_attached(pair: Pair) -> None:
    link = pair.supervisor.open()
    with pytest.raises(CannotAsk, match="not attached"):
        link.order(MAIN, {"M0004": {"status": "True"}}, pair.now)


def test_what_is_not_kept_is_not_acknowledged(pair: Pair) -> None:
    pair.keeps = False
    pair.connect()
    pair.alarm("A0001")
    assert pair.link is not None
    assert pair.link.owed > 0
    assert pair.kinds("post").count("MessageAck") == 2
    receipts = [each.receipt for each in pair.told(AlarmTold)]
    pair.post(pair.link.kept(receipts, pair.now))
    pair.post(pair.link.kept(receipts, pair.now))
    pair.pump()
    assert pair.kinds("post").count("MessageAck") == 2 + len(receipts)


def test_the_aggregated_status_is_told_on_change_and_asked_for(pair: Pair) -> None:
    pair.connect()
    pair.box(pair.site.mode({Bit.LOCAL, Bit.IN_USE, Bit.FAULT_1}, pair.now))
    pair.pump()
    pair.do(lambda link: link.ask_aggregated(MAIN, pair.now))
    assert [each.bits for each in pair.told(AggregatedTold)][1:] == [(True, *(False,) * 4, True, False, False)] * 2


def test_a_site_that_is_expelled_is_let_go_and_not_let_in_again(pair: Pair) -> None:
    pair.connect()
    link = pair.link
    assert link is not None
    pair.obeys = False
    number = pair.order("M0004", status="True")
    events = pair.supervisor.expel("J-1", pair.now)
    assert events == (
        Settled("J-1", number, Fate.UNKNOWN, "the site was expelled"),
        Detached("J-1", "the site was expelled"),
    )
    assert link.tick(pair.now).close == "the site was expelled"
    pair.connect()
    assert pair.told(Rejected)
    with pytest.raises(ValueError, match="is another site's"):
        Supervisor([ENROLMENT, Enrolment(("J-7", "J-1"), {})], seed="p")


def test_a_site_that_is_enrolled_anew_is_known_by_its_new_names_alone(pair: Pair) -> None:
    pair.supervisor.enrol(replace(ENROLMENT, names=("J-1", "J-1b")))
    pair.supervisor.enrol(replace(ENROLMENT, certificate="junction-1"))
    for names in (("J-1b",), ("J-1",)):
        pair.setup = replace(SETUP, names=names)
        pair.__post_init__()
        pair.connect()
    assert [each.why for each in pair.told(Rejected)] == [
        "site id ['J-1b'] is not known here",
        "site id ['J-1'] is not the certificate's",
    ]


def test_two_strict_ends_understand_each_other(rsmp: Standard) -> None:
    pair = Pair(rsmp, replace(SETUP, strict=True))
    pair.supervisor = Supervisor([ENROLMENT], seed="post", strict=True)
    pair.observe("S0001", signalgroupstatus="A")
    pair.want(groups=Rate(5))
    pair.connect()
    pair.alarm("A0001")
    for about in (About.ACKNOWLEDGE, About.SUSPEND, About.REQUEST, About.RESUME):
        pair.do(lambda link, about=about: link.about_alarm(MAIN, "A0001", about, pair.now))  # type: ignore[misc]
    pair.order("M0002", status="True", timeplan="3")
    pair.cut()
    pair.observe("S0001", signalgroupstatus="B")
    pair.connect()
    assert pair.values(GROUPS)[-1] == ("B", "old")
    assert pair.site.tally.malformed == 0
    assert not pair.told(Garbled)


def test_values_that_the_list_does_not_have_are_passed_over_and_told(pair: Pair) -> None:
    pair.observe("S0014", status="4", source="forced")
    pair.connect()
    pair.post(pair.link.ask(MAIN, [("S0014", "status"), ("S0014", "source")], pair.now)[1])  # type: ignore[union-attr]
    pair.pump(up_bytes=0, down_bytes=10_000)
    pair.up = pair.up.replace(b'"s":"forced"', b'"s":"unheard"')
    pair.pump()
    assert [each.name for each in pair.told(StatusTold)[-1].values] == ["status"]
    assert "unheard" in pair.told(Garbled)[-1].why
