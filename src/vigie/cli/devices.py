"""vigie devices: who may report for which assets."""

from __future__ import annotations

from typing import Annotated

import typer

from vigie.app.administration import Admission, Expulsion
from vigie.cli.common import ConfigOption, DataOption, ReasonOption, done
from vigie.cli.consoles import err, group, out

commands = group("Who may report for which assets; also while the post runs.")


@commands.command("admit")
def admit(
    name: Annotated[str, typer.Argument(help="What the device is called.")],
    assets: Annotated[
        list[str], typer.Option("--asset", help="An asset it reports for; repeat, or use --all-of.")
    ] = [],  # noqa: B006
    all_of: Annotated[str, typer.Option(help="All assets of this area that nobody reports for yet.")] = "",
    talq: Annotated[bool, typer.Option("--talq", help="It is a TALQ gateway.")] = False,
    uri: Annotated[
        str, typer.Option(help="With --talq: the one address at which it may be asked. Left out: whichever it names.")
    ] = "",
    config: ConfigOption = None,
    data: DataOption = None,
    reason: ReasonOption = "",
) -> None:
    """Admits a device and prints its secret, once."""
    if uri and not talq:
        raise typer.BadParameter("only a TALQ gateway is asked: --uri goes with --talq")
    admitted = done(config, data, "devices.admit", Admission(name, assets, all_of, reason, talq, uri))
    if not admitted["assets"]:
        err.print(
            f"vigie: {name} reports for nothing: expel it (vigie devices expel {name}) and admit it again with its "
            "assets, --asset, or an area's, --all-of",
            markup=False,
        )
    out.print(f"{name} may report for {admitted['assets']} assets. Its secret, shown this once:", markup=False)
    typer.echo(admitted["secret"])
    if admitted["shown"]:
        out.print("What the post shows to it, to be put into the gateway:", markup=False)
        typer.echo(admitted["shown"])


@commands.command("expel")
def expel(
    name: Annotated[str, typer.Argument(help="What the device is called.")],
    config: ConfigOption = None,
    data: DataOption = None,
    reason: ReasonOption = "",
) -> None:
    """Withdraws a device's secret; its assets have no reporter until it is admitted anew, or another is."""
    done(config, data, "devices.expel", Expulsion(name, reason))
    out.print(f"{name} may report no more.", markup=False)


@commands.command("list")
def list_devices(config: ConfigOption = None, data: DataOption = None) -> None:
    """The devices that may report."""
    for name in done(config, data, "devices.list"):
        out.print(name, markup=False)
