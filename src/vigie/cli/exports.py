"""vigie export: the inventory in a form that others read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from vigie.app import Installation
from vigie.cli.common import ConfigOption, DataOption, opened
from vigie.cli.consoles import err, fail, group
from vigie.core.scope import lies_in
from vigie.engine.loop import catalogue_of
from vigie.protocols.inventories import eclext
from vigie.store.files import write_whole

commands = group()

FORMS = ("cnig-eclext",)


@commands.command("export")
def export_command(
    to: Annotated[Path, typer.Argument(help="The file that is written.", show_default=False)],
    form: Annotated[str, typer.Option(help=f"What it is written in: {', '.join(FORMS)}.")] = FORMS[0],
    area: Annotated[str, typer.Option(help="The path of an area: that alone, with all below it.")] = "",
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Writes the luminaires in service as GeoJSON in the form of the CNIG's géostandard "Éclairage extérieur" 1.1.

    What that demands and the inventory does not hold is written as unknown, and counted.
    """
    if form not in FORMS:
        raise fail(f"There is no form {form!r}: there are {', '.join(FORMS)}")
    with opened(config, data) as post:
        points = _points(post, area)
    written = eclext.write(points)

    def put(path: Path) -> None:
        path.write_bytes(written.data)

    try:
        # A pipe or a terminal is no file that another could take the place of.
        if to.exists() and not to.is_file():
            put(to)
        else:
            write_whole(to.resolve(), put)
    except OSError as error:
        raise fail(f"{to} cannot be written: {error.strerror}") from None
    # What was written may be read by a program: what is said of it goes to the other console.
    err.print(f"{len(points):,} luminaires written to {to}", markup=False, soft_wrap=True)
    for name, count in written.unknown.items():
        err.print(f"{count:>10,}  without {name}, which the form demands", markup=False, soft_wrap=True)


def _points(post: Installation, area: str) -> list[eclext.LightPoint]:
    kind = catalogue_of(post.services).assets[eclext.KIND]
    numbers, columns = post.facts.attributes(kind, eclext.ATTRIBUTES)
    places = {row[0]: row for row in post.facts.registry_rows() if row[2] == eclext.KIND and not row[8]}
    points: list[eclext.LightPoint] = []
    for at, number in enumerate(numbers.tolist()):
        row = places.get(number)
        if row is None or not lies_in(row[3], area):
            continue
        said = {name: column[at : at + 1].tolist()[0] for name, column in columns.items()}
        known = {name: value for name, value in said.items() if value not in ("", None) and not _is_nan(value)}
        points.append(eclext.LightPoint(row[1], row[6], row[7], known))
    return points


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and bool(np.isnan(value))
