"""vigie serve and demo: the post, alone or with a city beside it."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvloop

from vigie import __version__, demo
from vigie.app import Installation, serve
from vigie.cli.common import ConfigOption, DataOption, err, group, out, plain_errors
from vigie.settings import Settings, load_settings

commands = group()

DemoOption = Annotated[Path, typer.Option("--data", help="The demo's folder; made at first need.")]
SeedOption = Annotated[int, typer.Option(help="Which city: the same seed is the same city.")]
PortOption = Annotated[int, typer.Option(help="The port to answer on; 0 takes a free one.")]


@commands.command("version")
def version() -> None:
    """Which vigie this is."""
    out.print(__version__)


@commands.command("serve")
def serve_command(
    config: ConfigOption = None,
    data: DataOption = None,
    host: Annotated[str | None, typer.Option(help="The address to answer on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to answer on; 0 takes a free one.")] = None,
) -> None:
    """Runs the post until it is asked to stop (Ctrl-C, SIGTERM); nothing acknowledged is lost, however it ends."""
    with plain_errors():
        _serve(load_settings(config, data=data, host=host, port=port))


@commands.command("demo")
def demo_command(
    data: DemoOption = Path("demo-data"),
    port: PortOption = 8000,
    seed: SeedOption = demo.SEED,
) -> None:
    """A post and, beside it, a simulated metropolis of Dijon's size that speaks to it over HTTP. Ctrl-C ends both."""
    with plain_errors():
        # Whoever stops this process, or closes its terminal, stops what it has started, in the same way as Ctrl-C.
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler)
        try:
            with err.status("preparing") as status, demo.both(data, port, seed, status.update) as (url, ended):
                status.stop()
                typer.echo(f"vigie answers on {url}, and a simulated metropolis reports to it.")
                typer.echo(f"    {url}/console        what people see")
                typer.echo(f"    {url}/health/ready   whether it takes observations in")
                typer.echo(f"    {url}/metrics        what comes in, and what is wrong in the city")
                typer.echo(f"Log in with the password {demo.PASSWORD} as")
                for each in demo.PEOPLE:
                    typer.echo(f"    {each.login:<14} {each.name:<13} {each.what}")
                typer.echo("Ctrl-C ends both; what was acknowledged stays.")
                while (name := ended()) is None:
                    time.sleep(0.5)
                raise RuntimeError(f"{name} ended by itself")
        except KeyboardInterrupt:
            typer.echo("ended")
        except RuntimeError as error:
            err.print(f"vigie: {error}", markup=False)
            raise typer.Exit(1) from None


@commands.command("demo-post", hidden=True)
def demo_post(data: DemoOption, seed: SeedOption, port: PortOption) -> None:
    """The post of the demo, as a process that `vigie demo` starts; says what it is doing until it answers."""
    with plain_errors():
        settings = load_settings(environment={}, data=data, port=port, city="Dijon (simulated)")
        try:
            # What forty gateways do all day would push out of sight what the demo says of itself.
            _serve(settings, lambda opened: demo.prepare(opened, seed, typer.echo), logging.WARNING)
        except ValueError as error:
            err.print(f"vigie: {error}", markup=False)
            raise typer.Exit(1) from None


def _serve(
    settings: Settings,
    first: Callable[[Installation], Awaitable[None]] | None = None,
    log_level: int = logging.INFO,
) -> None:
    _set_up_logs(settings, log_level)

    def ready(bound: int) -> None:
        typer.echo(f"{demo.ANSWERS_ON}http://{settings.host}:{bound}")

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings, on_ready=ready, first=first))


def _set_up_logs(settings: Settings, level: int) -> None:
    last = structlog.processors.JSONRenderer() if settings.log_json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            last,
        ],
        # Asked each time: whoever runs a command in a process of theirs may give it other streams.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
