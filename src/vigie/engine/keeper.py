"""What is done to accounts: each a fact that is committed first and then moves the memory.

The same for the command line and for a running post, which differ in how a commit is made. Changes go one after the
other, so that what was checked still holds when it is committed.
"""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from vigie.core.facts import (
    POST,
    About,
    Entry,
    Personal,
    RoleGranted,
    RoleWithdrawn,
    SessionClosed,
    SessionOpened,
    TokenMade,
    TokenRevoked,
    UserChanged,
    UserMade,
    because,
)
from vigie.core.ids import uuid7
from vigie.core.scope import ROLES, Scope
from vigie.core.times import MINUTE_US, SECOND_US
from vigie.engine.accounts import (
    OPEN_ENDED_US,
    SESSION_US_MAX,
    SESSIONS_OF_USER_MAX,
    TOKEN_PREFIX,
    TOKEN_US_MAX,
    TOKENS_OF_MAKER_MAX,
    Directory,
    Held,
    Session,
    Token,
    User,
    lies_within,
    login_digest,
    secret_digest,
)
from vigie.engine.passwords import Passwords, PasswordsBusy
from vigie.engine.ports import Clock, Dice, StorageFull
from vigie.engine.throttle import Patience, Throttle

SECRET_BYTES = 32
LOGIN_CHARACTERS_MAX = 254
NAME_CHARACTERS_MAX = 100
LANGUAGES = ("fr", "en")

# Steps of a path: letters of any language and digits, and what names of places have between them.
_AREA = re.compile(r"[\w.' -]+(/[\w.' -]+)*")

FAILURES_OF_LOGIN = Patience(free=5)
FAILURES_OF_PEER = Patience(free=20)
"""A whole town hall may come from one address."""


class Refused(Exception):
    """What was asked of an account cannot be; says why."""


class TooMany(Exception):
    """Too many attempts failed: wait."""

    def __init__(self, retry_after_us: int) -> None:
        super().__init__(f"wait {retry_after_us / SECOND_US:.0f} s")
        self.retry_after_s = -(-retry_after_us // SECOND_US)


class Owed(StorageFull):
    """There was no room to keep that somebody is out. They are, and it is kept as soon as there is room; a post that
    is stopped before has forgotten it."""


class Logins(Protocol):
    """What the tables say of logins: the memory does not know when one was erased."""

    def holder_of(self, digest: bytes) -> str | None:
        """The user, closed or not, who has this login."""
        ...

    def has_login(self, user: str) -> bool:
        """Whether the user's login was not erased."""
        ...


@dataclass(frozen=True, slots=True)
class Means:
    """What the keeper works with. commit: appends entries, all or none; services: the services that there
    are."""

    commit: Callable[[Sequence[Entry]], Awaitable[None]]
    clock: Clock
    dice: Dice
    logins: Logins
    services: frozenset[str]


@dataclass(frozen=True, slots=True)
class By:
    """Who does it, as the journal says it, and why in their own words."""

    actor: str
    reason: str = ""


class Keeper:
    """Does what is done to accounts. Lives on one event loop."""

    def __init__(self, directory: Directory, passwords: Passwords, means: Means) -> None:
        self.directory = directory
        self._passwords = passwords
        self._means = means
        self._turn = asyncio.Lock()
        self._owed: list[Entry] = []
        self._failures_of_login = Throttle(FAILURES_OF_LOGIN)
        self._failures_of_peer = Throttle(FAILURES_OF_PEER)
        self.logins: Counter[str] = Counter()

    # --- users ---

    async def make_user(
        self, by: By, login: str, name: str, password: str, held: Sequence[Held], language: str = "fr"
    ) -> str:
        """Makes an account; returns its id. Raises Refused, PasswordWeak, PasswordsBusy, StorageFull."""
        login, name = login.strip(), name.strip()
        if not login or len(login) > LOGIN_CHARACTERS_MAX or not login.isprintable() or " " in login:
            raise Refused("a login is one word, such as an address of mail")
        if not name or len(name) > NAME_CHARACTERS_MAX or not name.isprintable():
            raise Refused(f"a name has from 1 to {NAME_CHARACTERS_MAX} characters, in one line")
        if language not in LANGUAGES:
            raise Refused(f"there is no language {language!r}: there are {' and '.join(LANGUAGES)}")
        self._check_roles(held)
        kept = await self._passwords.hash(password)
        async with self._turn:
            digest = login_digest(login)
            if self._means.logins.holder_of(digest) is not None:
                raise Refused(f"there is an account {login!r} already, open or closed")
            user = self._new_id()
            personal = {
                "login": Personal(login, "who may log in", OPEN_ENDED_US),
                "name": Personal(name, "who did what the journal says", OPEN_ENDED_US),
            }
            # The fact's id is the user's, so that what is personal of it is found by the user.
            made = UserMade(id=user, at=self.now_us(), actor=by.actor, user=user, language=language)
            entries = [Entry(made, personal | self._because(by), (digest, kept), About(user))]
            granted = (self._fact(RoleGranted, by, user=user, **_place(each)) for each in held)
            await self._commit([*entries, *(Entry(fact, about=About(user)) for fact in granted)])
        return user

    async def set_password(self, by: By, user: str, password: str) -> None:
        """Sets a password; who was logged in under the old one is out. Raises as `make_user` does."""
        kept = await self._passwords.hash(password)
        async with self._turn:
            self._need(user)
            changed = self._changed(by, user, "password", {"password": kept})
            await self._commit([changed, *self._closings(By(by.actor), self.directory.sessions_of(user), "revoked")])

    async def change_password(self, user: str, old: str, new: str) -> bool:
        """Sets a user's own password; False where the old one is wrong, which counts as a failed login. Raises as
        `make_user` does, and TooMany."""
        known = self._need(user)
        key, now_us = known.login_digest, self.now_us()
        if wait_us := self._failures_of_login.wait_us(key, now_us):
            raise TooMany(wait_us)
        self._failures_of_login.attempt(key, now_us)
        if not await self._passwords.holds(known.password, old):
            return False
        self._failures_of_login.clear(key)
        await self.set_password(By(user), user, new)
        return True

    async def close_user(self, by: By, user: str) -> None:
        """Closes an account: its sessions end and its tokens count no more at once, and its login and name are
        erased when they were kept long enough. Raises Refused, Owed, StorageFull."""
        async with self._turn:
            if self._need(user).closed:
                raise Refused("this account is closed already")
            closed = self._changed(by, user, "closed", {"closed_us": self.now_us()})
            tokens = [token for token in self.directory.tokens if token.maker == user]
            sessions = self._closings(By(by.actor), self.directory.sessions_of(user), "revoked")
            await self._commit([closed, *sessions, *self._revocations(by, tokens)], ends=True)

    async def reopen_user(self, by: By, user: str) -> None:
        """Opens a closed account again, with the roles it had. Raises Refused, StorageFull."""
        async with self._turn:
            if not self._need(user).closed:
                raise Refused("this account is open")
            if not self._means.logins.has_login(user):
                raise Refused("its login and name were erased: make a new account")
            await self._commit([self._changed(by, user, "reopened", {"closed_us": None})])

    async def grant(self, by: By, user: str, held: Held) -> None:
        """Gives a role; the same role in the same area is replaced, with its services. Raises Refused,
        StorageFull."""
        self._check_roles([held])
        async with self._turn:
            self._need(user)
            before = self.directory.roles_of(user)
            after = [*(each for each in before if (each.role, each.area) != (held.role, held.area)), held]
            scope = Scope(frozenset(each.grant for each in after))
            shrinks = not all(lies_within(each.grant, scope) for each in before)
            fact = self._fact(RoleGranted, by, user=user, **_place(held))
            entries = [Entry(fact, self._because(by), about=About(user))]
            await self._commit([*entries, *(self._shrink(by, user, after) if shrinks else ())])

    async def withdraw(self, by: By, user: str, role: str, area: str) -> None:
        """Takes a role back. The user's sessions end, so that no open socket shows more than is left, and so does
        any token of theirs that may do more. Raises Refused, StorageFull."""
        async with self._turn:
            self._need(user)
            held = self.directory.roles_of(user)
            left = [each for each in held if (each.role, each.area) != (role, area)]
            if len(left) == len(held):
                raise Refused(f"there is no role {role!r} in {area or 'the whole town'!r} to be taken back")
            fact = self._fact(RoleWithdrawn, by, user=user, role=role, area=area)
            entries = [Entry(fact, self._because(by), about=About(user))]
            await self._commit([*entries, *self._shrink(by, user, left)])

    # --- sessions ---

    async def log_in(
        self, login: str, password: str, peer: str, *, instead_of: Session | None = None
    ) -> tuple[Session, str] | None:
        """Opens a session; returns it with its secret, which is kept nowhere, or None where login or password is
        wrong. Raises TooMany, PasswordsBusy, StorageFull.

        An unknown login, a closed account and a wrong password cost the same and are told apart by nobody. peer: the
        address it comes from. instead_of: the session the browser had, which ends.
        """
        digest, began_us = login_digest(login[: LOGIN_CHARACTERS_MAX + 1]), self.now_us()
        peer = network_of(peer)
        wait_us = max(self._failures_of_login.wait_us(digest, began_us), self._failures_of_peer.wait_us(peer, began_us))
        if wait_us:
            self.logins["throttled"] += 1
            raise TooMany(wait_us)
        self._failures_of_login.attempt(digest, began_us)
        self._failures_of_peer.attempt(peer, began_us)
        user = self.directory.by_login(digest)
        try:
            right = await self._passwords.holds(user.password if user else None, password)
        except PasswordsBusy:
            self._failures_of_login.take_back(digest, began_us)
            self._failures_of_peer.take_back(peer, began_us)
            self.logins["busy"] += 1
            raise
        if user is None or not right:
            self.logins["refused"] += 1
            return None
        self._failures_of_login.clear(digest)
        self._failures_of_peer.take_back(peer, began_us)
        return await self._open(user, password, instead_of)

    async def close_session(self, by: By, session: str, why: str) -> None:
        """Ends a session. why: "logout" or "revoked". Raises Refused, Owed."""
        async with self._turn:
            known = self.directory.session(session, self.now_us())
            if known is None:
                raise Refused("there is no such session, or it has ended")
            await self._commit(self._closings(by, [known], why), ends=True)

    # --- tokens ---

    async def make_token(
        self, maker: str, scope: Scope, name: str, held: Held, lasts_us: int, *, reason: str = ""
    ) -> tuple[Token, str]:
        """Makes a token in the maker's name; returns it with its secret, which is kept nowhere.

        scope: the maker's, which the token's may not exceed. Raises Refused, StorageFull.
        """
        name = name.strip()
        if not name or len(name) > NAME_CHARACTERS_MAX or not name.isprintable():
            raise Refused(f"a token's name has from 1 to {NAME_CHARACTERS_MAX} characters, in one line")
        if not MINUTE_US <= lasts_us <= TOKEN_US_MAX:
            raise Refused("a token lasts from a minute to 366 days")
        self._check_roles([held])
        if not lies_within(held.grant, scope):
            raise Refused("a token may do no more than its maker: take a smaller role, area or list of services")
        async with self._turn:
            now_us = self.now_us()
            own = [token for token in self.directory.tokens if token.maker == maker]
            over = [token for token in own if now_us >= token.expires_us]
            if len(own) - len(over) >= TOKENS_OF_MAKER_MAX:
                raise Refused(f"there are {TOKENS_OF_MAKER_MAX} tokens of this maker: revoke one first")
            secret = TOKEN_PREFIX + self._secret()
            by = By(maker, reason)
            place = _place(held)
            fact = self._fact(TokenMade, by, token=self._new_id(), expires=now_us + lasts_us, **place)
            made = Entry(fact, self._because(by), (secret_digest(secret), name), About(maker))
            await self._commit([*self._revocations(By(POST), over), made])
        token = self.directory.token(fact.token, now_us)
        assert token is not None
        return token, secret

    async def revoke_token(self, by: By, token: str) -> None:
        """Revokes a token. Raises Refused, Owed."""
        async with self._turn:
            known = [each for each in self.directory.tokens if each.id == token]
            if not known:
                raise Refused("there is no such token, or it was revoked")
            await self._commit(self._revocations(by, known), ends=True)

    # --- how ---

    async def _open(self, user: User, password: str, instead_of: Session | None) -> tuple[Session, str] | None:
        renewed = None
        if user.password is not None and self._passwords.is_outdated(user.password):
            renewed = await self._passwords.hash(password)
        async with self._turn:
            now_us = self.now_us()
            known = self.directory.user(user.id)
            # While the password was checked, the account may have been closed or its password changed.
            if known is None or known.closed or known.password != user.password:
                return None
            ended = self.directory.sessions_over(now_us)
            others = [session for session in self.directory.sessions_of(user.id) if session not in ended]
            replaced = [instead_of] if instead_of is not None and instead_of not in ended else []
            others = [session for session in others if session not in replaced]
            surplus = others[: max(0, len(others) + 1 - SESSIONS_OF_USER_MAX)]
            by, secret = By(user.id), self._secret()
            fact = self._fact(SessionOpened, by, session=self._new_id(), user=user.id)
            payload = (secret_digest(secret), now_us + SESSION_US_MAX)
            await self._commit(
                [
                    *self._closings(By(POST), ended, "expired"),
                    *self._closings(by, replaced, "logout"),
                    *self._closings(By(POST), surplus, "revoked"),
                    *([self._changed(By(POST), user.id, "rehash", {"password": renewed})] if renewed else ()),
                    Entry(fact, payload=payload, about=About(user.id)),
                ]
            )
        self.logins["let_in"] += 1
        session = self.directory.session(fact.session, now_us)
        return None if session is None else (session, secret)

    def _shrink(self, by: By, user: str, left: Sequence[Held]) -> list[Entry]:
        """What ends when only these roles are left: all sessions, and the tokens that may do more."""
        scope = Scope(frozenset(each.grant for each in left))
        own = (token for token in self.directory.tokens if token.maker == user)
        tokens = [token for token in own if not lies_within(token.held.grant, scope)]
        sessions = self._closings(By(by.actor), self.directory.sessions_of(user), "revoked")
        return [*sessions, *self._revocations(By(by.actor), tokens)]

    def _closings(self, by: By, sessions: Iterable[Session], why: str) -> list[Entry]:
        facts = (self._fact(SessionClosed, by, session=each.id, user=each.user, why=why) for each in sessions)
        return [Entry(fact, self._because(by), about=About(fact.user)) for fact in facts]

    def _revocations(self, by: By, tokens: Iterable[Token]) -> list[Entry]:
        why = self._because(by)
        return [Entry(self._fact(TokenRevoked, by, token=each.id), why, about=About(each.maker)) for each in tokens]

    def _because(self, by: By) -> dict[str, Personal]:
        return because(by.reason, self.now_us())

    def _changed(self, by: By, user: str, change: str, values: dict[str, Any]) -> Entry:
        fact = self._fact(UserChanged, by, user=user, change=change)
        return Entry(fact, self._because(by), values, About(user))

    def _check_roles(self, held: Sequence[Held]) -> None:
        for each in held:
            if each.role not in ROLES:
                raise Refused(f"there is no role {each.role!r}: there are {', '.join(ROLES)}")
            unknown = each.services - self._means.services - {"*"}
            if unknown or not each.services:
                known = ", ".join(sorted(self._means.services))
                raise Refused(
                    f"no such services: {', '.join(sorted(unknown)) or 'none'}. There are {known}, and * for all"
                )
            if each.area and not _AREA.fullmatch(each.area):
                raise Refused(f"{each.area!r} is no area: write one such as dijon-metropole/quetigny")

    def _need(self, user: str) -> User:
        known = self.directory.user(user)
        if known is None:
            raise Refused("there is no such user")
        return known

    async def _commit(self, entries: Sequence[Entry], *, ends: bool = False) -> None:
        # Whoever asked may go away meanwhile; what is on disk must be in memory all the same.
        await asyncio.shield(self._commit_and_take(entries, ends))

    async def _commit_and_take(self, entries: Sequence[Entry], ends: bool) -> None:
        """ends: whether it only ends what somebody may do; then a full disk does not keep them in."""
        try:
            await self._means.commit([*self._owed, *entries])
        except StorageFull as error:
            if not ends:
                raise
            self._owed += entries
            self._take(entries)
            raise Owed(str(error)) from error
        self._owed.clear()
        self._take(entries)

    def _take(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self.directory.take(entry.fact, entry.payload)

    def _fact(self, kind: type[Any], by: By, **said: Any) -> Any:
        return kind(id=self._new_id(), at=self.now_us(), actor=by.actor, **said)

    def _new_id(self) -> str:
        return str(uuid7(self.now_us(), self._means.dice.bytes(10)))

    def now_us(self) -> int:
        """The time."""
        return self._means.clock.now_us()

    def _secret(self) -> str:
        return base64.urlsafe_b64encode(self._means.dice.bytes(SECRET_BYTES)).decode().rstrip("=")


def network_of(peer: str) -> str:
    """What an address is throttled by: itself, or its /64 in IPv6, where one subscriber has that many addresses."""
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return peer
    if isinstance(address, ipaddress.IPv4Address):
        return peer
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address), 64), strict=False))


def _place(held: Held) -> dict[str, Any]:
    return {"role": held.role, "area": held.area, "services": sorted(held.services)}
