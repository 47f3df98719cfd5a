"""vigie backup and restore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vigie.app.backup import BackupOrder, read_manifest, restore
from vigie.cli.common import ConfigOption, DataOption, done, plain_errors, progress
from vigie.cli.consoles import err, fail, group, out
from vigie.settings import load_settings

commands = group()


@commands.command("backup")
def backup_command(
    to: Annotated[Path, typer.Argument(help="The folder to make; it must not be there yet.")],
    with_keys: Annotated[
        bool,
        typer.Option("--with-keys", help="The keys too. Whoever has both can sign another history."),
    ] = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Makes a backup as of one instant, also while the post runs; every file with its digest."""
    made = done(config, data, "backup", BackupOrder(str(to.absolute()), with_keys))
    size = f"{made['files']} files, {made['bytes'] >> 20} MiB, {made['leaves']} leaves of the journal"
    out.print(f"{made['to']}: {size}.")
    if made["keys"]:
        out.print("The keys are in it: keep it where nobody reads it.")
    else:
        out.print("The keys are NOT in it: keep a copy of keys/journal.key elsewhere, or use --with-keys.")


@commands.command("restore")
def restore_command(
    backup: Annotated[Path, typer.Argument(help="A folder made by vigie backup.")],
    erasures: Annotated[
        Path | None,
        typer.Option(help="The newest erasures.jsonl there is: what was erased since the backup is erased again."),
    ] = None,
    without_erasures: Annotated[
        bool, typer.Option("--without-erasures", help="There is no such list, and it is known what that means.")
    ] = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Makes an installation of a backup in an empty folder, and erases again what was erased since."""
    with plain_errors(), progress() as say:
        settings = load_settings(config, data=data)
        read_manifest(backup)  # that there is no backup is said before what else is missing
        if erasures is None and not without_erasures:
            raise fail(
                "what was erased since the backup would come back. Give the newest list with --erasures "
                "(erasures.jsonl of the lost installation), or say --without-erasures"
            )
        try:
            made = restore(settings, backup, erasures, say)
        except OSError as error:
            raise fail(str(error)) from None
    out.print(f"{settings.data}: {made['city']} as of {made['made']}, {made['leaves']} leaves, every one in its place.")
    if erasures is not None:
        out.print(f"{made['erased']} personal fields erased again.")
    if not (settings.data / "keys" / "journal.key").exists():
        err.print("vigie: the key is not in the backup: put its copy at keys/journal.key before the post is started.")
        err.print(
            "vigie: nor are keys/reports.key and keys/talq.key, where there were any: without their copies the tokens "
            "of residents and the secrets of TALQ gateways are made anew, and the old ones are worth nothing."
        )
