"""The command `vigie`."""

from __future__ import annotations

import asyncio
import importlib
import logging
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import structlog
import typer
import uvloop
from rich.console import Console
from rich.progress import Progress

from vigie import __version__, demo
from vigie.app import Installation, InUse, admit_device, installation, serve
from vigie.core.drafts import Draft
from vigie.core.facts import COMMAND_LINE, DeviceExpelled, Entry
from vigie.core.times import rfc3339
from vigie.settings import Settings, SettingsWrong, load_settings
from vigie.store.journal import JournalBroken

main = typer.Typer(
    name="vigie", help="The one command post of a metropolis.", no_args_is_help=True, rich_markup_mode=None
)
devices = typer.Typer(help="Who may report for which assets.", no_args_is_help=True)
journal = typer.Typer(help="What was done, by whom, and the proof of it.", no_args_is_help=True)
main.add_typer(devices, name="devices")
main.add_typer(journal, name="journal")

# What is shown are words of people and devices: their brackets and colons are no markup.
out = Console(markup=False, emoji=False, highlight=False)
err = Console(stderr=True)

ConfigOption = Annotated[Path | None, typer.Option("--config", help="A TOML file of settings.")]
DataOption = Annotated[Path | None, typer.Option("--data", help="The installation's folder.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, in your own words: kept a year, erasable.")]


@contextmanager
def _plain_errors() -> Generator[None]:
    """What a person can mend is said in a sentence; anything else is a fault and keeps its trace."""
    try:
        yield
    except (SettingsWrong, InUse, JournalBroken) as error:
        err.print(f"vigie: {error}", style="bold red", markup=False)
        raise typer.Exit(1) from None


@contextmanager
def _opened(config: Path | None, data: Path | None) -> Generator[Installation]:
    with _plain_errors(), installation(load_settings(config, data=data)) as opened:
        yield opened


@main.command("version")
def version() -> None:
    """Which vigie this is."""
    out.print(__version__)


@main.command("serve")
def serve_command(
    config: ConfigOption = None,
    data: DataOption = None,
    host: Annotated[str | None, typer.Option(help="The address to answer on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to answer on; 0 takes a free one.")] = None,
) -> None:
    """Runs the post until it is asked to stop (Ctrl-C, SIGTERM); nothing acknowledged is lost, however it ends."""
    with _plain_errors():
        settings = load_settings(config, data=data, host=host, port=port)
        _set_up_logs(settings)

        def ready(bound: int) -> None:
            out.print(f"vigie answers on http://{settings.host}:{bound}", markup=False, highlight=False)
            sys.stdout.flush()

        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(serve(settings, on_ready=ready))
        except OSError as error:
            err.print(f"vigie: {settings.host}:{settings.port} cannot be had: {error.strerror}", markup=False)
            raise typer.Exit(1) from None


@main.command("demo")
def demo_command(
    data: Annotated[Path, typer.Option("--data", help="The demo's folder; made at first need.")] = Path("demo-data"),
    port: Annotated[int, typer.Option(help="The port to answer on; 0 takes a free one.")] = 8000,
    seed: Annotated[int, typer.Option(help="Which city: the same seed is the same city.")] = demo.SEED,
) -> None:
    """A post and, beside it, a simulated metropolis of Dijon's size that speaks to it over HTTP. Ctrl-C ends both."""
    with _plain_errors():
        settings = load_settings(environment={}, data=data, port=port, city="Dijon (simulated)")
        try:
            with err.status("preparing") as status:
                demo.prepare(settings, seed, status.update)
            with demo.both(settings, seed) as (url, ended):
                typer.echo(f"vigie answers on {url}, and a simulated metropolis reports to it.")
                typer.echo(f"    {url}/health/ready   whether it takes observations in")
                typer.echo(f"    {url}/metrics        what comes in, and what is wrong in the city")
                typer.echo("Ctrl-C ends both; what was acknowledged stays.")
                while (name := ended()) is None:
                    time.sleep(0.5)
                raise RuntimeError(f"{name} ended by itself")
        except KeyboardInterrupt:
            typer.echo("ended")
        except (RuntimeError, ValueError) as error:
            err.print(f"vigie: {error}", markup=False)
            raise typer.Exit(1) from None


@main.command("demo-devices", hidden=True)
def demo_devices(
    url: Annotated[str, typer.Option(help="The post's address.")],
    data: Annotated[Path, typer.Option("--data", help="The demo's folder.")] = Path("demo-data"),
    seed: Annotated[int, typer.Option(help="Which city.")] = demo.SEED,
) -> None:
    """The devices of the demo, as the process that `vigie demo` starts."""
    demo.run_devices(data, url, seed)


@main.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="Assets in vigie's own form: a JSON object a line (see the how-to).")],
    source: Annotated[str, typer.Option(help="The name of the source; the file's name if not given.")] = "",
    config: ConfigOption = None,
    data: DataOption = None,
    reason: ReasonOption = "",
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
) -> None:
    """Takes an inventory in. The same file twice changes nothing; a bad line rejects that line; a bad file, nothing."""
    with _opened(config, data) as opened:
        drafts: list[Draft] = []
        rejected: list[dict[str, Any]] = []
        lines: list[int] = []
        try:
            text = file.read_bytes()
        except OSError as error:
            err.print(f"vigie: {file} cannot be read: {error.strerror}", markup=False)
            raise typer.Exit(1) from None
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip():
                continue
            try:
                drafts.append(msgspec.json.decode(line, type=Draft))
                lines.append(number)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                rejected.append({"line": number, "reason": str(error)})
        if rejected and not drafts:
            err.print(
                f"vigie: {file} holds no asset; line {rejected[0]['line']}: {rejected[0]['reason']}", markup=False
            )
            raise typer.Exit(1)
        intake = opened.take_assets(source or file.stem, drafts, reason=reason)
        rejected += [{"line": lines[each.row], "key": each.key, "reason": each.reason} for each in intake.refused]
        report: dict[str, Any] = {
            "source": source or file.stem,
            "read": len(drafts) + len(rejected) - len(intake.refused),
            "made": intake.made,
            "changed": len(intake.changes) - intake.made,
            "unchanged": intake.unchanged,
            "gone": len(intake.gone),
            "rejected": sorted(rejected, key=lambda each: each["line"]),
        }
    if as_json:
        typer.echo(msgspec.json.encode(report).decode())
        return
    for name in ("read", "made", "changed", "unchanged", "gone"):
        out.print(f"{name:>10}  {report[name]}", markup=False)
    out.print(f"{'rejected':>10}  {len(rejected)}", markup=False)
    for each in report["rejected"][:20]:
        out.print(f"            line {each['line']}: {each['reason']}", markup=False)


@devices.command("admit")
def admit(
    name: Annotated[str, typer.Argument(help="What the device is called.")],
    assets: Annotated[
        list[str], typer.Option("--asset", help="An asset it reports for; repeat, or use --all-of.")
    ] = [],  # noqa: B006
    all_of: Annotated[str, typer.Option(help="All assets of this area that nobody reports for yet.")] = "",
    config: ConfigOption = None,
    data: DataOption = None,
    reason: ReasonOption = "",
) -> None:
    """Admits a device and prints its secret, once."""
    with _opened(config, data) as opened:
        if name in {known for _, known in opened.facts.devices().values()}:
            err.print(f"vigie: there is a device {name!r} already. Expel it first.", markup=False)
            raise typer.Exit(1)
        ids = opened.facts.ids()
        unknown = [asset for asset in assets if asset not in ids]
        if unknown:
            err.print(f"vigie: there is no asset {unknown[0]!r}", markup=False)
            raise typer.Exit(1)
        numbers = [ids[asset] for asset in assets]
        if all_of:
            rows = opened.facts.registry_rows()
            numbers += [row[0] for row in rows if row[5] == 0 and (row[3] == all_of or row[3].startswith(all_of + "/"))]
        secret = admit_device(opened, name, numbers, reason=reason)
    out.print(f"{name} may report for {len(numbers)} assets. Its secret, shown this once:", markup=False)
    typer.echo(secret)


@devices.command("expel")
def expel(
    name: Annotated[str, typer.Argument(help="What the device is called.")],
    config: ConfigOption = None,
    data: DataOption = None,
    reason: ReasonOption = "",
) -> None:
    """Withdraws a device's secret; its assets have no reporter until another is admitted."""
    with _opened(config, data) as opened:
        if name not in {known for _, known in opened.facts.devices().values()}:
            err.print(f"vigie: there is no device {name!r}", markup=False)
            raise typer.Exit(1)
        fact = DeviceExpelled(id=opened.new_id(), at=opened.clock.now_us(), actor=COMMAND_LINE, device=name)
        opened.facts.commit([Entry(fact, opened.because(reason))])
    out.print(f"{name} may report no more.", markup=False)


@devices.command("list")
def list_devices(config: ConfigOption = None, data: DataOption = None) -> None:
    """The devices that may report."""
    with _opened(config, data) as opened:
        for _, name in sorted(opened.facts.devices().values()):
            out.print(name, markup=False)


@journal.command("show")
def show(
    config: ConfigOption = None,
    data: DataOption = None,
    limit: Annotated[int, typer.Option(help="How many, the newest first.")] = 20,
) -> None:
    """What was done, the newest first."""
    with _opened(config, data) as opened:
        for line in opened.facts.journal.lines(limit=limit):
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
    with _opened(config, data) as opened, Progress(console=err, transient=True) as progress:
        size = opened.facts.journal.size
        task = progress.add_task("leaves", total=size)
        done = 0
        for done in opened.facts.journal.verify(opened.key.public_key()):
            progress.update(task, completed=done)
    out.print(f"The journal holds: {done} leaves, every one in its place.", markup=False)


@journal.command("prove")
def prove(
    leaf: Annotated[int, typer.Argument(help="The leaf's number.")],
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """The proof, as JSON, that a leaf is in the tree as it is signed now (RFC 6962, 2.1.1)."""
    with _opened(config, data) as opened:
        head = opened.sign_head()
        try:
            proof = opened.facts.journal.prove(leaf, head.size)
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
            "key": opened.key.public_key().public_bytes_raw().hex(),
        }
    typer.echo(msgspec.json.format(msgspec.json.encode(said)).decode())


@main.command("bench")
def bench(
    names: Annotated[list[str] | None, typer.Argument(help="Names or groups; all if none is given.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
) -> None:
    """Measures what is promised of vigie's speed, here; wants the project's folder, and a machine with nothing else."""
    root = Path(__file__).resolve().parents[2]
    if not (root / "bench" / "harness.py").exists():
        err.print("vigie: the measurements are in the project's folder bench/, and it is not here.", markup=False)
        raise typer.Exit(1)
    sys.path.insert(0, str(root))
    harness = importlib.import_module("bench.harness")
    for path in sorted((root / "bench").glob("*.py")):
        importlib.import_module(f"bench.{path.stem}")
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
        out.print(f"{name}: {measured.value:,.0f} {measured.unit}, worst {measured.worst:,.0f} of {len(measured.runs)}")
        out.print(f"  must reach {measured.must:,.0f}: {sign}. {measured.size}; {measured.processes}", markup=False)


def _set_up_logs(settings: Settings) -> None:
    last = structlog.processors.JSONRenderer() if settings.log_json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            last,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )


if __name__ == "__main__":
    main()
