"""vigie mail: whether mail to residents leaves."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Annotated

import typer

from vigie.app.mail import try_mail
from vigie.cli.common import ConfigOption, plain_errors
from vigie.cli.consoles import fail, group, out
from vigie.core.mail import NoAddress
from vigie.settings import load_settings
from vigie.transports.mail import MailFailed, Refused

commands = group("Mail to residents.")


@commands.callback()
def mail() -> None:
    """Mail to residents."""


@commands.command("test")
def try_command(
    to: Annotated[str, typer.Argument(metavar="ADDRESS", help="Where the trial is sent.")],
    config: ConfigOption = None,
) -> None:
    """Sends a mail by the settings, which tells nothing but that it came."""
    with plain_errors():
        settings = load_settings(config)
        try:
            at = asyncio.run(try_mail(settings, to, time.time_ns() // 1_000, secrets.token_bytes(16)))
        except (MailFailed, Refused, NoAddress) as error:
            raise fail(f"it was not sent: {error}") from None
    out.print(f"{at} has taken it. Whether it comes is seen where it was sent.")
