"""The control socket: what the command line asks of a running post, over a local socket that its owner alone may open.

One line of JSON asks: {"do": "journal.show", "with": {"limit": 20}}. Lines answer: {"at": ["leaves", 1000, 5000]} from
time to time, then {"done": ...} or {"wrong": "a sentence"}.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import structlog

NAME = "control.sock"
ASK_BYTES_MAX = 1 << 20
AT_ONCE_MAX = 8
ASK_S_MAX = 10.0

Say = Callable[[str, int, int], None]
"""say(what, done, total): how far it is."""

Perform = Callable[[str, Any, Say], Awaitable[Any]]
"""perform(do, with, say): does it and returns what is answered. Raises Wrong for what a person can mend."""

_encode = msgspec.json.Encoder().encode
_log = structlog.get_logger("vigie.control")


class Wrong(Exception):
    """It cannot be done, and why: a sentence for a person."""


class _Ask(msgspec.Struct, rename={"args": "with"}):
    """What is asked."""

    do: str
    args: Any = None


class _Answer(msgspec.Struct):
    """A line of the answer."""

    at: tuple[str, int, int] | None = None
    done: Any = None
    wrong: str | None = None


_ask = msgspec.json.Decoder(_Ask)
_answer = msgspec.json.Decoder(_Answer)


class ControlSocket:
    """The post's end."""

    def __init__(self, folder: Path, perform: Perform) -> None:
        self._folder, self._perform = folder, perform
        self._busy = 0
        self._stopping = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Answers until cancelled. What was begun then is cancelled too, in a thread the next time that it says how
        far it is."""
        server = await asyncio.start_unix_server(self._serve, sock=_bound(self._folder), limit=ASK_BYTES_MAX)
        try:
            await server.serve_forever()
        finally:
            self._stopping = True
            server.close()
            _away(self._folder)
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._busy += 1
        try:
            with suppress(ConnectionError):
                await self._answer(reader, writer)
        finally:
            self._busy -= 1
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def tell(**said: Any) -> None:
            # Whoever asked may be gone; what was begun is finished all the same.
            if not writer.is_closing():
                writer.write(_encode(said) + b"\n")

        loop = asyncio.get_running_loop()

        def say(what: str, done: int, total: int) -> None:
            # Cancelling reaches no thread: what works in one ends at its next word.
            if self._stopping:
                raise Wrong("the post is stopping")
            loop.call_soon_threadsafe(lambda: tell(at=(what, done, total)))

        try:
            async with asyncio.timeout(ASK_S_MAX):
                asked = _ask.decode(await reader.readline())
        except (msgspec.DecodeError, ValueError, TimeoutError) as error:
            tell(wrong=f"not understood: {error}")
            return
        # Told when it has been read: who is told and cut off while still asking hears of a broken pipe, and not why.
        if self._busy > AT_ONCE_MAX:
            tell(wrong=f"{AT_ONCE_MAX} are asking already: try again in a moment")
            return
        try:
            done = await self._perform(asked.do, asked.args, say)
            # Progress that is on its way comes before the end.
            loop.call_soon(lambda: tell(done=done))
            await asyncio.sleep(0)
        except Wrong as error:
            loop.call_soon(lambda error=error: tell(wrong=str(error)))
            await asyncio.sleep(0)
        except Exception as error:
            _log.error("fault", do=asked.do, exc_info=error)
            tell(wrong=f"a fault of the post, noted in its log: {error!r}")
        await writer.drain()


def _away(folder: Path) -> None:
    (folder / NAME).unlink(missing_ok=True)


def _bound(folder: Path) -> socket.socket:
    """A socket at its place, in place of one that a killed post has left there."""
    _away(folder)
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        with _path(folder) as path:
            listener.bind(path)
    finally:
        os.umask(before)
    return listener


def ask(folder: Path, do: str, args: Any, say: Say) -> Any:
    """The command line's end: asks the post that has this folder. Raises Wrong; OSError where no post answers."""
    connection = socket.socket(socket.AF_UNIX)
    with connection, _path(folder) as path:
        connection.connect(path)
        connection.sendall(_encode({"do": do, "with": args}) + b"\n")
        with connection.makefile("rb") as lines:
            for line in lines:
                answer = _answer.decode(line)
                if answer.at is not None:
                    say(*answer.at)
                elif answer.wrong is not None:
                    raise Wrong(answer.wrong)
                else:
                    return answer.done
    raise Wrong("the post ended before it had answered")


@contextmanager
def _path(folder: Path) -> Generator[str]:
    """The socket's path, however deep the folder lies: a socket's own name may have 107 bytes."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}/{NAME}"
    finally:
        os.close(handle)
