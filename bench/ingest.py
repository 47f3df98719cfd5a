"""Durable ingest: what a device is told only after it is on disk, how many a second."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.harness import RUNS, City, Measured, city, measurement, serving
from bench.load import send
from vigie.core.observations import Batch
from vigie.engine.ports import StoredBatch
from vigie.protocols.plain import decode_array, encode_array
from vigie.store.observations import DuckObservations

LAMPS = 34_000
BATCH = 1_000
BATCHES = 1_000
BATCH_CONNECTIONS = 8
SINGLES = 40_000
SINGLE_CONNECTIONS = 64


def bodies(lamps: Sequence[str], count: int, rows: int, run: int) -> list[bytes]:
    """Request bodies of fresh observations: lamps at random, instants that go on from run to run."""
    dice = random.Random(run)
    first_us = time.time_ns() // 1_000 - 3_600_000_000 + run * 300_000_000
    return [
        encode_array(
            [
                (dice.choice(lamps), ("level", "power")[i & 1], float(dice.randrange(100)), first_us + n * rows + i)
                for i in range(rows)
            ]
        )
        for n in range(count)
    ]


def bare_rate(prepared: Sequence[bytes]) -> float:
    """Observations a second of decode, append and commit alone, one commit a body, with nothing around them."""
    rows = 0
    with tempfile.TemporaryDirectory(prefix="vigie-bench-") as folder:
        store = DuckObservations(Path(folder))
        start = time.perf_counter()
        for n, body in enumerate(prepared, 1):
            readings = decode_array(body)
            count = len(readings)
            values = np.array(readings.values, np.float64)
            zeros, nothing = np.zeros(count, np.int64), np.full(count, np.nan)
            batch = Batch(zeros, np.array(readings.observed_us, np.int64), values, nothing, np.zeros(count, np.uint8))
            store.append(StoredBatch(n, n, zeros, zeros, batch))
            rows += count
        took_s = time.perf_counter() - start
        store.close()
    return rows / took_s


def _rates(built: City, count: int, rows: int, connections: int) -> tuple[list[float], list[float]]:
    rates: list[float] = []
    limits: list[float] = []
    with serving(built.folder) as port:
        send(port, built.secret, bodies(built.lamps, 50, rows, 0), connections)
        for run in range(1, RUNS + 1):
            prepared = bodies(built.lamps, count, rows, run)
            rates.append(count * rows / send(port, built.secret, prepared, connections))
            limits.append(bare_rate(prepared[: max(1, count // 10)]))
    return rates, limits


@measurement("ingest.http_batch")
def http_batch() -> Measured:
    """Batches of 1,000 over HTTP, acknowledged after the synced commit and the fold."""
    with city(LAMPS) as built:
        rates, limits = _rates(built, BATCHES, BATCH, BATCH_CONNECTIONS)
    size = f"{RUNS} x {BATCHES * BATCH:,} observations of {LAMPS:,} lamps, {BATCH_CONNECTIONS} connections"
    return Measured("ingest.http_batch", "observations/s", rates, 150_000, True, size, "1 post, 1 load", limits)


@measurement("ingest.http_single")
def http_single() -> Measured:
    """Single observations over HTTP on 64 connections: the commits are shared."""
    with city(LAMPS) as built:
        rates, limits = _rates(built, SINGLES, 1, SINGLE_CONNECTIONS)
    size = f"{RUNS} x {SINGLES:,} observations of {LAMPS:,} lamps, {SINGLE_CONNECTIONS} connections"
    return Measured("ingest.http_single", "observations/s", rates, 8_000, True, size, "1 post, 1 load", limits)
