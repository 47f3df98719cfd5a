"""Road events: read from a feed over a real socket, kept in step with it, told old when it is silent."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.city import NOW_US, drafts, open_engine, open_facts, open_observations, take
from tests.http_end import End
from tests.orders import HandClock
from tests.transports.test_feed import answer
from vigie.api.datex2.events import EVENTS_MAX, FLEETING, FLEETING_US, NEW, SILENT_US, RoadEvents, bounds_of, drafts_of
from vigie.core.arrays import ints
from vigie.core.service import Raise
from vigie.core.times import DAY_US, HOUR_US, SECOND_US
from vigie.engine.loop import Engine
from vigie.engine.nearby import nearest
from vigie.engine.ports import StorageFull
from vigie.engine.source import Source
from vigie.protocols.datex2 import (
    Comment,
    Hours,
    Period,
    Place,
    Publication,
    Record,
    Situation,
    Validity,
    write,
)
from vigie.services.roads.events import ROAD_EVENTS_SILENT, ROAD_EVENTS_UNSTEADY, RoadEvent

NEAR = (5.02, 47.31)
FAR = (2.35, 48.85)
BOUNDS = (4.9, 47.2, 5.1, 47.4)
POST = 1


def record(id: str, form: str, kind: str, at: tuple[float, float] = NEAR, **said: Any) -> Record:
    """A record somewhere."""
    validity = said.pop("validity", Validity(NOW_US - DAY_US, NOW_US + DAY_US))
    place = Place(points=(at,), road_name="A38", town="Plombières-lès-Dijon")
    return Record(id, "1", form, NOW_US, NOW_US, validity, (place,), (kind,), **said)


CRASH = Situation("S-1", (record("1", "Accident", "collision", severity="high"),), "high")
WORKS = Situation(
    "S-2",
    (
        record("2", "MaintenanceWorks", "resurfacingWork", comments=(Comment((("fr", "Enrobés de nuit"),)),)),
        record("3", "RoadOrCarriagewayOrLaneManagement", "roadClosed", compliance="mandatory", severity="highest"),
    ),
)
PARIS = Situation("S-3", (record("4", "Accident", "accident", FAR),))


def feed(*situations: Situation) -> bytes:
    """A feed that tells of these."""
    return write(Publication(NOW_US, "fr", "Tipi", "fr", situations))


class Told:
    """The feed's end: what it answers, one after the other, the last for good."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)

    async def serve(self, turn: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
        writer.close()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    facts, observations = open_facts(tmp_path), open_observations(tmp_path)
    take(facts, drafts(2))
    yield open_engine(facts, observations)
    observations.close()
    facts.close()


def reading(
    engine: Engine,
    work: Callable[[RoadEvents, HandClock], Awaitable[None]],
    *answers: bytes,
    source: Source | None = None,
    every_s: float = 60.0,
    settled: Callable[[], Awaitable[None]] | None = None,
) -> RoadEvents:
    """Has something done with what reads a feed that answers so."""

    async def settle() -> None:
        engine.settle()

    async def run() -> RoadEvents:
        async with End(Told(*answers).serve).there() as end:
            clock, ids = HandClock(), iter(range(10_000))
            events = RoadEvents(
                f"{end.url}/content.xml", every_s, engine, clock, source or Source(engine, "road-events", {}), POST,
                lambda: f"fact-{next(ids)}", settled or settle,
            )  # fmt: skip
            await work(events, clock)
            return events

    return asyncio.run(run())


def there(engine: Engine) -> dict[str, int]:
    """The road events in service: name in the feed -> number."""
    return {engine.registry.ids[no].removeprefix("road_event-"): no for no in ints(engine.assets(RoadEvent))}


def is_silent(engine: Engine) -> bool:
    return bool(engine.is_open(ROAD_EVENTS_SILENT, np.array([POST]))[0])


def test_what_is_near_the_town_is_there_and_what_is_gone_from_the_feed_is_gone(engine: Engine) -> None:
    async def work(events: RoadEvents, clock: HandClock) -> None:
        bounds = bounds_of(engine.registry)
        await events.look()
        assert there(engine).keys() == {"S-1", "S-2"}
        # Road events do not widen what is near, and are nothing that a place in the town lies beside.
        assert bounds_of(engine.registry) == bounds
        assert nearest(engine.registry, *NEAR, 500.0) == 0
        kept = there(engine)["S-2"]
        # The end says that it is as it was.
        await events.look()
        assert there(engine).keys() == {"S-1", "S-2"}
        await events.look()
        assert there(engine) == {"S-2": kept}
        # Nothing at all is told: then there is nothing.
        await events.look()
        assert there(engine) == {}
        await events.look()
        assert there(engine) == {"S-2": kept}

    packed = gzip.compress(feed(CRASH, WORKS, PARIS))
    first = answer("200 OK", packed, "content-encoding: gzip", 'etag: "1"')
    again = answer("304 Not Modified")
    events = reading(
        engine, work, first, again, answer("200 OK", feed(WORKS)), answer("200 OK", feed()),
        answer("200 OK", feed(WORKS)),
    )  # fmt: skip
    assert (events.health.near, events.health.why, events.wait_s) == (1, "", 60.0)


def test_several_records_are_told_as_the_gravest_with_the_words_of_all() -> None:
    (draft,), unplaced = drafts_of([WORKS], BOUNDS, NOW_US, UTC)
    assert (draft.attributes["what"], draft.attributes["severity"], unplaced) == ("closure", "highest", 0)
    assert draft.attributes["words"] == "Enrobés de nuit"
    assert draft.name == "A38, Plombières-lès-Dijon"
    assert (draft.lon, draft.lat) == NEAR


def told_at(*situations: Situation, now_us: int = NOW_US) -> list[str]:
    """The names of the situations that are told at an instant."""
    return [each.key for each in drafts_of(situations, BOUNDS, now_us, UTC)[0]]


def test_what_is_withdrawn_suspended_or_has_not_begun_is_not_told() -> None:
    crash = CRASH.records[0]
    for record in (
        replace(crash, withdrawn=True),
        replace(crash, validity=replace(crash.validity, status="suspended")),
        replace(crash, validity=replace(crash.validity, status="planned")),
    ):
        assert told_at(replace(CRASH, records=(record,))) == []
    later = replace(crash, validity=Validity(NOW_US + DAY_US, NOW_US + 2 * DAY_US))
    # Of several records those are told that hold.
    assert told_at(replace(CRASH, records=(later,))) == []
    assert told_at(replace(CRASH, records=(later,)), now_us=NOW_US + DAY_US) == ["S-1"]
    (draft,), _ = drafts_of([replace(WORKS, records=(*WORKS.records, later))], BOUNDS, NOW_US, UTC)
    assert draft.attributes["what"] == "closure"


def test_works_of_the_night_are_told_by_night(engine: Engine) -> None:
    night = Validity(NOW_US - DAY_US, None, periods=(Period(hours=(Hours(21 * 3_600, 6 * 3_600),)),))
    works = Situation("S-2", (replace(WORKS.records[0], validity=night),))
    midnight_us = NOW_US // DAY_US * DAY_US
    told_by_hour = [bool(told_at(works, now_us=midnight_us + hour * HOUR_US)) for hour in range(24)]
    assert told_by_hour == [hour < 6 or hour >= 21 for hour in range(24)]


def test_a_feed_that_names_its_events_anew_each_time_fills_no_inventory(engine: Engine) -> None:
    def named(turn: int) -> Situation:
        return replace(CRASH, id=f"other-{turn}")

    def is_unsteady() -> bool:
        return bool(engine.is_open(ROAD_EVENTS_UNSTEADY, np.array([POST]))[0])

    first = [replace(CRASH, id=f"S-{n}") for n in range(int(NEW.burst) - 1)]

    async def work(events: RoadEvents, clock: HandClock) -> None:
        await events.look()
        await events.look()
        assert (len(there(engine)), is_unsteady()) == (int(NEW.burst), False)
        count = engine.registry.count
        await events.look()
        assert (there(engine), is_unsteady()) == ({}, True)
        # What it has named before is told all the same, and it costs nothing.
        await events.look()
        assert (len(there(engine)), is_unsteady(), engine.registry.count) == (int(NEW.burst), False, count)

    told = [answer("200 OK", feed(*each)) for each in (first, [*first, named(0)], [named(1)], [*first, named(0)])]
    reading(engine, work, *told)


def test_a_feed_that_renames_its_few_events_makes_no_more_assets_until_its_names_last(tmp_path: Path) -> None:
    def told(*names: str) -> bytes:
        return answer("200 OK", feed(*(replace(CRASH, id=name) for name in names)))

    def is_unsteady(engine: Engine) -> bool:
        return bool(engine.is_open(ROAD_EVENTS_UNSTEADY, np.array([POST]))[0])

    facts, observations = open_facts(tmp_path), open_observations(tmp_path)
    take(facts, drafts(2))
    engine = open_engine(facts, observations)
    turns = int(FLEETING.burst) + 1

    async def broken(events: RoadEvents, clock: HandClock) -> None:
        for turn in range(turns):
            await events.look()
            assert (there(engine).keys(), is_unsteady(engine)) == ({f"other-{turn}"}, False)
        count = engine.registry.count
        for _ in range(5):
            # Where little happens no hour's worth of what is new is ever reached.
            clock.at_us += HOUR_US // 60
            await events.look()
            assert (there(engine), is_unsteady(engine), engine.registry.count) == ({}, True, count)

    reading(engine, broken, *(told(f"other-{turn}") for turn in range(turns + 5)))
    # It is known after a start too, and by what it calls its events: first each reading names them anew.
    engine = open_engine(facts, observations)
    count = engine.registry.count

    async def whole(events: RoadEvents, clock: HandClock) -> None:
        for _ in range(2):
            await events.look()
            assert (there(engine), is_unsteady(engine), engine.registry.count) == ({}, True, count)
        await events.look()
        assert (there(engine).keys(), is_unsteady(engine)) == ({"S-8", "S-9"}, False)
        await events.look()
        assert (there(engine).keys(), is_unsteady(engine)) == ({"S-8", "S-10"}, False)

    source = Source(engine, "road-events", facts.known_of("road-events"))
    anew = [told("another"), told("S-8", "S-9"), told("S-8", "S-9"), told("S-8", "S-10")]
    reading(engine, whole, *anew, source=source)
    observations.close()
    facts.close()


@pytest.mark.parametrize("every_s", [3_600.0, 60.0])
def test_short_events_of_a_feed_that_is_read_seldom_are_no_sign_of_anything(engine: Engine, every_s: float) -> None:
    each = 25
    turns = int(FLEETING.burst) // each + 2

    async def work(events: RoadEvents, clock: HandClock) -> None:
        # Also an alarm that came with a flood of what was new passes once it is over.
        raised = [Raise(ROAD_EVENTS_UNSTEADY, POST, clock.now_us(), {"count": 1})] if every_s > 60 else []
        engine.apply(raised, engine.next_ingest, "raised", clock.now_us())
        for turn in range(turns):
            await events.look()
            assert there(engine).keys() == {f"S-{turn}-{n}" for n in range(each)}
            assert not engine.is_open(ROAD_EVENTS_UNSTEADY, np.array([POST]))[0]
            clock.at_us += FLEETING_US + 1

    told = [feed(*(replace(CRASH, id=f"S-{turn}-{n}") for n in range(each))) for turn in range(turns)]
    reading(engine, work, *(answer("200 OK", one) for one in told), every_s=every_s)


def test_what_has_come_to_its_own_end_goes_also_while_the_feed_is_silent(engine: Engine) -> None:
    short = Situation("S-1", (replace(CRASH.records[0], validity=Validity(NOW_US - DAY_US, NOW_US + SECOND_US)),))

    async def work(events: RoadEvents, clock: HandClock) -> None:
        await events.look()
        assert there(engine).keys() == {"S-1", "S-2"}
        clock.at_us = NOW_US + 2 * SECOND_US
        await events.look()
        assert there(engine).keys() == {"S-2"}
        assert events.health.why

    reading(engine, work, answer("200 OK", feed(short, WORKS)), answer("500 Oops"))


def test_what_is_over_far_away_an_exercise_or_nowhere_is_not_told() -> None:
    over = Situation("o", (record("5", "Accident", "accident", validity=Validity(0, NOW_US)),))
    exercise = replace(CRASH, status="securityExercise")
    nowhere = Situation("n", (replace(CRASH.records[0], places=(Place(town="Dijon"),)),))
    assert drafts_of([over, PARIS, exercise, nowhere], BOUNDS, NOW_US, UTC) == ([], 1)
    assert drafts_of([CRASH], None, NOW_US, UTC)[0] == []


def test_of_too_many_the_gravest_are_told() -> None:
    many = [replace(WORKS, id=f"w{n}", severity="low") for n in range(EVENTS_MAX)]
    told, _ = drafts_of([*many, CRASH], BOUNDS, NOW_US, UTC)
    assert len(told) == EVENTS_MAX
    assert told[0].key == "S-1"


def test_a_feed_that_fails_keeps_its_last_picture_and_is_told_old_after_ten_minutes(engine: Engine) -> None:
    failing = [
        answer("500 Oops"),
        answer("200 OK", feed(WORKS)[:-5]),
        answer("200 OK", b"<html>Maintenance</html>"),
        answer("301 Moved", b"", "location: http://127.0.0.1:1/"),
        b"",
    ]

    async def work(events: RoadEvents, clock: HandClock) -> None:
        await events.look()
        kept = there(engine)
        clock.at_us += SILENT_US - SECOND_US
        for turn in range(1, len(failing) + 1):
            await events.look()
            assert events.health.why
            assert events.wait_s == min(600.0, 60.0 * 2 ** (turn - 1))
            assert there(engine) == kept
            assert not is_silent(engine)
        clock.at_us += SECOND_US
        await events.look()
        assert is_silent(engine)
        assert there(engine) == kept
        await events.look()
        assert not is_silent(engine)
        assert (events.health.why, events.wait_s) == ("", 60.0)

    good = answer("200 OK", feed(CRASH))
    reading(engine, work, good, *failing, failing[0], good)


def test_without_a_feed_what_an_earlier_one_left_is_retired(engine: Engine) -> None:
    source = Source(engine, "road-events", {})

    async def work(events: RoadEvents, clock: HandClock) -> None:
        await events.look()
        clock.at_us += SILENT_US
        await events.look()
        assert is_silent(engine)
        # The other end asks to be left alone for so long.
        assert events.wait_s == 900.0

    busy = answer("429 Too Many Requests", b"", "retry-after: 900")
    reading(engine, work, answer("200 OK", feed(CRASH)), busy, source=source)

    async def settled() -> None:
        engine.settle()

    clock = HandClock()
    none = RoadEvents("", 60.0, engine, clock, source, POST, lambda: "last", settled)
    asyncio.run(none.run())
    assert there(engine) == {}
    assert not is_silent(engine)


def test_a_disk_that_is_full_for_a_moment_ends_no_reading(engine: Engine) -> None:
    turns = 0
    again = asyncio.Event()

    async def settled() -> None:
        nonlocal turns
        turns += 1
        if turns == 1:
            raise StorageFull("the disk is full")
        engine.settle()
        again.set()

    async def work(events: RoadEvents, clock: HandClock) -> None:
        running = asyncio.create_task(events.run())
        await asyncio.wait_for(again.wait(), 10.0)
        assert there(engine).keys() == {"S-2"}
        running.cancel()

    first, second = answer("200 OK", feed(CRASH)), answer("200 OK", feed(WORKS))
    events = reading(engine, work, first, second, every_s=0.01, settled=settled)
    assert events.health.why == ""


def test_what_keeps_a_turn_from_its_end_is_told(engine: Engine) -> None:
    failed = asyncio.Event()

    async def settled() -> None:
        failed.set()
        raise StorageFull("the disk is full")

    async def work(events: RoadEvents, clock: HandClock) -> None:
        running = asyncio.create_task(events.run())
        await asyncio.wait_for(failed.wait(), 10.0)
        # What waits for the turn to end comes after it.
        await asyncio.sleep(0)
        assert events.health.why == "the disk is full"
        running.cancel()

    reading(engine, work, answer("200 OK", feed(CRASH)), settled=settled)


def test_a_reading_that_hangs_is_told_as_silence(engine: Engine) -> None:
    hanging = asyncio.Event()

    async def settled() -> None:
        hanging.set()
        await asyncio.Event().wait()

    async def work(events: RoadEvents, clock: HandClock) -> None:
        running = asyncio.create_task(events.run())
        await asyncio.wait_for(hanging.wait(), 10.0)
        for passed_us, silent in ((SILENT_US, False), (SILENT_US, True)):
            clock.at_us += passed_us
            watching = asyncio.create_task(events.watch())
            await asyncio.sleep(0)
            # What is read each ten minutes is late after twenty.
            assert is_silent(engine) is silent
            watching.cancel()
        running.cancel()

    reading(engine, work, answer("200 OK", feed(CRASH)), settled=settled, every_s=600.0)
