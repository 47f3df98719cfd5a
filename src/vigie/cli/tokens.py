"""vigie tokens: what programs show."""

from __future__ import annotations

from typing import Annotated

import typer

from vigie.cli.common import ConfigOption, DataOption, ReasonOption, fail, out
from vigie.cli.users import AreaOption, RoleOption, ServicesOption, desk
from vigie.core.facts import COMMAND_LINE
from vigie.core.scope import Scope
from vigie.core.times import DAY_US, rfc3339
from vigie.engine.keeper import By

tokens = typer.Typer(help="What programs show, each with a scope of its own.", no_args_is_help=True)


@tokens.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What it is called, such as the program that will show it.")],
    role: RoleOption,
    area: AreaOption = "",
    services: ServicesOption = "*",
    days: Annotated[int, typer.Option("--days", help="How long it lasts; at most 366.")] = 90,
    config: ConfigOption = None,
    data: DataOption = None,
    reason: ReasonOption = "",
) -> None:
    """Makes a token and prints it, once."""
    with desk(config, data) as at:
        held = at.held(role, area, services)
        made = at.keeper.make_token(COMMAND_LINE, Scope.everything(), name, held, days * DAY_US, reason=reason)
        token, secret = at.do(made)
    out.print(f"{name} ({token.id}) counts until {rfc3339(token.expires_us)[:10]}. The token, shown this once:")
    typer.echo(secret)


@tokens.command("list")
def list_tokens(config: ConfigOption = None, data: DataOption = None) -> None:
    """The tokens that count: id, name, role, and who made each."""
    with desk(config, data) as at:
        for each in at.keeper.directory.tokens:
            person = at.post.facts.accounts.person(each.maker)
            maker = (person and person.login) or each.maker
            place = (
                f"{each.held.role} of {each.held.area or 'the whole town'} for {', '.join(sorted(each.held.services))}"
            )
            typer.echo(f"{each.id}  {each.name}  {place}  until {rfc3339(each.expires_us)[:10]}  by {maker}")


@tokens.command("revoke")
def revoke(
    token: Annotated[str, typer.Argument(help="Its id or its name, as they are listed.")],
    config: ConfigOption = None,
    data: DataOption = None,
    reason: ReasonOption = "",
) -> None:
    """Revokes a token."""
    with desk(config, data) as at:
        found = [each.id for each in at.keeper.directory.tokens if token in {each.id, each.name}]
        if len(found) != 1:
            raise fail(f"there is no token {token!r}" if not found else f"{token!r} names several tokens: say its id")
        at.do(at.keeper.revoke_token(By(COMMAND_LINE, reason), found[0]))
    out.print(f"{token} counts no more.")
