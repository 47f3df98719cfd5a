"""The documents of junctions, by the ids of the junctions: what is in force, and the drafts beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vigie.engine.loop import Engine
from vigie.engine.plans import Plan
from vigie.services.signals import JUNCTION_PLAN
from vigie.services.signals.control.site import Site


def sites_of(engine: Engine) -> Mapping[str, Site]:
    """What control knows of each junction, by its id: documents in force alone. The same while
    `engine.plans.edition` is."""
    in_force = (plan.in_force.body for plan in engine.plans if plan.kind is JUNCTION_PLAN and plan.in_force is not None)
    return {body.asset: body.site for body in in_force}


def documents_of(plans: Iterable[Plan], areas: Mapping[str, str]) -> dict[str, Plan]:
    """The plan that is the document of each junction, by its id: the one in force, else the first draft. areas: where
    the junctions lie. A draft for another area is none: whoever wrote it has no say over the junction."""
    found: dict[str, Plan] = {}
    for plan in plans:
        if plan.kind is not JUNCTION_PLAN:
            continue
        asset = plan.shown.asset
        if plan.in_force is not None:
            found[asset] = plan
        elif areas.get(asset) == plan.area:
            found.setdefault(asset, plan)
    return found
