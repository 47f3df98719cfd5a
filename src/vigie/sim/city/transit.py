"""Bus and tram lines along the streets, with their stops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vigie.sim.city.facts import BUS_LINES, COMMUNES, TRAM_LINES
from vigie.sim.city.frame import Floats, to_metres
from vigie.sim.city.network import Network
from vigie.sim.city.routes import Course, Router

_STOP_EVERY_M = 380.0


@dataclass(frozen=True, slots=True)
class TransitLine:
    """A line: its name, mode, course, and its stops by name and metres along the course."""

    name: str
    mode: str
    course: Course
    stop_names: tuple[str, ...]
    stop_at_m: Floats


def lay_lines(network: Network, router: Router, rng: np.random.Generator) -> tuple[TransitLine, ...]:
    """Two tram lines through their real stations, and bus lines: through the centre, between communes, around."""
    lines: list[TransitLine] = []
    for name, stations in TRAM_LINES:
        spots = router.nearest(to_metres([place for _, place in stations])).tolist()
        course = router.course(spots)
        at: list[float] = []
        for spot in spots:
            later = [m for node, m in zip(course.nodes, course.node_at_m.tolist(), strict=True) if node == spot]
            at.append(next((m for m in later if not at or m > at[-1]), later[-1]))
        stops_at = np.array(at)
        lines.append(TransitLine(name, "tram", course, tuple(stop for stop, _ in stations), stops_at))
    centres = router.nearest(to_metres([commune.centre for commune in COMMUNES]))
    hub = int(centres[0])
    ends = centres[1:][np.argsort(-np.array([commune.population for commune in COMMUNES[1:]]), kind="stable")]
    dense = router.nodes[np.hypot(*network.nodes[router.nodes].T) < 4_200]
    dense = dense[np.hypot(*network.nodes[dense].T) > 1_800]
    quarters = _spread(network.nodes[dense], 26, rng)
    for number in range(BUS_LINES):
        if number < 7:
            stops = [int(ends[number]), hub, int(dense[quarters[number]])]
        elif number < 7 + 14:
            a = number - 7
            stops = [int(ends[a % len(ends)]), int(dense[quarters[7 + a]]), hub] if a % 2 else [
                int(ends[a + 7 if a + 7 < len(ends) else a]), hub]  # fmt: skip
        else:
            a = number - 14
            stops = [int(dense[quarters[a]]), int(dense[quarters[(a + 5) % 26]]), int(dense[quarters[(a + 11) % 26]])]
        name = f"L{number + 3}" if number < 7 else f"B{number + 3}" if number < 16 else f"{number + 14}"
        course = router.course(list(dict.fromkeys(stops)))
        count = max(int(course.length_m / _STOP_EVERY_M), 2)
        every = np.linspace(0, course.length_m, count + 1)
        lines.append(TransitLine(name, "bus", course, _stop_names(network, course, every), every))
    return tuple(lines)


def _spread(xy: Floats, count: int, rng: np.random.Generator) -> list[int]:
    """Places far from each other: each next one is the farthest from all chosen (Gonzalez 1985)."""
    chosen = [int(rng.integers(len(xy)))]
    near = ((xy - xy[chosen[0]]) ** 2).sum(1)
    while len(chosen) < count:
        chosen.append(int(near.argmax()))
        near = np.minimum(near, ((xy - xy[chosen[-1]]) ** 2).sum(1))
    order = rng.permutation(count).tolist()
    return [chosen[i] for i in order]


def _stop_names(network: Network, course: Course, at: Floats) -> tuple[str, ...]:
    """Each stop is called after the street it stands in, without the word for street."""
    x, y = np.interp(at, course.at_m, course.xy[:, 0]), np.interp(at, course.at_m, course.xy[:, 1])
    middles = network.xy[(network.start[:-1] + network.start[1:]) // 2]
    names: list[str] = []
    for place in np.stack([x, y], -1):
        arc = int(((middles - place) ** 2).sum(1).argmin())
        word = network.names[int(network.name_of[arc])].partition(" ")[2]
        names.append(word[:1].upper() + word[1:])
    return tuple(names)
