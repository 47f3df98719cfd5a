"""MQTT: what a broker delivers at QoS 1, acknowledged to it after the synced commit, how many a second for a minute."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import multiprocessing
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.harness import RUNS, Measured, city, measurement, serving
from vigie.protocols.mqtt import Acknowledged, Packet, connect, publish
from vigie.transports.mosquitto import broker_files, password_line
from vigie.transports.mqtt import Address, Wire

LAMPS = 34_000
SECONDS = float(os.environ.get("BENCH_MQTT_S", "60"))
AHEAD_MAX = 20_000
"""How far the load may be ahead of what is synced: the broker's queue is not what is measured."""
UNACKNOWLEDGED_MAX = 2_000
TOPIC = "vigie/v1/gateway/observations"
PASSWORD = "bench"


@contextlib.contextmanager
def broker(folder: Path) -> Generator[Address]:
    """A mosquitto with the settings that vigie ships. Raises RuntimeError where there is none."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        raise RuntimeError("mosquitto is not installed: apt-get install mosquitto")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    (folder / "data").mkdir()
    for name, text in broker_files(folder, "vigie", port=port).items():
        (folder / name).write_text(text + ("\nuser root\n" if name == "mosquitto.conf" else ""))
    lines = [password_line(user, PASSWORD, os.urandom(12)) for user in ("vigie", "gateway")]
    (folder / "passwords").write_text("\n".join(lines) + "\n")
    (folder / "vigie.password").write_text(PASSWORD)
    command = [program, "-c", str(folder / "mosquitto.conf")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.02)
        yield Address("127.0.0.1", port, tls=False)
    finally:
        process.terminate()
        process.wait(30)


def synced(port: int) -> int:
    """How many messages the post says it has synced and acknowledged."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    name = "vigie_mqtt_messages_total "
    return next(int(float(x.removeprefix(name))) for x in text.splitlines() if x.startswith(name))


def _load(pipe, address: Address, port: int, lamps: Sequence[str], seconds: float) -> None:
    import uvloop

    try:
        pipe.send(uvloop.run(_send(address, port, lamps, seconds)))
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}")


async def _send(address: Address, port: int, lamps: Sequence[str], seconds: float) -> int:
    """Publishes single observations for so long, never far ahead of what is synced. Returns how many."""
    acknowledged = 0
    wake = asyncio.Event()

    def heard(packets: Sequence[Packet]) -> None:
        nonlocal acknowledged
        for packet in packets:
            if isinstance(packet, Acknowledged):
                if packet.reason:
                    raise RuntimeError(f"refused: {packet.reason:#x}")
                acknowledged += 1
        wake.set()

    hello = connect(f"load-{os.getpid()}", "gateway", PASSWORD, keep_alive_s=60)
    wire, _ = await Wire.open(address, hello, heard)
    loop = asyncio.get_running_loop()
    before = done = await loop.run_in_executor(None, synced, port)
    sent, end, asked = 0, time.monotonic() + seconds, 0.0
    while (now := time.monotonic()) < end:
        if now - asked > 0.1:
            asked, done = now, await loop.run_in_executor(None, synced, port)
        room = min(UNACKNOWLEDGED_MAX - (sent - acknowledged), AHEAD_MAX - (sent - (done - before)), 500)
        if room < 100:
            wake.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), 0.02)
            continue
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f").encode()[:-3]
        parts: list[bytes] = []
        for n in range(room):
            body = b'{"asset":"%s","point":"level","value":%d.0,"at":"%s%03dZ"}' % (
                lamps[(sent * 7 + 31 * n) % len(lamps)].encode(), n % 100, at, n,
            )  # fmt: skip
            parts.append(publish(TOPIC, body, (sent + n) % 65_535 + 1))
        wire.send(b"".join(parts))
        sent += room
        await asyncio.sleep(0)
    while acknowledged < sent:
        wake.clear()
        await wake.wait()
    wire.close("done")
    return sent


@measurement("ingest.mqtt_qos1")
def mqtt_qos1() -> Measured:
    """Single observations over a real mosquitto, for a minute: messages synced and acknowledged to the broker."""
    rates: list[float] = []
    with city(LAMPS) as built, tempfile.TemporaryDirectory(prefix="vigie-bench-") as name:
        folder = Path(name)
        with broker(folder) as address:
            os.environ["VIGIE_MQTT_URL"] = str(address)
            os.environ["VIGIE_MQTT_PASSWORD_FILE"] = str(folder / "vigie.password")
            try:
                with serving(built.folder) as port:
                    for _ in range(RUNS):
                        rates.append(_run(address, port, built.lamps))
            finally:
                del os.environ["VIGIE_MQTT_URL"], os.environ["VIGIE_MQTT_PASSWORD_FILE"]
    size = f"{RUNS} x {SECONDS:g} s of single observations of {LAMPS:,} lamps through one mosquitto"
    return Measured("ingest.mqtt_qos1", "messages/s", rates, 10_000, True, size, "1 post, 1 broker, 1 load")


def _run(address: Address, port: int, lamps: Sequence[str]) -> float:
    """Messages synced a second, from the first message to the end of the time."""
    before, start = synced(port), time.perf_counter()
    ours, theirs = multiprocessing.get_context("fork").Pipe()
    process = multiprocessing.get_context("fork").Process(target=_load, args=(theirs, address, port, lamps, SECONDS))
    process.start()
    said = ours.recv()
    done, took_s = synced(port), time.perf_counter() - start
    process.join()
    if isinstance(said, str):
        raise RuntimeError(said)
    end = time.monotonic() + 30
    while synced(port) - before < said and time.monotonic() < end:
        time.sleep(0.05)
    if synced(port) - before != said:
        raise RuntimeError(f"{said} messages were sent, {synced(port) - before} synced")
    return (done - before) / took_s
