"""vigie doctor: what is wrong with an installation, and how to mend it."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from vigie.app.doctor import Check, examine, worst
from vigie.cli.common import ConfigOption, DataOption, progress
from vigie.cli.consoles import group, out
from vigie.settings import SettingsWrong, load_settings

commands = group()


@commands.command("doctor")
def doctor_command(
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One object, for machines.")] = False,
) -> None:
    """Says what is wrong here and how to mend it, also while the post runs; ends with 1 if anything is bad."""
    try:
        with progress() as say:
            checks = examine(load_settings(config, data=data), say)
    except SettingsWrong as error:
        checks = [Check("settings", "bad", str(error), "correct the file or the environment")]
    state = worst(checks)
    if as_json:
        typer.echo(msgspec.json.encode({"state": state, "checks": checks}).decode())
    else:
        for check in checks:
            out.print(f"{check.state:>4}  {check.name}: {check.says}")
            if check.mend:
                out.print(f"      mend: {check.mend}")
    raise typer.Exit(1 if state == "bad" else 0)
