"""Load that no lamp accounts for: found after two hours, with what was seen, and over when it is gone."""

from __future__ import annotations

from tests.services.lighting.town import NOON_US, Town, row_of
from vigie.core.times import HOUR_US

LAMPS = 30
NEEDS_W = 12.0


def town(
    tapped_w: float = 0.0, how: str = "permanent", *, at_us: int = NOON_US + 9 * HOUR_US, lost: float = 0.0
) -> Town:
    """A cabinet of thirty lamps of 60 W, whose meter is 2 % wrong and whose cables lose 2 %."""
    made = Town(row_of(LAMPS), {"c1": how}, at_us=at_us, lost=lost)
    meter(made, tapped_w)
    return made


def meter(made: Town, tapped_w: float) -> None:
    lamps_w = sum(lamp.draws() for lamp in made.lamps.values())
    made.words["c1"]["power"] = (lamps_w * 1.02 + NEEDS_W + tapped_w) * 1.02


def alarms(made: Town) -> list[str]:
    return [each for each in made.told() if "unexplained" in each]


def test_a_meter_that_shows_its_lamps_cables_and_itself_is_well() -> None:
    made = town(lost=0.05)
    made.run(5 * 60)
    assert made.told() == []


def test_a_stall_on_a_cable_is_found_after_two_hours_and_over_when_it_is_gone() -> None:
    made = town(500.0)
    made.run(100)
    assert alarms(made) == []
    made.run(80)
    assert alarms(made) == ["unexplained_load c1"]
    said = made.evidence("unexplained_load")
    assert float(said["power"]) - float(said["expected_power"]) > 450
    hours = float(said["lasted_h"])
    assert 1.5 <= hours <= 2.5
    assert abs(float(said["metered_kWh"]) - float(said["power"]) * hours / 1_000) < 0.2
    assert 80 < float(said["confidence"]) <= 99
    made.run(3 * 60)
    assert alarms(made) == ["unexplained_load c1"], "nothing is raised twice"
    made.restart()
    made.run(4 * 60)
    assert alarms(made) == ["unexplained_load c1"], "after a start neither"
    meter(made, 0.0)
    made.run(90)
    assert "unexplained_load" not in made.open()


def test_it_stays_open_while_it_is_neither_there_nor_gone() -> None:
    made = town(500.0)
    made.run(180)
    meter(made, 150.0)
    made.run(3 * 60)
    assert made.open() == {"unexplained_load": ["c1"]}


def test_lamps_that_are_not_heard_may_draw_all_they_can() -> None:
    made = town()
    for lamp in list(made.lamps.values())[:5]:
        lamp.silent = True
    made.run(200)
    assert alarms(made) == []
    few = town(5_000.0)
    for lamp in list(few.lamps.values())[:20]:
        lamp.silent = True
    few.run(200)
    assert alarms(few) == [], "of a cabinet hardly any of whose lamps are heard nothing is said"


def test_a_gateway_that_is_silent_says_nothing() -> None:
    made = town(500.0)
    made.mute.add("c1")
    made.run(300)
    assert alarms(made) == []


def test_a_level_that_has_just_changed_is_no_load() -> None:
    made = town()
    for _ in range(12):
        for lamp in made.lamps.values():
            lamp.level = 40.0 if lamp.level == 100.0 else 100.0
        made.run(15)
    assert alarms(made) == []


def test_by_day_too_and_where_the_contactor_is_open() -> None:
    made = town(300.0, at_us=NOON_US - HOUR_US)
    for lamp in made.lamps.values():
        lamp.level = 0.0
    meter(made, 300.0)
    made.run(190)
    assert alarms(made) == ["unexplained_load c1"]
    cut = town(0.0, "switched", at_us=NOON_US - HOUR_US)
    for lamp in cut.lamps.values():
        lamp.silent = True
    cut.words["c1"] |= {"supply": "off", "contactor": "open", "power": 900.0}
    cut.run(190)
    assert alarms(cut) == ["unexplained_load c1"]
    cut.words["c1"]["power"] = 14.0
    cut.run(90)
    assert cut.open() == {"unexplained_load": ["c1"]}, "by day nothing is fed that could be missing"
    for lamp in cut.lamps.values():
        lamp.silent, lamp.level = False, 100.0
    cut.words["c1"] |= {"supply": "on", "contactor": "closed"}
    meter(cut, 0.0)
    cut.run(120)
    assert "unexplained_load" not in cut.open()
