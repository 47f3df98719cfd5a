"""Traffic over the API: the next hour, foretold."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from starlette.responses import Response

from vigie.api.city.sources import Sources
from vigie.api.operation import Answer, Ask, Nothing, Operation
from vigie.api.problems import Problem
from vigie.api.sums import Progress, Stopped, Sum, Sums
from vigie.api.traffic.forms import Forecast, ForecastQuery, Outlook, Streets
from vigie.api.traffic.looking import Looked, Looking
from vigie.api.traffic.state import state_of
from vigie.api.traffic.streets import Stretches
from vigie.core.calendar import Calendar
from vigie.core.past import Past, TooLong
from vigie.core.times import HOUR_US, MINUTE_US, SECOND_US, from_us
from vigie.services.signals import Detector
from vigie.services.signals.flow.counted import QUARTER_US
from vigie.services.signals.flow.forecast import DAYS_MIN, TooFewDays
from vigie.store.history import HistoryTooLong

AGAIN_US = 5 * MINUTE_US
"""Where nothing can be foretold, the counts are looked at again after so long."""

SAME_US = 5 * SECOND_US
READERS_MAX = 64
"""Answers are kept for so long, for so many who see different streets."""


class TrafficDoor:
    """The operations on traffic."""

    def __init__(self, sources: Sources, calendar: Callable[[], Calendar], past: Past, stretches: Stretches) -> None:
        self._sources, self._stretches = sources, stretches
        registry = sources.engine.registry
        flow = int(
            registry.point_number[registry.kind_codes[Detector.kind], tuple(Detector.points).index(Detector.flow.name)]
        )
        self._looking = Looking(past, calendar, lambda: sources.history.first_us([flow]))
        self._sums = Sums[Looked]("vigie-traffic")
        # Why nothing can be foretold, and since when that is known.
        self._not: tuple[int, TooFewDays | TooLong | HistoryTooLong] | None = None
        self._outlooks: tuple[Looked | None, list[tuple[int, Outlook]]] = (None, [])
        self._states: dict[tuple[int, tuple[int, ...]], tuple[int, bytes]] = {}
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
        if self._not is not None and abs(now_us - self._not[0]) < AGAIN_US:
            return self._cannot(self._not[1])

        def work(progress: Progress) -> Looked:
            return self._looking.look(at_us, progress.tell)

        try:
            found = await self._sums.ask(
                str(at_us), engine.registry.version, ask.caller.session, lambda: work, query.wait_s
            )
        except Stopped:
            raise Problem(503, "Stopped", "It was left a moment ago.", mend="Ask again.", retry_after_s=1) from None
        except (TooFewDays, TooLong, HistoryTooLong) as error:
            self._not = now_us, error
            return self._cannot(error)
        if isinstance(found, Sum):
            return Answer(
                Forecast(state="reading", done=found.progress.done, wanted=DAYS_MIN), 202, {"Retry-After": "1"}
            )
        return Forecast(
            state="ready", days=found.days, wanted=DAYS_MIN,
            start=from_us(found.at_us), end=from_us(found.at_us + HOUR_US),
            detectors=self._told(ask, found, wanted),
        )  # fmt: skip

    @staticmethod
    def _cannot(why: TooFewDays | TooLong | HistoryTooLong) -> Forecast:
        """Says that nothing can be foretold. Raises Problem 503 where that is for want of time."""
        if isinstance(why, TooFewDays):
            return Forecast(state="learning", days=why.known, wanted=DAYS_MIN)
        mend = "Ask again when the post has less to do."
        raise Problem(503, "Takes too long", f"{str(why).capitalize()}.", mend=mend, retry_after_s=300) from why

    async def streets(self, ask: Ask[Nothing, Nothing]) -> Response:
        """Tells how traffic flows now in the streets where a detector counts: flow, speed, occupancy, level of service.

        A detector that says it does not work, or has said nothing for a quarter of an hour, is told with everything
        unknown. Who asks again within five seconds may get the same answer.
        """
        counted = await self._stretches.ask()
        sources = self._sources
        seen, registry, now_us = sources.sight(ask.caller).seen, sources.engine.registry, sources.clock.now_us()
        shown = [each for each in counted if seen[each.detector] and not registry.gone[each.detector]]
        # The public is one reader, however many they are.
        whose = registry.version, tuple(each.detector for each in shown)
        made = self._states.get(whose)
        if made is None or abs(now_us - made[0]) > SAME_US:
            told = Streets(at=from_us(now_us), streets=state_of(sources.engine, shown, now_us))
            made = self._states[whose] = now_us, msgspec.json.encode(told)
            while len(self._states) > READERS_MAX:
                self._states.pop(next(iter(self._states)))
        return Response(made[1], media_type="application/json", headers={"Vary": "Cookie, Authorization"})

    def _sees(self, ask: Ask[ForecastQuery, Nothing], no: int) -> bool:
        registry = self._sources.engine.registry
        is_one = bool(no) and int(registry.kind[no]) == registry.kind_codes[Detector.kind] and not registry.gone[no]
        return is_one and bool(self._sources.sight(ask.caller).seen[no])

    def _told(self, ask: Ask[ForecastQuery, Nothing], found: Looked, wanted: int) -> list[Outlook]:
        registry, seen = self._sources.engine.registry, self._sources.sight(ask.caller).seen
        if self._outlooks[0] is not found:
            self._outlooks = found, _outlooks(found, registry.ids)
        return [
            told for no, told in self._outlooks[1]
            if (not wanted or no == wanted) and seen[no] and not registry.gone[no]
        ]  # fmt: skip


def _outlooks(found: Looked, ids: Sequence[str]) -> list[tuple[int, Outlook]]:
    """What is told of each detector of which anything can be, by their numbers."""
    return [
        (
            no,
            Outlook(
                id=ids[no],
                last=None if np.isnan(found.last[at]) else round(float(found.last[at]), 1),
                usual=round(float(found.usual[at]), 1),
                vehicles=round(float(found.vehicles[at]), 1),
                low=round(float(found.low[at]), 1),
                high=round(float(found.high[at]), 1),
            ),
        )
        for at, no in enumerate(found.detector)
        if not np.isnan(found.vehicles[at])
    ]
