"""Traffic signals: signalised junctions and the detectors around them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vigie.core.kinds import ConditionKind, Outlet
from vigie.core.observations import Mask
from vigie.core.service import City, Figure, How, Numbers, Refusal, Service
from vigie.core.watch import Watch, points_of, watching
from vigie.services.signals.dayplans import fits_a_table
from vigie.services.signals.flow.incidents import BLOCKAGES, TRAFFIC_BLOCKED
from vigie.services.signals.kinds import Detector, Junction
from vigie.services.signals.plans import junction_plan

__all__ = ["Detector", "Junction", "service"]

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
EMERGENCY_PASSES = ConditionKind(name="emergency_passes", service="signals", outlet=Outlet.RECORD)
"""A junction is asked to let an emergency vehicle go first. Found where vehicles' positions come together with
junctions; which vehicle it is only those know who may see where vehicles are."""
DETECTOR_DEAD = ConditionKind(name="detector_dead", service="signals", outlet=Outlet.MAINTENANCE)

_WATCHES = (
    Watch(Junction, Junction.mode, SIGNALS_FLASHING, ("flashing",)),
    Watch(Junction, Junction.mode, SIGNALS_DARK, ("dark",)),
    Watch(Junction, Junction.door, CONTROLLER_OPEN, ("open",)),
    Watch(Junction, Junction.fault, CONTROLLER_FAULT, ("major",)),
    Watch(Junction, Junction.fault, CONTROLLER_MINOR_FAULT, ("minor",)),
    Watch(Detector, Detector.working, DETECTOR_DEAD, (False,)),
)

NO_STAGE_INPUTS = Refusal("signals.no_stage_inputs")
NO_DOCUMENT = Refusal("signals.no_document")
UNFIT_DOCUMENT = Refusal("signals.unfit_document")
"""Why the post cannot steer a junction."""

NOBODY_TO_ASK = Refusal("signals.nobody_to_ask")
"""Why the post cannot clear a vehicle's way: no junction speaks to it."""

_ADAPTIVE = "adaptive"


def steers_by_inputs(
    params: Mapping[str, Any], assets: Numbers, city: City, now_us: int
) -> Sequence[tuple[Mask, Refusal]]:
    """The post steers no junction whose controller has no inputs that ask for stages: such a one has never told who
    decides."""
    if params["control"] != _ADAPTIVE:
        return []
    untold = np.isnan(city.value(Junction, Junction.control, assets))
    return [(untold, NO_STAGE_INPUTS)]


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
        EMERGENCY_PASSES,
        DETECTOR_DEAD,
        TRAFFIC_BLOCKED,
    ),
    reacts=points_of(*_WATCHES),
    step=watching(*_WATCHES),
    sweep=BLOCKAGES,
    guards={Junction.set_control: (steers_by_inputs,), Junction.run_day_plans: (fits_a_table,)},
    plans=(JUNCTION_PLAN,),
    figures=(
        Figure("colours", Junction, Junction.mode, How.SHARE, when=("colours",)),
        Figure("flow", Detector, Detector.flow, How.MEAN),
    ),
)
