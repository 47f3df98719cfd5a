"""vigie mqtt: a mosquitto broker made ready for the post and its devices."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vigie.app.broker import claim, set_password, set_up_broker
from vigie.cli.common import ConfigOption, DataOption, done, plain_errors
from vigie.cli.consoles import fail, group, out
from vigie.settings import load_settings
from vigie.transports.mosquitto import usable

commands = group("A mosquitto broker made ready for the post and its devices.")

OutOption = Annotated[Path, typer.Option("--out", help="The broker's folder.")]


@commands.command("setup")
def setup(
    folder: OutOption,
    host: Annotated[str, typer.Option(help="The address that the broker listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port that the broker listens on.")] = 1883,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Writes the broker's settings, its access list and its password file; again after devices are expelled."""
    devices: list[str] = done(config, data, "devices.list")
    with plain_errors():
        settings = load_settings(config, data=data)
        try:
            ours, without = set_up_broker(settings, folder.absolute(), devices, host, port)
        except (OSError, ValueError) as error:
            raise fail(str(error)) from None
    out.print(f"The broker's settings: {folder / 'mosquitto.conf'}")
    out.print("To be set for the post:")
    typer.echo(f'    mqtt_url = "mqtt://{host}:{port}"\n    mqtt_password_file = "{ours.absolute()}"')
    for name in without:
        if usable(name):
            out.print(f"{name} has no password at the broker yet: vigie mqtt user {name} --out {folder}")
        else:
            out.print(f"{name} can be no user of a broker (no blank, ':', '/', '+', '#'): it reports over HTTP.")


@commands.command("user")
def user(
    name: Annotated[str, typer.Argument(help="The device.")],
    folder: OutOption,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Lets a device in at the broker with its own secret, which is asked for or read from the standard input."""
    secret = typer.prompt("The device's secret", hide_input=True, err=True).strip()
    if not done(config, data, "devices.check", claim(name, secret)):
        raise fail(f"this is not the secret of a device {name!r}. vigie devices admit shows it, once")
    try:
        set_password(folder, name, secret)
    except (OSError, ValueError) as error:
        raise fail(str(error)) from None
    out.print(f"{name} may publish to vigie/v1/{name}/observations once the broker has read its settings (SIGHUP).")
