"""What a service may ask of the past: sums that are made where the observations lie, never the observations of many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from vigie.core.kinds import AssetKind, Point
from vigie.core.observations import Floats, Int64s


@dataclass(frozen=True)
class Line:
    """What a value counts as: at_zero + slope * value where it is above zero, else nothing."""

    at_zero: float = 0.0
    slope: float = 1.0


PLAIN = Line()


@dataclass(frozen=True)
class Steps:
    """One span cut into bins of one length, for the assets that told anything in it, in rows.

    known_s: for how long the value was known in each bin; total: the value times these seconds. Both have a column for
    each bin; the last bin may reach beyond the span.
    """

    asset: Int64s
    known_s: Floats
    total: Floats

    def at(self, assets: Int64s) -> tuple[Floats, Floats]:
        """Seconds known and totals of these assets, in their order; zeros for one that told nothing."""
        rows = np.searchsorted(self.asset, assets)
        rows[rows == len(self.asset)] = 0
        there = self.asset[rows] == assets if len(self.asset) else np.zeros(len(assets), np.bool_)
        empty = np.zeros((len(assets), self.known_s.shape[1]))
        known_s, total = empty, empty.copy()
        known_s[there], total[there] = self.known_s[rows[there]], self.total[rows[there]]
        return known_s, total


@dataclass(frozen=True)
class Told:
    """The observations of a point of a few assets, by asset and then by instant, in columns of one length."""

    asset: Int64s
    observed_us: Int64s
    value: Floats

    @staticmethod
    def nothing() -> Told:
        """None."""
        return Told(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


@dataclass(frozen=True)
class Means:
    """One span cut into bins of one length, for the assets that told anything in it, in rows. mean: of the values told
    in each bin, (asset, bin); NaN where there was none."""

    asset: Int64s
    mean: Floats

    def at(self, assets: Int64s) -> Floats:
        """The means of these assets, in their order; NaN for one that told nothing."""
        rows = {asset: row for row, asset in enumerate(self.asset.tolist())}
        found = np.full((len(assets), self.mean.shape[1]), np.nan)
        for at, asset in enumerate(assets.tolist()):
            if asset in rows:
                found[at] = self.mean[rows[asset]]
        return found


@dataclass(frozen=True)
class Kept:
    """What was made of the observations of a span, and is kept when they are gone: rows in columns of one length. part:
    what a row is of, as who made it numbers its parts; at: a bin, or an instant; known, total: whole numbers below
    2^32; value: as it was told, 0 where the row is a sum."""

    part: Int64s
    asset: Int64s
    at: Int64s
    known: Int64s
    total: Int64s
    value: Floats


class KeptUnreadable(Exception):
    """What was kept of a span is damaged or missing, and its observations are gone: nothing can be told of it."""


class Past(Protocol):
    """The observations that are kept. Each question may take so long and no longer; then it raises TooLong."""

    def steps(
        self,
        kind: type[AssetKind],
        point: Point[Any],
        start_us: int,
        end_us: int,
        bin_us: int,
        *,
        line: Line = PLAIN,
        only: Int64s | None = None,
    ) -> Steps:
        """The values of a span, each taken to hold until the next, where that comes before it is old (`valid_s`). A
        longer silence is unknown from its beginning. only: of these assets. bin_us: `valid_s` at least."""
        ...

    def means(
        self,
        kind: type[AssetKind],
        point: Point[Any],
        start_us: int,
        end_us: int,
        bin_us: int,
        *,
        only: Int64s | None = None,
    ) -> Means:
        """The plain means of what was told in (start, end], for values that are of the time before their instant, as
        counts are: what was told at the end of a bin is of that bin. The span is a whole number of bins. only: of these
        assets."""
        ...

    def told(
        self, kind: type[AssetKind], point: Point[Any], start_us: int, end_us: int, *, only: Int64s | None = None
    ) -> Told:
        """Every value of a span: for kinds of which a town has hundreds, or for a few. only: of these assets."""
        ...


class TooLong(Exception):
    """A question took longer than it may, and was given up."""
