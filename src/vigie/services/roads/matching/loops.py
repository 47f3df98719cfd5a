"""The loops of matching, compiled: what is near a place, the ways between arcs, the likeliest arcs of trails, and what
lies between two positions.

A directed arc is a number: twice the arc's, and one more for the way against its line. They believe their indices:
`network` makes what they are handed.
"""

# The compiler's library has no types: what it makes of these is held by tests.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vigie.core.compiled import compiled
from vigie.core.observations import Floats, Int64s, Mask

_ARCS = 12
"""So many arcs near a place are looked at, the nearest first."""

_STATES = 2 * _ARCS
_FOUND = 128
_HARDLY = 12.0
"""An arc that is e^12 times less likely than the nearest, by its distance, is not looked at."""
_HALF_DIAGONAL = 0.7072
_NO_MORE = 1e-200


class Ground(NamedTuple):
    """The straight stretches of the arcs, by cells of the ground.

    a, b: (n, 2) ends in metres. arc: of each, sorted. along: metres from where the arc begins to a. corner: of the
    first cell, the south-western. first: of each cell, its first in `inside`; one more at the end.
    """

    a: Floats
    b: Floats
    arc: Int64s
    along: Floats
    corner: Floats
    cell_m: float
    columns: int
    rows: int
    first: Int64s
    inside: Int64s


class Ways(NamedTuple):
    """The shortest ways from the end of each directed arc to the beginning of others.

    first: of each directed arc, its first row; one more at the end. to: the directed arcs that are reached, in their
    order. far_m: how far. before: the directed arc before it on that way; -1 where it follows at once.
    """

    first: Int64s
    to: Int64s
    far_m: Floats
    before: Int64s


@compiled
def spread(
    a: Floats, b: Floats, corner: Floats, cell_m: float, columns: int, rows: int, reach_m: float
) -> tuple[Int64s, Int64s]:
    """The stretches by the cells that they come within `reach_m` of: first and inside, as `Ground` has them."""
    first = np.zeros(columns * rows + 1, np.int64)
    inside = np.zeros(0, np.int64)
    most = (reach_m + cell_m * _HALF_DIAGONAL) ** 2
    # Once to count, once to fill.
    for filling in range(2):
        if filling:
            for n in range(columns * rows):
                first[n + 1] += first[n]
            inside = np.zeros(first[-1], np.int64)
        at = first.copy()
        for n in range(len(a)):
            low_x = int((min(a[n, 0], b[n, 0]) - reach_m - corner[0]) // cell_m)
            high_x = int((max(a[n, 0], b[n, 0]) + reach_m - corner[0]) // cell_m)
            low_y = int((min(a[n, 1], b[n, 1]) - reach_m - corner[1]) // cell_m)
            high_y = int((max(a[n, 1], b[n, 1]) + reach_m - corner[1]) // cell_m)
            for y in range(max(low_y, 0), min(high_y, rows - 1) + 1):
                for x in range(max(low_x, 0), min(high_x, columns - 1) + 1):
                    far, _ = _apart(a, b, n, corner[0] + (x + 0.5) * cell_m, corner[1] + (y + 0.5) * cell_m)
                    if far > most:
                        continue
                    if filling:
                        inside[at[y * columns + x]] = n
                        at[y * columns + x] += 1
                    else:
                        first[y * columns + x + 1] += 1
    return first, inside


@compiled
def _apart(a: Floats, b: Floats, n: int, x: float, y: float) -> tuple[float, float]:
    """How far a place is from a stretch, squared, and which share of the stretch lies before its nearest place."""
    way_x, way_y = b[n, 0] - a[n, 0], b[n, 1] - a[n, 1]
    off_x, off_y = x - a[n, 0], y - a[n, 1]
    square = way_x * way_x + way_y * way_y
    share = 0.0
    if square > 0.0:
        share = min(max((off_x * way_x + off_y * way_y) / square, 0.0), 1.0)
    off_x -= share * way_x
    off_y -= share * way_y
    return off_x * off_x + off_y * off_y, share


@compiled
def find_ways(
    head: Int64s, length_m: Floats, out_first: Int64s, out: Int64s, reach_m: float, turn_back_m: float
) -> Ways:
    """The shortest ways of at most `reach_m`.

    head: the node at the end of each directed arc. out_first, out: of each node, the directed arcs that leave it. Each
    turning back counts as `turn_back_m` more, but where nothing else leads on. Arcs whose way became shorter wait in
    line to pass it on (Moore 1959), which for the few hundred within reach is as quick as to keep them in order.
    """
    arcs = len(head)
    first, size = np.zeros(arcs + 1, np.int64), 16 * arcs + 64
    to, far, before = np.empty(size, np.int64), np.empty(size, np.float64), np.empty(size, np.int64)
    best, prior = np.full(arcs, np.inf), np.full(arcs, -1)
    line, waits, touched = np.empty(arcs + 1, np.int64), np.zeros(arcs, np.bool_), np.empty(arcs, np.int64)
    row = 0
    for source in range(arcs):
        at, gone, origin = source, 0.0, -1
        begin, end, known = 0, 0, 0
        while True:
            low, high = out_first[head[at]], out_first[head[at] + 1]
            for n in range(low, high):
                other = out[n]
                long = gone + (turn_back_m if other == at ^ 1 and high - low > 1 else 0.0)
                if long > reach_m or long >= best[other]:
                    continue
                if best[other] == np.inf:
                    touched[known] = other
                    known += 1
                best[other], prior[other] = long, origin
                if not waits[other]:
                    waits[other], line[end] = True, other
                    end = (end + 1) % (arcs + 1)
            if begin == end:
                break
            at = line[begin]
            begin = (begin + 1) % (arcs + 1)
            waits[at], gone, origin = False, best[at] + length_m[at // 2], at
        if first[source] + known > size:
            more = size + known
            to, before = np.append(to, np.empty(more, np.int64)), np.append(before, np.empty(more, np.int64))
            far, size = np.append(far, np.empty(more, np.float64)), size + more
        for other in np.sort(touched[:known]):
            to[row], far[row], before[row] = other, best[other], prior[other]
            best[other], prior[other] = np.inf, -1
            row += 1
        first[source + 1] = row
    return Ways(first, to[:row].copy(), far[:row].copy(), before[:row].copy())


@compiled
def near(ground: Ground, x: float, y: float, reach_m: float, found: Int64s, apart: Floats, at: Floats) -> int:
    """The arcs within `reach_m` of a place, the nearest first, `_ARCS` at most: into `found`, with how far each is and
    how far along its line the nearest place lies; returns how many."""
    column, row = int((x - ground.corner[0]) // ground.cell_m), int((y - ground.corner[1]) // ground.cell_m)
    if not (0 <= column < ground.columns and 0 <= row < ground.rows):
        return 0
    cell = row * ground.columns + column
    count = 0
    for k in range(ground.first[cell], ground.first[cell + 1]):
        n = ground.inside[k]
        square, share = _apart(ground.a, ground.b, n, x, y)
        far = np.sqrt(square)
        if far > reach_m:
            continue
        slot = count
        for known in range(count):
            if found[known] == ground.arc[n]:
                slot = known
                break
        if slot == count:
            if count == len(found):
                continue
            count += 1
        elif far >= apart[slot]:
            continue
        long = np.hypot(ground.b[n, 0] - ground.a[n, 0], ground.b[n, 1] - ground.a[n, 1])
        found[slot], apart[slot], at[slot] = ground.arc[n], far, ground.along[n] + share * long
    # The nearest first: they are few, so each is put in its place.
    for n in range(1, count):
        arc, far, place = found[n], apart[n], at[n]
        k = n - 1
        while k >= 0 and apart[k] > far:
            found[k + 1], apart[k + 1], at[k + 1] = found[k], apart[k], at[k]
            k -= 1
        found[k + 1], apart[k + 1], at[k + 1] = arc, far, place
    return min(count, _ARCS)


@compiled
def way_m(ways: Ways, one: int, other: int) -> float:
    """From the end of a directed arc to the beginning of another; infinite where that is too far."""
    low, high = ways.first[one], ways.first[one + 1]
    end = high
    while low < high:
        middle = (low + high) // 2
        if ways.to[middle] < other:
            low = middle + 1
        else:
            high = middle
    if low < end and ways.to[low] == other:
        return float(ways.far_m[low])
    return float(np.inf)


@compiled
def _seen(
    ground: Ground, length_m: Floats, allowed: Mask, spots: Floats, sigma_m: float, reach_m: float
) -> tuple[Int64s, Int64s, Floats, Floats]:
    """Of each place: how many directed arcs it may be on, which, how far along each, and how likely each is by its
    distance alone."""
    count = np.zeros(len(spots), np.int64)
    state = np.zeros((len(spots), _STATES), np.int64)
    gone_m, chance = np.zeros((len(spots), _STATES)), np.zeros((len(spots), _STATES))
    found, apart, at = np.zeros(_FOUND, np.int64), np.zeros(_FOUND), np.zeros(_FOUND)
    for n in range(len(spots)):
        filled = 0
        for k in range(near(ground, spots[n, 0], spots[n, 1], reach_m, found, apart, at)):
            less = (apart[k] * apart[k] - apart[0] * apart[0]) / (2.0 * sigma_m * sigma_m)
            if less > _HARDLY:
                break
            for against in range(2):
                directed = 2 * found[k] + against
                if allowed[directed]:
                    state[n, filled] = directed
                    gone_m[n, filled] = length_m[found[k]] - at[k] if against else at[k]
                    chance[n, filled] = np.exp(-less)
                    filled += 1
        count[n] = filled
    return count, state, gone_m, chance


@compiled
def _move(
    ways: Ways, length_m: Floats, one: int, gone_m: float, other: int, then_m: float, straight_m: float, most_m: float,
    sigma_m: float, detour_m: float,
) -> float:  # fmt: skip
    """How likely it is to go from a place on one directed arc to a place on another, as `matching` says."""
    back = 0.0
    if other == one:
        way = then_m - gone_m
        if way < 0.0:
            # Nobody drives backwards: noise lay along the street, at both places.
            back, way = way * way / (4.0 * sigma_m * sigma_m), 0.0
    else:
        way = length_m[one // 2] - gone_m + way_m(ways, one, other) + then_m
    if way > most_m:
        return 0.0
    return float(np.exp(-max(way - straight_m, 0.0) / detour_m - back))


@compiled
def likeliest(
    ground: Ground, ways: Ways, length_m: Floats, allowed: Mask, spots: Floats, at_s: Floats, sigma_m: float,
    detour_m: float, reach_m: float, speed_max: float,
) -> tuple[Int64s, Floats, Floats]:  # fmt: skip
    """Of each place of a trail: its likeliest directed arc, given the whole trail; how far along the arc it is;
    and how likely that arc is. -1, 0 and 0 where no arc is near."""
    count, state, gone_m, chance = _seen(ground, length_m, allowed, spots, sigma_m, reach_m)
    places = len(spots)
    # Forward: how likely each state is, given the places up to it. moves: from each of the place before to each.
    moves, forward = np.zeros((places, _STATES, _STATES)), np.zeros((places, _STATES))
    joined = np.zeros(places, np.bool_)
    before = -1
    for n in range(places):
        if count[n] == 0:
            continue
        total = 0.0
        if before >= 0:
            straight = np.hypot(spots[n, 0] - spots[before, 0], spots[n, 1] - spots[before, 1])
            most = speed_max * (at_s[n] - at_s[before]) + 4.0 * sigma_m
            for j in range(count[n]):
                mass = 0.0
                for i in range(count[before]):
                    moves[n, i, j] = _move(
                        ways, length_m, state[before, i], gone_m[before, i], state[n, j], gone_m[n, j], straight, most,
                        sigma_m, detour_m,
                    )  # fmt: skip
                    mass += forward[before, i] * moves[n, i, j]
                forward[n, j] = mass * chance[n, j]
                total += forward[n, j]
        joined[n] = total > _NO_MORE
        if not joined[n]:
            # Nothing leads here from where it was: the trail begins anew.
            total = chance[n, : count[n]].sum()
            forward[n, : count[n]] = chance[n, : count[n]]
        forward[n, : count[n]] /= total
        before = n
    # Backward: how likely what comes after is, from each state.
    best, along_m, sure = np.full(places, -1), np.zeros(places), np.zeros(places)
    later, own = np.ones(_STATES), np.ones(_STATES)
    after = -1
    for n in range(places - 1, -1, -1):
        if count[n] == 0:
            continue
        for i in range(count[n]):
            own[i] = 1.0
            if after >= 0 and joined[after]:
                own[i] = 0.0
                for j in range(count[after]):
                    own[i] += moves[after, i, j] * chance[after, j] * later[j]
        most = own[: count[n]].sum()
        for i in range(count[n]):
            later[i] = own[i] / most
        total, most, i = 0.0, -1.0, 0
        while i < count[n]:
            # Both ways along an arc stand side by side: the arc is chosen first, and then the way.
            one, two = forward[n, i] * later[i], 0.0
            pair = i + 1 < count[n] and state[n, i + 1] // 2 == state[n, i] // 2
            if pair:
                two = forward[n, i + 1] * later[i + 1]
            total += one + two
            if one + two > most:
                most, best[n] = one + two, state[n, i + 1 if two > one else i]
                along_m[n] = gone_m[n, i] if state[n, i] % 2 == 0 else length_m[state[n, i] // 2] - gone_m[n, i]
            i += 2 if pair else 1
        sure[n] = most / total
        after = n
    return best, along_m, sure


@compiled
def likeliest_each(
    ground: Ground, ways: Ways, length_m: Floats, allowed: Mask, spots: Floats, at_s: Floats, first: Int64s,
    sigma_m: float, detour_m: float, reach_m: float, speed_max: float,
) -> tuple[Int64s, Floats]:  # fmt: skip
    """The same of trails that stand one after the other, without how likely. first: of each trail, its first place; one
    more at the end."""
    best, along_m = np.full(len(spots), -1), np.zeros(len(spots))
    for n in range(len(first) - 1):
        low, high = first[n], first[n + 1]
        best[low:high], along_m[low:high], _ = likeliest(
            ground, ways, length_m, allowed, spots[low:high], at_s[low:high], sigma_m, detour_m, reach_m, speed_max
        )
    return best, along_m


@compiled
def _row_of(ways: Ways, one: int, other: int) -> int:
    """Where the way from a directed arc to another stands; -1 where there is none."""
    row = ways.first[one] + np.searchsorted(ways.to[ways.first[one] : ways.first[one + 1]], other)
    return int(row) if row < ways.first[one + 1] and ways.to[row] == other else -1


@compiled
def driven(
    ways: Ways, length_m: Floats, directed: Int64s, along_m: Floats, wanted: Mask
) -> tuple[Int64s, Int64s, Floats, Floats]:
    """The stretches that lie between each wanted position and the one before it, by the shortest way: the row of the
    position, the directed arc, and from where to where on the arc's line. None where no way is known."""
    row, arc = np.empty(0, np.int64), np.empty(0, np.int64)
    from_m, to_m = np.empty(0), np.empty(0)
    # Once to count, once to fill.
    for filling in range(2):
        count = 0
        for n in range(1, len(directed)):
            one, other = directed[n - 1], directed[n]
            if not wanted[n] or one < 0 or other < 0:
                continue
            if one == other:
                if filling:
                    row[count], arc[count] = n, other
                    from_m[count], to_m[count] = min(along_m[n - 1], along_m[n]), max(along_m[n - 1], along_m[n])
                count += 1
                continue
            at = _row_of(ways, one, other)
            if at < 0:
                continue
            if filling:
                long = length_m[one // 2]
                row[count : count + 2], arc[count], arc[count + 1] = n, one, other
                from_m[count], to_m[count] = (along_m[n - 1], long) if one % 2 == 0 else (0.0, along_m[n - 1])
                long = length_m[other // 2]
                from_m[count + 1], to_m[count + 1] = (0.0, along_m[n]) if other % 2 == 0 else (along_m[n], long)
            count += 2
            while ways.before[at] >= 0:
                between = ways.before[at]
                if filling:
                    row[count], arc[count], from_m[count], to_m[count] = n, between, 0.0, length_m[between // 2]
                count += 1
                at = _row_of(ways, one, between)
        if not filling:
            row, arc = np.empty(count, np.int64), np.empty(count, np.int64)
            from_m, to_m = np.empty(count), np.empty(count)
    return row, arc, from_m, to_m
