"""The documents of junctions, by the ids of the junctions: what is in force, and the drafts beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vigie.engine.loop import Engine
from vigie.engine.plans import Plan
from vigie.services.signals import JUNCTION_PLAN
from vigie.services.signals.control.site import Site
from vigie.services.signals.plans import JunctionPlan


def sites_of(engine: Engine) -> Mapping[str, Site]:
    """What control knows of each junction, by its id: documents in force alone. The same while
    `engine.plans.edition` is."""
    return {body.asset: body.site for plan in documents_of(engine) if (body := in_force(plan)) is not None}


def documents_of(engine: Engine) -> Iterator[Plan]:
    """The plans that are documents of junctions, drafted or in force."""
    return (plan for plan in engine.plans if plan.kind is JUNCTION_PLAN)


def in_force(plan: Plan) -> JunctionPlan | None:
    """The document of a junction that is in force."""
    return None if plan.in_force is None else plan.in_force.body
