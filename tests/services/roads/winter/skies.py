"""Cold nights from a seed, and what a road-weather station says of them; written without a look at what judges it."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from random import Random
from zoneinfo import ZoneInfo

import numpy as np

from vigie.core.cases import Opened
from vigie.core.kinds import ConditionKind
from vigie.core.observations import Mask
from vigie.core.past import Told
from vigie.core.service import Newest, Present
from vigie.core.times import MINUTE_US
from vigie.services.air import WeatherStation
from vigie.services.places import Street

NOON_US = 1_767_092_400_000_000
"""Noon in Dijon on a day in winter."""
EACH_US = 10 * MINUTE_US


def vapour_hpa(temperature_c: float, *, ice: bool) -> float:
    """Saturated over ice or water, by Buck's formula of 1981: another than the one that is tested."""
    a, b = (22.452, 272.55) if ice else (17.502, 240.97)
    return 6.1115 * exp(a * temperature_c / (b + temperature_c))


@dataclass(frozen=True)
class Hour:
    """Ten minutes of a night. slippery: what lies on the road, "" for nothing."""

    at_us: int
    surface_c: float
    air_c: float
    humidity: float
    rain_mm_h: float
    slippery: str


def night(seed: int, start_us: int = NOON_US) -> list[Hour]:
    """From noon to noon: the air cools and warms, the road more than it; it rains or not, and what fell dries. Frost
    grows where the road is colder than ice in air so damp, water freezes below freezing."""
    dice = Random(f"night {seed}")
    low, swing, clear = dice.uniform(-6, 7), dice.uniform(2, 8), dice.uniform(0, 1)
    damp, rains = dice.uniform(68, 97), dice.random() < 0.4
    begins, lasts = dice.uniform(0, 20), dice.uniform(0.5, 5)
    water_mm, frost_mm, made = 0.0, 0.0, list[Hour]()
    for n in range(144):
        hour = n / 6
        cold = np.cos(2 * np.pi * (hour - 18) / 24) / 2 + 0.5
        air = low + swing * (1 - cold)
        surface = air + 1.5 - (1 + 3.5 * clear) * cold
        humidity = min(100.0, damp - 18 * (1 - cold) + (8 if rains and begins < hour < begins + lasts else 0))
        rain = 1.2 if rains and begins < hour < begins + lasts else 0.0
        water_mm = min(1.0, water_mm + rain / 6) if rain else max(0.0, water_mm - 0.04)
        gain = vapour_hpa(air, ice=False) * humidity / 100 - vapour_hpa(surface, ice=True)
        frost_mm = max(0.0, frost_mm + 0.012 * gain) if surface < 0 else 0.0
        falls = rain > 0 and air < 0.5
        slippery = "snow" if falls and surface < 0.5 else "black" if water_mm > 0.02 and surface < -0.1 else ""
        slippery = slippery or ("hoar" if frost_mm > 0.005 else "")
        made.append(
            Hour(
                start_us + n * EACH_US, round(surface + dice.gauss(0, 0.2), 1), round(air + dice.gauss(0, 0.2), 1),
                float(round(min(100.0, humidity + dice.gauss(0, 2)))), round(rain, 1), slippery,
            )
        )  # fmt: skip
    return made


class Town:
    """Some stations and streets in a row, as a sweep and a rule see them."""

    zone = ZoneInfo("Europe/Paris")
    inventory = 1

    def __init__(self, stations: int = 1, streets: int = 4, apart_deg: float = 0.02) -> None:
        self._stations = np.arange(1, stations + 1)
        self._streets = np.arange(101, 101 + streets)
        self._apart_deg = apart_deg
        self.told: dict[tuple[str, int], tuple[float, int]] = {}
        self.open: dict[int, Present] = {}
        self.cases: list[Opened] = []
        self.before: list[tuple[str, int, int, float]] = []

    def say(self, station: int, at_us: int, **said: float) -> None:
        """A station says something."""
        self.told |= {(name, station): (value, at_us) for name, value in said.items()}
        self.before += [(name, station, at_us, value) for name, value in said.items()]

    def hear(self, hour: Hour, station: int = 1) -> None:
        """A station says what it is."""
        self.say(
            station, hour.at_us, surface=hour.surface_c, temperature=hour.air_c, humidity=hour.humidity,
            rain=hour.rain_mm_h,
        )  # fmt: skip

    def kind_named(self, name: str) -> object:
        return {"weather_station": WeatherStation, "street": Street}.get(name)

    def assets(self, kind: object) -> np.ndarray:
        return self._stations if kind is WeatherStation else self._streets

    def ids(self, assets: np.ndarray) -> list[str]:
        return [f"street-{each}" if each > 100 else f"station-{each}" for each in assets]

    def places(self, assets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return 5.0 + (assets % 100) * self._apart_deg, np.full(len(assets), 47.3)

    def newest(self, kind: object, point: object, assets: np.ndarray) -> Newest:
        found = [self.told.get((point.name, int(each)), (float("nan"), 0)) for each in assets]  # type: ignore[attr-defined]
        at_us = np.array([each[1] for each in found], np.int64)
        return Newest(np.array([each[0] for each in found]), at_us, at_us, np.zeros(len(assets), np.uint8))

    def recalled(self, kind: object, point: object) -> Told:
        said = sorted((station, at_us, value) for name, station, at_us, value in self.before if name == point.name)  # type: ignore[attr-defined]
        asset, at_us, value = ([each[n] for each in said] for n in range(3))
        return Told(np.array(asset, np.int64), np.array(at_us, np.int64), np.array(value, np.float64))

    def is_open(self, condition: ConditionKind, assets: np.ndarray) -> Mask:
        return np.array([int(each) in self.open for each in assets], np.bool_)

    def present(self, condition: ConditionKind) -> list[Present]:
        return [*self.open.values()]
