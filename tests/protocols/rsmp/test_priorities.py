"""A vehicle's request to go first, from both ends: what is asked, what becomes of it, and that the list allows it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.protocols.rsmp.pair import ENROLMENT, MAIN, NOW_US, SETUP, Pair
from tests.protocols.rsmp.standard import Standard
from vigie.core.times import SECOND_US
from vigie.protocols.rsmp import CannotAsk, Rate, Supervisor
from vigie.protocols.rsmp.events import Fate, Ordered, Settled, StatusTold
from vigie.protocols.rsmp.priorities import (
    AGAIN_S,
    AHEAD_S,
    COOLS_S,
    ENDS,
    MOVES,
    ORDER,
    QUEUED_S_MAX,
    REQUESTS_MAX,
    SERVED_S_MAX,
    STATUS,
    Priorities,
    Requests,
    Want,
    records,
)

FIRST, SECOND = (("inputId", "1"),), (("inputId", "2"),)
SERVES = frozenset({("inputId", "1"), ("inputId", "2")})


def bus(eta_s: float = 20.0, at: tuple[tuple[str, str], ...] = FIRST, level: int = 5) -> Want:
    return Want(at, level, eta_s, "bus")


@dataclass
class Talk:
    """Both ends over a connection that is judged by the schemas of its version."""

    pair: Pair
    requests: Requests = field(default_factory=lambda: Requests("r"))
    priorities: Priorities = field(default_factory=lambda: Priorities(SERVES))
    works: bool = True
    serves: tuple[tuple[str, str], ...] = ()
    said: list[list[tuple[str, str]]] = field(default_factory=list)
    heard: int = 0

    def __post_init__(self) -> None:
        self.pair.obeys = False
        self.pair.observe(STATUS, status=[])
        self.pair.supervisor.want("J-1", MAIN, {(STATUS, "status"): Rate()})
        self.pair.connect()

    def second(self, wants: dict[int, Want], passes_s: float = 1.0) -> None:
        """A second on at both ends."""
        self.pair.wait(passes_s, step_s=passes_s)
        assert self.pair.link is not None
        for values in self.requests.turn(wants, self.pair.now.clock_us):
            self.pair.post(self.pair.link.order(MAIN, {ORDER: values}, self.pair.now)[1])
            self.pair.pump()
        for each in [each for each in self.pair.learnt if isinstance(each, Ordered)]:
            self.pair.learnt.remove(each)
            done = self.priorities.order(each.commands[ORDER], self.pair.now.clock_us)
            self.pair.box(self.pair.site.answered(each.number, self.pair.now, done=done))
            self.tell()
        self.serves = self.priorities.turn(self.pair.now.clock_us, works=self.works)
        self.tell()

    def tell(self) -> None:
        self.pair.observe(STATUS, status=self.priorities.told())
        told = [each for each in self.pair.heard if isinstance(each, StatusTold)]
        for each in told[self.heard :]:
            found = records(each.values[0].value)
            self.said.append([(one["r"], one["s"]) for one in found])
            self.requests.hear(found, self.pair.now.clock_us)
        self.heard = len(told)

    @property
    def fates(self) -> list[Fate]:
        return [each.fate for each in self.pair.heard if isinstance(each, Settled)]


@pytest.fixture(params=["1.1.0", "1.2.1"])
def talk(request: pytest.FixtureRequest, rsmp: Standard) -> Talk:
    return Talk(Pair(rsmp, replace(SETUP, sxl=request.param)))


def test_a_bus_is_asked_for_served_and_cancelled_as_the_list_says(talk: Talk) -> None:
    talk.second({7: bus(AHEAD_S + 2)})
    assert (talk.requests.states[7], talk.serves) == ("queued", ())
    talk.second({7: bus(AHEAD_S - 1)}, passes_s=3)
    assert (talk.requests.states[7], talk.serves) == ("activated", FIRST)
    talk.second({})
    assert talk.serves == ()
    assert ("r-1", "completed") in talk.said[-2] + talk.said[-1]
    talk.second({})
    assert talk.said[-1] == []
    assert set(talk.fates) == {Fate.DONE}
    assert talk.requests.states == {}


def test_that_somebody_comes_as_was_said_is_not_said_again(talk: Talk) -> None:
    sent = list[str]()
    for at in range(20):
        sent += [each["type"] for each in talk.requests.turn({7: bus(30.0 - at)}, NOW_US + at * SECOND_US)]
    assert sent == ["new"]
    assert [each["type"] for each in talk.requests.turn({7: bus(30.0)}, NOW_US + 20 * SECOND_US)] == ["update"]
    assert [each["type"] for each in talk.requests.turn({7: bus(29, level=9)}, NOW_US + 21 * SECOND_US)] == ["update"]
    # Who is late at the line is due, again and again.
    assert talk.requests.turn({7: bus(0.0, level=9)}, NOW_US + 60 * SECOND_US) == []


def test_one_is_served_at_a_time_and_the_highest_first(talk: Talk) -> None:
    talk.second({1: bus(5, level=4), 2: bus(5, SECOND, level=9), 3: bus(5, SECOND, level=4)})
    assert (talk.serves, dict(talk.requests.states)) == (SECOND, {1: "queued", 2: "activated", 3: "queued"})
    talk.second({1: bus(5, level=4), 3: bus(5, SECOND, level=4)})
    assert talk.serves == FIRST
    # The rest waits for so long and no longer.
    talk.second({1: bus(5, level=4), 3: bus(5, SECOND, level=4)}, passes_s=SERVED_S_MAX + 1)
    assert talk.requests.states[1] == "stale"


def test_what_nobody_cancels_ends_by_itself(talk: Talk) -> None:
    talk.second({1: bus(0), 2: bus(0, SECOND)})
    for passes_s in (SERVED_S_MAX + 1, 1, QUEUED_S_MAX):
        talk.second({1: bus(0), 2: bus(0, SECOND)}, passes_s=passes_s)
    assert [state for each in talk.said for _, state in each if state in ENDS][:1] == ["stale"]
    assert talk.requests.states.keys() <= {1, 2}


def test_a_controller_that_does_not_run_its_plan_rejects_and_is_asked_again_after_a_while(talk: Talk) -> None:
    talk.works = False
    talk.second({1: bus()})
    assert talk.requests.states[1] == "rejected"
    talk.works = True
    talk.second({1: bus()}, passes_s=AGAIN_S / 2)
    assert talk.serves == ()
    talk.second({1: bus()}, passes_s=AGAIN_S)
    assert talk.serves == FIRST


def test_what_a_site_does_not_know_it_rejects(talk: Talk) -> None:
    talk.second({1: bus(at=(("inputId", "9"),)), 2: bus(at=(("signalGroupId", "nowhere"),))})
    assert set(talk.requests.states.values()) == {"rejected"}


def test_the_same_is_not_served_again_at_once_but_for_an_emergency(talk: Talk) -> None:
    talk.second({1: bus(0)})
    talk.second({})
    talk.second({2: bus(0)})
    assert talk.requests.states[2] == "cooldown"
    talk.second({3: Want(FIRST, 14, 0, "emergency")})
    assert talk.serves == FIRST
    talk.second({})
    talk.second({4: bus(0)}, passes_s=COOLS_S + 1)
    assert talk.serves == FIRST


def test_a_request_that_is_none_is_not_done(talk: Talk) -> None:
    done = talk.priorities.order
    new = {"requestId": "a", "inputId": "1", "type": "new", "level": "3"}
    assert not done({"requestId": "a", "type": "update", "level": "3"}, NOW_US)
    assert done(new, NOW_US)
    assert not done(new, NOW_US)
    assert done({**new, "type": "update"}, NOW_US)
    assert not done({**new, "inputId": "2", "type": "update"}, NOW_US), "what it names cannot be changed"
    assert not done({**new, "inputId": "2", "type": "cancel"}, NOW_US)
    assert done({"requestId": "gone", "type": "cancel", "level": "3"}, NOW_US)
    assert sum(done({**new, "requestId": str(n)}, NOW_US) for n in range(2 * REQUESTS_MAX)) == REQUESTS_MAX - 1


def test_who_cancels_may_name_again_what_was_asked_for() -> None:
    site = Priorities(SERVES)
    assert site.order({"requestId": "a", "inputId": "1", "type": "new", "level": "3", "eta": "5"}, NOW_US)
    assert site.turn(NOW_US, works=True) == FIRST
    assert site.order({"requestId": "a", "inputId": "1", "type": "cancel", "level": "3"}, NOW_US)
    assert site.turn(NOW_US, works=True) == ()


def test_after_one_that_came_to_nothing_a_vehicle_that_went_and_came_waits_as_any_other() -> None:
    requests = Requests("r")
    requests.turn({1: bus()}, NOW_US)
    requests.hear([{"r": "r-1", "s": "rejected"}], NOW_US)
    assert requests.turn({}, NOW_US + SECOND_US) == []
    assert requests.turn({1: bus()}, NOW_US + 2 * SECOND_US) == []
    assert len(requests.turn({1: bus()}, NOW_US + int(AGAIN_S * SECOND_US))) == 1
    requests.hear([{"r": "r-2", "s": "rejected"}], NOW_US)
    # And keeps nobody else out meanwhile.
    others = {n: bus() for n in range(2, 2 * REQUESTS_MAX)}
    assert len(requests.turn(others, NOW_US + int(AGAIN_S * SECOND_US))) == REQUESTS_MAX


def test_a_request_goes_on_as_the_list_says_and_never_back() -> None:
    requests = Requests("r")
    requests.turn({1: bus()}, NOW_US)
    for told, state in (
        ("received", "received"), ("nonsense", "received"), ("activated", "activated"), ("received", "activated"),
        ("rejected", "activated"), ("queued", "activated"), ("completed", "completed"), ("activated", "completed"),
    ):  # fmt: skip
        requests.hear([{"r": "r-1", "s": told}], NOW_US)
        assert requests.states == {1: state}


def test_a_message_that_the_site_refuses_rejects_its_request_and_no_other() -> None:
    requests = Requests("r")
    requests.turn({1: bus(), 2: bus(), 3: bus()}, NOW_US)
    for vehicle in (1, 2, 3):
        requests.posted(f"r-{vehicle}", f"m{vehicle}")
    requests.hear([{"r": "r-3", "s": "activated"}], NOW_US)
    for message in ("m1", "m3", "m9", ""):
        requests.refused(message, NOW_US)
    assert requests.states == {1: "rejected", 2: "", 3: "activated"}
    assert [each["requestId"] for each in requests.turn({}, NOW_US)] == ["r-2", "r-3"]


def test_before_1_1_there_is_no_such_order(rsmp: Standard) -> None:
    pair = Pair(rsmp, replace(SETUP, sxl="1.0.15"), Supervisor([ENROLMENT], seed="post")).connect()
    assert pair.link is not None
    assert "priority" not in pair.supervisor.sites["J-1"].acts()
    with pytest.raises(CannotAsk):
        pair.link.order(MAIN, {ORDER: Requests("r").turn({1: bus()}, NOW_US)[0]}, pair.now)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "c"]), st.sampled_from(["new", "update", "cancel", ""]), st.integers(0, 14),
            st.integers(0, 255), st.sampled_from(["1", "2", "9"]), st.integers(0, 90), st.booleans(),
        ),
        max_size=30,
    )
)  # fmt: skip
def test_whatever_is_asked_states_follow_the_table_and_an_end_is_told_once(
    story: list[tuple[str, str, int, int, str, int, bool]],
) -> None:
    priorities, now_us, before = Priorities(SERVES), NOW_US, dict[str, str]()
    for number, what, level, eta_s, at, later_s, works in story:
        now_us += later_s * SECOND_US
        if what:
            values = {"requestId": number, "type": what, "level": str(level), "eta": str(eta_s)}
            priorities.order(values | ({"inputId": at} if what == "new" else {}), now_us)
        serves = priorities.turn(now_us, works=works)
        states = {each["r"]: each["s"] for each in priorities.told()}
        for each, state in states.items():
            # A request is received, judged, and may be served, all in one second.
            steps = {before.get(each, "received")}
            for _ in range(3):
                steps |= {after for one in steps for after in MOVES[one]}
            assert state in steps
            assert before.get(each) not in ENDS or before[each] != state or what == "new"
        assert list(states.values()).count("activated") == bool(serves)
        assert not serves or works
        before = states
