"""Who waits to walk, at a cross-roads with a crossing over its north: what is supposed, and what comes of it."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import pytest

from tests.conftest import PROJECT
from tests.services.signals.control.sites import AXES, SIDES, crossroads
from vigie.services.signals.completeness import problems
from vigie.services.signals.control.adaptive import Adaptive
from vigie.services.signals.control.asking import IMPATIENT_S, USUAL_S, Waiting, ask, nobody_asks
from vigie.services.signals.control.baselines import Actuated, walkers_clear_s
from vigie.services.signals.control.layout import YIELDING_TO_WALKERS, Layout
from vigie.services.signals.control.rollout import STEP_S
from vigie.services.signals.control.site import UNKNOWN, Plan, Site, Step
from vigie.services.signals.control.sitecheck import site_problems
from vigie.services.signals.control.steering import loops_of
from vigie.services.signals.junction import (
    Colour,
    Detector,
    Lane,
    Meeting,
    Movement,
    Second,
    SignalGroup,
    Stage,
    Users,
)

NORTH_SOUTH, EAST_WEST = AXES
WALK = 4
BUTTON = 16
CROSSING_M = 14.0
STAGES = (NORTH_SOUTH, EAST_WEST, EAST_WEST | {WALK})


def crossed(length_m: float = 0.0) -> Site:
    """The cross-roads with walkers over its north, who meet north and south, and before whom the east gives way.
    length_m: 0 for a button, else an area that counts them."""
    site = crossroads()
    junction = site.junction
    meets = [Meeting.CONFLICTS, Meeting.CONFLICTS, Meeting.YIELDS, Meeting.APART, Meeting.APART]
    made = msgspec.structs.replace(
        junction,
        groups=(*junction.groups, SignalGroup("walk", Users.PEDESTRIANS, yellow_s=0)),
        movements=(*junction.movements, Movement(WALK, "crossing", "crossing")),
        lanes=(*junction.lanes, Lane("crossing", CROSSING_M, 1.4)),
        detectors=(*junction.detectors, Detector("button", "crossing", 0.0, length_m)),
        meetings=(*((*row, meets[at]) for at, row in enumerate(junction.meetings)), tuple(meets)),
        intergreens=(
            *((*row, 5 if at < 2 else None) for at, row in enumerate(junction.intergreens)),
            (int(CROSSING_M), int(CROSSING_M), None, None, None),
        ),
        stages=tuple(Stage(str(at), greens) for at, greens in enumerate(STAGES)),
    )
    gives_way = (frozenset[int](), frozenset[int](), frozenset({WALK}), frozenset[int](), frozenset[int]())
    return msgspec.structs.replace(site, junction=made, gives_way=gives_way, buttons=((), (), (), (), (BUTTON,)))


class Corner:
    """Seconds at that crossing, one after the other."""

    def __init__(self, site: Site) -> None:
        self.layout = Layout([site])
        self.waiting: Waiting = nobody_asks(1, 5)
        self.red_s = 0

    def second(self, count: int, green: bool = False) -> float:
        """A second goes by; for how many persons those who wait count after it."""
        self.red_s = 0 if green else self.red_s + 1
        counts = np.zeros(17, np.int64)
        counts[BUTTON] = count
        shape = np.zeros((1, 5), np.int64)
        ask(self.layout.walkers, self.waiting, counts, (shape + np.arange(5) == WALK) & green, shape + self.red_s)
        return float(self.waiting.weight[0, WALK])


def test_the_crossing_may_be_controlled_and_its_button_is_no_loop() -> None:
    site = crossed()
    assert site_problems(site) == problems(site.junction) == ()
    assert BUTTON not in loops_of(site)
    assert loops_of(site) == loops_of(crossroads())
    lost = msgspec.structs.replace(site, buttons=((), (), (), (), (17,)))
    assert {each.code for each in site_problems(lost)} == {"unknown_detector"}
    assert {each.code for each in site_problems(msgspec.structs.replace(site, buttons=((),)))} == {"matrix_shape"}


def test_who_asked_goes_on_asking_until_the_green() -> None:
    corner = Corner(crossed())
    assert [corner.second(0) for _ in range(20)] == [0.0] * 20
    weights = [corner.second(1), *(corner.second(0) for _ in range(30))]
    assert weights[0] == pytest.approx(1 + 1 / IMPATIENT_S)
    assert weights == sorted(weights)
    rate_s = float(corner.waiting.rate_s[0, WALK])
    assert weights[-1] == pytest.approx((1 + 30 * rate_s) * (1 + 31 / IMPATIENT_S))
    assert corner.second(0, green=True) == corner.second(0) == 0.0


def test_who_cannot_go_in_green_has_waited_since_he_asked() -> None:
    """Vehicles stand on the crossing: his green is not held for him, and the next one comes sooner."""
    corner = Corner(crossed())
    waited = [corner.second(1) for _ in range(10)]
    assert [corner.second(1, green=True) for _ in range(6)] == [0.0] * 6
    assert corner.second(1) > waited[-1] * 1.5
    assert corner.second(0, green=True) == corner.second(0) == 0.0


@pytest.mark.parametrize("every_s", [10, 45, 200])
def test_how_many_come_is_learned_from_how_long_the_first_was_awaited(every_s: int) -> None:
    corner = Corner(crossed())
    assert float(corner.waiting.presses[0, WALK] / corner.waiting.alone_s[0, WALK]) == 1 / USUAL_S
    dice = np.random.default_rng(every_s)
    for _ in range(150):
        asked = False
        for _ in range(60):
            asked |= bool(dice.random() < 1 / every_s)
            corner.second(int(asked))
        corner.second(0, green=True)
    assert float(corner.waiting.rate_s[0, WALK]) == pytest.approx(1 / every_s, rel=0.35)


def test_who_is_counted_is_not_supposed() -> None:
    corner = Corner(crossed(length_m=3.0))
    assert corner.second(5) == pytest.approx(5 * (1 + 1 / IMPATIENT_S))
    assert corner.second(2) == pytest.approx(2 * (1 + 2 / IMPATIENT_S))


def test_a_dead_button_is_pressed_by_somebody_as_often_as_usual() -> None:
    corner = Corner(crossed())
    weights = [corner.second(UNKNOWN) for _ in range(90)]
    assert weights[29] == pytest.approx(30 / USUAL_S)
    assert weights[89] == pytest.approx(90 / USUAL_S * (1 + 30 / IMPATIENT_S))


def test_a_turn_across_few_walkers_goes_on_and_stages_know_who_clears() -> None:
    layout = Layout([crossed()])
    assert layout.rate[0, 2, 2] == pytest.approx(YIELDING_TO_WALKERS * layout.rate[0, 1, 2])
    assert layout.change_s[0, 2, 0] == CROSSING_M + 1
    assert layout.walkers.clear_s[0, WALK].tolist() == [CROSSING_M + 1, 0, 0]
    assert layout.walkers.without[0, 2].tolist() == [1, 1, 2]


class Street:
    """The cross-roads under adaptive control: what it wishes is green in the next second."""

    def __init__(self) -> None:
        self.controller = Adaptive([crossed()])
        self.greens = NORTH_SOUTH

    def after(self, seconds: int, button: int = 0, **lanes: int) -> list[frozenset[int]]:
        """What it wishes in seconds that are all alike. lanes: who stands on each area."""
        counts = [0] * 17
        for side, count in lanes.items():
            counts[3 * SIDES.index(side)] = count
        counts[BUTTON] = button
        wishes: list[frozenset[int]] = []
        for now_s in range(seconds):
            shown: Second = tuple(Colour.GREEN if at in self.greens else Colour.RED for at in range(5))
            self.greens = self.controller.decide(now_s, [counts], [shown])[0]
            wishes.append(self.greens)
        return wishes


def test_who_asks_where_nobody_drives_walks_as_soon_as_may_be() -> None:
    street = Street()
    # The green of six seconds must be over.
    assert street.after(8, button=1)[-1] == EAST_WEST | {WALK}


def test_who_asks_beside_a_full_road_walks_with_those_whom_he_does_not_meet() -> None:
    street = Street()
    assert street.after(12, east=6, west=6)[-1] >= EAST_WEST
    assert street.after(6, button=1, east=6, west=6)[-1] == EAST_WEST | {WALK}


def test_walkers_clear_while_those_beside_them_still_drive() -> None:
    """North fills up while east still drives: the walkers' green ends at once, and the others' not before it must."""
    street = Street()
    street.after(8, button=1)
    wishes = street.after(30, north=6, south=6, east=3)
    clearing, crossing = wishes.index(EAST_WEST), wishes.index(NORTH_SOUTH)
    assert clearing < crossing
    assert wishes[clearing:crossing] == [EAST_WEST] * (crossing - clearing)
    # Fifteen seconds they take to be gone, and the change of the others six.
    assert CROSSING_M + 1 - 6 - STEP_S <= crossing - clearing <= CROSSING_M + 1


def walked(clearing_s: int) -> Site:
    """The crossing under a plan in which walkers lose their green so long before those who drive beside them."""
    steps = (
        Step(28, EAST_WEST | {WALK}), Step(clearing_s, EAST_WEST), Step(5, frozenset(), True),
        Step(30, NORTH_SOUTH), Step(5, frozenset(), True),
    )  # fmt: skip
    return msgspec.structs.replace(crossed(), plan=Plan(0, steps))


@pytest.mark.parametrize(("east_upstream", "walk_s"), [(0, 6), (1, 50)])
def test_actuation_extends_walkers_with_those_beside_them_and_their_clearing_for_nobody(
    east_upstream: int, walk_s: int
) -> None:
    controller, wish = Actuated(walked(5)), EAST_WEST | {WALK}
    wishes: list[frozenset[int]] = []
    counts = [0] * 17
    counts[3 * SIDES.index("east") + 2] = east_upstream
    for now_s in range(walk_s + 5 + 1):
        wish = controller.decide(now_s, counts, tuple(Colour.GREEN if at in wish else Colour.RED for at in range(5)))
        wishes.append(wish)
    # The wish of a second comes after it was looked at: a green's last second wishes what follows.
    assert wishes == [EAST_WEST | {WALK}] * (walk_s - 1) + [EAST_WEST] * 5 + [NORTH_SOUTH] * 2


def test_who_drives_on_for_longer_than_walkers_clear_has_a_stage_of_his_own() -> None:
    assert walkers_clear_s(walked(int(CROSSING_M))) == (0, 14, 0)
    assert walkers_clear_s(walked(int(CROSSING_M) + 1)) == (0, 0, 0)
    assert walkers_clear_s(crossed()) == (0, 0)


def test_who_is_counted_and_goes_away_asks_no_more() -> None:
    corner = Corner(crossed(length_m=3.0))
    assert [corner.second(2), corner.second(1), corner.second(0), corner.second(0)][1:] == [
        pytest.approx(1 + 2 / IMPATIENT_S), 0.0, 0.0,
    ]  # fmt: skip
    assert corner.second(1) == pytest.approx(1 + 1 / IMPATIENT_S)


@pytest.mark.parametrize(
    ("group", "place", "code"),
    [(WALK, 1, "button_of_traffic"), (WALK, 2, "button_of_traffic"), (2, BUTTON, "button_of_drivers")],
)
def test_a_button_belongs_to_walkers_and_is_no_loop_of_those_who_drive(group: int, place: int, code: str) -> None:
    buttons = tuple((place,) if at == group else () for at in range(5))
    (found,) = site_problems(msgspec.structs.replace(crossed(), buttons=buttons))
    assert (found.code, found.refuses) == (code, True)
    for language in ("fr", "en"):
        texts = json.loads((PROJECT / "src/vigie/texts" / f"{language}.signals.json").read_text("utf-8"))
        assert "{" not in texts[f"finding.signals.{code}"].format(groups=f"F{group + 1}", **found.detail)
