"""The main lines of the plan: boulevards about the old town, roads between communes, the ring road, the waters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import LineString, Polygon

from vigie.sim.city.facts import CANAL, COMMUNES, LAKE, LAKE_HALF_WIDTH_M, OUCHE, ROCADE
from vigie.sim.city.frame import Bend, Floats, to_metres

RINGS_M = (560.0, 1_250.0, 2_150.0)
"""Radii of the boulevards: round the old town, and of two later walls of growth."""
OUCHE_HALF_WIDTH_M = 13.0
CANAL_HALF_WIDTH_M = 9.0
QUAY_M = 34.0


@dataclass(frozen=True, slots=True)
class MainLine:
    """One line of the plan. rank: "motorway", "primary", "secondary", "water" or "border"."""

    line: LineString
    rank: str


@dataclass(frozen=True, slots=True)
class Waters:
    """The waters' axes in the plan, and the lake."""

    ouche: LineString
    canal: LineString
    lake: Polygon


def centres_in(bend: Bend) -> Floats:
    """The communes' centres in the plan."""
    return bend.plan(to_metres([commune.centre for commune in COMMUNES]))


def _smooth(points: Floats, rounds: int = 2) -> Floats:
    """Chaikin's corner cutting; the ends stay."""
    for _ in range(rounds):
        a, b = points[:-1], points[1:]
        cut = np.stack([0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b], 1).reshape(-1, 2)
        points = np.concatenate([points[:1], cut[1:-1], points[-1:]])
    return points


def waters_in(bend: Bend) -> Waters:
    """River, canal and lake in the plan."""
    ouche, canal = (LineString(_smooth(bend.plan(to_metres(course)))) for course in (OUCHE, CANAL))
    axis = LineString(_smooth(bend.plan(to_metres(LAKE))))
    return Waters(ouche, canal, axis.buffer(LAKE_HALF_WIDTH_M, quad_segs=4))


def _rays(centres: Floats) -> list[tuple[float, int]]:
    """Directions of the radial roads from Dijon's centre, each with the commune it leads to (-1: the last ring)."""
    away = centres[1:] - centres[0]
    angle, far = np.arctan2(away[:, 1], away[:, 0]), np.hypot(away[:, 0], away[:, 1])
    rays: list[tuple[float, int]] = []
    for i in np.argsort(far).tolist():
        near = min((abs((angle[i] - a + np.pi) % (2 * np.pi) - np.pi) for a, _ in rays), default=9.0)
        if far[i] < 6_800 and near > np.radians(17):
            rays.append((float(angle[i]), i + 1))
    rays.sort()
    filled: list[tuple[float, int]] = []
    for (a, target), (b, _) in zip(rays, [*rays[1:], (rays[0][0] + 2 * np.pi, 0)], strict=True):
        filled.append((a, target))
        more = int((b - a) // np.radians(33))
        filled += [(a + (b - a) * k / (more + 1), -1) for k in range(1, more + 1)]
    return filled


def _links(centres: Floats) -> list[tuple[int, int]]:
    """Pairs of communes joined by a road: no third commune lies in the disc between them (Gabriel 1969)."""
    pairs: list[tuple[int, int]] = []
    for i in range(1, len(centres)):
        for j in range(i + 1, len(centres)):
            middle, radius = (centres[i] + centres[j]) / 2, np.hypot(*(centres[i] - centres[j])) / 2
            others = np.delete(centres, (i, j), 0)
            if np.hypot(*(others - middle).T).min() > radius * 0.97:
                pairs.append((i, j))
    return pairs


def _wander(a: Floats, b: Floats, rng: np.random.Generator, share: float = 0.06) -> Floats:
    """A road from a to b that does not quite take the straight way."""
    far = float(np.hypot(*(b - a)))
    steps = max(2, int(far // 700))
    t = np.linspace(0, 1, steps + 1)[:, None]
    side = np.array([a[1] - b[1], b[0] - a[0]]) / far
    sway = np.sin(np.pi * t) * rng.normal(0, share) + np.sin(2 * np.pi * t) * rng.normal(0, share / 2)
    return a + (b - a) * t + side * sway * far


def main_lines(bend: Bend, outline: Polygon, waters: Waters, rng: np.random.Generator) -> list[MainLine]:
    """All main lines, not yet cut where they cross."""
    centres = centres_in(bend)
    old_town, rays = centres[0], _rays(centres)
    turn = np.array([angle for angle, _ in rays])
    wobble = rng.uniform(-0.09, 0.09, (len(RINGS_M), len(rays)))
    wobble[0] *= 0.6
    lines: list[MainLine] = []
    for ring, radius in enumerate(RINGS_M):
        own = radius * (1 + wobble[ring])
        at = np.concatenate([turn, (turn + np.r_[turn[1:], turn[0] + 2 * np.pi]) / 2])
        reach = np.concatenate([own, (own + np.r_[own[1:], own[0]]) / 2 * 1.02])
        order = np.argsort(at)
        circle = old_town + reach[order, None] * np.stack([np.cos(at[order]), np.sin(at[order])], -1)
        lines.append(MainLine(LineString([*circle, circle[0]]), "primary" if ring != 1 else "secondary"))
    for k, (angle, target) in enumerate(rays):
        out = np.array([np.cos(angle), np.sin(angle)])
        knots = [old_town + out * radius * (1 + wobble[ring, k]) for ring, radius in enumerate(RINGS_M)]
        if k % 3 == 0:
            lines.append(MainLine(LineString([old_town, knots[0]]), "secondary"))
        lines.append(MainLine(LineString(knots), "primary" if target >= 0 else "secondary"))
        if target >= 0:
            lines.append(MainLine(LineString(_wander(knots[-1], centres[target], rng, 0.03)), "primary"))
    for i, j in _links(centres):
        lines.append(MainLine(LineString(_wander(centres[i], centres[j], rng)), "secondary"))
    for i, commune in enumerate(COMMUNES):
        if commune.gate:
            out = (centres[i] - old_town) / np.hypot(*(centres[i] - old_town))
            lines.append(MainLine(LineString(_wander(centres[i], centres[i] + out * 9_000, rng, 0.03)), "secondary"))
    lines.append(MainLine(LineString(_smooth(bend.plan(to_metres(ROCADE)))), "motorway"))
    lines.append(MainLine(waters.lake.exterior, "water"))
    for course in (waters.ouche, waters.canal):
        lines += [MainLine(part, "water") for part in shapely.get_parts(course.difference(waters.lake))]
    # Quays where the river passes the town.
    inner = shapely.Point(old_town).buffer(RINGS_M[2] * 1.05)
    for side in (QUAY_M, -QUAY_M):
        quay = shapely.offset_curve(waters.ouche.intersection(inner), side)
        assert isinstance(quay, LineString)
        lines.append(MainLine(quay, "secondary"))
    lines.append(MainLine(outline.exterior, "border"))
    return lines
