"""A part of the town that drives: what its junctions show is safe, what they count is who passed, and it obeys."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.transports.test_tcp import comes
from vigie.core.times import SECOND_US
from vigie.services.signals.control.steering import loops_of
from vigie.services.signals.junction import LETTERS
from vigie.services.signals.safety import Kernel
from vigie.sim.city import City
from vigie.sim.life.crossings import planned
from vigie.sim.life.sky import local_hour
from vigie.sim.traffic import moving
from vigie.sim.traffic.driving import Driving
from vigie.sim.traffic.moving import NO_TOWN, Moving
from vigie.sim.traffic.shown import Asked, Frame
from vigie.sim.traffic.town import COUNT_S, Town, make_town, town_in
from vigie.sim.traffic.world import World

PART = (7, 8, 33, 61, 64, 70)
"""The junctions of the old town."""

PEAK_S = int(datetime(2026, 11, 24, 8, 0, tzinfo=ZoneInfo("Europe/Paris")).timestamp())
COLOURS = {letter: colour for colour, letter in LETTERS.items()}
JUNCTION = PART[2]


@pytest.fixture(scope="module")
def folder(city: City, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("part")
    make_town(city, folder, PART, peak_h=3_000)
    return folder


@pytest.fixture(scope="module")
def town(city: City, folder: Path) -> Town:
    town = town_in(folder, city.seed)
    assert town is not None
    return town


@pytest.fixture
def driving(town: Town, tmp_path: Path) -> Iterator[Driving]:
    with World(town.scenario, town.lights, tmp_path, seed=1, endless=True) as world:
        yield Driving(town, world, 1, PEAK_S)


def stage_inputs(town: Town) -> dict[int, int]:
    """For the junction asked, a stage of its own for each second of a minute or so."""
    light = town.lights[town.junctions.index(JUNCTION)]
    return {second: second // 20 % len(light.site.junction.stages) for second in range(120, 240)}


def test_a_morning_in_the_old_town(town: Town, driving: Driving) -> None:
    """Six minutes of the peak: one junction is asked for stages and then by nobody, one flashes for a minute."""
    stages, flashes = stage_inputs(town), town.junctions[0]
    judges = [Kernel(light.site.junction) for light in town.lights]
    passed = dict.fromkeys(PART, 0)
    decided: list[str] = []
    counted: dict[int, int] = {}
    frame = Frame(0, {})
    for at in range(360):
        if at in stages:
            driving.ask(Asked(JUNCTION, inputs=(1 + stages[at],)), PEAK_S + at)
        if at in (150, 210):
            driving.ask(Asked(flashes, mode="flashing" if at == 150 else "colours"), PEAK_S + at)
        frame = driving.second(PEAK_S + at)
        for number, (junction, judge) in enumerate(zip(town.junctions, judges, strict=True)):
            shown = frame.junctions[junction]
            loops = loops_of(town.lights[number].site)
            assert len(shown.vehicles) == len(shown.occupancies) == len(loops)
            assert len(shown.groups) == len(town.lights[number].site.junction.groups)
            passed[junction] += sum(shown.vehicles)
            if shown.mode == "flashing":
                assert (set(shown.groups), shown.stage) == ({"F"}, 0)
                judge.away()
            else:
                assert judge.see(tuple(COLOURS[letter] for letter in shown.groups)) == (), (junction, at)
        decided.append(frame.junctions[JUNCTION].decides)
        assert bool(frame.counted) is ((at + 1) % COUNT_S == 0)
        for each in frame.counted:
            counted[each.detector] = counted.get(each.detector, 0) + each.flow_h // COUNT_S
            assert each.speed_km_h < 80
            assert each.flow_h or not each.speed_km_h
    assert frame.vehicles > 30
    assert min(passed.values()) > 0
    assert sum(counted.values()) > 60
    # Ten seconds after the last input the plan goes on.
    assert (decided[:120], decided[120:249], decided[249:]) == (["plan"] * 120, ["input"] * 129, ["plan"] * 111)


def test_a_dead_loop_counts_nothing_and_says_so(town: Town, driving: Driving) -> None:
    half = Driving(town, driving._world, 1, PEAK_S, 0.5)
    frame = half.second(PEAK_S)
    shown = [frame.junctions[junction] for junction in town.junctions]
    dead = [each < 0 for post in shown for each in post.vehicles]
    assert 0.3 < sum(dead) / len(dead) < 0.7
    assert dead == [each < 0 for post in shown for each in post.occupancies]


def test_who_stands_on_a_loop_is_seen_to_and_nobody_is_counted_twice(town: Town, driving: Driving) -> None:
    """With red for all, those who come stop at the loops before the line: occupied, and nobody leaves them."""
    for at in range(240):
        for junction in town.junctions:
            driving.ask(Asked(junction, inputs=(1,)), PEAK_S + at)
        frame = driving.second(PEAK_S + at)
    occupied = 0
    for light, junction in zip(town.lights, town.junctions, strict=True):
        shown = frame.junctions[junction]
        for vehicles, occupancy in zip(shown.vehicles, shown.occupancies, strict=True):
            assert 0 <= occupancy <= 100
            occupied += occupancy == 100 and not vehicles
        assert shown.decides == "input"
        assert len(light.site.junction.stages) >= shown.stage
    assert occupied > 0
    driving.ask(Asked(9_999, inputs=(1,)), PEAK_S)


def test_the_calendar_s_plan_comes_first_and_another_with_its_next_cycle(town: Town, driving: Driving) -> None:
    assert driving.second(PEAK_S).junctions[JUNCTION].plan == planned(local_hour(PEAK_S * SECOND_US)) == 5
    driving.ask(Asked(JUNCTION, plan=9), PEAK_S)
    ordered = town.plans[town.junctions.index(JUNCTION)][9]
    begins_s = PEAK_S + 1 + -(PEAK_S + 1 - ordered.offset_s) % ordered.cycle_s
    for now_s in range(PEAK_S + 1, begins_s + 1):
        shown = driving.second(now_s).junctions[JUNCTION]
        assert shown.plan == (9 if now_s == begins_s else 5)
    assert shown.cycle_s == ordered.cycle_s


class Heard:
    """What a process said, and that it went."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.frames: list[Frame] = []
        self.gone = 0
        self.moving = Moving(folder, seed, self.frames.append, self._went)

    def _went(self) -> None:
        self.gone += 1

    async def comes(self, told: int) -> None:
        """Waits until so many seconds have been told in all."""
        await comes(lambda: len(self.frames) >= told)


def test_the_process_keeps_to_the_clock_obeys_and_is_started_again(
    folder: Path, city: City, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(moving, "AGAIN_S", (0.0,))
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    async def lived() -> None:
        heard = Heard(folder, city.seed)
        running = asyncio.create_task(heard.moving.run())
        assert heard.moving.seconds() == {}
        await heard.comes(2)
        assert set(heard.moving.seconds()) == set(PART)
        heard.moving.set_inputs(JUNCTION, {1})
        await heard.comes(5)
        assert heard.moving.seconds()[JUNCTION].decides == "input"
        seconds = [frame.second for frame in heard.frames]
        assert seconds == list(range(seconds[0], seconds[0] + len(seconds)))
        pid = heard.moving.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await comes(lambda: heard.gone > 0)
        assert heard.moving.seconds() == {}
        heard.moving.set_inputs(JUNCTION, {1})
        await heard.comes(len(heard.frames) + 1)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        assert heard.moving.pid is None

    asyncio.run(lived())
    assert list(tmp_path.iterdir()) == [], "neither the one that was killed nor the one that was ended leaves anything"


@pytest.mark.parametrize("says", ["", "what is no frame, whereupon it is already being ended"])
def test_a_process_that_does_not_end_by_itself_is_killed(
    says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "ENDS_S_MAX", 0.5)
    stays = f"import time; print({says!r}, end='', flush=True); time.sleep(600)"

    async def lived() -> None:
        heard = Heard(tmp_path, 1)
        monkeypatch.setattr(heard.moving, "_command", [sys.executable, "-c", stays])
        running = asyncio.create_task(heard.moving.run())
        await comes(lambda: heard.gone > 0 if says else heard.moving.pid is not None)
        pid = heard.moving.pid
        assert pid is not None
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert heard.moving.pid is None
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    asyncio.run(lived())


def test_a_process_that_cannot_make_a_town_is_not_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lived() -> None:
        heard = Heard(tmp_path, 1)
        monkeypatch.setattr(heard.moving, "_command", [sys.executable, "-c", f"raise SystemExit({NO_TOWN})"])
        await asyncio.wait_for(heard.moving.run(), 60)
        assert (heard.gone, heard.frames) == (1, [])

    asyncio.run(lived())
