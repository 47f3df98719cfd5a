"""Buses as they drive through the town: each leg of a line is a vehicle of SUMO's, which stops, stands at red and
queues as others do, and waits at a stop until it is due.

Its laws: a bus sets out on a leg when that is due and it has come, and never before it has rested. One that is so late
at the end of its line that it could be there again in time leaves a round out. One that SUMO has lost begins its next
leg. One that finds no room to set out stands where its leg begins, and is late.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from vigie.sim.life.timetable import served_now
from vigie.sim.traffic.lines import Halt, Leg, Line, OnLine, Service
from vigie.sim.traffic.shown import Driven
from vigie.sim.traffic.town import BUS
from vigie.sim.traffic.world import World

TOLD_S = 10
"""How often each bus tells where it is."""

DWELL_S = (6.0, 16.0)
"""At least so long a bus stands at a stop: drawn anew for each."""

RESTS_S = 30.0
"""At least so long it stands at the end of its line, however late it is."""


@dataclass
class OnRoad:
    """A bus. leg: the number of its leg since the service began. name: of the vehicle that it is on the road; empty
    where it stands at the beginning of a leg or of a part of one. since_s: since when it stands at a stop. place: where
    it was last; None of one that begins in the middle of a leg, and has not found room yet."""

    own: OnLine
    line: Line
    leg: int = 0
    part: int = 0
    halt: int = 0
    name: str = ""
    ready_s: float = 0.0
    since_s: float | None = None
    dwell_s: float = 0.0
    late_s: float = 0.0
    place: tuple[float, float, float] | None = None
    sent: int = 0

    @property
    def way(self) -> Leg:
        """The leg of its line that it is on or waits for."""
        return self.line.legs[self.leg % 2]

    def due_s(self, in_round_s: float) -> float:
        """When something of the round that its leg belongs to is due, in seconds of service."""
        return (self.leg // 2) * self.line.round_s - self.own.offset_s + in_round_s


class Buses:
    """All buses of a town, second by second. all: as they are."""

    def __init__(self, service: Service, world: World, seed: int, now_s: int) -> None:
        self._world = world
        self._dice = Random(f"buses {seed} {now_s}")
        now = served_now(now_s)
        self.all = [self._begun(own, service.lines[own.line], now) for own in service.buses]

    def _begun(self, own: OnLine, line: Line, now: float) -> OnRoad:
        """A bus at the stop that it should have left last, or at the beginning of the leg that it waits for."""
        bus = OnRoad(own, line, leg=2 * int((now + own.offset_s) // line.round_s))
        while bus.due_s(bus.way.ends_s) <= now:
            bus.leg += 1
        halts = [(part, halt) for part, all_of_it in enumerate(bus.way.parts) for halt in range(len(all_of_it.halts))]
        for part, halt in halts:
            if bus.due_s(bus.way.parts[part].halts[halt].due_s) <= now:
                bus.part, bus.halt = part, halt
        bus.place = None if bus.part or bus.halt else bus.way.start
        return bus

    def step(self, now_s: int) -> None:
        """A second on: who is due sets out, stops, drives on, or has come."""
        now = served_now(now_s)
        for bus in self.all:
            if not bus.name:
                self._set_out(bus, now)
            elif self._world.is_under_way(bus.name):
                self._drive(bus, now)
            else:
                self._come(bus, now)

    def told(self, now_s: int) -> Iterator[Driven]:
        """Those whose turn it is to tell where they are."""
        now = served_now(now_s)
        for bus in self.all[now_s % TOLD_S :: TOLD_S]:
            place = self._world.place(bus.name) if bus.name else None
            bus.place = place or bus.place
            if bus.place is None:
                continue
            east_m, north_m, heading_deg = (round(each, 1) for each in bus.place)
            yield Driven(bus.own.number, east_m, north_m, heading_deg, round(self._late_s(bus, now)))

    def _late_s(self, bus: OnRoad, now: float) -> float:
        """How late a bus is: as it was at its last stop, or more, where it is due at the next by now."""
        if not bus.name and not bus.part:
            return max(0.0, now - bus.due_s(bus.way.begins_s))
        halts = bus.way.parts[bus.part].halts if bus.part < len(bus.way.parts) else ()
        due_s = halts[bus.halt].due_s if bus.halt < len(halts) else bus.way.ends_s
        return max(bus.late_s, now - bus.due_s(due_s))

    def _set_out(self, bus: OnRoad, now: float) -> None:
        if now < max(bus.due_s(bus.way.begins_s), bus.ready_s):
            return
        part = bus.way.parts[bus.part]
        halts = part.halts[bus.halt :]
        bus.sent += 1
        name = f"bus {bus.own.number} {bus.sent}"
        first = part.edges.index(_road(halts[0])) if bus.halt else 0
        self._world.send_bus(name, f"{bus.own.line} {bus.leg % 2} {bus.part} {first}", part.edges[first:], halts, BUS)
        bus.name, bus.since_s = name, None

    def _drive(self, bus: OnRoad, now: float) -> None:
        at = self._world.stops_at(bus.name)
        if at is None:
            bus.since_s = None
            return
        halts = bus.way.parts[bus.part].halts
        if bus.since_s is None:
            # Who was lifted over a stop has left it out.
            bus.halt = next((n for n in range(bus.halt, len(halts)) if _is_at(halts[n], at)), bus.halt)
            bus.since_s, bus.dwell_s = now, self._dice.uniform(*DWELL_S)
        due_s = bus.due_s(halts[bus.halt].due_s)
        if now >= max(bus.since_s + bus.dwell_s, due_s):
            bus.late_s, bus.since_s = now - due_s, None
            bus.halt += 1
            self._world.drive_on(bus.name)

    def _come(self, bus: OnRoad, now: float) -> None:
        """Its vehicle is no more: the next part of its leg, or the next leg."""
        bus.name, bus.halt, bus.since_s = "", 0, None
        bus.part += 1
        if bus.part < len(bus.way.parts):
            return
        bus.part, bus.leg, bus.ready_s = 0, bus.leg + 1, now + RESTS_S
        while now - bus.due_s(bus.way.begins_s) > bus.line.round_s:
            bus.leg += 2
        bus.late_s, bus.place = 0.0, bus.way.start


def _road(halt: Halt) -> str:
    return halt.lane.rpartition("_")[0]


def _is_at(halt: Halt, at: tuple[str, float]) -> bool:
    return halt.lane == at[0] and abs(halt.at_m - at[1]) < 1.0
