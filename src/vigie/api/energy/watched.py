"""The past, read under watch: each question says how far in time its reader has come, and may end it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vigie.core.kinds import AssetKind, Point
from vigie.core.observations import Int64s
from vigie.core.past import PLAIN, Line, Means, Past, Steps, Told


class Watched:
    """A past (see `vigie.core.past.Past`). tell(the instant that is read from) may raise, which ends the reading."""

    def __init__(self, past: Past, tell: Callable[[int], None]) -> None:
        self._past, self._tell = past, tell

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
        """See `Past.steps`."""
        self._tell(start_us)
        return self._past.steps(kind, point, start_us, end_us, bin_us, line=line, only=only)

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
        """See `Past.means`."""
        self._tell(start_us)
        return self._past.means(kind, point, start_us, end_us, bin_us, only=only)

    def told(
        self, kind: type[AssetKind], point: Point[Any], start_us: int, end_us: int, *, only: Int64s | None = None
    ) -> Told:
        """See `Past.told`. It comes when all else is read."""
        self._tell(end_us)
        return self._past.told(kind, point, start_us, end_us, only=only)
