"""The arithmetic of `lighting.right_level`, and a few days of two gateways whose every minute is known beforehand."""

from __future__ import annotations

import asyncio
import time
from datetime import date, datetime
from datetime import time as daytime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from bench.gateways import HELD_NOTHING, Library
from bench.gateways import local as local_time
from bench.judging import CLOCKS, FORGOT, LOST, ON_ITS_WAY, ROUNDED
from bench.mishaps import Event, What, changes, thrown
from bench.right_level import PLAIN, Town, YearClock, lived
from bench.skipping import SkippingLoop
from bench.steps import UNKNOWN, Steps, apart_us
from tests.city import drafts
from vigie.app import TALQ, admit_device, gateway_token, installation
from vigie.core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US, to_us
from vigie.protocols.talq import Night, Programme, Slot, Year, level_at, written, written_year
from vigie.services.lighting.programmes import model as lighting
from vigie.services.lighting.programmes.layers import Schedule
from vigie.settings import Settings
from vigie.sim.life.sky import sun_times
from vigie.sim.talq import equipment

ZONE = ZoneInfo("Europe/Paris")
LAMPS = 6


def at_us(day: int, hour: int, minute: int = 0) -> int:
    """An instant of March 2027, by the town's clock."""
    return to_us(datetime(2027, 3, day, hour, minute, tzinfo=ZONE))


def test_levels_are_apart_for_as_long_as_they_differ() -> None:
    spans = [(10, 20, 100), (20, 30, 50), (40, 50, 100)]
    start, end, level = (np.array(column) for column in zip(*spans, strict=True))
    none = np.zeros(3, np.int64)
    true = Steps.of(Schedule(none, start, end, level, none, none))
    assert true.at(np.array([9, 10, 19, 20, 29, 30, 40, 50])).tolist() == [0, 100, 100, 50, 50, 0, 100, 0]
    bounds = np.array([0, 25, 60])
    assert apart_us(true, true, 0, 60, bounds).tolist() == [0, 0]
    # Two later: of each change that much is wrong.
    assert apart_us(true, true.moved(2), 0, 60, bounds).tolist() == [4, 6]
    assert apart_us(true, true.moved(2), 11, 31, bounds).tolist() == [3, 1]
    assert apart_us(true, Steps.always(UNKNOWN), 5, 55, bounds).tolist() == [20, 30]


def test_steps_are_what_a_gateway_gives_at_each_minute() -> None:
    """Over the night in which the clock is set on, and the one in which it is set back."""
    night = Programme("night", (Night(25, -26),), (Slot(daytime(2, 30), 30), Slot(daytime(12), 100)))
    programs = {"night": written(night, "us")}
    library = Library(ZONE)
    code = library.code("year", {"year": written_year(Year("year", (), "night"), "us")}, programs)
    for day in (date(2027, 3, 28), date(2027, 10, 31)):
        midnight_us = to_us(datetime(day.year, day.month, day.day, tzinfo=ZONE))
        minutes = midnight_us + np.arange(25 * 60) * MINUTE_US
        said = library.levels(code, midnight_us, midnight_us + DAY_US).at(minutes).tolist()
        locals_ = [local_time(each, ZONE) for each in minutes.tolist()]
        assert said == [level_at(night, each.time(), *sun_times(each.date())) or 0 for each in locals_]
    without = library.code("year", {"year": written_year(Year("year", (), "night"), "us")}, {})
    assert without != code
    assert set(library.levels(without, at_us(1, 0), at_us(2, 0)).level.tolist()) == {0}
    assert library.code("another", {}, programs) == HELD_NOTHING


def test_a_skipping_loop_charges_what_it_does_not_wait_for() -> None:
    async def run() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await asyncio.gather(asyncio.sleep(3_600), asyncio.sleep(7_200))
        slept_s = loop.time()
        await asyncio.to_thread(time.sleep, 0.05)
        return slept_s - began_s, loop.time() - slept_s

    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        began_s = time.monotonic()
        slept_s, worked_s = runner.run(run())
        assert time.monotonic() - began_s < 60
    assert 7_200 <= slept_s < 7_260
    assert 0.05 <= worked_s < 60


def test_what_is_thrown_is_the_same_for_a_seed() -> None:
    names, span = ["a", "b"], (at_us(1, 0), at_us(29, 0))
    first, again = (thrown(np.random.default_rng(3), names, *span) for _ in range(2))
    assert first == again != thrown(np.random.default_rng(4), names, *span)
    assert sum(each.what is What.LOST for each in first) == sum(each.what is What.BACK for each in first)
    assert [each.what for each in changes(np.random.default_rng(3), ["x"], *span)] == [What.CHANGE] * 12


def dimmed(area: str) -> lighting.Programme:
    """Half the light between 22 h and 5 h."""
    window = lighting.Window(lighting.Clock(22 * 60), lighting.Clock(5 * 60), 50)
    return lighting.Programme("Nuit", lighting.Rank.AREA, area, rules=(lighting.Rule("toutes", (window,)),))


@pytest.mark.timeout(240)
def test_a_few_days_of_two_gateways(tmp_path: Path) -> None:
    """Both are told the plain night. Dijon decides to dim while its gateway is lost from 20 to 2 h; the other forgets
    all one afternoon, and later its clock is an hour ahead."""
    span = (at_us(8, 12), at_us(12, 12))
    with installation(Settings(data=tmp_path, city="Essai")) as opened:
        opened.take_assets("test", drafts(LAMPS))
        rows = [row for row in opened.facts.registry_rows() if row[2] == "luminaire"]
        own = {"dijon": rows[::2], "quetigny": rows[1::2]}
        secrets = {
            name: admit_device(opened, name, [row[0] for row in lamps], protocol=TALQ) for name, lamps in own.items()
        }
        tokens = {name: gateway_token(tmp_path, name) for name in own}
        devices = {
            name: [equipment.lamp(row[1], equipment.address_of(row[1])) for row in lamps] for name, lamps in own.items()
        }
        clock = YearClock(span[0] - DAY_US)
        opened.clock = clock  # type: ignore[assignment]
        events = [
            Event(at_us(8, 20), What.LOST, "dijon"),
            Event(at_us(8, 21), What.CHANGE, "dijon-metropole/dijon"),
            Event(at_us(9, 2), What.BACK, "dijon"),
            Event(at_us(9, 14), What.BLANK, "quetigny"),
            *(Event(at_us(10, 11) + late * MINUTE_US, What.REPORT, "quetigny") for late in (0, 15, 30, 45)),
            Event(at_us(10, 12), What.WRONG, "quetigny", HOUR_US),
        ]
        world, sums = lived(opened, clock, Town(secrets, tokens, devices, dimmed, (PLAIN,)), events, span)
    lamps = LAMPS // 2
    assert sums.lamp_us == LAMPS * 4 * DAY_US
    # From 22 h, when the new programme would have dimmed, until it is back at 2 h, read, given it, and that looked for.
    late_s = sums.wrong_us[LOST] / lamps / SECOND_US - 4 * 3_600
    assert 0 < late_s < 15 * 60
    # Two minutes until it has begun anew; then it settles, and is told all.
    assert 120 < sums.wrong_us[FORGOT] / lamps / SECOND_US < 6 * 60
    # Told that day: set right on the next by 17 h. Dusk and dawn of that night are an hour early.
    assert sums.wrong_us[CLOCKS] / lamps / SECOND_US == pytest.approx(2 * 3_600, abs=120)
    assert sums.wrong_us[ON_ITS_WAY] == 0
    # A plain night has two edges, each within half a minute of where it should be, and a little of another sun.
    assert 0 < sums.wrong_us[ROUNDED] / LAMPS / SECOND_US < 4 * 2 * 45
    assert world.happened[What.RIGHT] == 1
    assert sum(int(each.sum()) for each in sums.nights.values()) == sum(sums.wrong_us.values())
