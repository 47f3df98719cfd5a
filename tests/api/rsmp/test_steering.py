"""Steering through a door: what sites tell is put together and bounded, what is asked of them is what people want."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence

import numpy as np
import pytest
import structlog

from tests.api.rsmp.test_door import JUNCTION, Disk
from tests.orders import GATEWAY, Bench
from tests.services.signals.control.sites import crossroads
from tests.transports.test_tcp import comes
from vigie.api.rsmp import Listening, Means, Memory, RsmpDoor, RsmpSteering, Site
from vigie.api.rsmp.hearing import SECONDS_MAX, Ear, counted
from vigie.core.times import SECOND_US
from vigie.protocols.rsmp import Act, CannotAsk, Enrolment, Link, Moment, Of, Quality, Turn, Way
from vigie.protocols.rsmp.events import AlarmState, AlarmTold, StatusTold, Told
from vigie.protocols.rsmp.inputs import standing
from vigie.protocols.rsmp.messages import About
from vigie.protocols.rsmp.times import stamp
from vigie.services.signals import NO_STAGE_INPUTS, SIGNALS_UNSAFE, Detector
from vigie.services.signals.control.site import Site as Document
from vigie.services.signals.control.steering import FOLLOWED_S, Asking, Because, Steering
from vigie.services.signals.control.steering import Told as ToldOf
from vigie.services.signals.priority.passages import Passage

RED, BOTH = "BBBB", "1111"
NOBODY = ",".join("0" * 8)


class Wire(RsmpDoor):
    """The door with a site that is there, and takes what it is asked as long as it does. sent: all of that."""

    ways: Sequence[Way] = (Way.INPUTS,)
    takes = True

    def __init__(self, bench: Bench, first: int) -> None:
        super().__init__(Means(bench.clock, Disk().take, lambda number: JUNCTION), Listening("", 0), seed="x")
        self.sent: list[tuple[str, str]] = []
        self.load([(GATEWAY, Enrolment(("J",), {"TC": Of.CONTROLLER}, ("1", "2"), stage_inputs=first))])

    def is_linked(self, site: Site) -> bool:
        return True

    def acts(self, site: Site) -> dict[Way, Act]:
        return {way: Act(way, "", ()) for way in self.ways}

    def ask(self, site: Site, act: Callable[[Link, Moment], tuple[str, Turn]]) -> str:
        return act(self, Moment.at(0))[0]  # type: ignore[arg-type]

    def order(self, component: str, commands: dict[str, dict[str, str]], moment: Moment) -> tuple[str, Turn]:
        """As a link does."""
        if not self.takes:
            raise CannotAsk("too many")
        for values in commands.values():
            self.sent.append((values.get("input", ""), values["status"]))
        return "1", Turn()


class Post:
    """A post that steers one cross-roads, the seconds of which a test tells."""

    def __init__(self, bench: Bench, monkeypatch: pytest.MonkeyPatch, first: int = 1) -> None:
        self.bench, self.kept = bench, list[str]()
        self.documents: dict[str, Document] = {JUNCTION: crossroads()}
        monkeypatch.setattr("vigie.api.rsmp.steering.sites_of", lambda engine: self.documents)
        self.wire = Wire(bench, first)
        self.number = bench.engine.registry.numbers[JUNCTION]
        self.steering = self.started()
        self.inputs = standing(set(), 8)

    def started(self) -> RsmpSteering:
        async def write(text: str) -> None:
            self.kept[:] = [text]

        memory = Memory(lambda: self.kept[0] if self.kept else None, write)
        return RsmpSteering(self.wire, self.bench.engine, self.bench.clock, memory, lambda number: JUNCTION)

    async def take(self, ordered_us: int = 1) -> object:
        return await self.steering.take(self.wire.sites["J"], self.number, ordered_us)

    def tell(self, groups: str = RED, vehicles: str = NOBODY, *, ago_s: int = 0) -> None:
        """A second, and that it is over: the next begins."""
        self.bench.later(1)
        begun = stamp(self.bench.clock.now_us() - ago_s * SECOND_US)
        values = [("S0003", "inputstatus", self.inputs), ("S0001", "signalgroupstatus", groups)]
        values += [("S0207", "occupancy", NOBODY), ("S0205", "vehicles", vehicles), ("S0205", "start", begun)]
        self.steering._hear(self.wire.sites["J"], told(self.bench.clock.now_us(), *values))

    async def pass_(self, seconds: int, groups: str = RED, vehicles: str = NOBODY, *, ago_s: int = 0) -> None:
        for _ in range(seconds):
            self.tell(groups, vehicles, ago_s=ago_s)
            await self.steering.step()

    @property
    def because(self) -> Because:
        return self.steering.deciding(JUNCTION).because

    @property
    def is_unsafe(self) -> bool:
        """Whether an alarm says so."""
        return bool(self.bench.engine.is_open(SIGNALS_UNSAFE, np.array([self.number], np.int64))[0])


def told(at_us: int, *values: tuple[str, str, str]) -> StatusTold:
    return StatusTold("J", "TC", at_us, tuple(Told(*each, Quality.RECENT) for each in values), asked=False, receipt="")


@pytest.fixture
def post(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Post:
    return Post(bench, monkeypatch)


def runs(story: Awaitable[None]) -> None:
    async def whole() -> None:
        await story

    asyncio.run(whole())


@pytest.mark.parametrize("late", [False, True], ids=["in order", "colours last"])
def test_of_a_second_it_does_not_matter_what_is_told_first(*, late: bool) -> None:
    ear, shown = Ear(), ("BBBB", "1BBB", "NBBB", "BBBB")
    for at, groups in enumerate((*shown, "BBBB")):
        us = at * SECOND_US
        colours = told(us, ("S0001", "signalgroupstatus", groups))
        counts = told(us, ("S0205", "start", stamp(us)), ("S0205", "vehicles", f"{at}"))
        for each in [counts, colours] if late else [colours, counts]:
            ear.hear(each)
    assert [each.groups for each in ear.drain()] == list(shown[1:])


def test_what_is_held_of_a_site_is_bounded_whatever_it_says() -> None:
    ear = Ear()
    for at in range(3 * SECONDS_MAX):
        us = at * SECOND_US
        ear.hear(told(us, ("S0001", "signalgroupstatus", "B" * 900_000), ("S0205", "start", stamp(us))))
    assert len(ear.seconds) == SECONDS_MAX
    assert {each.groups for each in ear.seconds} == {""}


def test_what_is_no_count_says_nothing() -> None:
    assert counted("--5,-1,,12,1" + "0" * 4_000 + ",65535,٣") == [-1, -1, -1, 12, -1, 65_535, -1]


def test_no_second_is_kept_of_a_site_that_is_not_steered(post: Post) -> None:
    for _ in range(5):
        post.tell()
    assert post.steering._ears["J"].seconds == []


def test_rubbish_for_counts_costs_a_step_nothing(post: Post) -> None:
    async def story() -> None:
        await post.take()
        await post.pass_(4)
        await post.pass_(4, vehicles="--5," + "9" * 5_000)
        assert post.because is Because.DETECTORS

    runs(story())


def test_loops_that_count_on_are_not_believed_once_the_controller_finds_them_faulty(post: Post) -> None:
    def find(logics: range, *, active: bool) -> None:
        state, at_us = AlarmState(active, False, False), post.bench.clock.now_us()
        telling = post.wire.sites["J"].telling
        telling.readings(
            [AlarmTold("J", f"DL{n:03}", "A0302", About.ISSUE, at_us, state, 3, {}, False, "") for n in logics]
        )

    def faulty() -> int:
        return sum(each.faulty for each in post.steering.deciding(JUNCTION).counted)

    async def story() -> None:
        await post.take()
        await post.pass_(3)
        find(range(1, 5), active=True)
        await post.pass_(3)
        assert (post.because, faulty()) == (Because.ORDERED, 4)
        find(range(5, 6), active=True)
        # A ninth it has not.
        find(range(9, 10), active=True)
        await post.pass_(3)
        assert (post.because, faulty()) == (Because.DETECTORS, 5)
        find(range(1, 6), active=False)
        await post.pass_(2)
        assert (post.because, faulty()) == (Because.SETTLING, 0)

    runs(story())


def test_minutes_are_told_that_were_heard_and_none_of_who_is_away(post: Post) -> None:
    told = list[tuple[str, float, int]]()
    site = post.wire.sites["J"]
    site.detectors = {"d1": 1}
    post.wire.keep_flows = lambda site, rows: told.extend(  # type: ignore[method-assign]
        (point.name, value, at_us) for _, point, value, at_us in rows if point is Detector.flow
    )

    async def story() -> None:
        await post.take()
        await post.pass_(45, vehicles="1,0,0,0,0,0,0,0")
        assert told == []
        await post.pass_(20, vehicles="1,0,0,0,0,0,0,0")
        ((_, flow, at_us),) = told
        assert (flow, 0 <= post.bench.clock.now_us() - at_us <= 20 * SECOND_US) == (3_600.0, True)
        # Its link is lost: nobody knows who passes.
        for _ in range(200):
            post.bench.later(1)
            await post.steering.step()
        assert len(told) == 1
        # Back: of a minute of which little was heard nothing is told.
        await post.pass_(45)
        assert len(told) == 1
        await post.pass_(15)
        assert [value for _, value, _ in told] == [3_600.0, 0.0]

    runs(story())


def test_an_alarm_is_raised_again_where_somebody_takes_what_is_still_unsafe(post: Post) -> None:
    async def story() -> None:
        await post.take()
        await post.pass_(3)
        await post.pass_(2, BOTH)
        assert (post.because, post.is_unsafe) == (Because.UNSAFE, True)
        await post.take()
        assert not post.is_unsafe
        await post.pass_(2, BOTH)
        assert (post.because, post.is_unsafe) == (Because.UNSAFE, True)

    runs(story())


def test_what_decides_is_made_beside_the_loop(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    threads, keep = list[threading.Thread](), Steering.keep
    monkeypatch.setattr(Steering, "keep", lambda *args: (threads.append(threading.current_thread()), keep(*args))[1])

    async def story() -> None:
        await post.take()
        await post.steering.step()

    runs(story())
    assert threads
    assert threading.main_thread() not in threads


def test_nothing_is_asked_once_a_lock_out_is_placed(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    step = Steering.step

    def slow(steering: Steering, told: dict[str, ToldOf], passages: Sequence[Passage]) -> list[Asking]:
        # A crew locks out while the step is computed.
        post.bench.engine.consignations.held[post.number] = 1
        return step(steering, told, passages)

    async def story() -> None:
        await post.take()
        await post.pass_(1)
        monkeypatch.setattr(Steering, "step", slow)
        await post.pass_(1)
        assert post.because is Because.ORDERED
        await post.steering.let_go(post.number, 2)
        assert (post.wire.sent, post.steering.asked) == ([], 0)

    runs(story())


def test_an_order_that_comes_again_does_not_end_what_was_ordered_after_it(post: Post) -> None:
    async def story() -> None:
        await post.take(ordered_us=20)
        await post.steering.let_go(post.number, 10)
        assert post.steering.deciding(JUNCTION).ordered
        post.steering = post.started()
        await post.steering.let_go(post.number, 10)
        assert post.steering.deciding(JUNCTION).ordered
        await post.steering.let_go(post.number, 30)
        assert not post.steering.deciding(JUNCTION).ordered

    runs(story())


def test_nobody_is_steered_by_seconds_of_long_ago(post: Post) -> None:
    async def story() -> None:
        await post.take()
        await post.pass_(5, ago_s=600)
        assert (post.because, post.wire.sent) == (Because.LATE, [])
        # Its clock is known to be wrong by that.
        post.wire.sites["J"].ahead_us = -600 * SECOND_US
        await post.pass_(2, ago_s=600)
        assert post.because is Because.ORDERED

    runs(story())


@pytest.mark.parametrize("ways", [(Way.INPUTS,), ()], ids=["refused later", "no way"])
def test_who_does_not_follow_is_said_not_to(post: Post, ways: Sequence[Way]) -> None:
    post.wire.ways = ways

    async def story() -> None:
        await post.take()
        await post.pass_(FOLLOWED_S + 1)
        assert post.because is Because.ORDERED
        await post.pass_(3)
        assert post.because is Because.NOT_FOLLOWED
        assert (post.steering.asked > 0) == bool(ways)
        assert post.steering.asked == sum(not each.startswith("1,0,") for _, each in post.wire.sent)

    runs(story())


def test_one_by_one_no_other_input_stays_on(post: Post) -> None:
    post.wire.ways, ask = (Way.INPUT,), lambda stage: post.steering._ask(Asking(JUNCTION, stage))

    async def story() -> None:
        await post.take()
        await post.steering.step()
        # Nothing is known of the inputs, as after a start.
        ask(0)
        assert post.wire.sent == [("1", "True"), ("2", "False")]
        # What was not asked changes nothing.
        post.wire.takes = False
        ask(1)
        post.wire.takes, post.wire.sent = True, []
        ask(1)
        assert post.wire.sent == [("2", "True"), ("1", "False")]
        # The release was lost: it is said again as long as the input stands.
        post.inputs = standing({1, 2, 7}, 8)
        post.tell()
        post.wire.sent = []
        ask(1)
        assert post.wire.sent == [("2", "True"), ("1", "False")]

    runs(story())


def test_a_withdrawn_document_leaves_no_input_on(post: Post) -> None:
    async def story() -> None:
        await post.take()
        await post.pass_(3)
        post.documents, post.steering._read_at, post.steering._known = {}, -1, ()
        await post.steering.step()
        assert post.wire.sent[-1] == ("", "1,0,3")
        assert post.because is Because.UNFIT

    runs(story())


def test_steps_follow_the_clock_and_no_site(post: Post) -> None:
    async def story() -> None:
        await post.take()
        running = asyncio.create_task(post.steering.run())
        for _ in range(60):
            post.tell()
            await asyncio.sleep(0.01)
        running.cancel()
        assert post.steering.steps <= 2

    runs(story())


def test_after_a_fault_nobody_is_said_to_be_steered(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        await post.take()
        await post.pass_(3)
        assert post.because is Because.ORDERED
        monkeypatch.setattr(Steering, "step", lambda steering, told, passages: 1 // 0)
        running = asyncio.create_task(post.steering.run())
        post.tell()
        await comes(lambda: post.because is Because.STARTING)
        running.cancel()

    runs(story())


def test_who_comes_and_goes_is_not_told_each_time(post: Post) -> None:
    async def story() -> None:
        await post.take()
        with structlog.testing.capture_logs() as logs:
            for at in range(60):
                await post.pass_(1, RED if at % 2 else "cccc")
        assert len(logs) <= 2

    runs(story())


def test_a_site_without_an_input_for_each_stage_is_not_taken(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    post = Post(bench, monkeypatch, first=255)

    async def story() -> None:
        assert await post.take() is NO_STAGE_INPUTS
        # One that was ordered when it had them.
        post.kept = [f'["{JUNCTION}"]']
        post.steering = post.started()
        assert post.because is Because.STARTING
        assert post.steering.deciding(JUNCTION).fallen is None, "it is about to be looked at"
        await post.steering.step()
        assert post.because is Because.NO_INPUTS
        assert post.steering.deciding(JUNCTION).fallen == "no_inputs"

    runs(story())
