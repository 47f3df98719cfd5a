"""Trackers with JSON of their own, through a real broker into the history of a real post."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker import Broker, running_broker
from tests.post import make, now_us, running
from tests.test_crash import in_history
from tests.transports.test_mqtt import figure, publish, until

TRACKER = "vigie/v1/gateway/tracker"
BUSES = {"topic": "{line}/{bus}", "asset": "bus-{bus}", "at": "t", "lon": "x", "lat": "y"}
LAMPS = {
    "topic": "lamp/{n}",
    "asset": "luminaire-{n}",
    "at": "t",
    "points": {"power": {"field": "kw", "factor": 1_000}},
}
"""Not a tracker, but what is asked of history here is what lamps used."""


@pytest.fixture
def broker(mosquitto: Path, tmp_path: Path) -> Iterator[Broker]:
    """The broker that the post reads from."""
    with running_broker(mosquitto, tmp_path / "broker") as started:
        yield started


def test_what_trackers_publish_is_read_by_their_mapping(broker: Broker, tmp_path: Path) -> None:
    secret, file = make(tmp_path / "post"), tmp_path / "trackers.json"
    file.write_text(json.dumps([LAMPS, BUSES]), "utf-8")
    with running(
        tmp_path / "post", secret, environment=broker.settings | {"VIGIE_MQTT_TRACKERS_FILE": str(file)}
    ) as post:
        until(lambda: figure(post, "vigie_mqtt_connected") == 1)
        said = json.dumps({"t": now_us() // 1_000, "x": 5.01, "y": 47.31, "kw": 0.04}).encode()
        topics = [(f"{TRACKER}/3/b1", said), (f"{TRACKER}/lamp/000003", said), (f"{TRACKER}/3/b1", b"{")]
        assert publish(broker, topics) == [0, 0, 0]
        # Nobody publishes under another's name.
        assert publish(broker, [(f"{TRACKER}/3/b1", said)], "stranger") == [0x87]
        until(lambda: figure(post, "vigie_mqtt_messages_total") == 3)
        told = {x: figure(post, f'vigie_readings_total{{outcome="{x}"') for x in ("accepted", "malformed")}
        assert told == {"accepted": 2, "malformed": 1}
    assert [(asset, value) for asset, _, value in in_history(tmp_path / "post")] == [("luminaire-000003", 40.0)]
