"""Traffic signals: signalised junctions and the detectors around them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

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
    text,
)
from vigie.core.observations import Mask
from vigie.core.service import City, Figure, How, Numbers, Refusal, Service
from vigie.core.watch import Watch, points_of, watching
from vigie.services.signals.plans import junction_plan


class Junction(AssetKind, name="junction", service="signals", shown="mode", public=True):
    """A junction with a signal controller. The controller owns safety; the post asks for plans and modes.

    groups: what each signal group shows, one letter a group in the controller's order: R red, Y yellow, G green, U red
    and yellow, F flashing yellow, B flashing red, X dark, S starting up, - none. fault: the worst that the controller
    says of itself; major is what keeps it from its service or wants a person in this shift, minor what can wait for the
    next maintenance. faults: which, in the words of its protocol. control: who decides which stage comes next, which is
    its plan; the post, by what detectors count; a person; a tram, a bus or an emergency vehicle. Told by a controller
    that has inputs for stages, and by no other.
    """

    controller = attribute()
    commissioned = attribute()
    sound_signals = attribute()

    mode = choice("colours", "flashing", "dark", "all_red", valid_s=300)
    plan = number(low=0, high=255, valid_s=900)
    stage = number(low=0, high=999, valid_s=180)
    groups = text(valid_s=180)
    cycle_time = number(unit="s", low=0, high=300, valid_s=900)
    door = choice("closed", "open", valid_s=3_600)
    fault = choice("none", "minor", "major", valid_s=3_600)
    faults = text(valid_s=3_600)
    control = choice("plan", "adaptive", "operator", "priority", valid_s=180)

    run_plan = Action(
        params=(Param("plan", low=1, high=16),),
        proof=Proof("plan", param="plan"),
        hazard=Hazard.CONFIRM,
        proof_s=240,
    )
    set_mode = Action(
        params=(Param("mode", Sort.CHOICE, choices=("colours", "flashing")),),
        proof=Proof("mode", param="mode"),
        hazard=Hazard.CONFIRM,
        proof_s=240,
    )
    set_control = Action(
        params=(Param("control", Sort.CHOICE, choices=("plan", "adaptive")),),
        proof=Proof("control", param="control"),
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


JUNCTION_PLAN = junction_plan(Junction)
"""What control knows of each junction."""

SIGNALS_FLASHING = ConditionKind(name="signals_flashing", service="signals", outlet=Outlet.ALARM, priority=1)
SIGNALS_DARK = ConditionKind(name="signals_dark", service="signals", outlet=Outlet.ALARM, priority=1)
SIGNALS_UNSAFE = ConditionKind(name="signals_unsafe", service="signals", outlet=Outlet.ALARM, priority=1)
"""A junction that the post steered showed what the safety kernel does not allow. Found where it is steered."""
CONTROLLER_OPEN = ConditionKind(name="controller_open", service="signals", outlet=Outlet.ALARM, priority=3)
CONTROLLER_FAULT = ConditionKind(name="controller_fault", service="signals", outlet=Outlet.ALARM, priority=2)
CONTROLLER_MINOR_FAULT = ConditionKind(name="controller_minor_fault", service="signals", outlet=Outlet.MAINTENANCE)
CONTROLLER_SILENT = ConditionKind(name="controller_silent", service="signals", outlet=Outlet.ALARM, priority=2)
"""The link to a controller is lost. Found by the door that it speaks through, which alone knows."""
DETECTOR_DEAD = ConditionKind(name="detector_dead", service="signals", outlet=Outlet.MAINTENANCE)

_WATCHES = (
    Watch(Junction, Junction.mode, SIGNALS_FLASHING, ("flashing",)),
    Watch(Junction, Junction.mode, SIGNALS_DARK, ("dark",)),
    Watch(Junction, Junction.door, CONTROLLER_OPEN, ("open",)),
    Watch(Junction, Junction.fault, CONTROLLER_FAULT, ("major",)),
    Watch(Junction, Junction.fault, CONTROLLER_MINOR_FAULT, ("minor",)),
    Watch(Detector, Detector.working, DETECTOR_DEAD, (False,)),
)

_ADAPTIVE = "adaptive"


def steers_by_inputs(
    params: Mapping[str, Any], assets: Numbers, city: City, now_us: int
) -> Sequence[tuple[Mask, Refusal]]:
    """The post steers no junction whose controller has no inputs that ask for stages: such a one has never told who
    decides."""
    if params["control"] != _ADAPTIVE:
        return []
    untold = np.isnan(city.value(Junction, Junction.control, assets))
    return [(untold, Refusal("signals.no_stage_inputs"))]


service = Service(
    name="signals",
    assets=(Junction, Detector),
    conditions=(
        SIGNALS_FLASHING,
        SIGNALS_DARK,
        SIGNALS_UNSAFE,
        CONTROLLER_OPEN,
        CONTROLLER_FAULT,
        CONTROLLER_MINOR_FAULT,
        CONTROLLER_SILENT,
        DETECTOR_DEAD,
    ),
    reacts=points_of(*_WATCHES),
    step=watching(*_WATCHES),
    guards={Junction.set_control: (steers_by_inputs,)},
    plans=(JUNCTION_PLAN,),
    figures=(
        Figure("colours", Junction, Junction.mode, How.SHARE, when=("colours",)),
        Figure("flow", Detector, Detector.flow, How.MEAN),
    ),
)
