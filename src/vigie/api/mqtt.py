"""The device door over MQTT: observations in, acknowledged to the broker when they are synced to disk.

A device publishes them itself, or a network server of LoRaWAN publishes what its lamps said: below `lorawan/` whatever
topic it has, of which the last level names the event. Trackers publish JSON of their own below `tracker/`, which is
read by the mappings that somebody wrote for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from vigie.api.devices import Devices
from vigie.core.readings import Readings
from vigie.engine.ports import StorageFull
from vigie.engine.pump import Acknowledgement, Busy, Pump, Stopping
from vigie.protocols.lorawan import decode_uplinks
from vigie.protocols.mqtt import Delivered
from vigie.protocols.plain import decode_messages
from vigie.protocols.trackers import Mapping, decode_positions
from vigie.transports.mqtt import MqttLink, NotNow

OBSERVATIONS_TOPIC = "vigie/v1/{device}/observations"
LORAWAN_TOPIC = "vigie/v1/{device}/lorawan/#"
TRACKER_TOPIC = "vigie/v1/{device}/tracker/#"
DROPPED_TOPIC = "$SYS/broker/publish/messages/dropped"
TOPICS = (
    OBSERVATIONS_TOPIC.format(device="+"),
    LORAWAN_TOPIC.format(device="+"),
    TRACKER_TOPIC.format(device="+"),
    DROPPED_TOPIC,
)
"""What the post reads: the devices' topics, and how many messages the broker had to drop."""

_HEAD, _TAIL = OBSERVATIONS_TOPIC.split("{device}/")
_LORAWAN = LORAWAN_TOPIC.removeprefix(f"{_HEAD}{{device}}/").removesuffix("#")
_TRACKER = TRACKER_TOPIC.removeprefix(f"{_HEAD}{{device}}/").removesuffix("#")

_log = structlog.get_logger("vigie.mqtt")


class MqttDoor:
    """Takes in what the broker delivers. Whose word it is, the topic says: the broker's access list lets a device
    publish under its own name alone."""

    def __init__(self, devices: Devices, pump: Pump, trackers: Sequence[Mapping] = ()) -> None:
        """trackers: how what they publish is read."""
        self._devices, self._pump, self._trackers = devices, pump, trackers
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
            device, _, what = topic.removeprefix(_HEAD).partition("/")
            decode = self._decoder(what)
            if decode is None:
                continue
            reporter = self._devices.named(device)
            if reporter is None:
                self.from_unknown += len(said)
                continue
            taking.append(asyncio.create_task(self._pump.submit(decode(said), reporter)))
        for outcome in await asyncio.gather(*taking, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise NotNow(_why(outcome)) from outcome

    def _decoder(self, what: str) -> Callable[[Sequence[bytes]], Readings] | None:
        """What reads the messages of a topic, by what follows the device's name; None for what tells no observation,
        such as that a lamp joined the network."""
        if what == _TAIL:
            return decode_messages
        if what.startswith(_TRACKER):
            return partial(decode_positions, self._trackers, what.removeprefix(_TRACKER))
        return decode_uplinks if what.startswith(_LORAWAN) and what.endswith("/up") else None


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
