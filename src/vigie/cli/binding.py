"""Which junction of the post each light of a network is."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

BIND_BYTES_MAX = 4 << 20

BindOption = Annotated[
    Path | None,
    typer.Option(help="A CSV with the columns light and asset: which junction each light is. Left out: its name."),
]


def bindings(path: Path, lights: Mapping[str, object]) -> dict[str, str]:
    """The junction of each light that a file names. Raises ValueError for what cannot be, OSError."""
    try:
        return _read(path, lights)
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no CSV in UTF-8: {error}") from None


def _read(path: Path, lights: Mapping[str, object]) -> dict[str, str]:
    if path.stat().st_size > BIND_BYTES_MAX:
        raise ValueError(f"{path} has more than {BIND_BYTES_MAX >> 20} MiB: it is no list of lights")
    found: dict[str, str] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if not {"light", "asset"} <= set(rows.fieldnames or ()):
            raise ValueError(f"{path} has no columns light and asset in its first line")
        for row in rows:
            light, asset = (str(row[name] or "").strip() for name in ("light", "asset"))
            if light not in lights:
                raise ValueError(f"{path}, line {rows.line_num}: the network has no traffic light {light!r}")
            if not asset or light in found or asset in found.values():
                what = f"the light {light!r} has no junction" if not asset else f"{light!r} or {asset!r} comes twice"
                raise ValueError(f"{path}, line {rows.line_num}: {what}")
            found[light] = asset
    return found
