"""A comparison that can be shown to whoever was not there: what was compared, what came of it, and a seal over all.

The seal is a digest of the very bytes: who changes a figure by hand, or writes the file anew, breaks it. It proves that
the file is as `vigie signals compare` wrote it, and not that what it says is true: whoever makes one up can seal it as
well. Who told it to the post stands in the journal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Raw
from msgspec.structs import replace

from vigie.core.times import to_us
from vigie.services.signals.control.site import Plan, Site, site_to_json
from vigie.services.signals.junction import Name
from vigie.services.signals.whatif.comparison import Comparison, proved
from vigie.services.signals.whatif.thresholds import USUAL, Limit

FORMAT = "vigie.comparison.1"
FILE_BYTES_MAX = 1 << 20
JUNCTIONS_MAX = 2_000
PLAN_NO_MAX = 255
SEEDS_MAX = 1_000
MANY = 2**31
"""No number of a run comes near it."""

FIRST_US = to_us(datetime(2000, 1, 1, tzinfo=UTC))
"""Nothing was compared before: such a time is none that a clock told."""

ADAPTIVE = "adaptive"

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What is raised where bytes are not such JSON as is asked for."""

Hash = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Short = Annotated[str, Meta(max_length=200)]


class SealBroken(ValueError):
    """A file that is no comparison, or not as it was written; says which."""


class Scenario(msgspec.Struct, frozen=True):
    """What a side was run on. network, routes: digests of the files. plan: the number that its plan has in the
    controllers, None where it is not under one or nobody said it."""

    name: Short
    controller: Short
    network: Hash
    routes: Hash
    plan: Annotated[int, Meta(ge=0, le=PLAN_NO_MAX)] | None = None


class Calibration(msgspec.Struct, frozen=True):
    """What `vigie signals calibrate` found when it made these routes: how many counts, and which share of them was
    met."""

    counts: Annotated[int, Meta(ge=0, le=MANY)]
    met_share: Annotated[float, Meta(ge=0, le=1)]


class Run(msgspec.Struct, frozen=True):
    """How both sides were run, in the terms of the command."""

    begin_s: Annotated[int, Meta(ge=0, le=MANY)]
    end_s: Annotated[int, Meta(ge=0, le=MANY)]
    seeds: Annotated[tuple[Annotated[int, Meta(ge=0, le=MANY)], ...], Meta(min_length=1, max_length=SEEDS_MAX)]
    loops: bool = False
    dropout: Annotated[float, Meta(ge=0, le=1)] = 0.0
    scale: Annotated[float, Meta(ge=0, le=MANY)] = 1.0
    delay_s: Annotated[int, Meta(ge=0, le=MANY)] = 0
    pedestrians_h: Annotated[int, Meta(ge=0, le=MANY)] = 0
    buses_h: Annotated[float, Meta(ge=0, le=MANY)] = 0.0
    emergencies_h: Annotated[float, Meta(ge=0, le=MANY)] = 0.0
    priority: bool = False


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison with all that it is of. at: when it was run. junctions: the shape (`shape_of`) of each junction that
    the post knows, by its id there, as it was after the change; lights: what these are called in the network. usual:
    whether the thresholds are those of whoever sets none. calibration: None where these routes are of none that is
    known."""

    format: Short
    version: Short
    at: datetime
    before: Scenario
    after: Scenario
    run: Run
    calibration: Calibration | None
    thresholds: Annotated[Mapping[str, Limit], Meta(min_length=1)]
    usual: bool
    junctions: Annotated[Mapping[Name, Hash], Meta(min_length=1, max_length=JUNCTIONS_MAX)]
    lights: Annotated[Mapping[Name, Name], Meta(max_length=JUNCTIONS_MAX)]
    result: Comparison

    @property
    def at_us(self) -> int:
        """When it was run."""
        return to_us(self.at)

    @property
    def to(self) -> str:
        """What would be there: see `change_to`; empty where nothing that can be ordered."""
        return change_to(self.after.controller, self.after.plan)

    @property
    def is_usual(self) -> bool:
        """Whether the thresholds are those of whoever sets none, by what they are: `usual` is what the file says."""
        return self.usual and self.thresholds == USUAL


class SealedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `vigie signals compare --out` writes. seal: SHA-256 of `comparison`, byte by byte, in hexadecimal."""

    seal: Hash
    comparison: Raw


def change_to(controller: str, plan: int | None) -> str:
    """What an order asks for, or a comparison tried, in one word: `adaptive`, or `plan 4`; empty for neither."""
    if controller == ADAPTIVE:
        return ADAPTIVE
    return "" if plan is None else f"plan {plan}"


def shape_of(site: Site) -> str:
    """A digest of a junction as control meets it: groups and their times, conflicts, intergreens, stages, lanes,
    detectors. What people call it, how it is drawn, who is next door and which plan runs is not in it."""
    own = site.junction
    bare = replace(
        own,
        name="-",
        groups=tuple(replace(each, name="-") for each in own.groups),
        movements=tuple(replace(each, comes_deg=None, leaves_deg=None) for each in own.movements),
        stages=tuple(replace(each, name="-") for each in own.stages),
    )
    return hashlib.sha256(site_to_json(replace(site, junction=bare, plan=Plan(0, ()), feeders=()))).hexdigest()


def sealed(tried: Tried) -> bytes:
    """The file of a comparison."""
    written = msgspec.json.encode(tried, order="deterministic")
    return msgspec.json.encode(SealedFile(hashlib.sha256(written).hexdigest(), Raw(written)))


def unsealed(file: SealedFile) -> Tried:
    """The comparison of a file. Raises SealBroken where it is not as it was written."""
    if hashlib.sha256(bytes(file.comparison)).hexdigest() != file.seal:
        raise SealBroken("the seal is broken: it was changed after it was written")
    try:
        said = msgspec.json.decode(file.comparison, type=Tried)
    except UNREADABLE as error:
        raise SealBroken(f"it is no comparison: {error}") from None
    if said.format != FORMAT:
        raise SealBroken(f"it is of the form {said.format!r}, and {FORMAT!r} is read")
    if said.at.tzinfo is None:
        raise SealBroken("it does not say in which zone it was run")
    if said.at_us < FIRST_US:
        raise SealBroken(f"it was run at {said.at.isoformat()}, which no clock says")
    if said.result.holds and not proved(said.result, said.thresholds, usual=said.is_usual):
        raise SealBroken("it says that all thresholds are kept, and its figures do not show it")
    return said


def read_sealed(data: bytes) -> tuple[SealedFile, Tried]:
    """A file and its comparison. Raises SealBroken."""
    if len(data) > FILE_BYTES_MAX:
        raise SealBroken(f"it has more than {FILE_BYTES_MAX >> 20} MiB")
    try:
        file = msgspec.json.decode(data, type=SealedFile)
    except UNREADABLE as error:
        raise SealBroken(f"it is no sealed comparison: {error}") from None
    return file, unsealed(file)
