"""Cameras, bollards, bike stations, air and weather stations."""

from __future__ import annotations

import numpy as np

from vigie.core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from vigie.services.air import AirStation, WeatherStation
from vigie.services.roads import BikeStation, Bollard
from vigie.services.video import Camera
from vigie.sim.city.city import City
from vigie.sim.life.columns import Floats, Habits, Ints, Reports, broken, drift, due, key_of, normal, phases, uniform
from vigie.sim.life.sky import Sky, local_us, sun_elevation_deg, traffic

UP, DOWN = (Camera.link.code(name) for name in ("up", "down"))
RAISED, LOWERED, MOVING, FAULT = (Bollard.state.code(name) for name in ("raised", "lowered", "moving", "fault"))
DRY, WET = (WeatherStation.surface_state.code(name) for name in ("dry", "wet"))
ROAD_EACH = 4
"""Of so many weather stations one has sensors in a road."""
_NEVER = np.iinfo(np.int64).max


class Clock:
    """When each of some devices reports: soon after the start, then once a period."""

    def __init__(self, key: np.uint64, count: int, period_s: float, hello_s: float, start_us: int) -> None:
        self._phase, self._period_s, self.now_us = phases(key, count, period_s), period_s, start_us
        self._hello = start_us + 1 + (uniform(key, np.arange(count), 7) * hello_s * SECOND_US).astype(np.int64)

    def strike(self, until_us: int) -> tuple[Ints, Ints]:
        """Who reports in (now, until], and when."""
        who, at = due(self.now_us, until_us, self._period_s, self._phase)
        early = np.flatnonzero(self._hello <= until_us)
        if len(early):
            who, at = np.concatenate([who, early]), np.concatenate([at, self._hello[early]])
            self._hello[early] = _NEVER
        self.now_us = until_us
        return who, at


class CameraLife:
    """Cameras are reachable, or not."""

    def __init__(self, city: City, habits: Habits, start_us: int) -> None:
        self._key = key_of(city.seed, "camera")
        self._index = np.arange(len(city.cameras.xy))
        self._clock = Clock(self._key, len(self._index), habits.idle_s, habits.hello_s, start_us)

    def advance(self, until_us: int) -> list[Reports]:
        """Links."""
        who, at = self._clock.strike(until_us)
        if not len(who):
            return []
        lost = broken(self._key, len(self._index), until_us // MINUTE_US * MINUTE_US, block_s=86_400.0, chance=0.012,
                      least_s=1_800, most_s=90_000)  # fmt: skip
        return [Reports(Camera, Camera.link, who, at, np.where(lost[who], DOWN, UP).astype(np.float64))]


class BollardLife:
    """Bollards are raised by night and where they belong by day; they move within seconds of an order."""

    _TRAVEL_US = 5 * SECOND_US

    def __init__(self, city: City, habits: Habits, start_us: int) -> None:
        self._key = key_of(city.seed, "bollard")
        self._index = np.arange(len(city.bollards.xy))
        self._clock = Clock(self._key, len(self._index), habits.idle_s, habits.hello_s, start_us)
        self.state = np.where(uniform(self._key, self._index, 1) < 0.8, RAISED, LOWERED)
        self._target = self.state.copy()
        self._begin_us, self._end_us = np.full(len(self._index), _NEVER), np.full(len(self._index), _NEVER)

    def order(self, bollard: int, to: str, at_us: int) -> None:
        """Moves one."""
        self._target[bollard] = Bollard.state.code(to)
        self._begin_us[bollard] = at_us + SECOND_US
        self._end_us[bollard] = at_us + SECOND_US + self._TRAVEL_US

    def advance(self, until_us: int) -> list[Reports]:
        """States, and each step of a move at once."""
        said: list[Reports] = []
        for due_us, state in ((self._begin_us, np.full(len(self._index), MOVING)), (self._end_us, self._target)):
            who = np.flatnonzero(due_us <= until_us)
            if len(who):
                self.state[who] = state[who]
                said.append(
                    Reports(Bollard, Bollard.state, who, due_us[who].copy(), self.state[who].astype(np.float64))
                )
                due_us[who] = _NEVER
        who, at = self._clock.strike(until_us)
        if len(who):
            jammed = broken(self._key, len(self._index), until_us // MINUTE_US * MINUTE_US, block_s=86_400.0,
                            chance=0.03, least_s=3_600, most_s=30_000)  # fmt: skip
            still = who[self.state[who] != MOVING], at[self.state[who] != MOVING]
            shown = np.where(jammed[still[0]], FAULT, self.state[still[0]]).astype(np.float64)
            said.insert(0, Reports(Bollard, Bollard.state, still[0], still[1], shown))
        return said


class BikeLife:
    """Bike stations fill and empty with the day."""

    def __init__(self, city: City, habits: Habits, start_us: int) -> None:
        self._key = key_of(city.seed, "bike")
        index = np.arange(len(city.bikes.xy))
        self._clock = Clock(self._key, len(index), habits.sky_s, habits.hello_s, start_us)
        self._docks = 12 + (uniform(self._key, index, 1) * 20).astype(np.int64)
        self._office = uniform(self._key, index, 2) * 2 - 1

    def advance(self, until_us: int) -> list[Reports]:
        """Bikes and free docks."""
        who, at = self._clock.strike(until_us)
        if not len(who):
            return []
        hour = (local_us(until_us) % DAY_US) / HOUR_US
        day = np.sin((hour - 8) / 24 * 2 * np.pi)
        share = np.clip(0.5 + 0.32 * self._office[who] * day + 0.22 * drift(self._key, who, at, 5_400.0), 0, 1)
        bikes: Floats = np.rint(np.asarray(share * self._docks[who], np.float64))
        return [
            Reports(BikeStation, BikeStation.bikes, who, at, bikes),
            Reports(BikeStation, BikeStation.docks, who, at, self._docks[who] - bikes),
        ]


class StationLife:
    """Weather stations, and air stations whose pollutants follow traffic, sun and still air."""

    def __init__(self, city: City, sky: Sky, habits: Habits, start_us: int) -> None:
        self._sky, self._key = sky, key_of(city.seed, "station")
        air, weather = len(city.air.xy), len(city.weather.xy)
        self._air = Clock(key_of(city.seed, "air"), air, habits.sky_s, habits.hello_s, start_us)
        self._weather = Clock(key_of(city.seed, "weather"), weather, habits.sky_s, habits.hello_s, start_us)
        far = np.hypot(*city.air.xy.T)
        self._urban = np.clip(1.3 - far / 7_000, 0.45, 1.3) * (0.8 + 0.4 * uniform(self._key, np.arange(air), 1))

    def advance(self, until_us: int) -> list[Reports]:
        """What residents breathe, and the sky."""
        return self._weather_reports(until_us) + self._air_reports(until_us)

    def _weather_reports(self, until_us: int) -> list[Reports]:
        who, at = self._weather.strike(until_us)
        if not len(who):
            return []
        sky, kind = self._sky, WeatherStation
        here = drift(self._key, who, at, 7_200.0)
        temperature = sky.temperature_c(at) + 0.9 * here
        rain = sky.rain_mm_h(at) * (1 + 0.3 * here)
        swing = (temperature - sky.temperature_c(at - 6 * HOUR_US)) * 2.2
        humidity = np.clip(72 + 14 * sky.cloud(at) - swing + np.minimum(rain * 6, 14), 18, 100)
        wind = np.clip(sky.wind_m_s(at) * (1 + 0.25 * here), 0, None)
        points = (
            (kind.temperature, np.round(temperature, 1)), (kind.humidity, np.round(humidity)),
            (kind.rain, np.round(rain, 1)), (kind.wind_speed, np.round(wind, 1)),
            (kind.illuminance, np.round(sky.illuminance_lx(at) * (1 + 0.06 * here), 1)),
        )  # fmt: skip
        told = [Reports(kind, point, who, at, value) for point, value in points]
        return told + self._road_reports(who, at, temperature)

    def _road_reports(self, who: Ints, at: Ints, air_c: Floats) -> list[Reports]:
        """What the stations with sensors in a road say of it: warmer than the air by day, colder in clear nights, and
        wet for two hours after rain."""
        road = who % ROAD_EACH == 0
        who, at = who[road], at[road]
        if not len(who):
            return []
        sky, kind = self._sky, WeatherStation
        clear = 1 - sky.cloud(at)
        height = np.sin(np.radians(sun_elevation_deg(at)))
        day, night = np.clip(height, 0, None), np.clip(-5 * height, 0, 1)
        surface = air_c[road] + 1.2 + 14 * day * (0.3 + 0.7 * clear) - (1 + 3.2 * clear) * night
        rained = np.max([sky.rain_mm_h(at - hours * HOUR_US) for hours in (0, 1, 2)], axis=0) > 0
        state = np.where(rained, WET, DRY).astype(np.float64)
        return [
            Reports(kind, kind.surface, who, at, np.round(surface, 1)),
            Reports(kind, kind.surface_state, who, at, state),
        ]

    def _air_reports(self, until_us: int) -> list[Reports]:
        who, at = self._air.strike(until_us)
        if not len(who):
            return []
        sky, kind = self._sky, AirStation
        cars = traffic(until_us) * 0.7 + traffic(until_us - HOUR_US) * 0.3
        still = sky.smog(at)
        noise = 1 + 0.08 * normal(self._key, who, at // (10 * MINUTE_US))
        no2 = self._urban[who] * (5 + 38 * cars * (0.45 + still)) * noise
        sun = np.clip(sky.illuminance_lx(at - 2 * HOUR_US) / 60_000, 0, 1)
        o3 = np.clip(38 + 62 * sun * (0.6 + still) - 0.45 * no2, 2, None) * noise
        cold = np.clip(14 - sky.temperature_c(at), 0, 20) / 20
        pm25 = (4 + 13 * still * (0.4 + cold) + 4 * cars) * noise
        wind = np.clip(sky.wind_m_s(at) * (0.7 + 0.1 * noise), 0, None)
        points = (
            (kind.no2, no2), (kind.nox, no2 * 1.55), (kind.o3, o3), (kind.pm10, pm25 * 1.6 + 3), (kind.pm25, pm25),
            (kind.so2, 1.2 + 1.5 * still * noise), (kind.co, 0.18 + 0.3 * cars * noise), (kind.wind_speed, wind),
            (kind.wind_from, sky.wind_from_deg(at)),
        )  # fmt: skip
        return [Reports(kind, point, who, at, np.round(value, 1)) for point, value in points]
