"""Both processes of a demo, started and stopped.

It needs nothing of what either of them takes in: that would be a second in which neither has begun.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

SEED = 1
STOP_S_MAX = 20
LOOK_S = 0.5
NETWORK = "town.net.xml"
"""As `vigie.sim.traffic.town.network_file`, which would take a second to be asked."""

ANSWERS_ON = "vigie answers on "
"""What a post says when it does, and then its address."""

OLDER = "this folder is from an older vigie: its vehicles and crews are not those that drive. Remove it to make it anew"
"""What a post says where that is so; it is to be read, and not to pass with what the post is doing."""


def gateways_file(data: Path) -> Path:
    """What the gateways show to the post, and what it shows to them: written by the post, and read for the devices."""
    return data / "keys" / "demo-talq-gateways.json"


def streets_folder(data: Path) -> Path:
    """Where the devices keep the network and the routes of the town's traffic."""
    return data / "streets"


def in_hand(data: Path) -> Path:
    """A file that says, by when it was written, which network's junctions were given to adaptive control."""
    return streets_folder(data) / "in-hand"


def watched(data: Path, url: str, ended: Callable[[], str | None]) -> str:
    """Waits until one of both has ended, and says which. When there are streets, a process for a moment gives their
    junctions to adaptive control."""
    giving: subprocess.Popen[bytes] | None = None
    try:
        while (name := ended()) is None:
            time.sleep(LOOK_S)
            if giving is None and streets_are_new(data):
                command = [sys.executable, "-m", "vigie.cli", "demo-streets", "--data", str(data), "--url", url]
                giving = subprocess.Popen(command, start_new_session=True)
        return name
    finally:
        if giving is not None:
            _stop(giving)


def streets_are_new(data: Path) -> bool:
    """Whether there are streets whose junctions were not yet given to adaptive control."""
    network, given = streets_folder(data) / NETWORK, in_hand(data)
    return network.exists() and not (given.exists() and given.stat().st_mtime >= network.stat().st_mtime)


@contextlib.contextmanager
def both(
    data: Path, port: int, seed: int, say: Callable[[str], None]
) -> Generator[tuple[str, Callable[[], str | None]]]:
    """Starts the post, which prepares its folder, and, when it answers, the devices; stops both at the end.

    say: gets what the post is doing until it answers. Gives the post's address, and a question: which of the two has
    ended by itself, if any. Raises RuntimeError when the post does not come up.
    """
    processes: dict[str, subprocess.Popen[str]] = {}

    def start(
        name: str, module: str, *arguments: str, end: int | None, stdin: int | None = None, stdout: int | None = None
    ) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", module, *arguments, "--seed", str(seed)]
        # A session of their own: Ctrl-C reaches this process alone, and it stops the post before the devices.
        processes[name] = subprocess.Popen(
            command, stdin=stdin, stdout=stdout, text=True, start_new_session=True, env=os.environ,
            pass_fds=[] if end is None else [end],
        )  # fmt: skip
        return processes[name]

    try:
        with _pipe(needed=not gateways_file(data).exists()) as (reads, writes):
            # The devices make the city while the post opens its store; it takes in what it is handed.
            hand_to = [] if writes is None else ["--hand-to", str(writes)]
            devices = start("the metropolis", "vigie.sim", *hand_to, end=writes, stdin=subprocess.PIPE)
            command = ["demo-post", "--data", str(data), "--port", str(port)]
            handed = [] if reads is None else ["--handed", str(reads)]
            post = start("the post", "vigie.cli", *command, *handed, end=reads, stdout=subprocess.PIPE)
        assert post.stdout is not None
        assert devices.stdin is not None
        url = ""
        while not url:
            line = post.stdout.readline()
            if not line:
                raise RuntimeError("the post did not come up; its reason stands above")
            said, found, url = line.strip().partition(ANSWERS_ON)
            if not found:
                say(said)
        with contextlib.suppress(BrokenPipeError):  # Whether they live is asked by the caller.
            json.dump({"url": url, "streets": str(streets_folder(data)), **_gateways_of(data)}, devices.stdin)
            devices.stdin.close()
        yield url, lambda: next((name for name, each in processes.items() if each.poll() is not None), None)
    finally:
        # The post first, so that it misses nobody. Whoever cannot wait and interrupts again leaves nobody behind.
        with contextlib.ExitStack() as each_is_stopped:
            for process in processes.values():
                each_is_stopped.callback(_stop, process)


def _stop(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_S_MAX)
        finally:
            process.kill()
            process.wait()


@contextlib.contextmanager
def _pipe(*, needed: bool) -> Generator[tuple[int | None, int | None]]:
    """A pipe, to be given to two processes: where one of them dies, the other is told, since nobody else holds it."""
    ends = os.pipe() if needed else None
    try:
        yield ends or (None, None)
    finally:
        for end in ends or ():
            os.close(end)


def _gateways_of(data: Path) -> dict[str, Any]:
    known: dict[str, Any] = json.loads(gateways_file(data).read_text("utf-8"))
    return {name: said for name, said in known.items() if name != "talq"}
