"""The device door over MQTT: observations in, acknowledged to the broker when they are synced to disk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from vigie.api.devices import Devices
from vigie.engine.ports import StorageFull
from vigie.engine.pump import Acknowledgement, Busy, Pump, Stopping
from vigie.protocols.mqtt import Delivered
from vigie.protocols.plain import decode_messages
from vigie.transports.mqtt import MqttLink, NotNow

OBSERVATIONS_TOPIC = "vigie/v1/{device}/observations"
DROPPED_TOPIC = "$SYS/broker/publish/messages/dropped"
TOPICS = (OBSERVATIONS_TOPIC.format(device="+"), DROPPED_TOPIC)
"""What the post reads: the devices' topics, and how many messages the broker had to drop."""

_HEAD, _TAIL = OBSERVATIONS_TOPIC.split("{device}")

_log = structlog.get_logger("vigie.mqtt")


class MqttDoor:
    """Takes in what the broker delivers. Whose word it is, the topic says: the broker's access list lets a device
    publish under its own name alone."""

    def __init__(self, devices: Devices, pump: Pump) -> None:
        self._devices, self._pump = devices, pump
        self.from_unknown = 0
        self.broker_dropped = 0

    async def take(self, messages: Sequence[Delivered]) -> None:
        """Keeps what was delivered; returns when it is on disk and in the picture. Raises NotNow.

        A message that cannot be read, or of a device that is not admitted, is counted and needs no second delivery.
        """
        payloads: dict[str, list[bytes]] = {}
        for message in messages:
            payloads.setdefault(message.topic, []).append(message.payload)
        taking: list[asyncio.Task[Acknowledgement]] = []
        for topic, said in payloads.items():
            if topic == DROPPED_TOPIC:
                self.broker_dropped = int(said[-1]) if said[-1].isdigit() else self.broker_dropped
                continue
            reporter = self._devices.named(topic[len(_HEAD) : -len(_TAIL)])
            if reporter is None:
                self.from_unknown += len(said)
                continue
            taking.append(asyncio.create_task(self._pump.submit(decode_messages(said), reporter)))
        for outcome in await asyncio.gather(*taking, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise NotNow(_why(outcome)) from outcome


class MqttFigures(Collector):
    """The link's figures, read when they are asked for."""

    def __init__(self, link: MqttLink, door: MqttDoor) -> None:
        self._link, self._door = link, door

    def collect(self) -> Iterable[Metric]:
        """The figures as they stand."""
        link, door = self._link, self._door
        yield GaugeMetricFamily("vigie_mqtt_connected", "Whether the broker is reached", value=float(link.connected))
        yield CounterMetricFamily("vigie_mqtt_connections", "Connections to the broker made", value=link.connections)
        yield CounterMetricFamily("vigie_mqtt_messages", "Messages synced and acknowledged", value=link.messages)
        yield CounterMetricFamily(
            "vigie_mqtt_unknown", "Messages of devices that are not admitted", value=door.from_unknown
        )
        yield GaugeMetricFamily(
            "vigie_mqtt_broker_dropped", "Messages the broker dropped since it started", value=door.broker_dropped
        )


def _why(error: BaseException) -> str:
    match error:
        case Busy():
            return "more waits to be kept than may wait"
        case Stopping():
            return "the post is stopping"
        case StorageFull():
            return f"the disk is full: {error}"
        case _:
            _log.error("fault", exc_info=error)
            return f"a fault of the post: {error!r}"
