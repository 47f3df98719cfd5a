"""The TALQ door's figures, read when they are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from vigie.api.talq.door import TalqDoor
from vigie.protocols.talq import Step


class TalqFigures(Collector):
    """How many gateways are how far, and who cannot be reached."""

    def __init__(self, door: TalqDoor) -> None:
        self._door = door

    def collect(self) -> Iterable[Metric]:
        """The figures as they stand."""
        links = self._door.links.values()
        steps = Counter(link.peer.step for link in links)
        gateways = GaugeMetricFamily("vigie_talq_gateways", "TALQ gateways by their step", labels=["step"])
        for step in Step:
            gateways.add_metric([step.value], steps[step])
        yield gateways
        lost = sum(link.courier.reached is False for link in links)
        yield GaugeMetricFamily("vigie_talq_unreached", "TALQ gateways that do not answer the post", value=lost)
        waiting = sum(len(link.courier) for link in links)
        yield GaugeMetricFamily("vigie_talq_waiting", "Requests that wait for TALQ gateways", value=waiting)
        yield CounterMetricFamily(
            "vigie_talq_strangers", "Requests to the TALQ door without a right token", value=self._door.strangers
        )
