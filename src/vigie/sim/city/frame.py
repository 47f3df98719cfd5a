"""Metres and degrees, dice by name, and the bending that makes straight lines look grown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from vigie.sim.city.facts import CENTRE, Place

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

LON0, LAT0 = CENTRE
# Length of a degree at the centre's latitude on WGS84 (series of the ellipsoid); within 24 km the error is under 0.3 %.
_LAT0_RAD = np.radians(LAT0)
M_PER_LAT = float(111_132.954 - 559.822 * np.cos(2 * _LAT0_RAD) + 1.175 * np.cos(4 * _LAT0_RAD))
M_PER_LON = float(111_412.84 * np.cos(_LAT0_RAD) - 93.5 * np.cos(3 * _LAT0_RAD))


def dice(seed: int, name: str) -> np.random.Generator:
    """The dice of one part of the city. Each part has its own, so that adding a part changes no other."""
    return np.random.default_rng(np.random.SeedSequence((seed, crc32(name.encode()))))


def to_metres(places: Sequence[Place] | Floats) -> Floats:
    """East and north of the centre, in metres, of longitudes and latitudes."""
    lonlat = np.asarray(places, np.float64)
    return np.stack([(lonlat[..., 0] - LON0) * M_PER_LON, (lonlat[..., 1] - LAT0) * M_PER_LAT], -1)


def to_degrees(metres: Floats) -> Floats:
    """Longitudes and latitudes, to a tenth of a metre, of places in metres."""
    return np.round(np.stack([metres[..., 0] / M_PER_LON + LON0, metres[..., 1] / M_PER_LAT + LAT0], -1), 6)


@dataclass(frozen=True, slots=True)
class Waves:
    """A smooth random field: a sum of plane waves of random direction."""

    vector: Floats
    phase: Floats
    amplitude: Floats

    @staticmethod
    def drawn(rng: np.random.Generator, wavelength_m: float, rms: float, waves: int = 14) -> Waves:
        """A field that varies over about `wavelength_m`, with the given root mean square."""
        angle = rng.uniform(0, np.pi, waves)
        k = 2 * np.pi / (wavelength_m * rng.uniform(0.7, 1.5, waves))
        vector = np.stack([k * np.cos(angle), k * np.sin(angle)])
        return Waves(vector, rng.uniform(0, 2 * np.pi, waves), np.full(waves, rms * np.sqrt(2 / waves)))

    def at(self, points: Floats) -> Floats:
        """The field's value at each point.

        Wave by wave, without a matrix product: equal points must get equal values wherever they are in the array.
        """
        east, north = np.ascontiguousarray(points[..., 0]), np.ascontiguousarray(points[..., 1])
        total = np.zeros(east.shape)
        for kx, ky, phase, amplitude in zip(
            *self.vector.tolist(), self.phase.tolist(), self.amplitude.tolist(), strict=True
        ):
            total += amplitude * np.sin(kx * east + ky * north + phase)
        return total


@dataclass(frozen=True, slots=True)
class Bend:
    """Takes the plan, drawn with straight lines, to the ground, where nothing is straight.

    It keeps neighbours neighbours: its gradient stays well under one, so no two lines come to cross.
    """

    east: tuple[Waves, ...]
    north: tuple[Waves, ...]

    @staticmethod
    def drawn(rng: np.random.Generator) -> Bend:
        """A bend of three scales: the lie of the land, a quarter, a street."""
        scales = ((4_500.0, 120.0), (1_100.0, 24.0), (330.0, 4.5))
        return Bend(
            tuple(Waves.drawn(rng, wavelength, rms) for wavelength, rms in scales),
            tuple(Waves.drawn(rng, wavelength, rms) for wavelength, rms in scales),
        )

    def ground(self, plan: Floats) -> Floats:
        """Where points of the plan are on the ground."""
        east = np.sum([waves.at(plan) for waves in self.east], 0)
        north = np.sum([waves.at(plan) for waves in self.north], 0)
        return plan + np.stack([east, north], -1)

    def plan(self, ground: Floats) -> Floats:
        """Where points on the ground are in the plan (fixed point; converges as the gradient is under one)."""
        plan = ground.copy()
        for _ in range(25):
            plan = plan + (ground - self.ground(plan))
        return plan
