"""Posts that start in a moment: a process that has taken in all that a post needs makes copies of itself.

A suite starts some hundreds of posts, and to take in the libraries is more than half of what a start costs. What runs
in the copy is what runs in a post of its own: `vigie serve`, from the command line on. Run as a program, this file is
the process that is copied; it has no thread when it forks.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

_REQUEST_BYTES_MAX = 1 << 20
_LENGTH_BYTES = 4


class Started:
    """A process that was started here, as `subprocess.Popen` has one of its own."""

    def __init__(self, args: list[str], pid: int, stdout: IO[str], end: int) -> None:
        self.args, self.pid, self.stdout, self.returncode = args, pid, stdout, None
        self._end = end
        self.returncode: int | None

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, or minus the signal. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._end], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = os.waitstatus_to_exitcode(int.from_bytes(os.read(self._end, 4)))
            os.close(self._end)
            self.stdout.close()
        return self.returncode

    def poll(self) -> int | None:
        """The exit code once there is one."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def send_signal(self, number: int) -> None:
        """Sends it, unless the process is gone."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Ready:
    """The process that is copied, as whoever asks for copies sees it."""

    def __init__(self) -> None:
        self._door, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()], start_new_session=True
            )

    def start(self, args: Sequence[str], environment: Mapping[str, str], stderr: Path) -> Started:
        """Runs `vigie` with these arguments in a session of its own."""
        said, told = os.pipe()
        ended, end = os.pipe()
        with stderr.open("a") as log:
            asked = json.dumps({"args": list(args), "environment": dict(environment), "cwd": str(Path.cwd())}).encode()
            head = len(asked).to_bytes(_LENGTH_BYTES)
            socket.send_fds(self._door, [head + asked], [told, log.fileno(), end])
        os.close(told)
        os.close(end)
        pid = int.from_bytes(self._door.recv(_LENGTH_BYTES, socket.MSG_WAITALL))
        return Started(["vigie", *args], pid, os.fdopen(said), ended)


def _serve(door: socket.socket) -> None:
    """Copies itself whenever it is asked to, until nobody can ask any more."""
    ends: dict[int, int] = {}

    def reap(*_: object) -> None:
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                end = ends.pop(found[0])
                with contextlib.suppress(BrokenPipeError):
                    os.write(end, found[1].to_bytes(4))
                os.close(end)

    signal.signal(signal.SIGCHLD, reap)
    while True:
        head, fds, _, _ = socket.recv_fds(door, _LENGTH_BYTES, 3)
        if not head:
            return
        size = int.from_bytes(head)
        assert size <= _REQUEST_BYTES_MAX
        asked = json.loads(door.recv(size, socket.MSG_WAITALL))
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        pid = os.fork()
        if not pid:
            door.close()
            for other in ends.values():
                os.close(other)
            _become(asked, *fds)
        ends[pid] = fds[2]
        os.close(fds[0])
        os.close(fds[1])
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
        door.sendall(pid.to_bytes(_LENGTH_BYTES))


def _become(asked: dict[str, Any], stdout: int, stderr: int, end: int) -> None:
    """Is a process of its own from here on: it runs the command, and does not come back."""
    os.close(end)
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    os.close(stdout)
    os.close(stderr)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = ["vigie", *asked["args"]]
    from vigie.cli import program

    program()


if __name__ == "__main__":
    import alembic.command  # noqa: F401
    import holidays.countries  # noqa: F401

    import vigie.cli.serving  # noqa: F401

    # What is there already is looked through by no copy, and stays shared.
    gc.freeze()
    _serve(socket.socket(fileno=int(sys.argv[1])))
    os._exit(0)
