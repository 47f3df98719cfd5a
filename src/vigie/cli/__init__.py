"""The command `vigie`: one module a group of commands, taken in when one of them is asked for.

A post that is to serve needs none of what reads shapefiles, and would wait for it at each start.
"""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from types import ModuleType
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup
from typer.main import get_group

GROUPS = {
    "demo": ("version", "demo"),
    "demo_post": ("demo-post",),
    "demo_streets": ("demo-streets",),
    "serving": ("serve",),
    "imports": ("import",),
    "exports": ("export",),
    "replay": ("replay",),
    "backup": ("backup", "restore"),
    "doctor": ("doctor",),
    "benches": ("bench",),
    "devices": ("devices",),
    "journal": ("journal",),
    "mail": ("mail",),
    "mqtt": ("mqtt",),
    "users": ("users",),
    "signals": ("signals",),
    "tokens": ("tokens",),
}
"""Module -> the commands that it brings. Each has them as `commands`, or is one command with commands of its own."""


class OnDemand(TyperGroup):
    """The commands of all modules, each module imported at first need. (Typer keeps the types of click to itself.)"""

    def list_commands(self, ctx: Any) -> list[str]:
        """All names, in the order of their groups."""
        return [name for names in GROUPS.values() for name in names]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command by its name; None where there is none."""
        module = next((module for module, names in GROUPS.items() if cmd_name in names), None)
        if module is None:
            return None
        found = get_group(_taken_in(f"vigie.cli.{module}").commands)
        return found.commands.get(cmd_name, found)


def _taken_in(module: str) -> ModuleType:
    """A module with all that it needs. None of that ever goes: the collector of cycles would only look through it
    again and again while it comes, which takes a seventh of the time."""
    gc.disable()
    try:
        return import_module(module)
    finally:
        gc.enable()


main = typer.Typer(name="vigie", cls=OnDemand, no_args_is_help=True, rich_markup_mode=None)


@main.callback()
def vigie() -> None:
    """The one command post of a metropolis."""


def program() -> NoReturn:
    """`vigie` as a program of its own, from its arguments to its exit code.

    A command has closed what it opened when it returns. What Python does after that, which is to take apart all that it
    holds, costs a post half a second: the system gives the memory back by itself.
    """
    try:
        main()
    except SystemExit as ended:
        if not isinstance(ended.code, int):
            raise
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except OSError:  # Nobody reads any more.
            raise ended from None
        os._exit(ended.code)
    raise AssertionError("a command ends by saying how")
