"""vigie's own form: a draft a line, as JSON. For programs that write inventories; it needs no mapping."""

from __future__ import annotations

import msgspec

from vigie.core.drafts import Draft
from vigie.protocols.inventories.limits import DEFAULT, Limits, SourceError
from vigie.protocols.inventories.projections import WGS84, crs_of
from vigie.protocols.inventories.reading import FileReading, Rejection, SourceReading

_DRAFT = msgspec.json.Decoder(Draft)


def read_own(source: str, file: str, data: bytes, limits: Limits = DEFAULT) -> SourceReading:
    """The drafts of a file, one a line; empty lines count for nothing. Raises SourceError for a file with no draft."""
    if len(data) > limits.file_bytes_max:
        raise SourceError(f"{file} has {len(data):,} bytes, over the limit of {limits.file_bytes_max:,}", "Split it")
    drafts: list[Draft] = []
    lines: list[int] = []
    rejections: list[Rejection] = []
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        try:
            drafts.append(_DRAFT.decode(line))
            lines.append(number)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            rejections.append(Rejection(number, str(error)))
    if not drafts:
        first = rejections[0] if rejections else Rejection(1, "it is empty")
        raise SourceError(
            f"{file} holds no asset; line {first.line}: {first.reason}",
            "Write an asset a line as JSON, or name a mapping with --mapping",
        )
    reading = FileReading(
        name="",
        file=file,
        crs=str(crs_of(WGS84)),
        crs_how="as vigie's own form always is",
        rows=len(drafts) + len(rejections),
        word="line",
        drafts=tuple(drafts),
        lines=tuple(lines),
        joined=0,
        left_out=0,
        rejections=tuple(rejections),
        warnings=(),
        blind=len(rejections),
    )
    return SourceReading(source, (reading,), ())
