"""Works in streets: how long it takes to hold an application against all that stands, and to tell everybody of them;
how soon a closure that is withdrawn is gone for everybody. And how long the roads around take to be read."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bench.harness import ASKED, RUNS, Measured, measurement, serving
from bench.roads import street_drafts
from vigie.api.city.sources import Sources
from vigie.api.datex2 import Datex2Door
from vigie.api.datex2.events import bounds_of, drafts_of
from vigie.api.roads import Streets, Worksites
from vigie.app import installation
from vigie.app.accounts import keeper_of
from vigie.app.city import sources_of
from vigie.app.installation import POST_ID
from vigie.app.post import Post
from vigie.core.calendar import Calendar
from vigie.core.cases import Draft
from vigie.core.facts import COMMAND_LINE
from vigie.core.times import DAY_US, MINUTE_US
from vigie.demo.people import PASSWORD
from vigie.engine.accounts import Held
from vigie.engine.inventory import id_of
from vigie.engine.keeper import By as Keeping
from vigie.engine.plans import By
from vigie.protocols.datex2 import Comment, Place, Position, Publication, Record, Situation, Validity, read, write
from vigie.services.roads.works.permits import ROADWORKS, Act, Leg, Phase, Roadworks, Stretch, moment_at
from vigie.settings import Settings

WORKS, APPLICATIONS, EVENTS = 2_000, 200, 1_500
SPREAD_DAYS, LEGS = 120, 8
WITHDRAWN = 10
QUESTIONS = 40
KINDS = ("permission_de_voirie", "permis_de_stationnement", "traffic_order")
RECORDS = (("Accident", "collision"), ("AbnormalTraffic", "slowTraffic"), ("MaintenanceWorks", "roadworks"))
FEED = Path(__file__).resolve().parents[2] / "shared" / "standards" / "datex2" / "examples"


@dataclass
class SetClock:
    """A clock that a measurement sets."""

    at_us: int

    def now_us(self) -> int:
        """Where it was set."""
        return self.at_us


@dataclass(frozen=True)
class Town:
    """A town with works, at a clock that a measurement sets. names: the ids of its streets."""

    sources: Sources
    streets: Streets
    clock: SetClock
    calendar: Callable[[], Calendar]
    names: Sequence[str]


def document(dice: Random, now_us: int, streets: Sequence[str], zone: ZoneInfo, *, occupancy: str = "") -> Roadworks:
    """Works of one to three phases of days to weeks, in one to four streets that lie together in the inventory; half
    keep to hours of work; what turns traffic away leads it round."""
    phases, at = list[Phase](), dice.randrange(len(streets) - 4)
    begins = now_us + dice.randrange(-20, SPREAD_DAYS) * DAY_US
    for _ in range(dice.randint(1, 3)):
        ends = begins + dice.randint(2, 30) * DAY_US
        own = tuple(
            Stretch(street, 0.0 if dice.random() < 0.5 else 10.0, way=dice.choice(("either", "along", "against")))  # type: ignore[arg-type]
            for street in streets[at : at + dice.randint(1, 4)]
        )
        what = occupancy or dice.choice(("pavement", "parking", "lane", "alternating", "one_way", "closure"))
        hours = "mon-fri 08:00-17:00" if dice.random() < 0.5 else ""
        phases.append(Phase(moment_at(begins, zone), moment_at(ends, zone), own, what, hours))  # type: ignore[arg-type]
        begins = ends
    acts = tuple(Act(kind, "granted") for kind in KINDS)  # type: ignore[arg-type]
    legs = tuple(Leg(dice.choice(streets)) for _ in range(LEGS))
    return Roadworks(owner_name="Bench", phases=tuple(phases), acts=acts, diversion=legs)


@contextlib.contextmanager
def town(*, occupancy: str = "") -> Generator[Town]:
    """Montpellier's streets with so many works that are granted, of which nobody has asked yet. Raises OSError where
    the streets are missing."""
    with tempfile.TemporaryDirectory(prefix="vigie-bench-") as name, installation(Settings(data=Path(name))) as opened:
        opened.take_assets("bench", street_drafts())
        post = Post(opened)
        clock = SetClock(opened.clock.now_us())
        sources = replace(sources_of(opened, post), clock=clock)
        engine, dice = post.engine, Random(min(ASKED.seeds))
        streets = [id_of(each) for each in street_drafts()]
        zone = opened.calendar().zone
        for no in range(WORKS):
            works = document(dice, clock.at_us, streets, zone, occupancy=occupancy)
            draft = Draft(
                ROADWORKS, "roadworks", 3, document=works, assets=(engine.registry.numbers[works.streets[0]],)
            )
            opening, granting = (By("bench", clock.at_us, f"{no}-{what}") for what in ("open", "grant"))
            engine.owe([engine.cases.open(f"w{no}", draft, by=opening)])
            engine.owe([engine.cases.move(f"w{no}", "grant", by=granting)])
        engine.settle()
        yield Town(sources, Streets(sources), clock, opened.calendar, streets)


@measurement("roads.works_check")
def works_check() -> Measured:
    """Processor time of one application for works that is held against all that stands in the town: other works,
    diversions, streets. Raises OSError where the streets are missing."""
    with town() as here:
        sites = Worksites(here.sources, here.streets, here.calendar)
        begun = time.process_time()
        sites.ground()
        ground_s, begun = time.process_time() - begun, time.process_time()
        sites.index()
        index_ms = 1_000 * (time.process_time() - begun)
        dice = Random(min(ASKED.seeds) + 1)
        zone = here.calendar().zone
        asked = [document(dice, here.clock.at_us, here.names, zone) for _ in range(APPLICATIONS)]
        took, clashes = list[float](), 0
        for works in asked:
            begun = time.process_time()
            found = sites.clashes(works)
            took.append(1_000 * (time.process_time() - begun))
            clashes += len(found)
        busy = Roadworks(phases=asked[0].phases)
        told = [
            f"made before, once: what the inventory says of streets {ground_s:.2f} s, the works by street "
            f"{index_ms:.0f} ms",
            f"{clashes / len(asked):.1f} clashes an application; {len(asked)} applications, the slowest "
            f"{max(took):.2f} ms; the first of them without its diversion {_timed(lambda: sites.clashes(busy)):.2f} ms",
        ]
    size = f"{WORKS:,} granted works over {SPREAD_DAYS} days in Montpellier's 8,011 streets, {LEGS} streets a diversion"
    return Measured("roads.works_check", "ms", took, 100, False, size, "1", told=told)


def _timed(work: Any) -> float:
    begun = time.process_time()
    work()
    return 1_000 * (time.process_time() - begun)


@measurement("roads.datex_write")
def datex_write() -> Measured:
    """Seconds of a processor until everybody is told of all closures anew, in each form, when one of them has changed;
    and how many conditional questions need that. Raises OSError where the streets are missing."""
    with town(occupancy="closure") as here:
        engine, clock = here.sources.engine, here.clock
        post = engine.registry.numbers[POST_ID]
        door = Datex2Door(here.sources, here.streets, country="fr", creator="bench", post=post)
        first, _ = asyncio.run(_asked(door, ""))
        tag, size_mb = first.headers["etag"], len(first.body) / 1e6
        runs, kept, told_ms = list[float](), list[float](), dict[str, list[float]]()
        # Somebody asks twice a minute, and one of the closures changes each ten minutes.
        for half_minute in range(QUESTIONS):
            clock.at_us += MINUTE_US // 2
            if half_minute % 20 == 10:
                case = f"w{half_minute}"
                engine.owe([engine.cases.move(case, "withdraw", by=By("bench", clock.at_us, f"{case}-out", "over"))])
                engine.settle()
            answer, took_s = asyncio.run(_asked(door, tag))
            what = "sent, for it has changed" if answer.status_code == 200 else "has it already (304)"
            told_ms.setdefault(what, []).append(1_000 * took_s)
            if answer.status_code == 200:
                runs.append(took_s)
                tag = answer.headers["etag"]
            else:
                kept.append(took_s)
        again_ms = 1_000 * asyncio.run(_asked(door, tag))[1]
    told = [
        f"{what}: {len(took)} of {QUESTIONS}, {min(took):.0f} to {max(took):.0f} ms"
        for what, took in sorted(told_ms.items())
    ]
    told += [
        f"asked again within half a minute {again_ms:.1f} ms; XML of {size_mb:.1f} MB, plain",
        f"of the 304, as slow as half a writing or slower: {sum(took > min(runs) / 2 for took in kept)} (the "
        "instant of publication is written anew each five minutes)",
    ]
    size = f"{WORKS:,} closures with a diversion each, in Montpellier's streets: XML, GeoJSON and CSV, packed"
    return Measured("roads.datex_write", "s", runs, 10, False, size, "1", told=told)


async def _asked(door: Datex2Door, tag: str) -> tuple[Response, float]:
    """One question, and how long its answer took."""
    headers = [(b"if-none-match", tag.encode())] if tag else []
    scope = {"type": "http", "method": "GET", "path": "/datex2/v3/situations.xml", "query_string": b"",
             "headers": headers, "client": ("192.0.2.1", 1)}  # fmt: skip
    begun = time.process_time()
    answer = await door.situations(Request(scope))
    return answer, time.process_time() - begun


@measurement("roads.datex_read")
def datex_read() -> Measured:
    """Seconds of a processor to read a feed of so many events and to find those near the town. Raises OSError where the
    streets are missing."""
    with tempfile.TemporaryDirectory(prefix="vigie-bench-") as name, installation(Settings(data=Path(name))) as opened:
        opened.take_assets("bench", street_drafts())
        registry = opened.engine().registry
        now_us, zone, bounds = opened.clock.now_us(), opened.calendar().zone, bounds_of(opened.engine().registry)
        body = _feed(Random(min(ASKED.seeds)), now_us, registry.lon[1:9], registry.lat[1:9])
        runs, near = list[float](), 0
        for _ in range(RUNS):
            begun = time.process_time()
            found = read(body, zone=zone)
            near = len(drafts_of(found.publication.situations, bounds, now_us, zone)[0])
            runs.append(time.process_time() - begun)
        told = [f"{len(body) / 1e6:.1f} MB; {near} of them near the town"]
        for path in sorted(FEED.glob("*.xml")):
            captured = path.read_bytes()
            took_ms = _timed(lambda captured=captured: read(captured, zone=zone))
            told.append(f"{path.name}, {len(captured) / 1e6:.2f} MB, as it was captured: {took_ms:.0f} ms")
    return Measured("roads.datex_read", "s", runs, 5, False, f"{EVENTS:,} events of three records", "1", told=told)


def _feed(dice: Random, now_us: int, lon: Any, lat: Any) -> bytes:
    """Events of three records each, with words and a line of ten corners; one in ten near the town."""
    situations = list[Situation]()
    for no in range(EVENTS):
        near = no % 10 == 0
        west, south = (float(lon[no % 8]), float(lat[no % 8])) if near else (dice.uniform(-4, 7), dice.uniform(44, 50))
        line: tuple[Position, ...] = tuple((west + n * 1e-3, south + n * 1e-3) for n in range(10))
        words = Comment((("fr", "Bouchon de deux kilomètres, deux voies neutralisées sur trois"),))
        place = Place(points=line, road_name=f"A{dice.randint(1, 99)}", town="Ville")
        situations.append(
            Situation(
                f"S-{no}",
                tuple(
                    Record(
                        f"{no}-{n}", "1", form, now_us, now_us, Validity(now_us - DAY_US, now_us + DAY_US), (place,),
                        (kind,), severity="high", comments=(words,),
                    )
                    for n, (form, kind) in enumerate(RECORDS)
                ),
                "high",
            )
        )  # fmt: skip
    return write(Publication(now_us, "fr", "bench", "fr", tuple(situations)))


@measurement("roads.withdrawn_lag")
def withdrawn_lag() -> Measured:
    """Seconds from when somebody withdraws a closure until it is gone from what is published, over HTTP from a running
    post: for whoever took the closures a moment before and keeps them as long as the answer says (`max-age`)."""
    with tempfile.TemporaryDirectory(prefix="vigie-bench-") as name:
        folder = Path(name)
        with installation(Settings(data=folder)) as opened:
            opened.take_assets("bench", street_drafts()[:100])
            keeper = keeper_of(opened)
            held = (Held("operator", "", frozenset({"*"})),)
            asyncio.run(keeper.make_user(Keeping(COMMAND_LINE, ""), "operator", "operator", PASSWORD, held))
            zone, now_us = opened.calendar().zone, opened.clock.now_us()
        names = [id_of(each) for each in street_drafts()[:100]]
        runs, told = list[float](), list[float]()
        with serving(folder) as port:
            ask = _Person(port)
            cases = [ask.granted(names[n], now_us, zone) for n in range(WITHDRAWN)]
            copy = ask.published()
            assert all(case in copy.text for case in cases), "what was granted is not published"
            gone_s = dict[str, float]()
            for case in cases:
                ask.post(f"cases/{case}/moves", {"event": "withdraw", "reason": "A slip."}, 200)
                gone_s[case] = time.perf_counter()
                assert case not in ask.published().text
                told.append(1_000 * (time.perf_counter() - gone_s[case]))
            time.sleep(max(0.0, copy.until_s - time.perf_counter()))
            again = ask.published(copy.tag)
            came_s = time.perf_counter()
            runs = [came_s - gone_s[case] for case in cases if case not in again.text]
            assert len(runs) == WITHDRAWN
    words = [
        f"who asks at once has it with the next answer: {min(told):.0f} to {max(told):.0f} ms after the withdrawal"
    ]
    size = f"{WITHDRAWN} closures, a copy taken just before and kept for {copy.kept_s:.0f} s as it says"
    return Measured("roads.withdrawn_lag", "s", runs, 60, False, size, "1 post", told=words)


@dataclass(frozen=True)
class _Copy:
    """What was published. until_s: until when it may be kept, by the counter of this process."""

    text: str
    tag: str
    kept_s: float
    until_s: float


class _Person:
    """Somebody who asks for works and moves them."""

    def __init__(self, port: int) -> None:
        self._port, self._headers = port, {"Content-Type": "application/json"}
        answer, body = self._send("POST", "/api/v1/session", {"login": "operator", "password": PASSWORD})
        self._headers |= {
            "Cookie": (answer.getheader("set-cookie") or "").partition(";")[0],
            "X-CSRF-Token": msgspec.json.decode(body)["csrf"],
        }

    def post(self, path: str, body: Any, status: int) -> Any:
        """Raises RuntimeError where it is answered otherwise."""
        answer, said = self._send("POST", f"/api/v1/{path}", body)
        if answer.status != status:
            raise RuntimeError(f"{path}: {answer.status}, {said[:300]!r}")
        return msgspec.json.decode(said)

    def granted(self, street: str, now_us: int, zone: ZoneInfo) -> str:
        """The id of a closure that is granted."""
        begins, ends = (moment_at(now_us + days * DAY_US, zone) for days in (-1, 5))
        phase = Phase(begins, ends, (Stretch(street),), "closure")
        works = Roadworks(phases=(phase,), acts=tuple(Act(kind, "granted") for kind in KINDS))  # type: ignore[arg-type]
        asked = {"kind": "roads.roadworks", "category": "roadworks", "title": "Bench", "document": works}
        case = self.post("cases", asked, 201)["id"]
        self.post(f"cases/{case}/moves", {"event": "grant"}, 200)
        return case

    def published(self, tag: str = "") -> _Copy:
        """What everybody is told."""
        answer, said = self._send("GET", "/datex2/v3/situations.xml", None, {"If-None-Match": tag} if tag else {})
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}, {said[:300]!r}")
        kept_s = float((answer.getheader("cache-control") or "").partition("max-age=")[2])
        return _Copy(said.decode(), answer.getheader("etag") or "", kept_s, time.perf_counter() + kept_s)

    def _send(
        self, method: str, path: str, body: Any, headers: dict[str, str] | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        written = None if body is None else msgspec.json.encode(body)
        connection.request(method, path, written, self._headers | (headers or {}))
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        return answer, said
