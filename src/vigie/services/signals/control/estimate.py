"""What is on the lanes and what is to come, from counts: nobody is followed, and a dead detector is made up for.

Three sources, the first that speaks: an area on the lane; loops at its entry and stop line, as in less out; what
neighbours released and what came before, against what a green lane discharges.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from vigie.core.compiled import compiled
from vigie.services.signals.control.layout import SATURATION_S, Bools, Floats, Ints, Records, Roads
from vigie.services.signals.control.site import OCCUPIED, UNKNOWN

AHEAD_S = 80
"""How far ahead arrivals are kept; who comes later is not foreseen."""

SMOOTHED_S = 120
"""Time constant of a lane's mean inflow."""

SILENT_S = 3
"""Where nobody has passed the loop at the stop line or stood on it for so long nobody waits, whatever was reckoned to
be on the lane; if nobody can stand on that loop, only during green."""

COMPARED_S = 600
PART_MAX = 3.0
"""The loops at a lane's entry and at its stop line are compared over such a time; for each vehicle that the first
counts no more than so many are supposed to come."""

SLOWED_S = 4
"""Whoever drives up to a red light takes so much longer than one who drives through."""

STANDS_S = 3
"""Whoever is on the entry's loop for so long stands there, at the end of a queue."""

HEARD = 0.5
"""A lane is seen if so much of its areas' length says anything."""

QUEUED = 1.5
"""Whoever stands at a stop line is taken for as many vehicles."""

FULL = 0.85
"""An area that holds so much of what it has room for may hide a queue behind it."""

HIDDEN_MAX = 20.0
"""No more vehicles than this are supposed behind an area."""

LEAST_SHARE = 1e-4
"""A lane's share of what neighbours announce, where it had nothing before."""


LANE = np.dtype(
    [
        *((name, np.float64) for name in ("present", "standing", "passed", "inflow_s", "foreseen_s", "share")),
        *((name, np.float64) for name in ("reckoned", "hidden", "on", "heard", "in_s", "out_s")),
        *((name, np.int64) for name in ("reached_s", "silent_s")),
    ]
)
"""What is on a lane. present: vehicles as far as is seen. standing: those that stand, and hidden ones. passed: who
passed the stop line in the last second. inflow_s: mean vehicles a second; foreseen_s: those of them that neighbours
announced. share: of what neighbours announce, by comparison. reckoned: in less out; in_s, out_s: what the two loops
count a second, long smoothed. hidden: vehicles behind a full area. on: vehicles on its areas; heard: the part of their
length that says so. reached_s, silent_s: for how long somebody stands on the entry's loop, and nobody passed a green
stop line."""


class Traffic(NamedTuple):
    """What is on all lanes, records as above, and on the way to them. clock: seconds so far, in one number. young: who
    came onto the area, (lane, second), and coming, who will: both rings, by the clock."""

    clock: Ints
    lanes: Records
    young: Floats
    coming: Floats


def nothing_known(roads: Roads) -> Traffic:
    """What is supposed before the first second."""
    lanes: Records = np.zeros(len(roads.lanes), LANE)
    lanes["inflow_s"], lanes["share"] = 0.02, 0.1
    lanes["in_s"] = lanes["out_s"] = 0.05
    longest_s = int(roads.lanes["travel_s"].max(initial=1)) + SLOWED_S
    return Traffic(np.zeros(1, np.int64), lanes, np.zeros((len(lanes), longest_s)), np.zeros((len(lanes), AHEAD_S)))


@compiled
def see(roads: Roads, traffic: Traffic, counts: Ints, green: Bools) -> None:
    """Takes in a second. counts: of all junctions in a row. green: lanes of which somebody may go."""
    clock = traffic.clock[0] = traffic.clock[0] + 1
    _areas(roads.areas, roads.lanes, traffic.lanes, counts)
    for junction in range(len(roads.lane_count)):
        own = range(junction * roads.width, junction * roads.width + roads.lane_count[junction])
        usual_s = _usual_s(traffic.lanes, own)
        for at in own:
            lane, road = traffic.lanes[at], roads.lanes[at]
            out, up = _count(counts, road["stop"]), _count(counts, road["entry"])
            foreseen = traffic.coming[at, clock % AHEAD_S]
            traffic.coming[at, clock % AHEAD_S] = 0.0
            driving = 0.0
            for age_s in range(1, min(road["travel_s"] + SLOWED_S, traffic.young.shape[1])):
                driving += traffic.young[at, (clock - age_s) % traffic.young.shape[1]]
            entered = _pass(lane, road, out, up, foreseen, usual_s, green[at], driving)
            traffic.young[at, clock % traffic.young.shape[1]] = entered
            lane["standing"] = lane["hidden"] + _standing(lane["present"], traffic.young[at], clock, road["travel_s"])
    _announce(roads.feeds, traffic.lanes, traffic.coming, clock)


@compiled
def _count(counts: Ints, at: int) -> int:
    return counts[at] if at >= 0 else UNKNOWN


@compiled
def _areas(areas: Records, roads: Records, lanes: Records, counts: Ints) -> None:
    """Of several areas of a lane the living ones stand for the dead."""
    for at in range(len(lanes)):
        lanes[at]["on"] = lanes[at]["heard"] = 0.0
    for at in range(len(areas)):
        area = areas[at]
        if counts[area["at"]] >= 0:
            lanes[area["lane"]]["on"] += counts[area["at"]] * area["share"]
            lanes[area["lane"]]["heard"] += area["area_m"]
    for at in range(len(lanes)):
        if lanes[at]["heard"] > 0:
            lanes[at]["heard"] /= roads[at]["area_m"]


@compiled
def _usual_s(lanes: Records, own: range) -> float:
    """The mean inflow of those of a junction's lanes that are seen. A lane that nobody sees is taken for one of them at
    least: little green lets little out, and by that alone it would be forgotten."""
    total, seen = 0.0, 0
    for at in own:
        if lanes[at]["heard"] >= HEARD:
            total += lanes[at]["inflow_s"]
            seen += 1
    return total / max(seen, 1)


@compiled
def _pass(
    lane: Any, road: Any, out: int, up: int, foreseen: float, usual_s: float, green: bool, driving: float
) -> float:
    """A second goes by on a lane; who came onto it."""
    # Where some of a lane's areas are dead, whoever stands on those is not seen: its loops know more.
    silent = lane["heard"] < HEARD or (lane["heard"] < 1 and (out != UNKNOWN or up != UNKNOWN))
    inflow_s, before = lane["inflow_s"], lane["present"]
    mean_s = inflow_s if out != UNKNOWN else max(inflow_s, usual_s)
    unannounced_s = max(mean_s - lane["foreseen_s"], 0.0)
    came = foreseen + unannounced_s
    if up != UNKNOWN:
        came = max(up, 0.0)
        if out != UNKNOWN:
            # A loop that serves several lanes, or before which drivers still change lanes, counts for each its part.
            lane["in_s"] += (came - lane["in_s"]) / COMPARED_S
            lane["out_s"] += (max(out, 0.0) - lane["out_s"]) / COMPARED_S
            came *= min(lane["out_s"] / lane["in_s"], PART_MAX)
    went = max(out, 0.0)
    if out == UNKNOWN and green:
        went = min(lane["reckoned"], SATURATION_S)
    lane["silent_s"] = lane["silent_s"] + 1 if out == 0 and (green or road["holds"]) else 0
    lane["reached_s"] = lane["reached_s"] + 1 if up == OCCUPIED else 0
    present = max(lane["reckoned"] + came - went, 0.0)
    if lane["silent_s"] >= SILENT_S:
        # Whoever stands does so on the loop at the line: all others are elsewhere, whatever in less out says.
        present = min(present, came + driving)
    elif out == OCCUPIED:
        present = max(present, QUEUED)
    if lane["reached_s"] >= STANDS_S and (lane["silent_s"] < SILENT_S):
        # From the upper loop a queue reaches to the line.
        present = max(present, road["entry_room"]) + inflow_s
    present = max(present, lane["on"]) if silent else lane["on"] / lane["heard"]
    passed = max(out, 0.0) if out != UNKNOWN else max(before - present, 0.0)
    entered = came if silent else max(present - before + passed, 0.0)
    lane["hidden"] = _hidden(lane["hidden"], present, road["room"], inflow_s, entered, silent)
    lane["present"] = lane["reckoned"] = present
    lane["passed"] = passed
    # Of a lane that nobody sees, what goes out is what came in.
    came_in = passed if silent and up == UNKNOWN and out != UNKNOWN else entered
    lane["inflow_s"] += (came_in - inflow_s) / SMOOTHED_S
    lane["foreseen_s"] += (foreseen - lane["foreseen_s"]) / SMOOTHED_S
    lane["share"] += (entered - lane["share"]) / (5 * SMOOTHED_S)
    return entered


@compiled
def _hidden(hidden: float, present: float, room: float, inflow_s: float, entered: float, silent: bool) -> float:
    """Behind a full area a queue grows as the lane's traffic comes, and who enters comes out of it."""
    if present < FULL * room / 2:
        return 0.0
    full = not silent and present >= FULL * room
    return min(max(hidden + (inflow_s if full else 0.0) - entered, 0.0), HIDDEN_MAX) if full or hidden > 0 else 0.0


@compiled
def _standing(present: float, young: Floats, clock: int, travel_s: int) -> float:
    """Who is on a lane, without those who came onto it so recently that they still drive up."""
    for age_s in range(travel_s):
        present -= min(young[(clock - age_s) % len(young)], present)
    return present


@compiled
def _announce(feeds: Records, lanes: Records, coming: Floats, clock: int) -> None:
    """Who left a neighbour is on the way here; which lane it will take goes by what each lane had before."""
    of_all = np.zeros(len(feeds))
    for at in range(len(feeds)):
        feed = feeds[at]
        if lanes[feed["source"]]["passed"] > 0:
            of_all[feed["group"]] += max(lanes[feed["lane"]]["share"], LEAST_SHARE)
    for at in range(len(feeds)):
        feed = feeds[at]
        left = lanes[feed["source"]]["passed"]
        if left > 0:
            part = max(lanes[feed["lane"]]["share"], LEAST_SHARE) / of_all[feed["group"]]
            after_s = min(feed["after_s"] + 2, AHEAD_S - 1)
            coming[feed["lane"], (clock + 1 + after_s) % AHEAD_S] += left * feed["share"] * part


@compiled
def ahead(roads: Roads, traffic: Traffic, counts: Ints, free: Bools, step_s: int, steps: int) -> tuple[Floats, Floats]:
    """Of the lanes of some junctions: who arrives at the stop line in each of the next steps, (junction, step, lane),
    and the part of its ways whose exits are full of vehicles, (junction, lane)."""
    width, clock = roads.width, traffic.clock[0]
    arrivals = np.zeros((len(free), steps, width))
    for junction in range(len(free)):
        for at in range(roads.lane_count[junction] if free[junction] else 0):
            row = junction * width + at
            lane, travel_s, near_s = traffic.lanes[row], roads.lanes[row]["travel_s"], roads.lanes[row]["near_s"]
            driving = lane["present"]
            for age_s in range(travel_s):
                each = min(traffic.young[row, (clock - age_s) % traffic.young.shape[1]], driving)
                driving -= each
                arrivals[junction, min((travel_s - age_s - 1) // step_s, steps - 1), at] += each
            # What no neighbour announces comes evenly, and what one will announce comes as it came before.
            announced_s = min(lane["foreseen_s"], lane["inflow_s"])
            for second in range(travel_s, steps * step_s):
                comes = traffic.coming[row, (clock + 1 + second) % AHEAD_S]
                comes += lane["inflow_s"] if second >= near_s else lane["inflow_s"] - announced_s
                arrivals[junction, second // step_s, at] += comes
    blocked = np.zeros((len(free), width))
    for at in range(len(roads.exits)):
        way = roads.exits[at]
        if counts[way["at"]] >= np.floor(way["room"]):
            blocked[way["lane"] // width, way["lane"] % width] += way["share"]
    return arrivals, blocked
