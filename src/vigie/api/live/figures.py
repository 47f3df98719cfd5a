"""The live door's own figures, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from vigie.api.live.hub import Hub


class LiveFigures(Collector):
    """Reads the door's counters when it is asked."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def collect(self) -> Iterable[Metric]:
        """The figures as they stand."""
        hub, counts = self._hub, self._hub.counts
        yield GaugeMetricFamily("vigie_live_sockets", "Live sockets that are open", value=len(hub))
        yield GaugeMetricFamily("vigie_live_feeds", "Different things that are listened to", value=hub.feeds)
        yield CounterMetricFamily("vigie_live_frames", "Frames handed to live sockets", value=counts.frames)
        yield CounterMetricFamily("vigie_live_bytes", "Bytes of those frames", value=counts.sent_bytes)
        yield CounterMetricFamily(
            "vigie_live_coalesced", "Ticks told with a later one because a socket was too slow", value=counts.coalesced
        )
        closed = CounterMetricFamily("vigie_live_closed", "Live sockets closed, by why", labels=["reason"])
        for reason, count in (("slow", counts.slow), ("revoked", counts.revoked), ("misused", counts.misused)):
            closed.add_metric([reason], count)
        yield closed
        yield CounterMetricFamily("vigie_live_refused", "Live sockets that were not let in", value=counts.refused)
