"""Rounds over the API: how far each circuit is, street by street, and what is kept as proof of service."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from vigie.api.access import Caller
from vigie.api.city.forms import Form, Instant
from vigie.api.city.sources import Sources
from vigie.api.operation import Ask, Nothing, Operation
from vigie.api.plans import touches
from vigie.api.problems import Problem
from vigie.api.roads.covering import Covering, Told
from vigie.api.roads.streets import Streets
from vigie.core.scope import Placement, Verb
from vigie.core.times import DAY_US, from_us, to_us
from vigie.engine.plans import Plan
from vigie.services.roads.rounds.circuits import CIRCUIT, Circuit, Task, Way
from vigie.services.roads.rounds.turns import STATES, State
from vigie.services.roads.winter.calling import source_of
from vigie.store.rounds import PastTurn

TURNS_TOLD = 60
SPAN_US_MAX = 366 * DAY_US


class CalledForm(Form, frozen=True, kw_only=True):
    """The work order by which ice has called a circuit out. due: when it is to be driven."""

    case: str
    number: int
    state: str
    due: Instant


class RoundForm(Form, frozen=True, kw_only=True):
    """A circuit in its turn. start, due: of the turn that runs, or ran last; null where there was none within a week.
    called: the order by which ice has called it out and that is not over, where you see it. streets: how many it has;
    the others: how many of them are in that state, null where nothing is known."""

    id: str
    name: str
    task: Task
    area: str
    start: Instant | None
    due: Instant | None
    over: bool
    called: CalledForm | None
    streets: int
    open: int | None
    done: int | None
    late: int | None
    done_late: int | None


class Rounds(Form, frozen=True, kw_only=True):
    """The circuits in force, by their names."""

    items: Sequence[RoundForm]


class StreetOfRound(Form, frozen=True, kw_only=True):
    """A street of a circuit. due: when it is to be done. state: `done` where four fifths of it were driven with the
    tool at work; `late` once it is due and not done. share: how much is driven, 0 to 1. at: when the last of it was.
    vehicle: by which, null where you may not see its crew. dosage: the mean, in g/m2."""

    street: str
    name: str
    way: Way
    due: Instant
    state: State
    share: float
    at: Instant | None
    vehicle: str | None
    dosage: float | None


class RoundDetail(RoundForm, frozen=True, kw_only=True):
    """The same with its streets, in the order in which they are driven; none where nothing is known of its turn."""

    of_streets: Sequence[StreetOfRound]


class LineOfStreet(Form, frozen=True, kw_only=True):
    """A street of a circuit as it is drawn. line: longitude and latitude of each corner, in degrees; empty where the
    inventory has no line of it."""

    street: str
    line: Sequence[tuple[float, float]]


class LinesOfRound(Form, frozen=True, kw_only=True):
    """The streets of a circuit, in the order in which they are driven. version: of the circuit."""

    version: int
    items: Sequence[LineOfStreet]


class GapForm(Form, frozen=True, kw_only=True):
    """A street that was not done at the end of a turn. name: as it is called now. share: how much of it was driven, 0
    to 1."""

    street: str
    name: str
    share: float


class TurnForm(Form, frozen=True, kw_only=True):
    """A turn that is over. streets: how many it had; gaps: those that were left out."""

    start: Instant
    due: Instant
    streets: int
    gaps: Sequence[GapForm]


class Turns(Form, frozen=True, kw_only=True):
    """The turns of a circuit that are over, the newest first."""

    items: Sequence[TurnForm]


class ServedQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Of which time."""

    start: Annotated[
        Instant | None, Meta(description="The first instant, RFC 3339; a year before `to` unless said.")
    ] = msgspec.field(name="from", default=None)
    end: Annotated[Instant | None, Meta(description="The first instant that is no more of it; now unless said.")] = (
        msgspec.field(name="to", default=None)
    )


class ServedForm(Form, frozen=True, kw_only=True):
    """That a street was served within the hour that begins then. dosage: the mean, in g/m2."""

    task: Task
    hour: Instant
    dosage: float | None


class ServedHours(Form, frozen=True, kw_only=True):
    """When a street was served, the newest first; a thousand at most."""

    items: Sequence[ServedForm]


class RoundsDoor:
    """The operations on rounds."""

    def __init__(self, sources: Sources, covering: Covering, streets: Streets) -> None:
        self._sources, self._covering, self._streets_of = sources, covering, streets

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        return [
            Operation("GET", "roads/rounds", self.rounds, answer=Rounds),
            Operation("GET", "roads/rounds/{id}", self.of_round, answer=RoundDetail),
            Operation("GET", "roads/rounds/{id}/lines", self.lines, answer=LinesOfRound),
            Operation("GET", "roads/rounds/{id}/turns", self.turns, answer=Turns),
            Operation("GET", "roads/streets/{id}/served", self.served, query=ServedQuery, answer=ServedHours),
        ]

    async def rounds(self, ask: Ask[Nothing, Nothing]) -> Rounds:
        """Tells how far each circuit is that is in force: in the turn that runs, or ran last.

        Positions are matched as they come; what the newest of them say may be taken back within half a minute.
        """
        mine = sorted(self._in_force(ask.caller), key=lambda each: each.kind.title(each.shown))
        now_us = self._sources.clock.now_us()
        told = await asyncio.to_thread(self._covering.told_of, [each.id for each in mine], now_us)
        called = self._called(ask.caller)
        return Rounds(items=[self._form(each, found, called, now_us) for each, found in zip(mine, told, strict=True)])

    async def of_round(self, ask: Ask[Nothing, Nothing]) -> RoundDetail:
        """Tells of each street of a circuit whether it is done, when, by which vehicle and with what, or is late."""
        plan, now_us = self._plan(ask), self._sources.clock.now_us()
        told = await asyncio.to_thread(self._covering.told, plan.id, now_us)
        form = self._form(plan, told, self._called(ask.caller), now_us)
        fields = {name: getattr(form, name) for name in RoundForm.__struct_fields__}
        return RoundDetail(**fields, of_streets=[] if told is None else self._streets(ask.caller, told))

    async def lines(self, ask: Ask[Nothing, Nothing]) -> LinesOfRound:
        """Tells how the streets of a circuit are drawn. They change with the circuit and with the inventory alone."""
        plan = self._plan(ask)
        assert plan.in_force is not None
        circuit: Circuit = plan.in_force.body
        numbers = self._sources.engine.registry.numbers
        asked = np.array([numbers.get(each.street, -1) for each in circuit.streets], np.int64)
        drawn = await asyncio.to_thread(self._streets_of.lines, asked)
        items = [LineOfStreet(street=each.street, line=line) for each, line in zip(circuit.streets, drawn, strict=True)]
        return LinesOfRound(version=plan.in_force.number, items=items)

    async def turns(self, ask: Ask[Nothing, Nothing]) -> Turns:
        """Tells what was left out of the turns of a circuit that are over, the last sixty of them."""
        found = await asyncio.to_thread(self._sources.facts.rounds.turns, self._plan(ask).id, TURNS_TOLD)
        return Turns(items=[self._turn(each) for each in found])

    async def served(self, ask: Ask[ServedQuery, Nothing]) -> ServedHours:
        """Tells in which hours a street was swept, salted or collected in, and with what: the proof of service.

        It is kept for a year, and names no vehicle and nobody.
        """
        sources, query = self._sources, ask.query
        no = sources.engine.registry.numbers.get(ask.part("id"), 0)
        if not no or not sources.sight(ask.caller).seen[no]:
            raise Problem(404, "No such street", f"There is no street {ask.part('id')[:80]!r} that you may see.")
        end = sources.clock.now_us() if query.end is None else to_us(query.end)
        start = end - SPAN_US_MAX if query.start is None else to_us(query.start)
        found = await asyncio.to_thread(sources.facts.rounds.of_street, no, start, end)
        return ServedHours(
            items=[
                ServedForm(task=msgspec.convert(each.task, Task), hour=from_us(each.hour_us), dosage=_told(each.dosage))
                for each in found
            ]
        )

    def _in_force(self, caller: Caller) -> list[Plan]:
        return [
            each
            for each in self._sources.engine.plans
            if each.kind is CIRCUIT and each.in_force is not None and touches(caller, each.area, CIRCUIT.service)
        ]

    def _plan(self, ask: Ask[Nothing, Nothing]) -> Plan:
        found = next((each for each in self._in_force(ask.caller) if each.id == ask.part("id")), None)
        if found is None:
            raise Problem(404, "No such circuit", "There is none of this id in force that you may see.")
        return found

    def _called(self, caller: Caller) -> Mapping[str, CalledForm]:
        """The orders by which circuits are called out, by their source, as far as a caller sees them."""
        return {
            each.source: CalledForm(case=each.id, number=each.no, state=each.state, due=from_us(each.due_us))
            for each in self._sources.engine.cases
            if each.source.startswith(source_of(""))
            and not each.is_over
            and caller.scope.covers(Placement(each.area, each.service, Verb.SEE))
        }

    @staticmethod
    def _form(plan: Plan, told: Told | None, called: Mapping[str, CalledForm], now_us: int) -> RoundForm:
        assert plan.in_force is not None
        circuit: Circuit = plan.in_force.body
        turn = None if told is None else told.progress.turn
        counts = {state: None if told is None else list(told.states).count(state) for state in STATES}
        return RoundForm(
            id=plan.id, name=circuit.name, task=circuit.task, area=circuit.area, streets=len(circuit.streets),
            start=None if turn is None else from_us(turn.start_us), due=None if turn is None else from_us(turn.end_us),
            over=turn is not None and turn.end_us <= now_us, called=called.get(source_of(plan.id)),
            open=counts["open"], done=counts["done"], late=counts["late"], done_late=counts["done_late"],
        )  # fmt: skip

    def _streets(self, caller: Caller, told: Told) -> list[StreetOfRound]:
        registry, seen = self._sources.engine.registry, self._sources.sight(caller).seen
        progress, found, made = told.progress, told.seen, list[StreetOfRound]()
        for n, stretch in enumerate(progress.circuit.streets):
            no, vehicle, at_us = int(progress.course.street[n]), int(found.vehicle[n]), int(found.at_us[n])
            made.append(
                StreetOfRound(
                    street=stretch.street,
                    name=registry.names[no] if no >= 0 else "",
                    way=stretch.way,
                    due=from_us(int(progress.due_us[n])),
                    state=told.states[n],
                    share=round(float(found.share[n]), 3),
                    at=from_us(at_us) if at_us else None,
                    vehicle=registry.ids[vehicle] if vehicle and seen[vehicle] else None,
                    dosage=_told(float(found.dosage[n])),
                )
            )
        return made

    def _turn(self, each: PastTurn) -> TurnForm:
        registry = self._sources.engine.registry

        def name(street: str) -> str:
            no = registry.numbers.get(street, 0)
            return registry.names[no] if no else ""

        gaps = [GapForm(street=gap.street, name=name(gap.street), share=gap.share) for gap in each.gaps]
        return TurnForm(start=from_us(each.start_us), due=from_us(each.end_us), streets=each.streets, gaps=gaps)


def _told(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else round(value, 1)
