"""The figures of mail to residents, as they stood at the last look. No address is in them."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from vigie.api.mailing.outbox import Outbox

OUTCOMES = ("sent", "deferred", "refused", "given_up")


class MailFigures(Collector):
    """What became of mails, and how many wait."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def collect(self) -> Iterable[Metric]:
        """The figures as they stand."""
        mails = CounterMetricFamily("vigie_mails", "Mails to residents, by what became of them", labels=["outcome"])
        for outcome in OUTCOMES:
            mails.add_metric([outcome], self._outbox.counts[outcome])
        yield mails
        if self._outbox.standing is None:
            # Not counted yet: it is at each look.
            return
        waiting, refused = self._outbox.standing
        yield GaugeMetricFamily("vigie_mails_waiting", "Mails to residents that wait to be sent", value=waiting)
        unreached = "Reports whose reporter no mail reaches"
        yield GaugeMetricFamily("vigie_mails_unreached", unreached, value=refused)
