"""vigie import: an inventory taken in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from vigie.cli.common import ConfigOption, DataOption, ReasonOption, err, opened, out
from vigie.core.drafts import Draft

commands = typer.Typer()


@commands.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="Assets in vigie's own form: a JSON object a line (see the how-to).")],
    source: Annotated[str, typer.Option(help="The name of the source; the file's name if not given.")] = "",
    config: ConfigOption = None,
    data: DataOption = None,
    reason: ReasonOption = "",
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
) -> None:
    """Takes an inventory in. The same file twice changes nothing; a bad line rejects that line; a bad file, nothing."""
    with opened(config, data) as post:
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
        intake = post.take_assets(source or file.stem, drafts, reason=reason)
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
