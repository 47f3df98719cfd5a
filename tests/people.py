"""People for tests of a real post: their accounts, and their browsers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.post import NO_RESERVE, Answer, RunningPost
from vigie.app import installation
from vigie.app.accounts import keeper_of
from vigie.core.facts import COMMAND_LINE
from vigie.engine.accounts import Held
from vigie.engine.keeper import By
from vigie.engine.passwords import Passwords
from vigie.settings import Settings

PASSWORD = "a lamp over the square"
ALL = frozenset({"*"})

QUETIGNY = "dijon-metropole/quetigny"

PEOPLE: dict[str, tuple[Held, ...]] = {
    "operator": (Held("operator", "", ALL),),
    "crew": (Held("crew", QUETIGNY, frozenset({"lighting"})),),
    "colleague": (Held("crew", QUETIGNY, frozenset({"lighting"})),),
    "roadman": (Held("crew", QUETIGNY, ALL),),
    "supervisor": (Held("supervisor", "", ALL),),
    "manager": (Held("manager", "", frozenset({"lighting"})),),
    "deputy": (Held("manager", "", frozenset({"lighting"})),),
    "planner": (Held("manager", "", frozenset({"roads"})),),
    "surveyor": (Held("manager", QUETIGNY, frozenset({"roads", "signals"})),),
    "mayor": (Held("manager", QUETIGNY, frozenset({"lighting"})),),
    "elected": (Held("elected", "", ALL),),
    "administrator": (Held("administrator", "", ALL),),
    "warden": (Held("administrator", QUETIGNY, ALL),),
    "neighbour": (Held("operator", QUETIGNY, ALL), Held("elected", "", ALL)),
}
"""Login -> what they hold. All have the same password."""


class _Once(Passwords):
    """Hashes a password once, whoever has it: a dozen hashes take longer than all else that makes an installation."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, str] = {}

    async def hash(self, password: str) -> str:
        if password not in self._known:
            self._known[password] = await super().hash(password)
        return self._known[password]


_PASSWORDS = _Once()


def make_people(folder: Path, people: Iterable[str] = PEOPLE) -> dict[str, str]:
    """Gives people an account on an installation that nothing runs on; returns their ids by their logins."""
    with installation(Settings(data=folder, **NO_RESERVE)) as opened:
        keeper = keeper_of(opened)
        keeper._passwords = _PASSWORDS

        async def make() -> dict[str, str]:
            by = By(COMMAND_LINE, "for the tests")
            return {
                login: await keeper.make_user(by, login, f"{login.capitalize()} Durand", PASSWORD, PEOPLE[login])
                for login in people
            }

        return asyncio.run(make())


class Browser:
    """Somebody's browser: it keeps the cookie and sends the token against forged requests."""

    def __init__(self, post: RunningPost, login: str, password: str = PASSWORD) -> None:
        self.post = post
        self.entered = ask_json(post, "POST", "/api/v1/session", {"login": login, "password": password})
        self.cookie = self.entered.headers.get("set-cookie", "").partition(";")[0]
        self.csrf: str = self.entered.body.get("csrf", "")

    @property
    def secret(self) -> str:
        """The session's secret."""
        return self.cookie.partition("=")[2]

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """A request as this person."""
        said = {"Cookie": self.cookie, "X-CSRF-Token": self.csrf} | headers
        return ask_json(self.post, method, path, body, **said)


class AtWork:
    """People at work at one post, each in one session.

    The post keeps sixteen sessions of a person and closes the first for the seventeenth, so tests that share a post
    share these: one that logged in anew would in the end log another out.
    """

    def __init__(self) -> None:
        self._browsers: dict[str, Browser] = {}

    def browser(self, post: RunningPost, login: str) -> Browser:
        """Somebody's, who logs in where nobody has yet."""
        if login not in self._browsers:
            self._browsers[login] = Browser(post, login)
        return self._browsers[login]

    def forget(self, login: str) -> None:
        """Somebody has logged out."""
        self._browsers.pop(login, None)


def ask_json(post: RunningPost, method: str, path: str, body: Any = None, **headers: str) -> Answer:
    """A request with a JSON body, as nobody in particular."""
    typed = {} if body is None else {"Content-Type": "application/json"}
    return post.ask(method, path, None if body is None else json.dumps(body).encode(), **(typed | headers))
