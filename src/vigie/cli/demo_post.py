"""The post of a demo: a command that `vigie demo` starts."""

from __future__ import annotations

import logging
import socket
from typing import Annotated

import typer

from vigie.cli.common import plain_errors
from vigie.cli.consoles import err, group
from vigie.cli.demo import DemoOption, PortOption, SeedOption
from vigie.cli.serving import run
from vigie.demo.town import prepare
from vigie.settings import load_settings
from vigie.sim.city import grow
from vigie.sim.city.handing import handed
from vigie.sim.road_events import PATH as ROAD_EVENTS

commands = group()


@commands.command("demo-post", hidden=True)
def demo_post(
    data: DemoOption,
    seed: SeedOption,
    port: PortOption,
    pipe: Annotated[int | None, typer.Option("--handed", help="A pipe from which to take the city, once made.")] = None,
) -> None:
    """The post of the demo, as a process that `vigie demo` starts; says what it is doing until it answers."""
    growing = grow(seed) if pipe is None else handed(pipe)
    with plain_errors():
        settings = load_settings(
            environment={}, data=data, port=port, city="Dijon (simulated)", rsmp_port=_free_port(),
            road_events_url=f"http://127.0.0.1:{_free_port()}{ROAD_EVENTS}",
        )  # fmt: skip
        try:
            # What forty gateways do all day would push out of sight what the demo says of itself.
            run(settings, lambda opened: prepare(opened, growing, typer.echo), logging.WARNING)
        except ValueError as error:
            err.print(f"vigie: {error}", markup=False)
            raise typer.Exit(1) from None


def _free_port() -> int:
    """A port that nobody has now: the devices are told of it before it is opened."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
