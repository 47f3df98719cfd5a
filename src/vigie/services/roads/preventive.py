"""Preventive plans: work that comes again and again, such as each cabinet's yearly look. Documents with versions, as
all plans are.

The days of a plan's assets are spread evenly over its period, each asset's own the same in every period: a crew has so
many a day, and not a thousand on one. An order is opened ahead of its day, so that it can be planned with what lies
near it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, time
from typing import Annotated, Literal, get_args
from zlib import crc32

from msgspec import Meta, Struct

from vigie.core.arrays import ints
from vigie.core.calendar import EPOCH_DAY, date_of, day_number
from vigie.core.cases import CaseEffect, Open, Opened
from vigie.core.hours import LENGTH_MAX as HOURS_LENGTH_MAX
from vigie.core.hours import HoursWrong, read
from vigie.core.plans import Finding, Known, PlanKind
from vigie.core.scope import lies_in
from vigie.core.service import City
from vigie.core.times import from_us, to_us
from vigie.services.roads.orders import SKILLS, WORK_ORDER, Check, Minutes, Word, WorkOrder

LATE_DAYS = 13
"""An order that could not be opened on its day is opened so many days later at most: until then one that was done at
once is not archived yet, and shows that it was."""

AT_ONCE = 200
"""So many are opened at one look: thousands of a new plan come over some minutes."""

DUE_AT = time(17)

Category = Literal[
    "lighting", "signals", "cameras", "air", "surface", "signs", "cleaning", "waste", "green", "winter", "other"
]


class Preventive(Struct, frozen=True, forbid_unknown_fields=True):
    """Work that comes again.

    name: what people call it, and its orders. kind: of the assets that it is done at, such as `cabinet`. category,
    priority, takes_min, skills, hours, checklist: of its orders. area: the part of the town; empty for all of it.
    every_days: its period. since: the day on which the first period begins. ahead_days: so long before its day an order
    is opened. answer: what is answered in writing to what is found wrong.
    """

    name: Word
    kind: Word
    category: Category
    every_days: Annotated[int, Meta(ge=28, le=3_650)]
    since: Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d$")]
    ahead_days: Annotated[int, Meta(ge=0, le=180)] = 30
    priority: Annotated[int, Meta(ge=1, le=4)] = 4
    area: Annotated[str, Meta(max_length=300)] = ""
    takes_min: Minutes = 30
    skills: Annotated[tuple[Word, ...], Meta(max_length=20)] | None = None
    checklist: Annotated[tuple[Word, ...], Meta(max_length=50)] = ()
    hours: Annotated[str, Meta(max_length=HOURS_LENGTH_MAX)] = ""
    answer: Annotated[str, Meta(max_length=2_000)] = ""


def check(plan: Preventive, plan_id: str, known: Known) -> list[Finding]:
    """Everything that is wrong with a preventive plan."""
    found: list[Finding] = []
    if any(
        each.id != plan_id and each.in_force and each.in_force.name == plan.name for each in known.plans(PREVENTIVE)
    ):
        found.append(Finding("roads.preventive_name", True, detail={"name": plan.name}))
    try:
        day_number(plan.since)
    except ValueError:
        found.append(Finding("roads.preventive_day", True, detail={"day": plan.since}))
    try:
        _ = plan.hours and read(plan.hours)
    except HoursWrong as error:
        found.append(Finding("roads.preventive_hours", True, detail={"why": str(error)}))
    kind = next((each for each in known.kinds if each.kind == plan.kind), None)
    if kind is None:
        return [*found, Finding("roads.preventive_kind", True, detail={"kind": plan.kind})]
    # Its orders say where each of them stands: it is not for those who may not see that.
    if not any(lies_in(area, plan.area) for area in known.areas(kind)):
        found.append(Finding("roads.preventive_nobody", True, detail={"kind": plan.kind}))
    if plan.ahead_days > plan.every_days - LATE_DAYS:
        found.append(Finding("roads.preventive_ahead", True, detail={"days": plan.every_days - LATE_DAYS}))
    return found


PREVENTIVE = PlanKind(
    "preventive", "roads", Preventive,
    area=lambda body: body.area, title=lambda body: body.name, rank=lambda _: "",
    answer=lambda body: body.answer, check=check,
    brief=lambda body: {"kind": body.kind, "category": body.category, "every_days": body.every_days},
    done_at=lambda body: body.kind,
)  # fmt: skip

assert set(get_args(Category)) == set(WORK_ORDER.categories)


def source_of(plan_id: str) -> str:
    """The source of the orders that a preventive plan opens."""
    return f"preventive:{plan_id}"


def coming(
    plans: Iterable[tuple[str, Preventive]], city: City, cases: Sequence[Opened], now_us: int
) -> list[CaseEffect]:
    """The orders that preventive plans ask for now. plans: those in force, by their ids."""
    effects: list[CaseEffect] = []
    today = (from_us(now_us).astimezone(city.zone).date() - EPOCH_DAY).days
    for plan_id, plan in sorted(plans, key=lambda each: each[0]):
        kind, source = city.kind_named(plan.kind), source_of(plan_id)
        if kind is None:
            continue
        held = {asset for case in cases if case.source == source for asset in case.assets}
        document = WorkOrder(
            takes_min=plan.takes_min,
            skills=SKILLS.get(plan.category, ()) if plan.skills is None else plan.skills,
            hours=plan.hours,
            checklist=tuple(Check(each) for each in plan.checklist),
        )
        assets = city.assets(kind)
        rows = zip(ints(assets), city.ids(assets), ints(city.areas(assets)), strict=True)
        for asset, name, area in rows:
            if len(effects) >= AT_ONCE:
                return effects
            due = due_day(plan, name, today)
            if due is None or asset in held or not lies_in(city.area_path(area), plan.area):
                continue
            due_us = to_us(datetime.combine(date_of(due), DUE_AT, city.zone))
            effects.append(
                Open(WORK_ORDER, source, plan.category, plan.priority, (asset,), document, plan.name, due_us)
            )
    return effects


def due_day(plan: Preventive, asset: str, today: int) -> int | None:
    """The day (since the epoch) for which the order of an asset is to be opened today; None where there is none."""
    first = day_number(plan.since) + crc32(asset.encode()) % plan.every_days
    due = first + max(0, -(-(today - LATE_DAYS + plan.ahead_days - first) // plan.every_days)) * plan.every_days
    opens = due - plan.ahead_days
    return due if opens <= today < opens + LATE_DAYS else None
