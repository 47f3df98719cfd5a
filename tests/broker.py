"""A real mosquitto in a process of its own, with the settings that vigie ships."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Generator, Sequence
from pathlib import Path

from tests.post import reading
from vigie.transports.device_mqtt import MqttSender
from vigie.transports.mosquitto import SALT_BYTES, broker_files, password_line
from vigie.transports.mqtt import Address

TOPIC = "vigie/v1/gateway/observations"
USERS = {"vigie": "of the post", "gateway": "of the gateway", "stranger": "of the stranger"}


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Broker:
    """A broker that can be killed and started again on the same folder and port."""

    def __init__(
        self,
        program: Path,
        folder: Path,
        *,
        autosave_s: int | None = None,
        make: bool = True,
        port: int | None = None,
    ) -> None:
        """make: whether the folder is made here, with USERS; else it is there already."""
        self._program, self.folder, self.port = program, folder, port or free_port()
        self.address = Address("127.0.0.1", self.port, tls=False)
        self.process: subprocess.Popen[bytes] | None = None
        if make:
            self._make(folder, autosave_s)
        conf = folder / "mosquitto.conf"
        # As root mosquitto becomes another user, who may not write in a test's folder.
        conf.write_text(conf.read_text("utf-8") + "\nuser root\n", "utf-8")

    def _make(self, folder: Path, autosave_s: int | None) -> None:
        (folder / "data").mkdir(parents=True)
        folder.chmod(0o755)
        for name, text in broker_files(folder, "vigie", port=self.port).items():
            (folder / name).write_text(text, "utf-8")
        conf = folder / "mosquitto.conf"
        text = conf.read_text("utf-8")
        if autosave_s is not None:
            text = "\n".join(
                f"autosave_interval {autosave_s}" if x.startswith("autosave") else x for x in text.split("\n")
            )
        conf.write_text(text, "utf-8")
        lines = [password_line(user, said, secrets.token_bytes(SALT_BYTES)) for user, said in USERS.items()]
        (folder / "passwords").write_text("\n".join(lines) + "\n", "utf-8")
        (folder / "vigie.password").write_text(USERS["vigie"], "utf-8")

    def start(self) -> None:
        """Starts it and waits until it listens."""
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(
            [str(self._program), "-c", str(self.folder / "mosquitto.conf")], stdout=log, stderr=log
        )
        end = time.monotonic() + 10
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < end, "the broker does not listen"
            time.sleep(0.02)

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def reload(self) -> None:
        """SIGHUP: it reads its passwords and its access list anew."""
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)
        time.sleep(0.5)

    def stop(self) -> None:
        """SIGTERM: it saves what it holds."""
        self._end(signal.SIGTERM)

    @property
    def settings(self) -> dict[str, str]:
        """How a post finds it, as environment."""
        return {
            "VIGIE_MQTT_URL": f"mqtt://127.0.0.1:{self.port}",
            "VIGIE_MQTT_PASSWORD_FILE": str(self.folder / "vigie.password"),
        }

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(20)
            self.process = None


@contextlib.contextmanager
def running_broker(program: Path, folder: Path, *, autosave_s: int | None = None) -> Generator[Broker]:
    """A broker that is stopped at the end."""
    broker = Broker(program, folder, autosave_s=autosave_s)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


class Publisher(threading.Thread):
    """A gateway that publishes 2,000 single observations a second, until told to stop or cut off.

    A whole town says less; as fast as the broker takes them would keep both processors from all else that is tested.

    acknowledged: what the broker said it has in its keeping, as (asset, observed, value).
    """

    def __init__(self, broker: Broker, assets: Sequence[str], first_us: int) -> None:
        super().__init__(name="publisher", daemon=True)
        self._broker, self._assets, self._at_us = broker, assets, first_us
        self._enough = threading.Event()
        self.acknowledged: set[tuple[str, int, float]] = set()

    def stop(self) -> None:
        """No more; what is on its way is waited for."""
        self._enough.set()
        self.join(30)

    def run(self) -> None:
        asyncio.run(self._send())

    async def _send(self) -> None:
        sender = await MqttSender.open(self._broker.address, f"gateway-{self._at_us}", "gateway", USERS["gateway"])
        with contextlib.suppress(ConnectionError):
            while not self._enough.is_set():
                await asyncio.gather(asyncio.sleep(0.1), *[self._one(sender) for _ in range(200)])
        await sender.close()

    async def _one(self, sender: MqttSender) -> None:
        self._at_us += 1
        asset, at_us, value = self._assets[self._at_us % len(self._assets)], self._at_us, float(self._at_us % 100)
        body = json.dumps(reading(asset, "power", value, at_us)).encode()
        if await sender.publish(TOPIC, body) < 0x80:
            self.acknowledged.add((asset, at_us, value))
