"""What everybody is told of salted streets, without an account: which, and about when.

Whoever salts is a person on their way through the town, and a map that grows by a street each minute would show where
they are. So times are told in steps of five minutes, all streets of a step at once when it has been over for ten
minutes, and nothing says by whom or with what. A street that is being salted again stays as it was told until then.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from math import ceil

import msgspec
import numpy as np
import shapely
from starlette.requests import Request
from starlette.responses import Response

from vigie.api.city.forms import Form, Instant
from vigie.api.city.search import path_of
from vigie.api.city.sources import Sources
from vigie.api.operation import Ask, Nothing, Operation
from vigie.api.problems import Problem
from vigie.api.roads.covering import Covering
from vigie.api.roads.streets import Streets
from vigie.api.session import peer_of
from vigie.api.tiles import knows, takes_gzip
from vigie.core.arrays import ints
from vigie.core.times import HOUR_US, MINUTE_US, SECOND_US, from_us
from vigie.engine.rates import Allowance, Rates
from vigie.services.places import Commune, Street
from vigie.services.roads.rounds.circuits import TASKS

HOURS = 24
DELAY_US = 10 * MINUTE_US
STEP_US = 5 * MINUTE_US
KEPT_US = 30 * SECOND_US
"""An answer serves everybody for so long."""
ALLOWANCE = Allowance(per_s=5, burst=200)
"""Of one address: a network of telephones stands behind one."""
SIMPLE_DEGREES = 5e-5
"""Lines are told to within five metres: a street is to be known again, and no more."""
STREETS_MAX = 60_000

_TASK = TASKS.index("salting")
_MAIN = frozenset({"motorway", "primary", "secondary"})

Line = Sequence[tuple[float, float]]
"""Longitude and latitude of each corner, in degrees."""


class SaltedStreet(Form, frozen=True, kw_only=True):
    """Stretches of one street that were salted at about the same time. area: the commune's name, empty where it lies in
    none. at: not before then, in steps of five minutes."""

    name: str
    area: str
    at: Instant
    lines: Sequence[Line]


class Salted(Form, frozen=True, kw_only=True):
    """The streets that were salted in the last hours, the newest first. as_of: what was salted later is not told yet.
    hours: so far back."""

    as_of: Instant
    hours: int
    streets: Sequence[SaltedStreet]


class GroundStreet(Form, frozen=True, kw_only=True):
    """A street of the town. main: whether it is one of the greater ones."""

    name: str
    area: str
    main: bool
    lines: Sequence[Line]


class GroundArea(Form, frozen=True, kw_only=True):
    """A commune with its outline."""

    name: str
    rings: Sequence[Line]


class PublicGround(Form, frozen=True, kw_only=True):
    """What a map of the streets is drawn on. whole: whether these are all streets; the greater come first."""

    city: str
    zone: str
    whole: bool
    areas: Sequence[GroundArea]
    streets: Sequence[GroundStreet]


class _Kept:
    """An answer that serves everybody for a while."""

    def __init__(self, form: msgspec.Struct, until_us: int) -> None:
        body = msgspec.json.encode(form)
        self.until_us = until_us
        self.packed = gzip.compress(body, 6, mtime=0)
        self.tag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'

    def answer(self, request: Request, max_age_s: int) -> Response:
        """It, packed for who takes that."""
        headers = {"ETag": self.tag, "Cache-Control": f"public, max-age={max_age_s}", "Vary": "Accept-Encoding"}
        if knows(request.headers.get("if-none-match", ""), self.tag):
            return Response(status_code=304, headers=headers)
        if takes_gzip(request.headers.get("accept-encoding", "")):
            headers["Content-Encoding"] = "gzip"
            return Response(self.packed, headers=headers, media_type="application/json")
        return Response(gzip.decompress(self.packed), headers=headers, media_type="application/json")


class SaltedDoor:
    """The public operations on salted streets."""

    def __init__(self, sources: Sources, covering: Covering, streets: Streets, *, proxies: int = 0) -> None:
        """proxies: see `vigie.api.session.peer_of`."""
        self._sources, self._covering, self._streets_of, self._proxies = sources, covering, streets, proxies
        self._rates = Rates(ALLOWANCE)
        self._told: dict[int, int] = {}
        self._salted: _Kept | None = None
        self._ground: tuple[tuple[int, int], _Kept] | None = None
        self._before: tuple[int, dict[int, int]] | None = None
        self._salting, self._drawing = asyncio.Lock(), asyncio.Lock()

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        return [
            Operation("GET", "public/salted", self.salted, answer=Salted, anybody=True, problems=(429,)),
            Operation("GET", "public/ground", self.ground, answer=PublicGround, anybody=True, problems=(429,)),
        ]

    async def salted(self, ask: Ask[Nothing, Nothing]) -> Response:
        """Tells which streets were salted in the last 24 hours, to everybody.

        Streets are told in steps of five minutes, all of a step at once when it has been over for ten minutes, so that
        nobody is followed by it; who salted them, and with what, is not told.
        """
        now_us = self._take(ask.request)
        async with self._salting:
            if self._salted is None or now_us >= self._salted.until_us:
                self._salted = await asyncio.to_thread(self._make, now_us)
        return self._salted.answer(ask.request, KEPT_US // SECOND_US)

    async def ground(self, ask: Ask[Nothing, Nothing]) -> Response:
        """Tells the communes and streets of the town as a map is drawn on them, to everybody."""
        self._take(ask.request)
        registry = self._sources.engine.registry
        version = registry.version_of(Street), registry.version_of(Commune)
        async with self._drawing:
            if self._ground is None or self._ground[0] != version:
                self._ground = (version, await asyncio.to_thread(lambda: _Kept(self._drawn(), 0)))
        return self._ground[1].answer(ask.request, HOUR_US // SECOND_US)

    def _take(self, request: Request) -> int:
        """Counts a question; returns the instant. Raises Problem 429."""
        now_us = self._sources.clock.now_us()
        wait_s = self._rates.take(peer_of(request, self._proxies), now_us)
        if wait_s:
            raise Problem(429, "Too often", "You ask more often than this is answered.", retry_after_s=ceil(wait_s))
        return now_us

    def _make(self, now_us: int) -> _Kept:
        # Whole steps: who asks again and again would else see in which order the streets of one were driven.
        until_us, since_us = (now_us - DELAY_US) // STEP_US * STEP_US, now_us - HOURS * HOUR_US
        streets, last_us = self._covering.last_served(_TASK)
        new = {no: at_us for no, at_us in zip(ints(streets), ints(last_us), strict=True) if at_us < until_us}
        # Of what the post does not remember since its start, the hour is kept, and told when it is over; what was kept
        # when it was first asked was salted before that.
        newest = self._sources.facts.rounds.newest
        known = newest(TASKS[_TASK], since_us, until_us - HOUR_US)
        if self._before is None:
            self._before = now_us, newest(TASKS[_TASK], since_us, now_us)
        asked_us, before = self._before
        for found in (known, before if asked_us <= until_us else {}, new):
            for no, at_us in found.items():
                self._told[no] = max(self._told.get(no, 0), at_us)
        self._told = {no: at_us for no, at_us in self._told.items() if at_us >= since_us}
        form = Salted(as_of=from_us(until_us), hours=HOURS, streets=self._streets())
        return _Kept(form, now_us + KEPT_US)

    def _streets(self) -> list[SaltedStreet]:
        grouped: dict[tuple[int, str, str], list[Line]] = defaultdict(list)
        named, numbers = self._named(), sorted(self._told)
        for no, line in zip(numbers, self._streets_of.lines(np.array(numbers, np.int64)), strict=True):
            if len(line) > 1:
                simple = _line(shapely.simplify(shapely.LineString(line), SIMPLE_DEGREES))
                grouped[-(self._told[no] // STEP_US), *named(no)].append(simple)
        # Those of one step stand by their names: in which order they were driven is not told.
        return [
            SaltedStreet(name=name, area=area, at=from_us(-step * STEP_US), lines=lines)
            for (step, name, area), lines in sorted(grouped.items(), key=lambda each: each[0])
        ]

    def _named(self) -> Callable[[int], tuple[str, str]]:
        """What the name of a street is, and of its commune, by its number."""
        registry = self._sources.engine.registry
        code = registry.kind_codes[Commune.kind]
        communes = ints(np.flatnonzero(registry.kind[: registry.count] == code))
        names = {path_of(registry, no): registry.names[no] for no in communes}

        def named(no: int) -> tuple[str, str]:
            parts = registry.areas[int(registry.area[no])].split("/")
            paths = ("/".join(parts[:many]) for many in range(len(parts), 0, -1))
            return registry.names[no], next((names[path] for path in paths if path in names), "")

        return named

    def _drawn(self) -> PublicGround:
        sources, named = self._sources, self._named()
        streets: dict[tuple[bool, str, str], list[Line]] = defaultdict(list)
        areas: list[GroundArea] = []
        for each in sources.facts.outlines():
            if each.kind == Commune.kind and each.geometry is not None:
                shape = shapely.simplify(each.geometry, 2 * SIMPLE_DEGREES)
                rings = [part.exterior for part in getattr(shape, "geoms", [shape]) if part.geom_type == "Polygon"]
                areas.append(GroundArea(name=each.name, rings=[_line(ring) for ring in rings]))
            elif each.kind == Street.kind and each.geometry is not None and each.grade != "path":
                shape = shapely.simplify(each.geometry, SIMPLE_DEGREES)
                parts = [part for part in getattr(shape, "geoms", [shape]) if part.geom_type == "LineString"]
                streets[each.grade not in _MAIN, *named(each.no)] += [_line(part) for part in parts]
        kept = sorted(streets.items(), key=lambda each: each[0])
        return PublicGround(
            city=sources.name,
            zone=sources.zone,
            whole=len(kept) <= STREETS_MAX,
            areas=areas,
            streets=[
                GroundStreet(name=name, area=area, main=not small, lines=lines)
                for (small, name, area), lines in kept[:STREETS_MAX]
            ],
        )


def _line(shape: shapely.LineString) -> Line:
    return [(round(lon, 5), round(lat, 5)) for lon, lat in shape.coords]
