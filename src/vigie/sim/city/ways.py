"""Quiet ways: streets of houses that few pass at night, with a motion sensor on each of their stretches."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from vigie.core.arrays import ints
from vigie.sim.city.facts import COMMUNES
from vigie.sim.city.frame import Floats, Ints
from vigie.sim.city.lighting import Lighting
from vigie.sim.city.network import HALF_WIDTH_M, LOCAL, Network

RESIDENTS_A_WAY = 40_000
"""What a commune's residents are divided by: so many ways it has, and one at least where a street of it is fit."""

_STRETCHES = range(3, 6)
_LONG_M = (180.0, 600.0)


@dataclass(frozen=True, slots=True)
class Ways:
    """Motion sensors in columns, way after way, in the order in which one walks them.

    arc: the stretch that each stands on. way: which way that is of. at_m: how far along it. length_m: of each way.
    """

    xy: Floats
    arc: Ints
    way: Ints
    at_m: Floats
    length_m: Floats


def lay_ways(network: Network, lighting: Lighting, rng: np.random.Generator) -> Ways:
    """The ways of each commune: of a street, all that has its name, so that whoever walks it from end to end passes
    each of its sensors."""
    fit = _fit(network, lighting)
    chosen: dict[int, list[Ints]] = {}
    for row in ints(rng.permutation(len(fit))):
        commune = int(network.commune[fit[row][0]])
        own = chosen.setdefault(commune, [])
        if len(own) < max(1, COMMUNES[commune].population // RESIDENTS_A_WAY):
            own.append(fit[row])
    ways = [arcs for commune in sorted(chosen) for arcs in chosen[commune]]
    arc = np.concatenate(ways)
    middle, going = network.along(arc, network.length_m[arc] / 2)
    beside = np.stack([-going[:, 1], going[:, 0]], -1) * HALF_WIDTH_M[LOCAL]
    end_m = np.concatenate([np.cumsum(network.length_m[arcs]) for arcs in ways])
    return Ways(
        middle + beside,
        arc,
        np.repeat(np.arange(len(ways)), [len(arcs) for arcs in ways]),
        end_m - network.length_m[arc] / 2,
        np.array([network.length_m[arcs].sum() for arcs in ways]),
    )


def _fit(network: Network, lighting: Lighting) -> list[Ints]:
    """The arcs of each street that makes a way, as one walks them: all lit, neither forked nor a ring, and as long as
    one walks."""
    lit = np.bincount(lighting.arc, minlength=len(network)) > 0
    order = np.argsort(network.name_of, kind="stable")
    named = np.split(order, np.flatnonzero(np.diff(network.name_of[order])) + 1)
    found: list[Ints] = []
    for arcs in named:
        if len(arcs) not in _STRETCHES or not (lit[arcs] & (network.rank[arcs] == LOCAL)).all():
            continue
        if _LONG_M[0] <= network.length_m[arcs].sum() <= _LONG_M[1]:
            walked = _walked(network, arcs)
            if len(walked) == len(arcs):
                found.append(walked)
    return found


def _walked(network: Network, arcs: Ints) -> Ints:
    """Some arcs from one of their ends on, as long as each meets the next; none where they are forked or a ring."""
    left = {arc: {int(network.tail[arc]), int(network.head[arc])} for arc in ints(arcs)}
    meets = Counter(node for ends in left.values() for node in ends)
    ends = [node for node, count in meets.items() if count == 1]
    if len(ends) != 2 or max(meets.values()) > 2:
        return np.empty(0, np.int64)
    here, order = min(ends), list[int]()
    while onward := [arc for arc, both in left.items() if here in both]:
        order += onward
        (here,) = left.pop(onward[0]) - {here}
    return np.array(order, np.int64)
