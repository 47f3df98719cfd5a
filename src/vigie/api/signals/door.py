"""What control knows of each junction, for whoever sees the junction fully: the document, what is wrong with it, and
who decides now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from vigie.api.access import Caller
from vigie.api.city import describe
from vigie.api.city.forms import Form, Page, Reading
from vigie.api.city.sources import Sources
from vigie.api.operation import Ask, Nothing, Operation
from vigie.api.problems import Problem
from vigie.api.signals.documents import documents_of
from vigie.api.signals.levels import Approaches, JunctionLevel, levels_at
from vigie.core.arrays import ints
from vigie.core.kinds import Outlet
from vigie.core.plans import Finding
from vigie.core.times import rfc3339
from vigie.engine.plans import Plan
from vigie.services.signals import Junction
from vigie.services.signals.control.site import Site
from vigie.services.signals.design.cycle import shown_cycle
from vigie.services.signals.junction import LETTERS
from vigie.services.signals.plans import JunctionPlan, findings_of

_Key = tuple[str, int, int, str]
"""A document as it was judged: the id of its plan, its version and revision, and the area that the junction is in."""

JUDGED_MAX = 4_000
"""Documents whose findings are remembered: all of a large town, in force and drafted."""


Fallen = Callable[[str], str | None]
"""Why a junction is left to its plan that somebody has ordered the post to steer, by its id; None for any other."""


class OpenCondition(Form, frozen=True, kw_only=True):
    """An abnormal state of a junction that is not over. state: what people have done about it. raised: since when."""

    condition: str
    state: str
    raised: str


class JunctionRow(Form, frozen=True, kw_only=True):
    """A junction in a list. control: who decides; mode: what its signals do; running: the number of the plan that runs;
    None where it was never told. fallen: why the post leaves it to its plan though it was ordered to steer it, None
    where it does not, or is about to take it. level: of service, None where nothing counts before it. worst: of what is
    abnormal, 1 to 3 an alarm's priority, 4 maintenance alone, 0 nothing. conditions: what is abnormal, the worst first.
    plan: the id of its document as a plan; version, draft: of that, what is in force and what is drafted; None where
    there is none. findings: what is wrong with the newest of them."""

    id: str
    name: str
    area: str
    control: Reading | None
    mode: Reading | None
    running: Reading | None
    fallen: str | None
    level: JunctionLevel | None
    worst: int
    conditions: Sequence[OpenCondition]
    plan: str | None
    version: int | None
    draft: int | None
    findings: Sequence[Finding]


class CycleForm(Form, frozen=True, kw_only=True):
    """One cycle of the plan of a document as its signals show it, yellows and clearings with it. offset_s: a cycle
    begins in each second of the clock (since 1970, UTC) that is so many more than a whole number of cycles. groups: of
    each group a letter a second, R red, Y yellow, G green."""

    offset_s: int
    groups: Sequence[str]


class JunctionForm(JunctionRow, frozen=True, kw_only=True):
    """A junction with its document: what is in force, None where nothing is. since: when that was approved. cycle: of
    its plan, None where there is none that repeats itself."""

    document: JunctionPlan | None
    since: str | None
    cycle: CycleForm | None


class JunctionsDoor:
    """The operations on junctions. Their documents are written as plans are (`vigie.api.plans`)."""

    def __init__(self, sources: Sources, approaches: Approaches, fallen: Fallen) -> None:
        self._sources, self._engine = sources, sources.engine
        self._approaches, self._fallen = approaches, fallen
        self._judged: Mapping[_Key, Sequence[Finding]] = {}

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        return [
            Operation("GET", "signals/junctions", self.list, answer=Page[JunctionRow]),
            Operation("GET", "signals/junctions/{id}", self.tell, answer=JunctionForm),
        ]

    async def list(self, ask: Ask[Nothing, Nothing]) -> Page[JunctionRow]:
        """Lists the junctions that you see fully, by their ids: who decides at each, how traffic flows before it, what
        is abnormal, and what is wrong with its document."""
        level = await self._levels(ask.caller)
        registry = self._engine.registry
        covered = self._sources.sight(ask.caller).covered[: registry.count]
        own = (registry.kind[: registry.count] == registry.kind_codes[Junction.kind]) & ~registry.gone[: registry.count]
        seen = self._documents(ints(np.flatnonzero(own & covered)))
        judged = await self._judge(seen)
        items = [
            JunctionRow(**self._told(ask.caller, no, plan, judged), level=level.get(no)) for no, plan in seen.items()
        ]
        return Page(items=sorted(items, key=lambda row: row.id), total=len(items))

    async def tell(self, ask: Ask[Nothing, Nothing]) -> JunctionForm:
        """Tells what control knows of a junction: its document, what is wrong with it, and who decides now."""
        asset = ask.part("id")
        no = seen(self._sources, ask.caller, asset)
        documents = self._documents([no])
        plan = documents[no]
        judged, levels = await self._judge(documents), await self._levels(ask.caller)
        in_force = plan.in_force if plan else None
        cycle = await asyncio.to_thread(cycle_of, in_force.body.site) if in_force else None
        return JunctionForm(
            **self._told(ask.caller, no, plan, judged),
            level=levels.get(no),
            cycle=cycle,
            document=in_force.body if in_force else None,
            since=rfc3339(in_force.approved_us) if in_force else None,
        )

    def _documents(self, junctions: Sequence[int]) -> dict[int, Plan | None]:
        """The document of each of these junctions, by its number; None where it has none."""
        registry = self._engine.registry
        areas = {registry.ids[no]: registry.areas[int(registry.area[no])] for no in junctions}
        plans = documents_of(self._engine.plans, areas)
        return {no: plans.get(registry.ids[no]) for no in junctions}

    def _told(
        self, caller: Caller, no: int, plan: Plan | None, judged: Mapping[int, Sequence[Finding]]
    ) -> Mapping[str, Any]:
        registry, now_us = self._engine.registry, self._sources.clock.now_us()
        readings = {
            each.point: each for each in describe.readings(self._engine, self._sources.sight(caller), no, now_us)
        }
        conditions = self._engine.conditions
        conditions.fit()
        found = sorted(conditions.of(no), key=lambda each: (each.kind.outlet is Outlet.MAINTENANCE, each.kind.priority))
        return {
            "id": registry.ids[no],
            "name": registry.names[no],
            "area": registry.areas[int(registry.area[no])],
            "control": readings.get(Junction.control.name),
            "mode": readings.get(Junction.mode.name),
            "running": readings.get(Junction.plan.name),
            "fallen": self._fallen(registry.ids[no]),
            "worst": int(conditions.worst[no]),
            "conditions": [
                OpenCondition(condition=each.kind.name, state=each.state, raised=rfc3339(each.raised_us))
                for each in found
            ],
            "plan": plan.id if plan else None,
            "version": plan.in_force.number if plan and plan.in_force else None,
            "draft": plan.draft.number if plan and plan.draft else None,
            "findings": judged.get(no, ()),
        }

    async def _levels(self, caller: Caller) -> Mapping[int, JunctionLevel]:
        """The level of service at each junction before which somebody counts whom the caller sees."""
        known = await self._approaches.ask()
        seen = self._sources.sight(caller).seen
        return levels_at(self._engine, known, seen, self._sources.clock.now_us())

    async def _judge(self, plans: Mapping[int, Plan | None]) -> Mapping[int, Sequence[Finding]]:
        """What is wrong with the newest document of each junction, by its number; a document is looked at once."""
        registry = self._engine.registry
        keys: dict[int, _Key] = {}
        new: dict[_Key, JunctionPlan] = {}
        for no, plan in plans.items():
            version = (plan.draft or plan.in_force) if plan else None
            if plan is not None and version is not None:
                keys[no] = (plan.id, version.number, version.revision, registry.areas[int(registry.area[no])])
                if keys[no] not in self._judged:
                    new[keys[no]] = version.body
        found = await asyncio.to_thread(
            lambda: {key: findings_of(body, {body.asset: key[3]}) for key, body in new.items()}
        )
        known = {**self._judged, **found}
        self._judged = known if len(known) <= JUDGED_MAX else found
        return {no: known[key] for no, key in keys.items()}


def cycle_of(site: Site) -> CycleForm | None:
    """One cycle of a junction's plan as it is shown; None where it has none that repeats itself."""
    shown = shown_cycle(site)
    if shown is None:
        return None
    groups = ["".join(LETTERS[second[group]] for second in shown) for group in range(len(site.junction.groups))]
    return CycleForm(offset_s=site.plan.offset_s % len(shown), groups=groups)


def seen(sources: Sources, caller: Caller, asset: str) -> int:
    """The number of a junction that somebody sees fully. Raises Problem 404."""
    registry = sources.engine.registry
    no = registry.numbers.get(asset, 0)
    if not sources.sight(caller).covered[no] or registry.kind_of(no) is not Junction:
        raise Problem(404, "No such junction", f"There is no junction {asset[:80]!r} that you may see.")
    return no
