"""For those who keep the post running: is it alive, is it ready, and its figures for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vigie.api.access import Access
from vigie.api.session import is_loopback, peer_of
from vigie.core.observations import Outcome
from vigie.engine.loop import Engine
from vigie.engine.pump import Pump

_encode = msgspec.json.Encoder().encode


class _Figures(Collector):
    """Reads the engine's own counters when it is asked; nothing is counted twice."""

    def __init__(self, engine: Engine, pump: Pump) -> None:
        self._engine, self._pump = engine, pump

    def collect(self) -> Iterable[Metric]:
        """The figures as they stand."""
        readings = CounterMetricFamily("vigie_readings", "Readings by what became of them", labels=["outcome"])
        for outcome in Outcome:
            readings.add_metric([outcome.value], self._pump.counts[outcome])
        yield readings
        yield CounterMetricFamily("vigie_commits", "Groups of readings synced to disk", value=self._pump.groups)
        yield CounterMetricFamily(
            "vigie_busy", "Requests refused because too much waited", value=self._pump.refused_busy
        )
        yield CounterMetricFamily(
            "vigie_automatic_refused",
            "Orders of automations not given because too many are under way",
            value=self._engine.automations.refused,
        )
        yield GaugeMetricFamily(
            "vigie_automations_failing", "Automations that fail by a fault", value=len(self._engine.automations.failing)
        )
        yield GaugeMetricFamily("vigie_assets", "Assets, retired ones included", value=self._engine.registry.count - 1)
        yield GaugeMetricFamily("vigie_conditions_open", "Open conditions", value=len(self._engine.conditions))
        yield GaugeMetricFamily("vigie_facts_owed", "Facts that wait for room on the disk", value=self._engine.owed)


def figures_access(access: Access, proxies: int) -> Callable[[Request], None]:
    """Who may read the figures: this machine itself, and whoever has an account or a token. The returned check raises
    Problem 401. proxies: see `peer_of`; what a proxy passes on that nobody told us of is not taken for this machine."""

    def check(request: Request) -> None:
        forwarded = "x-forwarded-for" in request.headers and not proxies
        if forwarded or not is_loopback(peer_of(request, proxies)):
            access.caller(request)

    return check


def operations_routes(
    engine: Engine,
    pump: Pump,
    trouble: Callable[[], str | None],
    check: Callable[[Request], None],
    more: Sequence[Collector] = (),
) -> list[Route]:
    """Health and figures. trouble: why the post cannot take in observations now, or None. check: see `figures_access`.
    more: of other parts."""
    figures = CollectorRegistry(auto_describe=False)
    for collector in (_Figures(engine, pump), *more):
        figures.register(collector)

    async def live(request: Request) -> Response:
        """Whether the process answers at all."""
        return Response(_encode({"live": True}), media_type="application/json")

    async def ready(request: Request) -> Response:
        """Whether it takes in observations. Where there is no room, the log says: here anybody asks."""
        is_ready = trouble() is None
        body = {"ready": is_ready} | ({} if is_ready else {"reason": "There is no room on the disk."})
        return Response(_encode(body), 200 if is_ready else 503, media_type="application/json")

    async def metrics(request: Request) -> Response:
        """The figures in Prometheus' own form."""
        check(request)
        return Response(generate_latest(figures), media_type="text/plain; version=0.0.4; charset=utf-8")

    return [
        Route("/health/live", live, methods=["GET"]),
        Route("/health/ready", ready, methods=["GET"]),
        Route("/metrics", metrics, methods=["GET"]),
    ]
