"""Devices live: they report in bounds and in time, obey, and prove that they did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.core.times import HOUR_US, MINUTE_US, SECOND_US, rfc3339, to_us
from vigie.services.lighting.kinds import Cabinet, Luminaire, MotionSensor
from vigie.services.roads import Bollard, Bus, Vehicle
from vigie.services.signals import Detector, Junction
from vigie.sim.city import City
from vigie.sim.city.facts import COMMUNES
from vigie.sim.city.frame import to_metres
from vigie.sim.life import Habits, Life, Reports
from vigie.sim.life.columns import DAY, FULL_RATE
from vigie.sim.life.lamps import FULL, NONE, ORDER, SUPPLY
from vigie.sim.life.sky import dark

NIGHT_US = to_us(datetime.fromisoformat("2026-11-24T19:00:00Z"))


def column(reports: Iterable[Reports], kind: type, point: object) -> list[tuple[int, int, float]]:
    """(device, instant, value) of all reports of one point."""
    return [
        row
        for each in reports
        if each.kind is kind and each.point is point
        for row in zip(each.index.tolist(), each.observed_us.tolist(), each.value.tolist(), strict=True)
    ]


def fingerprint(reports: Iterable[Reports]) -> str:
    total = sha256()
    for each in reports:
        total.update(f"{each.kind.kind}.{each.point.name}".encode())
        for part in (each.index, each.observed_us, each.value):
            total.update(np.ascontiguousarray(part).tobytes())
    return total.hexdigest()


def test_every_device_says_hello_and_within_bounds(city: City, afternoon_us: int) -> None:
    life = Life(city, afternoon_us)
    heard: dict[str, set[int]] = defaultdict(set)
    for second in range(1, 16):
        until = afternoon_us + second * SECOND_US
        for reports in life.step(until):
            heard[reports.kind.kind] |= set(reports.index.tolist())
            assert (reports.observed_us > until - SECOND_US).all()
            assert (reports.observed_us <= until).all()
            if reports.value2 is None:
                assert (reports.value >= reports.point.low).all(), reports.point.name
                assert (reports.value <= reports.point.high).all(), reports.point.name
    assert {kind: len(devices) for kind, devices in heard.items() if kind != "luminaire"} == {
        "cabinet": 1_000, "junction": 113, "detector": len(city.signals.detector_arc), "camera": 269, "vehicle": 205,
        "bus": 180, "tram": 30, "bollard": 26, "bike_station": 40, "air_station": 14, "weather_station": 26,
        "motion_sensor": len(city.ways.xy),
    }  # fmt: skip
    assert len(heard["luminaire"]) > 33_900  # a few are dead


@settings(max_examples=12, deadline=None)
@given(
    st.integers(NIGHT_US, NIGHT_US + 800 * 24 * HOUR_US),
    st.sampled_from([DAY, FULL_RATE, Habits()]),
    st.integers(1, 4 * 3_600),
)
def test_physics_holds_at_any_time(city: City, start_us: int, habits: Habits, step_s: int) -> None:
    life = Life(city, start_us, habits)
    step_s = min(step_s, 120) if habits is FULL_RATE else step_s
    for reports in life.step(start_us + step_s * SECOND_US):
        assert np.isfinite(reports.value).all()
        if reports.value2 is None:
            assert (reports.value >= reports.point.low).all(), reports.point.name
            assert (reports.value <= reports.point.high).all(), reports.point.name
        else:
            assert np.abs(to_metres(np.stack([reports.value, reports.value2], -1))).max() < 20_000


def test_the_same_steps_give_the_same_life(city: City, afternoon_us: int) -> None:
    prints = []
    for _ in range(2):
        life = Life(city, afternoon_us)
        life.order("luminaire", 5, "dim", {"level": 40.0})
        steps = [afternoon_us + minute * MINUTE_US for minute in range(1, 181)]
        prints.append(fingerprint(reports for until in steps for reports in life.step(until)))
    assert prints[0] == prints[1]


def test_dusk_lights_the_town_and_switched_lamps_sleep_by_day(city: City, afternoon_us: int) -> None:
    life = Life(city, afternoon_us)
    life.step(afternoon_us + 10 * SECOND_US)
    switched = city.lighting.switched[city.lighting.cabinet]
    lamps = column(life.step(afternoon_us + 30 * MINUTE_US), Luminaire, Luminaire.level)
    awake = {lamp for lamp, _, _ in lamps}
    assert len(awake & set(np.flatnonzero(switched).tolist())) < 50  # nothing but a cut that ends makes them speak
    assert len(awake) > 15_000
    assert {level for _, _, level in lamps} == {0.0}
    dusk_us = next(t for t in range(afternoon_us, afternoon_us + 4 * HOUR_US, MINUTE_US) if dark(t))
    life.step(dusk_us)
    burst = column(life.step(dusk_us + 2 * MINUTE_US), Luminaire, Luminaire.level)
    assert len({lamp for lamp, _, level in burst if level == 100.0}) > 33_000


def test_each_commune_keeps_its_own_policy(city: City) -> None:
    life = Life(city, NIGHT_US, DAY, lighting_alone=True)
    slugs = np.array([commune.slug for commune in COMMUNES])[city.lighting.commune]
    quiet = np.isin(city.lighting.arc, city.ways.arc)
    good = life.lamps.fault == NONE
    expected = {21.5: (100.0, 100.0), 23.0: (70.0, 100.0), 25.0: (70.0, 0.0), 29.5: (100.0, 100.0)}
    for hour, (dijon, sennecey) in expected.items():
        life.step(NIGHT_US + int((hour - 20) * HOUR_US))
        good = life.lamps.fault == NONE
        for slug, level in (("dijon", dijon), ("quetigny", dijon), ("sennecey-les-dijon", sennecey), ("ahuy", 100.0)):
            assert set(life.lamps.level[good & ~quiet & (slugs == slug)].tolist()) == {level}, (slug, hour)
        late = 30.0 if hour in {23.0, 25.0} else 100.0
        assert set(life.lamps.level[good & quiet & (slugs != "sennecey-les-dijon")].tolist()) == {late}


def test_a_lamp_obeys_and_proves_it_within_seconds(city: City) -> None:
    life = Life(city, NIGHT_US)
    life.step(NIGHT_US + 10 * SECOND_US)
    lamp = int(np.flatnonzero(life.lamps.fault == NONE)[7])
    sent_us = life.now_us
    assert life.order("luminaire", lamp, "dim", {"level": 60.0}) == ""
    said = column(life.step(sent_us + 6 * SECOND_US), Luminaire, Luminaire.level)
    proofs = [(at, level) for device, at, level in said if device == lamp]
    assert [level for _, level in proofs] == [60.0]
    assert proofs[0][0] > sent_us
    power = life.lamps.power_w()[lamp] / city.lighting.power_w[lamp]
    assert 0.55 < power < 0.77  # makes of lamps dim by different curves


def sound(life: Life, city: City) -> int:
    """A lamp without a fault that is fed whatever the hour."""
    return int(np.flatnonzero((life.lamps.fault == NONE) & ~city.lighting.switched[city.lighting.cabinet])[7])


def controls(reports: Iterable[Reports], lamp: int) -> list[tuple[int, str]]:
    names = Luminaire.control.choices
    rows = column(reports, Luminaire, Luminaire.control)
    return [(at, names[int(value)]) for device, at, value in rows if device == lamp]


def test_a_lamp_holds_an_order_until_its_end_and_returns_by_itself(city: City) -> None:
    life = Life(city, NIGHT_US)
    life.step(NIGHT_US + 10 * SECOND_US)
    lamp, until_us = sound(life, city), NIGHT_US + 130 * SECOND_US
    life.order("luminaire", lamp, "dim", {"level": 60.0, "until": rfc3339(until_us)})
    assert controls(life.step(NIGHT_US + 20 * SECOND_US), lamp)[-1][1] == "order"
    life.step(until_us - SECOND_US)
    assert life.lamps.level[lamp] == 60.0
    said = controls(life.step(until_us + 3 * SECOND_US), lamp)
    assert [name for _, name in said] == ["programme"]
    assert 0 <= said[0][0] - until_us <= 2 * SECOND_US
    assert life.lamps.level[lamp] == 100.0


def test_an_end_beyond_dawn_outlasts_the_night_and_no_end_does_not(city: City) -> None:
    dawn_us = next(t for t in range(NIGHT_US, NIGHT_US + 14 * HOUR_US, MINUTE_US) if not dark(t))
    life = Life(city, dawn_us - 10 * MINUTE_US, DAY)
    life.step(dawn_us - 9 * MINUTE_US)
    lamp = sound(life, city)
    other = lamp + 1 + int(np.flatnonzero(life.lamps.fault[lamp + 1 :] == NONE)[0])
    life.order("luminaire", lamp, "dim", {"level": 60.0, "until": rfc3339(dawn_us + HOUR_US)})
    life.order("luminaire", other, "dim", {"level": 60.0})
    life.step(dawn_us + 5 * MINUTE_US)
    assert (life.lamps.level[lamp], life.lamps.level[other]) == (60.0, 0.0)
    life.step(dawn_us + 61 * MINUTE_US)
    assert life.lamps.level[lamp] == 0.0


def test_a_release_gives_a_lamp_back_at_once(city: City) -> None:
    life = Life(city, NIGHT_US)
    life.step(NIGHT_US + 10 * SECOND_US)
    lamp = sound(life, city)
    life.order("luminaire", lamp, "dim", {"level": 60.0, "until": rfc3339(NIGHT_US + HOUR_US)})
    life.step(NIGHT_US + 20 * SECOND_US)
    life.order("luminaire", lamp, "release", {})
    assert controls(life.step(NIGHT_US + 30 * SECOND_US), lamp)[-1][1] == "programme"
    assert life.lamps.level[lamp] == 100.0


def test_some_lamps_do_not_return_by_themselves_and_still_hear_a_release(city: City) -> None:
    life = Life(city, NIGHT_US)
    life.step(NIGHT_US + 10 * SECOND_US)
    everyone = np.arange(len(life.lamps.level))
    life.lamps.order_lamps(everyone, 60.0, life.now_us, NIGHT_US + MINUTE_US)
    life.step(NIGHT_US + 3 * MINUTE_US)
    late = np.flatnonzero((life.lamps.level == 60.0) & (life.lamps.fault == NONE))
    assert 1 <= len(late) < 100
    life.release(late.tolist())
    life.step(life.now_us + 5 * SECOND_US)
    assert not (life.lamps.level[late] == 60.0).any()


def test_full_light_beats_an_order_which_goes_on_beneath_it(city: City) -> None:
    life = Life(city, NIGHT_US)
    life.step(NIGHT_US + 10 * SECOND_US)
    lamp = sound(life, city)
    cabinet = int(city.lighting.cabinet[lamp])
    life.order("luminaire", lamp, "dim", {"level": 30.0, "until": rfc3339(NIGHT_US + HOUR_US)})
    life.order("cabinet", cabinet, "set_full_light", {"on": True})
    life.step(NIGHT_US + 20 * SECOND_US)
    assert (life.lamps.level[lamp], life.lamps.control[lamp]) == (100.0, FULL)
    life.order("cabinet", cabinet, "set_full_light", {"on": False})
    life.step(NIGHT_US + 30 * SECOND_US)
    assert (life.lamps.level[lamp], life.lamps.control[lamp]) == (30.0, ORDER)


def test_a_dead_lamp_never_answers(city: City) -> None:
    life = Life(city, NIGHT_US)
    life.step(NIGHT_US + 10 * SECOND_US)
    lamp = int(np.flatnonzero(life.lamps.fault != NONE)[0])
    life.order("luminaire", lamp, "dim", {"level": 60.0})
    said = column(life.step(life.now_us + 30 * SECOND_US), Luminaire, Luminaire.level)
    assert 60.0 not in {level for device, _, level in said if device == lamp}


def test_full_light_lights_all_that_a_cabinet_feeds_even_by_day(city: City, afternoon_us: int) -> None:
    life = Life(city, afternoon_us)
    life.step(afternoon_us + 10 * SECOND_US)
    cabinet = int(np.flatnonzero(city.lighting.switched)[3])
    fed = city.lighting.cabinet == cabinet
    assert (life.lamps.fault[fed] == SUPPLY).all()
    assert life.order("cabinet", cabinet, "set_full_light", {"on": True}) == ""
    said = column(life.step(life.now_us + 8 * SECOND_US), Cabinet, Cabinet.full_light)
    assert (cabinet, 1.0) in {(device, value) for device, _, value in said}
    assert (life.lamps.level[fed & (life.lamps.fault == NONE)] == 100.0).all()
    life.order("cabinet", cabinet, "set_full_light", {"on": False})
    life.step(life.now_us + MINUTE_US)
    assert (life.lamps.fault[fed] == SUPPLY).all()


def test_a_junction_runs_the_plan_from_its_next_cycle_on(city: City, afternoon_us: int) -> None:
    life = Life(city, afternoon_us)
    life.step(afternoon_us + 10 * SECOND_US)
    assert life.order("junction", 4, "run_plan", {"plan": 9}) == ""
    said = column(life.step(life.now_us + 130 * SECOND_US), Junction, Junction.plan)
    plans = [plan for device, _, plan in sorted(said, key=lambda row: row[1]) if device == 4]
    assert plans[-1] == 9.0
    assert 9.0 not in {plan for device, _, plan in said if device != 4}


def test_a_junction_flashes_when_it_is_told_to_and_shows_colours_again(city: City, afternoon_us: int) -> None:
    life = Life(city, afternoon_us)
    life.step(afternoon_us + 10 * SECOND_US)
    shown = []
    for mode in ("flashing", "colours"):
        assert life.order("junction", 4, "set_mode", {"mode": mode}) == ""
        said = column(life.step(life.now_us + 5 * SECOND_US), Junction, Junction.mode)
        shown += [Junction.mode.choices[int(value)] for device, _, value in said if device == 4]
    assert shown == ["flashing", "colours"]


def test_stages_follow_each_other(city: City, afternoon_us: int) -> None:
    life = Life(city, afternoon_us)
    said = [row for second in range(1, 400) for row in
            column(life.step(afternoon_us + second * SECOND_US), Junction, Junction.stage)]  # fmt: skip
    own = [int(stage) for device, _, stage in said if device == 0]
    assert len(own) >= 6
    last = max(own)
    assert all(after == before % last + 1 for before, after in pairwise(own))


def test_a_bollard_moves_and_says_so(city: City, afternoon_us: int) -> None:
    life = Life(city, afternoon_us)
    life.step(afternoon_us + 10 * SECOND_US)
    assert life.order("bollard", 2, "move", {"to": "lowered"}) == ""
    said = column(life.step(life.now_us + 10 * SECOND_US), Bollard, Bollard.state)
    states = [Bollard.state.choices[int(state)] for device, _, state in said if device == 2]
    assert states[-2:] == ["moving", "lowered"]


def test_a_device_knows_only_its_own_actions(city: City, afternoon_us: int) -> None:
    assert "no action" in Life(city, afternoon_us).order("camera", 0, "dim", {"level": 1.0})


def test_vehicles_and_buses_drive_as_fast_as_they_can_and_no_faster(city: City, afternoon_us: int) -> None:
    life = Life(city, afternoon_us)
    tracks: dict[tuple[str, int], list[tuple[int, float, float]]] = defaultdict(list)
    for reports in life.step(afternoon_us + 20 * MINUTE_US):
        if reports.value2 is not None:
            rows = zip(
                *(c.tolist() for c in (reports.index, reports.observed_us, reports.value, reports.value2)), strict=True
            )
            for device, at, lon, lat in rows:
                tracks[reports.kind.kind, device].append((at, lon, lat))
    assert {kind for kind, _ in tracks} == {"vehicle", "bus", "tram"}
    moved = 0
    for track in tracks.values():
        rows = np.array(sorted(track))
        far = np.hypot(*np.diff(to_metres(rows[:, 1:]), axis=0).T)
        assert (far < 16 * np.diff(rows[:, 0]) / SECOND_US + 8).all()
        moved += far.sum() > 300
    assert moved > 250


def test_nobody_is_tracked_outside_working_hours(city: City) -> None:
    start = to_us(datetime.fromisoformat("2026-11-24T03:00:00Z"))
    said = Life(city, start).step(start + 10 * MINUTE_US)
    activities = column(said, Vehicle, Vehicle.activity)
    parked = {device for device, _, activity in activities if activity == 0.0}
    parked -= {device for device, _, activity in activities if activity != 0.0}
    tracked = {device for device, _, _ in column(said, Vehicle, Vehicle.position)}
    assert len(parked) > 50
    assert not parked & tracked
    assert {device for device, _, _ in column(said, Bus, Bus.position)} == set(range(180))


def test_who_walks_along_a_way_is_seen_by_each_of_its_sensors_in_turn_and_by_no_other(city: City) -> None:
    life, ways = Life(city, NIGHT_US), city.ways
    seen = [row for second in range(30, 1_830, 30)
            for row in column(life.step(NIGHT_US + second * SECOND_US), MotionSensor, MotionSensor.motion)]  # fmt: skip
    assert seen == sorted(seen, key=lambda row: row[1])
    begins = [(sensor, at) for sensor, at, there in seen if there]
    assert 100 < len(begins) < 600
    # The first sensor of a way that saw somebody after nobody was on it for long: the next one sees them soon.
    way = int(ways.way[begins[len(begins) // 2][0]])
    own = [(at, sensor) for sensor, at in begins if ways.way[sensor] == way]
    ends = np.flatnonzero(ways.way == way)
    assert {sensor for _, sensor in own} == set(ends.tolist())
    steps = [(after[1] - before[1], (after[0] - before[0]) / SECOND_US) for before, after in pairwise(own)]
    met = [took for step, took in steps if abs(step) == 1]
    assert min(took for took in met if took > 8) < 120


def test_a_sensor_says_the_same_however_often_it_is_asked(city: City) -> None:
    def said(step_s: int) -> list[tuple[int, int, float]]:
        life = Life(city, NIGHT_US + HOUR_US)
        reports = [each for second in range(step_s, 1_201, step_s)
                   for each in life.step(NIGHT_US + HOUR_US + second * SECOND_US)]  # fmt: skip
        return column(reports, MotionSensor, MotionSensor.motion)

    assert said(60) == said(1_200)


def test_detectors_count_more_at_the_peak_than_at_night(city: City) -> None:
    def flow(clock: str) -> float:
        start = to_us(datetime.fromisoformat(f"2026-11-24T{clock}+01:00"))
        rows = column(Life(city, start).step(start + 2 * MINUTE_US), Detector, Detector.flow)
        return float(np.mean([value for _, _, value in rows]))

    assert flow("08:00:00") > 6 * flow("03:00:00")


def test_full_rate_is_what_the_field_says(city: City, afternoon_us: int) -> None:
    life = Life(city, afternoon_us, FULL_RATE)
    life.step(afternoon_us + MINUTE_US)
    rows = sum(len(reports) for reports in life.step(afternoon_us + 6 * MINUTE_US))
    assert 1_500 < rows / 300 < 3_500
