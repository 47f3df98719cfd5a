"""vigie tokens: what programs show."""

from __future__ import annotations

from typing import Annotated

import typer

from vigie.app.people import KnownToken, NewToken
from vigie.cli.common import ConfigOption, DataOption, ReasonOption, done
from vigie.cli.consoles import group, out
from vigie.cli.users import AreaOption, RoleOption, ServicesOption, warn, written

commands = group("What programs show, each with a scope of its own; also while the post runs.")


@commands.command("add")
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
    made = done(config, data, "tokens.add", NewToken(name, written(role, area, services), days, reason))
    warn(made, area)
    out.print(f"{name} ({made['id']}) counts until {made['until'][:10]}. The token, shown this once:")
    typer.echo(made["secret"])


@commands.command("list")
def list_tokens(config: ConfigOption = None, data: DataOption = None) -> None:
    """The tokens that count: id, name, role, and who made each."""
    for each in done(config, data, "tokens.list"):
        typer.echo(f"{each['id']}  {each['name']}  {each['role']}  until {each['until'][:10]}  by {each['maker']}")


@commands.command("revoke")
def revoke(
    token: Annotated[str, typer.Argument(help="Its id or its name, as they are listed.")],
    config: ConfigOption = None,
    data: DataOption = None,
    reason: ReasonOption = "",
) -> None:
    """Revokes a token."""
    done(config, data, "tokens.revoke", KnownToken(token, reason))
    out.print(f"{token} counts no more.")
