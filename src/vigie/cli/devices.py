"""vigie devices: who may report for which assets."""

from __future__ import annotations

from typing import Annotated

import typer

from vigie.app import admit_device
from vigie.cli.common import ConfigOption, DataOption, ReasonOption, err, opened, out
from vigie.core.facts import COMMAND_LINE, DeviceExpelled, Entry

devices = typer.Typer(help="Who may report for which assets.", no_args_is_help=True)


@devices.command("admit")
def admit(
    name: Annotated[str, typer.Argument(help="What the device is called.")],
    assets: Annotated[
        list[str], typer.Option("--asset", help="An asset it reports for; repeat, or use --all-of.")
    ] = [],  # noqa: B006
    all_of: Annotated[str, typer.Option(help="All assets of this area that nobody reports for yet.")] = "",
    config: ConfigOption = None,
    data: DataOption = None,
    reason: ReasonOption = "",
) -> None:
    """Admits a device and prints its secret, once."""
    with opened(config, data) as post:
        if name in {known for _, known in post.facts.devices().values()}:
            err.print(f"vigie: there is a device {name!r} already. Expel it first.", markup=False)
            raise typer.Exit(1)
        ids = post.facts.ids()
        unknown = [asset for asset in assets if asset not in ids]
        if unknown:
            err.print(f"vigie: there is no asset {unknown[0]!r}", markup=False)
            raise typer.Exit(1)
        numbers = [ids[asset] for asset in assets]
        if all_of:
            rows = post.facts.registry_rows()
            numbers += [row[0] for row in rows if row[5] == 0 and (row[3] == all_of or row[3].startswith(all_of + "/"))]
        secret = admit_device(post, name, numbers, reason=reason)
    out.print(f"{name} may report for {len(numbers)} assets. Its secret, shown this once:", markup=False)
    typer.echo(secret)


@devices.command("expel")
def expel(
    name: Annotated[str, typer.Argument(help="What the device is called.")],
    config: ConfigOption = None,
    data: DataOption = None,
    reason: ReasonOption = "",
) -> None:
    """Withdraws a device's secret; its assets have no reporter until another is admitted."""
    with opened(config, data) as post:
        if name not in {known for _, known in post.facts.devices().values()}:
            err.print(f"vigie: there is no device {name!r}", markup=False)
            raise typer.Exit(1)
        fact = DeviceExpelled(id=post.new_id(), at=post.clock.now_us(), actor=COMMAND_LINE, device=name)
        post.facts.commit([Entry(fact, post.because(reason))])
    out.print(f"{name} may report no more.", markup=False)


@devices.command("list")
def list_devices(config: ConfigOption = None, data: DataOption = None) -> None:
    """The devices that may report."""
    with opened(config, data) as post:
        for _, name in sorted(post.facts.devices().values()):
            out.print(name, markup=False)
