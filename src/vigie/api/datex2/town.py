"""What of the town's works is told to everybody, read from the cases and from the inventory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from zoneinfo import ZoneInfo

import numpy as np

from vigie.api.city.sources import Sources
from vigie.api.datex2.forms import leave_out
from vigie.api.datex2.telling import Phase, Stretch, Works, phases_of
from vigie.api.roads.streets import Streets
from vigie.api.roads.worksites import cut
from vigie.core.facts import CaseChanged, CaseMoved, CaseOpened
from vigie.engine.cases import Case
from vigie.protocols.datex2 import Position
from vigie.services.places import Commune
from vigie.services.roads.works.permits import Roadworks
from vigie.services.roads.works.permits import Stretch as Taken

Lines = Mapping[str, Sequence[Position]]
"""Streets as they are drawn, by their ids."""


class TownWorks:
    """The town's works as everybody may know them. One call at a time, from any thread."""

    def __init__(self, sources: Sources, streets: Streets) -> None:
        self._sources, self._streets = sources, streets
        self._zone = ZoneInfo(sources.zone)
        self._changed: dict[str, tuple[int, int]] = {}

    def told(self, cases: Sequence[Case], now_us: int) -> tuple[list[Works], dict[int, str]]:
        """Works that have a phase which is not over, and which could not be read: number -> why."""
        documents: list[Roadworks] = [case.document for case in cases]
        streets = {street for works in documents for street in works.streets}
        lines = self._lines([*streets, *{leg.street for works in documents for leg in works.diversion} - streets])
        towns = {row.path: row.name for row in self._sources.facts.sheets.areas([Commune.kind])}
        told, left_out, changed = list[Works](), dict[int, str](), dict[str, tuple[int, int]]()
        for case in cases:
            try:
                changed[case.id] = case.revision, self._changed_us(case)
                told.append(self._works(case, changed[case.id][1], lines, _around(case.area, towns), now_us))
            except Exception as error:
                leave_out(left_out, case.no, error)
        self._changed = changed
        return [each for each in told if each.phases], left_out

    def _works(self, case: Case, changed_us: int, lines: Lines, town: str, now_us: int) -> Works:
        works: Roadworks = case.document
        phases: list[Phase] = []
        for number, begins_us, ends_us in phases_of(works, case.state, self._zone, now_us):
            said = works.phases[number - 1]
            stretches = tuple(self._stretch(each, lines) for each in said.stretches)
            phases.append(Phase(number, begins_us, ends_us, said.hours, said.occupancy, said.passes, stretches))
        return Works(
            id=case.id,
            number=case.no,
            revision=case.revision,
            state=case.state,
            opened_us=case.opened_us,
            changed_us=changed_us,
            nature=works.nature,
            urgent=works.urgent,
            town=town,
            phases=tuple(phases),
            detour=tuple(
                Stretch(self._name(leg.street), _driven(lines.get(leg.street, ()), leg.way), one_way=True)
                for leg in works.diversion
            ),
        )

    def _stretch(self, said: Taken, lines: Lines) -> Stretch:
        line = cut(lines.get(said.street, ()), said.from_m, inf if said.to_m is None else said.to_m)
        return Stretch(self._name(said.street), _driven(line, said.way), one_way=said.way != "either")

    def _name(self, street: str) -> str:
        registry = self._sources.engine.registry
        no = registry.numbers.get(street, 0)
        return registry.names[no] if no else ""

    def _lines(self, streets: Sequence[str]) -> Lines:
        numbers = self._sources.engine.registry.numbers
        asked = np.array([numbers.get(street, -1) for street in streets], np.int64)
        return dict(zip(streets, self._streets.lines(asked), strict=True))

    def _changed_us(self, case: Case) -> int:
        """When what is told of a case was changed last, as the journal has it."""
        revision, changed_us = self._changed.get(case.id, (0, 0))
        if revision == case.revision:
            return changed_us
        happened = self._sources.facts.cases.timeline(case.id)
        changes = (each.fact.at for each in happened if isinstance(each.fact, CaseOpened | CaseChanged | CaseMoved))
        # What is owed still is not in the journal.
        return max((case.moved_us, *changes))


def _around(area: str, towns: Mapping[str, str]) -> str:
    """The name of the commune that an area is, or lies in."""
    while area and area not in towns:
        area = area.rpartition("/")[0]
    return towns.get(area, "")


def _driven(line: Sequence[Position], way: str) -> tuple[Position, ...]:
    """A line in the order of travel."""
    return tuple(line[::-1] if way == "against" else line)
