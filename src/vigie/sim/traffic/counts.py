"""Counts of a real day: read from a table, and brought to the roads and turns of a network that they are about."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from itertools import pairwise
from math import isfinite
from pathlib import Path
from statistics import fmean

import numpy as np

from vigie.services.signals.flow.usual import Day, kinds_of
from vigie.sim.traffic.netfile import Network
from vigie.sim.traffic.xml import XmlWrong, parsed

BYTES_MAX = 64 << 20
HOUR_S, DAY_S = 3_600, 86_400

ENDS_S_MAX = 2 * DAY_S
"""No count ends later in a scenario: a day, and the night behind it."""

LANE_S_MAX = 1.0
"""So many vehicles a second no lane lets pass: two of them are more than a second apart."""

TURNS_M = 60.0
"""A loop further than this before the stop line does not tell turns: lanes are still changed behind it."""

BEFORE_LINE_M = 2.5
"""Where a lane is counted of which nothing but its name is said: at the stop line, as loops of ours lie."""

_EPOCH = date(1970, 1, 1).toordinal()
_CLOCK = re.compile(r"([0-9]{1,2}):([0-5][0-9])(?::([0-5][0-9]))?")
_LOOPS = ("inductionLoop", "e1Detector")


class CountsWrong(ValueError):
    """A table of counts that cannot be taken in. The text says which line, and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many vehicles passed a place in a time: of several days, their mean. Seconds are the scenario's."""

    place: str
    begin_s: int
    end_s: int
    vehicles: float


@dataclass(frozen=True, slots=True)
class Spot:
    """Where on a lane is counted, in metres from its start."""

    lane: str
    at_m: float


@dataclass(frozen=True, slots=True)
class Target:
    """So many vehicles shall drive on a road, or from it into another, in a time. places: whose counts these are.
    spots: where they are counted, each vehicle at one of them."""

    road: str
    to: str
    begin_s: int
    end_s: int
    vehicles: float
    places: tuple[str, ...]
    spots: tuple[Spot, ...]

    @property
    def name(self) -> str:
        """The road, or the turn."""
        return f"{self.road} > {self.to}" if self.to else self.road

    @property
    def hours(self) -> float:
        """How long was counted."""
        return (self.end_s - self.begin_s) / HOUR_S


class Passing:
    """Which of some targets a way passes: looked up road by road, since there are many of both."""

    def __init__(self, targets: Iterable[Target]) -> None:
        self._at: dict[tuple[str, str], list[int]] = defaultdict(list)
        for at, each in enumerate(targets):
            self._at[each.road, each.to].append(at)

    def __call__(self, roads: Sequence[str]) -> list[int]:
        """The places in their order of the targets that a way along these roads passes, each once."""
        keys = dict.fromkeys([*((road, "") for road in roads), *pairwise(roads)])
        return [at for key in keys for at in self._at.get(key, ())]


def read_counts(path: Path, zone: tzinfo) -> list[Count]:
    """Reads a CSV with the columns place, from, to, and vehicles or flow_h. zone: whose clock it is by which the
    scenario's seconds run from midnight; for instants alone. Raises CountsWrong and OSError."""
    return _means((count for count, _ in _rows(path, zone)), path)


def read_days(path: Path, zone: tzinfo) -> dict[Day | None, list[Count]]:
    """The same table, each kind of day by itself; under None where its times are those of no certain day. Nobody knows
    of public holidays here. Raises CountsWrong and OSError."""
    found: dict[Day | None, list[Count]] = defaultdict(list)
    for count, day in _rows(path, zone):
        found[None if day is None else Day(int(kinds_of(np.array([day]), frozenset())[0]))].append(count)
    if len(found) > 1 and None in found:
        raise CountsWrong(
            f"{path} has times of certain days and others of none: nobody could say what day these are of"
        )
    return {kind: _means(own, path) for kind, own in sorted(found.items(), key=lambda each: each[0] or 0)}


def _rows(path: Path, zone: tzinfo) -> list[tuple[Count, int | None]]:
    """Each count of a table, and of what day it is, as a number since the epoch, where it says so."""
    if path.stat().st_size > BYTES_MAX:
        raise CountsWrong(f"{path} has more than {BYTES_MAX >> 20} MiB: cut out the days and places that you need")
    found: list[tuple[Count, int | None]] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            file.seek(0)
            rows = csv.DictReader(file, delimiter=";" if ";" in head else ",")
            names = set(rows.fieldnames or ())
            if not {"place", "from", "to"} <= names or not names & {"vehicles", "flow_h"}:
                raise CountsWrong(f"{path} has no columns place, from, to and vehicles (or flow_h) in its first line")
            for row in rows:
                try:
                    found.append((_count(row, zone), _day(row, zone)))
                except ValueError as error:
                    raise CountsWrong(f"{path}, line {rows.line_num}: {error}") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise CountsWrong(f"{path} is no CSV in UTF-8: {error}") from None
    if not found:
        raise CountsWrong(f"{path} counts nothing")
    return found


def _means(counts: Iterable[Count], path: Path) -> list[Count]:
    """Several days of the same place and time are one, in the mean."""
    found: dict[tuple[str, int, int], list[float]] = defaultdict(list)
    for count in counts:
        found[count.place, count.begin_s, count.end_s].append(count.vehicles)
    _need_apart({(begin_s, end_s) for _, begin_s, end_s in found}, path)
    return [Count(*key, fmean(values)) for key, values in found.items()]


def _day(row: Mapping[str, str | None], zone: tzinfo) -> int | None:
    """Of what day a row is, by when it begins; None where that is no instant."""
    at = _instant_of((row.get("from") or "").strip(), zone)
    return None if at is None else at.astimezone(zone).toordinal() - _EPOCH


def _count(row: Mapping[str, str | None], zone: tzinfo) -> Count:
    said = {name: (row.get(name) or "").strip() for name in ("place", "from", "to", "vehicles", "flow_h")}
    if not said["place"]:
        raise ValueError("it names no place")
    begin_s, end_s = _seconds_of(said["from"], said["to"], zone)
    text = said["vehicles"] or said["flow_h"]
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not (isfinite(number) and number >= 0):
        raise ValueError(f"{text!r} is no number of vehicles")
    hours = 1.0 if said["vehicles"] else (end_s - begin_s) / HOUR_S
    return Count(said["place"], begin_s, end_s, number * hours)


def _seconds_of(begin: str, end: str, zone: tzinfo) -> tuple[int, int]:
    """From when to when is counted, in a scenario's seconds. Raises ValueError."""
    began, ended = (_instant_of(text, zone) for text in (begin, end))
    begin_s = second_of(begin, zone)
    if began is not None and ended is not None:
        # Where clocks are changed meanwhile, as long as it was, and not as the clock says.
        lasts_s = round((ended - began).total_seconds())
        if not 0 < lasts_s <= DAY_S:
            raise ValueError(f"from {begin} to {end} is no time of a day: it must end later, within 24 hours")
        return begin_s, begin_s + lasts_s
    if began is not None or ended is not None:
        raise ValueError(f"from {begin} to {end}: of an instant and a time of no date nobody knows how long it is")
    end_s = second_of(end, zone)
    if end_s < begin_s and _CLOCK.fullmatch(begin) and _CLOCK.fullmatch(end):
        end_s += DAY_S
    if end_s <= begin_s:
        raise ValueError(f"it ends at {end}, not after it begins")
    if end_s > ENDS_S_MAX:
        raise ValueError(f"it ends at {end}, which is later than 48 hours from midnight")
    return begin_s, end_s


def second_of(text: str, zone: tzinfo) -> int:
    """The second of a scenario: as it stands, from midnight as 7:15 or 7:15:30, or by the clock of a zone at an instant
    (RFC 3339). Raises ValueError."""
    if text.isdecimal():
        return int(text)
    clock = _CLOCK.fullmatch(text)
    if clock:
        hour, minute, second = (int(part or 0) for part in clock.groups())
        if hour > 24:
            raise ValueError(f"{text!r} is no time of a day")
        return hour * HOUR_S + minute * 60 + second
    at = _instant_of(text, zone)
    if at is None:
        raise ValueError(f"{text!r} is no time: write seconds, 07:15, or 2026-11-23T07:15:00Z")
    at = at.astimezone(zone)
    return at.hour * HOUR_S + at.minute * 60 + at.second


def _instant_of(text: str, zone: tzinfo) -> datetime | None:
    """An instant as it is written, by the clock of a zone where it names none; None of what is none."""
    if text.isdecimal() or _CLOCK.fullmatch(text):
        return None
    try:
        at = datetime.fromisoformat(text)
        # Of the first and the last day of the calendar other clocks may show none.
        return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).astimezone(zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _need_apart(times: Iterable[tuple[int, int]], path: Path) -> None:
    """Raises CountsWrong where two times overlap and are not the same: nobody could say who is counted in which."""
    for (begin_s, end_s), (after_s, until_s) in pairwise(sorted(times)):
        if after_s < end_s:
            both = f"from {begin_s} to {end_s} s and from {after_s} to {until_s} s"
            raise CountsWrong(f"{path} counts {both}, which overlap")


def loops_in(files: Iterable[Path]) -> dict[str, Spot]:
    """The loops that a scenario's further files have, by their names. Raises CountsWrong and OSError."""
    found: dict[str, Spot] = {}
    for path in files:
        try:
            root = parsed(path)
        except XmlWrong as error:
            raise CountsWrong(f"{path} is no file of SUMO's: {error}") from None
        for tag in _LOOPS:
            for each in root.iter(tag):
                found[each.get("id", "")] = Spot(each.get("lane", ""), float(each.get("pos") or 0))
    return found


class Places:
    """What of a network can be counted."""

    def __init__(self, network: Network, loops: Mapping[str, Spot]) -> None:
        self._network = network
        self._loops = {
            name: Spot(spot.lane, spot.at_m if spot.at_m >= 0 else network.lanes[spot.lane].length_m + spot.at_m)
            for name, spot in loops.items()
            if spot.lane in network.lanes
        }
        self._driven: dict[str, set[str]] = defaultdict(set)
        self._onto: dict[str, set[str]] = defaultdict(set)
        for each in network.connections:
            ends = (each.lane, each.to)
            if each.crossing is None and all(lane in network.lanes and not lane.startswith(":") for lane in ends):
                for lane in ends:
                    self._driven[network.lanes[lane].edge].add(lane)
                self._onto[each.lane].add(network.lanes[each.to].edge)

    def targets(self, counts: Sequence[Count]) -> tuple[list[Target], dict[str, str]]:
        """What the counts ask for, and of those that ask for nothing why. Raises CountsWrong for more vehicles than can
        pass."""
        unused: dict[str, str] = {}
        by_lane: dict[tuple[str, int, int], dict[str, list[tuple[Count, Spot]]]] = {}
        whole: dict[tuple[str, int, int], Target] = {}
        for count in counts:
            times = count.begin_s, count.end_s
            spot = self.spot_of(count.place)
            if spot is not None and not self._is_driven(spot.lane):
                unused[count.place] = f"{spot.lane}, on which it lies, is a lane on which no vehicles drive"
            elif spot is not None:
                self.need_room(count)
                lanes = by_lane.setdefault((self._network.lanes[spot.lane].edge, *times), {})
                lanes.setdefault(spot.lane, []).append((count, spot))
            elif self.is_road(count.place):
                self.need_room(count)
                whole[count.place, *times] = self._of_road(count)
            else:
                unused[count.place] = "there is no loop, lane or road of this name on which vehicles drive"
        found = list(whole.values())
        for key, lanes in by_lane.items():
            made = self._by_lanes(*key, lanes, whole=key in whole)
            found += made
            used = {place for each in made for place in each.places}
            missing = ", ".join(sorted(self._driven[key[0]] - lanes.keys()))
            why = f"{missing} beside it are not counted, and it serves no turn alone"
            why = f"{key[0]} is counted by itself" if key in whole else why
            unused |= {count.place: why for own in lanes.values() for count, _ in own if count.place not in used}
        return sorted(found, key=lambda each: (each.begin_s, each.name)), unused

    def _of_road(self, count: Count) -> Target:
        lanes = sorted(self._driven[count.place])
        spots = tuple(Spot(lane, self._network.lanes[lane].length_m / 2) for lane in lanes)
        return Target(count.place, "", count.begin_s, count.end_s, count.vehicles, (count.place,), spots)

    def need_room(self, count: Count) -> None:
        """Raises CountsWrong for more vehicles than can have passed on a lane, or a road's lanes."""
        lanes = 1 if self.spot_of(count.place) is not None else len(self._driven[count.place])
        if count.vehicles > LANE_S_MAX * lanes * (count.end_s - count.begin_s):
            raise CountsWrong(
                f"{count.place} counts {count.vehicles:.6g} vehicles from {count.begin_s} to {count.end_s} s, "
                f"more than one a second on each lane ({lanes})"
            )

    def spot_of(self, place: str) -> Spot | None:
        """Where on a lane a loop counts, or who counts a lane; None of what is neither."""
        return self._loops.get(place) or self._of_lane(place)

    def is_road(self, place: str) -> bool:
        """Whether it is a road on which vehicles drive."""
        return place in self._driven

    def _of_lane(self, name: str) -> Spot | None:
        if not self._is_driven(name):
            return None
        return Spot(name, max(0.0, self._network.lanes[name].length_m - BEFORE_LINE_M))

    def _is_driven(self, name: str) -> bool:
        """Whether it is a lane from or to which a connection of vehicles leads."""
        lane = self._network.lanes.get(name)
        return lane is not None and name in self._driven.get(lane.edge, ())

    def _by_lanes(
        self, road: str, begin_s: int, end_s: int, lanes: Mapping[str, Sequence[tuple[Count, Spot]]], *, whole: bool
    ) -> list[Target]:
        """What lanes that are counted by themselves ask for: a road all of whose lanes are, and turns that have lanes
        of their own. Of two loops on a lane it is their mean."""

        def made(to: str, own: Iterable[str]) -> Target:
            there = [lanes[lane] for lane in sorted(own)]
            vehicles = sum(fmean(count.vehicles for count, _ in each) for each in there)
            places = tuple(count.place for each in there for count, _ in each)
            return Target(road, to, begin_s, end_s, vehicles, places, tuple(each[0][1] for each in there))

        found: list[Target] = []
        driven = self._driven[road]
        if not whole and driven <= lanes.keys():
            found.append(made("", driven))
        for to in sorted({to for lane in driven for to in self._onto[lane]}):
            lead = {lane for lane in driven if to in self._onto[lane]}
            own = all(lane in lanes and self._onto[lane] == {to} and self._is_near(lanes[lane][0][1]) for lane in lead)
            # The one way on from a road is the road.
            if own and lead != driven:
                found.append(made(to, lead))
        return found

    def _is_near(self, spot: Spot) -> bool:
        return self._network.lanes[spot.lane].length_m - spot.at_m <= TURNS_M
