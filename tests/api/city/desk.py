"""A post within the test's own process, asked over HTTP as any Scope: a town where everything that is told apart is
there, in four areas."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx
import msgspec
import numpy as np
import shapely
from starlette.requests import HTTPConnection

from tests.city import CATALOGUE, NOW_US, SERVICES, batch, open_facts, open_observations, take
from tests.live import Screen, read_frame
from vigie.api.access import SESSION_COOKIE, Caller
from vigie.api.application import Application, application
from vigie.api.city import Reading
from vigie.api.city.sources import Sources
from vigie.api.live import Hub
from vigie.api.live.maps import MapFeed, Viewport
from vigie.api.operation import routes
from vigie.api.problems import Problem
from vigie.api.roads import Covering, RoundsDoor, SaltedDoor, Streets, TrailsDoor, WinterDoor
from vigie.api.roads.covering import Keep
from vigie.api.tiles import tile_routes
from vigie.core.drafts import Draft
from vigie.core.observations import Batch
from vigie.core.scope import Grant, Scope
from vigie.engine.loop import Engine
from vigie.engine.registry import Registry
from vigie.engine.tiles.ground import Ground
from vigie.engine.whereabouts import Whereabouts
from vigie.store.facts import SqlFacts
from vigie.store.history import History
from vigie.store.observations import DuckObservations
from vigie.store.past import DuckPast
from vigie.store.rounds import PastTurn, ServedStreet

AREAS = ("metropole", "metropole/dijon", "metropole/quetigny", "metropole/quetigny/parc")
STREETS = ("Rue de l'Église", "Rue Verte", "Allée des Œillets")


@dataclass
class StillClock:
    """A clock that stands, a minute after the town reported, until it is set."""

    at_us: int = NOW_US + 60_000_000

    def now_us(self) -> int:
        """The time."""
        return self.at_us


@dataclass
class KnownScopes:
    """Recognises a caller by the number of the scope that they show in the cookie."""

    scopes: list[Scope]

    def caller(self, connection: HTTPConnection, *, writes: bool = False) -> Caller:
        """See `vigie.api.access.Access`."""
        if SESSION_COOKIE not in connection.cookies:
            raise Problem(401, "Who asks?", "Nobody does.")
        number = int(connection.cookies[SESSION_COOKIE])
        return Caller(f"user-{number}", self.scopes[number], f"session-{number}", "en")

    def alive(self, session: str) -> bool:
        """See `vigie.api.access.Access`."""
        return True


class Answer(msgspec.Struct, frozen=True):
    """What came back; the body as text, and as JSON, where it is some."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """In UTF-8."""
        return self.content.decode()

    @property
    def body(self) -> Any:
        """The JSON."""
        return json.loads(self.text)


class Desk:
    """The town, and who may ask about it."""

    def __init__(self, engine: Engine, facts: SqlFacts, observations: DuckObservations) -> None:
        self.engine, self.facts, self.observations = engine, facts, observations
        self.access, self.clock = KnownScopes([]), StillClock()
        self.sources = Sources(
            engine=engine, services=SERVICES, facts=facts, history=History(observations), clock=self.clock,
            name="Essai", zone="Europe/Paris", shard="test", version="0", key=bytes(32),
        )  # fmt: skip
        self.reading = Reading(self.sources)
        self.hub = Hub(engine, self.sources.clock, self.access, cast("Any", None), "epoch")
        tiles = tile_routes(engine, Ground(CATALOGUE, []), self.access)
        streets, past = Streets(self.sources), DuckPast(observations, facts.point_numbers())
        self._streets, self._past = streets, past
        self.start_following()
        operations = [*self.reading.operations, *TrailsDoor(self.sources, streets).operations]
        operations += RoundsDoor(self.sources, self.covering, streets).operations
        operations += WinterDoor(self.sources).operations
        self.salted = SaltedDoor(self.sources, self.covering, streets)
        operations += self.salted.operations
        said = [*routes(operations, self.access), *tiles]
        self._application: Application = application(said, _nothing, {})
        self._runner = asyncio.Runner()

    def ask(self, scope: Scope | None, path: str, **headers: str) -> Answer:
        """GET below /api/v1/ as somebody of this scope; None: without an account."""
        if scope is not None:
            self.access.scopes.append(scope)
            headers["Cookie"] = f"{SESSION_COOKIE}={len(self.access.scopes) - 1}"
        return self._runner.run(self._get(f"/api/v1/{path}", headers))

    def every(self, scope: Scope | None, path: str, limit: int) -> list[dict[str, Any]]:
        """All items of a list, page by page."""
        items: list[dict[str, Any]] = []
        cursor = ""
        joint = "&" if "?" in path else "?"
        while True:
            answer = self.ask(scope, f"{path}{joint}limit={limit}&cursor={cursor}")
            assert answer.status == 200, answer.text
            assert len(answer.body["items"]) <= limit
            items += answer.body["items"]
            cursor = answer.body["next"]
            if cursor is None:
                return items

    def screen(self, scope: Scope) -> Screen:
        """What a browser of this scope shows that looks at the whole town over the live door."""
        self.hub.tick()
        screen = Screen()
        telling = MapFeed(self.hub.source, Viewport(None, None), scope).tell(None)
        assert telling is not None
        for frame in telling.frames:
            screen.take(*read_frame(frame.bytes_for(1)))
        return screen

    def report(self, rows: Sequence[tuple[str, str, float | str, int]]) -> None:
        """Takes observations (asset, point, value, instant) in, as the pump does."""
        self._take(batch(self.engine, rows))

    def place(self, asset: str, lon: float, lat: float, at_us: int) -> None:
        """Takes a position in."""
        no = self.engine.registry.numbers[asset]
        slot = self.engine.registry.slot(no, self.engine.registry.kind_of(no).points["position"])
        one = np.ones(1)
        self._take(Batch(np.array([slot]), np.array([at_us]), one * lon, one * lat, np.zeros(1, np.uint8)))

    def start_following(self, keep: Keep | None = None) -> None:
        """Follows rounds as a post does that was just started."""
        self.covering = Covering(self.sources, self._streets, self._past, keep or self._keep)

    def follow(self, beats: int = 1) -> None:
        """Lets the rounds be followed for so many beats."""
        for _ in range(beats):
            self._runner.run(self.covering.beat())

    def close(self) -> None:
        """Ends the loop."""
        self._runner.close()

    def _take(self, taken: Batch) -> None:
        ingest = self.engine.next_ingest
        self.engine.record(ingest, NOW_US, taken)
        self.engine.react(ingest, NOW_US, taken)
        self.engine.settle()
        self.covering.hear(taken, NOW_US)

    async def _keep(self, served: Sequence[ServedStreet], turns: Sequence[PastTurn]) -> None:
        self.facts.rounds.keep(served, turns)

    async def _get(self, url: str, headers: dict[str, str]) -> Answer:
        transport = httpx.ASGITransport(self._application, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://post") as client:
            response = await client.get(url, headers=headers)
            return Answer(response.status_code, dict(response.headers), response.content)


@contextmanager
def _nothing() -> Any:
    yield


def square(lon: float, lat: float, side: float) -> bytes:
    """A square as WKB, by its south-western corner."""
    return shapely.to_wkb(shapely.box(lon, lat, lon + side, lat + side))


def town() -> list[Draft]:
    """Areas, streets, and in each area a cabinet with lamps, a junction, a camera, an air station, a vehicle, a bus."""
    drafts = [
        Draft(key="dijon", id="dijon", kind="commune", name="Dijon", lon=5.05, lat=47.35, area="metropole",
              geometry=square(5.0, 47.3, 0.1)),
        Draft(key="quetigny", id="quetigny", kind="commune", name="Quetigny", lon=5.15, lat=47.35, area="metropole",
              geometry=square(5.1, 47.3, 0.1)),
        Draft(key="parc", id="parc", kind="district", name="Parc", lon=5.19, lat=47.39, area="metropole/quetigny",
              geometry=square(5.18, 47.38, 0.02)),
    ]  # fmt: skip
    spots = {
        "metropole/dijon": (5.05, 47.35),
        "metropole/quetigny": (5.15, 47.35),
        "metropole/quetigny/parc": (5.19, 47.39),
    }
    for n, (area, (lon, lat)) in enumerate(spots.items()):
        street = STREETS[n]
        line = shapely.to_wkb(shapely.LineString([(lon - 0.001, lat), (lon + 0.001, lat)]))
        drafts.append(Draft(key=f"street{n}", id=f"street-{n}", kind="street", name=street, lon=lon, lat=lat, area=area,
                            geometry=line, attributes={"one_way": n == 2}))  # fmt: skip
        for kind in ("cabinet", "junction", "camera", "air_station", "vehicle", "bus", "detector"):
            on = street if kind in ("cabinet", "camera", "detector") else ""
            drafts.append(Draft(key=f"{kind}{n}", id=f"{kind}-{n}", kind=kind, name=f"=Name of {kind} {n}", lon=lon,
                                lat=lat, area=area, street=on))  # fmt: skip
        for i in range(3):
            drafts.append(Draft(key=f"lamp{n}{i}", id=f"lamp-{n}-{i}", kind="luminaire", lon=lon + i / 1e4, lat=lat,
                                area=area, street=street, parent=f"cabinet{n}",
                                attributes={"rated_power": 60.0}))  # fmt: skip
    return drafts


def reports() -> list[tuple[str, str, float | str, int]]:
    """What they all said: conditions of each outlet among it."""
    said: list[tuple[str, str, float | str, int]] = []
    for n in range(3):
        said += [
            (f"lamp-{n}-0", "level", 40.0 + n, NOW_US),
            (f"lamp-{n}-0", "fault", "lamp", NOW_US),
            (f"lamp-{n}-1", "power", 30.0, NOW_US),
            (f"cabinet-{n}", "door", "open", NOW_US),
            (f"junction-{n}", "mode", "dark", NOW_US),
            (f"camera-{n}", "link", "up", NOW_US),
            (f"air_station-{n}", "no2", 20.0 + n, NOW_US),
            (f"bus-{n}", "delay", 60.0, NOW_US),
            (f"detector-{n}", "flow", 300.0, NOW_US),
            (f"detector-{n}", "working", 0.0, NOW_US),
            (f"vehicle-{n}", "activity", "working", NOW_US),
        ]
    return said


@contextmanager
def desk(folder: Path, more: Sequence[Draft] = ()) -> Generator[Desk]:
    """The town, which has reported; the vehicle and the bus of Dijon are in Quetigny at the moment. more: what else
    there is."""
    facts, observations = open_facts(folder), open_observations(folder)
    take(facts, [*town(), *more])
    registry = Registry(CATALOGUE, facts.point_numbers())
    registry.add_columns(facts.registry_rows())
    engine = Engine(
        SERVICES, registry, facts, observations, facts.open_conditions(), shard="test",
        whereabouts=Whereabouts(registry, facts.known_areas()),
    )  # fmt: skip
    engine.start()
    made = Desk(engine, facts, observations)
    try:
        made.report(reports())
        made.place("vehicle-0", 5.15, 47.36, NOW_US)
        made.place("bus-0", 5.15, 47.36, NOW_US)
        yield made
    finally:
        made.close()
        observations.close()
        facts.close()


EVERYTHING = Scope.everything()
NOBODY: Scope | None = None


def grant(area: str, services: str, *verbs: str) -> Grant:
    """A grant; services with commas between them."""
    return Grant(area, frozenset(services.split(",")), frozenset(verbs))
