"""vigie journal: what was done, by whom, and the proof of it."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer
from rich.progress import Progress

from vigie.cli.common import ConfigOption, DataOption, err, opened, out
from vigie.core.times import rfc3339

journal = typer.Typer(help="What was done, by whom, and the proof of it.", no_args_is_help=True)


@journal.command("show")
def show(
    config: ConfigOption = None,
    data: DataOption = None,
    limit: Annotated[int, typer.Option(help="How many, the newest first.")] = 20,
) -> None:
    """What was done, the newest first."""
    with opened(config, data) as post:
        for line in post.facts.journal.lines(limit=limit):
            said = msgspec.to_builtins(line.fact)
            rest = {name: value for name, value in said.items() if name not in {"id", "at", "actor", "type", "sealed"}}
            for field in line.personal:
                erased = f"erased on {rfc3339(field.erased_us or 0)} under rule {field.rule!r}"
                rest[field.field] = field.value if field.erased_us is None else erased
            # Lines rather than a table: they are searched with grep and read on any width.
            typer.echo(f"{line.n}  {rfc3339(line.fact.at)[:19]}Z  {type(line.fact).__name__}  by {line.fact.actor}")
            for name, value in rest.items():
                typer.echo(f"    {name}: {value}")


@journal.command("verify")
def verify(config: ConfigOption = None, data: DataOption = None) -> None:
    """Hashes every leaf anew and holds tree, signed heads and sealed fields against them."""
    with opened(config, data) as post, Progress(console=err, transient=True) as progress:
        size = post.facts.journal.size
        task = progress.add_task("leaves", total=size)
        done = 0
        for done in post.facts.journal.verify(post.key.public_key()):
            progress.update(task, completed=done)
    out.print(f"The journal holds: {done} leaves, every one in its place.", markup=False)


@journal.command("prove")
def prove(
    leaf: Annotated[int, typer.Argument(help="The leaf's number.")],
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """The proof, as JSON, that a leaf is in the tree as it is signed now (RFC 6962, 2.1.1)."""
    with opened(config, data) as post:
        head = post.sign_head()
        try:
            proof = post.facts.journal.prove(leaf, head.size)
        except IndexError as error:
            err.print(f"vigie: {error}", markup=False)
            raise typer.Exit(1) from None
        said = {
            "leaf": proof.leaf.decode(),
            "index": proof.n,
            "size": proof.size,
            "root": proof.root.hex(),
            "path": [step.hex() for step in proof.path],
            "signed_at": rfc3339(head.at_us),
            "signature": head.signature.hex(),
            "key": post.key.public_key().public_bytes_raw().hex(),
        }
    typer.echo(msgspec.json.format(msgspec.json.encode(said)).decode())
