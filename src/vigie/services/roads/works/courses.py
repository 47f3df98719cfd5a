"""Which lines of buses and trams run along which streets: found from how both are drawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vigie.core.ground import metres
from vigie.core.observations import Floats, Int64s
from vigie.services.roads.works.clashes import AGAINST, ALONG, Course

APART_M = 15.0
"""A line that runs along a street is drawn no farther from it."""

PARALLEL = float(np.cos(np.radians(30.0)))

LEAST_M, LEAST_SHARE = 30.0, 0.4
"""It runs along it for so many metres, or for such a share of it: what crosses it does not."""

STEP_M = 5.0

BOTH_SHARE = 0.2
"""A line is driven in a way of travel in which such a share of it along the street is drawn."""


@dataclass(frozen=True)
class Drawing:
    """Lines as they are drawn: of each its first corner, one more at the end; longitude and latitude of each corner, in
    degrees."""

    start: Int64s
    lon: Floats
    lat: Floats


@dataclass(frozen=True)
class _Samples:
    """Places along lines: of which, how far along, where, and which way it leads there."""

    line: Int64s
    at_m: Floats
    spot: Floats
    way: Floats


def courses(
    streets: Sequence[str], drawn: Drawing, lines: Sequence[tuple[str, str]], lines_drawn: Drawing
) -> dict[str, list[Course]]:
    """The lines that run along each street. streets: their ids; lines: what each is called, and its mode."""
    if not len(drawn.lon) or not len(lines_drawn.lon):
        return {}
    middle = float(drawn.lat.mean())
    ours, theirs = _samples(drawn, middle), _samples(lines_drawn, middle)
    length_m = np.bincount(ours.line, minlength=len(streets)) * STEP_M
    street, line = _pairs(ours, theirs)
    off = theirs.spot[line] - ours.spot[street]
    along = np.einsum("ij,ij->i", off, ours.way[street])
    across_m = np.abs(off[:, 0] * ours.way[street][:, 1] - off[:, 1] * ours.way[street][:, 0])
    same = np.einsum("ij,ij->i", theirs.way[line], ours.way[street])
    # Of the places of a street one is next to each place of the line; its neighbours are not.
    near = (np.abs(along) <= STEP_M / 2) & (across_m <= APART_M) & (np.abs(same) >= PARALLEL)
    street, line, same = street[near], line[near], same[near]
    if not len(street):
        return {}
    found: dict[str, list[Course]] = defaultdict(list)
    key = ours.line[street] * len(lines) + theirs.line[line]
    order = np.argsort(key, kind="stable")
    key, street, same = key[order], street[order], same[order]
    firsts = np.flatnonzero(np.append(True, np.diff(key) != 0))
    for first, last in zip(firsts.tolist(), [*firsts[1:].tolist(), len(key)], strict=True):
        own, (row, other) = np.unique(street[first:last]), divmod(int(key[first]), len(lines))
        if len(own) * STEP_M < min(LEAST_M, LEAST_SHARE * float(length_m[row])):
            continue
        share = float((same[first:last] > 0).mean())
        ways = (ALONG if share >= BOTH_SHARE else 0) | (AGAINST if share <= 1 - BOTH_SHARE else 0)
        name, mode = lines[other]
        at_m = ours.at_m[own]
        found[streets[row]].append(
            Course(name, mode, ways, float(at_m.min()) - STEP_M / 2, float(at_m.max()) + STEP_M / 2)
        )
    return found


def _samples(drawn: Drawing, middle_lat: float) -> _Samples:
    """A place for each `STEP_M` of each line."""
    corners = metres(drawn.lon, drawn.lat, middle_lat=middle_lat)
    line = np.repeat(np.arange(len(drawn.start) - 1), np.diff(drawn.start))
    inner = np.flatnonzero(np.diff(line) == 0)
    a, b = corners[inner], corners[inner + 1]
    long = np.hypot(*(b - a).T)
    inner, a, b, long = inner[long > 0], a[long > 0], b[long > 0], long[long > 0]
    own = line[inner]
    gone = np.cumsum(long) - long
    begins = np.zeros(len(drawn.start) - 1)
    firsts = np.flatnonzero(np.append(True, np.diff(own) != 0)) if len(own) else np.empty(0, np.int64)
    begins[own[firsts]] = gone[firsts]
    at_m = gone - begins[own]
    # Places lie at odd halves of a step from the line's beginning, whatever corners it has.
    low, high = np.ceil(at_m / STEP_M - 0.5), np.ceil((at_m + long) / STEP_M - 0.5)
    many = np.maximum(high - low, 0).astype(np.int64)
    piece = np.repeat(np.arange(len(own)), many)
    nth = np.arange(len(piece)) - np.repeat(np.cumsum(many) - many, many)
    spot_m = (low[piece] + nth + 0.5) * STEP_M
    way = (b - a) / long[:, None]
    return _Samples(own[piece], spot_m, a[piece] + way[piece] * (spot_m - at_m[piece])[:, None], way[piece])


def _pairs(ours: _Samples, theirs: _Samples) -> tuple[Int64s, Int64s]:
    """The pairs of places that lie in the same cell of a grid, or in cells that touch."""
    cell_m = APART_M + STEP_M
    corner = np.minimum(ours.spot.min(0), theirs.spot.min(0)) if len(ours.spot) and len(theirs.spot) else np.zeros(2)
    ours_cell, theirs_cell = (((each.spot - corner) // cell_m).astype(np.int64) + 1 for each in (ours, theirs))
    rows = 1 << 32
    keys = ours_cell[:, 0] * rows + ours_cell[:, 1]
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    found = list[tuple[Int64s, Int64s]]()
    for east in (-1, 0, 1):
        for north in (-1, 0, 1):
            wanted = (theirs_cell[:, 0] + east) * rows + theirs_cell[:, 1] + north
            first, last = np.searchsorted(keys, wanted), np.searchsorted(keys, wanted, "right")
            many = last - first
            line = np.repeat(np.arange(len(wanted)), many)
            nth = np.arange(len(line)) - np.repeat(np.cumsum(many) - many, many)
            found.append((order[first[line] + nth], line))
    return np.concatenate([each for each, _ in found]), np.concatenate([each for _, each in found])
