"""Operations on accounts and tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import msgspec

from vigie.api.operation import nearest
from vigie.app.control import Hand, Nothing, operation
from vigie.core.facts import COMMAND_LINE
from vigie.core.scope import Scope, lies_in
from vigie.core.times import DAY_US, rfc3339
from vigie.engine.accounts import Held, login_digest
from vigie.engine.keeper import By, Refused
from vigie.engine.passwords import PasswordsBusy, PasswordWeak
from vigie.transports.control import Wrong


class Role(msgspec.Struct, frozen=True):
    """A role as it is written: in an area with all below it ("": the whole town), for services ("*": all)."""

    role: str
    area: str = ""
    services: tuple[str, ...] = ("*",)

    @property
    def held(self) -> Held:
        """As somebody holds it."""
        return Held(self.role, self.area, frozenset(self.services))

    def __str__(self) -> str:
        services = "" if "*" in self.services else f" for {', '.join(sorted(self.services))}"
        return f"{self.role} of {self.area or 'the whole town'}{services}"


class Newcomer(msgspec.Struct, frozen=True):
    """An account to make."""

    login: str
    name: str
    password: str
    role: Role
    language: str = "fr"
    reason: str = ""


class Known(msgspec.Struct, frozen=True):
    """An account that is meant: its login, or its id as it is listed."""

    login: str
    reason: str = ""


class NewPassword(Known, frozen=True, kw_only=True):
    """An account, and the password that it is to have."""

    password: str


class RoleOf(Known, frozen=True, kw_only=True):
    """An account, and a role of its."""

    role: Role


class NewToken(msgspec.Struct, frozen=True):
    """A token to make, and how many days it counts."""

    name: str
    role: Role
    days: int
    reason: str = ""


class KnownToken(msgspec.Struct, frozen=True):
    """A token that is meant: its id or its name."""

    token: str
    reason: str = ""


@operation("users.list", Nothing)
async def list_users(hand: Hand, args: Nothing) -> list[dict[str, Any]]:
    """Every account whose name is kept: login, name, roles, and when it was closed."""
    people = await asyncio.to_thread(hand.opened.facts.accounts.people)
    return [
        {
            "id": each.id,
            "login": each.login,
            "name": each.name,
            "roles": [str(_role(held)) for held in hand.keeper.directory.roles_of(each.id)],
            "closed": None if each.closed_us is None else rfc3339(each.closed_us),
        }
        for each in people
    ]


@operation("users.add", Newcomer, first=True)
async def add(hand: Hand, args: Newcomer) -> dict[str, Any]:
    """Makes an account with a role; answers whether anything of the city lies in the role's area."""
    with refused():
        by = By(COMMAND_LINE, args.reason)
        await hand.keeper.make_user(by, args.login, args.name, args.password, [args.role.held], args.language)
    return await _placed(hand, args.role)


@operation("users.password", NewPassword)
async def password(hand: Hand, args: NewPassword) -> None:
    """Sets a password; who was logged in under the old one is out."""
    with refused():
        await hand.keeper.set_password(By(COMMAND_LINE, args.reason), await _user(hand, args.login), args.password)


@operation("users.grant", RoleOf)
async def grant(hand: Hand, args: RoleOf) -> dict[str, Any]:
    """Gives a role; answers as `users.add` does."""
    with refused():
        await hand.keeper.grant(By(COMMAND_LINE, args.reason), await _user(hand, args.login), args.role.held)
    return await _placed(hand, args.role)


@operation("users.withdraw", RoleOf)
async def withdraw(hand: Hand, args: RoleOf) -> None:
    """Takes a role back."""
    with refused():
        by, role = By(COMMAND_LINE, args.reason), args.role
        await hand.keeper.withdraw(by, await _user(hand, args.login), role.role, role.area)


@operation("users.close", Known)
async def close(hand: Hand, args: Known) -> None:
    """Closes an account."""
    with refused():
        await hand.keeper.close_user(By(COMMAND_LINE, args.reason), await _user(hand, args.login))


@operation("users.reopen", Known)
async def reopen(hand: Hand, args: Known) -> None:
    """Opens a closed account again."""
    with refused():
        await hand.keeper.reopen_user(By(COMMAND_LINE, args.reason), await _user(hand, args.login))


@operation("tokens.list", Nothing)
async def list_tokens(hand: Hand, args: Nothing) -> list[dict[str, Any]]:
    """The tokens that count: id, name, role, end, and who made each."""
    people = {each.id: each for each in await asyncio.to_thread(hand.opened.facts.accounts.people)}
    return [
        {
            "id": each.id,
            "name": each.name,
            "role": str(_role(each.held)),
            "until": rfc3339(each.expires_us),
            "maker": (each.maker in people and people[each.maker].login) or each.maker,
        }
        for each in hand.keeper.directory.tokens
    ]


@operation("tokens.add", NewToken)
async def make_token(hand: Hand, args: NewToken) -> dict[str, Any]:
    """Makes a token; answers with its secret, which is kept nowhere, and as `users.add` does."""
    with refused():
        token, secret = await hand.keeper.make_token(
            COMMAND_LINE, Scope.everything(), args.name, args.role.held, args.days * DAY_US, reason=args.reason
        )
    return {"id": token.id, "until": rfc3339(token.expires_us), "secret": secret} | await _placed(hand, args.role)


@operation("tokens.revoke", KnownToken)
async def revoke_token(hand: Hand, args: KnownToken) -> None:
    """Revokes a token."""
    found = [each.id for each in hand.keeper.directory.tokens if args.token in {each.id, each.name}]
    if not found:
        known = [each.name for each in hand.keeper.directory.tokens]
        raise Wrong(f"there is no token {args.token!r}. {nearest(args.token, known, 'vigie tokens list shows them.')}")
    if len(found) > 1:
        raise Wrong(f"{args.token!r} names several tokens: say its id")
    with refused():
        await hand.keeper.revoke_token(By(COMMAND_LINE, args.reason), found[0])


@contextmanager
def refused() -> Generator[None]:
    """What the keeper refuses is said in its sentence."""
    try:
        yield
    except (Refused, PasswordWeak) as error:
        raise Wrong(str(error)) from None
    except PasswordsBusy:
        raise Wrong("too many passwords are being checked at once: try again in a moment") from None


def _role(held: Held) -> Role:
    return Role(held.role, held.area, tuple(sorted(held.services)))


async def _user(hand: Hand, login: str) -> str:
    found = await asyncio.to_thread(hand.opened.facts.accounts.holder_of, login_digest(login))
    if found is None and hand.keeper.directory.user(login) is not None:
        found = login
    if found is None:
        known = [each.login for each in await asyncio.to_thread(hand.opened.facts.accounts.people) if each.login]
        raise Wrong(f"there is no account {login!r}. {nearest(login, known, 'vigie users list shows them.')}")
    return found


async def _placed(hand: Hand, role: Role) -> dict[str, Any]:
    """Whether anything of the city lies where a role holds: if not, its area may be miswritten."""
    rows = await asyncio.to_thread(hand.opened.facts.registry_rows) if role.area else []
    return {"placed": not role.area or any(lies_in(row[3], role.area) for row in rows)}
