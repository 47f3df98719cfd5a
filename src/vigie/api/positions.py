"""Where an operator says that its vehicles are: a feed of GTFS Realtime, read every few seconds.

What it tells is taken in as if a device said it, which is admitted under a name and speaks for those vehicles and no
others; so a vehicle's hours and its driver's privacy are obeyed. What is no newer than what was taken is let go.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import structlog

from vigie.core.readings import Readings
from vigie.engine.ports import Clock, StorageFull
from vigie.engine.pump import Busy, Pump, Stopping
from vigie.protocols.gtfs_rt import Unreadable, read_positions
from vigie.transports.feed import Feed, FeedFailed

WAIT_S_MAX = 300.0
BYTES_MAX = 8 << 20

_log = structlog.get_logger("vigie.positions")


@dataclass(frozen=True, slots=True)
class Reach:
    """How the reading of the feed goes. heard_us: when it was read last, 0 for never by this process. why: what kept it
    from being read since. made_us: when it says that it was made. told: of how many vehicles; refused: how many
    readings were, by outcome."""

    heard_us: int = 0
    why: str = ""
    made_us: int = 0
    told: int = 0
    refused: Counter[str] = field(default_factory=Counter[str])


class VehiclePositions:
    """Reads the feed. Lives on the engine's own thread."""

    def __init__(
        self, url: str, every_s: float, asset: str, reporter: Callable[[], int | None], pump: Pump, clock: Clock
    ) -> None:
        """asset: see `read_positions`. reporter: the number of the device that it is taken for; None while that is not
        admitted. Raises ValueError for what is no address."""
        self._feed = Feed(url, timeout_s=20.0, bytes_max=BYTES_MAX)
        self._every_s, self._asset, self._reporter, self._pump, self._clock = every_s, asset, reporter, pump, clock
        self._validators: tuple[tuple[str, str], ...] = ()
        self._newest_us: dict[str, int] = {}
        self._failures = 0
        self.wait_s = every_s
        self.reach = Reach()

    async def run(self) -> None:
        """Reads until it is cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:
                # Whatever it was, the next reading may do without.
                _log.exception("a fault in reading vehicles' positions")
                self._fail(repr(error))
            await asyncio.sleep(self.wait_s)

    async def look(self) -> None:
        """Reads the feed once. What fails is told in `reach`."""
        reporter, retry_after_s = self._reporter(), 0.0
        try:
            if reporter is None:
                raise Unreadable("the device that its vehicles belong to is not admitted")
            fetched = await self._feed.fetch(self._validators)
            if fetched is not None:
                await self._take(fetched.body, reporter)
                self._validators = fetched.validators
        except (FeedFailed, Unreadable, Busy, Stopping, StorageFull, OSError) as error:
            retry_after_s = error.retry_after_s if isinstance(error, FeedFailed) else 0.0
            self._fail(str(error) or type(error).__name__)
        else:
            self._failures, self.reach = 0, replace(self.reach, heard_us=self._clock.now_us(), why="")
        backoff_s = min(WAIT_S_MAX, self._every_s * 2**self._failures)
        self.wait_s = max(backoff_s, min(retry_after_s, WAIT_S_MAX))

    async def _take(self, body: bytes, reporter: int) -> None:
        found = await asyncio.to_thread(read_positions, body, self._asset)
        readings = self._newer(found.readings)
        refused = Counter(each.outcome.value for each in readings.refused)
        if len(readings):
            taken = await self._pump.submit(readings, reporter)
            refused.update(each.outcome.value for each in taken.rejected)
        # Only now: what was not kept is told again with the next reading.
        self._newest_us = dict(zip(found.readings.assets, found.readings.observed_us, strict=True))
        if refused.keys() - self.reach.refused.keys():
            _log.warning("positions of vehicles are refused", **refused)
        self.reach = replace(self.reach, made_us=found.made_us, told=len(self._newest_us), refused=refused)

    def _newer(self, told: Readings) -> Readings:
        rows = [n for n, asset in enumerate(told.assets) if told.observed_us[n] > self._newest_us.get(asset, 0)]
        return Readings(
            [told.assets[n] for n in rows], [told.points[n] for n in rows], [told.values[n] for n in rows],
            [told.observed_us[n] for n in rows], [told.rows[n] for n in rows], refused=told.refused,
        )  # fmt: skip

    def _fail(self, why: str) -> None:
        if why != self.reach.why:
            _log.warning("vehicles' positions cannot be read", reason=why)
        self._failures = min(self._failures + 1, 16)
        self.reach = replace(self.reach, why=why)
