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
    text,
)
from vigie.core.service import Figure, How, Service
from vigie.core.watch import Watch, points_of, watching


class Junction(AssetKind, name="junction", service="signals", shown="mode", public=True):
    """A junction with a signal controller. The controller owns safety; the post asks for plans and modes.

    groups: what each signal group shows, one letter a group in the controller's order: R red, Y yellow, G green, U red
    and yellow, F flashing yellow, B flashing red, X dark, S starting up, - none. fault: the worst that the controller
    says of itself; major is what keeps it from its service or wants a person in this shift, minor what can wait for the
    next maintenance. faults: which, in the words of its protocol.
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

service = Service(
    name="signals",
    assets=(Junction, Detector),
    conditions=(
        SIGNALS_FLASHING,
        SIGNALS_DARK,
        CONTROLLER_OPEN,
        CONTROLLER_FAULT,
        CONTROLLER_MINOR_FAULT,
        CONTROLLER_SILENT,
        DETECTOR_DEAD,
    ),
    reacts=points_of(*_WATCHES),
    step=watching(*_WATCHES),
    figures=(
        Figure("colours", Junction, Junction.mode, How.SHARE, when=("colours",)),
        Figure("flow", Detector, Detector.flow, How.MEAN),
    ),
)
