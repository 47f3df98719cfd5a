"""What a gateway should hold, what it was read to hold, and the requests that mend the difference.

TALQ has neither versions nor ETags: what is held is read back and compared by what it means. Only what belongs to
this CMS is ever changed; what another CMS put there is shown and left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from vigie.protocols.talq.limits import TARGETS_SENT_MAX
from vigie.protocols.talq.messages import (
    AssignCommand,
    Calendar,
    ControlProgramOne,
    Group,
    LoggerConfig,
    ResourceReference,
)
from vigie.protocols.talq.requests import Caller, Request
from vigie.protocols.talq.schedules import NoLighting, read, read_year


class Sort(StrEnum):
    """What can differ, as the standard names the resource."""

    PROGRAM = "control-programs"
    CALENDAR = "calendars"
    GROUP = "groups"
    LOGGER = "logger-configs"
    ASSIGNMENT = "assignments"


Item = ControlProgramOne | Calendar | Group | LoggerConfig | str


@dataclass(frozen=True, slots=True)
class Held:
    """What is, or should be, in a gateway: by identifier; an assignment by `device/function`, with its calendar.

    strange: what was read and is beyond this vocabulary, such as a program that follows a sensor: (sort, identifier).
    """

    programs: Mapping[str, ControlProgramOne] = field(default_factory=dict[str, ControlProgramOne])
    calendars: Mapping[str, Calendar] = field(default_factory=dict[str, Calendar])
    groups: Mapping[str, Group] = field(default_factory=dict[str, Group])
    loggers: Mapping[str, LoggerConfig] = field(default_factory=dict[str, LoggerConfig])
    assigned: Mapping[str, str] = field(default_factory=dict[str, str])
    strange: frozenset[tuple[Sort, str]] = frozenset()

    def of(self, sort: Sort) -> Mapping[str, Item]:
        """All of one sort."""
        by_sort: dict[Sort, Mapping[str, Item]] = {
            Sort.PROGRAM: self.programs,
            Sort.CALENDAR: self.calendars,
            Sort.GROUP: self.groups,
            Sort.LOGGER: self.loggers,
            Sort.ASSIGNMENT: self.assigned,
        }
        return by_sort[sort]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it should be. wanted, held: None for what should not be, or is not, there.

    ours: whether it may be mended; what belongs to another CMS may not. strange: it is there, and cannot be read.
    """

    sort: Sort
    name: str
    wanted: Item | None
    held: Item | None
    ours: bool = True
    strange: bool = False


def compare(wanted: Held, held: Held, owner: str) -> tuple[Difference, ...]:
    """All differences, by sort and name. owner: the address of this CMS."""
    found: list[Difference] = []
    for sort in Sort:
        should, has = wanted.of(sort), held.of(sort)
        strange = {name for each, name in held.strange if each is sort}
        for name in sorted(should.keys() | has.keys() | strange):
            want, have = should.get(name), has.get(name)
            odd = name in strange
            # An actuator without a calendar is the same, however it is said.
            if not odd and (_meaning(want) == _meaning(have) or (sort is Sort.ASSIGNMENT and not want and not have)):
                continue
            keeper = getattr(have, "owner_cms", owner)
            ours = want is not None if odd else sort is Sort.ASSIGNMENT or keeper == owner
            found.append(Difference(sort, name, want, have, ours, odd))
    return tuple(found)


def _meaning(item: Item | None) -> object:
    """What of an item counts: two ways to write one programme are no difference, nor is the order of a group."""
    try:
        if isinstance(item, ControlProgramOne):
            return item.owner_cms, read(item)
        if isinstance(item, Calendar):
            return item.owner_cms, read_year(item)
    except NoLighting:
        return item
    if isinstance(item, Group):
        return item.address, item.owner_cms, item.purpose, frozenset(item.members)
    return item


_NAMES = {Sort.PROGRAM: "ControlProgram", Sort.CALENDAR: "Calendar", Sort.GROUP: "Group"}


def mend(differences: Iterable[Difference], caller: Caller) -> tuple[Request, ...]:
    """The requests that make it right, in an order in which nothing refers to what is not there: programs, calendars
    and groups come before those who refer to them, and go after them. A gateway must have room for both meanwhile."""
    ours = [each for each in differences if each.ours]
    by_sort = {sort: [each for each in ours if each.sort is sort] for sort in Sort}
    requests: list[Request] = []
    for sort in (Sort.PROGRAM, Sort.CALENDAR, Sort.GROUP):
        there = [each for each in by_sort[sort] if each.held is not None or each.strange]
        add = [each.wanted for each in by_sort[sort] if each.wanted is not None and each not in there]
        change = [each.wanted for each in there if each.wanted is not None]
        if add:
            requests.append(caller.ask(f"add{_NAMES[sort]}s", body=add))
        if change:
            requests.append(caller.ask(f"update{_NAMES[sort]}s", body=change))
    requests += _assign(by_sort[Sort.ASSIGNMENT], caller)
    for each in by_sort[Sort.LOGGER]:
        if each.wanted is None:
            requests.append(caller.ask("deleteLoggerConfig", each.name))
        elif each.held is None and not each.strange:
            requests.append(caller.ask("addLoggerConfig", body=each.wanted))
        else:
            requests.append(caller.ask("updateLoggerConfig", each.name, body=each.wanted))
    requests += _parted(by_sort[Sort.GROUP], caller)
    for sort in (Sort.GROUP, Sort.CALENDAR, Sort.PROGRAM):
        gone = [each.name for each in by_sort[sort] if each.wanted is None]
        requests += [caller.ask(f"delete{_NAMES[sort]}", name) for name in gone]
    return tuple(requests)


def _parted(differences: Sequence[Difference], caller: Caller) -> list[Request]:
    """Empties groups that are to go and hold others that are to go, or themselves: no order would take them out."""
    gone = {each.name: each.held for each in differences if each.wanted is None and isinstance(each.held, Group)}
    holders = [
        msgspec.structs.replace(group, members=())
        for group in gone.values()
        if any(member.resource == "groups" and member.address in gone for member in group.members)
    ]
    return [caller.ask("updateGroups", body=holders)] if holders else []


def _assign(differences: Sequence[Difference], caller: Caller) -> list[Request]:
    """Commands for each calendar, with the actuators that should have it; first for those that lose theirs."""
    by_calendar: dict[str, list[str]] = {}
    for each in differences:
        by_calendar.setdefault(each.wanted if isinstance(each.wanted, str) else "", []).append(each.name)
    return [
        assign(caller, calendar, [ResourceReference("devices", name) for name in names[at : at + TARGETS_SENT_MAX]])
        for calendar, names in sorted(by_calendar.items())
        for at in range(0, len(names), TARGETS_SENT_MAX)
    ]


def assign(caller: Caller, calendar: str, targets: Sequence[ResourceReference]) -> Request:
    """Gives a calendar to devices, functions or groups; an empty one takes it from them."""
    command = AssignCommand(tuple(targets), ResourceReference(Sort.CALENDAR.value, calendar))
    return caller.ask("assignCommand", body=command)


class Collector:
    """Collects the answers of a read-back."""

    def __init__(self, waiting: Iterable[str]) -> None:
        """waiting: the numbers by which the requests are told apart; all must be answered."""
        self._waiting = set(waiting)
        self._items: dict[Sort, dict[str, Any]] = {sort: {} for sort in Sort}
        self._strange: set[tuple[Sort, str]] = set()

    def take(self, sort: Sort, items: Iterable[tuple[str, Any]], strange: Iterable[str] = ()) -> None:
        """Something that was read."""
        self._items[sort].update(items)
        self._strange |= {(sort, name) for name in strange}

    def answered(self, mark: str) -> None:
        """A request of the read-back has its answer."""
        self._waiting.discard(mark)

    def more(self, mark: str) -> None:
        """A page leads to another."""
        self._waiting.add(mark)

    def waits_for(self, mark: str) -> bool:
        """Whether this request is one of the read-back."""
        return mark in self._waiting

    def whole(self) -> Held | None:
        """All of it, once each request has been answered."""
        if self._waiting:
            return None
        items = self._items
        return Held(
            items[Sort.PROGRAM],
            items[Sort.CALENDAR],
            items[Sort.GROUP],
            items[Sort.LOGGER],
            items[Sort.ASSIGNMENT],
            frozenset(self._strange),
        )


KEY: dict[Sort, Callable[[Any], str]] = {
    Sort.PROGRAM: lambda item: item.id,
    Sort.CALENDAR: lambda item: item.id,
    Sort.GROUP: lambda item: item.address,
    Sort.LOGGER: lambda item: item.address,
}
