"""The demo's junctions given to adaptive control: a command that `vigie demo` starts when their streets are there."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from vigie.cli.common import plain_errors
from vigie.cli.consoles import err, group
from vigie.cli.demo import DemoOption
from vigie.demo.streets import give_to_control
from vigie.settings import load_settings

commands = group()

NICE = 10


@commands.command("demo-streets", hidden=True)
def demo_streets(data: DemoOption, url: Annotated[str, typer.Option(help="Where the post answers.")]) -> None:
    """Takes the junctions of the demo's streets in, and orders that they be adaptive."""
    os.nice(NICE)
    with plain_errors():
        try:
            give_to_control(load_settings(environment={}, data=data), url, typer.echo)
        except RuntimeError as error:
            err.print(f"vigie: the demo's junctions are not adaptive: {error}", markup=False)
            raise typer.Exit(1) from None
