"""A sealed history to ask: days of what lamps report, written straight into the store's own segments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from vigie.core.times import DAY_US, day_of
from vigie.store.observations import SEGMENT_FORMAT, DuckObservations

VALUES: dict[str, str] = {
    # Full in the evening, half at night, out by day; a lamp draws by its level and its own rating; a driver warms up.
    "level": "CASE WHEN s < 21600 THEN 50 WHEN s < 28800 THEN 100 WHEN s < 61200 THEN 0 ELSE 100 END",
    "power": "round(CASE WHEN s < 21600 THEN 0.55 WHEN s < 28800 THEN 1 WHEN s < 61200 THEN 0.01 ELSE 1 END "
    "* (40 + hash(asset) % 60) * (0.99 + 0.02 * random()), 1)",
    "fault": "CASE WHEN random() < 0.0002 THEN 1 ELSE 0 END",
    "driver_temperature": "round(18 + 12 * sin(s / 13751.0) + 10 * random(), 1)",
}
"""Point -> its value in SQL; s is the second of the day."""


def write_history(folder: Path, days: Sequence[int], assets: range, points: dict[str, int], reports: int) -> int:
    """Days (numbers since 1970) of history into a new folder of observations: all points of all assets, each so many
    times a day. points: name -> number. Returns the rows."""
    store = DuckObservations(folder, reserve_bytes=0)
    # What is made in the order of the segment is not sorted, which would take most of the time.
    write = duckdb.connect(config={"preserve_insertion_order": True})
    try:
        with store.reading() as read:
            for day in days:
                name = f"day={day_of(day * DAY_US)}"
                (store.sealed / name).mkdir()
                path = store.sealed / name / "number-000000.parquet"
                write.execute(f"COPY ({_rows(day, assets, points, reports)}) TO '{path}' ({SEGMENT_FORMAT})")
                row = [day_of(day * DAY_US), f"{name}/{path.name}", len(points) * len(assets) * reports]
                read.execute("INSERT INTO segment VALUES (?, 'number', ?, ?)", row)
    finally:
        write.close()
        store.close()
    return len(days) * len(points) * len(assets) * reports


def _rows(day: int, assets: range, points: dict[str, int], reports: int) -> str:
    """SQL for the rows of a day, in the order of a segment: by point, asset and instant."""
    of_point, step_us, start_us = len(assets) * reports, DAY_US // reports, day * DAY_US
    ordered = sorted(points.items(), key=lambda each: each[1])
    value = " ".join(f"WHEN {code} THEN {VALUES[name]}" for name, code in ordered)
    within = f"i % {of_point}"
    # Each lamp reports at an instant of its own within each step.
    at = f"{start_us} + i % {reports} * {step_us} + (hash({within}) % {step_us})::BIGINT // 1000 * 1000"
    # Ingest numbers below all that the post will give: at a start it must not take them for what its picture lacks.
    return (
        "SELECT observed_us // 1000000 - 10000000000 AS n, asset, point, observed_us, "
        f"(CASE point {value} END)::DOUBLE AS value, 0::UTINYINT AS quality "
        f"FROM (SELECT *, (observed_us - {start_us}) // 1000000 AS s FROM ("
        f"SELECT {[code for _, code in ordered]}[i // {of_point} + 1]::USMALLINT AS point, "
        f"({assets.start} + {within} // {reports})::UINTEGER AS asset, {at} AS observed_us "
        f"FROM range({of_point * len(points)}) t(i)))"
    )
