"""What a feed of DATEX II tells of the roads around the town, kept as assets: read each minute, as Bison Futé's.

A feed tells all of it each time, so what it names no more is over, also where it names nothing at all. While it cannot
be read, what it told last stays until its own end: nobody knows that it is over. After ten minutes that is an alarm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

import msgspec
import numpy as np
import structlog

from vigie.core.drafts import Draft
from vigie.core.ground import metres
from vigie.core.service import Clear, Effect, Raise
from vigie.core.times import MINUTE_US, SECOND_US, nameable_us, rfc3339
from vigie.engine.loop import Engine
from vigie.engine.ports import Clock
from vigie.engine.rates import Allowance, Rates
from vigie.engine.registry import Registry
from vigie.engine.source import Source
from vigie.protocols.datex2 import Position, Reading, Record, Situation, Unreadable, holds, read
from vigie.services.roads.events import ROAD_EVENTS_SILENT, ROAD_EVENTS_UNSTEADY, SEVERITIES, WHAT, RoadEvent
from vigie.transports.feed import Feed, FeedFailed

SOURCE = "road-events"
"""The source of road events, as the inventory calls it."""
MARGIN_M = 5_000.0
"""So far from all that the town has is what still concerns it."""
EVENTS_MAX = 500
"""More is no town's surroundings: the gravest of them are taken."""
NEW = Allowance(per_s=100 / 3_600, burst=EVENTS_MAX)
"""So much may be new: each event that was never named before is an asset for good, and a feed that gives its events
other names each time would make a thousand of them each two minutes."""
FLEETING = Allowance(per_s=10 / 3_600, burst=50)
"""So much of what is new may be gone with the next reading. What happens on a road lasts longer than a minute; a feed
of which more is gone gives its events other names each time, however few they are."""
FLEETING_US = 5 * MINUTE_US
"""Of what was read longer ago nobody can say that it was gone at once: a queue comes and goes between two readings that
lie an hour apart. So it is of a feed that is read seldom, and after a time in which it could not be read."""
WHOLE = 10
"""A feed that was unsteady is whole again when of so many events one at most has a name that the reading before had
not."""
SILENT_US = 10 * MINUTE_US
"""Not read for so long is an alarm; of what is read seldom, for twice the time between two readings."""
WAIT_S_MAX = 600.0
WATCH_S = 60.0
WORDS_LENGTH_MAX = 1_000
ID_LENGTH_MAX = 120
LOGGED_MAX = 5
"""So many of what is not as the standard has it stand in the log, when there are more or fewer than before."""

_WHAT = {
    "Accident": "accident",
    "VehicleObstruction": "obstruction",
    "GeneralObstruction": "obstruction",
    "AnimalPresenceObstruction": "obstruction",
    "EnvironmentalObstruction": "obstruction",
    "InfrastructureDamageObstruction": "obstruction",
    "WeatherRelatedRoadConditions": "weather",
    "PoorEnvironmentConditions": "weather",
    "ConstructionWorks": "works",
    "MaintenanceWorks": "works",
    "PublicEvent": "occasion",
    "AbnormalTraffic": "traffic",
    "RoadOrCarriagewayOrLaneManagement": "measure",
    "SpeedManagement": "measure",
    "GeneralNetworkManagement": "measure",
    "ReroutingManagement": "diversion",
}
"""What a class of records is told as."""
_CLOSED = frozenset({"roadClosed", "carriagewayClosures", "overnightClosures", "closedPermanentlyForTheWinter"})

Bounds = tuple[float, float, float, float]
"""West, south, east and north, in degrees."""

_log = structlog.get_logger("vigie.road_events")


@dataclass(frozen=True, slots=True)
class Health:
    """How the reading of a feed goes. heard_us: when it was read last, 0 for never by this process. why: what kept it
    from being read since; "" where nothing did. published_us: when the feed says that it was made. near: how many
    events concern the town; unplaced: how many of the feed say no place. deviations, set_aside: see
    `vigie.protocols.datex2.Reading`."""

    heard_us: int = 0
    why: str = ""
    published_us: int | None = None
    near: int = 0
    unplaced: int = 0
    deviations: int = 0
    set_aside: int = 0


class RoadEvents:
    """Reads the feed, and keeps the assets in step with it. Lives on the engine's own thread."""

    def __init__(
        self,
        url: str,
        every_s: float,
        engine: Engine,
        clock: Clock,
        source: Source,
        post: int,
        new_id: Callable[[], str],
        settled: Callable[[], Awaitable[None]],
    ) -> None:
        """url: of the feed; "" for none: then what an earlier one has left is retired. every_s: how often it is read.
        post: the number of the post's own asset. settled: returns when what is owed is on disk. Raises ValueError for
        what is no address."""
        self.url, self._every_s = url, every_s
        # What packs a country's events well is read all the same: the limit is that of the reader.
        self._feed = Feed(url, timeout_s=30.0, bytes_max=32 << 20) if url else None
        self._engine, self._clock, self._source, self._post = engine, clock, source, post
        self._new_id, self._settled = new_id, settled
        self._validators: tuple[tuple[str, str], ...] = ()
        self._told: Reading | None = None
        self._since_us = clock.now_us()
        self._failures = 0
        self._new, self._fleeting = Rates(NEW), Rates(FLEETING)
        self._before, self._fresh = frozenset[str](), set[str]()
        self._is_fleeting = False
        self._compared_us = 0
        self.wait_s = every_s
        self.health = Health()

    async def run(self) -> None:
        """Reads until it is cancelled; without a feed, tidies up and ends. What fails is told, and tried again."""
        if self._feed is None:
            self._forget()
            await self._settled()
            return
        while True:
            try:
                await self.look()
            except Exception as error:
                _log.error("road events could not be kept", exc_info=error)
                self._fail(str(error) or type(error).__name__)
                self.wait_s = self._backoff_s()
            await asyncio.sleep(self.wait_s)

    async def watch(self) -> None:
        """Sees to it until it is cancelled that silence is told, whatever keeps the reading from its end: it hangs, or
        fails where nobody has thought of it."""
        while self._feed is not None:
            try:
                self._judge()
            except Exception as error:
                _log.error("silence of road events could not be told", exc_info=error)
            await asyncio.sleep(WATCH_S)

    async def look(self) -> None:
        """Reads the feed once. What fails of that is told in `health`. Raises StorageFull; then it is read all the
        same, and what it came to waits for the disk."""
        assert self._feed is not None
        retry_after_s = 0.0
        try:
            fetched = await self._feed.fetch(self._validators if self._told else ())
            if fetched is not None:
                before, self._told = self._told, await asyncio.to_thread(read, fetched.body, zone=self._engine.zone)
                self._validators = fetched.validators
                self._compare(before, self._told)
        except (FeedFailed, Unreadable) as error:
            retry_after_s = error.retry_after_s if isinstance(error, FeedFailed) else 0.0
            self._fail(str(error))
            self._judge()
            # What it told last has ends and hours of its own.
            if self._told is not None:
                self._keep(self._told, self._clock.now_us())
        else:
            self._take()
        self.wait_s = max(self._backoff_s(), min(retry_after_s, 6 * WAIT_S_MAX))
        await self._settled()

    def _backoff_s(self) -> float:
        return min(max(WAIT_S_MAX, self._every_s), self._every_s * 2 ** max(0, self._failures - 1))

    def _take(self) -> None:
        assert self._told is not None
        now_us, told = self._clock.now_us(), self._told
        near, unplaced = self._keep(told, now_us)
        if self.health.why:
            _log.info("road events are read again")
        if (told.deviations_total, told.set_aside_total) != (self.health.deviations, self.health.set_aside):
            _log.warning(
                "road events deviate from the standard",
                deviations=told.deviations_total,
                set_aside=told.set_aside_total,
                such_as=[f"{each.path}: {each.value!r}" for each in told.deviations[:LOGGED_MAX]]
                + [f"{each.id}: {each.reason}" for each in told.set_aside[:LOGGED_MAX]],
            )
        self._failures = 0
        self.health = Health(
            now_us,
            "",
            told.publication.published_us,
            near,
            unplaced,
            told.deviations_total,
            told.set_aside_total,
        )
        self._apply([Clear(ROAD_EVENTS_SILENT, self._post, now_us)], now_us)

    def _keep(self, told: Reading, now_us: int) -> tuple[int, int]:
        """Has the assets be what is so of what was told; returns how many are near, and how many say no place."""
        bounds, zone = bounds_of(self._engine.registry), self._engine.zone
        drafts, unplaced = drafts_of(told.publication.situations, bounds, now_us, zone)
        steady = self._steady(drafts, now_us)
        if len(drafts) != len(steady):
            left_out = {"count": len(drafts) - len(steady)}
            self._apply([Raise(ROAD_EVENTS_UNSTEADY, self._post, now_us, left_out)], now_us)
        else:
            self._apply([Clear(ROAD_EVENTS_UNSTEADY, self._post, now_us)], now_us)
        placed = [msgspec.structs.replace(each, area=self._engine.area_at(each.lon, each.lat)) for each in steady]
        intake = self._source.take(placed, fact_id=self._new_id(), at_us=now_us)
        if intake.rows:
            _log.info("road events changed", new=intake.made, retired=len(intake.retired), near=len(placed))
        for refused in intake.refused:
            _log.warning("road event refused", key=refused.key, reason=refused.reason)
        return len(placed), unplaced

    def _compare(self, before: Reading | None, told: Reading) -> None:
        """Takes note of which names the reading before had, and of those that came with it and are gone already."""
        self._before = frozenset[str]() if before is None else _names(before)
        now_us = self._clock.now_us()
        gone = self._fresh - _names(told) if now_us - self._compared_us <= FLEETING_US else set[str]()
        self._is_fleeting = sum(self._fleeting.take(SOURCE, now_us) for _ in gone) > 0
        self._fresh, self._compared_us = set[str](), now_us

    def _steady(self, drafts: Sequence[Draft], now_us: int) -> list[Draft]:
        """Those that are taken: all that were named ever, and of what is new as much as may be. While the feed is
        unsteady, that is what two readings in a row have named; where those lie far apart by rule, they say nothing."""
        new = {each.key for each in drafts if not self._source.knows(each.key)}
        is_unsteady = self._is_fleeting or bool(self._engine.is_open(ROAD_EVENTS_UNSTEADY, np.array([self._post]))[0])
        is_read_often = self._every_s * SECOND_US <= FLEETING_US
        left_out = new - self._before if is_unsteady and is_read_often else set[str]()
        if len(left_out) * WHOLE <= len(drafts):
            left_out = set[str]()
        for each in drafts:
            if each.key in new and each.key not in left_out and self._new.take(SOURCE, now_us):
                left_out.add(each.key)
        self._fresh |= new - left_out
        return [each for each in drafts if each.key not in left_out]

    def _fail(self, why: str) -> None:
        if why != self.health.why:
            _log.warning("road events cannot be read", reason=why)
        self._failures = min(self._failures + 1, 16)
        self.health = replace(self.health, why=why)

    def _judge(self) -> None:
        """Raises the alarm where the feed was not read for too long; what is read seldom is not late so soon."""
        now_us, heard_us = self._clock.now_us(), max(self.health.heard_us, self._since_us)
        if now_us - heard_us >= max(SILENT_US, int(2 * self._every_s * SECOND_US)):
            reason = self.health.why or "the reading does not come to its end"
            self._apply([Raise(ROAD_EVENTS_SILENT, self._post, heard_us, {"reason": reason})], now_us)

    def _forget(self) -> None:
        """There is no feed any more: what it told is nobody's, and old."""
        now_us = self._clock.now_us()
        self._source.take([], fact_id=self._new_id(), at_us=now_us)
        both = (ROAD_EVENTS_SILENT, ROAD_EVENTS_UNSTEADY)
        self._apply([Clear(each, self._post, now_us) for each in both], now_us)

    def _apply(self, effects: Sequence[Effect], now_us: int) -> None:
        self._engine.apply(effects, self._engine.next_ingest, f"roads.events.{now_us}", now_us)


def bounds_of(registry: Registry) -> Bounds | None:
    """Around all that the town has, and as far beyond as concerns it; None where it has nothing yet. Road events are
    not of the town: they would widen it by themselves."""
    span = slice(1, registry.count)
    lon, lat = registry.lon[span], registry.lat[span]
    # What has no place of its own, as the post itself, is at 0, 0.
    own = registry.in_town()[span] & ((lon != 0) | (lat != 0))
    if not own.any():
        return None
    lon, lat = lon[own], lat[own]
    middle_lat = float(lat.min() + lat.max()) / 2
    degree = metres(np.ones(1), np.ones(1), middle_lat=middle_lat)[0]
    more_lon, more_lat = MARGIN_M / float(degree[0]), MARGIN_M / float(degree[1])
    return (
        float(lon.min()) - more_lon, float(lat.min()) - more_lat, float(lon.max()) + more_lon,
        float(lat.max()) + more_lat,
    )  # fmt: skip


def _names(told: Reading) -> frozenset[str]:
    return frozenset(each.id for each in told.publication.situations)


def drafts_of(
    situations: Sequence[Situation], bounds: Bounds | None, now_us: int, zone: tzinfo
) -> tuple[list[Draft], int]:
    """The situations that lie in bounds and hold now, as drafts, and how many say no place. Of more than `EVENTS_MAX`
    the gravest are told. zone: of the clock that hours are told by."""
    found: list[Draft] = []
    unplaced = 0
    for situation in situations:
        holding = [each for each in situation.records if not each.withdrawn and holds(each.validity, now_us, zone)]
        unplaced += not any(_points(situation.records))
        here = next((point for point in _points(holding) if bounds is not None and _lies_in(point, bounds)), None)
        if here is not None and 0 < len(situation.id) <= ID_LENGTH_MAX and situation.status == "real":
            found.append(_draft(situation, holding, here))
    found.sort(key=lambda each: (SEVERITIES.index(str(each.attributes["severity"])), each.key))
    return found[:EVENTS_MAX], unplaced


def _points(records: Sequence[Record]) -> Iterator[Position]:
    return (point for record in records for place in record.places for point in place.points)


def _lies_in(point: Position, bounds: Bounds) -> bool:
    west, south, east, north = bounds
    return west <= point[0] <= east and south <= point[1] <= north


def _draft(situation: Situation, records: Sequence[Record], here: Position) -> Draft:
    what = min((_what_of(each) for each in records), key=WHAT.index)
    said = [each.severity for each in records]
    known = [each for each in (situation.severity, *said) if each in SEVERITIES]
    places = [place for each in records for place in each.places]
    road = next((each.road_name or each.road_number for each in places if each.road_name or each.road_number), "")
    town = next((each.town for each in places if each.town), "")
    ends = [each.validity.ends_us for each in records]
    known_ends = [each for each in ends if each is not None]
    source = next((each.source for each in records if each.source is not None), None)
    names = [text for _, text in source.name] if source else []
    attributes = {
        "what": what,
        "severity": known[0] if situation.severity in SEVERITIES else min(known or ["unknown"], key=SEVERITIES.index),
        "road": road[:200],
        "words": _words(records),
        "begins": _instant(min(each.validity.begins_us for each in records)),
        "ends": _instant(max(known_ends)) if len(known_ends) == len(ends) else "",
        "source": ((source.identification if source else "") or next(iter(names), ""))[:200],
    }
    return Draft(
        key=situation.id,
        kind=RoadEvent.kind,
        name=", ".join(filter(None, (road, town)))[:200],
        lon=here[0],
        lat=here[1],
        attributes={name: value for name, value in attributes.items() if value},
    )


def _what_of(record: Record) -> str:
    what = _WHAT.get(record.form, "other")
    return "closure" if what == "measure" and _CLOSED.intersection(record.kinds) else what


def _words(records: Sequence[Record]) -> str:
    """What is told to everybody, each thing once."""

    def told() -> Iterator[str]:
        for each in records:
            for comment in each.comments:
                yield comment.words[0][1]

    return "\n".join(dict.fromkeys(told()))[:WORDS_LENGTH_MAX]


def _instant(instant_us: int) -> str:
    return rfc3339(nameable_us(instant_us) // SECOND_US * SECOND_US)
