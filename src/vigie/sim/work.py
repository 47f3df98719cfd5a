"""People at work in the demo: who sends crews out, and the crews, who speak to the post as their telephones do.

They know of the town what the post tells them, and drive to it. What takes an hour takes them a quarter of one, so that
whoever looks on sees something come to an end; their vehicles are no faster than others.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from vigie.core import hours
from vigie.core.times import MINUTE_US, SECOND_US, rfc3339, to_us
from vigie.sim.city import City
from vigie.sim.city.crews import CREWS
from vigie.sim.city.facts import ZONE
from vigie.sim.city.frame import to_degrees
from vigie.sim.life.crews import CrewLife
from vigie.transports.device_http import HttpDoor

BEGIN_S, LOOK_S, SEND_S = 25.0, 20.0, 300.0
"""When the first of them begin, how often crews look at their day, and how often somebody plans what is open."""

READ_US = 3 * MINUTE_US
"""What is reported is read so much later; by then the post has joined what is reported twice."""

FASTER = 4
"""What takes an hour takes a quarter of one."""

BLOCKED_SHARE = 0.06
SEARCH_S = 1.0
_API = "/api/v1"

REASONS = ("Véhicule en stationnement devant l'ouvrage.", "Pièce à commander.", "Accès fermé\u00a0: riverain absent.")
PARTS: Mapping[str, Sequence[str]] = {
    "lighting": ("Module LED 40 W", "Driver 700 mA", "Parafoudre"),
    "signals": ("Module vert 200 mm", "Bouton piéton"),
    "surface": ("Enrobé à froid (sac 25 kg)",),
    "signs": ("Panneau C12", "Mât 3 m"),
}
SKILLS: Mapping[str, Sequence[str]] = {
    "lighting": ("electrical",),
    "surface": ("asphalt",),
    "signs": ("signs",),
    "cleaning": ("cleaning",),
    "waste": ("cleaning",),
    "green": ("tree work",),
}
"""What the town asks of who does such work, as its crews have it (`vigie.sim.city.crews`)."""

SEEN: Sequence[tuple[str, int, str]] = (
    ("surface", 2, "Nid-de-poule dans la voie bus"),
    ("surface", 3, "Bordure descellée"),
    ("surface", 3, "Affaissement autour d'un regard"),
    ("signs", 2, "Panneau stop masqué par la végétation"),
    ("signs", 3, "Plaque de rue arrachée"),
    ("cleaning", 3, "Tag sur un transformateur"),
    ("cleaning", 2, "Verre brisé sur la piste cyclable"),
    ("waste", 3, "Dépôt sauvage au pied des conteneurs"),
    ("waste", 4, "Corbeille pleine"),
    ("green", 2, "Branche menaçante au-dessus du trottoir"),
    ("green", 4, "Haie qui déborde sur le passage"),
    ("lighting", 3, "Mât penché après un choc"),
)
"""What somebody of the town saw on the first day: category, priority, words."""

_log = structlog.get_logger("vigie.sim")


def next_of(day: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The case that a crew is at, or goes to next, of a day as the post tells it (`GET crew/day`)."""
    going = [each for each in day["cases"] if not each["row"]["over"]]
    begun = (each for each in going if each["row"]["state"] == "started")
    return next(begun, next((each for each in going if each["row"]["state"] == "assigned"), None))


def acts_of(day: Mapping[str, Any], now_us: int, dice: Random) -> list[dict[str, Any]]:
    """What a crew does now that is where its next case is: it ends what it has begun when that has taken its time, and
    begins what it has not. A case now and then cannot be done."""
    case = next_of(day)
    if case is None:
        return []
    if case["row"]["state"] == "started":
        takes_us = int(case["document"]["takes_min"]) * MINUTE_US // FASTER
        return list(_ended(case, now_us, dice)) if now_us - _us(case["row"]["moved"]) >= takes_us else []
    if dice.random() < BLOCKED_SHARE:
        return [_act(case, now_us, what="move", event="block", reason=dice.choice(REASONS))]
    return [_act(case, now_us, what="move", event="start")]


def _ended(case: Mapping[str, Any], now_us: int, dice: Random) -> Iterator[dict[str, Any]]:
    for check in case["document"]["checklist"]:
        if not check["done"]:
            yield _act(case, now_us, what="tick", item=check["what"])
    parts = PARTS.get(case["row"]["category"], ())
    if parts and dice.random() < 0.7:
        yield _act(case, now_us, what="used", name=dice.choice(parts), count=dice.choice((1, 1, 2)))
    yield _act(
        case, now_us, what="spent", minutes=max(5, round(case["document"]["takes_min"] * dice.uniform(0.6, 1.5)))
    )
    yield _act(case, now_us, what="move", event="finish")


def _act(case: Mapping[str, Any], now_us: int, **said: Any) -> dict[str, Any]:
    # What is done to a case as it stands is done once: told again, after an answer that was lost, it has the same id.
    row = case["row"]
    name = json.dumps([row["id"], row["revision"], said["what"], said.get("event"), said.get("item")])
    return {"id": hashlib.sha256(name.encode()).hexdigest()[:32], "case": row["id"], "at": rfc3339(now_us)} | said


def _us(instant: str) -> int:
    return to_us(datetime.fromisoformat(instant))


@contextmanager
def _heard() -> Generator[None]:
    """What the post does not answer, or refuses, is asked again the next time."""
    try:
        yield
    except (OSError, KeyError, ValueError) as error:
        _log.warning("people at work are not heard", reason=str(error)[:200])


class Work:
    """Those who send, and those who are sent."""

    def __init__(
        self, url: str, tokens: Mapping[str, str], city: City, now_us: Callable[[], int], vehicles: CrewLife
    ) -> None:
        """tokens: of who sends (`dispatcher`) and of the crews (`crew`). vehicles: of the crews."""
        self._sends, self._works = HttpDoor(url, tokens["dispatcher"]), HttpDoor(url, tokens["crew"])
        self._city, self._now_us, self._vehicles = city, now_us, vehicles
        self._zone = ZoneInfo(ZONE)

    async def run(self) -> None:
        """Until cancelled. A post that does not answer is asked again."""
        await asyncio.sleep(BEGIN_S)
        planned_s, loop = -SEND_S, asyncio.get_running_loop()
        while True:
            if loop.time() - planned_s >= SEND_S:
                planned_s = loop.time()
                with _heard():
                    await self._see()
                with _heard():
                    await self._accept()
                with _heard():
                    await self._send()
            for number, crew in enumerate(CREWS, 1):
                # Of each for itself: what one of them is refused keeps no other from their work.
                with _heard():
                    if hours.are_open(hours.read(crew.hours), self._now_us(), self._zone):
                        await self._go_on(f"crew-{number:02d}", number)
                    else:
                        self._vehicles.home(number - 1)
            await asyncio.sleep(LOOK_S)

    async def _see(self) -> None:
        """What somebody saw on the first day."""
        if (await self._ask(self._sends, "GET", "/cases?limit=1"))["total"]:
            return
        network, dice = self._city.network, Random(self._city.seed)
        for category, priority, title in SEEN:
            arc = dice.randrange(len(network.start) - 1)
            lon, lat = to_degrees(network.xy[int(network.start[arc])]).tolist()
            document = {"takes_min": dice.choice((20, 30, 45, 60)), "skills": SKILLS.get(category, ())}
            body = {
                "kind": "roads.work_order", "category": category, "priority": priority, "title": title,
                "lon": lon, "lat": lat, "document": document,
            }  # fmt: skip
            await self._ask(self._sends, "POST", "/cases", body)

    async def _accept(self) -> None:
        """Accepts what residents have reported and no rule takes up: then there is an order for it."""
        asked = "/cases?kind=roads.report&state=received&limit=20"
        for row in (await self._ask(self._sends, "GET", asked))["items"]:
            if "accept" in row["may"] and self._now_us() - _us(row["opened"]) >= READ_US:
                await self._ask(self._sends, "POST", f"/cases/{row['id']}/moves", {"event": "accept"})

    async def _send(self) -> None:
        """Plans what is open today, and gives it to crews."""
        if not (await self._ask(self._sends, "GET", "/cases?kind=roads.work_order&state=open&limit=1"))["total"]:
            return
        told = await self._ask(self._sends, "POST", "/roads/dispatch/proposals", {"limit_s": SEARCH_S})
        rounds = [
            {"crew": each["crew"]["id"], "cases": [stop["case"]["id"] for stop in each["stops"]]}
            for each in told["rounds"]
            if each["stops"]
        ]
        if rounds and not told["findings"]:
            await self._ask(self._sends, "POST", "/roads/dispatch", {"rounds": rounds})

    async def _go_on(self, crew: str, number: int) -> None:
        day, now_us = await self._ask(self._works, "GET", f"/crew/day?crew={crew}"), self._now_us()
        if not self._is_there(next_of(day), number - 1):
            return
        dice = Random(f"{self._city.seed}.{number}.{now_us // (60 * SECOND_US)}")
        acts = acts_of(day, now_us, dice)
        if acts:
            await self._ask(self._works, "POST", "/crew/acts", {"sent": rfc3339(now_us), "acts": acts})

    def _is_there(self, case: Mapping[str, Any] | None, vehicle: int) -> bool:
        """Whether a crew is where its next case is; if not, it drives there, or home where there is none."""
        if case is None:
            self._vehicles.home(vehicle)
            return False
        row = case["row"]
        if row["lon"] is None:
            return True
        return self._vehicles.send(vehicle, row["lon"], row["lat"])

    async def _ask(self, door: HttpDoor, method: str, path: str, body: Any = None) -> Any:
        """Raises OSError, also for what the post refuses."""
        if method == "GET":
            answer = await door.get(_API + path)
        else:
            answer = await door.post(_API + path, json.dumps(body).encode())
        if answer.status >= 400:
            raise OSError(f"{method} {path}: {answer.status} {answer.body[:200]!r}")
        return json.loads(answer.body)
