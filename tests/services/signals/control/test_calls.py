"""Points in the road tell who comes: as soon as they can, and nobody for ever, whichever of them are dead."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.services.signals.control.sites import AXES, crossroads, shown
from vigie.services.signals.control.adaptive import Adaptive
from vigie.services.signals.control.calls import CLEARS_S, COMING_MAX, FORGOTTEN_S, GONE_S, OFF_S, Calls
from vigie.services.signals.control.claims import Sort, weight_of
from vigie.services.signals.control.site import OCCUPIED, UNKNOWN, CallPoints, Site
from vigie.services.signals.control.sitecheck import site_problems
from vigie.services.signals.junction import Detector, Users

NORTH_SOUTH, EAST_WEST = AXES
TRAM = 2
AWAY_M = {"approach": 280.0, "request": 140.0, "line": 1.0, "clear": 0.0}
LENGTH_S = 3
"""How long a tram is on a point."""


def tramway(points: Iterable[str] = AWAY_M, users: Users = Users.TRAM) -> Site:
    """The cross-roads, where from the east a tram comes at 14 m/s, and these of its points lie."""
    site = crossroads()
    first = len(site.junction.detectors)
    at = {name: first + n for n, name in enumerate(points)}
    groups = list(site.junction.groups)
    groups[TRAM] = msgspec.structs.replace(groups[TRAM], users=users)
    junction = msgspec.structs.replace(
        site.junction,
        groups=tuple(groups),
        detectors=(*site.junction.detectors, *(Detector(name, "east", AWAY_M[name]) for name in at)),
    )
    calls = CallPoints(TRAM, at.get("approach"), at.get("request"), at.get("line"), at.get("clear"), 14.0)
    approaches = tuple(each for each in site.approaches if each.lane != "east")
    return msgspec.structs.replace(site, junction=junction, approaches=approaches, calls=(calls,))


class Run:
    """Seconds that go by. at: who is on or leaves which point in which second."""

    def __init__(self, site: Site, dead: Iterable[str] = ()) -> None:
        self.site, self.calls = site, Calls([site])
        self._places = {each.name: at for at, each in enumerate(site.junction.detectors)}
        self._dead = set(dead)

    def second(self, *, green: bool = False, **points: int) -> list[float]:
        """How far away those are who claim now, in seconds, after a second in which these were counted. green: whether
        the tram's own group was."""
        counts = [0] * len(self.site.junction.detectors)
        for name, place in self._places.items():
            if name in AWAY_M:
                counts[place] = UNKNOWN if name in self._dead else points.get(name, 0)
        self.calls.see([counts], [shown(EAST_WEST if green else NORTH_SOUTH)])
        return [round(claim.eta_s, 6) for claim in self.calls.claims()]

    def drive(self, waits_s: int = 0, halts_s: int = 0) -> list[list[float]]:
        """A tram drives from before the approach until it is behind the junction, 14 m a second; it waits at the line,
        and halts between approach and request. What it claims in each of the seconds."""
        enters = {"approach": 2, "request": 12 + halts_s, "line": 22 + halts_s, "clear": 26 + halts_s + waits_s}
        leaves = {name: at_s + LENGTH_S for name, at_s in enters.items()} | {"line": 24 + halts_s + waits_s}
        told: list[list[float]] = []
        for now_s in range(leaves["clear"] + 1):
            counted = {name: 1 for name, at_s in leaves.items() if at_s == now_s}
            counted |= {name: OCCUPIED for name, at_s in enters.items() if at_s <= now_s < leaves[name]}
            told.append(self.second(**counted))
        return told


def test_a_tram_is_known_from_the_first_point_to_the_stop_line() -> None:
    told = Run(tramway()).drive(waits_s=5)
    assert told[1] == []
    assert told[2] == [20.0]
    assert told[7] == [15.0]
    assert told[12] == [10.0]
    assert told[22] == told[28] == [0.0]
    assert told[29:] == [[]] * len(told[29:])


def test_who_halts_before_the_request_claims_nothing_until_they_ask() -> None:
    told = Run(tramway()).drive(halts_s=40)
    assert told[10] == [12.0]
    assert told[30] == told[50] == []
    assert told[52] == [10.0]
    assert told[62] == [0.0]


@pytest.mark.parametrize(
    "dead", [set(), {"approach"}, {"request"}, {"line"}, {"clear"}, {"approach", "clear"}, {"request", "line"}]
)
def test_a_dead_point_makes_nobody_unknown_and_nobody_stay(dead: set[str]) -> None:
    run = Run(tramway(), dead)
    for _ in range(3):
        told = run.drive(waits_s=8)
        assert told[22] == told[30] == [0.0]
        assert told[-1] == []
    assert run.calls.called(0) == frozenset()


def test_those_behind_one_another_are_each_known() -> None:
    run = Run(tramway())
    run.second(approach=OCCUPIED)
    for _ in range(2):
        run.second(approach=1)
        for _ in range(OFF_S):
            run.second()
    run.second(approach=OCCUPIED)
    run.second(request=OCCUPIED)
    assert len(run.second(request=1)) == 3
    assert run.calls.called(0) == {TRAM}


def test_contact_lost_for_a_second_beneath_a_tram_is_no_second_tram() -> None:
    run = Run(tramway())
    for counted in (OCCUPIED, 0, OCCUPIED, 1):
        told = run.second(request=counted)
    assert len(told) == 1


def test_contact_lost_for_a_second_at_the_line_is_no_tram_that_has_left() -> None:
    run = Run(tramway())
    run.second(request=OCCUPIED)
    run.second(request=1)
    for _ in range(OFF_S + 1):
        run.second()
    run.second(request=OCCUPIED)
    for counted in (OCCUPIED, 1, OCCUPIED, OCCUPIED):
        told = run.second(line=counted)
    assert len(told) == 2
    assert told[0] == 0.0
    run.second(line=1)
    told = run.second()
    assert len(told) == 1


@pytest.mark.parametrize("silent", [{"approach", "request"}, {"request"}])
def test_who_stands_at_the_line_is_there_whatever_other_points_say(silent: set[str]) -> None:
    """Points that are dead and say that nobody is there."""
    run = Run(tramway())
    if "approach" not in silent:
        run.second(approach=OCCUPIED)
        run.second(approach=1)
    for _ in range(30):
        run.second()
    assert run.calls.called(0) == frozenset()
    for _ in range(GONE_S + 10):
        # Its doors are open in its own green.
        assert run.second(green=True, line=OCCUPIED) == [0.0]
    assert run.second(line=1) == []


def test_a_loop_at_the_line_that_is_stuck_is_nobody_in_the_end() -> None:
    run = Run(tramway())
    for _ in range(2 * FORGOTTEN_S + 10):
        told = run.second(line=OCCUPIED)
    assert told == []


@pytest.mark.parametrize("off_s", [1, 2, 3, 5, 9])
def test_a_loop_that_chatters_is_no_convoy_and_in_the_end_nobody(off_s: int) -> None:
    run = Run(tramway())
    for now_s in range(400):
        chatters = 1 if now_s % (off_s + 1) == 0 else 0
        assert len(run.second(green=now_s % 60 < 20, approach=chatters, request=chatters)) <= COMING_MAX
    assert run.calls.called(0) == frozenset()


def test_who_was_missed_when_they_left_is_forgotten_with_their_own_green() -> None:
    run = Run(tramway(), {"line", "clear"})
    run.drive()
    assert run.second() == [0.0]
    told = [run.second(green=True) for _ in range(GONE_S + 1)]
    assert told[GONE_S - 2] == [0.0]
    assert told[GONE_S] == []


@given(
    points=st.sets(st.sampled_from(sorted(AWAY_M)), min_size=1),
    seconds=st.lists(
        st.lists(st.sampled_from([0, 0, 0, 1, 2, OCCUPIED, UNKNOWN]), min_size=4, max_size=4), max_size=60
    ),
)
def test_whatever_points_tell_everybody_is_forgotten_in_the_end(points: set[str], seconds: list[list[int]]) -> None:
    run = Run(tramway(sorted(points)))
    for counted in seconds:
        told = run.second(**dict(zip(sorted(AWAY_M), counted, strict=True)))
        assert all(0 <= eta_s <= 20 for eta_s in told)
    for _ in range(20 + FORGOTTEN_S + CLEARS_S + 2):
        run.second()
    assert run.second() == []
    assert run.calls.called(0) == frozenset()


def test_control_hears_points_by_itself_and_the_axis_turns_in_time() -> None:
    site = tramway()
    controller = Adaptive([site])
    approach = next(at for at, each in enumerate(site.junction.detectors) if each.name == "approach")
    on = [0] * len(site.junction.detectors)
    wished = [controller.decide(0, [on], [shown(NORTH_SOUTH)])[0]]
    for now_s in range(1, 20):
        counted = on.copy()
        counted[approach] = {1: OCCUPIED, 2: OCCUPIED, 3: 1}.get(now_s, 0)
        wished.append(controller.decide(now_s, [counted], [shown(NORTH_SOUTH)])[0])
    change_s = wished.index(EAST_WEST)
    # Five seconds of clearing and one to start before it is there, 20 s from the approach.
    assert change_s <= 21 - 6


def test_a_bus_weighs_what_a_late_bus_does_and_a_group_of_others_calls_nobody() -> None:
    counted = [0] * len(tramway().junction.detectors)
    counted[-4] = OCCUPIED
    for users, weight in ((Users.BUS, weight_of(Sort.BUS, 60)), (Users.TRAM, weight_of(Sort.TRAM))):
        calls = Calls([tramway(users=users)])
        calls.see([counted], [shown(NORTH_SOUTH)])
        assert [claim.weight for claim in calls.claims()] == [weight]
    calls = Calls([tramway(users=Users.VEHICLES)])
    calls.see([counted], [shown(NORTH_SOUTH)])
    assert not calls.claims()


def codes(site: Site) -> set[str]:
    return {problem.code for problem in site_problems(site)}


def test_what_is_wrong_with_points_is_said() -> None:
    known = codes(crossroads())
    assert codes(tramway()) <= known
    assert "call_of_others" in codes(tramway(users=Users.VEHICLES))
    assert {"call_unasked"} == codes(tramway(["line", "clear"])) - known
    assert {"call_endless"} == codes(tramway(["approach", "request"])) - known
    site = tramway()
    stop = msgspec.structs.replace(site.calls[0], line=1)
    assert "call_shared" in codes(msgspec.structs.replace(site, calls=(stop,)))
    twice = msgspec.structs.replace(site.calls[0], approach=site.calls[0].request)
    assert "call_shared" in codes(msgspec.structs.replace(site, calls=(twice,)))
    lost = msgspec.structs.replace(site.calls[0], line=300)
    assert "unknown_detector" in codes(msgspec.structs.replace(site, calls=(lost,)))
    nobody = msgspec.structs.replace(site.calls[0], group=9)
    assert "unknown_group" in codes(msgspec.structs.replace(site, calls=(nobody,)))


def test_every_set_of_points_is_kept_in_a_document() -> None:
    for some in product([True, False], repeat=4):
        site = tramway(name for name, there in zip(AWAY_M, some, strict=True) if there)
        assert msgspec.json.decode(msgspec.json.encode(site), type=Site) == site
