"""The town's traffic as a process beside the devices: started, listened to, and started again where it ends.

Until it is there, and whenever it is not, junctions and detectors live as they do without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Set
from pathlib import Path

import msgspec

from vigie.sim.traffic.shown import Asked, Frame, Shown

AGAIN_S = (15.0, 60.0, 300.0)
"""How long after each end it is started again; the last, ever after."""

LIVED_S = 600.0
"""Who has lived for so long is started again as soon as the first time."""

NO_TOWN = 3
"""How the process ends where no town can be made on this machine: nothing is gained by starting it again."""

FRAME_BYTES_MAX = 4 << 20
SILENT_S_MAX = 15.0
"""A process that says nothing for so long, once it has begun, is ended: junctions stand still as long."""

ENDS_S_MAX = 2.0
"""So long a process has to end by itself, once its input has ended."""

MAKES_S_MAX = 900.0
"""The same, before its first second: it makes its network and lets traffic come in."""

HEAD_BYTES = 4


class Moving:
    """The process, and what it said last. Lives on one event loop; sites read it as `Streets`."""

    def __init__(self, folder: Path, seed: int, hear: Callable[[Frame], None], gone: Callable[[], None]) -> None:
        """folder: where the town is kept. hear: gets each second. gone: told when no more come."""
        self._command = [sys.executable, "-m", "vigie.sim.traffic", "--folder", str(folder), "--seed", str(seed)]
        self._hear, self._gone = hear, gone
        self._seconds: Mapping[int, Shown] = {}
        self._to: asyncio.StreamWriter | None = None
        self.pid: int | None = None
        """Of the process while it lives."""
        self._ended: int | None = None

    def seconds(self) -> Mapping[int, Shown]:
        """The last second of each junction; none while there is no traffic."""
        return self._seconds

    def set_inputs(self, junction: int, on: Set[int]) -> None:
        """All inputs that are active at a junction."""
        self.ask(Asked(junction, inputs=tuple(sorted(on))))

    def ask(self, asked: Asked) -> None:
        """Asks something of a junction's controller; nobody hears it while there is no traffic."""
        if self._to is not None and not self._to.is_closing():
            self._to.write(framed(asked))

    async def run(self) -> None:
        """Has traffic until it is cancelled, or until no town can be made."""
        loop, turn = asyncio.get_running_loop(), 0
        while True:
            began = loop.time()
            await self._once()
            if self._ended == NO_TOWN:
                return
            turn = 0 if loop.time() - began > LIVED_S else turn
            await asyncio.sleep(AGAIN_S[min(turn, len(AGAIN_S) - 1)])
            turn += 1

    async def _once(self) -> None:
        """From a start of the process to its end. What it puts on the disk goes with it, however it ends."""
        with tempfile.TemporaryDirectory(prefix="vigie-traffic-") as own:
            await self._lived(own)

    async def _lived(self, temporary: str) -> None:
        pipe, around = asyncio.subprocess.PIPE, {**os.environ, "TMPDIR": temporary}
        process = await asyncio.create_subprocess_exec(*self._command, stdin=pipe, stdout=pipe, env=around)
        assert process.stdin is not None
        assert process.stdout is not None
        self.pid = process.pid
        self._to = process.stdin
        try:
            # Its end, its silence, or what is no frame: each ends it.
            with contextlib.suppress(EOFError, OSError, ValueError):
                await self._listen(process.stdout)
        finally:
            self._to, self._seconds = None, {}
            self._gone()
            try:
                self._ended = await _ended(process)
            finally:
                self.pid = None

    async def _listen(self, said: asyncio.StreamReader) -> None:
        decoder, patience_s = msgspec.msgpack.Decoder(Frame), MAKES_S_MAX
        while True:
            async with asyncio.timeout(patience_s):
                size = int.from_bytes(await said.readexactly(HEAD_BYTES), "big")
                if size > FRAME_BYTES_MAX:
                    raise ValueError(f"a frame of {size:,} bytes")
                frame = decoder.decode(await said.readexactly(size))
            patience_s = SILENT_S_MAX
            self._seconds = frame.junctions
            self._hear(frame)


async def _ended(process: asyncio.subprocess.Process) -> int:
    """Ends a process, by itself if it can; how it ended."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        # Not `asyncio.timeout`: before Python 3.11.4 it does not tell its own end from a cancellation before it.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), ENDS_S_MAX)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        ended = await process.wait()
    return ended


def framed(said: Frame | Asked) -> bytes:
    """What is said on the pipe, with its length before it."""
    packed = msgspec.msgpack.encode(said)
    return len(packed).to_bytes(HEAD_BYTES, "big") + packed
