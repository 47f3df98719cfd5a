"""Traffic signals: signalised junctions and the detectors around them."""

from vigie.core.kinds import (
    Action,
    AssetKind,
    ConditionKind,
    Hazard,
    Outlet,
    Param,
    Proof,
    Sort,
    attribute,
    choice,
    flag,
    number,
)
from vigie.core.service import Figure, How, Service
from vigie.core.watch import Watch, points_of, watching


class Junction(AssetKind, name="junction", service="signals", shown="mode", public=True):
    """A junction with a signal controller. The controller owns safety; the post asks for plans."""

    controller = attribute()
    commissioned = attribute()
    sound_signals = attribute()

    mode = choice("colours", "flashing", "dark", "all_red", valid_s=300)
    plan = number(low=0, high=255, valid_s=900)
    stage = number(low=0, high=255, valid_s=180)
    cycle_time = number(unit="s", low=0, high=300, valid_s=900)
    door = choice("closed", "open", valid_s=3_600)

    run_plan = Action(
        params=(Param("plan", low=1, high=16),),
        proof=Proof("plan", param="plan"),
        hazard=Hazard.CONFIRM,
        proof_s=240,
    )


class Detector(AssetKind, name="detector", service="signals", shown="flow", public=True):
    """A loop or another counter on a lane or a cross-section."""

    lanes = attribute(Sort.NUMBER)
    direction = attribute()

    flow = number(unit="/h", low=0, high=20_000, valid_s=7_200, public=True)
    speed = number(unit="km/h", low=0, high=250, valid_s=7_200, public=True)
    occupancy = number(unit="%", low=0, high=100, valid_s=7_200, public=True)
    working = flag(valid_s=7_200)


SIGNALS_FLASHING = ConditionKind(name="signals_flashing", service="signals", outlet=Outlet.ALARM, priority=1)
SIGNALS_DARK = ConditionKind(name="signals_dark", service="signals", outlet=Outlet.ALARM, priority=1)
CONTROLLER_OPEN = ConditionKind(name="controller_open", service="signals", outlet=Outlet.ALARM, priority=3)
DETECTOR_DEAD = ConditionKind(name="detector_dead", service="signals", outlet=Outlet.MAINTENANCE)

_WATCHES = (
    Watch(Junction, Junction.mode, SIGNALS_FLASHING, ("flashing",)),
    Watch(Junction, Junction.mode, SIGNALS_DARK, ("dark",)),
    Watch(Junction, Junction.door, CONTROLLER_OPEN, ("open",)),
    Watch(Detector, Detector.working, DETECTOR_DEAD, (False,)),
)

service = Service(
    name="signals",
    assets=(Junction, Detector),
    conditions=(SIGNALS_FLASHING, SIGNALS_DARK, CONTROLLER_OPEN, DETECTOR_DEAD),
    reacts=points_of(*_WATCHES),
    step=watching(*_WATCHES),
    figures=(
        Figure("colours", Junction, Junction.mode, How.SHARE, when=("colours",)),
        Figure("flow", Detector, Detector.flow, How.MEAN),
    ),
)
