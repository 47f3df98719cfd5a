"""vigie serve and demo: the post, alone or with a city beside it."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvloop

from vigie import __version__, demo
from vigie.app import serve
from vigie.cli.common import ConfigOption, DataOption, err, out, plain_errors
from vigie.settings import Settings, load_settings

commands = typer.Typer()


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
        settings = load_settings(config, data=data, host=host, port=port)
        _set_up_logs(settings)

        def ready(bound: int) -> None:
            out.print(f"vigie answers on http://{settings.host}:{bound}", markup=False, highlight=False)
            sys.stdout.flush()

        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(serve(settings, on_ready=ready))
        except OSError as error:
            err.print(f"vigie: {settings.host}:{settings.port} cannot be had: {error.strerror}", markup=False)
            raise typer.Exit(1) from None


@commands.command("demo")
def demo_command(
    data: Annotated[Path, typer.Option("--data", help="The demo's folder; made at first need.")] = Path("demo-data"),
    port: Annotated[int, typer.Option(help="The port to answer on; 0 takes a free one.")] = 8000,
    seed: Annotated[int, typer.Option(help="Which city: the same seed is the same city.")] = demo.SEED,
) -> None:
    """A post and, beside it, a simulated metropolis of Dijon's size that speaks to it over HTTP. Ctrl-C ends both."""
    with plain_errors():
        settings = load_settings(environment={}, data=data, port=port, city="Dijon (simulated)")
        # Whoever stops this process stops what it has started, in the same way as Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            with err.status("preparing") as status, demo.both(settings, seed, status.update) as (url, ended):
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
        except (RuntimeError, ValueError) as error:
            err.print(f"vigie: {error}", markup=False)
            raise typer.Exit(1) from None


@commands.command("demo-devices", hidden=True)
def demo_devices(
    data: Annotated[Path, typer.Option("--data", help="The demo's folder.")] = Path("demo-data"),
    seed: Annotated[int, typer.Option(help="Which city.")] = demo.SEED,
) -> None:
    """The devices of the demo, as the process that `vigie demo` starts."""
    demo.run_devices(data, seed)


def _set_up_logs(settings: Settings) -> None:
    last = structlog.processors.JSONRenderer() if settings.log_json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            last,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
