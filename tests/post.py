"""A real post in a process of its own: made, started, spoken to, killed."""

from __future__ import annotations

import atexit
import contextlib
import functools
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from tests.city import drafts
from tests.ready import Ready, Started
from vigie.app import admit_device, installation
from vigie.core.times import rfc3339, to_us
from vigie.settings import Settings

# What a small disk leaves free must not decide these tests, but for the one about disks.
NO_RESERVE = {"reserve_observations_mb": 0, "reserve_facts_mb": 0}


def now_us() -> int:
    """The machine's time."""
    return to_us(datetime.now(UTC))


def make(folder: Path, *, lamps: int = 20) -> str:
    """An installation with a small city; returns the secret of a device that speaks for all of it."""
    made, secret = _made(lamps)
    shutil.copytree(made, folder, dirs_exist_ok=True)
    return secret


@functools.cache
def _made(lamps: int) -> tuple[Path, str]:
    """One that the others of this process are copies of."""
    folder = Path(tempfile.mkdtemp(prefix="vigie-made-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with installation(Settings(data=folder, city="Essai", **NO_RESERVE)) as opened:
        opened.take_assets("test", drafts(lamps))
        ids = [row[0] for row in opened.facts.registry_rows() if row[2] != "post"]
        return folder, admit_device(opened, "gateway", ids)


def reading(asset: str, point: str, value: Any, at_us: int) -> dict[str, Any]:
    """One observation as a device writes it."""
    return {"asset": asset, "point": point, "value": value, "at": rfc3339(at_us)}


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: Any


class RunningPost:
    """A post that answers on a port."""

    def __init__(self, process: subprocess.Popen[str] | Started, port: int, secret: str) -> None:
        self.process, self.port, self.secret = process, port, secret

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            text = response.read()
            said = {name.lower(): value for name, value in response.getheaders()}
            if said.get("content-type", "").startswith("image/"):
                return Answer(response.status, said, text)
            with contextlib.suppress(json.JSONDecodeError):
                return Answer(response.status, said, json.loads(text))
            return Answer(response.status, said, text.decode())
        finally:
            connection.close()

    def send(self, readings: Sequence[dict[str, Any]] | bytes, **headers: str) -> Answer:
        """Observations, as the admitted device unless said otherwise."""
        body = readings if isinstance(readings, bytes) else json.dumps(readings).encode()
        said = {"Authorization": f"Bearer {self.secret}", "Content-Type": "application/json"} | headers
        return self.ask("POST", "/device/v1/observations", body, **said)

    def kill(self) -> None:
        """kill -9, the whole group: nobody gets to say goodbye."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@functools.cache
def ready() -> Ready:
    """One for all posts of this process."""
    return Ready()


@contextlib.contextmanager
def running(
    folder: Path,
    secret: str,
    *,
    under: Sequence[str] = (),
    environment: dict[str, str] | None = None,
    port: int = 0,
) -> Generator[RunningPost]:
    """Starts the post and waits until it answers; stops it with SIGTERM unless it is gone by then."""
    reserves = {f"VIGIE_{name.upper()}": str(value) for name, value in NO_RESERVE.items()}
    args = ["serve", "--data", str(folder), "--port", str(port)]
    # What the loader of programs reads from the environment counts for a process of its own alone.
    apart = bool(under) or any(not name.startswith("VIGIE_") for name in environment or {})
    environment = os.environ | reserves | (environment or {})
    if apart:
        command = [*under, sys.executable, "-m", "vigie.cli", *args]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=(folder / "log").open("a"), text=True, start_new_session=True,
            env=environment,
        )  # fmt: skip
    else:
        process = ready().start(args, environment, folder / "log")
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "answers on" in line, (folder / "log").read_text()
        yield RunningPost(process, int(line.rsplit(":", 1)[1]), secret)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)
