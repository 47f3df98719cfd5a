"""Junctions as plans: what control knows of each is a document with versions, approved before anything follows it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from vigie.core.ids import keyed_id
from vigie.core.kinds import AssetKind
from vigie.core.plans import Finding, Known, PlanKind
from vigie.services.signals.completeness import Problem
from vigie.services.signals.control.site import Site
from vigie.services.signals.control.sitecheck import site_problems
from vigie.services.signals.junction import Junction, Name


class JunctionPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What control knows of a junction.

    asset: the junction in the inventory. area: where that lies: who plans signals there may write it. site: lanes,
    signal groups, conflicts, intergreens, stages, detectors, the plan to go back to, neighbours. answer: what the
    engineer answers in writing to what `check` finds.
    """

    asset: Name
    site: Site
    area: Annotated[str, Meta(max_length=300)] = ""
    answer: Annotated[str, Meta(max_length=2_000)] = ""


def plan_id_of(asset: str) -> str:
    """The id of the one plan of a junction: taken in again, it is the same."""
    return str(keyed_id("signals.junction", asset))


def junction_plan(kind: type[AssetKind]) -> PlanKind:
    """The kind of the plans of junctions, which are assets of this kind."""

    def check(body: JunctionPlan, plan: str, known: Known) -> list[Finding]:
        found = [finding_of(body.site.junction, problem) for problem in site_problems(body.site)]
        junctions = known.columns(kind)
        area = dict(zip(junctions.ids, (junctions.areas[int(own)] for own in junctions.area), strict=True))
        if body.asset not in area:
            found.append(Finding("signals.no_such_junction", True, detail={"asset": body.asset}))
        elif body.area != area[body.asset]:
            # Who may write it would not be who is answerable for the junction.
            found.append(Finding("signals.other_area", True, detail={"asset": body.asset, "area": area[body.asset]}))
        same = (each for each in known.plans(made) if each.id != plan and each.in_force is not None)
        if any(each.in_force.asset == body.asset for each in same):
            found.append(Finding("signals.junction_twice", True, detail={"asset": body.asset}))
        return found

    made = PlanKind(
        "junction", "signals", JunctionPlan,
        area=lambda body: body.area, title=lambda body: body.site.junction.name, rank=lambda _: "",
        answer=lambda body: body.answer, check=check,
    )  # fmt: skip
    return made


def finding_of(junction: Junction, problem: Problem) -> Finding:
    """A problem of a junction as what is found wrong with its plan, the groups by their names."""
    names = ", ".join(junction.groups[group].name for group in problem.groups)
    detail: dict[str, str | float] = {**problem.detail, **({"groups": names} if names else {})}
    return Finding(f"signals.{problem.code}", problem.refuses, problem.article, detail)
