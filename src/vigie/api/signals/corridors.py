"""Corridors over the API: junctions along a street that can be drawn one after the other, and how they are driven."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Literal

from vigie.api.access import Caller
from vigie.api.city.forms import Form, Page
from vigie.api.city.sources import Sources
from vigie.api.operation import Ask, Nothing, Operation
from vigie.api.problems import Problem
from vigie.api.signals.documents import sites_of
from vigie.api.signals.door import CycleForm, cycle_of
from vigie.services.signals.control.site import Site
from vigie.services.signals.design.chains import Chain, Course, chains, course, pieces
from vigie.services.signals.junction import Movement, SignalGroup

Direction = Literal["there", "back"]


class CorridorJunction(Form, frozen=True, kw_only=True):
    """A junction of a corridor. name: what the inventory calls it. metres: how far it lies from the first, from stop
    line to stop line."""

    id: str
    name: str
    metres: float


class CorridorRow(Form, frozen=True, kw_only=True):
    """A corridor in a list: its junctions, in the order in which they lie."""

    id: str
    junctions: Sequence[CorridorJunction]


class Passing(Form, frozen=True, kw_only=True):
    """A junction as it is passed in a direction. groups: those that let pass who drives along, by their places in the
    document; empty where no lane does. after_s: so long after the first that is passed, at the speed of the wave."""

    junction: str
    groups: Sequence[int]
    after_s: int


class Way(Form, frozen=True, kw_only=True):
    """A direction of a corridor. passed: its junctions, in the order in which they are passed. speed_m_s: of the wave,
    on the whole: what the lanes allow; None where nobody drives that way from end to end."""

    direction: Direction
    passed: Sequence[Passing]
    speed_m_s: float | None


class Described(Form, frozen=True, kw_only=True):
    """Of a junction's document, what is drawn of it: its groups, the movements they release, and one cycle of its plan,
    None where that has none."""

    groups: Sequence[SignalGroup]
    movements: Sequence[Movement]
    cycle: CycleForm | None


class CorridorForm(CorridorRow, frozen=True, kw_only=True):
    """A corridor with how it is driven, there and back. described: its junctions, in their order."""

    ways: Sequence[Way]
    described: Sequence[Described]


class CorridorsDoor:
    """The operations on corridors. They are found anew when a document that is in force changes."""

    def __init__(self, sources: Sources) -> None:
        self._sources, self._engine = sources, sources.engine
        self._found: tuple[int, Mapping[str, Site], Sequence[Chain]] | None = None

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        return [
            Operation("GET", "signals/corridors", self.list, answer=Page[CorridorRow]),
            Operation("GET", "signals/corridors/{id}", self.tell, answer=CorridorForm),
        ]

    async def list(self, ask: Ask[Nothing, Nothing]) -> Page[CorridorRow]:
        """Lists the corridors of junctions that you see fully, the longest first: what the documents in force say of
        neighbours, in pieces of eight junctions at the most."""
        sites, seen = await self._seen(ask.caller)
        rows = await asyncio.to_thread(
            lambda: [
                CorridorRow(id=_id(each), junctions=self._junctions([sites[name] for name in each])) for each in seen
            ]
        )
        return Page(items=rows, total=len(rows))

    async def tell(self, ask: Ask[Nothing, Nothing]) -> CorridorForm:
        """Tells how a corridor is driven in each direction, and what its junctions show under the plans of their
        documents."""
        wanted = ask.part("id")
        sites, seen = await self._seen(ask.caller)
        chain = next((each for each in seen if _id(each) == wanted), None)
        if chain is None:
            raise Problem(404, "No such corridor", f"There is no corridor {wanted[:80]!r} that you may see.")
        own = [sites[name] for name in chain]
        ways = [
            _way("there", chain, await asyncio.to_thread(course, own)),
            _way("back", chain[::-1], await asyncio.to_thread(course, own[::-1])),
        ]
        return CorridorForm(
            id=wanted,
            junctions=self._junctions(own),
            ways=ways,
            described=await asyncio.to_thread(lambda: [_described(site) for site in own]),
        )

    async def _seen(self, caller: Caller) -> tuple[Mapping[str, Site], list[Chain]]:
        """What is known of each junction, and the corridors that somebody may be told of: no chain goes through a
        junction that they do not see fully."""
        edition = self._engine.plans.edition
        if self._found is None or self._found[0] != edition:
            sites = sites_of(self._engine)
            self._found = edition, sites, await asyncio.to_thread(chains, sites)
        _, sites, found = self._found
        registry, covered = self._engine.registry, self._sources.sight(caller).covered
        known = {name for name in sites if (no := registry.numbers.get(name)) and covered[no] and not registry.gone[no]}
        return sites, [piece for chain in found for run in _runs(chain, known) for piece in pieces(run)]

    def _junctions(self, sites: Sequence[Site]) -> list[CorridorJunction]:
        """Junctions with how far they lie from the first: as one drives there, or else as one drives back."""
        registry = self._engine.registry
        there, back = course(sites).legs, course(sites[::-1]).legs[::-1]
        metres, found = 0.0, list[CorridorJunction]()
        for at, site in enumerate(sites):
            if at:
                driven = there[at - 1] or back[at - 1]
                metres += driven.metres if driven else 0.0
            name = site.junction.name
            no = registry.numbers[name]
            found.append(CorridorJunction(id=name, name=registry.names[no], metres=round(metres, 1)))
        return found


def _runs(chain: Chain, known: set[str]) -> list[Chain]:
    """The parts of a chain that are known from end to end."""
    runs: list[list[str]] = [[]]
    for name in chain:
        if name in known:
            runs[-1].append(name)
        else:
            runs.append([])
    return [tuple(run) for run in runs if len(run) > 1]


def _id(chain: Chain) -> str:
    """What a corridor is called in an address: no other begins with the same two junctions."""
    return f"{chain[0]}~{chain[1]}"


def _described(site: Site) -> Described:
    return Described(groups=site.junction.groups, movements=site.junction.movements, cycle=cycle_of(site))


def _way(direction: Direction, chain: Chain, driven: Course) -> Way:
    after_s, passed = 0, list[Passing]()
    for at, name in enumerate(chain):
        if at:
            leg = driven.legs[at - 1]
            after_s += leg.seconds if leg else 0
        passed.append(Passing(junction=name, groups=sorted(driven.groups[at]), after_s=after_s))
    metres = sum(leg.metres for leg in driven.legs if leg)
    whole = all(driven.legs) and after_s > 0
    return Way(direction=direction, passed=passed, speed_m_s=round(metres / after_s, 1) if whole else None)
