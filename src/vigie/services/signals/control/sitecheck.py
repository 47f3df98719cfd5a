"""Whether what control knows of a junction fits together: nobody steers by a lane or a detector that there is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from vigie.services.signals.completeness import EN_12675, FRANCE, Problem, Rules, problems
from vigie.services.signals.control.site import Site
from vigie.services.signals.junction import PUBLIC_TRANSPORT, Users, clash, conflict_masks, mask, members


def site_problems(site: Site, rules: Rules = FRANCE) -> tuple[Problem, ...]:
    """All that is wrong with a junction and with what control knows of it; where the junction's own parts do not fit
    together, no more than that."""
    found = problems(site.junction, rules)
    groups = range(len(site.junction.groups))
    if any(problem.code in {"no_groups", "matrix_shape", "unknown_group"} for problem in found):
        return found
    lost = tuple(_unknown(site, len(groups)))
    return (*found, *lost, *(() if lost else (*_inside(site), *_buttons(site), *_calls(site), *_plan(site))))


def _unknown(site: Site, groups: int) -> Iterator[Problem]:
    """Names and places of what there is not."""
    junction = site.junction
    lanes, detectors = {lane.name for lane in junction.lanes}, len(junction.detectors)
    named: list[tuple[str, str, frozenset[int]]] = [("plan_unknown_group", "", step.greens) for step in site.plan.steps]
    named += [("gives_way_unknown_group", "", yielding) for yielding in site.gives_way]
    laid: list[tuple[str, int | None]] = [(lane, place) for lane, place in site.exits.items()]
    laid += [(f"{group + 1}", place) for group, places in enumerate(site.buttons) for place in places]
    laid += [(f"{each.group + 1}", place) for each in site.calls for place in each.places]
    named += [("unknown_group", "", frozenset({each.group})) for each in site.calls]
    led = [("exit_unknown_lane", "", lane) for lane in site.exits]
    for each in site.approaches:
        named.append(("unknown_group", each.lane, each.groups))
        named += [("unknown_group", each.lane, way.over) for way in each.ways]
        laid += [(each.lane, place) for place in (each.stop, each.upstream, each.entry)]
        laid += [(each.lane, area.detector) for area in each.areas]
        laid += [(each.lane, place) for way in each.ways for place in way.inside]
        led += [
            ("approach_unknown_lane", "", each.lane),
            *(("leads_nowhere", each.lane, way.exit) for way in each.ways),
        ]
    # People count from 1, as the page of a junction does.
    for code, where, greens in named:
        lost = [group for group in greens if group >= groups]
        if lost:
            yield Problem(code, True, detail=_at(where) | {"group": min(lost) + 1})
    for where, place in laid:
        if place is not None and place >= detectors:
            yield Problem("unknown_detector", True, detail={"where": where, "detector": place + 1})
    for code, where, lane in led:
        if lane not in lanes:
            yield Problem(code, True, detail=_at(where) | {"lane": lane})
    for name, times in Counter(each.lane for each in site.approaches).items():
        if times > 1:
            yield Problem("name_twice", True, detail={"name": name})
    if (site.gives_way and len(site.gives_way) != groups) or len(site.buttons) not in (0, groups):
        yield Problem("matrix_shape", True, detail={"count": groups})
    for feeder in site.feeders:
        if any(approach >= len(site.approaches) for approach in feeder.approaches):
            yield Problem("unknown_approach", True, detail={"neighbour": feeder.neighbour, "lane": feeder.lane})


def _at(where: str) -> dict[str, str | int]:
    return {"where": where} if where else {}


def _buttons(site: Site) -> Iterator[Problem]:
    """What would be taken for somebody who waits to walk and is none."""
    driven = _driven(site)
    for group, places in enumerate(site.buttons):
        if places and site.junction.groups[group].users is not Users.PEDESTRIANS:
            yield Problem("button_of_drivers", True, (group,))
        for place in places:
            if place in driven:
                yield Problem("button_of_traffic", True, (group,), detail={"detector": place + 1})


def _driven(site: Site) -> frozenset[int]:
    """The detectors that count vehicles."""
    driven = set(site.exits.values())
    for each in site.approaches:
        driven.update(place for place in (each.stop, each.upstream, each.entry) if place is not None)
        driven.update(area.detector for area in each.areas)
        driven.update(place for way in each.ways for place in way.inside)
    return frozenset(driven)


def _inside(site: Site) -> Iterator[Problem]:
    """What cannot count who is inside: a loop tells who passes, not who stands."""
    for place in sorted({place for each in site.approaches for way in each.ways for place in way.inside}):
        if not site.junction.detectors[place].length_m:
            yield Problem("inside_is_loop", True, detail={"detector": place + 1})


def _calls(site: Site) -> Iterator[Problem]:
    """What would be taken for a tram or a bus and is none, and who could never be seen to have left."""
    pressed = {place for places in site.buttons for place in places}
    others = _driven(site) | pressed
    told = Counter(place for each in site.calls for place in each.places)
    for each in site.calls:
        if site.junction.groups[each.group].users not in PUBLIC_TRANSPORT:
            yield Problem("call_of_others", True, (each.group,))
        for place in each.places:
            if place in others or told[place] > 1:
                yield Problem("call_shared", True, (each.group,), detail={"detector": place + 1})
        if each.approach is None and each.request is None:
            yield Problem("call_unasked", False, (each.group,))
        if each.line is None and each.clear is None:
            yield Problem("call_endless", False, (each.group,))


def _plan(site: Site) -> Iterator[Problem]:
    """What a plan that the junction goes back to may not be."""
    if not site.plan.cycle_s:
        yield Problem("plan_empty", True)
    conflicts = conflict_masks(site.junction)
    fighting = {found for step in site.plan.steps if (found := clash(conflicts, mask(step.greens)))}
    for bits in sorted(fighting):
        yield Problem("plan_conflict", True, members(bits), EN_12675)
