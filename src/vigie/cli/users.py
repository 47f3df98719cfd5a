"""vigie users: who may log in, and what they may do."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from vigie.app import Installation
from vigie.app.accounts import keeper_of
from vigie.cli.common import ConfigOption, DataOption, ReasonOption, err, fail, opened, out
from vigie.core.facts import COMMAND_LINE
from vigie.core.scope import ROLES, lies_in
from vigie.core.times import rfc3339
from vigie.engine.accounts import Held, login_digest
from vigie.engine.keeper import By, Keeper, Refused
from vigie.engine.passwords import PasswordWeak

users = typer.Typer(help="Who may log in, and what they may do.", no_args_is_help=True)

FIRST = "vigie users add LOGIN --name NAME --role administrator"

T = TypeVar("T")

LoginArgument = Annotated[str, typer.Argument(help="What they log in with, such as their address of mail.")]
RoleOption = Annotated[str, typer.Option("--role", help=f"One of: {', '.join(ROLES)}.")]
AreaOption = Annotated[str, typer.Option("--area", help="An area with all below it; the whole town if not given.")]
ServicesOption = Annotated[str, typer.Option("--services", help="Services with commas between; * is all of them.")]
PasswordFileOption = Annotated[
    Path | None, typer.Option("--password-file", help="A file with the password in its first line; else it is asked.")
]


@dataclass
class Desk:
    """The accounts of an installation, for one command."""

    post: Installation
    keeper: Keeper

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Does it; what is refused is said in a sentence."""
        try:
            return asyncio.run(work)
        except (Refused, PasswordWeak) as error:
            raise fail(str(error)) from None

    def user(self, login: str) -> str:
        """The id of who has this login, or a user's id as it is listed."""
        found = self.post.facts.accounts.holder_of(login_digest(login))
        if found is None and self.keeper.directory.user(login) is not None:
            found = login
        if found is None:
            raise fail(f"there is no account {login!r}")
        return found

    def held(self, role: str, area: str, services: str) -> Held:
        """A role as it is written in options. Says so where nothing of the city lies in its area yet."""
        if area and not any(lies_in(row[3], area) for row in self.post.facts.registry_rows()):
            err.print(f"vigie: nothing of the city lies in {area!r} so far: is it written right?", markup=False)
        return Held(role, area, frozenset(each.strip() for each in services.split(",") if each.strip()))


@contextmanager
def desk(config: Path | None, data: Path | None) -> Generator[Desk]:
    """The accounts of the installation that the options name, held alone."""
    with opened(config, data) as post:
        yield Desk(post, keeper_of(post))


@users.command("add")
def add(
    login: LoginArgument,
    name: Annotated[str, typer.Option("--name", help="What they are called, as the journal shows it.")],
    role: RoleOption,
    area: AreaOption = "",
    services: ServicesOption = "*",
    language: Annotated[str, typer.Option("--language", help="What they read: fr or en.")] = "fr",
    password_file: PasswordFileOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    reason: ReasonOption = "",
) -> None:
    """Makes an account with a role; its password is asked for twice, and shown nowhere."""
    with desk(config, data) as at:
        held = at.held(role, area, services)
        password = _password(password_file)
        at.do(at.keeper.make_user(By(COMMAND_LINE, reason), login, name, password, [held], language))
    out.print(f"{login} may log in as {_said(held)}.")


@users.command("list")
def list_users(config: ConfigOption = None, data: DataOption = None) -> None:
    """The accounts: login, name, roles; closed ones too, as long as their names are kept."""
    with desk(config, data) as at:
        people = at.post.facts.accounts.people()
        if not people:
            out.print(f"There is no account yet. Make the first: {FIRST}")
        for each in people:
            roles = "; ".join(map(_said, at.keeper.directory.roles_of(each.id))) or "no role"
            closed = "" if each.closed_us is None else f"  closed on {rfc3339(each.closed_us)[:10]}"
            typer.echo(f"{each.login or each.id}  {each.name or 'name erased'}  {roles}{closed}")


@users.command("password")
def password(
    login: LoginArgument,
    password_file: PasswordFileOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    reason: ReasonOption = "",
) -> None:
    """Sets a password; who was logged in under the old one is out."""
    with desk(config, data) as at:
        user = at.user(login)
        at.do(at.keeper.set_password(By(COMMAND_LINE, reason), user, _password(password_file)))
    out.print(f"{login} has a new password.")


@users.command("grant")
def grant(
    login: LoginArgument,
    role: RoleOption,
    area: AreaOption = "",
    services: ServicesOption = "*",
    config: ConfigOption = None,
    data: DataOption = None,
    reason: ReasonOption = "",
) -> None:
    """Gives a role; the same role in the same area is replaced, with its services."""
    with desk(config, data) as at:
        held = at.held(role, area, services)
        at.do(at.keeper.grant(By(COMMAND_LINE, reason), at.user(login), held))
    out.print(f"{login} is {_said(held)}.")


@users.command("withdraw")
def withdraw(
    login: LoginArgument,
    role: RoleOption,
    area: AreaOption = "",
    config: ConfigOption = None,
    data: DataOption = None,
    reason: ReasonOption = "",
) -> None:
    """Takes a role back; sessions end, and tokens that may do more than what is left."""
    with desk(config, data) as at:
        at.do(at.keeper.withdraw(By(COMMAND_LINE, reason), at.user(login), role, area))
    out.print(f"{login} is {role} of {area or 'the whole town'} no more.")


@users.command("close")
def close(
    login: LoginArgument, config: ConfigOption = None, data: DataOption = None, reason: ReasonOption = ""
) -> None:
    """Closes an account: sessions end, tokens are revoked; login and name are erased after a year."""
    with desk(config, data) as at:
        at.do(at.keeper.close_user(By(COMMAND_LINE, reason), at.user(login)))
    out.print(f"{login} may log in no more.")


@users.command("reopen")
def reopen(
    login: LoginArgument, config: ConfigOption = None, data: DataOption = None, reason: ReasonOption = ""
) -> None:
    """Opens a closed account again, with the roles it had."""
    with desk(config, data) as at:
        at.do(at.keeper.reopen_user(By(COMMAND_LINE, reason), at.user(login)))
    out.print(f"{login} may log in again.")


def _password(file: Path | None) -> str:
    # Never an argument: those are seen by everybody on the machine, and kept in the shell's history.
    if file is None:
        return typer.prompt("Password", hide_input=True, confirmation_prompt="Once more", err=True)
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise fail(f"{file} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}") from None
    return lines[0] if lines else ""


def _said(held: Held) -> str:
    services = "" if "*" in held.services else f" for {', '.join(sorted(held.services))}"
    return f"{held.role} of {held.area or 'the whole town'}{services}"
