"""What the engine asks of the outside: a clock, dice, a place for facts and a place for observations.

The store implements the last two; a test suite written once runs on every implementation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vigie.core.facts import Entry
from vigie.core.kinds import AssetKind
from vigie.core.observations import Batch, Floats, Int64s
from vigie.core.plans import Given, Troubles


class StorageFull(Exception):
    """There is no room to keep what was handed in. Nothing of it was kept."""


class Clock(Protocol):
    """The one source of time."""

    def now_us(self) -> int:
        """Microseconds since the epoch, UTC."""
        ...


class Dice(Protocol):
    """The one source of randomness."""

    def bytes(self, length: int) -> bytes:
        """So many random bytes."""
        ...


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """Observations as they are kept: by asset and point number, with the ingest number they were committed under."""

    ingest: int
    received_us: int
    asset: NDArray[np.int64]
    point: NDArray[np.int64]
    batch: Batch


@dataclass(frozen=True, slots=True)
class PictureFrame:
    """The live picture as of an ingest number: one row for each point that ever had a value."""

    ingest: int
    at_us: int
    asset: NDArray[np.int64]
    point: NDArray[np.int64]
    observed_us: NDArray[np.int64]
    received_us: NDArray[np.int64]
    value: NDArray[np.float64]
    value2: NDArray[np.float64]
    quality: NDArray[np.uint8]
    texts: dict[int, str]


class ObservationStore(Protocol):
    """Where observations are kept. Appends come from one thread; reads from any."""

    @property
    def last_ingest(self) -> int:
        """The number of the newest batch that is on disk; 0 before the first."""
        ...

    def append(self, stored: StoredBatch) -> None:
        """Keeps a batch: when this returns it is synced to disk. Raises StorageFull."""
        ...

    def since(self, ingest: int) -> Sequence[StoredBatch]:
        """The batches after this ingest number, in their order."""
        ...

    def keep_frame(self, frame: PictureFrame) -> None:
        """Keeps the live picture, so that a start need not read all history."""
        ...

    def newest_frame(self) -> PictureFrame | None:
        """The newest picture kept."""
        ...


class FactStore(Protocol):
    """Where facts are kept, with the tables that are read from. Commits come from one thread."""

    @property
    def reacted_to(self) -> int:
        """The ingest number up to which the services have reacted, as of the last commit."""
        ...

    @property
    def has_room(self) -> bool:
        """Whether facts would be taken now."""
        ...

    def commit(self, entries: Sequence[Entry], *, reacted_to: int | None = None) -> list[int]:
        """Appends the facts to the journal and moves the tables, in one synced transaction.

        Returns the leaf numbers. A fact whose id the journal holds already is passed over (stepping twice changes
        nothing) and gets that leaf's number. Raises StorageFull.
        """
        ...

    def attributes(self, kind: type[AssetKind], names: Sequence[str]) -> tuple[Int64s, Mapping[str, NDArray[Any]]]:
        """The numbers of all assets of a kind, sorted, and these attributes of each: NaN, or "", where nothing is
        known. May be called from any thread."""
        ...

    def lines(self, kind: type[AssetKind] | None = None) -> tuple[Int64s, list[str], Int64s, Floats, Floats]:
        """The stretches of streets that are in service and drawn, or the lines of a kind, a row for each line: the
        number of its asset, its name, its first corner (one more at the end), and longitude and latitude of each
        corner, in degrees. May be called from any thread."""
        ...

    def given(self, automation: str, since_us: int) -> Sequence[Given]:
        """The orders that an automation has given since an instant, the oldest first."""
        ...

    def troubles(self, conditions: Sequence[str], since_us: int) -> Troubles:
        """Those of some conditions, by name, that last, or were raised since an instant, of every asset. May be called
        from any thread."""
        ...
