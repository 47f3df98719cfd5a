"""The courses of lines, as the inventory has them: by which a bus or tram that says its line is known to turn."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping

import structlog

from vigie.core.arrays import ints
from vigie.engine.loop import Engine
from vigie.engine.ports import FactStore
from vigie.services.roads import Bus, Tram, TransitLine
from vigie.services.signals.priority.arms import Crossing
from vigie.services.signals.priority.courses import Course

AGAIN_S = 60.0
"""So long after they could not be read they are read again."""

_log = structlog.get_logger("vigie.rsmp.courses")


class LineCourses:
    """Read beside the loop, when the inventory has changed; nobody waits for it. reading: what reads them now, or did
    last."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.reading: asyncio.Task[None] | None = None
        self._of: Mapping[int, Course] = {}
        self._known: tuple[object, ...] = ()

    def of(self, vehicle: int) -> Course | None:
        """The course that a vehicle drives on, by its number; None where that is not known."""
        return self._of.get(vehicle)

    def look(self, crossings: Mapping[str, Crossing], edition: tuple[object, ...]) -> None:
        """Looks whether they are others by now. crossings: the junctions that there are. edition: changes whenever
        these do, or the inventory."""
        reads = self.reading is not None and not self.reading.done()
        # What is not on disk yet cannot be read there.
        if edition != self._known and not reads and not self._engine.owed:
            self.reading = asyncio.get_running_loop().create_task(self._look(crossings, edition))

    async def _look(self, crossings: Mapping[str, Crossing], edition: tuple[object, ...]) -> None:
        try:
            self._of = await asyncio.to_thread(_read, self._engine.facts, crossings)
        except Exception:
            # Turns are unknown meanwhile, or as they were.
            _log.exception("the courses of lines cannot be read")
            await asyncio.sleep(AGAIN_S)
        else:
            self._known = edition


def _read(facts: FactStore, crossings: Mapping[str, Crossing]) -> dict[int, Course]:
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
