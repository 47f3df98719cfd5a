"""ChirpStack's events: tags say what a device is here, its heads become luminaires, what cannot be read says why."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.city import CATALOGUE, NOW_US
from tests.conftest import PROJECT
from vigie.core.observations import Outcome
from vigie.core.times import rfc3339
from vigie.protocols.lorawan import (
    FAMILIES,
    Frame,
    Part,
    Unreadable,
    decode_down,
    decode_uplinks,
    encode_down,
    encode_up,
)

FAMILY = FAMILIES["nas-ul20xx"]
NAS = {"vigie_family": "nas-ul20xx"}

EVENT: dict[str, Any] = {
    "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
    "time": "2022-07-18T09:34:15.775023242+00:00",
    "deviceInfo": {
        "tenantId": "52f14cd4-c6f1-4fbd-8f87-4025e1d49242",
        "tenantName": "ChirpStack",
        "applicationId": "17c82e96-be03-4f38-aef3-f83d48582d97",
        "applicationName": "Lighting",
        "deviceProfileId": "14855bf7-d10d-4aee-b618-ebfcb64dc7ad",
        "deviceProfileName": "EU868-LCU-1.1",
        "deviceName": "luminaire-000003",
        "devEui": "70b3d5b020073208",
        "deviceClassEnabled": "CLASS_C",
        "tags": NAS,
    },
    "devAddr": "00189440",
    "adr": True,
    "dr": 1,
    "fCnt": 3,
    "fPort": 23,
    "confirmed": False,
    "data": "AY6ygmYgAEcHGgACAd7+IQAA",
    "object": {"data": {"dimming_source": []}},
    "rxInfo": [{"gatewayId": "0016c001f153a14c", "uplinkId": 4217106255, "rssi": -36, "snr": 10.5}],
    "txInfo": {"frequency": 867100000},
}
"""An event as ChirpStack's documentation shows one, with a frame that a controller sent."""


def told(*payloads: bytes) -> list[tuple[str, str, Any]]:
    read = decode_uplinks(payloads)
    assert read.refused == []
    return list(zip(read.assets, read.points, read.values, strict=True))


def up(tags: dict[str, str], *parts: Part, name: str = "lamp-7") -> list[tuple[str, str, Any]]:
    frames = FAMILY.tell(parts, NOW_US)
    return told(*(encode_up(name, NAS | tags, frame, NOW_US) for frame in frames))


def test_an_event_of_chirpstack_is_read() -> None:
    read = decode_uplinks([json.dumps(EVENT).encode()])
    assert list(zip(read.assets, read.points, read.values, strict=True)) == [
        ("luminaire-000003", "level", 0.0),
        ("luminaire-000003", "fault", "none"),
    ]
    assert {rfc3339(at)[:19] for at in read.observed_us} == {"2022-07-18T09:34:15"}


def test_what_is_told_are_points_of_a_luminaire() -> None:
    points = CATALOGUE.assets["luminaire"].points
    said = up({}, Part(level_pct=50.0, power_w=40.0, energy_wh=9.0, fault="driver"))
    assert [point for _, point, _ in said] == ["level", "fault", "power"]
    assert {point for _, point, _ in said} <= points.keys()
    assert "driver" in points["fault"].choices


def test_the_heads_of_one_luminaire_are_one() -> None:
    level = [Part(name="dali-1", level_pct=50.0), Part(name="dali-2", level_pct=50.0)]
    assert up({}, *level) == [("lamp-7", "level", 50.0)]
    assert up({}, *level, Part(name="dali-3", level_pct=60.0)) == []
    assert up({}, *level, Part(level_pct=70.0)) == [("lamp-7", "level", 70.0)]
    power = [Part(name="dali-1", power_w=20.0), Part(name="dali-2", power_w=22.0)]
    assert up({}, *power) == [("lamp-7", "power", 42.0)]
    assert up({}, *power, Part(power_w=45.0)) == [("lamp-7", "power", 45.0)]
    faults = [Part(fault="none"), Part(name="dali-1", fault="driver"), Part(name="dali-2", fault="lamp")]
    assert up({}, *faults[:1]) == [("lamp-7", "fault", "none")]
    assert up({}, *faults[:2]) == [("lamp-7", "fault", "driver")]
    assert up({}, *faults) == [("lamp-7", "fault", "lamp")]


def test_heads_with_a_tag_are_luminaires_of_their_own() -> None:
    two = {"vigie_asset_dali-1": "a", "vigie_asset_dali-2": "b"}
    parts = [Part(level_pct=5.0), Part(name="dali-1", level_pct=50.0), Part(name="dali-2", level_pct=60.0)]
    assert up(two, *parts) == [("a", "level", 50.0), ("b", "level", 60.0)]
    assert up(two | {"vigie_asset": "mast"}, *parts)[0] == ("mast", "level", 5.0)
    assert up({"vigie_asset": "x"}, Part(level_pct=1.0)) == [("x", "level", 1.0)]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"deviceInfo": {"deviceName": "x", "devEui": "0", "tags": {}}}, "vigie_family of 'x' is none of nas-ul20xx"),
        ({"deviceInfo": {"deviceName": "x", "devEui": "0", "tags": {"vigie_family": "z"}}}, "none of nas-ul20xx"),
        ({"fPort": 7}, "port 7 is none"),
        ({"data": "!!"}, "not base64"),
        ({"data": "A" * 400}, "300 bytes: LoRaWAN carries 242"),
        ({"data": "AY6y"}, "in the middle of a field"),
        ({"time": "2022-07-18T09:34:15"}, "no up event"),
        ({"deviceInfo": None}, "no up event"),
    ],
)
def test_what_cannot_be_read_says_why_and_holds_nothing_up(change: dict[str, Any], why: str) -> None:
    read = decode_uplinks([json.dumps(EVENT | change).encode(), json.dumps(EVENT).encode()])
    assert len(read) == 2
    assert [(each.outcome, why in each.detail) for each in read.refused] == [(Outcome.MALFORMED, True)]


@given(st.binary(max_size=200))
def test_rubbish_refuses_itself(payload: bytes) -> None:
    read = decode_uplinks([payload])
    assert (len(read), len(read.refused)) == (0, 1)


@pytest.mark.parametrize("payload", [b"[" * 100_000, b'{"time":' * 50_000])
def test_deep_rubbish_refuses_itself(payload: bytes) -> None:
    assert len(decode_uplinks([payload]).refused) == 1


def test_a_downlink_is_chirpstacks_command() -> None:
    payload = encode_down("70b3d5b020073208", FAMILY.dim("", 60))
    assert json.loads(payload) == {"devEui": "70b3d5b020073208", "confirmed": False, "fPort": 60, "data": "Af48"}
    assert decode_down(payload) == ("70b3d5b020073208", Frame(60, bytes.fromhex("01FE3C")))
    for rubbish in (b"", b"{}", b'{"devEui": "0", "confirmed": false, "fPort": 60, "data": "!"}'):
        with pytest.raises(Unreadable):
            decode_down(rubbish)


def test_every_family_is_described_to_those_who_have_it() -> None:
    page = (PROJECT / "docs" / "how-to" / "connect-lorawan.md").read_text("utf-8")
    assert [name for name in FAMILIES if f"`{name}`, " not in page] == []
