"""vigie demo, and version: what has to answer at once, and takes in nothing of the post."""

from __future__ import annotations

import signal
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.status import Status

from vigie import __version__
from vigie.cli.consoles import err, group, out
from vigie.demo.people import PASSWORD, PEOPLE
from vigie.demo.processes import ANSWERS_ON, OLDER, SEED, both, watched

commands = group()

DemoOption = Annotated[Path, typer.Option("--data", help="The demo's folder; made at first need.")]
SeedOption = Annotated[int, typer.Option(help="Which city: the same seed is the same city.")]
PortOption = Annotated[int, typer.Option(help="The port to answer on; 0 takes a free one.")]


@commands.command("version")
def version() -> None:
    """Which vigie this is."""
    out.print(__version__)


@commands.command("demo")
def demo_command(
    data: DemoOption = Path("demo-data"),
    port: PortOption = 8000,
    seed: SeedOption = SEED,
) -> None:
    """A post and, beside it, a simulated metropolis of Dijon's size that speaks to it over HTTP. Ctrl-C ends both."""
    # Whoever stops this process, or closes its terminal, stops what it has started, in the same way as Ctrl-C.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        with err.status("preparing") as status, both(data, port, seed, partial(_show, status)) as (url, ended):
            status.stop()
            typer.echo(f"{ANSWERS_ON}{url}, and a simulated metropolis reports to it.")
            typer.echo(f"    {url}/console        what people see")
            typer.echo(f"    {url}/health/ready   whether it takes observations in")
            typer.echo(f"    {url}/metrics        what comes in, and what is wrong in the city")
            typer.echo(f"Log in with the password {PASSWORD} as")
            for each in PEOPLE:
                typer.echo(f"    {each.login:<14} {each.name:<13} {each.what}")
            typer.echo("Ctrl-C ends both; what was acknowledged stays.")
            raise RuntimeError(f"{watched(data, url, ended)} ended by itself")
    except KeyboardInterrupt:
        typer.echo("ended")
    except RuntimeError as error:
        err.print(f"vigie: {error}", markup=False)
        raise typer.Exit(1) from None


def _show(status: Status, said: str) -> None:
    """Shows what the post is doing; what is to be read stays."""
    if said == OLDER:
        err.print(f"vigie: {said}", markup=False, soft_wrap=True)
    else:
        status.update(said)
