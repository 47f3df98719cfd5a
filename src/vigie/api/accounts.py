"""Accounts for those who administer them, and everybody's own tokens."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vigie.api.access import Access, Caller
from vigie.api.bodies import Reason, answer, read_json, read_why
from vigie.api.problems import Problem
from vigie.api.session import RoleTold, roles_told, told_as_problems
from vigie.core.scope import Grant, Scope, Verb
from vigie.core.times import DAY_US, rfc3339
from vigie.engine.accounts import Held, Token, lies_within
from vigie.engine.keeper import By, Keeper
from vigie.store.accounts import Person, SqlAccounts


class RoleWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A role to be given. area: "" is the whole town; services: "*" is all."""

    role: str
    area: str = ""
    services: list[str] = msgspec.field(default_factory=lambda: ["*"])
    reason: Reason = ""

    @property
    def held(self) -> Held:
        """As it will be held."""
        return Held(self.role, self.area, frozenset(self.services))


class UserWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account to be made."""

    login: str
    name: str
    password: str
    roles: list[RoleWanted] = []
    language: str = "fr"
    reason: Reason = ""

    def __repr__(self) -> str:
        return "UserWanted(...)"


class PasswordWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A password to be set for somebody."""

    password: str
    reason: Reason = ""

    def __repr__(self) -> str:
        return "PasswordWanted(...)"


class TokenWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token to be made. days: how long it lasts."""

    name: str
    role: str
    area: str = ""
    services: list[str] = msgspec.field(default_factory=lambda: ["*"])
    days: int = 90
    reason: Reason = ""


class SessionOfUser(msgspec.Struct, frozen=True):
    """A session of somebody else's."""

    id: str
    opened: str
    expires: str


class UserKept(msgspec.Struct, frozen=True):
    """An account. login, name: null once they were erased."""

    id: str
    login: str | None
    name: str | None
    language: str
    made: str
    closed: str | None
    roles: list[RoleTold]
    sessions: list[SessionOfUser]


class TokenTold(msgspec.Struct, frozen=True, omit_defaults=True):
    """A token. token: its secret, told once, when it is made."""

    id: str
    name: str
    made: str
    expires: str
    role: RoleTold
    token: str = ""


class _Users:
    """What administrators do."""

    def __init__(self, keeper: Keeper, access: Access, accounts: SqlAccounts) -> None:
        self._keeper, self._access, self._accounts = keeper, access, accounts

    async def list_users(self, request: Request) -> Response:
        """The accounts that the caller administers, with their roles and sessions."""
        admin = self._access.caller(request).need(Verb.ADMIN)
        told = [self._told(each) for each in self._accounts.people() if self._keeper.directory.rules(admin, each.id)]
        return answer({"items": told})

    @told_as_problems
    async def make_user(self, request: Request) -> Response:
        """Makes an account, with roles in what the caller administers."""
        caller, admin = self._admin(request)
        wanted = await read_json(request, UserWanted)
        for role in wanted.roles:
            _check_rules(admin, role.held)
        held = [role.held for role in wanted.roles]
        by = By(caller.actor, wanted.reason)
        made = await self._keeper.make_user(by, wanted.login, wanted.name, wanted.password, held, wanted.language)
        person = self._accounts.person(made)
        assert person is not None
        return answer(self._told(person), 201)

    @told_as_problems
    async def close_user(self, request: Request) -> Response:
        """Closes an account: its sessions end and its tokens are revoked at once. The body may say the reason."""
        caller, user = self._ruled(request)
        await self._keeper.close_user(By(caller.actor, await read_why(request)), user)
        return Response(status_code=204)

    @told_as_problems
    async def reopen_user(self, request: Request) -> Response:
        """Opens a closed account again. The body may say the reason."""
        caller, user = self._ruled(request)
        await self._keeper.reopen_user(By(caller.actor, await read_why(request)), user)
        return Response(status_code=204)

    @told_as_problems
    async def set_password(self, request: Request) -> Response:
        """Sets somebody's password; their sessions end."""
        caller, user = self._ruled(request)
        wanted = await read_json(request, PasswordWanted)
        await self._keeper.set_password(By(caller.actor, wanted.reason), user, wanted.password)
        return Response(status_code=204)

    @told_as_problems
    async def grant(self, request: Request) -> Response:
        """Gives somebody a role in what the caller administers."""
        caller, user = self._ruled(request)
        wanted = await read_json(request, RoleWanted)
        _check_rules(caller.scope, wanted.held)
        await self._keeper.grant(By(caller.actor, wanted.reason), user, wanted.held)
        return Response(status_code=204)

    @told_as_problems
    async def withdraw(self, request: Request) -> Response:
        """Takes the role ?role= in ?area= back; the user's sessions end. The body may say the reason."""
        caller, user = self._ruled(request)
        query, by = request.query_params, By(caller.actor, await read_why(request))
        await self._keeper.withdraw(by, user, query.get("role", ""), query.get("area", ""))
        return Response(status_code=204)

    @told_as_problems
    async def revoke_session(self, request: Request) -> Response:
        """Ends a session, one's own or one of somebody the caller administers. The body may say the reason."""
        caller = self._access.caller(request, writes=True)
        directory, id = self._keeper.directory, request.path_params["id"]
        session = directory.session(id, self._keeper.now_us())
        if session is None or not (session.user == caller.actor or directory.rules(caller.scope, session.user)):
            raise Problem(404, "No such session", "There is no such session, or you may not end it.")
        await self._keeper.close_session(By(caller.actor, await read_why(request)), id, "revoked")
        return Response(status_code=204)

    def _admin(self, request: Request) -> tuple[Caller, Scope]:
        caller = self._access.caller(request, writes=True)
        return caller, caller.need(Verb.ADMIN)

    def _ruled(self, request: Request) -> tuple[Caller, str]:
        """Who asks, and the user of the path. Raises Problem 404 for one that the caller does not administer: whether
        there is one is not told."""
        caller, admin = self._admin(request)
        user = request.path_params["id"]
        if self._keeper.directory.user(user) is None or not self._keeper.directory.rules(admin, user):
            raise Problem(404, "No such user", "There is no such user, or you do not administer them.")
        return caller, user

    def _told(self, person: Person) -> UserKept:
        directory, now_us = self._keeper.directory, self._keeper.now_us()
        sessions = [each for each in directory.sessions_of(person.id) if directory.session(each.id, now_us)]
        return UserKept(
            person.id,
            person.login,
            person.name,
            person.language,
            rfc3339(person.made_us),
            None if person.closed_us is None else rfc3339(person.closed_us),
            roles_told(directory.roles_of(person.id)),
            [SessionOfUser(each.id, rfc3339(each.opened_us), rfc3339(each.expires_us)) for each in sessions],
        )


class _Tokens:
    """Everybody's own tokens."""

    def __init__(self, keeper: Keeper, access: Access) -> None:
        self._keeper, self._access = keeper, access

    async def list_tokens(self, request: Request) -> Response:
        """One's own tokens, without their secrets."""
        caller = self._access.caller(request)
        return answer({"items": [_told(each) for each in self._keeper.directory.tokens if each.maker == caller.actor]})

    @told_as_problems
    async def make_token(self, request: Request) -> Response:
        """Makes a token that may do no more than oneself, and tells its secret, once. A token makes none."""
        caller = self._access.caller(request, writes=True)
        if self._keeper.directory.token(caller.session, self._keeper.now_us()) is not None:
            raise Problem(403, "Not allowed", "A token makes no other.", mend="Log in.")
        wanted = await read_json(request, TokenWanted)
        held = Held(wanted.role, wanted.area, frozenset(wanted.services))
        token, secret = await self._keeper.make_token(
            caller.actor, caller.scope, wanted.name, held, wanted.days * DAY_US, reason=wanted.reason
        )
        return answer(msgspec.structs.replace(_told(token), token=secret), 201)

    @told_as_problems
    async def revoke_token(self, request: Request) -> Response:
        """Revokes a token, one's own or one of somebody the caller administers. The body may say the reason."""
        caller = self._access.caller(request, writes=True)
        id, directory = request.path_params["id"], self._keeper.directory
        maker = next((token.maker for token in directory.tokens if token.id == id), None)
        own = maker is not None and maker == caller.actor
        # Tokens that were made on the machine itself are those of the whole town.
        whole = Grant("", frozenset({"*"}), frozenset({Verb.ADMIN}))
        ruled = maker is not None and (
            directory.rules(caller.scope, maker) if directory.user(maker) else lies_within(whole, caller.scope)
        )
        if not (own or ruled):
            raise Problem(404, "No such token", "There is no such token, or you may not revoke it.")
        await self._keeper.revoke_token(By(caller.actor, await read_why(request)), id)
        return Response(status_code=204)


def _check_rules(admin: Scope, held: Held) -> None:
    if not lies_within(Grant(held.area, held.services, frozenset({Verb.ADMIN})), admin):
        raise Problem(403, "Not allowed", "You administer no such area or services.")


def _told(token: Token) -> TokenTold:
    role = roles_told([token.held])[0]
    return TokenTold(token.id, token.name, rfc3339(token.made_us), rfc3339(token.expires_us), role)


def accounts_routes(keeper: Keeper, access: Access, accounts: SqlAccounts) -> list[Route]:
    """Accounts, their sessions, and tokens."""
    users, tokens = _Users(keeper, access, accounts), _Tokens(keeper, access)
    return [
        Route("/api/v1/users", users.list_users, methods=["GET"]),
        Route("/api/v1/users", users.make_user, methods=["POST"]),
        Route("/api/v1/users/{id}/close", users.close_user, methods=["POST"]),
        Route("/api/v1/users/{id}/reopen", users.reopen_user, methods=["POST"]),
        Route("/api/v1/users/{id}/password", users.set_password, methods=["POST"]),
        Route("/api/v1/users/{id}/roles", users.grant, methods=["POST"]),
        Route("/api/v1/users/{id}/roles", users.withdraw, methods=["DELETE"]),
        Route("/api/v1/sessions/{id}", users.revoke_session, methods=["DELETE"]),
        Route("/api/v1/tokens", tokens.list_tokens, methods=["GET"]),
        Route("/api/v1/tokens", tokens.make_token, methods=["POST"]),
        Route("/api/v1/tokens/{id}", tokens.revoke_token, methods=["DELETE"]),
    ]
