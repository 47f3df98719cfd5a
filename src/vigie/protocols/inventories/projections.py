"""Projections: declared by the mapping, written in the file, or recognised by their numbers. Never guessed in silence.

By their numbers eleven are told apart: degrees (WGS84), Lambert-93 and the nine conic zones of France, CC42 to CC50
(decree 2000-1276 as amended in 2006; arrete of 5 March 2019). Zone z has its origin on the parallel of z degrees, with
the false northing (z - 41) x 1,000,000 + 200,000 m and the false easting 1,700,000 m; Lambert-93 has 6,600,000 m and
700,000 m at 46.5 degrees. A projection is recognised when the numbers, read in it, lie in France, and in no other
candidate. The cape of Corsica in Lambert-93 has the numbers of Belle-Ile in CC47: there a person must declare.
Web Mercator and UTM have the numbers of other places of France, so they are never recognised: declare them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyproj
from pyproj.exceptions import CRSError, ProjError
from shapely.geometry.base import BaseGeometry

from vigie.protocols.inventories.limits import SourceError
from vigie.protocols.inventories.shapes import Flags, Floats, holds, surface

WGS84 = 4326
LAMBERT_93 = 2154
CONIC_ZONES = tuple(range(3942, 3951))

_FIT_SHARE_MIN = 0.95
"""A few rows may lie anywhere (a place of 0, 0; a slip of the finger); the file as a whole may not."""

_DEGREES_SHARE = 0.5
"""Metres are so much larger than degrees that the greater part of a file decides; the others are refused row by row."""

_ZONE_REACH_DEG = 1.25
"""A zone is drawn for one degree north and south of its parallel; towns on the edge overstep it a little."""

_ZONE_NORTHING_REACH_M = 170_000.0
_LAMBERT_93_NORTHINGS_M = (5_900_000.0, 7_250_000.0)

# The corners of metropolitan France, clockwise from Ushant, and those of Corsica: degrees, WGS84.
_MAINLAND = (
    (-5.2, 48.5), (-2.0, 49.75), (1.6, 50.95), (2.55, 51.1), (4.9, 50.2), (8.25, 49.0), (7.65, 47.5),
    (7.1, 45.4), (7.75, 43.75), (6.6, 42.95), (3.2, 42.4), (1.95, 42.3), (-1.8, 43.3), (-2.45, 46.65),
    (-3.3, 47.25), (-4.95, 48.0),
)  # fmt: skip
_CORSICA = ((8.5, 41.3), (9.35, 41.3), (9.6, 42.1), (9.5, 43.05), (9.3, 43.05), (8.5, 42.5))
_MARGIN_DEG = 0.15

_DECLARE = 'Declare its projection in the mapping, such as crs = "EPSG:2154"'


@dataclass(frozen=True, slots=True)
class Crs:
    """A projection. epsg: its number; 0 where it has none (a home-made .prj)."""

    epsg: int
    name: str
    system: pyproj.CRS

    def __str__(self) -> str:
        return f"EPSG:{self.epsg} ({self.name})" if self.epsg else self.name


@dataclass(frozen=True, slots=True)
class Recognised:
    """A projection told by its numbers, and the sentence that says how."""

    epsg: int
    how: str


@dataclass(frozen=True, slots=True)
class Settled:
    """The projection that a file is read in, how that was decided, and what a person should know about it."""

    crs: Crs
    how: str
    warnings: tuple[str, ...] = ()


@cache
def crs_of(epsg: int) -> Crs:
    """The projection of an EPSG number. Raises SourceError for one that nobody knows."""
    try:
        system = pyproj.CRS.from_epsg(epsg)
    except CRSError as error:
        raise SourceError(f"EPSG:{epsg} is an unknown projection", _DECLARE) from error
    return Crs(epsg, system.name, system)


def crs_from_text(text: str, where: str) -> Crs:
    """The projection that a file names: well-known text, "EPSG:2154", an OGC urn. Raises SourceError."""
    try:
        system = pyproj.CRS(text.strip())
        _transformer(system.to_wkt())  # a damaged text may name a system from which nothing leads to degrees
    except (CRSError, ProjError) as error:
        raise SourceError(f"{where} names the unknown projection {text.strip()[:80]!r}", _DECLARE) from error
    if re.search(r"CRS:?84$", text.strip()):
        return crs_of(WGS84)
    return Crs(system.to_epsg(min_confidence=25) or 0, system.name, system)


def to_wgs84(crs: Crs, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Longitudes and latitudes in degrees; infinite where the projection has no such place."""
    if crs.epsg == WGS84:
        return x, y
    lon, lat = _transformer(crs.system.to_wkt()).transform(x, y)
    return np.asarray(lon, np.float64), np.asarray(lat, np.float64)


def detect_crs(x: Floats, y: Floats) -> Recognised:
    """The projection of coordinates, by their numbers alone. Raises SourceError if none fits, or more than one."""
    placed = np.isfinite(x) & np.isfinite(y) & ~((x == 0) & (y == 0))
    if not placed.any():
        raise SourceError("The file gives no place at all", "Check which columns hold the coordinates")
    x, y = x[placed], y[placed]
    degrees = (np.abs(x) <= 180) & (np.abs(y) <= 90)
    if _share(degrees) > _DEGREES_SHARE:
        return Recognised(WGS84, f"recognised by its numbers: {_extent(x[degrees], y[degrees])} are degrees")
    fitting = [epsg for epsg in (LAMBERT_93, *CONIC_ZONES) if _share(_fits(epsg, x, y)) >= _FIT_SHARE_MIN]
    if len(fitting) == 1:
        name = crs_of(fitting[0]).name
        return Recognised(fitting[0], f"recognised by its numbers: of the candidates, only {name} puts them in France")
    if fitting:
        names = " and ".join(str(crs_of(epsg)) for epsg in fitting)
        raise SourceError(f"The numbers {_extent(x, y)} lie in France both in {names}", _DECLARE)
    raise SourceError(
        f"The numbers {_extent(x, y)} are neither degrees nor Lambert-93 nor a conic zone CC42 to CC50", _DECLARE
    )


def settle(declared: int | None, written: Crs | None, written_in: str, x: Floats, y: Floats) -> Settled:
    """Decides a file's projection: what the mapping declares, else what the file names, else what its numbers say.

    Raises SourceError where the numbers contradict the decision, or decide nothing.
    """
    if declared is None and written is None:
        seen = detect_crs(x, y)
        return Settled(crs_of(seen.epsg), seen.how)
    if declared is None and written is not None:
        _check(written, f"{written_in} names", x, y)
        return Settled(written, f"named by {written_in}")
    crs = crs_of(declared or WGS84)
    _check(crs, "the mapping declares", x, y)
    apart_m = 0.0 if written is None else _apart_m(crs, written, x, y)
    if apart_m < 1.0:
        return Settled(crs, "declared by the mapping" + ("" if written is None else f", as {written_in} names it"))
    against = f"{written_in} names {written}, the mapping declares {crs}, {apart_m:,.0f} m away: it was followed"
    return Settled(crs, "declared by the mapping, against the file", (against,))


def bounds(crs: Crs) -> tuple[float, float, float, float]:
    """West, south, east and north of where a projection is used, with a degree of margin."""
    area = crs.system.area_of_use
    if area is None or crs.epsg == WGS84 or area.west > area.east:
        return -180.0, -90.0, 180.0, 90.0
    return area.west - 1, area.south - 1, area.east + 1, area.north + 1


def _check(crs: Crs, who: str, x: Floats, y: Floats) -> None:
    """Refuses a projection that puts most rows where it is not used."""
    lon, lat = to_wgs84(crs, x, y)
    west, south, east, north = bounds(crs)
    inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    if _share(inside) >= 0.5:
        return
    try:
        hint = f"the numbers look like {crs_of(detect_crs(x, y).epsg)}"
    except SourceError:
        hint = "the numbers fit no projection that is recognised"
    raise SourceError(f"{who} {crs}, in which {_extent(x, y)} lie outside of where it is used; {hint}", _DECLARE)


def _apart_m(one: Crs, other: Crs, x: Floats, y: Floats) -> float:
    """How far apart two projections put the first place, in metres on a sphere; infinite where one has none."""
    here, there = (np.radians(np.column_stack(to_wgs84(crs, x[:1], y[:1]))[0]) for crs in (one, other))
    if not (np.isfinite(here).all() and np.isfinite(there).all()):
        return float("inf")
    half = np.sin((there - here) / 2) ** 2
    return float(2 * 6_371_000 * np.arcsin(np.sqrt(half[1] + np.cos(here[1]) * np.cos(there[1]) * half[0])))


def _fits(epsg: int, x: Floats, y: Floats) -> Flags:
    """Whether each pair, read in a French projection, lies in France and where that projection is meant for."""
    zone = epsg - 3900
    if epsg == LAMBERT_93:
        low, high = _LAMBERT_93_NORTHINGS_M
    else:
        origin_m = (zone - 41) * 1_000_000.0 + 200_000.0
        low, high = origin_m - _ZONE_NORTHING_REACH_M, origin_m + _ZONE_NORTHING_REACH_M
    if _share((y >= low) & (y <= high)) < _FIT_SHARE_MIN:  # spares a reprojection
        return np.zeros(len(y), np.bool_)
    lon, lat = to_wgs84(crs_of(epsg), x, y)
    fits = np.zeros(len(y), np.bool_)
    for part in _france():
        fits |= holds(part, lon, lat)
    return fits if epsg == LAMBERT_93 else fits & (np.abs(lat - zone) <= _ZONE_REACH_DEG)


@cache
def _france() -> tuple[BaseGeometry, ...]:
    return surface(_MAINLAND, _MARGIN_DEG), surface(_CORSICA, _MARGIN_DEG)


@cache
def _transformer(wkt: str) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(pyproj.CRS.from_wkt(wkt), pyproj.CRS.from_epsg(WGS84), always_xy=True)


def _share(flags: Flags) -> float:
    return float(flags.mean()) if len(flags) else 0.0


def _extent(x: Floats, y: Floats) -> str:
    return f"x {np.nanmin(x):,.6g} to {np.nanmax(x):,.6g}, y {np.nanmin(y):,.6g} to {np.nanmax(y):,.6g}"
