"""Lamps on LoRaWAN end to end: a network server's own broker, bridged to the one that the post reads from, as a city
that has ChirpStack already would do it. Both are real mosquittos, the post is a real one."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker import USERS, Broker, free_port, running_broker
from tests.post import make, now_us, running
from tests.protocols.lorawan.test_events import EVENT, NAS
from tests.test_crash import in_history
from tests.transports.test_mqtt import figure, publish, until
from vigie.core.times import rfc3339
from vigie.protocols.lorawan import FAMILIES, Part, encode_up
from vigie.transports.device_mqtt import MqttSender
from vigie.transports.mqtt import Address

FAMILY = FAMILIES["nas-ul20xx"]
LAMP = "luminaire-000003"
DEVICE = "application/17c82e96-be03-4f38-aef3-f83d48582d97/device/70b3d5b020073208"


@pytest.fixture
def broker(mosquitto: Path, tmp_path: Path) -> Iterator[Broker]:
    """The broker that the post reads from."""
    with running_broker(mosquitto, tmp_path / "broker") as started:
        yield started


class NetworkServersBroker(Broker):
    """The broker of a network server, which hands all uplinks on to the post's as the device `gateway`."""

    def __init__(self, program: Path, folder: Path, to: Broker) -> None:
        folder.mkdir()
        port = free_port()
        lines = [
            f"listener {port} 127.0.0.1", "allow_anonymous true", "connection vigie",
            f"address 127.0.0.1:{to.port}", "remote_username gateway", f"remote_password {USERS['gateway']}",
            'topic application/+/device/+/event/up out 1 "" vigie/v1/gateway/lorawan/', "notifications false",
            "restart_timeout 1",
        ]  # fmt: skip
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n", "utf-8")
        super().__init__(program, folder, make=False, port=port)


async def _send(address: Address, messages: list[tuple[str, bytes]]) -> None:
    sender = await MqttSender.open(address, "chirpstack")
    for topic, payload in messages:
        assert await sender.publish(topic, payload) < 0x80
    await sender.close()


def test_a_lamps_uplink_comes_through_a_bridge_into_history(broker: Broker, mosquitto: Path, tmp_path: Path) -> None:
    secret = make(tmp_path / "post")
    theirs = NetworkServersBroker(mosquitto, tmp_path / "theirs", broker)
    theirs.start()
    try:
        with running(tmp_path / "post", secret, environment=broker.settings) as post:
            until(lambda: figure(post, "vigie_mqtt_connected") == 1)
            at = now_us()
            captured = EVENT | {"time": rfc3339(at)}
            usage = FAMILY.tell([Part(power_w=41.0, energy_wh=1_000.0)], at)[1]
            messages = [
                (f"{DEVICE}/event/join", b"{}"),
                (f"{DEVICE}/event/up", json.dumps(captured).encode()),
                (f"{DEVICE}/event/up", encode_up(LAMP, NAS, usage, at + 1)),
                (f"{DEVICE}/event/up", encode_up("lamp-of-nobody", NAS, usage, at + 2)),
                (f"{DEVICE}/event/up", b"rubbish"),
            ]
            asyncio.run(_send(theirs.address, messages))
            until(lambda: figure(post, "vigie_mqtt_messages_total") == 4)
            outcomes = ("accepted", "malformed", "unknown_asset")
            told = {x: figure(post, f'vigie_readings_total{{outcome="{x}"') for x in outcomes}
            assert told == {"accepted": 3, "malformed": 1, "unknown_asset": 1}
        kept = in_history(tmp_path / "post")
        assert {(asset, value) for asset, _, value in kept} >= {(LAMP, 41.0)}
    finally:
        theirs.stop()


def test_a_network_server_speaks_under_its_own_name_alone(broker: Broker, tmp_path: Path) -> None:
    secret = make(tmp_path / "post")
    with running(tmp_path / "post", secret, environment=broker.settings) as post:
        until(lambda: figure(post, "vigie_mqtt_connected") == 1)
        event = json.dumps(EVENT | {"time": rfc3339(now_us())}).encode()
        assert publish(broker, [("vigie/v1/gateway/lorawan/up", event)], "stranger") == [0x87]
        own = [("vigie/v1/stranger/lorawan/up", event)]
        assert publish(broker, own, "stranger") == [0]
        assert publish(broker, [("vigie/v1/gateway/lorawan/log", base64.b64encode(b"x"))]) == [0]
        assert publish(broker, [("vigie/v1/gateway/lorawan/up", event)]) == [0]
        until(lambda: figure(post, "vigie_mqtt_messages_total") == 3)
        assert figure(post, "vigie_mqtt_unknown_total") == 1
        assert figure(post, 'vigie_readings_total{outcome="accepted"') == 2
