"""Accounts in memory: who may log in, what they may do, which sessions and tokens count.

Loaded once at the start and moved by the same facts that move the tables. Its laws, each tested:

- A closed user, an ended session, a revoked token and an over-age one are known to nobody.
- A session ends 12 h after it was opened, and 2 h after it was last used; an open socket is use. When it was last
  used is kept in memory alone: a restart of the post counts as use.
- A token shows at any time no more than its maker's own scope does, whatever became of the maker since.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from vigie.core.facts import (
    COMMAND_LINE,
    AnyFact,
    RoleGranted,
    RoleWithdrawn,
    SessionClosed,
    SessionOpened,
    TokenMade,
    TokenRevoked,
    UserChanged,
    UserMade,
)
from vigie.core.scope import ALL_SERVICES, CREW, ROLES, Grant, Placement, Scope, Verb, lies_in
from vigie.core.times import DAY_US, HOUR_US

SESSION_US_MAX = 12 * HOUR_US
"""A session's longest life: a shift."""

SESSION_IDLE_US_MAX = 2 * HOUR_US
"""How long a session lasts without being used."""

SESSIONS_OF_USER_MAX = 16
"""Sessions that one person may have at once; the next closes the one that was opened first."""

TOKENS_OF_MAKER_MAX = 64
TOKEN_US_MAX = 366 * DAY_US
TOKEN_PREFIX = "vigie_"

LOGIN_KEPT_US = 365 * DAY_US
"""How long login and name are kept after an account was closed: as long as the reasons that people gave, so that
the journal of the last year can be answered for."""

OPEN_ENDED_US = 253_402_214_400_000_000
"""9999-12-31: the end date of login and name while the account is open."""


@dataclass(frozen=True, slots=True)
class Held:
    """A role as somebody holds it: in an area with all below it, for some services ("*": all)."""

    role: str
    area: str
    services: frozenset[str]

    @property
    def grant(self) -> Grant:
        """What it allows; a role that this version does not know allows nothing."""
        return Grant(self.area, self.services, ROLES.get(self.role, frozenset()))


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may log in. password: its Argon2id hash; None where there is none. Login and name are in the
    erasable table alone; login_digest finds the user."""

    id: str
    login_digest: bytes | None = field(repr=False)
    password: str | None = field(repr=False)
    language: str
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody at work in a browser. digest: SHA-256 of the secret in their cookie."""

    id: str
    digest: bytes = field(repr=False)
    user: str
    opened_us: int
    expires_us: int


@dataclass(frozen=True, slots=True)
class Token:
    """What a program shows. maker: a user's id, or the command line. name: what its maker calls it."""

    id: str
    digest: bytes = field(repr=False)
    name: str
    maker: str
    made_us: int
    expires_us: int
    held: Held


def login_digest(login: str) -> bytes:
    """What finds an account: the same for each way of writing a login in large and small letters."""
    written = unicodedata.normalize("NFKC", login).strip().casefold()
    return hashlib.sha256(written.encode("utf-8", "surrogatepass")).digest()


def secret_digest(secret: str) -> bytes:
    """What is kept of a secret. It is 256 random bits, so a plain digest tells nothing of it."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def lies_within(grant: Grant, scope: Scope) -> bool:
    """Whether a scope allows all that a grant does, each service and verb by one grant that reaches as far."""
    return all(
        any(
            verb in wider.verbs
            and lies_in(grant.area, wider.area)
            and (ALL_SERVICES in wider.services or service in wider.services)
            for wider in scope.grants
        )
        for service in grant.services
        for verb in grant.verbs
    )


def common(one: Scope, other: Scope) -> Scope:
    """What both scopes allow."""
    met = (_meet(a, b) for a in one.grants for b in other.grants)
    return Scope(frozenset(grant for grant in met if grant is not None))


def _meet(one: Grant, other: Grant) -> Grant | None:
    if lies_in(one.area, other.area):
        area = one.area
    elif lies_in(other.area, one.area):
        area = other.area
    else:
        return None
    if ALL_SERVICES in one.services:
        services = other.services
    elif ALL_SERVICES in other.services:
        services = one.services
    else:
        services = one.services & other.services
    verbs = one.verbs & other.verbs
    return Grant(area, services, verbs) if services and verbs else None


class Directory:
    """Everybody who is known, found by what they show. Lives on one thread."""

    def __init__(
        self,
        users: Iterable[User] = (),
        roles: Mapping[str, Iterable[Held]] | None = None,
        sessions: Iterable[Session] = (),
        tokens: Iterable[Token] = (),
        *,
        now_us: int = 0,
    ) -> None:
        """roles: user -> what they hold. now_us: when it is loaded, which counts as use of every session."""
        self._users = {user.id: user for user in users}
        self._logins = {user.login_digest: user.id for user in self._users.values() if not user.closed}
        self._roles = {holder: _by_place(held) for holder, held in (roles or {}).items()}
        self._sessions = {session.id: session for session in sessions}
        self._by_secret = {session.digest: session.id for session in self._sessions.values()}
        self._used = dict.fromkeys(self._sessions, now_us)
        self._tokens = {token.id: token for token in tokens}
        self._by_token = {token.digest: token.id for token in self._tokens.values()}
        self._scopes: dict[str, Scope] = {}

    # --- who is it ---

    def user(self, id: str) -> User | None:
        """The user of this id, closed or not."""
        return self._users.get(id)

    @property
    def users(self) -> list[User]:
        """All of them, closed ones included."""
        return list(self._users.values())

    def by_login(self, digest: bytes) -> User | None:
        """Who may log in under this login."""
        return self._users.get(self._logins.get(digest, ""))

    def session_of(self, digest: bytes, now_us: int) -> Session | None:
        """The session of this secret, if it counts."""
        return self.session(self._by_secret.get(digest, ""), now_us)

    def session(self, id: str, now_us: int) -> Session | None:
        """The session of this id, if it counts."""
        session = self._sessions.get(id)
        if session is None or self._is_over(session, now_us) or not self._is_open(session.user):
            return None
        return session

    def sessions_of(self, user: str) -> list[Session]:
        """The sessions of a user that were not closed, the one opened first first."""
        own = [session for session in self._sessions.values() if session.user == user]
        return sorted(own, key=lambda session: (session.opened_us, session.id))

    def sessions_over(self, now_us: int) -> list[Session]:
        """The sessions that time has ended, and no fact has yet."""
        return [session for session in self._sessions.values() if self._is_over(session, now_us)]

    def token_of(self, digest: bytes, now_us: int) -> Token | None:
        """The token of this secret, if it counts."""
        return self.token(self._by_token.get(digest, ""), now_us)

    def token(self, id: str, now_us: int) -> Token | None:
        """The token of this id, if it counts."""
        token = self._tokens.get(id)
        if token is None or now_us >= token.expires_us:
            return None
        return token if token.maker == COMMAND_LINE or self._is_open(token.maker) else None

    @property
    def tokens(self) -> list[Token]:
        """The tokens that were not revoked, expired ones included."""
        return list(self._tokens.values())

    def alive(self, id: str, now_us: int) -> bool:
        """Whether the session or token of this id counts: two look-ups."""
        return self.session(id, now_us) is not None or self.token(id, now_us) is not None

    def use(self, session: str, now_us: int) -> None:
        """Notes that a session is used; one that is over stays over."""
        if self.session(session, now_us) is not None:
            self._used[session] = max(now_us, self._used[session])

    # --- what may they ---

    def roles_of(self, user: str) -> list[Held]:
        """What a user holds, by area and role."""
        return sorted(self._roles.get(user, {}).values(), key=lambda held: (held.area, held.role))

    def scope_of(self, user: str) -> Scope:
        """What a user may see and do; a closed or unknown one, nothing beyond what is public."""
        if not self._is_open(user):
            return Scope()
        known = self._scopes.get(user)
        if known is None:
            known = self._scopes[user] = Scope(frozenset(held.grant for held in self.roles_of(user)))
        return known

    def scope_of_token(self, token: Token) -> Scope:
        """What a token may see and do: its own scope, as far as its maker's reaches now."""
        own = Scope(frozenset({token.held.grant}))
        return own if token.maker == COMMAND_LINE else common(own, self.scope_of(token.maker))

    def rules(self, admin: Scope, user: str) -> bool:
        """Whether this scope may administer a user: it must have that right wherever the user has any."""
        right = frozenset({Verb.ADMIN})
        return admin.has(Verb.ADMIN) and all(
            lies_within(Grant(held.area, held.services, right), admin) for held in self.roles_of(user)
        )

    def of_one_crew(self, one: str, other: str, placed: Placement) -> bool:
        """Whether two users are of one crew for what is placed so: both hold the role `crew` there, in the same area
        and for the same services. One whose account was closed since was of it."""
        shared = set(self.roles_of(one)) & set(self.roles_of(other))
        return any(held.role == CREW and held.grant.covers(placed) for held in shared)

    # --- what became of them ---

    def take(self, fact: AnyFact, payload: Any) -> None:
        """Moves with a fact that was committed; what concerns no account is passed over."""
        match fact:
            case UserMade():
                digest, password = payload
                self._put(User(fact.user, digest, password, fact.language))
            case UserChanged() if fact.user in self._users:
                self._change(self._users[fact.user], payload)
            case RoleGranted():
                held = Held(fact.role, fact.area, frozenset(fact.services))
                self._roles.setdefault(fact.user, {})[held.role, held.area] = held
                self._scopes.pop(fact.user, None)
            case RoleWithdrawn():
                self._roles.get(fact.user, {}).pop((fact.role, fact.area), None)
                self._scopes.pop(fact.user, None)
            case SessionOpened():
                digest, expires_us = payload
                self._sessions[fact.session] = Session(fact.session, digest, fact.user, fact.at, expires_us)
                self._by_secret[digest] = fact.session
                self._used[fact.session] = fact.at
            case SessionClosed() if fact.session in self._sessions:
                del self._by_secret[self._sessions.pop(fact.session).digest], self._used[fact.session]
            case TokenMade():
                digest, name = payload
                held = Held(fact.role, fact.area, frozenset(fact.services))
                self._tokens[fact.token] = Token(fact.token, digest, name, fact.actor, fact.at, fact.expires, held)
                self._by_token[digest] = fact.token
            case TokenRevoked() if fact.token in self._tokens:
                del self._by_token[self._tokens.pop(fact.token).digest]
            case _:
                pass

    def _put(self, user: User) -> None:
        self._users[user.id] = user
        self._scopes.pop(user.id, None)
        if user.closed:
            # The login may be given to somebody else, once it is erased.
            if self._logins.get(user.login_digest) == user.id:
                del self._logins[user.login_digest]
        else:
            self._logins[user.login_digest] = user.id

    def _change(self, user: User, values: Mapping[str, Any]) -> None:
        """values: the columns that change, as the table of users has them."""
        self._put(
            replace(
                user,
                password=values.get("password", user.password),
                language=values.get("language", user.language),
                closed=values["closed_us"] is not None if "closed_us" in values else user.closed,
            )
        )

    def _is_open(self, user: str) -> bool:
        known = self._users.get(user)
        return known is not None and not known.closed

    def _is_over(self, session: Session, now_us: int) -> bool:
        return now_us >= session.expires_us or now_us - self._used[session.id] >= SESSION_IDLE_US_MAX


def _by_place(held: Iterable[Held]) -> dict[tuple[str, str], Held]:
    return {(each.role, each.area): each for each in held}
