"""What people write for lighting: programmes, what the energy costs, and what lighting was before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vigie.core.calendar import date_of
from vigie.core.plans import Finding, Known, PlanKind
from vigie.core.service import Lines
from vigie.core.times import DAY_US
from vigie.services.lighting.energy.model import Baseline
from vigie.services.lighting.kinds import Cabinet, Luminaire
from vigie.services.lighting.ondemand import rules
from vigie.services.lighting.ondemand.model import OnDemand
from vigie.services.lighting.ondemand.rules import Prepared
from vigie.services.lighting.programmes.checks import check
from vigie.services.lighting.programmes.layers import Layer, stack
from vigie.services.lighting.programmes.model import Programme
from vigie.services.lighting.programmes.nights import Nights
from vigie.services.lighting.programmes.park import Park
from vigie.services.lighting.programmes.year import Tariff

VOLTS = 230.0
_LOOKED_AT_DAYS = 30
"""A rule of light on demand is looked at in a night in so many of the twelve months ahead: what dims does so for
weeks."""


def park_of(known: Known) -> Park:
    """The lamps that who asks may see."""
    lamps = known.columns(Luminaire, "lighting_class", "lights", "category", "rated_power")
    cabinets = known.columns(Cabinet, "rating", "phases")
    phases = np.nan_to_num(cabinets.numbers("phases"), nan=1.0)
    rating_w = cabinets.numbers("rating") * phases * VOLTS
    return Park(
        no=lamps.no,
        ids=lamps.ids,
        area=lamps.area,
        street=lamps.street,
        lon=lamps.lon,
        lat=lamps.lat,
        lighting_class=lamps.texts("lighting_class"),
        rated_w=lamps.numbers("rated_power"),
        lights=lamps.texts("lights"),
        category=lamps.texts("category"),
        cabinet=lamps.parent,
        areas=lamps.areas,
        streets=lamps.streets,
        rating_w={int(no): float(w) for no, w in zip(cabinets.no, rating_w, strict=True) if w > 0},
        cabinets={int(no): id for no, id in zip(cabinets.no, cabinets.ids, strict=True)},
    )


def layers_of(known: Known, draft: Programme | None = None, plan: str = "") -> tuple[Layer, ...]:
    """What is in force, from the lowest layer to the topmost; a draft in place of the plan of its id, or beside."""
    layers = [
        Layer(each.id, each.in_force)
        for each in known.plans(PROGRAMME)
        if each.in_force is not None and (draft is None or each.id != plan)
    ]
    if draft is not None:
        layers.append(Layer(plan, draft))
    return stack(layers)


def check_programme(programme: Programme, plan: str, known: Known) -> list[Finding]:
    """Everything that is wrong with a programme among those in force, in the twelve months from now on."""
    layers = layers_of(known, programme, plan)
    own = next(n for n, each in enumerate(layers) if each.programme is programme)
    today = int(known.now_us // DAY_US)
    return check(park_of(known), layers, own, Nights(np.arange(today, today + 365), known.calendar))


def _check_tariff(tariff: Tariff, plan: str, known: Known) -> list[Finding]:
    others = [each for each in known.plans(TARIFF) if each.id != plan and each.in_force is not None]
    return [Finding("lighting.one_tariff", True)] if others else []


def _check_baseline(baseline: Baseline, plan: str, known: Known) -> list[Finding]:
    others = [each for each in known.plans(BASELINE) if each.id != plan and each.in_force is not None]
    return [Finding("lighting.one_baseline", True)] if others else []


def check_on_demand(rule: OnDemand, plan: str, known: Known) -> list[Finding]:
    """Everything that is wrong with a rule of light on demand among the programmes in force, in the twelve months from
    now on."""
    today = int(known.now_us // DAY_US)
    nights = Nights(np.arange(today, today + 365, _LOOKED_AT_DAYS), known.calendar)
    return rules.check(rule, park_of(known), layers_of(known), nights)


def tariff_of(known: Known) -> Tariff | None:
    """What a kilowatt-hour costs, where somebody has said so."""
    return next((each.in_force for each in known.plans(TARIFF) if each.in_force is not None), None)


def baseline_of(known: Known) -> Baseline | None:
    """The old inventory and the contract's promise, where the town has stated them."""
    return next((each.in_force for each in known.plans(BASELINE) if each.in_force is not None), None)


PROGRAMME = PlanKind(
    "programme", "lighting", Programme,
    area=lambda body: body.area, title=lambda body: body.name, rank=lambda body: body.rank,
    answer=lambda body: body.answer, check=check_programme,
)  # fmt: skip
TARIFF = PlanKind(
    "tariff", "lighting", Tariff,
    area=lambda _: "", title=lambda body: body.source, rank=lambda _: "", answer=lambda _: "", check=_check_tariff,
)  # fmt: skip
BASELINE = PlanKind(
    "baseline", "lighting", Baseline,
    area=lambda _: "", title=lambda body: body.source, rank=lambda _: "", answer=lambda _: "", check=_check_baseline,
)  # fmt: skip

ON_DEMAND = PlanKind(
    "on_demand", "lighting", OnDemand,
    area=lambda body: body.area, title=lambda body: body.name, rank=lambda _: "", answer=lambda body: body.answer,
    check=check_on_demand,
)  # fmt: skip

PLANS: Sequence[PlanKind] = (PROGRAMME, TARIFF, BASELINE, ON_DEMAND)


def prepare_on_demand(known: Known, lines: Lines) -> Prepared:
    """What is in force of light on demand, the streets it is in force on, and the programmes under it."""
    return rules.prepare(park_of(known), on_demand_of(known), layers_of(known), lines, known.calendar)


def on_demand_of(known: Known) -> list[tuple[str, OnDemand]]:
    """What is in force of light on demand, by the ids of the plans, sorted."""
    found = {each.id: each.in_force for each in known.plans(ON_DEMAND) if each.in_force is not None}
    return sorted(found.items())


def nights_of(year: int, known: Known) -> Nights:
    """The nights that begin in a year."""
    return Nights.of_year(year, known.calendar)


def this_year(known: Known) -> int:
    """The year that it is."""
    return date_of(int(known.now_us // DAY_US)).year
