"""Routes: the junctions that a vehicle is to come to, one after the other, as somebody has said.

Its laws:

1. A junction that was passed is never ahead again.
2. Whoever has left out junctions comes to the first behind them; whoever heads away from the next follows no route.
3. Where somebody is on it is read from where they are: a route that is begun anew in the middle goes on from there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import hypot

from vigie.services.signals.priority.arms import STOP_M, Crossing, apart, offset_m, seen_from
from vigie.services.signals.priority.courses import Next

ASIDE_M = 80.0
"""So far from the straight line between two junctions a road between them may bend."""

TOWARDS_DEG = 100.0
"""Whoever heads further from the next junction than this does not come to it."""

NEAR_M = 150.0
"""As near to a junction its arm is read from where somebody is, and further from where the junction before it lies."""


class Route:
    """A route through junctions, by their ids. Raises ValueError for one without."""

    def __init__(self, names: Sequence[str]) -> None:
        if not names:
            raise ValueError("a route has a junction at least")
        self.names = tuple(names)
        self.passed = 0
        """How many of the junctions are behind."""
        self._known: list[int] = []
        self._places: list[tuple[float, float]] = []

    def keep(self, crossings: Mapping[str, Crossing]) -> None:
        """The junctions that there are. Past those that nobody knows the arms of a route leads as if they were none."""
        self._known = [at for at, name in enumerate(self.names) if name in crossings and crossings[name].arms]
        found = [crossings[self.names[at]] for at in self._known]
        self._places = [(each.lon, each.lat) for each in found]

    def ahead(self, lon: float, lat: float, heads_deg: float) -> list[Next] | None:
        """The junctions that are left, the next one first; None for whoever does not come to it."""
        self._pass(lon, lat, heads_deg)
        first = self._first
        if first == len(self._places):
            return None
        away_m, bearing_deg = seen_from(lon, lat, *self._places[first])
        if apart(bearing_deg + 180.0, heads_deg) > TOWARDS_DEG:
            return None
        found: list[Next] = []
        for at in range(first, len(self._places)):
            if at > first:
                away_m += seen_from(*self._places[at - 1], *self._places[at])[0]
            comes_deg = bearing_deg
            if at > first or (at and away_m > NEAR_M):
                comes_deg = seen_from(*self._places[at - 1], *self._places[at])[1]
            last = at + 1 == len(self._places)
            leaves_deg = None if last else seen_from(*self._places[at + 1], *self._places[at])[1]
            found.append(Next(self.names[self._known[at]], away_m, comes_deg, leaves_deg))
        return found

    @property
    def _first(self) -> int:
        """The place of the next junction among those that are known."""
        return sum(at < self.passed for at in self._known)

    def _pass(self, lon: float, lat: float, heads_deg: float) -> None:
        """Notes which junctions are behind: the last before the stretch that somebody is on, and all before it."""
        for at in range(len(self._places) - 1, self._first - 1, -1):
            away_m, bearing_deg = seen_from(lon, lat, *self._places[at])
            behind = apart(bearing_deg, heads_deg) < 180.0 - TOWARDS_DEG
            last = at + 1 == len(self._places)
            beyond = away_m <= NEAR_M if last else self._aside_m(at, lon, lat) <= ASIDE_M
            if away_m <= STOP_M or (behind and beyond):
                self.passed = self._known[at] + 1
                return

    def _aside_m(self, at: int, lon: float, lat: float) -> float:
        """How far somebody is from the stretch behind a junction."""
        east_m, north_m = offset_m(lon, lat, *self._places[at])
        long_east_m, long_north_m = offset_m(*self._places[at + 1], *self._places[at])
        long_m2 = long_east_m**2 + long_north_m**2
        along = min(max((east_m * long_east_m + north_m * long_north_m) / long_m2, 0.0), 1.0) if long_m2 > 0 else 0.0
        return hypot(east_m - along * long_east_m, north_m - along * long_north_m)
