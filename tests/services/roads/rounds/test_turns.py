"""Rounds: what was driven with the tool at work, live and afterwards, and what that makes of a circuit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.roads.matching.towns import degrees, grid, town
from vigie.core.observations import Int64s
from vigie.core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US, from_us
from vigie.services.roads.matching import Network
from vigie.services.roads.rounds.circuits import TASKS, Circuit, Stretch, Way
from vigie.services.roads.rounds.driving import Driving, Passed, Positions, held
from vigie.services.roads.rounds.turns import Course, Progress, Turn, served, turns

NOW_US = 1_795_486_000_000_000
SWEEPS, SALTS = (1 << TASKS.index(each) for each in ("sweeping", "salting"))
EVERY_US = 5 * SECOND_US
PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture(scope="module")
def network() -> Network:
    """Three streets of three blocks of 120 m from west to east, and three across; line 0 is the first block."""
    return town(grid(4))


def drive(
    xs: Sequence[float], *, y: float = 0.0, vehicle: int = 3, tasks: int = SWEEPS, noise_m: float = 5.0, seed: int = 1,
    start_us: int = NOW_US, dosage: float = np.nan,
) -> Positions:  # fmt: skip
    """Positions along a street, one each five seconds."""
    dice, many = np.random.default_rng(seed), len(xs)
    lon, lat = degrees([(x + dice.normal(0, noise_m), y + dice.normal(0, noise_m)) for x in xs])
    return Positions(
        np.full(many, vehicle), start_us + EVERY_US * np.arange(many), lon, lat,
        np.full(many, tasks, np.uint8), np.full(many, dosage),
    )  # fmt: skip


def fed(network: Network, positions: Positions, *, at_once: int = 1) -> Driving:
    """What they come to, told so many at a time."""
    driving = Driving(network)
    for n in range(0, len(positions), at_once):
        some = positions.take(np.arange(n, min(n + at_once, len(positions))))
        driving.take(some, int(some.at_us[-1]))
    return driving


def ended(driving: Driving, now_us: int) -> Passed:
    """All that stands, once nobody is waited for any longer."""
    return driving.take(Positions.none(), now_us + 2 * MINUTE_US)[0]


def course(network: Network, driving: Driving, *streets: Stretch, task: str = "sweeping") -> tuple[Circuit, Course]:
    """A circuit of streets that are called by their lines' numbers."""
    numbers: Int64s = np.arange(int(network.line.max()) + 1)
    circuit = Circuit("north", task, streets)  # type: ignore[arg-type]
    return circuit, Course.on(circuit, driving.cells, {str(n): n for n in numbers}, 100 + numbers)


def told(network: Network, driving: Driving, *streets: Stretch, task: str = "sweeping", now_us: int) -> list[str]:
    """The states of a circuit's streets."""
    circuit, on = course(network, driving, *streets, task=task)
    progress = Progress(circuit, on, Turn(NOW_US - HOUR_US, NOW_US + HOUR_US))
    return progress.states(progress.now(driving.now(progress.task)), now_us)


EAST = np.arange(-2.0, 364, 12).tolist()


def test_a_street_that_was_driven_with_the_brush_down_is_done_and_its_neighbours_are_not(network: Network) -> None:
    driving = fed(network, drive(EAST))
    streets = [Stretch(str(n)) for n in (0, 1, 2, 3)]
    assert told(network, driving, *streets, now_us=NOW_US) == ["done", "done", "done", "open"]
    assert told(network, driving, *streets, task="salting", now_us=NOW_US) == ["open"] * 4
    assert told(network, driving, *streets, now_us=NOW_US + 2 * HOUR_US)[3] == "late"


def test_what_was_driven_with_the_brush_up_is_not_done(network: Network) -> None:
    assert told(network, fed(network, drive(EAST, tasks=0)), Stretch("0"), now_us=NOW_US) == ["open"]
    whole = drive(EAST)
    up = replace(whole, tasks=np.where(np.array(EAST) < 70, whole.tasks, 0).astype(np.uint8))
    assert told(network, fed(network, up), Stretch("0"), now_us=NOW_US) == ["open"]


@pytest.mark.parametrize(
    ("way", "state"), [("either", "done"), ("along", "done"), ("against", "open"), ("both", "open")]
)
def test_a_street_is_done_in_the_ways_that_are_asked_for(network: Network, way: Way, state: str) -> None:
    driving = fed(network, drive(EAST))
    assert told(network, driving, Stretch("1", way), now_us=NOW_US) == [state]
    back = drive(EAST[::-1], start_us=NOW_US + 10 * MINUTE_US)
    driving.take(back, int(back.at_us[-1]))
    assert told(network, driving, Stretch("1", way), now_us=NOW_US) == ["done"]


def test_what_is_done_is_told_by_whom_and_when_within_one_position(network: Network) -> None:
    driving = Driving(network)
    whole = drive(EAST, tasks=SALTS, dosage=15.0)
    circuit, on = course(network, driving, Stretch("0"), task="salting")
    progress, states = Progress(circuit, on, Turn(NOW_US - HOUR_US, NOW_US + HOUR_US)), list[str]()
    for n in range(len(whole)):
        driving.take(whole.take(np.array([n])), int(whole.at_us[n]))
        found = progress.now(driving.now(progress.task))
        states += progress.states(found, int(whole.at_us[n]))
    # Four fifths of 120 m are driven at 96 m, and noise is as large as a step.
    assert abs(states.index("done") - 8) <= 2
    assert (int(found.vehicle[0]), float(found.dosage[0])) == (3, 15.0)
    assert NOW_US < found.at_us[0] <= whole.at_us[-1]


def test_what_was_done_stays_what_it_was_when_somebody_drives_there_again(network: Network) -> None:
    driving = fed(network, drive(EAST))
    ended(driving, NOW_US + 10 * MINUTE_US)
    circuit, on = course(network, driving, Stretch("0"))
    progress = Progress(circuit, on, Turn(NOW_US - HOUR_US, NOW_US + 30 * MINUTE_US))
    progress.note(driving.layers[0])
    again = drive(EAST, vehicle=7, start_us=NOW_US + HOUR_US)
    driving.take(again, int(again.at_us[-1]))
    ended(driving, NOW_US + 2 * HOUR_US)
    progress.note(driving.layers[0])
    found = progress.now(driving.now(0))
    assert progress.states(found, NOW_US + 2 * HOUR_US) == ["done"]
    assert int(found.vehicle[0]) == 3


def test_done_after_it_was_due_is_done_late(network: Network) -> None:
    driving = fed(network, drive(EAST))
    circuit, on = course(network, driving, Stretch("0", due_min=30), Stretch("1"))
    progress = Progress(circuit, on, Turn(NOW_US - HOUR_US, NOW_US + HOUR_US))
    assert progress.states(progress.now(driving.now(0)), NOW_US) == ["done_late", "done"]


def test_what_comes_late_is_handed_back(network: Network) -> None:
    driving = fed(network, drive(EAST))
    late = drive([5.0], start_us=NOW_US - MINUTE_US)
    assert len(driving.take(late, NOW_US + 5 * MINUTE_US)[1]) == 1


@pytest.mark.parametrize("number", [2, 9], ids=["first", "last"])
@pytest.mark.parametrize("wrong", ["nowhere", "clock"])
def test_a_tracker_that_says_nothing_true_keeps_no_other_from_being_followed(
    network: Network, number: int, wrong: str
) -> None:
    good, bad = drive(EAST), drive(EAST, y=120.0, vehicle=number)
    if wrong == "nowhere":
        bad = replace(bad, lon=np.zeros(len(bad)), lat=np.zeros(len(bad)))
    else:
        bad = replace(bad, at_us=bad.at_us + 5 * MINUTE_US)
    driving, past = Driving(network), Driving(network)
    for n in range(len(good)):
        driving.take(Positions.joined(good.take(np.array([n])), bad.take(np.array([n]))), int(good.at_us[n]))
    past.fold(past.past(Positions.joined(good, bad), int(good.at_us[-1])))
    alone = Positions.joined(bad.take(np.array([0])))
    assert not len(past.past(alone, int(good.at_us[0])))
    for each in (driving, past):
        assert told(network, each, Stretch("0"), Stretch("1"), now_us=NOW_US) == ["done", "done"]


def test_a_proof_names_the_street_the_hour_and_the_dosage_and_nobody(network: Network) -> None:
    driving = Driving(network)
    whole = drive(EAST, tasks=SALTS, dosage=20.0)
    first, _ = driving.take(whole, int(whole.at_us[-1]))
    stands = Passed.joined(first, ended(driving, int(whole.at_us[-1])))
    (proof,) = served(driving, stands)
    assert TASKS[proof.task] == "salting"
    assert proof.line.tolist() == [0, 1, 2]
    assert set(proof.hour_us.tolist()) == {NOW_US // HOUR_US * HOUR_US}
    assert proof.dosage.tolist() == [20.0] * 3


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 1_000), cuts=st.lists(st.integers(1, 9), min_size=1, max_size=8))
def test_however_positions_are_cut_into_batches_about_the_same_is_driven(
    network: Network, seed: int, cuts: list[int]
) -> None:
    """A window knows less than the whole trail: a cell at a junction may differ, a street may not."""
    whole = drive(EAST, seed=seed)
    at_once, pieces, n = Driving(network), Driving(network), 0
    at_once.take(whole, int(whole.at_us[-1]))
    while n < len(whole):
        some = whole.take(np.arange(n, min(n + cuts[n % len(cuts)], len(whole))))
        pieces.take(some, int(some.at_us[-1]))
        n += len(some)
    for driving in (at_once, pieces):
        ended(driving, int(whole.at_us[-1]))
        assert told(network, driving, Stretch("0"), Stretch("1"), Stretch("2"), now_us=NOW_US) == ["done"] * 3
        assert not len(driving.soon)


def test_what_a_vehicle_says_of_its_tool_holds_until_it_says_otherwise_or_too_long() -> None:
    found = held(
        np.array([1, 1, 1, 1, 2]), np.array([5, 10, 25, 200, 10]),
        np.array([1, 1, 2]), np.array([10, 20, 11]), np.array([1.0, 0.0, 1.0]), 100,
    )  # fmt: skip
    np.testing.assert_array_equal(found, [np.nan, 1.0, 0.0, np.nan, np.nan])


def turns_of(hours: str, after_us: int, until_us: int) -> list[Turn]:
    """Those of a circuit with these hours."""
    return list(turns(Circuit("north", "sweeping", (Stretch("0"),), hours=hours), after_us, until_us, PARIS))


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        # NOW_US is Tuesday, 24 November 2026, 03:06 in Paris.
        ("mon-fri 02:00-06:00", [("23 02:00", "23 06:00"), ("24 02:00", "24 06:00")]),
        ("mon-fri 05:00-11:00", [("23 05:00", "23 11:00")]),
        ("mon-fri 05:00-11:00 20:00-04:00", [("23 05:00", "23 11:00"), ("23 20:00", "24 04:00")]),
        ("sat 05:00-11:00", []),
        ("", [("23 00:00", "24 00:00"), ("24 00:00", "25 00:00")]),
    ],
)
def test_the_turns_that_began_within_a_span(hours: str, expected: list[tuple[str, str]]) -> None:
    midnight_us = NOW_US - 27 * HOUR_US - 7 * MINUTE_US
    told = [
        tuple(from_us(us).astimezone(PARIS).strftime("%d %H:%M") for us in (each.start_us, each.end_us))
        for each in turns_of(hours, midnight_us, NOW_US)
    ]
    assert told == expected


@given(st.integers(0, 10 * 365), st.integers(0, 14 * 24))
def test_each_turn_is_told_once_however_time_is_cut(day: int, cut_h: int) -> None:
    first_us = NOW_US + day * DAY_US
    cut_us, last_us = first_us + cut_h * HOUR_US, first_us + 14 * DAY_US
    found = turns_of("sun 01:00-03:30", first_us, last_us)
    assert len(found) == 2
    assert found == turns_of("sun 01:00-03:30", first_us, cut_us) + turns_of("sun 01:00-03:30", cut_us, last_us)
    # When the clocks go forward an hour of it is none.
    assert all(HOUR_US <= each.end_us - each.start_us <= 4 * HOUR_US for each in found)
