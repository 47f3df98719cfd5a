"""Who asks, and what they may: the one question that every route of people and programs begins with.

Who-is-it (a session's cookie, a token) and what-may-they (the Scope) are answered apart, so that a directory's single
sign-on can answer the first one day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from starlette.requests import HTTPConnection

from vigie.api.problems import Problem
from vigie.core.scope import Scope, Verb
from vigie.engine.keeper import LANGUAGES


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who was recognised.

    actor: their pseudonymous id, as the journal says it. scope: what they may see and do. session: the id of the
    session or token they speak through; language: what they read.
    """

    actor: str
    scope: Scope
    session: str
    language: str = "fr"

    def need(self, verb: Verb) -> Scope:
        """The part of the scope in which the verb is allowed. Raises Problem 403 where it is allowed nowhere."""
        allowed = self.scope.may(verb)
        if not allowed.grants:
            raise Problem(403, "Not allowed", f"You may not do this: it takes the right {verb.value!r}.")
        return allowed


class Access(Protocol):
    """Recognises callers."""

    def caller(self, connection: HTTPConnection, *, writes: bool = False) -> Caller:
        """Who asks. Raises Problem 401 for nobody known, 403 for a request that writes without its anti-forgery token.

        writes: whether the request changes anything; a session then needs its token in X-CSRF-Token.
        """
        ...

    def alive(self, session: str) -> bool:
        """Whether the session or token still counts: asked again and again by whoever keeps a socket open."""
        ...


SESSION_COOKIE = "vigie_session"


def language_of(connection: HTTPConnection) -> str:
    """The first of our languages that Accept-Language names, by its weights; French where it names none."""
    weighed: list[tuple[float, str]] = []
    for part in connection.headers.get("accept-language", "").split(","):
        name, _, weight = part.strip().partition(";q=")
        language = name.partition("-")[0].lower()
        try:
            weighed.append((-float(weight or 1), language))
        except ValueError:
            continue
    return next((language for _, language in sorted(weighed, key=lambda each: each[0]) if language in LANGUAGES), "fr")


def nobody(connection: HTTPConnection) -> Caller:
    """Somebody without an account, who sees what kinds mark public."""
    return Caller("", Scope(), "", language_of(connection))


def caller_or_public(access: Access, connection: HTTPConnection) -> Caller:
    """Who asks, or nobody where no credentials are shown. Raises Problem 401 for credentials that count no more: who
    believes to be logged in must not take what is public for all there is."""
    shown = "authorization" in connection.headers or SESSION_COOKIE in connection.cookies
    return access.caller(connection) if shown else nobody(connection)
