"""The figures of the RSMP door and of what is steered through it, read when they are asked for."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from vigie.api.rsmp.door import RsmpDoor
from vigie.api.rsmp.steering import RsmpSteering
from vigie.core.times import MINUTE_US

WRONG_US = MINUTE_US
"""How far a clock may be off: an order's proof is held against the site's own instants."""


class RsmpFigures(Collector):
    """How many sites are there, and who was not let in."""

    def __init__(self, door: RsmpDoor, steering: RsmpSteering) -> None:
        self._door, self._steering = door, steering

    def collect(self) -> Iterable[Metric]:
        """The figures as they stand."""
        door = self._door
        attached = sum(site.attached for site in door.sites.values())
        sites = GaugeMetricFamily("vigie_rsmp_sites", "RSMP sites that are admitted", labels=["state"])
        sites.add_metric(["attached"], attached)
        sites.add_metric(["away"], len(door.sites) - attached)
        yield sites
        yield GaugeMetricFamily("vigie_rsmp_connections", "Connections to the RSMP door", value=door.connections)
        yield CounterMetricFamily("vigie_rsmp_strangers", "Sites that were not let in", value=door.strangers)
        turned = "Connections of RSMP sites that there was no room for"
        yield CounterMetricFamily("vigie_rsmp_turned_away", turned, value=door.turned_away)
        wrong = sum(site.attached and abs(site.ahead_us) > WRONG_US for site in door.sites.values())
        yield GaugeMetricFamily("vigie_rsmp_clocks_wrong", "RSMP sites whose clocks are a minute off", value=wrong)
        yield CounterMetricFamily("vigie_rsmp_garbled", "RSMP messages that were not understood", value=door.garbled)
        refused = sum(sum(site.refused.values()) for site in door.sites.values())
        yield CounterMetricFamily("vigie_rsmp_refused", "Values of RSMP sites that were refused", value=refused)
        steered = GaugeMetricFamily(
            "vigie_signals_steered",
            "Junctions that the post is ordered to steer, by why it does or not",
            labels=["because"],
        )
        for because, count in self._steering.counts.items():
            steered.add_metric([because.value], count)
        yield steered
        asked = "Stages that the post has asked junctions for, anew or again"
        yield CounterMetricFamily("vigie_signals_asked", asked, value=self._steering.asked)
        wishes = "Stages that safety kernels kept from being asked for"
        yield CounterMetricFamily("vigie_signals_refused", wishes, value=self._steering.refused)
        unfit = "Claims to go first that were of no group that there is, and were left out"
        yield CounterMetricFamily("vigie_signals_priority_unfit", unfit, value=self._steering.unfit_claims)
        priority = self._steering.priority
        came = CounterMetricFamily(
            "vigie_signals_priority_passages",
            "Vehicles that came to a junction with a right to go first",
            labels=["sort"],
        )
        for sort, count in priority.came.items():
            came.add_metric([sort.value], count)
        yield came
        asked_first = CounterMetricFamily(
            "vigie_signals_priority_requests", "Requests to controllers under their own plans to let somebody go first",
            labels=["type"],
        )  # fmt: skip
        for kind, count in priority.asked.items():
            asked_first.add_metric([kind], count)
        yield asked_first
