"""vigie devices: who may report for which assets."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vigie.app import RSMP, TALQ
from vigie.app.administration import Admission, Expulsion
from vigie.app.rsmp import CONTROLLER
from vigie.cli.common import ConfigOption, DataOption, ReasonOption, done
from vigie.cli.consoles import err, group, out
from vigie.core.facts import PLAIN

commands = group("Who may report for which assets; also while the post runs.")


class Protocol(StrEnum):
    """What a device speaks."""

    PLAIN = PLAIN
    TALQ = TALQ
    RSMP = RSMP


@commands.command("admit")
def admit(
    name: Annotated[str, typer.Argument(help="What the device is called.")],
    assets: Annotated[
        list[str], typer.Option("--asset", help="An asset it reports for; repeat, or use --all-of.")
    ] = [],  # noqa: B006
    all_of: Annotated[str, typer.Option(help="All assets of this area that nobody reports for yet.")] = "",
    protocol: Annotated[
        Protocol, typer.Option(help="What it speaks. Of an RSMP site NAME is the site id, and there is one --asset.")
    ] = Protocol.PLAIN,
    talq: Annotated[bool, typer.Option("--talq", help="It is a TALQ gateway, as --protocol talq says.")] = False,
    uri: Annotated[
        str, typer.Option(help="With --talq: the one address at which it may be asked. Left out: whichever it names.")
    ] = "",
    controller: Annotated[str, typer.Option(help="Of an RSMP site: the component id of its controller.")] = CONTROLLER,
    certificate: Annotated[
        str, typer.Option(help="Of an RSMP site: the name that its certificate must show. Left out: any, or none.")
    ] = "",
    codes: Annotated[
        Path | None, typer.Option(help="Of an RSMP site: a file with its security codes 1 and 2, a line each.")
    ] = None,
    stage_inputs: Annotated[
        int,
        typer.Option(help="Of an RSMP site: the input that asks for the first stage; 0: there is none."),
    ] = 0,
    config: ConfigOption = None,
    data: DataOption = None,
    reason: ReasonOption = "",
) -> None:
    """Admits a device and prints its secret, once."""
    spoken = Protocol.TALQ if talq else protocol
    if uri and spoken is not Protocol.TALQ:
        raise typer.BadParameter("only a TALQ gateway is asked: --uri goes with --talq")
    if spoken is not Protocol.RSMP and (certificate or codes or controller != CONTROLLER or stage_inputs):
        raise typer.BadParameter("--controller, --certificate, --codes and --stage-inputs go with --protocol rsmp")
    secrets = ("", "") if codes is None else _read(codes)
    asked = Admission(name, assets, all_of, reason, spoken.value, uri, controller, certificate, secrets,
                      stage_inputs)  # fmt: skip
    admitted = done(config, data, "devices.admit", asked)
    if spoken is Protocol.RSMP:
        out.print(f"{name} may connect, and speaks for {assets[0]}.", markup=False)
        return
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


def _read(path: Path) -> tuple[str, str]:
    """The security codes of a site."""
    try:
        lines = path.read_text("utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{path} cannot be read: {error}") from None
    if len(lines) != 2:
        raise typer.BadParameter(f"{path} has two lines: security code 1, and security code 2")
    return lines[0], lines[1]


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
