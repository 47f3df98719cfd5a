"""A rule of light on demand, as a lighting manager says it: where, what calls for light, how much, for how long."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from vigie.services.lighting.programmes.model import Clock, Moment, Target, When, Words

AUTOMATION = "lighting.on_demand"
"""How the journal names the orders that come of it."""

HOURS_MAX = 6


class Trigger(StrEnum):
    """What calls for light."""

    MOTION = "motion"
    BUS = "bus"


HEARD: dict[tuple[str, str], Trigger] = {
    ("motion_sensor", "motion"): Trigger.MOTION,
    ("motion_sensor", "passages"): Trigger.MOTION,
    ("bus", "position"): Trigger.BUS,
}
"""The kind and the point whose change calls for light, by their names: a bus is another service's."""


class Hours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From one moment of the night to another; nothing in nights in which the second is not after the first."""

    start: Moment
    end: Moment


class OnDemand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule. It raises lamps of its area that its target names, and none elsewhere, whoever calls.

    level: what lamps that stand lower are raised to, in %. ahead_m, behind_m: along the streets, from where somebody
    calls; a sensor sees both ways, and all is ahead of it. fade_s: how long the change takes. hold_s: how long it lasts
    after the last call. hours: outside them nothing is raised. raises_max, minutes_max: what one lamp is raised at
    most in a night, all rules together. leave: the commune's written leave to light what its decision darkens (number
    and date); "" and lamps that are out stay out. answer: what the manager answers in writing to what `check` finds.
    """

    name: Words
    level: Annotated[int, Meta(ge=1, le=100)]
    triggers: Annotated[tuple[Trigger, ...], Meta(min_length=1, max_length=len(Trigger))]
    area: Annotated[str, Meta(max_length=300)] = ""
    target: Target = Target()
    ahead_m: Annotated[float, Meta(ge=10, le=500)] = 120.0
    behind_m: Annotated[float, Meta(ge=0, le=200)] = 30.0
    fade_s: Annotated[float, Meta(ge=0, le=60)] = 2.0
    hold_s: Annotated[int, Meta(ge=30, le=1_800)] = 120
    hours: Annotated[tuple[Hours, ...], Meta(min_length=1, max_length=HOURS_MAX)] = (
        Hours(Clock(22 * 60), Clock(5 * 60)),
    )
    when: When = When()
    raises_max: Annotated[int, Meta(ge=1, le=400)] = 60
    minutes_max: Annotated[int, Meta(ge=1, le=720)] = 120
    leave: Annotated[str, Meta(max_length=200)] = ""
    answer: Annotated[str, Meta(max_length=2_000)] = ""
