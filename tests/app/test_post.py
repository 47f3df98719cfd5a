"""The running post, and what happens around it: here, a server whose clock is set while it works."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.city import open_facts
from tests.people import Browser, make_people
from tests.post import RunningPost, make, now_us, reading, running
from tests.test_crash import LAMP_IDS
from vigie.app import installation, journal_key
from vigie.app import post as post_module
from vigie.app.installation import Installation
from vigie.app.post import Post
from vigie.core.drafts import Draft
from vigie.core.facts import ConditionRaised, DeviceAdmitted, Entry
from vigie.core.times import SECOND_US
from vigie.services.desk import FACT_SET_ASIDE
from vigie.services.lighting.kinds import Luminaire
from vigie.services.lighting.ondemand.model import OnDemand, Trigger
from vigie.services.lighting.plans import ON_DEMAND
from vigie.settings import Settings

# Takes the place of the server's clock before anything else is loaded; how far it is off is read from a file.
CLOCK = """
import time
from pathlib import Path

_true, _set = time.time_ns, Path({path!r})

def _time_ns():
    try:
        return _true() + int(_set.read_text() or 0) * 1_000_000_000
    except OSError:
        return _true()

time.time_ns = _time_ns
"""

HOUR_S = 3_600


class Server:
    """A machine whose clock may be set."""

    def __init__(self, folder: Path) -> None:
        self._set = folder / "clock"
        (folder / "sitecustomize.py").write_text(CLOCK.format(path=str(self._set)))
        self.environment = {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}

    def set_clock(self, by_s: int) -> None:
        """Sets it that much off the true time."""
        self._set.write_text(str(by_s))


def jumps(data: Path) -> list[float]:
    """By how many seconds the journal says that the clock was set, each time."""
    facts = open_facts(data)
    try:
        said = [line.fact for line in facts.journal.lines(limit=1_000)]
        assert list(facts.journal.verify(journal_key(data).public_key()))[-1] == facts.journal.size
        raised = [fact for fact in said if isinstance(fact, ConditionRaised) and fact.kind == "clock_jumped"]
        return [float(fact.evidence["by_s"]) for fact in reversed(raised)]
    finally:
        facts.close()


def level(person: Browser, lamp: str) -> float:
    """The level of a lamp in the live picture."""
    points = person.ask("GET", f"/api/v1/assets/{lamp}").body["points"]
    return next(float(each["value"]) for each in points if each["point"] == "level")


def test_a_clock_that_is_set_is_written_down_and_moves_no_picture_back(tmp_path: Path) -> None:
    data, machine = tmp_path / "post", tmp_path / "machine"
    machine.mkdir()
    secret, server = make(data), Server(machine)
    make_people(data, ["operator"])
    one, two = LAMP_IDS[:2]
    with running(data, secret, environment=server.environment) as post:
        operator = Browser(post, "operator")
        assert sent(post, one, 10.0, now_us()) == "accepted"
        server.set_clock(HOUR_S)
        time.sleep(1.5)  # It looks at its clock each second.
        # By the new time, what devices say is an hour old: it is taken, and is the newest that is known.
        assert sent(post, one, 20.0, now_us()) == "accepted"
        assert level(operator, one) == 20.0
        # A device whose clock goes with the server's.
        assert sent(post, two, 30.0, now_us() + HOUR_S * SECOND_US) == "accepted"
        server.set_clock(0)
        time.sleep(1.5)
        # That lies an hour ahead now: what is observed now takes its place, and more of it is refused.
        assert sent(post, two, 40.0, now_us()) == "accepted"
        assert level(operator, two) == 40.0
        assert sent(post, two, 50.0, now_us() + HOUR_S * SECOND_US) == "future"
        assert sent(post, one, 60.0, now_us()) == "accepted"
        assert level(operator, one) == 60.0
        post.process.send_signal(signal.SIGTERM)
        assert post.process.wait(30) == 0
    there, back = jumps(data)
    assert abs(there - HOUR_S) < 5
    assert abs(back + HOUR_S) < 5


def sent(post: RunningPost, lamp: str, value: float, at_us: int) -> str:
    """What became of one observation."""
    told = post.send([reading(lamp, "level", value, at_us)]).body
    return "accepted" if told["accepted"] else str(told["rejected"][0]["outcome"])


def test_what_is_done_from_time_to_time_goes_on_after_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal cannot be signed and one fact cannot be written: the picture is kept all the same, and it is said."""
    monkeypatch.setattr(post_module, "FRAME_EVERY_S", 1)
    monkeypatch.setattr(post_module, "HEAD_EVERY_S", 1)

    async def lives(opened: Installation) -> None:
        post = Post(opened)
        async with post.life():
            wrong = DeviceAdmitted(id="wrong", at=now_us(), actor="test", device="x", count=1, items="")
            post.engine.owe([Entry(wrong, payload="not what its table takes")])
            for _ in range(100):
                if any(each.kind is FACT_SET_ASIDE for each in post.engine.conditions):
                    break
                await asyncio.sleep(0.1)
            kept = opened.observations.frames
            for frame in kept.iterdir():
                frame.unlink()
            for _ in range(100):
                if any(kept.iterdir()):
                    break
                await asyncio.sleep(0.1)
            assert any(kept.iterdir()), "the picture is kept"
            assert post.engine.owed == 0

    with installation(Settings(data=tmp_path)) as opened:
        monkeypatch.setattr(opened, "sign_head", lambda: 1 / 0)
        asyncio.run(lives(opened))
        said = [line.fact for line in opened.facts.journal.lines(limit=10)]
    raised = next(fact for fact in said if isinstance(fact, ConditionRaised))
    assert (raised.kind, raised.evidence["fact"], raised.evidence["id"]) == (
        "fact_set_aside",
        "DeviceAdmitted",
        "wrong",
    )


def test_a_post_prepares_what_is_in_force_of_light_on_demand_and_lets_go_of_what_is_withdrawn(tmp_path: Path) -> None:
    rule = OnDemand(name="Sentier", level=80, triggers=(Trigger.MOTION, Trigger.BUS))

    async def lives(opened: Installation) -> None:
        post = Post(opened)

        async def hears(points: int) -> bool:
            for _ in range(100):
                if post.engine.automations.hears.sum() == points:
                    return True
                await asyncio.sleep(0.1)
            return False

        async with post.life():
            plan = post.acts.make_plan(ON_DEMAND, rule, actor="u-manager", reason="")
            post.acts.move_plan(plan, "approve", number=1, revision=1, actor="u-other", reason="")
            assert await hears(3)
            post.acts.move_plan(plan, "withdraw", number=1, actor="u-other", revision=1, reason="")
            assert await hears(0)

    make(tmp_path / "post")
    with installation(Settings(data=tmp_path / "post")) as opened:
        asyncio.run(lives(opened))


def test_what_automations_need_holds_up_no_beat_and_is_left_alone_for_a_while_where_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, goes_on, tried, beats = threading.Event(), asyncio.Event(), list[int](), list[int]()

    def fails(_due: object, _known: object) -> None:
        tried.append(len(beats))
        held.wait(20)
        raise ValueError("a fault")

    def ticks() -> None:
        beats.append(len(tried))
        if beats.count(1) == 2:
            goes_on.set()
        raise ValueError("another")

    async def lives(opened: Installation) -> None:
        post = Post(opened)
        swept: list[int] = []
        monkeypatch.setattr(post.engine.automations, "prepare", fails)
        monkeypatch.setattr(post.acts, "tick", ticks)
        monkeypatch.setattr(post.engine, "sweep", swept.append)
        rule = OnDemand(name="Sentier", level=80, triggers=(Trigger.MOTION,))
        plan = post.acts.make_plan(ON_DEMAND, rule, actor="u-manager", reason="")
        post.acts.move_plan(plan, "approve", number=1, revision=1, actor="u-other", reason="")
        async with post.life():
            await goes_on.wait()
            assert len(swept) >= 2, "a fault in one thing stops no other"
            held.set()
        monkeypatch.setattr(post_module, "AGAIN_S", 0)
        with pytest.raises(ValueError, match="a fault"):
            await post.prepare()
        assert len(tried) == 2
        monkeypatch.setattr(post_module, "AGAIN_S", 60)
        await post.prepare()
        assert len(tried) == 2

    make(tmp_path / "post")
    with installation(Settings(data=tmp_path / "post")) as opened:
        asyncio.run(asyncio.wait_for(lives(opened), 30))


def test_a_post_reads_the_inventory_by_itself_and_again_when_it_has_changed(tmp_path: Path) -> None:
    async def lives(opened: Installation) -> None:
        post = Post(opened)
        engine = post.engine

        async def swept() -> bool:
            for _ in range(100):
                if engine.attributes.are_warm and engine.sweep(now_us()):
                    return True
                await asyncio.sleep(0.1)
            return False

        async with post.life():
            assert not engine.attributes.are_warm
            assert await swept()
            draft = Draft(key="new", kind="luminaire", lon=5, lat=47, attributes={"rated_power": 33.0})
            lamp = post.acts.make_asset(draft, 0, actor="test", reason="a new head")
            assert not engine.attributes.are_warm, "it is owed: what the store says would be without it"
            assert await swept()
            rated = engine.attribute(Luminaire, Luminaire.rated_power, np.array([lamp]))
            assert rated.tolist() == [33.0]

    make(tmp_path / "post")
    with installation(Settings(data=tmp_path / "post")) as opened:
        asyncio.run(lives(opened))


def test_sealing_holds_up_no_beat_and_the_end_waits_for_the_night_that_it_is_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post_module, "SEAL_EVERY_S", 1)
    begun, over = threading.Event(), list[bool]()

    def seals(go_on: Callable[[], bool]) -> None:
        begun.set()
        while go_on():
            time.sleep(0.01)
        over.append(go_on())

    async def lives(opened: Installation) -> None:
        post, beats = Post(opened), asyncio.Event()
        monkeypatch.setattr(post.acts, "tick", lambda: beats.set() if begun.is_set() else None)
        async with post.life():
            await beats.wait()
            assert not over
        assert over == [False], "and nothing is begun after it"

    make(tmp_path / "post")
    with installation(Settings(data=tmp_path / "post")) as opened:
        monkeypatch.setattr(opened, "seal", seals)
        asyncio.run(asyncio.wait_for(lives(opened), 30))
