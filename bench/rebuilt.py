"""The coverage of rounds after a start: how long it takes to be made again from the positions that are kept."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from bench.harness import ASKED, Measured, measurement
from bench.roads import CIRCUITS, TRACKED_EVERY_S, VEHICLES, street_drafts, streets
from bench.works import SetClock
from vigie.api.roads import Covering, Streets
from vigie.app import installation
from vigie.app.city import sources_of
from vigie.app.post import Post
from vigie.core.drafts import Draft
from vigie.core.ground import M_PER_DEGREE
from vigie.core.observations import Batch, Floats, Int64s
from vigie.core.times import HOUR_US, MINUTE_US, SECOND_US, from_us, to_us
from vigie.engine.inventory import id_of
from vigie.engine.loop import Engine
from vigie.engine.plans import By
from vigie.services.roads import Vehicle
from vigie.services.roads.matching import SIGMA_M
from vigie.services.roads.rounds.circuits import CIRCUIT, Circuit, Stretch
from vigie.settings import Settings
from vigie.sim.trails import trails
from vigie.store.past import DuckPast
from vigie.store.rounds import PastTurn, ServedStreet

HOURS = 4
FIRST_HOUR = 6
TOOL_EVERY_S = 240.0


@measurement("roads.rounds_rebuild")
def rounds_rebuild() -> Measured:
    """Seconds from a start until every circuit is told again: the positions of all hours since its turn began are read
    from the disk and matched. Raises OSError where the streets are missing."""
    with tempfile.TemporaryDirectory(prefix="vigie-bench-") as name, installation(Settings(data=Path(name))) as opened:
        fleet = [Draft(key=str(n), kind="vehicle", lon=3.87, lat=43.61) for n in range(VEHICLES)]
        opened.take_assets("bench", [*street_drafts(), *fleet])
        post = Post(opened)
        zone = opened.calendar().zone
        day = from_us(opened.clock.now_us()).astimezone(zone) - timedelta(days=1)
        begin_us = to_us(day.replace(hour=FIRST_HOUR, minute=0, second=0, microsecond=0))
        clock = SetClock(begin_us + HOURS * HOUR_US)
        _circuits(post.engine, begin_us - HOUR_US)
        positions = _drive(post.engine, begin_us)
        sources = replace(sources_of(opened, post), clock=clock)
        past, kept = DuckPast(opened.observations, opened.facts.point_numbers()), list[ServedStreet]()

        async def keep(served: Sequence[ServedStreet], turns: Sequence[PastTurn]) -> None:
            kept.extend(served)

        network = Streets(sources)
        begun = time.perf_counter()
        network.network()
        network_s = time.perf_counter() - begun
        covering = Covering(sources, network, past, keep)
        begun, begun_cpu = time.perf_counter(), time.process_time()
        asyncio.run(covering.beat())
        took_s, cpu_s = time.perf_counter() - begun, time.process_time() - begun_cpu
        shown = [covering.told(str(n), clock.now_us()) for n in range(CIRCUITS)]
        done = sum(list(each.states).count("done") for each in shown if each is not None)
        told = [
            f"{cpu_s:.1f} s of a processor, {took_s:.1f} s by the clock; the network of streets before that "
            f"{network_s:.1f} s",
            f"{positions:,} positions; {sum(each is not None for each in shown)} circuits told, {done:,} of "
            f"{len(street_drafts()):,} streets done, {len(kept):,} proofs of service",
        ]
    every = f"a position each {TRACKED_EVERY_S:.0f} s for {HOURS} h"
    size = f"{VEHICLES} vehicles that all sweep, {every}, {CIRCUITS} circuits"
    return Measured("roads.rounds_rebuild", "s", [cpu_s], 60, False, size, "1", told=told)


def _circuits(engine: Engine, at_us: int) -> None:
    """All streets in some circuits, that are swept from the first hour on."""
    names = [id_of(each) for each in street_drafts()]
    for n, some in enumerate(np.array_split(np.array(names, object), CIRCUITS)):
        hours = f"mon-sun {FIRST_HOUR:02}:00-{FIRST_HOUR + HOURS + 2:02}:00"
        body = Circuit(f"Bench {n}", "sweeping", tuple(Stretch(each) for each in some.tolist()), hours=hours)
        made, approved = By("planner", at_us, f"made-{n}"), By("bench", at_us, f"approved-{n}")
        engine.owe([engine.plans.make(str(n), CIRCUIT, body, by=made)])
        engine.owe([engine.plans.move(str(n), "approve", number=1, revision=1, by=approved)])
    engine.settle()


def _drive(engine: Engine, begin_us: int) -> int:
    """Has every vehicle drive its round again and again, as dice fall, and puts what they say on disk as it comes, a
    minute at a time. Returns how many positions that are."""
    network, registry, span_s = streets(), engine.registry, HOURS * 3_600.0
    east_m = M_PER_DEGREE * float(np.cos(np.radians(network.middle_lat)))
    at, slot, one, other = list[Int64s](), list[Int64s](), list[Floats](), list[Floats]()
    dice = min(ASKED.seeds)
    for n, trail in enumerate(trails(network, dice, VEHICLES, every_s=TRACKED_EVERY_S, sigma_m=SIGMA_M, rounds=True)):
        number = registry.numbers[f"vehicle-{n}"]
        again = int(np.ceil(span_s / (trail.at_s[-1] + TRACKED_EVERY_S)))
        lasts_s = float(trail.at_s[-1]) + TRACKED_EVERY_S
        at_s = np.concatenate([trail.at_s + k * lasts_s for k in range(again)])
        spots = np.tile(trail.spots, (again, 1))[at_s < span_s]
        at_s = at_s[at_s < span_s]
        at.append(begin_us + (at_s * SECOND_US).astype(np.int64))
        slot.append(np.full(len(at_s), registry.slot(number, Vehicle.position)))
        one.append(spots[:, 0] / east_m)
        other.append(spots[:, 1] / M_PER_DEGREE)
        tool_s = np.arange(0.0, span_s, TOOL_EVERY_S)
        at.append(begin_us + (tool_s * SECOND_US).astype(np.int64))
        slot.append(np.full(len(tool_s), registry.slot(number, Vehicle.brush)))
        one.append(np.ones(len(tool_s)))
        other.append(np.full(len(tool_s), np.nan))
    observed, slots = np.concatenate(at), np.concatenate(slot)
    order = np.argsort(observed, kind="stable")
    observed, slots = observed[order], slots[order]
    values, seconds = np.concatenate(one)[order], np.concatenate(other)[order]
    for minute in range(HOURS * 60):
        low, high = np.searchsorted(observed, [begin_us + minute * MINUTE_US, begin_us + (minute + 1) * MINUTE_US])
        rows = slice(int(low), int(high))
        many = int(high - low)
        batch = Batch(slots[rows], observed[rows], values[rows], seconds[rows], np.zeros(many, np.uint8), {})
        engine.record(engine.next_ingest, begin_us + (minute + 1) * MINUTE_US, batch)
    return len(observed) - VEHICLES * len(np.arange(0.0, span_s, TOOL_EVERY_S))
