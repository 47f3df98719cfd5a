"""A replay over a faulty way to the post: paced, nothing lost, nothing twice under another instant."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.times import SECOND_US
from vigie.protocols.feeds import Observation, Shift, course_of
from vigie.protocols.plain import decode_array
from vigie.sim.replay import Mark, Replay, ReplayRefused
from vigie.transports.device_http import HttpAnswer

START = 1_800_000_000 * SECOND_US


@dataclass
class Virtual:
    """A clock that moves when somebody waits."""

    at_us: int = START

    def now_us(self) -> int:
        return self.at_us

    async def sleep(self, seconds: float) -> None:
        assert 0 <= seconds <= 30
        self.at_us += max(round(seconds * SECOND_US), 1)


class Killed(BaseException):
    """The replay's own process ends."""


@dataclass
class Faulty:
    """A door that loses requests and answers, says it is busy, and sometimes ends the sender."""

    ground: Virtual
    dice: random.Random
    kills: float = 0.0
    held: dict[tuple[str, str, int], object] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)
    early: int = 0

    async def post(self, path: str, body: bytes) -> HttpAnswer:
        chance = self.dice.random()
        if chance < 0.15:
            raise ConnectionResetError("lost on its way")
        if chance < 0.3:
            return HttpAnswer(503, b"", 7.0)
        rows = decode_array(body)
        accepted = duplicate = 0
        for asset, point, value, at in zip(rows.assets, rows.points, rows.values, rows.observed_us, strict=True):
            self.early += at > self.ground.now_us()
            known = self.held.setdefault((asset, point, at), value)
            assert known == value
            duplicate += known is not value
            accepted += known is value
        if chance < 0.45:
            raise ConnectionResetError("the answer is lost")
        if self.dice.random() < self.kills:
            raise Killed
        told = {"accepted": accepted, "late": 0, "duplicate": duplicate, "rejected_total": 0, "rejected": []}
        return HttpAnswer(200, json.dumps(told).encode())

    async def get(self, path: str) -> HttpAnswer:
        raise AssertionError("a replay asks nothing")

    async def close(self) -> None:
        pass


def rows(seconds: list[int]) -> list[Observation]:
    return [(f"a{n % 3}", "flow", float(n), second * SECOND_US) for n, second in enumerate(sorted(seconds))]


@given(
    seconds=st.lists(st.integers(0, 20_000), min_size=1, max_size=200, unique=True),
    seed=st.integers(0, 2**32),
    way=st.sampled_from([(Shift.NOW, 60.0), (Shift.NOW, 1_000.0), (Shift.END, 0.0), (Shift.END, 500.0)]),
)
def test_whatever_the_way_and_however_often_killed_all_is_there_once(
    seconds: list[int], seed: int, way: tuple[Shift, float]
) -> None:
    said, ground, dice = rows(seconds), Virtual(), random.Random(seed)
    door = Faulty(ground, dice, kills=0.3)
    course = course_of(*way, said, zone="UTC", now_us=ground.now_us())
    kept = [msgspec.json.encode(Mark(feed="f", course=course))]
    while True:
        mark = msgspec.json.decode(kept[-1], type=Mark)
        replay = Replay(door, said, mark, ground, keep=lambda mark: kept.append(msgspec.json.encode(mark)))
        try:
            asyncio.run(replay.run())
            break
        except Killed:
            ground.at_us += 100 * SECOND_US
    expected = {(asset, point, course.observed_us(at)): value for asset, point, value, at in said}
    assert door.held == expected
    assert door.early == 0
    assert mark.done
    assert mark.sent == len(said) == mark.accepted + mark.duplicate


def test_it_is_paced_by_its_speed_and_leaves_a_busy_post_alone() -> None:
    said, ground = rows(list(range(0, 6_000, 60))), Virtual()
    course = course_of(Shift.NOW, 60.0, said, zone="UTC", now_us=START)
    calm = Faulty(ground, random.Random(1))
    calm.dice.random = lambda: 0.99  # type: ignore[method-assign]
    asyncio.run(Replay(calm, said, Mark(feed="f", course=course), ground).run())
    assert 99 <= (ground.at_us - START) / SECOND_US <= 101, "100 minutes at 60 times the speed of life"
    troubles: list[str] = []
    answers = iter([0.2, 0.2, 0.99, 0.99])
    calm.dice.random = lambda: next(answers)  # type: ignore[method-assign]
    before = ground.at_us
    calm.held.clear()
    mark = Mark(feed="f", course=course_of(Shift.END, 0.0, said[:1], zone="UTC", now_us=before))
    asyncio.run(Replay(calm, said[:1], mark, ground, tell=lambda mark, trouble: troubles.append(trouble)).run())
    assert ground.at_us - before == 14 * SECOND_US, "twice 7 s, as Retry-After said"
    assert "503; again in 7 s" in troubles[0]


def test_a_repetition_goes_on_where_the_feed_ended() -> None:
    said, ground = rows([0, 60, 120]), Virtual()
    door = Faulty(ground, random.Random(1))
    door.dice.random = lambda: 0.99  # type: ignore[method-assign]
    course = course_of(Shift.NOW, 60.0, said, zone="UTC", now_us=START)

    def enough(mark: Mark) -> None:
        if mark.round == 2:
            raise Killed

    with pytest.raises(Killed):
        asyncio.run(Replay(door, said, Mark(feed="f", course=course), ground, keep=enough, repeat=True).run())
    assert sorted({(at - START) // SECOND_US for _, _, at in door.held}) == [0, 1, 2, 3, 4, 5, 6]


def test_what_is_to_come_is_not_waited_for_when_told_so() -> None:
    said, ground = rows([0, 86_400, 3 * 86_400]), Virtual()
    door = Faulty(ground, random.Random(1))
    door.dice.random = lambda: 0.99  # type: ignore[method-assign]
    course = course_of(Shift.WEEK, 0.0, said, zone="UTC", now_us=START)
    mark = asyncio.run(Replay(door, said, Mark(feed="f", course=course), ground, until_now=True).run())
    assert len(door.held) == mark.next < 3
    assert not mark.done


def test_a_post_that_will_not_have_it_is_not_asked_again() -> None:
    class Closed(Faulty):
        async def post(self, path: str, body: bytes) -> HttpAnswer:
            return HttpAnswer(401, b'{"title": "Who speaks?"}')

    said = rows([0])
    course = course_of(Shift.END, 0.0, said, zone="UTC", now_us=START)
    replay = Replay(Closed(Virtual(), random.Random(1)), said, Mark(feed="f", course=course), Virtual())
    with pytest.raises(ReplayRefused, match=r"401.*Who speaks"):
        asyncio.run(replay.run())
