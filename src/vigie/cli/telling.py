"""vigie signals tell: a comparison that was sealed is told to the post, where it stands behind the order."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from vigie.app.comparisons import tell
from vigie.cli.common import ConfigOption, DataOption, JsonOption, ReasonOption, plain_errors
from vigie.cli.consoles import fail, out
from vigie.services.signals.whatif.sealed import FILE_BYTES_MAX, SealBroken, read_sealed
from vigie.settings import load_settings


def tell_command(
    file: Annotated[Path, typer.Argument(help="What `vigie signals compare --out` wrote.")],
    config: ConfigOption = None,
    data: DataOption = None,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Tells the post on this machine what a change would do, as it was compared; also while it runs.

    It then stands behind the order that makes the change, and beside what comes of it. A file that is not as it was
    written is refused, and the same file again changes nothing.
    """
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise SealBroken(f"it has more than {FILE_BYTES_MAX >> 20} MiB")
        data_of_file = file.read_bytes()
        read_sealed(data_of_file)
    except SealBroken as error:
        raise fail(f"{file}: {error}") from None
    except OSError as error:
        raise fail(f"{file} cannot be read: {error.strerror}") from None
    with plain_errors():
        taken = tell(load_settings(config, data=data), data_of_file, reason=reason)
    if as_json:
        typer.echo(msgspec.json.encode(taken))
        return
    kept = "keeps all that was set for it" if taken.holds else "does not keep all that was set for it"
    of = taken.change or "a change that no order makes (was --after-plan left out?)"
    out.print(f"{of} at {', '.join(taken.junctions)}: it {kept}", soft_wrap=True, markup=False)
    if taken.unknown:
        out.print(f"not here, and left out: {', '.join(taken.unknown)}", soft_wrap=True, markup=False)
