"""Which junctions lie one after the other along a street, as their documents tell of their neighbours; and how a chain
of them is driven: by which signal groups, how far from stop line to stop line, in how many seconds.

At each junction two ways to neighbours are joined if somebody can drive from one to the other without turning off, the
straightest first, and no way twice: so a street comes out that a person would call one (R. C. Thomson and D. E.
Richardson, The 'good continuation' principle of perceptual organization applied to the generalization of road networks,
1999). Bearings are those of the documents; where they lack, that a lane leads through is all that is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from vigie.services.signals.control.site import Approach, Feeder, Site
from vigie.services.signals.junction import Movement, Users

STRAIGHT_DEG_MAX = 60.0
"""Who turns by more has left the street."""

UNKNOWN_DEG = 45.0
"""A way of which nobody knows the bearing is joined after those that are known to go straight on."""

JUNCTIONS_MAX = 8
"""A longer street is told in pieces, each of which begins where the last one ends."""

Chain = tuple[str, ...]
"""Junctions by their names, in the order in which they lie."""


@dataclass(frozen=True, slots=True)
class Leg:
    """From one junction to the next. leaves: lanes of the first that lead there; reaches: approaches of the next, by
    their place. metres, seconds: from stop line to stop line, as a road without a queue is driven."""

    leaves: frozenset[str]
    reaches: frozenset[int]
    metres: float
    seconds: int


@dataclass(frozen=True, slots=True)
class Course:
    """A chain as it is driven in one direction. groups: of each junction in the chain's order, those that let pass who
    drives along; empty where no lane does. legs: from each junction to the next, None where no lane leads there."""

    groups: tuple[frozenset[int], ...]
    legs: tuple[Leg | None, ...]


def chains(sites: Mapping[str, Site]) -> list[Chain]:
    """The chains of two junctions and more, the longest first; sites by the names of their junctions. Each way between
    two neighbours is in one chain, and no junction is twice in the same."""
    beside = _neighbours(sites)
    joined = {name: _joined(name, sites, own) for name, own in beside.items()}
    left = {frozenset((one, other)) for one, own in beside.items() for other in own}
    found: list[Chain] = []
    for one, other in sorted((min(pair), max(pair)) for pair in left):
        if frozenset((one, other)) not in left:
            continue
        ahead = _onward(one, other, joined, left)
        left -= {frozenset(pair) for pair in pairwise(ahead)}
        behind = _onward(other, one, joined, left)
        left -= {frozenset(pair) for pair in pairwise(behind)}
        for chain in _simple((*reversed(behind[2:]), *ahead)):
            found.append(min(chain, chain[::-1]))
    return sorted(found, key=lambda chain: (-len(chain), chain))


def pieces(chain: Chain) -> list[Chain]:
    """A chain in pieces that are short enough to be looked at, of about the same length."""
    count = -(-(len(chain) - 1) // (JUNCTIONS_MAX - 1))
    cuts = [(len(chain) - 1) * at // count for at in range(count + 1)] if count else []
    return [chain[a : b + 1] for a, b in pairwise(cuts)]


def course(sites: Sequence[Site]) -> Course:
    """How these junctions are driven, in the order in which they are given."""
    legs = tuple(leg(one, other) for one, other in pairwise(sites))
    groups = tuple(
        _groups(
            site,
            sites[at - 1] if at else None,
            sites[at + 1] if at + 1 < len(sites) else None,
            legs[at - 1] if at else None,
            legs[at] if at < len(legs) else None,
        )
        for at, site in enumerate(sites)
    )
    return Course(groups, legs)


def leg(one: Site, other: Site) -> Leg | None:
    """From one junction to the next, by the quickest way; None where no lane leads there."""
    own = [each for each in other.feeders if each.neighbour == one.junction.name and each.approaches]
    if not own:
        return None
    best = min(own, key=lambda each: each.travel_s)
    return Leg(
        frozenset(each.lane for each in own),
        frozenset(at for each in own for at in each.approaches),
        _metres(one, other, best),
        best.travel_s,
    )


def _metres(one: Site, other: Site, feeder: Feeder) -> float:
    """How far it is from stop line to stop line: the length of the lane, where the same leads away and there; or else
    what is driven in that time at the speed that is allowed at the end, which is right to half a second of it."""
    reached = [other.approaches[at] for at in feeder.approaches]
    names = {each.lane for each in reached} & {way.exit for each in one.approaches for way in each.ways}
    lengths = [lane.length_m for lane in other.junction.lanes if lane.name in names and lane.length_m > 0]
    return max(lengths) if lengths else feeder.travel_s * max(each.speed_m_s for each in reached)


def _neighbours(sites: Mapping[str, Site]) -> dict[str, list[str]]:
    """With whom each junction has a way, in either direction."""
    found: dict[str, set[str]] = {name: set() for name in sites}
    for name, site in sites.items():
        for each in site.feeders:
            if each.neighbour in sites and each.neighbour != name and each.approaches:
                found[name].add(each.neighbour)
                found[each.neighbour].add(name)
    return {name: sorted(own) for name, own in found.items()}


def _joined(name: str, sites: Mapping[str, Site], beside: Sequence[str]) -> dict[str, str]:
    """Of a junction's neighbours, who is straight on from whom."""
    site = sites[name]
    ranked: list[tuple[float, str, str]] = []
    for one, other in combinations(beside, 2):
        through = sum(
            bool(_lanes(site, leg(sites[a], site), leg(site, sites[b]))) for a, b in ((one, other), (other, one))
        )
        arms = _arm(site, sites[one]), _arm(site, sites[other])
        bends = UNKNOWN_DEG if arms[0] is None or arms[1] is None else 180 - _apart(arms[0], arms[1])
        if through and bends <= STRAIGHT_DEG_MAX:
            ranked.append((bends - through, one, other))
    found: dict[str, str] = {}
    for _, one, other in sorted(ranked):
        if one not in found and other not in found:
            found[one], found[other] = other, one
    return found


def _onward(one: str, other: str, joined: Mapping[str, Mapping[str, str]], left: set[frozenset[str]]) -> Chain:
    """From one junction to another and straight on, as long as there is a way that is in no chain yet."""
    chain = [one, other]
    taken = {frozenset(chain)}
    while (after := joined[chain[-1]].get(chain[-2])) is not None:
        way = frozenset((chain[-1], after))
        if way not in left or way in taken:
            break
        taken.add(way)
        chain.append(after)
    return tuple(chain)


def _simple(chain: Chain) -> Iterator[Chain]:
    """A chain in parts in which no junction comes twice, as where a street goes round."""
    part: list[str] = []
    for name in chain:
        if name in part:
            yield tuple(part)
            part = [part[-1]]
        part.append(name)
    if len(part) > 1:
        yield tuple(part)


def _lanes(site: Site, before: Leg | None, after: Leg | None) -> list[Approach]:
    """The lanes that lead from one neighbour to another; none where one of them is not reached."""
    if before is None or after is None:
        return []
    return [site.approaches[at] for at in sorted(before.reaches) if site.approaches[at].lane in after.leaves]


def _groups(site: Site, one: Site | None, other: Site | None, before: Leg | None, after: Leg | None) -> frozenset[int]:
    """The groups that let pass who comes from one neighbour and goes on to another, of the lane that goes straightest
    and has the fewest; at an end of the chain, of who comes straight, or goes straight on."""
    if (one is not None and before is None) or (other is not None and after is None):
        return frozenset()
    comes = _arm(site, one) if one is not None else _opposite(_arm(site, other) if other else None)
    goes = _arm(site, other) if other is not None else _opposite(comes)
    best: tuple[float, int, list[int]] | None = None
    for at, approach in enumerate(site.approaches):
        if (before is not None and at not in before.reaches) or (
            after is not None and approach.lane not in after.leaves
        ):
            continue
        away, own = _ways(site, approach, comes, goes)
        rank = (away, len(own), sorted(own))
        if own and (best is None or rank < best):
            best = rank
    return frozenset(best[2]) if best else frozenset()


def _ways(site: Site, approach: Approach, comes: float | None, goes: float | None) -> tuple[float, set[int]]:
    """Of a lane, how far from the way that is meant it lies, in degrees, and the groups of that way: of all of them
    where their bearings are not known."""
    own = [each for each in site.junction.movements if each.approach == approach.lane and _drives(site, each)]
    ranked = [
        (_apart(each.leaves_deg, goes), each.group) for each in own if each.leaves_deg is not None and goes is not None
    ]
    if len(ranked) < len(own) or not own:
        return UNKNOWN_DEG, set(approach.groups)
    nearest = min(away for away, _ in ranked)
    came = [each.comes_deg for each in own if each.comes_deg is not None]
    aside = _apart(came[0], comes) if came and comes is not None else 0.0
    return nearest + aside, {group for away, group in ranked if away == nearest}


def _drives(site: Site, movement: Movement) -> bool:
    return site.junction.groups[movement.group].users is not Users.PEDESTRIANS


def _arm(site: Site, neighbour: Site) -> float | None:
    """Where a neighbour lies, in degrees from north as seen from the middle of a junction: where its vehicles come
    from, else where those go that nobody can take for others."""
    movements = site.junction.movements
    came = leg(neighbour, site)
    if came is not None:
        lanes = {site.approaches[at].lane for at in came.reaches}
        degrees = [each.comes_deg for each in movements if each.approach in lanes and each.comes_deg is not None]
        if degrees:
            return degrees[0]
    goes = leg(site, neighbour)
    if goes is None:
        return None
    ends = {neighbour.approaches[at].lane for at in goes.reaches}
    own = [each for each in movements if each.approach in goes.leaves and each.leaves_deg is not None]
    known = [each for each in own if each.exit in ends] or own
    bearings = {each.leaves_deg for each in known}
    return bearings.pop() if len(bearings) == 1 else None


def _opposite(bearing: float | None) -> float | None:
    return None if bearing is None else (bearing + 180) % 360


def _apart(one: float, other: float) -> float:
    """How many degrees lie between two bearings, the short way round."""
    return abs((one - other + 180) % 360 - 180)
