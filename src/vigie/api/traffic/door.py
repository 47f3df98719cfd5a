"""Traffic over the API: the next hour, foretold."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np

from vigie.api.city.sources import Sources
from vigie.api.operation import Answer, Ask, Nothing, Operation
from vigie.api.problems import Problem
from vigie.api.sums import Progress, Stopped, Sum, Sums
from vigie.api.traffic.forms import Forecast, ForecastQuery, Outlook, Streets
from vigie.api.traffic.looking import Looked, Looking
from vigie.api.traffic.state import state_of
from vigie.api.traffic.streets import Counting, counting
from vigie.core.calendar import Calendar
from vigie.core.past import Past, TooLong
from vigie.core.times import HOUR_US, MINUTE_US, from_us
from vigie.services.signals import Detector
from vigie.services.signals.flow.counted import QUARTER_US
from vigie.services.signals.flow.forecast import DAYS_MIN, TooFewDays
from vigie.store.history import HistoryTooLong

AGAIN_US = MINUTE_US
"""Where too little is known to foretell anything, the counts are looked at again after so long."""


class TrafficDoor:
    """The operations on traffic."""

    def __init__(self, sources: Sources, calendar: Callable[[], Calendar], past: Past) -> None:
        self._sources = sources
        registry = sources.engine.registry
        flow = int(
            registry.point_number[registry.kind_codes[Detector.kind], tuple(Detector.points).index(Detector.flow.name)]
        )
        self._looking = Looking(past, calendar, lambda: sources.history.first_us([flow]))
        self._sums = Sums[Looked]("vigie-traffic")
        self._few: tuple[int, int] = (0, 0)
        self._counting: tuple[int, tuple[Counting, ...]] | None = None
        self.watch = self._sums.watch

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        return [
            Operation("GET", "traffic/forecast", self.forecast, query=ForecastQuery, answer=Forecast, public=True,
                      problems=(404, 503)),
            Operation("GET", "traffic/streets", self.streets, answer=Streets, public=True),
        ]  # fmt: skip

    async def forecast(self, ask: Ask[ForecastQuery, Nothing]) -> Answer | Forecast:
        """Foretells how many vehicles each detector will count in the next hour, beside what is usual then.

        Made anew each quarter of an hour, from the counts of up to five weeks; two weeks are needed. While they are
        read the answer is 202 with how far it is: ask again. A detector of which too little is known is left out.
        """
        engine, query = self._sources.engine, ask.query
        wanted = engine.registry.numbers.get(query.detector, 0) if query.detector else 0
        if query.detector and not self._sees(ask, wanted):
            raise Problem(404, "No such detector", f"There is no detector {query.detector[:80]!r} that you may see.")
        now_us = self._sources.clock.now_us()
        at_us = now_us // QUARTER_US * QUARTER_US
        until_us, days = self._few
        if now_us < until_us:
            return Forecast(state="learning", days=days, wanted=DAYS_MIN)

        def work(progress: Progress) -> Looked:
            return self._looking.look(at_us, progress.tell)

        try:
            found = await self._sums.ask(
                str(at_us), engine.registry.version, ask.caller.session, lambda: work, query.wait_s
            )
        except TooFewDays as error:
            self._few = now_us + AGAIN_US, error.known
            return Forecast(state="learning", days=error.known, wanted=DAYS_MIN)
        except Stopped:
            raise Problem(503, "Stopped", "It was left a moment ago.", mend="Ask again.", retry_after_s=1) from None
        except (TooLong, HistoryTooLong) as error:
            mend = "Ask again when the post has less to do."
            raise Problem(503, "Takes too long", f"{str(error).capitalize()}.", mend=mend, retry_after_s=60) from error
        if isinstance(found, Sum):
            return Answer(
                Forecast(state="reading", done=found.progress.done, wanted=DAYS_MIN), 202, {"Retry-After": "1"}
            )
        return Forecast(
            state="ready", days=found.days, wanted=DAYS_MIN,
            start=from_us(found.at_us), end=from_us(found.at_us + HOUR_US),
            detectors=self._told(ask, found, wanted),
        )  # fmt: skip

    async def streets(self, ask: Ask[Nothing, Nothing]) -> Streets:
        """Tells how traffic flows now in the streets where a detector counts: flow, speed, occupancy, level of service.

        A detector that says it does not work, or whose word is past its time, is told with everything unknown.
        """
        sources = self._sources
        engine, now_us = sources.engine, sources.clock.now_us()
        version = engine.registry.version
        if self._counting is None or self._counting[0] != version:
            self._counting = version, await asyncio.to_thread(counting, engine)
        seen = sources.sight(ask.caller).seen
        registry = engine.registry
        shown = [each for each in self._counting[1] if seen[each.detector] and not registry.gone[each.detector]]
        return Streets(at=from_us(now_us), streets=state_of(engine, shown, now_us))

    def _sees(self, ask: Ask[ForecastQuery, Nothing], no: int) -> bool:
        registry = self._sources.engine.registry
        is_one = bool(no) and int(registry.kind[no]) == registry.kind_codes[Detector.kind] and not registry.gone[no]
        return is_one and bool(self._sources.sight(ask.caller).seen[no])

    def _told(self, ask: Ask[ForecastQuery, Nothing], found: Looked, wanted: int) -> list[Outlook]:
        registry, seen = self._sources.engine.registry, self._sources.sight(ask.caller).seen
        return [
            Outlook(
                id=registry.ids[no],
                last=None if np.isnan(found.last[at]) else round(float(found.last[at]), 1),
                usual=round(float(found.usual[at]), 1),
                vehicles=round(float(found.vehicles[at]), 1),
                low=round(float(found.low[at]), 1),
                high=round(float(found.high[at]), 1),
            )
            for at, no in enumerate(found.detector)
            if seen[no] and not registry.gone[no] and (not wanted or no == wanted) and not np.isnan(found.vehicles[at])
        ]
