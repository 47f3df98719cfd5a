"""Who coordinates works in the demo: they open what is asked for, answer what it clashes with, and grant it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import structlog

from vigie.core.times import from_us
from vigie.services.roads.works.permits import EFFECTS
from vigie.sim.city import City
from vigie.sim.city.facts import ZONE
from vigie.sim.city.works import ANSWER, SAID, Site, requests, sites
from vigie.transports.device_http import HttpDoor

BEGIN_S, AGAIN_S, PAUSE_S = 120.0, 60.0, 0.5
"""When they begin, how long they wait where the post does not answer, and between two of their acts: a post that starts
has others to hear."""

_API = "/api/v1"
_EVERY = "requested,granted,refused,under_way,suspended,finished,withdrawn"

_log = structlog.get_logger("vigie.sim")


class Permits:
    """The desk of the town's works."""

    def __init__(self, url: str, tokens: Mapping[str, str], city: City, now_us: Callable[[], int]) -> None:
        """tokens: of who sends crews (`dispatcher`), who coordinates works too."""
        self._door, self._city, self._now_us = HttpDoor(url, tokens["dispatcher"]), city, now_us

    async def run(self) -> None:
        """Opens what the town has on its first day; until that is done, or cancelled."""
        await asyncio.sleep(BEGIN_S)
        done = 0
        while done < len(steps := [self._works, self._requests]):
            try:
                await steps[done]()
                done += 1
            except (OSError, KeyError, ValueError) as error:
                _log.warning("who coordinates works is not heard", reason=str(error)[:200])
                await asyncio.sleep(AGAIN_S)

    @property
    def _today(self) -> date:
        return from_us(self._now_us()).astimezone(ZoneInfo(ZONE)).date()

    async def _works(self) -> None:
        known = {
            each["case"]["title"]
            for each in (await self._ask("GET", f"/roads/works?limit=500&state={_EVERY}"))["items"]
        }
        for site in sites(self._city, self._today):
            # What was opened before a start that was cut short stays as it was left.
            if site.title not in known:
                await self._open(site)

    async def _open(self, site: Site) -> None:
        document = msgspec.to_builtins(site.document)
        if any(EFFECTS[phase.occupancy].turns_away for phase in site.document.phases):
            found = await self._ask("POST", "/roads/works/diversions", {"document": document})
            document["diversion"] = found["diversion"]
        if site.events[:1] == ("grant",):
            checks = await self._ask("POST", "/roads/works/checks", {"document": document})
            clashes = [each["key"] for each in checks["clashing"] if each["refuses"]]
            document["answers"] = [{"clash": key, "text": ANSWER} for key in clashes]
        body = {"kind": "roads.roadworks", "category": "roadworks", "title": site.title, "document": document}
        case = await self._ask("POST", "/cases", body)
        for event in site.events:
            await self._move(case["id"], event)

    async def _requests(self) -> None:
        if (await self._ask("GET", "/roads/buried?limit=1&state=received,answered"))["total"]:
            return
        for request in requests(self._city, self._today):
            body = {"kind": "roads.buried", "category": "lighting", "document": msgspec.to_builtins(request),
                    "title": f"{request.kind.upper()} {request.asker_name}"}  # fmt: skip
            case = await self._ask("POST", "/cases", body)
            if request.answer:
                await self._move(case["id"], "answer")

    async def _move(self, case: str, event: str) -> None:
        await self._ask("POST", f"/cases/{case}/moves", {"event": event, "reason": SAID.get(event, "")})

    async def _ask(self, method: str, path: str, body: Any = None) -> Any:
        """Raises OSError, also for what the post refuses."""
        await asyncio.sleep(PAUSE_S)
        if method == "GET":
            answer = await self._door.get(_API + path)
        else:
            answer = await self._door.post(_API + path, json.dumps(body).encode())
        if answer.status >= 400:
            raise OSError(f"{method} {path}: {answer.status} {answer.body[:200]!r}")
        return json.loads(answer.body)
