"""Junctions as plans: what control knows of each is a document with versions, approved before anything follows it."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from vigie.core.kinds import AssetKind
from vigie.core.plans import Finding, Known, PlanKind
from vigie.services.signals.completeness import Problem
from vigie.services.signals.control.site import Site
from vigie.services.signals.control.sitecheck import site_problems
from vigie.services.signals.junction import Junction, Name

ANSWER_LENGTH_MAX = 2_000

Answer = Annotated[str, Meta(max_length=ANSWER_LENGTH_MAX)]
"""What an engineer answers in writing to what `check` finds."""


class JunctionPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What control knows of a junction.

    asset: the junction in the inventory. area: where that lies: who plans signals there may write it. site: lanes,
    signal groups, conflicts, intergreens, stages, detectors, the plan to go back to, neighbours. answer: what the
    engineer answers in writing to what `check` finds.
    """

    asset: Name
    site: Site
    area: Annotated[str, Meta(max_length=300)] = ""
    answer: Answer = ""


def junction_plan(kind: type[AssetKind]) -> PlanKind:
    """The kind of the plans of junctions, which are assets of this kind."""

    def check(body: JunctionPlan, plan: str, known: Known) -> list[Finding]:
        junctions = known.columns(kind)
        areas = dict(zip(junctions.ids, (junctions.areas[int(own)] for own in junctions.area), strict=True))
        others = [each.in_force for each in known.plans(made) if each.id != plan and each.in_force is not None]
        return findings_of(body, areas, {each.asset for each in others})

    made = PlanKind(
        "junction", "signals", JunctionPlan,
        area=lambda body: body.area, title=lambda body: body.asset, rank=lambda _: "",
        answer=lambda body: body.answer, check=check, asset=lambda body: body.asset,
    )  # fmt: skip
    return made


def findings_of(body: JunctionPlan, areas: Mapping[str, str], others: Set[str] = frozenset()) -> list[Finding]:
    """Everything that is wrong with a junction's document. areas: where each junction of the inventory lies, by its id.
    others: the junctions of which another plan is in force."""
    junction, asset = body.site.junction, body.asset
    found = [finding_of(junction, problem) for problem in site_problems(body.site)]
    if asset not in areas:
        found.append(Finding("signals.no_such_junction", True, detail={"asset": asset}))
    elif body.area != areas[asset]:
        # Who may write it would not be who is answerable for the junction.
        found.append(Finding("signals.other_area", True, detail={"asset": asset, "area": areas[asset]}))
    if junction.name != asset:
        # Its neighbours' documents name it, and must mean this one.
        found.append(Finding("signals.other_name", True, detail={"asset": asset, "name": junction.name}))
    if asset in others:
        found.append(Finding("signals.junction_twice", True, detail={"asset": asset}))
    return found


def bound(sites: Mapping[str, Site], assets: Mapping[str, str]) -> dict[str, Site]:
    """Sites under the ids of their junctions. sites: by whatever they are called where they come from. assets: the
    junction of each of those names. Who is bound to none is no neighbour either: nobody would hear of its vehicles."""
    found: dict[str, Site] = {}
    for name, site in sites.items():
        if name in assets:
            feeders = (
                replace(each, neighbour=assets[each.neighbour]) for each in site.feeders if each.neighbour in assets
            )
            junction = replace(site.junction, name=assets[name])
            found[assets[name]] = replace(site, junction=junction, feeders=tuple(feeders))
    return found


def finding_of(junction: Junction, problem: Problem) -> Finding:
    """A problem of a junction as what is found wrong with its plan, the groups by their names."""
    names = ", ".join(junction.groups[group].name for group in problem.groups)
    detail: dict[str, str | float] = {**problem.detail, **({"groups": names} if names else {})}
    return Finding(f"signals.{problem.code}", problem.refuses, problem.article, detail)
