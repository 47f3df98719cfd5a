"""Lighting: how long the report of a month takes over the whole of a town, and how much memory; and how long its nights
take to be kept."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from bench.harness import Measured, measurement
from bench.sealed import write_history
from vigie.app import Installation, installation, services
from vigie.core.calendar import Calendar, date_of
from vigie.core.drafts import Draft
from vigie.core.observations import Batch
from vigie.core.scope import Scope
from vigie.core.times import DAY_US, HOUR_US
from vigie.engine.known import Frozen
from vigie.engine.loop import Engine, catalogue_of
from vigie.engine.ports import StoredBatch
from vigie.engine.registry import Registry
from vigie.services.lighting.energy.asked import energy_report
from vigie.settings import Settings
from vigie.store.observations import DuckObservations
from vigie.store.past import DuckPast

LAMPS, CABINETS, NIGHTS, REPORTS = 34_000, 400, 31, 96
FIRST_DAY = 20_423
"""1 December 2025; two days more are written, for a night ends at noon."""
MUST_S = 120.0

T = TypeVar("T")


def _inventory() -> list[Draft]:
    """Cabinets, then lamps that hang on them, in 23 communes and 3,000 streets."""
    cabinets = [
        Draft(key=f"c{n:04d}", kind="cabinet", lon=5 + n / 1e4, lat=47.3, area=f"metropole/{n % 23}")
        for n in range(CABINETS)
    ]
    return [
        *cabinets,
        *(
            Draft(
                key=f"{n:06d}", kind="luminaire", lon=5 + n / 1e6, lat=47.3, area=f"metropole/{n % CABINETS % 23}",
                street=f"Rue {n % 3_000}", parent=f"c{n % CABINETS:04d}", attributes={"rated_power": 60.0},
            )
            for n in range(LAMPS)
        ),
    ]  # fmt: skip


def _indexes(folder: Path, point: int, first: int) -> None:
    """What the meters of all cabinets told, a batch a day."""
    store = DuckObservations(folder, reserve_bytes=0)
    try:
        for day in range(NIGHTS + 2):
            at_us = (FIRST_DAY + day) * DAY_US + np.arange(REPORTS) * (DAY_US // REPORTS)
            count = CABINETS * REPORTS
            kwh = np.tile((at_us - FIRST_DAY * DAY_US) / HOUR_US * 3.0, CABINETS)
            batch = Batch(
                np.zeros(count, np.int64), np.tile(at_us, CABINETS), kwh, np.full(count, np.nan),
                np.zeros(count, np.uint8),
            )  # fmt: skip
            asset = np.repeat(first + np.arange(CABINETS), REPORTS)
            stored = StoredBatch(store.last_ingest + 1, int(at_us[-1]), asset, np.full(count, point), batch)
            store.append(stored)
        store.seal((FIRST_DAY + NIGHTS + 2) * DAY_US)
    finally:
        store.close()


def _keep(opened: Installation) -> int:
    """Keeps all nights, as the hours of a post do by and by. Returns how many."""
    made = 0
    while now := opened.nights.make((FIRST_DAY + NIGHTS + 2) * DAY_US):
        made += now
    return made


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    start_s = time.perf_counter()
    done = work()
    return time.perf_counter() - start_s, done


@measurement("lighting.energy_month")
def energy_month() -> Measured:
    """The report of 31 nights of 34,000 lamps that told their power each quarter of an hour, from what is kept of these
    nights."""
    with tempfile.TemporaryDirectory(prefix="vigie-bench-") as name:
        settings = Settings(data=Path(name))
        with installation(settings) as opened:
            opened.take_assets("bench", _inventory())
            numbers = opened.facts.point_numbers()
            ids = opened.facts.ids()
            first_cabinet, first_lamp = ids["cabinet-c0000"], ids["luminaire-000000"]
        folder = settings.data / "observations"
        points = {point: numbers["luminaire", point] for point in ("level", "power")}
        rows = write_history(
            folder, range(FIRST_DAY, FIRST_DAY + NIGHTS + 2), range(first_lamp, first_lamp + LAMPS), points, REPORTS
        )
        _indexes(folder, numbers["cabinet", "energy"], first_cabinet)
        with installation(settings) as opened:
            registry = Registry(catalogue_of(services()), numbers)
            registry.add_columns(opened.facts.registry_rows())
            engine = Engine(services(), registry, opened.facts, opened.observations, (), shard="bench")
            calendar = Calendar(ZoneInfo("Europe/Paris"))
            known = Frozen.of(engine, calendar, Scope.everything(), (FIRST_DAY + NIGHTS + 1) * DAY_US)
            before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
            first = date_of(FIRST_DAY)
            asked = known, DuckPast(opened.observations, numbers), first, first + timedelta(days=NIGHTS - 1)
            raw_s, raw = _timed(lambda: energy_report(*asked))
            made_s, made = _timed(lambda: _keep(opened))
            kept_mb = sum(path.stat().st_size for path in opened.observations.kept.iterdir()) / 1e6
            took_s, found = _timed(lambda: energy_report(*asked, find=opened.nights.sums.find))
            peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    whole = found.whole
    same = msgspec.structs.replace(found, kept=[]) == raw
    lines = [
        f"{peak_mb} MB at most in the process, {before_mb} MB before",
        f"{raw_s:.1f} s from what was reported; the figures are {'the very same' if same else 'OTHERS'}",
        f"{made} nights kept in {made_s / made:.2f} s and {kept_mb / made:.2f} MB each",
        f"{whole.estimated_kwh:,.0f} kWh estimated, {whole.metered_kwh or 0:,.0f} metered, {whole.known_share:.1%} "
        f"known, {len(found.streets)} streets",
    ]
    size = f"{LAMPS:,} lamps, {NIGHTS} nights, {rows:,} rows in {NIGHTS + 2} sealed days"
    return Measured("lighting.energy_month", "s", [took_s], MUST_S, False, size, "1", told=lines)
