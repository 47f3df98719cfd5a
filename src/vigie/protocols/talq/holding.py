"""What a gateway holds of its CMS's: control programs, calendars and groups; who refers to whom.

Nothing goes in that refers to what is not there, and nothing goes out that is referred to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from vigie.protocols.talq.devices import split
from vigie.protocols.talq.differences import KEY, Sort
from vigie.protocols.talq.limits import GROUP_DEPTH_MAX, ITEMS_MAX
from vigie.protocols.talq.messages import Calendar, ControlProgramOne, Group, ResourceReference, Service
from vigie.protocols.talq.requests import Refused
from vigie.protocols.talq.schedules import NoLighting, read, read_year

_CEILING = {
    Sort.PROGRAM: ("ControlService", "maximum_programs"),
    Sort.CALENDAR: ("ControlService", "maximum_calendars"),
    Sort.GROUP: ("GroupManagementService", "maximum_number_of_groups"),
}


class Holding:
    """The three shelves."""

    def __init__(self, services: Mapping[str, Service], is_device: Callable[[str], bool]) -> None:
        """services: what the gateway has announced, with its limits. is_device: whether an address is a device's."""
        self._services, self._is_device = services, is_device
        self.shelves: dict[Sort, dict[str, Any]] = {Sort.PROGRAM: {}, Sort.CALENDAR: {}, Sort.GROUP: {}}

    @property
    def programs(self) -> Mapping[str, ControlProgramOne]:
        """The control programs."""
        return self.shelves[Sort.PROGRAM]

    @property
    def calendars(self) -> Mapping[str, Calendar]:
        """The calendars."""
        return self.shelves[Sort.CALENDAR]

    @property
    def groups(self) -> Mapping[str, Group]:
        """The groups."""
        return self.shelves[Sort.GROUP]

    def put(self, sort: Sort, items: Sequence[Any], owner: str, *, adds: bool) -> tuple[str, ...]:
        """Puts all of them in, or none. owner: the CMS that asks. The names. Raises Refused."""
        shelf, key = self.shelves[sort], KEY[sort]
        names = [key(item) for item in items]
        if len(set(names)) != len(names):
            raise Refused("resourceConflict", "one name comes twice", status=409 if adds else 422)
        for name, item in zip(names, items, strict=True):
            about = (ResourceReference(sort.value, name),)
            if adds and name in shelf:
                raise Refused("resourceConflict", "it is there already", about)
            if not adds and name not in shelf:
                raise Refused("resourceNotFound", "it is not there", about)
            if item.owner_cms != owner or (name in shelf and shelf[name].owner_cms != owner):
                raise Refused("parameterValueNotValid", "it belongs to another CMS", about)
            self._check(item, about, {*names} if sort is Sort.GROUP else set())
        self._room(sort, len(shelf) + (len(items) if adds else 0))
        shelf.update(zip(names, items, strict=True))
        return tuple(names)

    def _room(self, sort: Sort, count: int) -> None:
        service, name = _CEILING[sort]
        ceiling = getattr(self._services.get(service), name, None) or ITEMS_MAX
        if count > ceiling:
            raise Refused("serviceConstraintExceeded", f"more than {ceiling} {sort.value}")

    def _check(self, item: Any, about: Sequence[ResourceReference], coming: set[str]) -> None:
        try:
            match item:
                case ControlProgramOne():
                    read(item)
                case Calendar():
                    read_year(item)
                    wanted = {rule.program for rule in item.rules} | ({item.default_program} - {""})
                    if not wanted <= self.programs.keys():
                        missing = sorted(wanted - self.programs.keys())
                        raise Refused("relatedResourceNotFound", f"no control program {missing[0]!r}", about)
                case _:
                    self._check_members(item, about, coming)
        except NoLighting as error:
            raise Refused("payloadError", str(error), about) from error

    def _check_members(self, group: Group, about: Sequence[ResourceReference], coming: set[str]) -> None:
        ceiling = getattr(self._services.get("GroupManagementService"), "maximum_group_size", None) or ITEMS_MAX
        if len(group.members) > ceiling:
            raise Refused("serviceConstraintExceeded", f"more than {ceiling} members", about)
        for member in group.members:
            if not self.is_there(member) and not (member.resource == "groups" and member.address in coming):
                raise Refused("relatedResourceNotFound", "a member is not there", (*about, member))

    def is_there(self, reference: ResourceReference) -> bool:
        """Whether a reference to a device, a function of one or a group leads anywhere."""
        if reference.resource == "groups":
            return reference.address in self.groups
        return reference.resource == "devices" and self._is_device(split(reference.address)[0])

    def remove(self, sort: Sort, name: str, owner: str, used: Iterable[str]) -> Any:
        """Takes one out. used: names of it that are in use outside. Raises Refused."""
        shelf, about = self.shelves[sort], (ResourceReference(sort.value, name),)
        if name not in shelf:
            raise Refused("resourceNotFound", "it is not there", about)
        if shelf[name].owner_cms != owner:
            raise Refused("parameterValueNotValid", "it belongs to another CMS", about)
        if name in self._referred(sort) or name in set(used):
            raise Refused("deletingResourceIsReferred", "something refers to it", about)
        return shelf.pop(name)

    def _referred(self, sort: Sort) -> set[str]:
        if sort is Sort.PROGRAM:
            rules = {rule.program for calendar in self.calendars.values() for rule in calendar.rules}
            return rules | {calendar.default_program for calendar in self.calendars.values()}
        members = [member for group in self.groups.values() for member in group.members]
        return {member.address for member in members if member.resource == sort.value}

    def join(self, name: str, members: Sequence[ResourceReference]) -> None:
        """Adds members to a group. Raises Refused."""
        group = self.groups.get(name)
        if group is None:
            raise Refused("resourceNotFound", "no such group", (ResourceReference("groups", name),))
        everyone = tuple(dict.fromkeys((*group.members, *members)))
        joined = msgspec.structs.replace(group, members=everyone)
        self._check_members(joined, (ResourceReference("groups", name),), set())
        self.shelves[Sort.GROUP][name] = joined

    def leave(self, name: str, member: ResourceReference) -> None:
        """Takes a member out of a group. Raises Refused."""
        group = self.groups.get(name)
        if group is None or member not in group.members:
            raise Refused("resourceNotFound", "no such group or member", (ResourceReference("groups", name), member))
        left = tuple(each for each in group.members if each != member)
        self.shelves[Sort.GROUP][name] = msgspec.structs.replace(group, members=left)

    def resolve(self, references: Iterable[ResourceReference], depth: int = 0) -> set[tuple[str, str]]:
        """The (device, function) that references come to; an empty function is the whole device. Groups deeper than
        the limit, and such as hold themselves, end there."""
        found: set[tuple[str, str]] = set()
        for each in references:
            if each.resource == "devices":
                found.add(split(each.address)[:2])
            elif each.resource == "groups" and each.address in self.groups and depth < GROUP_DEPTH_MAX:
                found |= self.resolve(self.groups[each.address].members, depth + 1)
        return found
