"""Works as they stand in the town: held against each other and all around them, whenever it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from threading import Lock

import numpy as np

from vigie.api.city.sources import Sources
from vigie.api.roads.streets import Streets
from vigie.core.arrays import floats, ints
from vigie.core.calendar import Calendar
from vigie.core.ground import metres
from vigie.core.observations import Floats, Int64s, Mask
from vigie.core.refusals import Refusal
from vigie.core.scope import lies_in
from vigie.core.times import from_us
from vigie.engine.cases import Case
from vigie.services.places import Street
from vigie.services.roads import TransitLine
from vigie.services.roads.works.clashes import NOT_READY, Clash, Course, Index, Part, Surroundings, check, laid, refusal
from vigie.services.roads.works.coordination import COORDINATION
from vigie.services.roads.works.courses import Drawing, courses
from vigie.services.roads.works.diversions import Detour, closed_arcs, detours, weights_of
from vigie.services.roads.works.occasions import OCCASION
from vigie.services.roads.works.permits import (
    LIVE,
    ROADWORKS,
    ActKind,
    Leg,
    Roadworks,
    acts_missing,
    acts_wanted,
    guarded,
    late_by,
    moment_at,
)

LASTING = ("under_way", "suspended")
"""The states in which works are there until somebody says that they are over."""

NEVER = "9"
"""A text after every moment."""


@dataclass(frozen=True)
class Ground:
    """What the inventory says of streets, at one version of it. streets: those in service. lengths_m: of those that
    are drawn. one_way: those that are driven along alone. classes: of each line of the network."""

    version: tuple[int, int]
    streets: frozenset[str]
    lengths_m: Mapping[str, float]
    one_way: frozenset[str]
    courses: Mapping[str, Sequence[Course]]
    surfaced: Mapping[str, date]
    classes: Sequence[str]


class Worksites:
    """The works of a post. It guards their permits."""

    def __init__(self, sources: Sources, streets: Streets, calendar: Callable[[], Calendar]) -> None:
        self._sources, self._streets, self._calendar = sources, streets, calendar
        self._engine = sources.engine
        self._ground: Ground | None = None
        self._making = Lock()
        self._known: dict[str, tuple[int, str, bool]] = {}
        self._index, self._edition, self._next_end = Index(), -1, ""
        self._engine.cases.guards[ROADWORKS.key] = self._guard
        self._engine.cases.readies[ROADWORKS.key] = self.ground

    @property
    def calendar(self) -> Calendar:
        """The days of the town."""
        return self._calendar()

    @property
    def _now(self) -> str:
        return moment_at(self._sources.clock.now_us(), self.calendar.zone)

    def acts_missing(self, works: Roadworks) -> tuple[ActKind, ...]:
        """The acts that works lack, wherever their streets lie. On the engine's thread."""
        return acts_missing(works, self._areas(works))

    def acts_wanted(self, works: Roadworks) -> tuple[tuple[ActKind, str], ...]:
        """The acts that works take, each with the area for whose streets it is. On the engine's thread."""
        return acts_wanted(works, self._areas(works))

    def _areas(self, works: Roadworks) -> dict[str, str]:
        registry = self._engine.registry
        numbers = {street: registry.numbers.get(street, 0) for street in works.streets}
        return {name: registry.areas[int(registry.area[no])] for name, no in numbers.items()}

    def ground(self) -> Ground:
        """What the inventory says of streets. Takes a second where that has changed; may be called from any thread."""
        with self._making:
            if self._ground is None or self._ground.version != self._version:
                self._ground = self._made()
            return self._ground

    async def warm(self) -> None:
        """Has it ready where there are works, so that whoever grants some does not wait for it."""
        if self.live():
            await asyncio.to_thread(self.ground)

    def live(self) -> list[Case]:
        """The works that are to be reckoned with. On the engine's thread."""
        return [case for case in self._engine.cases if case.kind is ROADWORKS and case.state in LIVE]

    def index(self) -> Index:
        """The works that are to be reckoned with, by street. On the engine's thread."""
        now = self._now
        if self._edition != self._engine.cases.edition or now >= self._next_end:
            self._edition = self._engine.cases.edition
            live = {case.id: case for case in self.live()}
            for gone in self._known.keys() - live.keys():
                self._index.drop(gone)
            known = {case.id: (case.revision, case.state, _lasts(case, now)) for case in live.values()}
            for case in live.values():
                if self._known.get(case.id) != known[case.id]:
                    self._index.put(laid(case.id, case.no, case.state, case.document, lasts=known[case.id][-1]))
            self._known = known
            ends = (case.document.ends for case in live.values() if case.state in LASTING and case.document.phases)
            self._next_end = min((end for end in ends if end > now), default=NEVER)
        return self._index

    def clashes(self, works: Roadworks, case: Case | None = None, area: str = "") -> list[Clash]:
        """What works clash with, as far as `ground` was made. On the engine's thread. case: of which they are, None for
        a draft that lies in an area."""
        ground = self._ground or self.ground()
        at_us = self._sources.clock.now_us() if case is None else case.opened_us
        asked = from_us(at_us).astimezone(self.calendar.zone).date()
        said = ("", 0, "requested") if case is None else (case.id, case.no, case.state)
        own = laid(*said, works, lasts=case is not None and _lasts(case, self._now))
        return check(own, works, self.index(), self._around(ground, area if case is None else case.area), asked)

    def closed_meanwhile(self, works: Roadworks, case_id: str) -> list[Part]:
        """What others close while works turn traffic away. On the engine's thread."""
        own = laid(case_id, 0, "requested", works)
        return [*self.index().closed_during([each.window for each in own.closed], case_id)]

    def detours(self, works: Roadworks, others: Sequence[Part], seen: Mask) -> tuple[list[Detour], list[list[Leg]]]:
        """The ways round works, and the streets of each with the way in which they are driven. seen: of which assets
        whoever asks may know: no way leads through another. May be called from any thread."""
        network, numbers = self._streets.network()
        ids, classes = self._engine.registry.ids, self.ground().classes
        names = [ids[no] for no in ints(numbers)]
        rows = {name: row for row, name in enumerate(names)}
        own = closed_arcs(network, rows, laid("", 0, "requested", works).closed)
        # A network and classes of two versions of the inventory do not fit together: then none is known.
        known = classes if len(classes) == len(numbers) else [""] * len(numbers)
        # What the inventory took in since this was asked is in no mask.
        hidden = ~np.append(seen, False)[np.minimum(numbers, len(seen))]
        shut = closed_arcs(network, rows, others) | np.repeat(hidden[network.line], 2)
        found = detours(network, weights_of(network, known), own, shut)
        legs = [
            [
                *dict.fromkeys(
                    Leg(names[int(network.line[arc // 2])], "against" if arc % 2 else "along") for arc in each.way
                )
            ]
            for each in found
        ]
        return found, legs

    @property
    def _version(self) -> tuple[int, int]:
        """Of what is asked of the inventory."""
        registry = self._engine.registry
        return registry.version_of(Street), registry.version_of(TransitLine)

    def _guard(self, case: Case, event: str) -> Refusal | None:
        if not guarded(case.state, event):
            return None
        missing = self.acts_missing(case.document)
        if missing:
            return Refusal("roads.works_acts", {"act": missing[0], "count": len(missing)})
        if self._ground is None or self._ground.version != self._version:
            # Whoever moves cases has had it made (`readies`): the inventory has changed in the very moment.
            return NOT_READY
        return refusal(case.document, self.clashes(case.document, case))

    def _around(self, ground: Ground, area: str) -> Surroundings:
        engine = self._engine
        standing = [(each.id, each.kind, each.in_force.body) for each in engine.plans if each.in_force is not None]
        return Surroundings(
            ground.streets,
            ground.lengths_m,
            ground.one_way,
            ground.courses,
            ground.surfaced,
            [(plan, body) for plan, kind, body in standing if kind is OCCASION],
            [body for _, kind, body in standing if kind is COORDINATION and lies_in(area, body.area)],
        )

    def _made(self) -> Ground:
        facts, registry = self._sources.facts, self._engine.registry
        version = self._version
        numbers, start, lon, lat = self._streets.drawn()
        ids = [registry.ids[no] for no in ints(numbers)]
        lines, names, lines_start, lines_lon, lines_lat = facts.lines(TransitLine)
        asset, said = facts.attributes(TransitLine, ("line", "mode"))
        of = dict(zip(ints(asset), zip(map(str, said["line"]), map(str, said["mode"]), strict=True), strict=True))
        told = [(of.get(no, ("", "")), name) for no, name in zip(ints(lines), names, strict=True)]
        called = [(line or name, mode) for (line, mode), name in told]
        asset, said = facts.attributes(Street, ("surfaced", "street_class", "one_way"))
        one_way = frozenset(registry.ids[no] for no in ints(asset[said["one_way"] == 1]))
        days = zip(ints(asset), map(str, said["surfaced"]), strict=True)
        classes = dict(zip(ints(asset), map(str, said["street_class"]), strict=True))
        return Ground(
            version,
            frozenset(registry.ids[no] for no in ints(registry.of_kind(Street))),
            dict(zip(ids, floats(_lengths_m(start, lon, lat)), strict=True)),
            one_way,
            courses(ids, Drawing(start, lon, lat), called, Drawing(lines_start, lines_lon, lines_lat)),
            {registry.ids[no]: date.fromisoformat(day) for no, day in days if day},
            [classes.get(no, "") for no in ints(numbers)],
        )


def _lasts(case: Case, now: str) -> bool:
    """Whether works go on past the end that they have said."""
    return case.state in LASTING and late_by(case.document, case.state, now) == "end"


def _lengths_m(start: Int64s, lon: Floats, lat: Floats) -> Floats:
    """How long lines are that are drawn in degrees. start: of each, its first corner; one more at the end."""
    if not len(lon):
        return np.zeros(len(start) - 1)
    spots = metres(lon, lat, middle_lat=float(lat.mean()))
    gone = np.append(0.0, np.cumsum(np.hypot(*np.diff(spots, axis=0).T)))
    first, last = start[:-1], np.maximum(start[1:] - 1, start[:-1])
    return gone[last] - gone[first]


def cut(line: Sequence[tuple[float, float]], from_m: float, to_m: float) -> list[tuple[float, float]]:
    """A part of a line in degrees, from so many metres along it to so many."""
    if len(line) < 2:
        return list(line)
    corners = np.array(line)
    spots = metres(corners[:, 0], corners[:, 1], middle_lat=float(corners[:, 1].mean()))
    at_m = np.append(0.0, np.cumsum(np.hypot(*np.diff(spots, axis=0).T)))
    first, last = np.clip([from_m, to_m], 0.0, at_m[-1])
    inner = (at_m > first) & (at_m < last)
    where = np.concatenate([[first], at_m[inner], [last]])
    lon, lat = (np.interp(where, at_m, corners[:, n]).round(6) for n in range(2))
    return list(zip(floats(lon), floats(lat), strict=True))
