"""The town's roadworks for everybody, without an account: DATEX II for the national access point, and open data.

What is told follows from the cases as they stand: it is made anew when one of those that are told has changed, and
each half minute, in which a phase may have ended. So works that are withdrawn are gone from the next answer; what
caches keep for half a minute is gone within one. Works that cannot be told keep the others from nothing: they are left
out, and an alarm says so.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import format_datetime, parsedate_to_datetime
from math import ceil

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vigie.api.city.sources import Sources
from vigie.api.datex2.forms import Forms
from vigie.api.datex2.town import TownWorks
from vigie.api.problems import Problem
from vigie.api.roads import Streets
from vigie.api.session import peer_of
from vigie.api.tiles import knows, takes_gzip
from vigie.api.words import words
from vigie.core.service import Clear, Effect, Raise
from vigie.core.times import MINUTE_US, SECOND_US, from_us, to_us
from vigie.engine.cases import Case
from vigie.engine.rates import Allowance, Rates
from vigie.protocols.datex2 import MEDIA_TYPE
from vigie.services.places import Street
from vigie.services.roads.works.permits import GRANTED, ROADWORKS
from vigie.services.roads.works.untold import ROADWORKS_UNTOLD

KEPT_US = 30 * SECOND_US
"""What was made is told for so long, unless what it tells of changes."""
WRITTEN_US = 5 * MINUTE_US
"""What says the same as before is written anew after so long, for the instant at which it was published."""
ALLOWANCE = Allowance(per_s=1, burst=30)
"""What one address may ask."""
LANGUAGES = ("fr", "en")
_MEDIA: Mapping[str, str] = {
    "xml": MEDIA_TYPE,
    "geojson": "application/geo+json",
    "csv": "text/csv; charset=utf-8; header=present",
}


@dataclass(frozen=True)
class _Made:
    """All forms of what is told. edition: of the cases and of the streets that it was made of; marks: the works in it.
    made_us, written_us: when that was looked at, and written. tag: a digest of what it says; changed_us: the whole
    second at which it last came to say something else. left_out: works that could not be told, by number."""

    edition: tuple[int, int]
    marks: tuple[tuple[str, int], ...]
    made_us: int
    written_us: int
    changed_us: int
    tag: str
    packed: Mapping[str, bytes]
    left_out: Mapping[int, str]


class Datex2Door:
    """Tells everybody of the town's roadworks."""

    def __init__(
        self, sources: Sources, streets: Streets, *, country: str, creator: str, post: int, proxies: int = 0
    ) -> None:
        """country, creator: who the town is as a publisher. post: the number of the post's own asset. proxies: see
        `vigie.api.session.peer_of`."""
        self._sources, self._engine, self._town = sources, sources.engine, TownWorks(sources, streets)
        self._forms = Forms(country, creator, [(language, words(language)) for language in LANGUAGES])
        self._post, self._proxies = post, proxies
        self._rates = Rates(ALLOWANCE)
        self._made: _Made | None = None
        self._turn = asyncio.Lock()

    @property
    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            Route("/datex2/v3/situations.xml", self.situations, methods=["GET"]),
            Route("/open-data/roadworks.geojson", self.lines, methods=["GET"]),
            Route("/open-data/roadworks.csv", self.table, methods=["GET"]),
        ]

    async def situations(self, asked: Request) -> Response:
        """The town's roadworks as a SituationPublication of DATEX II 3.7: all that are granted, under way or suspended,
        phase by phase. Without an account."""
        return await self._told(asked, "xml")

    async def lines(self, asked: Request) -> Response:
        """The same as GeoJSON: a feature for each phase, the stretches of streets that it takes up."""
        return await self._told(asked, "geojson")

    async def table(self, asked: Request) -> Response:
        """The same as a table (CSV), a row for each phase."""
        return await self._told(asked, "csv")

    async def _told(self, asked: Request, form: str) -> Response:
        wait_s = self._rates.take(peer_of(asked, self._proxies), self._sources.clock.now_us())
        if wait_s:
            detail = "You ask more often than this changes: twice a minute is enough."
            raise Problem(429, "Too often", detail, retry_after_s=ceil(wait_s))
        return _answer(asked, form, await self._newest())

    async def _newest(self) -> _Made:
        """What is to be told now."""
        async with self._turn:
            engine, now_us, before = self._engine, self._sources.clock.now_us(), self._made
            edition = engine.cases.edition, engine.registry.version_of(Street)
            young = before is not None and 0 <= now_us - before.made_us < KEPT_US and before.edition[1] == edition[1]
            if before is not None and young and before.edition == edition:
                return before
            cases = [case for case in engine.cases if case.kind is ROADWORKS and case.state in GRANTED]
            marks = tuple((case.id, case.revision) for case in cases)
            if before is not None and young and before.marks == marks:
                self._made = replace(before, edition=edition)
            else:
                self._made = await asyncio.to_thread(self._make, cases, edition, marks, now_us)
                if before is None or before.left_out != self._made.left_out:
                    self._alarm(self._made.left_out, now_us)
            return self._made

    def _alarm(self, left_out: Mapping[int, str], now_us: int) -> None:
        """Tells of works that could not be told, or that all are."""
        engine = self._engine
        effects: list[Effect] = [Clear(ROADWORKS_UNTOLD, self._post, now_us)]
        if left_out:
            number, why = min(left_out.items())
            effects.append(Raise(ROADWORKS_UNTOLD, self._post, now_us, {"number": number, "reason": why}))
        engine.apply(effects, engine.next_ingest, f"roads.untold.{now_us}", now_us)

    def _make(
        self, cases: Sequence[Case], edition: tuple[int, int], marks: tuple[tuple[str, int], ...], now_us: int
    ) -> _Made:
        told, unread = self._town.told(cases, now_us)
        tag = hashlib.sha256(repr((told, unread)).encode()).hexdigest()[:32]
        before = self._made
        if before is not None and before.tag == tag and 0 <= now_us - before.written_us < WRITTEN_US:
            return replace(before, edition=edition, marks=marks, made_us=now_us)
        changed_us = now_us // SECOND_US * SECOND_US
        if before is not None:
            # Two contents of one second would have the same date: whoever has the first would never get the other.
            changed_us = before.changed_us if before.tag == tag else max(changed_us, before.changed_us + SECOND_US)
        bodies, unwritten = self._forms.written(told, now_us)
        packed = {form: gzip.compress(body, 6, mtime=0) for form, body in bodies.items()}
        return _Made(edition, marks, now_us, now_us, changed_us, tag, packed, unread | unwritten)


def _answer(asked: Request, form: str, made: _Made) -> Response:
    # Weak: of one content two answers differ in the instant at which each says that it was published.
    tag = f'W/"{made.tag}-{form}"'
    headers = {
        "ETag": tag,
        "Last-Modified": format_datetime(from_us(made.changed_us), usegmt=True),
        "Cache-Control": f"public, max-age={KEPT_US // SECOND_US}",
        "Vary": "Accept-Encoding",
        # Pages of other sites may read it: it is for everybody, and no cookie is looked at.
        "Access-Control-Allow-Origin": "*",
    }
    if _has_it(asked, tag, made.changed_us):
        return Response(status_code=304, headers=headers)
    packed = made.packed[form]
    if takes_gzip(asked.headers.get("accept-encoding", "")):
        return Response(packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=_MEDIA[form])
    return Response(gzip.decompress(packed), headers=headers, media_type=_MEDIA[form])


def _has_it(asked: Request, tag: str, changed_us: int) -> bool:
    """Whether who asks has this content; a date counts only where no tag is shown (RFC 9110, 13.1.3)."""
    tags = asked.headers.get("if-none-match")
    if tags is not None:
        return knows(tags, tag)
    try:
        since = parsedate_to_datetime(asked.headers.get("if-modified-since", ""))
    except ValueError:
        return False
    return since.tzinfo is not None and to_us(since) >= changed_us
