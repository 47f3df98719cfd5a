"""History over HTTP: one point of one asset, or of all assets of a kind together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, TypeVar

import msgspec
import numpy as np
from msgspec import Meta

from vigie.api.access import Caller
from vigie.api.city import forms
from vigie.api.city.selecting import unknown_kind
from vigie.api.city.sources import Sources
from vigie.api.operation import Ask, Nothing, Operation
from vigie.api.problems import Problem
from vigie.core.kinds import AssetKind, Point, Sort
from vigie.core.times import DAY_US, SECOND_US, to_us
from vigie.store.history import ROWS_MAX, AllowedSpans, HistoryTooLong, Span, Told
from vigie.store.sheets import Placed

AT_ONCE = 2
WAITING_MAX = 32
SPAN_US_MAX = 400 * DAY_US
SPAN_S_MAX = SPAN_US_MAX // SECOND_US
_EVER_US = np.iinfo(np.int64).max

T = TypeVar("T")


class AssetHistoryQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which point, when, and in which spans."""

    point: Annotated[str, Meta(description="The point, by its name in the kind.")]
    start: Annotated[
        forms.Instant | None, Meta(description="The first instant, RFC 3339; a day before `to` unless said.")
    ] = msgspec.field(name="from", default=None)
    end: Annotated[
        forms.Instant | None, Meta(description="The first instant that is no more of it; now unless said.")
    ] = msgspec.field(name="to", default=None)
    bucket_s: Annotated[
        float, Meta(ge=0, le=SPAN_S_MAX, description="The length of a span; 0 for the observations themselves.")
    ] = 0


class KindHistoryQuery(AssetHistoryQuery, frozen=True, kw_only=True):
    """Which point of which kind, when, and in which spans."""

    kind: Annotated[str, Meta(description="The kind, such as luminaire.")]
    area: Annotated[str, Meta(description="The path of an area, with all below it.")] = ""
    bucket_s: Annotated[float, Meta(ge=60, le=SPAN_S_MAX, description="The length of a span.")] = 3_600


class HistoryDoor:
    """The operations on history. So many questions are asked at once and so many wait; the next are told to come
    back."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="vigie-history")
        self._waiting = 0
        self.refused = 0
        """How many questions were told to come back later."""

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        return [
            Operation(
                "GET",
                "assets/{id}/history",
                self.of_asset,
                query=AssetHistoryQuery,
                answer=forms.History,
                public=True,
                problems=(503,),
            ),
            Operation(
                "GET",
                "history",
                self.of_kind,
                query=KindHistoryQuery,
                answer=forms.History,
                public=True,
                problems=(503,),
            ),
        ]

    async def of_asset(self, ask: Ask[AssetHistoryQuery, Nothing]) -> forms.History:
        """Tells what one point of an asset was over a time, as observations or as spans.

        Only of the times at which the asset lay where you may see it. At most 5,000 rows: where there would be more,
        the spans are wider than was asked for, and the answer says how wide. A text is told as observations alone, and
        where there are too many of them, for less time.
        """
        sources, query = self._sources, ask.query
        registry = sources.engine.registry
        no, placed = await once_seen(sources, ask.caller, ask.part("id"))
        kind = registry.kind_of(no)
        point = point_of(kind, query.point, (Sort.NUMBER, Sort.CHOICE, Sort.FLAG, Sort.TEXT), ask.caller)
        spans = allowed_spans(ask.caller, placed, point, self._span(query))
        code = int(registry.point_number[registry.kind_codes[kind.kind], tuple(kind.points).index(point.name)])
        if point.sort is Sort.TEXT:
            texts = await self._asked(lambda: sources.history.of_texts(no, code, spans))
            if len(texts) > ROWS_MAX:
                raise Problem(400, "Too much", f"There are more than {ROWS_MAX:,} rows.", mend="Ask for less time.")
            return _history(point, Told(0, []), texts)
        bucket_us = round(query.bucket_s * SECOND_US)
        named = point.sort is not Sort.NUMBER
        told = await self._asked(lambda: sources.history.of_asset(no, code, spans, bucket_us, named=named))
        return _history(point, told)

    async def of_kind(self, ask: Ask[KindHistoryQuery, Nothing]) -> forms.History:
        """Tells what a point was over a time in all assets of a kind together, in spans.

        Of the assets that you may see, each only while it lay where you may see it. A repeated late reading counts
        twice until its day is compacted.
        """
        sources, query = self._sources, ask.query
        registry = sources.engine.registry
        kind = registry.catalogue.assets.get(query.kind)
        if kind is None:
            raise unknown_kind(registry, query.kind)
        point = point_of(kind, query.point, (Sort.NUMBER, Sort.FLAG), ask.caller)
        span = self._span(query)
        code = int(registry.point_number[registry.kind_codes[kind.kind], tuple(kind.points).index(point.name)])
        allowed = await asyncio.to_thread(self._allowed, ask.caller, kind, point, query.area)
        bucket_us = round(query.bucket_s * SECOND_US)
        told = await self._asked(lambda: sources.history.of_kind(code, span, bucket_us, allowed))
        return _history(point, told)

    def _span(self, query: AssetHistoryQuery) -> Span:
        end = self._sources.clock.now_us() if query.end is None else to_us(query.end)
        start = end - DAY_US if query.start is None else to_us(query.start)
        if not 0 <= start < end <= start + SPAN_US_MAX:
            raise Problem(400, "Impossible span", "`from` lies before `to`, by 400 days at most.")
        return start, end

    def _allowed(self, caller: Caller, kind: type[AssetKind], point: Point[Any], area: str) -> AllowedSpans | None:
        """When each asset of the kind may be read; None for all of them at all times."""
        rows = self._sources.facts.sheets.placed_of_kind(kind.kind, caller.scope, area, public=point.public)
        if rows is None:
            return None
        return AllowedSpans(
            np.array([asset for asset, _, _ in rows], np.uint32),
            np.array([from_us for _, from_us, _ in rows], np.int64),
            np.array([_EVER_US if until_us is None else until_us for _, _, until_us in rows], np.int64),
        )

    async def _asked(self, question: Callable[[], T]) -> T:
        """The answer to a question, asked in a thread. Raises Problem 503."""
        if self._waiting >= AT_ONCE + WAITING_MAX:
            self.refused += 1
            raise Problem(503, "Busy", "Many ask for history just now.", retry_after_s=2)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, question)
        except HistoryTooLong as error:
            mend = "Ask for less time, or for an area."
            raise Problem(503, "Takes too long", f"{str(error).capitalize()}.", mend=mend, retry_after_s=10) from error
        finally:
            self._waiting -= 1


async def once_seen(sources: Sources, caller: Caller, asset: str) -> tuple[int, Sequence[Placed]]:
    """The number of an asset that the caller sees or once saw, and where it has belonged. Raises Problem 404."""
    no = sources.engine.registry.numbers.get(asset, 0)
    placed = await asyncio.to_thread(sources.facts.sheets.placements, no)
    if not (sources.sight(caller).seen[no] or any(caller.scope.sees(each.placement) for each in placed)):
        raise Problem(404, "No such asset", f"There is no asset {asset[:80]!r} that you may see.")
    return no, placed


def point_of(kind: type[AssetKind], name: str, sorts: Sequence[Sort], caller: Caller) -> Point[Any]:
    """A point of a kind that has a history of one of these sorts. Raises Problem 404; of one that the caller may not
    read nothing is said, not even that it is of another sort."""
    point = kind.points.get(name)
    if point is None or not (point.public or caller.session):
        raise unknown_point(kind, name)
    if point.sort not in sorts:
        raise Problem(400, "No such history", f"{name!r} is a {point.sort.value}: it has no history here.")
    return point


def unknown_point(kind: type[AssetKind], name: str) -> Problem:
    """What is said of a point that there is not, and of one that the caller may not read."""
    return Problem(404, "No such point", f"A {kind.kind} has no point {name[:80]!r} that you may read.")


def allowed_spans(caller: Caller, placed: Sequence[Placed], point: Point[Any], asked: Span) -> list[Span]:
    """The times within those asked for at which the caller may read the point, by where its asset belonged then. What
    was observed before the post knew the asset counts as of where it belonged first."""
    spans: list[Span] = []
    for row, each in enumerate(placed):
        start = asked[0] if row == 0 else max(asked[0], each.from_us)
        end = asked[1] if each.until_us is None else min(asked[1], each.until_us)
        may = caller.scope.covers(each.placement) or (point.public and each.placement.public)
        if may and start < end:
            spans.append((start, end))
    return spans


def _history(point: Point[Any], told: Told, texts: Sequence[tuple[float, str]] = ()) -> forms.History:
    return forms.History(
        point=point.name,
        unit=point.unit,
        bucket_s=told.bucket_us / SECOND_US,
        rows=[*([*row] for row in told.rows), *([*row] for row in texts)],
        raw=told.bucket_us == 0,
    )
