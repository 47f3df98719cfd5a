"""vigie bench: what is promised of its speed, measured."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from vigie.cli.consoles import err, group, out

commands = group()


@commands.command("bench")
def bench(
    names: Annotated[list[str] | None, typer.Argument(help="Names or groups; all if none is given.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
    seeds: Annotated[
        list[int] | None, typer.Option("--seed", help="Of what throws dice: each seed is a run. May come again.")
    ] = None,
    nights: Annotated[int | None, typer.Option(min=3, help="Of what takes nights: fewer, for a short look.")] = None,
) -> None:
    """Measures what is promised of vigie's speed, here; wants the project's folder, and a machine with nothing else."""
    root = Path(__file__).resolve().parents[3]
    if not (root / "bench" / "harness.py").exists():
        err.print("vigie: the measurements are in the project's folder bench/, and it is not here.", markup=False)
        raise typer.Exit(1)
    sys.path.insert(0, str(root))
    harness = importlib.import_module("bench.harness")
    for path in sorted((root / "bench").glob("*.py")):
        importlib.import_module(f"bench.{path.stem}")
    if seeds:
        harness.ASKED.seeds = tuple(seeds)
    harness.ASKED.nights = nights or harness.ASKED.nights
    known: dict[str, Any] = harness.MEASUREMENTS
    wanted = [name for name in known if not names or name in names or name.split(".")[0] in names]
    if not wanted:
        err.print(f"vigie: nothing is measured under that name. There are: {', '.join(known)}", markup=False)
        raise typer.Exit(1)
    for name in wanted:
        with err.status(name):
            measured = known[name]()
        if as_json:
            typer.echo(measured.as_json())
            continue
        sign = "reached" if measured.reached else "NOT reached"
        value, worst, must = (_figure(each) for each in (measured.value, measured.worst, measured.must))
        out.print(f"{name}: {value} {measured.unit}, worst {worst} of {len(measured.runs)}")
        out.print(f"  must reach {must}: {sign}. {measured.size}; {measured.processes}", markup=False)
        for line in measured.told:
            out.print(f"  {line}", markup=False, soft_wrap=True)


def _figure(value: float) -> str:
    """Three digits, or all before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
