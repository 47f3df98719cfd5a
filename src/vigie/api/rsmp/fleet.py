"""What the inventory says of vehicles: whose line follows which course, by which its turns are known, and who may be on
a mission at all."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping

import numpy as np
import structlog

from vigie.core.arrays import ints
from vigie.core.service import Numbers
from vigie.engine.loop import Engine
from vigie.engine.ports import FactStore
from vigie.services.roads import Bus, Tram, TransitLine, Vehicle
from vigie.services.signals.priority.arms import Crossing
from vigie.services.signals.priority.courses import Course

AGAIN_S = 60.0
"""So long after it could not be read it is read again."""

_log = structlog.get_logger("vigie.rsmp.fleet")


class Fleet:
    """Read beside the loop, when the inventory has changed; nobody waits for it. reading: what reads it now, or did
    last. emergency: the numbers of those vehicles whose mission counts."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.reading: asyncio.Task[None] | None = None
        self._courses: Mapping[int, Course] = {}
        self.emergency: Numbers = np.empty(0, np.int64)
        self._known: tuple[object, ...] = ()

    def course(self, vehicle: int) -> Course | None:
        """The course that a vehicle drives on, by its number; None where that is not known."""
        return self._courses.get(vehicle)

    def look(self, crossings: Mapping[str, Crossing], edition: tuple[object, ...]) -> None:
        """Looks whether it is another by now. crossings: the junctions that there are. edition: changes whenever
        these do, or the inventory."""
        reads = self.reading is not None and not self.reading.done()
        # What is not on disk yet cannot be read there.
        if edition != self._known and not reads and not self._engine.owed:
            self.reading = asyncio.get_running_loop().create_task(self._look(crossings, edition))

    async def _look(self, crossings: Mapping[str, Crossing], edition: tuple[object, ...]) -> None:
        try:
            self._courses, self.emergency = await asyncio.to_thread(_read, self._engine.facts, crossings)
        except Exception:
            # Turns and missions are unknown meanwhile, or as they were.
            _log.exception("what the inventory says of vehicles cannot be read")
            await asyncio.sleep(AGAIN_S)
        else:
            self._known = edition


def _read(facts: FactStore, crossings: Mapping[str, Crossing]) -> tuple[dict[int, Course], Numbers]:
    assets, said = facts.attributes(Vehicle, ("emergency",))
    return _courses(facts, crossings), assets[said["emergency"] == "yes"]


def _courses(facts: FactStore, crossings: Mapping[str, Crossing]) -> dict[int, Course]:
    numbers, _, start, lon, lat = facts.lines(TransitLine)
    assets, said = facts.attributes(TransitLine, ("line",))
    named = dict(zip(ints(assets), map(str, said["line"].tolist()), strict=True))
    drawn = [named.get(number, "") for number in ints(numbers)]
    times = Counter(drawn)
    courses: dict[str, Course] = {}
    for line, first, last in zip(drawn, ints(start[:-1]), ints(start[1:]), strict=True):
        # Of a line that is drawn in several pieces is not known which somebody drives on.
        if not line or times[line] > 1:
            continue
        try:
            courses[line] = Course(lon[first:last], lat[first:last])
        except ValueError:
            continue
        courses[line].keep(crossings)
    found: dict[int, Course] = {}
    for kind in (Bus, Tram):
        assets, said = facts.attributes(kind, ("line",))
        drives = zip(ints(assets), map(str, said["line"].tolist()), strict=True)
        found.update({number: courses[line] for number, line in drives if line in courses})
    return found
