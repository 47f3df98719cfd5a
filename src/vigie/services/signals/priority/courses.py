"""The courses of lines: which junctions a bus or tram comes to next, from where, and where it leaves them to.

A line is driven both ways: which, the way tells in which somebody heads.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import cos, radians, sin
from typing import NamedTuple

import numpy as np

from vigie.core.observations import Floats
from vigie.services.signals.priority.arms import STOP_M, Crossing, lies_deg, offset_m

ON_COURSE_M = 40.0
"""Whoever is further from a line's course has left it: a diversion, or a depot."""

THROUGH_M = 30.0
"""A course that comes as near to the middle of a junction leads through it."""

ALONG_DEG = 60.0
"""Whoever heads further from a course than this does not follow it."""

_ALONG = cos(radians(ALONG_DEG))

BESIDE_M = 35.0
"""So far before and behind the middle of a junction is looked from where a course comes, and to where it leaves."""


class Next(NamedTuple):
    """A junction on somebody's way. away_m: to its middle. comes_deg, leaves_deg: seen from there; leaves_deg None
    where it is not known."""

    name: str
    away_m: float
    comes_deg: float
    leaves_deg: float | None


class _Through(NamedTuple):
    """A junction that a course leads through. at_m: how far along. back_deg, on_deg: on which bearing the course lies
    towards its beginning and towards its end, seen from there; None where it begins or ends there."""

    at_m: float
    name: str
    back_deg: float | None
    on_deg: float | None


class Course:
    """The course of one line. lon, lat: its corners. Raises ValueError for one that has no length."""

    def __init__(self, lon: Sequence[float] | Floats, lat: Sequence[float] | Floats) -> None:
        if len(lon) != len(lat) or len(lon) < 2:
            raise ValueError("a course has two corners at least")
        self._lon, self._lat = float(lon[0]), float(lat[0])
        places = [
            offset_m(float(east), float(north), self._lon, self._lat) for east, north in zip(lon, lat, strict=True)
        ]
        # A corner that is drawn twice leads nowhere.
        corners = [one for one, after in pairwise(places) if one != after]
        if not corners:
            raise ValueError("a course has a length")
        self._xy: Floats = np.array([*corners, places[-1]])
        self._step: Floats = np.diff(self._xy, axis=0)
        self._long_m: Floats = np.hypot(self._step[:, 0], self._step[:, 1])
        self._at_m: Floats = np.concatenate([[0.0], np.cumsum(self._long_m)])
        self._heads: Floats = self._step / self._long_m[:, None]
        self._through: list[_Through] = []

    def keep(self, crossings: Mapping[str, Crossing]) -> None:
        """The junctions that there are."""
        found = [(name, *self._nearest(each.lon, each.lat)) for name, each in crossings.items()]
        self._through = sorted(
            _Through(at_m, name, self._seen(at_m, -BESIDE_M), self._seen(at_m, BESIDE_M))
            for name, at_m, off_m, _ in found
            if off_m <= THROUGH_M
        )

    def ahead(self, lon: float, lat: float, heads_deg: float) -> Iterator[Next] | None:
        """The junctions that somebody comes to who is here and heads there, the next one first; None for whoever does
        not follow the course."""
        # How far each piece heads as somebody does: 1 as they do, -1 the other way.
        agrees = self._heads @ (sin(radians(heads_deg)), cos(radians(heads_deg)))
        at_m, off_m, piece = self._nearest(lon, lat, np.abs(agrees) >= _ALONG)
        return self._next(at_m, on=bool(agrees[piece] >= 0)) if off_m <= ON_COURSE_M else None

    def _next(self, at_m: float, *, on: bool) -> Iterator[Next]:
        """The junctions from a place on. on: towards the end of the course."""
        if on:
            for each in self._through[bisect_right(self._through, at_m + STOP_M, key=_at_m) :]:
                if each.back_deg is not None:
                    yield Next(each.name, each.at_m - at_m, each.back_deg, each.on_deg)
        else:
            for each in reversed(self._through[: bisect_left(self._through, at_m - STOP_M, key=_at_m)]):
                if each.on_deg is not None:
                    yield Next(each.name, at_m - each.at_m, each.on_deg, each.back_deg)

    def _nearest(
        self, lon: float, lat: float, among: np.ndarray[tuple[int], np.dtype[np.bool_]] | None = None
    ) -> tuple[float, float, int]:
        """Where a course is nearest to a place: how far along, how far off, and on which piece. among: the pieces that
        are looked at; off is infinite where there are none."""
        place = np.array(offset_m(lon, lat, self._lon, self._lat))
        along = np.clip(((place - self._xy[:-1]) * self._step).sum(1) / self._long_m**2, 0.0, 1.0)
        spots = self._xy[:-1] + along[:, None] * self._step - place
        off_m = np.hypot(spots[:, 0], spots[:, 1])
        if among is not None:
            off_m = np.where(among, off_m, np.inf)
        piece = int(off_m.argmin())
        return float(self._at_m[piece] + along[piece] * self._long_m[piece]), float(off_m[piece]), piece

    def _seen(self, at_m: float, beside_m: float) -> float | None:
        """The bearing of the course a little before or behind a place on it; None where it does not lead out of the
        junction there."""
        left_m = at_m if beside_m < 0 else float(self._at_m[-1]) - at_m
        if left_m < STOP_M:
            return None
        here, there = self._spot(at_m), self._spot(at_m + beside_m)
        return lies_deg(there[0] - here[0], there[1] - here[1])

    def _spot(self, at_m: float) -> tuple[float, float]:
        east, north = (float(np.interp(at_m, self._at_m, self._xy[:, axis])) for axis in (0, 1))
        return east, north


def _at_m(through: _Through) -> float:
    return through.at_m
