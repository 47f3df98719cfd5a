"""Places on the courses that vehicles drive."""

from __future__ import annotations

import numpy as np

from vigie.sim.city.equipment import bearing
from vigie.sim.city.frame import to_degrees
from vigie.sim.city.routes import Course
from vigie.sim.life.columns import Floats, Ints


class Tracks:
    """Courses laid one after the other, so that all devices find their place in one look-up."""

    def __init__(self, courses: tuple[Course, ...]) -> None:
        self.length_m = np.array([course.length_m for course in courses])
        self._xy = np.concatenate([course.xy for course in courses])
        counts = np.array([len(course.xy) for course in courses])
        self._start = np.concatenate([[0], np.cumsum(counts)])
        base = np.concatenate([[0.0], np.cumsum(self.length_m + 1.0)])
        self._base = base[:-1]
        self._reach = np.concatenate([course.at_m + b for course, b in zip(courses, base[:-1], strict=True)])

    def place(self, course: Ints, progress_m: Floats) -> tuple[Floats, Floats]:
        """(lon, lat) and heading in degrees after a distance driven to and fro on a course, keeping right."""
        length = self.length_m[course]
        lap = progress_m % (2 * length)
        back = lap > length
        at = np.where(back, 2 * length - lap, lap) + self._base[course]
        j = np.searchsorted(self._reach, at, "right") - 1
        j = np.clip(j, self._start[course], self._start[course + 1] - 2)
        span = self._xy[j + 1] - self._xy[j]
        way = span / np.maximum(np.hypot(span[:, 0], span[:, 1]), 1e-9)[:, None]
        spot = self._xy[j] + way * (at - self._reach[j])[:, None]
        way = np.where(back[:, None], -way, way)
        right = np.stack([way[:, 1], -way[:, 0]], -1) * 1.8
        return to_degrees(spot + right), np.round(bearing(way)) % 360
