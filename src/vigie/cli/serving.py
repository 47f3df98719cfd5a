"""vigie serve: the post."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated

import structlog
import typer
import uvloop

from vigie.app import Installation, serve
from vigie.cli.common import ConfigOption, DataOption, plain_errors
from vigie.cli.consoles import group
from vigie.demo.processes import ANSWERS_ON
from vigie.settings import Settings, load_settings

commands = group()


@commands.command("serve")
def serve_command(
    config: ConfigOption = None,
    data: DataOption = None,
    host: Annotated[str | None, typer.Option(help="The address to answer on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to answer on; 0 takes a free one.")] = None,
) -> None:
    """Runs the post until it is asked to stop (Ctrl-C, SIGTERM); nothing acknowledged is lost, however it ends."""
    with plain_errors():
        run(load_settings(config, data=data, host=host, port=port))


def run(
    settings: Settings,
    first: Callable[[Installation], Awaitable[None]] | None = None,
    log_level: int = logging.INFO,
) -> None:
    """Serves until it is asked to stop. first: see `vigie.app.serve`."""
    _set_up_logs(settings, log_level)

    def ready(bound: int) -> None:
        typer.echo(f"{ANSWERS_ON}http://{settings.host}:{bound}")

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
