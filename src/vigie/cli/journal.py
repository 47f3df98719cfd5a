"""vigie journal: what was done, by whom, and the proof of it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from vigie.app.administration import LEAVES_MAX, Leaf, Leaves
from vigie.cli.common import ConfigOption, DataOption, done
from vigie.cli.consoles import group, out

commands = group("What was done, by whom, and the proof of it; also while the post runs.")


@commands.command("show")
def show(
    config: ConfigOption = None,
    data: DataOption = None,
    limit: Annotated[int, typer.Option(help="How many, the newest first.")] = 20,
) -> None:
    """What was done, the newest first."""
    before: int | None = None
    while limit > 0:
        leaves: list[dict[str, Any]] = done(config, data, "journal.show", Leaves(min(limit, LEAVES_MAX), before))
        for leaf in leaves:
            # Lines rather than a table: they are searched with grep and read on any width.
            typer.echo(f"{leaf['n']}  {leaf['at'][:19]}Z  {leaf['type']}  by {leaf['actor']}")
            for name, value in leaf["says"].items():
                typer.echo(f"    {name}: {value}")
        if len(leaves) < LEAVES_MAX:
            return
        limit, before = limit - len(leaves), leaves[-1]["n"]


@commands.command("verify")
def verify(config: ConfigOption = None, data: DataOption = None) -> None:
    """Hashes every leaf anew and holds tree, signed heads and sealed fields against them."""
    said: dict[str, int] = done(config, data, "journal.verify")
    out.print(f"The journal holds: {said['leaves']} leaves, every one in its place.", markup=False)
    if said["unsealed"]:
        out.print(
            f"No leaf vouches for {said['unsealed']} private fields of documents: an older version wrote them.",
            markup=False,
        )


@commands.command("prove")
def prove(
    leaf: Annotated[int, typer.Argument(help="The leaf's number.")],
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """The proof, as JSON, that a leaf is in the tree as it is signed now (RFC 6962, 2.1.1)."""
    said = done(config, data, "journal.prove", Leaf(leaf))
    typer.echo(msgspec.json.format(msgspec.json.encode(said)).decode())
