"""Markets and events in streets: when they take up which. Documents with versions, as all plans are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from msgspec import Meta, Struct

from vigie.core.calendar import day_number
from vigie.core.hours import LENGTH_MAX as HOURS_LENGTH_MAX
from vigie.core.hours import HoursWrong
from vigie.core.plans import Finding, Known, PlanKind
from vigie.core.scope import lies_in
from vigie.services.roads.works.windows import DAY_MIN, Window, spans_of

Day = Annotated[str, Meta(pattern=r"^(\d{4}-\d\d-\d\d)?$")]
Id = Annotated[str, Meta(min_length=1, max_length=200)]

FIRST_MIN, LAST_MIN = 0, 1_000_000 * DAY_MIN
"""What has neither a first nor a last day is always so."""


class Occasion(Struct, frozen=True, forbid_unknown_fields=True):
    """A market or an event.

    name: what people call it. streets: the stretches that it takes up, by their ids. hours: when, week for week, such
    as `sat 06:00-14:00`; empty for day and night. first, last: its days, empty for a market that goes on. answer: what
    is answered in writing to what is found wrong.
    """

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    kind: Literal["market", "event"]
    streets: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=300)]
    area: Annotated[str, Meta(max_length=300)] = ""
    hours: Annotated[str, Meta(max_length=HOURS_LENGTH_MAX)] = ""
    first: Day = ""
    last: Day = ""
    answer: Annotated[str, Meta(max_length=2_000)] = ""

    @property
    def window(self) -> Window:
        """When it is."""
        begin = day_number(self.first) * DAY_MIN if self.first else FIRST_MIN
        end = (day_number(self.last) + 1) * DAY_MIN if self.last else LAST_MIN
        return Window(begin, end, self.hours)


def check(occasion: Occasion, plan: str, known: Known) -> list[Finding]:
    """Everything that is wrong with an occasion."""
    found = list(_of_times(occasion))
    drawn = known.drawn()
    row = {street: n for n, street in enumerate(drawn.ids)}
    gone = [street for street in occasion.streets if street not in row]
    if gone:
        found.append(Finding("roads.occasion_street", True, assets=gone[:50], count=len(gone)))
    there = [street for street in occasion.streets if street in row]
    outside = [street for street in there if not lies_in(drawn.areas[int(drawn.area[row[street]])], occasion.area)]
    if outside:
        found.append(Finding("roads.occasion_elsewhere", True, assets=outside[:50], count=len(outside)))
    if any(each.id != plan and each.in_force and each.in_force.name == occasion.name for each in known.plans(OCCASION)):
        found.append(Finding("roads.occasion_name", True, detail={"name": occasion.name}))
    return found


def _of_times(occasion: Occasion) -> Iterable[Finding]:
    try:
        spans_of(occasion.hours)
    except HoursWrong as error:
        yield Finding("roads.occasion_hours", True, detail={"why": str(error)})
    try:
        window = occasion.window
    except ValueError:
        yield Finding("roads.occasion_days", True)
        return
    if window.begin >= window.end:
        yield Finding("roads.occasion_days", True)
    if not occasion.hours and not occasion.first:
        yield Finding("roads.occasion_always", True)


OCCASION = PlanKind(
    "occasion", "roads", Occasion,
    area=lambda body: body.area, title=lambda body: body.name, rank=lambda _: "",
    answer=lambda body: body.answer, check=check,
    brief=lambda body: {"kind": body.kind, "hours": body.hours, "first": body.first, "last": body.last,
                        "streets": len(body.streets)},
)  # fmt: skip
