"""The quickest ways between places in streets, compiled. They believe their indices: `streets` makes what they are
handed."""

# The compiler's library has no types: what it makes of these is held by tests.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import numpy as np

from vigie.core.compiled import compiled
from vigie.core.observations import Floats, Int64s, Mask


@compiled
def nearest(
    a: Floats, b: Floats, arc: Int64s, along: Floats, open_: Mask, spots: Floats
) -> tuple[Int64s, Floats, Floats]:
    """Of each place the open arc that is nearest, how far along it, and how far away. a, b: the ends of straight
    stretches; arc, along: of each its arc, and where on it `a` lies. open_: of each arc."""
    found, at_m, apart_m = np.full(len(spots), -1), np.zeros(len(spots)), np.full(len(spots), np.inf)
    for n in range(len(spots)):
        for k in range(len(a)):
            if not open_[arc[k]]:
                continue
            way_x, way_y = b[k, 0] - a[k, 0], b[k, 1] - a[k, 1]
            off_x, off_y = spots[n, 0] - a[k, 0], spots[n, 1] - a[k, 1]
            square = way_x * way_x + way_y * way_y
            share = 0.0
            if square > 0.0:
                share = min(max((off_x * way_x + off_y * way_y) / square, 0.0), 1.0)
            far = np.hypot(off_x - share * way_x, off_y - share * way_y)
            if far < apart_m[n]:
                found[n], apart_m[n], at_m[n] = arc[k], far, along[k] + share * np.sqrt(square)
    return found, at_m, apart_m


@compiled
def reached(first: Int64s, arcs: Int64s, end: Int64s, node: int) -> Mask:
    """The nodes that are reached from one. first, arcs: of each node, its arcs; end: of each arc, where it leads."""
    found, waits = np.zeros(len(first) - 1, np.bool_), np.empty(len(first), np.int64)
    found[node], waits[0], many = True, node, 1
    while many:
        many -= 1
        at = waits[many]
        for k in range(first[at], first[at + 1]):
            other = end[arcs[k]]
            if not found[other]:
                found[other], waits[many] = True, other
                many += 1
    return found


@compiled
def _sift_up(heap: Int64s, place: Int64s, at: int, key: Floats) -> None:
    node = heap[at]
    while at > 0 and key[heap[(at - 1) // 2]] > key[node]:
        heap[at] = heap[(at - 1) // 2]
        place[heap[at]] = at
        at = (at - 1) // 2
    heap[at], place[node] = node, at


@compiled
def _sift_down(heap: Int64s, place: Int64s, size: int, key: Floats) -> None:
    node, at = heap[0], 0
    while 2 * at + 1 < size:
        child = 2 * at + 1
        if child + 1 < size and key[heap[child + 1]] < key[heap[child]]:
            child += 1
        if key[heap[child]] >= key[node]:
            break
        heap[at] = heap[child]
        place[heap[at]] = at
        at = child
    heap[at], place[node] = node, at


@compiled
def quickest(
    tail: Int64s, head: Int64s, allowed: Mask, length_m: Floats, speed: Floats, out_first: Int64s, out: Int64s,
    arc: Int64s, at_m: Floats,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Between all places: the seconds of the quickest way and its metres; infinite where none leads. arc, at_m: of each
    place, -1 where it is in no street. speed: of each arc, metres a second. At a node vehicles go on as they like, and
    back where they came from too (Dijkstra 1959, with a binary heap)."""
    places, nodes = len(arc), len(out_first) - 1
    drive_s, far_m = np.full((places, places), np.inf), np.full((places, places), np.inf)
    time, metres = np.empty(nodes), np.empty(nodes)
    heap, place = np.empty(nodes + 1, np.int64), np.empty(nodes, np.int64)
    for one in range(places):
        if arc[one] < 0:
            continue
        time[:], metres[:], place[:], size = np.inf, np.inf, -1, 0
        for against in range(2):
            directed = 2 * arc[one] + against
            if not allowed[directed]:
                continue
            rest = at_m[one] if against else length_m[arc[one]] - at_m[one]
            node = int(head[directed])
            if rest / speed[arc[one]] < time[node]:
                time[node], metres[node] = rest / speed[arc[one]], rest
                if place[node] < 0:
                    heap[size] = node
                    size += 1
                    place[node] = size - 1
                _sift_up(heap, place, int(place[node]), time)
        while size:
            node = heap[0]
            size -= 1
            if size:
                heap[0] = heap[size]
                _sift_down(heap, place, size, time)
            place[node] = -2
            for k in range(out_first[node], out_first[node + 1]):
                other, long = int(head[out[k]]), length_m[out[k] // 2]
                then = time[node] + long / speed[out[k] // 2]
                if place[other] == -2 or then >= time[other]:
                    continue
                time[other], metres[other] = then, metres[node] + long
                if place[other] < 0:
                    heap[size], place[other] = other, size
                    size += 1
                _sift_up(heap, place, int(place[other]), time)
        for two in range(places):
            if arc[two] < 0:
                continue
            for against in range(2):
                directed = 2 * arc[two] + against
                if not allowed[directed]:
                    continue
                into = length_m[arc[two]] - at_m[two] if against else at_m[two]
                then, long = time[tail[directed]] + into / speed[arc[two]], metres[tail[directed]] + into
                # Farther on in the same arc: at once.
                if arc[one] == arc[two]:
                    ahead = at_m[one] - at_m[two] if against else at_m[two] - at_m[one]
                    if ahead >= 0.0 and ahead / speed[arc[one]] < then:
                        then, long = ahead / speed[arc[one]], ahead
                if then < drive_s[one, two]:
                    drive_s[one, two], far_m[one, two] = then, long
    return drive_s, far_m
