"""Street lighting: luminaires, and the cabinets that feed them."""

from vigie.core.service import Automation, Figure, How, Service
from vigie.core.watch import points_of
from vigie.services.lighting.compliance.report import judge_drafts
from vigie.services.lighting.conditions import CONDITIONS, WATCHES
from vigie.services.lighting.faults.sweeper import SWEEP
from vigie.services.lighting.faults.words import step
from vigie.services.lighting.guards import control_is_known, full_light_is_off, supply_is_on
from vigie.services.lighting.kinds import Cabinet, Luminaire, MotionSensor
from vigie.services.lighting.ondemand.calls import Calls
from vigie.services.lighting.ondemand.model import AUTOMATION, HEARD
from vigie.services.lighting.plans import ON_DEMAND, PLANS, PROGRAMME, prepare_on_demand
from vigie.services.lighting.questions import QUESTIONS

service = Service(
    name="lighting",
    assets=(Luminaire, Cabinet, MotionSensor),
    conditions=CONDITIONS,
    reacts=(*points_of(*WATCHES), (Luminaire, Luminaire.fault), (Cabinet, Cabinet.supply)),
    step=step,
    sweep=SWEEP,
    automation=Automation(AUTOMATION, ON_DEMAND, (PROGRAMME,), tuple(HEARD), prepare_on_demand, Calls),
    plans=tuple(PLANS),
    questions=QUESTIONS,
    judge=judge_drafts,
    guards={
        Luminaire.dim: (supply_is_on, full_light_is_off),
        Luminaire.release: (supply_is_on, full_light_is_off, control_is_known),
    },
    figures=(
        Figure("lit", Luminaire, Luminaire.level, How.SHARE),
        Figure("power", Luminaire, Luminaire.power, How.SUM, unit="kW", scale=0.001),
    ),
)
