"""vigie users: who may log in, and what they may do."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated, Any

import typer

from vigie.app.people import Known, Newcomer, NewPassword, Role, RoleOf
from vigie.cli.common import ConfigOption, DataOption, ReasonOption, done
from vigie.cli.consoles import err, fail, group, out
from vigie.core.scope import ROLES
from vigie.engine.keeper import LANGUAGES

commands = group("Who may log in, and what they may do; also while the post runs.")

FIRST = "vigie users add LOGIN --name NAME --role administrator"


def _one_of(known: Collection[str]) -> Callable[[str], str]:
    """What looks at a word before anything else is asked."""

    def look(said: str) -> str:
        if said not in known:
            raise typer.BadParameter(f"{said!r} is none of {', '.join(known)}.")
        return said

    return look


LoginArgument = Annotated[str, typer.Argument(help="What they log in with, such as their address of mail.")]
RoleOption = Annotated[str, typer.Option("--role", callback=_one_of(ROLES), help=f"One of: {', '.join(ROLES)}.")]
AreaOption = Annotated[str, typer.Option("--area", help="An area with all below it; the whole town if not given.")]
ServicesOption = Annotated[str, typer.Option("--services", help="Services with commas between; * is all of them.")]
PasswordFileOption = Annotated[
    Path | None, typer.Option("--password-file", help="A file with the password in its first line; else it is asked.")
]


@commands.command("add")
def add(
    login: LoginArgument,
    name: Annotated[str, typer.Option("--name", help="What they are called, as the journal shows it.")],
    role: RoleOption,
    area: AreaOption = "",
    services: ServicesOption = "*",
    language: Annotated[
        str, typer.Option("--language", callback=_one_of(LANGUAGES), help="What they read: fr or en.")
    ] = "fr",
    password_file: PasswordFileOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    reason: ReasonOption = "",
) -> None:
    """Makes an account with a role; its password is asked for twice, and shown nowhere."""
    held = written(role, area, services)
    newcomer = Newcomer(login, name, _password(password_file), held, language, reason)
    warn(done(config, data, "users.add", newcomer), area)
    out.print(f"{login} may log in as {held}.")


@commands.command("list")
def list_users(config: ConfigOption = None, data: DataOption = None) -> None:
    """The accounts: login, name, roles; closed ones too, as long as their names are kept."""
    people = done(config, data, "users.list")
    if not people:
        out.print(f"There is no account yet. Make the first: {FIRST}")
    for each in people:
        roles = "; ".join(each["roles"]) or "no role"
        closed = "" if each["closed"] is None else f"  closed on {each['closed'][:10]}"
        typer.echo(f"{each['login'] or each['id']}  {each['name'] or 'name erased'}  {roles}{closed}")


@commands.command("password")
def password(
    login: LoginArgument,
    password_file: PasswordFileOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    reason: ReasonOption = "",
) -> None:
    """Sets a password; who was logged in under the old one is out."""
    done(config, data, "users.password", NewPassword(login, reason, password=_password(password_file)))
    out.print(f"{login} has a new password.")


@commands.command("grant")
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
    held = written(role, area, services)
    warn(done(config, data, "users.grant", RoleOf(login, reason, role=held)), area)
    out.print(f"{login} is {held}.")


@commands.command("withdraw")
def withdraw(
    login: LoginArgument,
    role: RoleOption,
    area: AreaOption = "",
    config: ConfigOption = None,
    data: DataOption = None,
    reason: ReasonOption = "",
) -> None:
    """Takes a role back; sessions end, and tokens that may do more than what is left."""
    done(config, data, "users.withdraw", RoleOf(login, reason, role=Role(role, area)))
    out.print(f"{login} is {role} of {area or 'the whole town'} no more.")


@commands.command("close")
def close(
    login: LoginArgument, config: ConfigOption = None, data: DataOption = None, reason: ReasonOption = ""
) -> None:
    """Closes an account: sessions end, tokens are revoked; login and name are erased after a year."""
    done(config, data, "users.close", Known(login, reason))
    out.print(f"{login} may log in no more.")


@commands.command("reopen")
def reopen(
    login: LoginArgument, config: ConfigOption = None, data: DataOption = None, reason: ReasonOption = ""
) -> None:
    """Opens a closed account again, with the roles it had."""
    done(config, data, "users.reopen", Known(login, reason))
    out.print(f"{login} may log in again.")


def written(role: str, area: str, services: str) -> Role:
    """A role as options write it."""
    return Role(role, area, tuple(each.strip() for each in services.split(",") if each.strip()))


def warn(answer: dict[str, Any], area: str) -> None:
    """Says so where nothing of the city lies in a role's area yet."""
    if not answer["placed"]:
        err.print(f"vigie: nothing of the city lies in {area!r} so far: is it written right?", markup=False)


def _password(file: Path | None) -> str:
    # Never an argument: those are seen by everybody on the machine, and kept in the shell's history.
    if file is None:
        return typer.prompt("Password", hide_input=True, confirmation_prompt="Once more", err=True)
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise fail(f"{file} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}") from None
    return lines[0] if lines else ""
