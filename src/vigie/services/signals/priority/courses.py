"""The courses of lines: which junctions a bus or tram comes to next, from where, and where it leaves them to.

A line is driven both ways: which, the way tells in which somebody heads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from vigie.core.observations import Floats
from vigie.services.signals.priority.arms import STOP_M, Crossing, apart, lies_deg, offset_m

ON_COURSE_M = 40.0
"""Whoever is further from a line's course has left it: a diversion, or a depot."""

THROUGH_M = 30.0
"""A course that comes as near to the middle of a junction leads through it."""

ALONG_DEG = 60.0
"""Whoever heads further from a course than this does not follow it."""

BESIDE_M = 35.0
"""So far before and behind the middle of a junction is looked from where a course comes, and to where it leaves."""


class Next(NamedTuple):
    """A junction on somebody's way. away_m: to its middle. comes_deg, leaves_deg: seen from there; leaves_deg None
    where it is not known."""

    name: str
    away_m: float
    comes_deg: float
    leaves_deg: float | None


class Course:
    """The course of one line. lon, lat: its corners. Raises ValueError for one that has no length."""

    def __init__(self, lon: Sequence[float] | Floats, lat: Sequence[float] | Floats) -> None:
        if len(lon) != len(lat) or len(lon) < 2:
            raise ValueError("a course has two corners at least")
        self._lon, self._lat = float(lon[0]), float(lat[0])
        places = [
            offset_m(float(east), float(north), self._lon, self._lat) for east, north in zip(lon, lat, strict=True)
        ]
        self._xy: Floats = np.array(places)
        self._step: Floats = np.diff(self._xy, axis=0)
        self._long_m: Floats = np.hypot(self._step[:, 0], self._step[:, 1])
        if not self._long_m.sum() > 0:
            raise ValueError("a course has a length")
        self._at_m: Floats = np.concatenate([[0.0], np.cumsum(self._long_m)])
        self._heads: Floats = np.degrees(np.arctan2(self._step[:, 0], self._step[:, 1])) % 360.0
        self._through: list[tuple[float, str]] = []

    def keep(self, crossings: Mapping[str, Crossing]) -> None:
        """The junctions that there are."""
        found = [(name, *self._nearest(each.lon, each.lat)) for name, each in crossings.items()]
        self._through = sorted((at_m, name) for name, at_m, off_m, _ in found if off_m <= THROUGH_M)

    def ahead(self, lon: float, lat: float, heads_deg: float) -> list[Next] | None:
        """The junctions that somebody comes to who is here and heads there, the next one first; None for whoever does
        not follow the course."""
        agrees = np.minimum(
            *(np.abs((self._heads - heads_deg + back + 180.0) % 360.0 - 180.0) for back in (0.0, 180.0))
        )
        at_m, off_m, piece = self._nearest(lon, lat, agrees <= ALONG_DEG)
        if off_m > ON_COURSE_M:
            return None
        way = 1.0 if apart(float(self._heads[piece]), heads_deg) <= 90.0 else -1.0
        ahead = sorted((way * (there_m - at_m), there_m, name) for there_m, name in self._through)
        return [
            Next(name, away_m, self._seen(there_m, -way * BESIDE_M), self._seen(there_m, way * BESIDE_M))
            for away_m, there_m, name in ahead
            if away_m > STOP_M
        ]

    def _nearest(
        self, lon: float, lat: float, among: np.ndarray[tuple[int], np.dtype[np.bool_]] | None = None
    ) -> tuple[float, float, int]:
        """Where a course is nearest to a place: how far along, how far off, and on which piece. among: the pieces that
        are looked at; off is infinite where there are none."""
        place = np.array(offset_m(lon, lat, self._lon, self._lat))
        long_m = np.maximum(self._long_m, 1e-9)
        along = np.clip(((place - self._xy[:-1]) * self._step).sum(1) / long_m**2, 0.0, 1.0)
        spots = self._xy[:-1] + along[:, None] * self._step - place
        off_m = np.hypot(spots[:, 0], spots[:, 1])
        if among is not None:
            off_m = np.where(among, off_m, np.inf)
        piece = int(off_m.argmin())
        return float(self._at_m[piece] + along[piece] * self._long_m[piece]), float(off_m[piece]), piece

    def _seen(self, at_m: float, beside_m: float) -> float:
        """The bearing of the course a little before or behind a place on it."""
        here, there = self._spot(at_m), self._spot(at_m + beside_m)
        return lies_deg(there[0] - here[0], there[1] - here[1])

    def _spot(self, at_m: float) -> tuple[float, float]:
        east, north = (float(np.interp(at_m, self._at_m, self._xy[:, axis])) for axis in (0, 1))
        return east, north
