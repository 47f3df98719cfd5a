"""A digest of all that a post holds: equal for two runs that have kept the same facts and the same observations.

Facts: the root of the journal, SHA-256 over all leaves in their order (RFC 6962). Observations: for each asset the sum
of the hashes of its readings, each told once (asset, point, instant; the value that came first), and SHA-256 over all
assets. A reading's hash holds its instant, so the sum over an asset is one over its readings in the order in which
they were observed, however they came and wherever they lie. The hashes keep nobody out who wants to deceive.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from vigie.core.times import HOUR_US, day_of
from vigie.store.facts import SqlFacts
from vigie.store.observations import DuckObservations

Words = NDArray[np.uint64]

_SPAN_US = HOUR_US
_VALUES = {
    "number": "arg_min(value, n) AS a, 0.0::DOUBLE AS b",
    "place": "arg_min(lon, n) AS a, arg_min(lat, n) AS b",
    "text": "md5_number_lower(arg_min(value, n)) % 4503599627370496 AS a, 0.0::DOUBLE AS b",
}


@dataclass(frozen=True, slots=True)
class Digest:
    """What two runs are compared by. Each text is 64 hexadecimal digits; counts are of facts and of readings."""

    facts: str
    observations: str
    facts_count: int
    readings_count: int

    def __str__(self) -> str:
        return f"{self.facts}:{self.observations}"


def digest_of(facts: SqlFacts, observations: DuckObservations) -> Digest:
    """The digest of an installation at rest."""
    sums, counts = of_assets(observations)
    size = facts.journal.size
    root = facts.journal.prove(size - 1).root.hex() if size else sha256().hexdigest()
    told = sha256(sums.astype(">u8").tobytes() + counts.astype(">i8").tobytes())
    return Digest(root, told.hexdigest(), size, int(counts.sum()))


def of_assets(observations: DuckObservations) -> tuple[Words, NDArray[np.int64]]:
    """By asset number: the sum of the hashes of its readings (modulo 2^64), and how many there are."""
    sums, counts = np.zeros(1, np.uint64), np.zeros(1, np.int64)
    for asset, hashed in _readings(observations):
        more = max(int(asset.max()) + 1 - len(sums), 0)
        sums, counts = np.pad(sums, (0, more)), np.pad(counts, (0, more))
        counts += np.bincount(asset, minlength=len(counts))
        order = np.argsort(asset, kind="stable")
        first = np.flatnonzero(np.diff(asset[order], prepend=-1))
        sums[asset[order][first]] += np.add.reduceat(hashed[order], first)
    return sums, counts


def _readings(observations: DuckObservations) -> Iterator[tuple[NDArray[np.int64], Words]]:
    """The asset and the hash of each reading, an hour of one sort at a time."""
    for sort, values in _VALUES.items():
        with observations.reading() as read:
            everything = observations.union(sort, read=read)
            spans = f"SELECT DISTINCT observed_us // {_SPAN_US} AS span FROM ({everything}) ORDER BY span"
            hours: list[int] = [int(span) for (span,) in read.execute(spans).fetchall()]
            for hour in hours:
                low, high = hour * _SPAN_US, (hour + 1) * _SPAN_US
                days = (day_of(low), day_of(high - 1))
                within = f"observed_us >= {low} AND observed_us < {high}"
                rows = observations.union(sort, within, days=days, read=read)
                query = (
                    f"SELECT asset, point, observed_us, {values}, arg_min(quality, n) AS quality "
                    f"FROM ({rows}) GROUP BY asset, point, observed_us"
                )
                columns = cast("dict[str, NDArray[Any]]", read.execute(query).fetchnumpy())  # pyright: ignore[reportUnknownMemberType]
                yield columns["asset"].astype(np.int64), _hashed(columns)


def _hashed(columns: dict[str, NDArray[Any]]) -> Words:
    """A hash of each row: its columns one after the other, by the finaliser of splitmix64 (Steele et al. 2014)."""
    # Adding zero turns -0.0, which is equal to 0.0 and written otherwise, into it.
    a, b = (np.asarray(columns[name], np.float64) + 0.0 for name in ("a", "b"))
    parts = (
        columns["asset"].astype(np.uint64) << np.uint64(16) | columns["point"].astype(np.uint64),
        columns["observed_us"].astype(np.int64).view(np.uint64), a.view(np.uint64), b.view(np.uint64),
        columns["quality"].astype(np.uint64),
    )  # fmt: skip
    x = np.full(len(a), 0x9E3779B97F4A7C15, np.uint64)
    for part in parts:
        x = (x ^ part) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x ^= x >> np.uint64(31)
    return x
