"""The command `vigie`: one module a group of commands."""

from __future__ import annotations

import typer

from vigie.cli import backup, benches, devices, doctor, imports, journal, mqtt, replay, serving, tokens, users

main = typer.Typer(
    name="vigie", help="The one command post of a metropolis.", no_args_is_help=True, rich_markup_mode=None
)
for group in (serving.commands, imports.commands, replay.commands, backup.commands, doctor.commands, benches.commands):
    main.registered_commands += group.registered_commands
main.add_typer(devices.devices, name="devices")
main.add_typer(journal.journal, name="journal")
main.add_typer(mqtt.mqtt, name="mqtt")
main.add_typer(users.users, name="users")
main.add_typer(tokens.tokens, name="tokens")
