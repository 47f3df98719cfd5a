"""Passwords: Argon2id, in threads of their own, so that the loop of everything else does not stall."""

from __future__ import annotations

import asyncio
import base64
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

PASSWORD_CHARACTERS_MIN = 12
PASSWORD_CHARACTERS_MAX = 256
AT_ONCE_MAX = 2
WAITING_MAX = 16

T = TypeVar("T")


class PasswordWeak(Exception):
    """A password that is not taken; says what one must have."""


class PasswordsBusy(Exception):
    """More passwords wait to be checked than may wait."""


class Passwords:
    """Hashes and checks. Each takes 64 MiB and about a tenth of a second (RFC 9106, section 4, second choice), so two
    are worked on at once and a few may wait."""

    def __init__(self, parameters: Parameters = RFC_9106_LOW_MEMORY) -> None:
        self._hasher = PasswordHasher.from_parameters(parameters)
        self._threads = ThreadPoolExecutor(AT_ONCE_MAX, thread_name_prefix="vigie-passwords")
        self._waiting = 0
        # A hash of the same cost that no known password has: what an unknown login is held against.
        salt, tag = (
            base64.b64encode(bytes(n)).decode().rstrip("=") for n in (parameters.salt_len, parameters.hash_len)
        )
        cost = f"m={parameters.memory_cost},t={parameters.time_cost},p={parameters.parallelism}"
        self._nobodys = f"$argon2id$v={parameters.version}${cost}${salt}${tag}"

    async def hash(self, password: str) -> str:
        """What is kept of a new password. Raises PasswordWeak, PasswordsBusy."""
        text = _normal(password)
        if len(text) < PASSWORD_CHARACTERS_MIN or max(len(text), len(password)) > PASSWORD_CHARACTERS_MAX:
            raise PasswordWeak(
                f"a password has at least {PASSWORD_CHARACTERS_MIN} characters and at most {PASSWORD_CHARACTERS_MAX}; "
                "three or four words that do not belong together are a good one"
            )
        return await self._in_thread(lambda: self._hasher.hash(_bytes(text)))

    async def holds(self, kept: str | None, password: str) -> bool:
        """Whether this is the password that was kept. It takes the same work where nothing was. Raises
        PasswordsBusy."""
        # One that is too long is none of ours; it is cut, so that its length costs nothing.
        text = _normal(password[: PASSWORD_CHARACTERS_MAX + 1])

        def check() -> bool:
            try:
                return self._hasher.verify(kept or self._nobodys, _bytes(text)) and kept is not None
            except (VerificationError, InvalidHashError):
                return False

        return await self._in_thread(check)

    def is_outdated(self, kept: str) -> bool:
        """Whether it was hashed at another cost than new ones are."""
        return self._hasher.check_needs_rehash(kept)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._waiting >= AT_ONCE_MAX + WAITING_MAX:
            raise PasswordsBusy
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def _normal(password: str) -> str:
    """The same for each way in which keyboards and systems write the same characters (RFC 8265 asks for more)."""
    return unicodedata.normalize("NFKC", password)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
