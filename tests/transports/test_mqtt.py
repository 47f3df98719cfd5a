"""MQTT with a real mosquitto: what is acknowledged and when, who may say what, and what a kill costs."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.broker import TOPIC, USERS, Broker, Publisher, running_broker
from tests.post import RunningPost, make, now_us, reading, running
from tests.test_crash import LAMP_IDS, in_history
from vigie.protocols.mqtt import Delivered
from vigie.transports.device_mqtt import MqttSender
from vigie.transports.mosquitto import password_line, usable
from vigie.transports.mqtt import Address, MqttLink, NotNow, Refused

LAMP = "luminaire-000003"
KILLS = 8


@pytest.fixture
def broker(mosquitto: Path, tmp_path: Path) -> Iterator[Broker]:
    """A broker of its own for a test."""
    with running_broker(mosquitto, tmp_path / "broker") as started:
        yield started


def publish(broker: Broker, messages: Sequence[tuple[str, bytes]], user: str = "gateway") -> list[int]:
    """The broker's reason for each message."""

    async def send() -> list[int]:
        sender = await MqttSender.open(broker.address, f"{user}-{time.monotonic_ns()}", user, USERS[user])
        answers = await asyncio.gather(*[sender.publish(topic, payload) for topic, payload in messages])
        await sender.close()
        return answers

    return asyncio.run(send())


def figure(post: RunningPost, name: str) -> float:
    """A figure of the post."""
    lines: str = post.ask("GET", "/metrics").body
    return next(float(line.split()[-1]) for line in lines.splitlines() if line.startswith(name))


def until(true: Callable[[], bool], *, within_s: float = 30) -> None:
    """Waits for something to come to pass."""
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.05)


async def comes(true: Callable[[], bool]) -> None:
    """Waits for something to come to pass, in the loop of what is tested."""
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - nothing tells when it does
            await asyncio.sleep(0.02)


def body(value: float, at_us: int, asset: str = LAMP) -> bytes:
    return json.dumps(reading(asset, "power", value, at_us)).encode()


def test_observations_of_every_form_are_taken_and_what_is_wrong_holds_nothing_up(
    broker: Broker, tmp_path: Path
) -> None:
    secret = make(tmp_path / "post")
    at = now_us()
    with running(tmp_path / "post", secret, environment=broker.settings) as post:
        until(lambda: figure(post, "vigie_mqtt_connected") == 1)
        many = json.dumps([reading(LAMP_IDS[n], "power", 1.0, at) for n in range(5, 15)]).encode()
        messages = [
            (TOPIC, body(1.0, at + 1)),
            (TOPIC, many),
            (TOPIC, body(2.0, at + 2) + b"\n" + body(3.0, at + 3)),
            (TOPIC, b"rubbish"),
            (TOPIC, b"[{"),
            (TOPIC, b""),
            (TOPIC, body(1.0, at, asset="post")),
            (TOPIC, body(3.0, at + 3)),
        ]
        assert publish(broker, messages) == [0] * len(messages)
        # Let through by the broker, and not admitted by the post.
        assert publish(broker, [("vigie/v1/stranger/observations", body(9.0, at + 9))], "stranger") == [0]
        until(lambda: figure(post, "vigie_mqtt_messages_total") == len(messages) + 1)
        told = {x: figure(post, f'vigie_readings_total{{outcome="{x}"') for x in ("accepted", "malformed", "not_yours")}
        assert told == {"accepted": 13, "malformed": 2, "not_yours": 1}
        assert figure(post, 'vigie_readings_total{outcome="duplicate"') == 1
        assert figure(post, "vigie_mqtt_unknown_total") == 1
    assert len(in_history(tmp_path / "post")) == 13


def test_nobody_reports_under_anothers_name_and_nobody_but_the_post_reads(broker: Broker) -> None:
    foreign = [("vigie/v1/stranger/observations", b"[]"), ("vigie/v1/observations", b"[]"), ("other", b"[]")]
    assert publish(broker, foreign) == [0x87] * 3
    assert publish(broker, [(TOPIC, b"[]")], "stranger") == [0x87]
    for user, password in (("gateway", "wrong"), ("nobody", "x"), ("", "")):
        with pytest.raises(Refused, match="not authorised"):
            asyncio.run(MqttSender.open(broker.address, "x", user, password))
    heard: list[Delivered] = []

    async def take(messages: Sequence[Delivered]) -> None:
        heard.extend(messages)

    async def listen() -> None:
        spy = MqttLink(
            broker.address, "spy", ["vigie/v1/+/observations"], take, user="stranger", password=USERS["stranger"]
        )
        task = asyncio.create_task(spy.run())
        await comes(lambda: spy.connected)
        await asyncio.to_thread(publish, broker, [(TOPIC, b"[]")])
        await asyncio.sleep(0.3)
        task.cancel()

    asyncio.run(listen())
    assert heard == []


def test_a_password_line_is_mosquittos_own(need: Callable[[str], Path], tmp_path: Path) -> None:
    program, file = need("mosquitto_passwd"), tmp_path / "passwords"
    subprocess.run([str(program), "-c", "-b", str(file), "box", "a secret"], check=True, capture_output=True)
    theirs = file.read_text().strip()
    salt = base64.b64decode(theirs.split("$")[3])
    assert password_line("box", "a secret", salt) == theirs
    assert not any(usable(name) for name in ("", "a/b", "a+", "#", "a:b", "a b", "a\n", "x" * 201))
    with pytest.raises(ValueError, match="'a/b'"):
        password_line("a/b", "x", salt)


def test_what_waited_at_the_broker_is_taken_when_the_post_comes_back(broker: Broker, tmp_path: Path) -> None:
    secret = make(tmp_path / "post")
    at = now_us()
    with running(tmp_path / "post", secret, environment=broker.settings) as post:
        until(lambda: figure(post, "vigie_mqtt_connected") == 1)
    assert publish(broker, [(TOPIC, body(float(n), at + n)) for n in range(500)]) == [0] * 500
    with running(tmp_path / "post", secret, environment=broker.settings) as post:
        until(lambda: figure(post, "vigie_mqtt_messages_total") == 500)
    assert len(in_history(tmp_path / "post")) == 500


def test_what_cannot_be_kept_stays_with_the_broker_and_is_tried_again(broker: Broker) -> None:
    room = False
    taken: list[bytes] = []

    async def take(messages: Sequence[Delivered]) -> None:
        if not room:
            raise NotNow("no room")
        taken.extend(message.payload for message in messages)

    async def scene() -> None:
        nonlocal room
        link = MqttLink(broker.address, "vigie-x", [TOPIC], take, user="vigie", password=USERS["vigie"])
        task = asyncio.create_task(link.run())
        await comes(lambda: link.connected)
        await asyncio.to_thread(publish, broker, [(TOPIC, b"%d" % n) for n in range(100)])
        await comes(lambda: link.trouble == "no room")
        assert taken == []
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        again = MqttLink(broker.address, "vigie-x", [TOPIC], take, user="vigie", password=USERS["vigie"])
        task = asyncio.create_task(again.run())
        await comes(lambda: again.trouble == "no room")
        room = True
        await comes(lambda: again.messages == 100)
        task.cancel()

    asyncio.run(asyncio.wait_for(scene(), 30))
    assert taken == [b"%d" % n for n in range(100)]


def test_more_than_may_wait_in_memory_stays_in_the_socket(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vigie.transports.mqtt.WAITING_BYTES_MAX", 200_000)
    monkeypatch.setattr("vigie.transports.mqtt.CHUNK_BYTES_MAX", 50_000)
    gate = asyncio.Event()
    sizes: list[int] = []

    async def take(messages: Sequence[Delivered]) -> None:
        await gate.wait()
        sizes.append(sum(len(message.payload) for message in messages))

    async def scene() -> None:
        link = MqttLink(broker.address, "vigie-x", [TOPIC], take, user="vigie", password=USERS["vigie"])
        task = asyncio.create_task(link.run())
        await comes(lambda: link.connected)
        await asyncio.to_thread(publish, broker, [(TOPIC, bytes(10_000)) for _ in range(300)])
        await asyncio.sleep(0.5)
        gate.set()
        await comes(lambda: link.messages == 300)
        task.cancel()

    asyncio.run(asyncio.wait_for(scene(), 30))
    assert sum(sizes) == 3_000_000
    assert max(sizes) <= 60_000


def test_a_broker_that_is_not_there_or_says_no_is_tried_again_and_the_reason_told(
    mosquitto: Path, tmp_path: Path
) -> None:
    broker = Broker(mosquitto, tmp_path / "broker")

    async def take(messages: Sequence[Delivered]) -> None:
        pass

    async def scene() -> None:
        link = MqttLink(broker.address, "vigie-x", [TOPIC], take, user="vigie", password=USERS["vigie"])
        wrong = MqttLink(broker.address, "vigie-y", [TOPIC], take, user="vigie", password="wrong")
        tasks = [asyncio.create_task(each.run()) for each in (link, wrong)]
        await asyncio.sleep(0.3)
        assert not link.connected
        await asyncio.to_thread(broker.start)
        await comes(lambda: link.connected and "not authorised" in (wrong.trouble or ""))
        await asyncio.to_thread(broker.stop)
        await comes(lambda: not link.connected)
        await asyncio.to_thread(broker.start)
        await comes(lambda: link.connections == 2)
        for task in tasks:
            task.cancel()

    try:
        asyncio.run(asyncio.wait_for(scene(), 60))
    finally:
        broker.stop()


@pytest.mark.parametrize("url", ["", "http://x", "mqtt://", "mqtt://h/topic", "mqtt://h:none"])
def test_what_is_no_address_of_a_broker_is_said(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the sentence is ours or the library's
        Address.of(url)
    assert Address.of("mqtt://h") == Address("h", 1883, tls=False)
    assert str(Address.of("mqtts://h")) == "mqtts://h:8883"


@pytest.mark.timeout(300)
def test_kill_9_of_the_post_under_load_loses_nothing_that_the_broker_has_taken(broker: Broker, tmp_path: Path) -> None:
    folder = tmp_path / "post"
    secret = make(folder)
    dice = random.Random(7)
    publisher = Publisher(broker, LAMP_IDS, now_us() - 3_600_000_000)
    with running(folder, secret, environment=broker.settings) as post:
        until(lambda: figure(post, "vigie_mqtt_connected") == 1)
        publisher.start()
        time.sleep(dice.uniform(0.2, 1))
        post.kill()
    for _ in range(KILLS - 1):
        with running(folder, secret, environment=broker.settings) as post:
            time.sleep(dice.uniform(0.1, 1))
            post.kill()
    with running(folder, secret, environment=broker.settings) as post:
        publisher.stop()
        until(lambda: len(publisher.acknowledged) > KILLS * 100)
        last = -1.0
        while (now := figure(post, "vigie_mqtt_messages_total")) != last or not figure(post, "vigie_mqtt_connected"):
            last = now
            time.sleep(1)
    assert publisher.acknowledged - in_history(folder) == set()


@pytest.mark.timeout(180)
def test_kill_9_of_the_broker_costs_at_most_what_came_after_its_last_save(
    mosquitto: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """With the post away, so that all of it lies with the broker: what was there at the last save is there again."""
    folder = tmp_path / "post"
    secret = make(folder)
    with running_broker(mosquitto, tmp_path / "broker", autosave_s=2) as broker:
        with running(folder, secret, environment=broker.settings) as post:
            until(lambda: figure(post, "vigie_mqtt_connected") == 1)
        first = now_us() - 3_600_000_000
        early = [(LAMP, first + n, float(n % 100)) for n in range(2_000)]
        assert publish(broker, [(TOPIC, body(value, at)) for _, at, value in early]) == [0] * len(early)
        database = tmp_path / "broker" / "data" / "mosquitto.db"
        written_ns = time.time_ns()
        until(lambda: database.exists() and database.stat().st_mtime_ns > written_ns)
        publisher = Publisher(broker, LAMP_IDS, first + 10_000_000)
        publisher.start()
        time.sleep(1)
        broker.kill()
        publisher.join(30)
        broker.start()
        with running(folder, secret, environment=broker.settings) as post:
            until(lambda: figure(post, "vigie_mqtt_messages_total") >= len(early))
            time.sleep(1)
    held = in_history(folder)
    assert set(early) - held == set()
    lost = publisher.acknowledged - held
    record_property("acknowledged_by_the_broker", len(publisher.acknowledged))
    record_property("lost_with_the_broker", len(lost))
    assert not any(at_us <= early[-1][1] for _, at_us, _ in lost)


@pytest.mark.timeout(180)
def test_kill_9_of_the_broker_under_load_costs_next_to_nothing_while_the_post_reads(
    mosquitto: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """What the broker has passed on and the post has synced is safe; the rest is what lay between the two."""
    folder = tmp_path / "post"
    secret = make(folder)
    with (
        running_broker(mosquitto, tmp_path / "broker", autosave_s=1) as broker,
        running(folder, secret, environment=broker.settings) as post,
    ):
        until(lambda: figure(post, "vigie_mqtt_connected") == 1)
        until((tmp_path / "broker" / "data" / "mosquitto.db").exists)
        publisher = Publisher(broker, LAMP_IDS, now_us() - 3_600_000_000)
        publisher.start()
        time.sleep(2)
        broker.kill()
        publisher.join(30)
        broker.start()
        until(lambda: figure(post, "vigie_mqtt_connections_total") == 2)
        time.sleep(1)
    lost = publisher.acknowledged - in_history(folder)
    record_property("acknowledged_by_the_broker", len(publisher.acknowledged))
    record_property("lost_with_the_broker", len(lost))
    newest = max(at_us for _, at_us, _ in publisher.acknowledged)
    # The publisher has 200 messages on their way at a time: what is lost is of the last few rounds, if of any.
    assert all(newest - at_us < 10_000 for _, at_us, _ in lost)


_TRACED = "read,write,writev,recvfrom,recvmsg,sendto,sendmsg,fsync,fdatasync"
_CALL = re.compile(r"^(?:\[pid +\d+\] |\d+ +)?(?P<call>\w+)\(\d+<(?P<path>[^>]*)>(?P<rest>.*)$")


@pytest.mark.timeout(180)
def test_the_commit_is_synced_before_the_broker_gets_its_acknowledgement(
    broker: Broker, tmp_path: Path, need: Callable[[str], Path]
) -> None:
    folder = tmp_path / "post"
    secret = make(folder)
    trace = tmp_path / "trace"
    under = [str(need("strace")), "-f", "-y", "-s", "64", "-e", f"trace={_TRACED}", "-o", str(trace)]
    at = now_us() - 60_000_000
    with running(folder, secret, under=under, environment=broker.settings) as post:
        until(lambda: figure(post, "vigie_mqtt_connected") == 1)
        for n in range(12):
            assert publish(broker, [(TOPIC, body(float(n), at + n))]) == [0]
            until(lambda n=n: figure(post, "vigie_mqtt_messages_total") == n + 1)
        os.killpg(post.process.pid, signal.SIGTERM)
        post.process.wait(30)
    synced: bool | None = None
    acknowledgements = 0
    for line in trace.read_text(errors="replace").splitlines():
        match = _CALL.match(line)
        if match is None:
            continue
        if TOPIC in match["rest"] and match["rest"].startswith(', "2'):
            synced = False
        elif match["call"] in {"fsync", "fdatasync"} and Path(match["path"]).name.startswith("hot.duckdb"):
            synced = True if synced is not None else None
        elif match["rest"].startswith(r', "@\2'):
            assert synced, "acknowledged before anything was synced"
            acknowledgements += 1
            synced = None
    assert acknowledgements == 12
