"""Sessions and tokens at the door: who asks is read here, and nowhere else.

A browser shows a cookie, and for what writes a token against forged requests too; a program shows a token of its own.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar
from urllib.parse import urlsplit

import msgspec
import structlog
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route

from vigie.api.access import SESSION_COOKIE, Caller
from vigie.api.bodies import answer, read_json
from vigie.api.problems import Problem
from vigie.engine.accounts import SESSION_US_MAX, Directory, Held, Session, secret_digest
from vigie.engine.keeper import By, Keeper, Owed, Refused, TooMany
from vigie.engine.passwords import PasswordsBusy, PasswordWeak
from vigie.engine.ports import Clock, StorageFull
from vigie.store.accounts import SqlAccounts

LOGIN_BYTES_MAX = 8 << 10
"""What is read of somebody whom nobody knows yet: the longest login and password, however they are escaped."""

_log = structlog.get_logger("vigie.accounts")

P = ParamSpec("P")
R = TypeVar("R")


class Login(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who wants in."""

    login: str
    password: str

    def __repr__(self) -> str:
        return "Login(...)"


class NewPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person's own password, changed."""

    old: str
    new: str

    def __repr__(self) -> str:
        return "NewPassword(...)"


class UserTold(msgspec.Struct, frozen=True):
    """A user as they see themselves."""

    id: str
    login: str
    name: str
    language: str


class RoleTold(msgspec.Struct, frozen=True):
    """A role with what it allows."""

    role: str
    area: str
    services: list[str]
    verbs: list[str]


class SessionTold(msgspec.Struct, frozen=True):
    """Who works here, and what they may do. csrf: goes into X-CSRF-Token of every request that writes."""

    user: UserTold
    roles: list[RoleTold]
    csrf: str


class SessionAccess:
    """Recognises callers by their session's cookie or their token."""

    def __init__(self, directory: Directory, clock: Clock) -> None:
        self._directory, self._clock = directory, clock

    def caller(self, connection: HTTPConnection, *, writes: bool = False) -> Caller:
        """See `vigie.api.access.Access`. Where a token is shown, the cookie is not looked at."""
        shown = connection.headers.get("authorization")
        if shown is not None:
            return self._by_token(shown)
        session = self.session(connection)
        if session is None:
            raise Problem(
                401,
                "Who asks?",
                "This needs a session or a token.",
                mend="Log in, or send 'Authorization: Bearer TOKEN'.",
            )
        if writes or connection.scope["type"] == "websocket":
            check_same_site(connection)
        if writes:
            _check_csrf(connection)
        self._directory.use(session.id, self._clock.now_us())
        user = self._directory.user(session.user)
        language = user.language if user else "fr"
        return Caller(session.user, self._directory.scope_of(session.user), session.id, language)

    def alive(self, session: str) -> bool:
        """See `vigie.api.access.Access`. An open socket is use of its session."""
        now_us = self._clock.now_us()
        self._directory.use(session, now_us)
        return self._directory.alive(session, now_us)

    def session(self, connection: HTTPConnection) -> Session | None:
        """The session whose cookie is shown, if it counts; it is not used by this."""
        secret = connection.cookies.get(SESSION_COOKIE, "")
        return self._directory.session_of(secret_digest(secret), self._clock.now_us()) if secret else None

    def _by_token(self, shown: str) -> Caller:
        scheme, _, secret = shown.partition(" ")
        known = self._directory.token_of(secret_digest(secret.strip()), self._clock.now_us())
        if scheme.lower() != "bearer" or known is None:
            raise Problem(401, "Who asks?", "This token is unknown, expired or revoked.", mend="Ask for a new one.")
        maker = self._directory.user(known.maker)
        # A token acts in its maker's name, so that it is no second person; one made on the machine has only itself.
        return Caller(
            maker.id if maker else known.id,
            self._directory.scope_of_token(known),
            known.id,
            maker.language if maker else "fr",
        )


def csrf_of(secret: str) -> str:
    """The token against forged requests: derived from the session's secret, so that nothing is kept of it."""
    return hmac.new(secret.encode("utf-8", "surrogatepass"), b"vigie csrf 1", hashlib.sha256).hexdigest()


def check_same_site(connection: HTTPConnection) -> None:
    """Raises Problem 403 for a request that a page of another site made. A program that is no browser says neither
    header, and is held by its token alone."""
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        same = site in {"same-origin", "none"}
    else:
        origin = connection.headers.get("origin")
        same = origin is None or urlsplit(origin).netloc.lower() == connection.headers.get("host", "").lower()
    if not same:
        raise Problem(
            403,
            "From another site",
            "A page of another site may not do this.",
            mend="Where a proxy stands in front, it must pass the Host header on as it came.",
        )


def _check_csrf(connection: HTTPConnection) -> None:
    shown = connection.headers.get("x-csrf-token", "")
    if not hmac.compare_digest(shown.encode(), csrf_of(connection.cookies.get(SESSION_COOKIE, "")).encode()):
        raise Problem(
            403,
            "Not confirmed",
            "The request lacks its token against forged requests.",
            mend="Send X-CSRF-Token with what GET /api/v1/session says as csrf.",
        )


def told_as_problems(
    work: Callable[Concatenate[R, Request, P], Awaitable[Response]],
) -> Callable[Concatenate[R, Request, P], Awaitable[Response]]:
    """What the keeper refuses is told to the person as a problem."""

    @wraps(work)
    async def told(self: R, request: Request, *args: P.args, **kwargs: P.kwargs) -> Response:
        try:
            return await work(self, request, *args, **kwargs)
        except Refused as error:
            raise Problem(409, "Not possible", f"{str(error).capitalize()[0]}{str(error)[1:]}.") from None
        except PasswordWeak as error:
            raise Problem(422, "Password not taken", f"{str(error).capitalize()[0]}{str(error)[1:]}.") from None
        except PasswordsBusy:
            raise Problem(503, "Busy", "Many log in just now.", retry_after_s=1) from None
        except TooMany as error:
            mend = "Wait; then try again."
            raise Problem(
                429, "Too many attempts", "Too many failed.", mend=mend, retry_after_s=error.retry_after_s
            ) from None
        except Owed:
            raise Problem(
                507,
                "Disk full",
                "They are out; that they are will be kept when there is room, if the post is not stopped before.",
                mend="Make room; then see that it was kept.",
                retry_after_s=30,
            ) from None
        except StorageFull:
            raise Problem(507, "Disk full", "Nothing was changed.", mend="Make room.", retry_after_s=30) from None

    return told


def roles_told(held: Sequence[Held]) -> list[RoleTold]:
    """Roles as they are told."""
    return [RoleTold(each.role, each.area, sorted(each.services), sorted(map(str, each.grant.verbs))) for each in held]


class LoginFigures(Collector):
    """Logins by what became of them, for Prometheus: the keeper's own counters, read when they are asked for."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper

    def collect(self) -> Iterable[Metric]:
        """The figures as they stand."""
        logins = CounterMetricFamily("vigie_logins", "Logins by what became of them", labels=["outcome"])
        for outcome in ("let_in", "refused", "throttled", "busy"):
            logins.add_metric([outcome], self._keeper.logins[outcome])
        yield logins


class _Door:
    """Log in, log out, who am I."""

    def __init__(self, keeper: Keeper, access: SessionAccess, accounts: SqlAccounts, proxies: int) -> None:
        self._keeper, self._access, self._accounts, self._proxies = keeper, access, accounts, proxies

    @told_as_problems
    async def log_in(self, request: Request) -> Response:
        """Opens a session and sets its cookie; a session that the browser had ends. 401 for a wrong login or
        password, 429 after too many."""
        check_same_site(request)
        wanted = await read_json(request, Login, LOGIN_BYTES_MAX)
        peer = peer_of(request, self._proxies)
        try:
            opened = await self._keeper.log_in(
                wanted.login, wanted.password, peer, instead_of=self._access.session(request)
            )
        except TooMany:
            _log.warning("login throttled", peer=peer)
            raise
        if opened is None:
            # The login is not logged: people type their password there.
            _log.info("login refused", peer=peer)
            raise Problem(401, "Not recognised", "Login or password is wrong.")
        session, secret = opened
        _log.info("logged in", user=session.user, session=session.id, peer=peer)
        response = answer(self._told(session.user, secret))
        response.set_cookie(
            SESSION_COOKIE,
            secret,
            max_age=SESSION_US_MAX // 1_000_000,
            path="/",
            secure=is_https(request),
            httponly=True,
            samesite="strict",
        )
        return response

    async def who_am_i(self, request: Request) -> Response:
        """Who works here and what they may do; 401 for nobody known."""
        caller = self._access.caller(request)
        token = self._keeper.directory.token(caller.session, self._keeper.now_us())
        if token is None:
            return answer(self._told(caller.actor, request.cookies.get(SESSION_COOKIE, "")))
        known = self._accounts.person(caller.actor)
        user = UserTold(caller.actor, (known and known.login) or "", token.name, caller.language)
        return answer(SessionTold(user, roles_told([token.held]), ""))

    @told_as_problems
    async def log_out(self, request: Request) -> Response:
        """Ends the session and takes its cookie away."""
        caller = self._access.caller(request, writes=True)
        await self._keeper.close_session(By(caller.actor), caller.session, "logout")
        response = Response(status_code=204)
        response.delete_cookie(SESSION_COOKIE, path="/", secure=is_https(request), httponly=True, samesite="strict")
        return response

    @told_as_problems
    async def change_password(self, request: Request) -> Response:
        """Changes one's own password: it takes the old one. All one's sessions end, this one too."""
        caller = self._access.caller(request, writes=True)
        wanted = await read_json(request, NewPassword)
        if not await self._keeper.change_password(caller.actor, wanted.old, wanted.new):
            raise Problem(403, "Not confirmed", "The old password is wrong.")
        return Response(status_code=204)

    def _told(self, user: str, secret: str) -> SessionTold:
        known = self._accounts.person(user)
        login, name, language = (known.login, known.name, known.language) if known else (None, None, "fr")
        roles = roles_told(self._keeper.directory.roles_of(user))
        return SessionTold(UserTold(user, login or "", name or "", language), roles, csrf_of(secret))


def is_https(request: Request) -> bool:
    """Whether the browser came by https. A proxy's word is taken: whoever lies only loses their own cookie."""
    return request.url.scheme == "https" or request.headers.get("x-forwarded-proto", "").lower() == "https"


def peer_of(request: Request, proxies: int) -> str:
    """The address a request comes from. proxies: how many stand in front; each appends whom it heard, and what stands
    before their words is the sender's own invention."""
    if proxies:
        said = [each.strip() for each in request.headers.get("x-forwarded-for", "").split(",") if each.strip()]
        with suppress(ValueError):
            return str(ipaddress.ip_address(said[-min(proxies, len(said))] if said else ""))
    return request.client.host if request.client else ""


def network_of(peer: str) -> str:
    """What one who asks has of addresses: of IPv6 a network of 64 bits, each address of which they may take."""
    with suppress(ValueError):
        address = ipaddress.ip_address(peer)
        if isinstance(address, ipaddress.IPv6Address):
            return str(address.ipv4_mapped or ipaddress.ip_network((int(address), 64), strict=False))
    return peer


def is_loopback(peer: str) -> bool:
    """Whether an address is this machine's own."""
    with suppress(ValueError):
        return ipaddress.ip_address(peer).is_loopback
    return False


def session_routes(keeper: Keeper, access: SessionAccess, accounts: SqlAccounts, *, proxies: int = 0) -> list[Route]:
    """Sessions. proxies: see `peer_of`."""
    door = _Door(keeper, access, accounts, proxies)
    return [
        Route("/api/v1/session", door.log_in, methods=["POST"]),
        Route("/api/v1/session", door.who_am_i, methods=["GET"]),
        Route("/api/v1/session", door.log_out, methods=["DELETE"]),
        Route("/api/v1/session/password", door.change_password, methods=["POST"]),
    ]
