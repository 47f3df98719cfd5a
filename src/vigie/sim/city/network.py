"""The graph of streets on the ground: nodes and arcs, their class, commune and name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot

import numpy as np

from vigie.core.arrays import ints
from vigie.sim.city.borders import Borders
from vigie.sim.city.fabric import Density, Fabric, corners
from vigie.sim.city.facts import COMMUNES
from vigie.sim.city.frame import Bend, Floats, Ints
from vigie.sim.city.plan import MainLine
from vigie.sim.city.words import NATURE, PERSONS, TOWN

CLASSES = ("motorway", "primary", "secondary", "local", "path")
MOTORWAY, PRIMARY, SECONDARY, LOCAL, PATH = range(5)
SPEED_LIMIT_KM_H = (90.0, 50.0, 50.0, 30.0, 20.0)
HALF_WIDTH_M = (11.0, 7.5, 5.0, 3.5, 2.0)
_STEP_M = 32.0
_RURAL = -0.05


@dataclass(frozen=True, slots=True)
class Network:
    """All arcs in columns. Arc i runs from node tail[i] to head[i] along xy[start[i]:start[i + 1]] (metres).

    reach_m: running length at each corner of xy; the jump from one arc to the next counts nothing.
    density: how built-up it is about its middle. centre_m: how far that is from Dijon's centre.
    name_of: index into names, which are unique within a commune.
    """

    nodes: Floats
    tail: Ints
    head: Ints
    start: Ints
    xy: Floats
    reach_m: Floats
    length_m: Floats
    rank: Ints
    commune: Ints
    density: Floats
    centre_m: Floats
    name_of: Ints
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.tail)

    def line(self, arc: int) -> Floats:
        """The course of one arc."""
        return self.xy[self.start[arc] : self.start[arc + 1]]

    def along(self, arc: Ints, at_m: Floats) -> tuple[Floats, Floats]:
        """Places at a distance from each arc's tail, and the unit direction there."""
        reach = self.reach_m
        base = reach[self.start[arc]]
        at = base + np.clip(at_m, 0.001, self.length_m[arc] - 0.001)
        j = np.clip(np.searchsorted(reach, at, "right") - 1, self.start[arc], self.start[arc + 1] - 2)
        span = self.xy[j + 1] - self.xy[j]
        size = np.maximum(np.hypot(span[:, 0], span[:, 1]), 1e-9)
        way = span / size[:, None]
        return self.xy[j] + way * (at - reach[j])[:, None], way


Piece = tuple[int, int, int, int]
"""tail, head, class, street"""


def _pieces(fabric: Fabric, mains: Sequence[MainLine]) -> list[Piece]:
    """All stretches between neighbouring nodes. No street ends in the water or on the motorway: it stops before."""
    barrier: dict[int, float] = {}
    for line in fabric.lines:
        if line.rank in ("water", "motorway", "border"):
            margin = 30.0 if line.rank == "motorway" else 22.0
            for node in (line.a, line.b, *(node for _, node in line.on)):
                barrier[node] = margin
    pieces: list[Piece] = []
    for line in fabric.lines:
        if line.rank in ("water", "border"):
            continue
        rank = CLASSES.index(line.rank)
        stops = [line.a, *(node for _, node in line.on), line.b]
        for a, b in pairwise(stops):
            if line.street >= len(mains):
                a, b = _shortened(fabric, a, b, barrier), _shortened(fabric, b, a, barrier)
                if a < 0 or b < 0:
                    continue
            pieces.append((a, b, rank, line.street))
    return pieces


def _shortened(fabric: Fabric, node: int, other: int, barrier: dict[int, float]) -> int:
    """The node itself, or one before the barrier that it lies on; -1 if nothing worth a street is left."""
    margin = barrier.get(node)
    if margin is None:
        return node
    x, y = fabric.x[node], fabric.y[node]
    dx, dy = fabric.x[other] - x, fabric.y[other] - y
    far = hypot(dx, dy)
    return -1 if far < 3 * margin else fabric.node(x + dx * margin / far, y + dy * margin / far)


def _chains(pieces: list[Piece]) -> list[tuple[list[int], int, int]]:
    """Pieces joined where nothing else meets them: (nodes, class, street)."""
    at: dict[int, list[int]] = defaultdict(list)
    for i, (a, b, _, _) in enumerate(pieces):
        at[a].append(i)
        at[b].append(i)
    through = {
        node for node, own in at.items()
        if len(own) == 2 and own[0] != own[1] and pieces[own[0]][2:] == pieces[own[1]][2:]
    }  # fmt: skip
    used = [False] * len(pieces)
    chains: list[tuple[list[int], int, int]] = []

    def follow(node: int, piece: int) -> list[int]:
        run: list[int] = []
        while True:
            used[piece] = True
            a, b = pieces[piece][:2]
            node = b if node == a else a
            run.append(node)
            if node not in through:
                return run
            first, second = at[node]
            piece = second if first == piece else first
            if used[piece]:
                return run

    for i, (a, b, rank, street) in enumerate(pieces):
        if used[i] or a == b:
            continue
        ahead = follow(a, i)
        behind: list[int] = []
        if a in through and ahead[-1] != a:
            others = [p for p in at[a] if not used[p]]
            behind = follow(a, others[0]) if others else []
        chains.append(([*behind[::-1], a, *ahead], rank, street))
    return chains


def _component(tail: Ints, head: Ints, count: int) -> Ints:
    """The lowest node that each node is joined with (hook and shortcut, vectorised)."""
    root = np.arange(count)
    while True:
        low = np.minimum(root[tail], root[head])
        after = root.copy()
        np.minimum.at(after, root[tail], low)
        np.minimum.at(after, root[head], low)
        after = after[after]
        while (after != after[after]).any():
            after = after[after]
        if (after == root).all():
            return root
        root = after


def main_component(tail: Ints, head: Ints, count: int) -> Ints:
    """The nodes of the largest connected part."""
    root = _component(tail, head, count)
    touched = np.zeros(count, np.bool_)
    touched[tail] = touched[head] = True
    best = np.bincount(root[touched], minlength=count).argmax()
    return np.flatnonzero(touched & (root == best))


def build_network(
    fabric: Fabric, mains: Sequence[MainLine], density: Density, bend: Bend, borders: Borders, rng: np.random.Generator
) -> Network:
    """The connected graph of all streets inside the metropole, named."""
    chains = _chains(_pieces(fabric, mains))
    plan = corners(fabric)
    tail = np.array([nodes[0] for nodes, _, _ in chains])
    head = np.array([nodes[-1] for nodes, _, _ in chains])
    counts = np.array([len(nodes) for nodes, _, _ in chains])
    run = np.concatenate([np.array(nodes) for nodes, _, _ in chains])
    start = np.concatenate([[0], np.cumsum(counts)])
    # Fine corners, so that the bend shows; then down to the ground.
    a, b = plan[run[:-1]], plan[run[1:]]
    steps = np.maximum(np.ceil(np.hypot(*(b - a).T) / _STEP_M), 1).astype(np.int64)
    steps[start[1:-1] - 1] = 1
    first: Ints = np.concatenate([[0], np.cumsum(steps)]).astype(np.int64)
    share: Floats = (np.arange(int(first[-1])) - np.repeat(first[:-1], steps)) / np.repeat(steps, steps)
    fine = np.concatenate([np.repeat(a, steps, 0) + np.repeat(b - a, steps, 0) * share[:, None], plan[run[-1:]]])
    ground = bend.ground(fine)
    fine_start: Ints = np.concatenate([first[start[:-1]], [len(ground)]]).astype(np.int64)
    middle = (fine_start[:-1] + fine_start[1:]) // 2
    middle_plan = fine[middle]
    built = np.array([density.at(x, y) for x, y in middle_plan.tolist()])
    far = np.array([density.centre_far(x, y) for x, y in middle_plan.tolist()])
    rank = np.array([rank for _, rank, _ in chains])
    street = np.array([street for _, _, street in chains])
    rank = np.where((street >= len(mains)) & (built < _RURAL), PATH, rank)
    commune = borders.commune_of(ground[middle])
    inside = (commune >= 0) & (borders.commune_of(ground[fine_start[:-1]]) >= 0)
    inside &= borders.commune_of(ground[fine_start[1:] - 1]) >= 0
    kept = np.flatnonzero(inside)
    kept = kept[np.isin(tail[kept], main_component(tail[kept], head[kept], len(plan)))]
    nodes, ends = np.unique(np.concatenate([tail[kept], head[kept]]), return_inverse=True)
    spans = zip(ints(fine_start[kept]), ints(fine_start[kept + 1]), strict=True)
    rows = np.concatenate([np.arange(low, high) for low, high in spans])
    new_start = np.concatenate([[0], np.cumsum(fine_start[kept + 1] - fine_start[kept])])
    xy = ground[rows]
    step = np.hypot(*np.diff(xy, axis=0).T)
    step[new_start[1:-1] - 1] = 0.0
    length = np.add.reduceat(np.append(step, 0.0), new_start[:-1])
    name_of, names = _names(street[kept], commune[kept], rank[kept], length, built[kept], len(mains), rng)
    return Network(
        bend.ground(plan[nodes]), ends[: len(kept)], ends[len(kept) :], new_start, xy,
        np.concatenate([[0.0], np.cumsum(step)]),
        length, rank[kept],
        commune[kept], built[kept], far[kept], name_of, names,
    )  # fmt: skip


def _names(
    street: Ints, commune: Ints, rank: Ints, length: Floats, built: Floats, mains: int, rng: np.random.Generator
) -> tuple[Ints, tuple[str, ...]]:
    """A name for each street in each commune; no two streets of one commune share one."""
    pair, which = np.unique(np.stack([commune, street], 1), axis=0, return_inverse=True)
    total = np.bincount(which, length)
    best = np.full(len(pair), 9)
    np.minimum.at(best, which, rank)
    used: dict[int, set[str]] = defaultdict(set)
    names = [""] * len(pair)
    after: dict[int, list[str]] = {}
    for owner in range(len(COMMUNES)):
        words = [f"du {name}" if name.startswith("Général") else name for name in PERSONS] + list(TOWN) + list(NATURE)
        after[owner] = [words[i] for i in rng.permutation(len(words)).tolist()]
    turn = dict.fromkeys(range(len(COMMUNES)), 0)
    for i in np.lexsort((np.arange(len(pair)), -total, best)).tolist():
        owner, line = pair[i].tolist()
        sorts = _sorts(int(best[i]), float(total[i]), line < mains)
        words = after[owner]
        while True:
            turn[owner] += 1
            lap, k = divmod(turn[owner], len(words))
            name = f"{sorts[lap % len(sorts)]} {words[k]}" if lap < len(sorts) else f"{sorts[0]} {words[k]} {lap}"
            if name not in used[owner]:
                break
        used[owner].add(name)
        names[i] = name
    return which, tuple(names)


def _sorts(rank: int, length_m: float, main: bool) -> tuple[str, ...]:
    """What a street of this class and length is called, the likeliest first."""
    if rank == MOTORWAY:
        return ("Rocade", "Voie")
    if rank == PRIMARY:
        return ("Boulevard", "Avenue", "Cours")
    if rank == SECONDARY:
        return ("Avenue", "Rue", "Route") if main or length_m > 900 else ("Rue", "Avenue", "Cours")
    if rank == PATH:
        return ("Chemin", "Sentier", "Voie", "Route", "Chemin rural", "Allée")
    if length_m < 90:
        return ("Impasse", "Passage", "Place", "Allée", "Rue", "Ruelle", "Square", "Cour", "Clos", "Venelle")
    return ("Rue", "Allée", "Rue", "Passage", "Place", "Chemin", "Clos", "Mail", "Ruelle", "Square", "Cour")
