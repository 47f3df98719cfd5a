"""Where commands speak: the two consoles, groups of commands, and a sentence for what is wrong."""

from __future__ import annotations

import typer
from rich.console import Console

# What is shown are words of people and devices: their brackets and colons are no markup.
out = Console(markup=False, emoji=False, highlight=False)
err = Console(stderr=True)


def group(help: str = "") -> typer.Typer:
    """The commands of a module. help: of the group, where it has a name of its own."""
    return typer.Typer(help=help or None, no_args_is_help=bool(help), rich_markup_mode=None)


def fail(sentence: str) -> typer.Exit:
    """Says what is wrong and what mends it; the caller raises what comes back."""
    err.print(f"vigie: {sentence}", style="bold red", markup=False, highlight=False)
    return typer.Exit(1)
