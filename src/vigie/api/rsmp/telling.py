"""What a site of traffic signals tells, as readings of its junction.

Statuses are what they say. A mode is put together from three of them, which may come one by one; what is not known is
never taken for colours. Alarms become the worst fault and a list; the door's is the door. An alarm that is history
(`AlarmTold.late`) is told as history: beside how things were then, not beside how they are now.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from vigie.api.rsmp.flows import Detectors, Row, flows_told, readings_of
from vigie.core.kinds import Point
from vigie.core.readings import Readings, Value
from vigie.core.times import MINUTE_US, SECOND_US
from vigie.protocols.rsmp import Rate
from vigie.protocols.rsmp.events import AlarmTold, Attached, StatusTold, Step, Ticked
from vigie.protocols.rsmp.inputs import active
from vigie.protocols.rsmp.priorities import STATUS
from vigie.protocols.rsmp.timetables import days_of
from vigie.services.signals import Junction
from vigie.services.signals.dayplans import written
from vigie.services.signals.junction import Colour, Second

_MODE_S, _PLAN_S, _GROUPS_S, _CONTROL_S = 120, 120, 60, 60
"""How often a value is told that has not changed: well within the time that it stays true (`Point.valid_s`), and within
the time that an order may wait for its proof."""

WISHES: Mapping[tuple[str, str], Rate] = {
    ("S0001", "signalgroupstatus"): Rate(_GROUPS_S),
    ("S0001", "stage"): Rate(_GROUPS_S),
    ("S0007", "status"): Rate(_MODE_S),
    ("S0011", "status"): Rate(_MODE_S),
    ("S0012", "status"): Rate(_MODE_S),
    ("S0014", "status"): Rate(_PLAN_S),
    ("S0026", "status"): Rate(_PLAN_S),
    ("S0027", "status"): Rate(_PLAN_S),
    ("S0028", "status"): Rate(600),
}
"""What is subscribed to at the controller of each site."""

INPUTS: Mapping[tuple[str, str], Rate] = {("S0003", "inputstatus"): Rate(_CONTROL_S)}
"""And at one that has inputs that ask for stages."""

PRIORITIES: Mapping[tuple[str, str], Rate] = {(STATUS, "status"): Rate()}
"""And how requests to go first stand there, where its list has them."""

SECONDS: Mapping[tuple[str, str], Rate] = {
    ("S0205", "start"): Rate(1),
    ("S0205", "vehicles"): Rate(1),
    ("S0207", "occupancy"): Rate(1),
    ("S0002", "detectorlogicstatus"): Rate(1),
}
"""And at a junction that the post steers: what its detectors counted in the last second, and who waits to walk. Nobody
keeps it."""

_COLOURS: Mapping[str, str] = {
    **dict.fromkeys("ab", "X"), "c": "F", "d": "B", **dict.fromkeys("ef", "S"), **dict.fromkeys("ghABCDEFGP", "R"),
    "0": "U", **dict.fromkeys("123456789", "G"), **dict.fromkeys("NO", "Y"), "-": "-",
}  # fmt: skip
"""What a signal group shows, by the letter of S0001 (SXL of traffic lights, "Signal group status"). Its first two
start-up intervals show different things at different controllers."""

_SHOWN = {"R": Colour.RED, "U": Colour.RED, "Y": Colour.YELLOW, "G": Colour.GREEN}
"""The same as a colour: red and yellow together let nobody go yet."""

_DOOR = "A0010"
_LOGIC_FAULTS = frozenset({"A0301", "A0302", "A0303", "A0304"})
_LOGIC = re.compile(r"DL([0-9]{1,3})\Z", re.ASCII)
"""How the id of a component ends that is a detector logic, as the list of traffic lights names components; with its
number."""
_TEXT_MAX = 500
_MAJOR_MAX = 2
"""The largest priority of an alarm that wants somebody before the next maintenance: 1 is at once, 2 in this shift."""

_ALARMS_MAX = 1_000
"""Alarms of one site that are held. Above, one that does not stand is let go first, then the least urgent."""

_STANDS_US = 10 * MINUTE_US
"""How often it is told that alarms stand as they did: a site tells only what changes of them, and its watchdog says
that it could."""

_Alarms = dict[tuple[str, str], AlarmTold]


@dataclass
class Telling:
    """What is known of one site. asset: the id of its junction. inputs: the numbers of those that ask for its stages;
    None where it has none. detectors: which of its detector logics are detectors of the inventory."""

    asset: str
    inputs: range | None = None
    detectors: Detectors = field(default_factory=dict[str, int])
    _controlled: tuple[str, int] = ("", 0)
    _said: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    _asked: set[str] = field(default_factory=set[str])
    _now: _Alarms = field(default_factory=_Alarms)
    _then: _Alarms = field(default_factory=_Alarms)
    _confirmed: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    _tabled_us: int = 0
    _ticks: int = 0
    _stood_us: int = 0
    _rows: list[Row] = field(default_factory=list[Row])

    @property
    def faulty_logics(self) -> frozenset[int]:
        """The detector logics, by number, whose hardware or logic the site says is faulty."""
        found = (
            _LOGIC.search(component)
            for (component, code), alarm in self._now.items()
            if code in _LOGIC_FAULTS and _stands(alarm)
        )
        return frozenset(int(each[1]) for each in found if each is not None)

    def readings(self, events: Iterable[Step]) -> Readings:
        """What these events, in their order, say of the junction."""
        self._rows = []
        for event in events:
            match event:
                case Attached():
                    # The site opens with how each alarm stands; history that follows begins where it was left.
                    self._then, self._confirmed, self._ticks = dict(self._now), set(), 0
                case Ticked():
                    self._on_tick(event.at_us)
                case StatusTold():
                    self._on_statuses(event)
                case AlarmTold():
                    self._on_alarm(event)
                case _:
                    pass
        return readings_of(self._rows)

    def _put(self, point: Point[Any], value: Value, at_us: int) -> None:
        self._rows.append((self.asset, point, value, at_us))

    # Statuses.

    def _on_statuses(self, event: StatusTold) -> None:
        touched: set[str] = set()
        for told in event.values:
            self._asked.add(told.code)
            if isinstance(told.value, str):
                self._said[told.code, told.name] = told.value
                touched.add(f"{told.code}.{told.name}")
            else:
                self._said.pop((told.code, told.name), None)
        at_us = event.at_us
        if "S0001.signalgroupstatus" in touched:
            groups = self._said["S0001", "signalgroupstatus"]
            self._put(Junction.groups, "".join(_COLOURS[each] for each in groups)[:_TEXT_MAX], at_us)
        if "S0001.stage" in touched:
            self._put(Junction.stage, float(self._said["S0001", "stage"]), at_us)
        if "S0014.status" in touched:
            self._put(Junction.plan, float(self._said["S0014", "status"]), at_us)
        if touched & {"S0014.status", "S0028.status"}:
            cycle_s = _cycle_s(self._said.get(("S0028", "status"), ""), self._said.get(("S0014", "status"), ""))
            if cycle_s is not None:
                self._put(Junction.cycle_time, cycle_s, at_us)
        if touched & {"S0026.status", "S0027.status"}:
            self._on_tables(at_us)
        if "S0003.inputstatus" in touched and self.inputs is not None:
            self._on_inputs(self.inputs, self._said["S0003", "inputstatus"], at_us)
        if self.detectors:
            said = {(told.code, told.name): told.value for told in event.values if isinstance(told.value, str)}
            self._rows += flows_told(said, at_us, self.detectors, self.faulty_logics)
        if touched & {"S0007.status", "S0011.status", "S0012.status"}:
            mode = self._mode()
            if mode:
                self._put(Junction.mode, mode, at_us)

    def _on_tables(self, at_us: int) -> None:
        """By which tables it changes its plans: once both are known, and say each day."""
        week, tables = (self._said.get((code, "status")) for code in ("S0026", "S0027"))
        if week is None or tables is None:
            return
        try:
            days = written(days_of(week, tables))
        except ValueError:
            # None that is in use is none that can be read: what is told is that there is no such day.
            days = ""
        if at_us // 1_000 == self._tabled_us // 1_000:
            # A site tells its two tables one after the other in one millisecond: of one instant, the second would be
            # no news.
            at_us = self._tabled_us + 1
        self._tabled_us = at_us
        # The number that proves it is of the whole: that it is cut is to be seen.
        shown = days if len(days) <= _TEXT_MAX else f"{days[: _TEXT_MAX - 1]}…"
        self._put(Junction.day_plans, shown, at_us)
        self._put(Junction.day_table, float(Junction.day_table.code(days)), at_us)

    def _on_inputs(self, inputs: range, said: str, at_us: int) -> None:
        """Who decides: told when it changes, and else as often as it is asked for; inputs change with each stage."""
        control = "adaptive" if any(number in inputs for number in active(said)) else "plan"
        was, told_us = self._controlled
        if control != was or abs(at_us - told_us) >= _CONTROL_S * SECOND_US // 2:
            self._controlled = control, at_us
            self._put(Junction.control, control, at_us)

    def _mode(self) -> str:
        """The mode, as far as it is known; empty where it is not. A controller may have several intersections, and is
        one junction here: what one of them shows that is no colours, it shows."""
        on, flashes, red = (_flags(self._said.get((code, "status"), "")) for code in ("S0007", "S0011", "S0012"))
        if False in on:
            return "dark"
        if True in flashes:
            return "flashing"
        if True in red:
            return "all_red"
        return "colours" if on and flashes else ""

    # Alarms.

    def _on_alarm(self, event: AlarmTold) -> None:
        alarms, key = (self._then if event.late else self._now), (event.component, event.code)
        was = alarms.get(key)
        alarms[key] = event
        if not event.late:
            self._confirmed.add(key)
        if len(alarms) > _ALARMS_MAX:
            del alarms[max(alarms, key=lambda each: (not _stands(alarms[each]), alarms[each].priority or _MAJOR_MAX))]
            self._confirmed &= self._now.keys()
        if was is None or _stands(was) != _stands(event):
            self._tell_alarms(alarms, event.at_us, door=event.code == _DOOR)

    def _on_tick(self, at_us: int) -> None:
        """What stands at a watchdog, stands then. The first one of a connection comes before the site's alarms do."""
        self._ticks += 1
        if self._ticks < 2:
            return
        if self._ticks == 2:
            # What the site has not told any more, it does not have any more.
            self._now = {key: each for key, each in self._now.items() if key in self._confirmed}
        if self._now and (self._ticks == 2 or at_us - self._stood_us >= _STANDS_US):
            self._stood_us = at_us
            self._tell_alarms(self._now, at_us, door=any(code == _DOOR for _, code in self._now))

    def _tell_alarms(self, alarms: _Alarms, at_us: int, *, door: bool) -> None:
        if door:
            is_open = any(_stands(each) for each in alarms.values() if each.code == _DOOR)
            self._put(Junction.door, "open" if is_open else "closed", at_us)
        found = [each for each in alarms.values() if each.code != _DOOR and _stands(each)]
        worst = min((each.priority or _MAJOR_MAX for each in found), default=0)
        self._put(Junction.fault, "none" if not found else "major" if worst <= _MAJOR_MAX else "minor", at_us)
        self._put(Junction.faults, ", ".join(f"{each.code} {each.component}" for each in found)[:_TEXT_MAX], at_us)


@lru_cache(maxsize=10_000)
def colours_of(groups: str) -> Second | None:
    """What the groups of a junction show, by the letters of S0001; None where any of them shows no colours."""
    shown = [_SHOWN.get(_COLOURS.get(letter, "")) for letter in groups if letter != "-"]
    second = tuple(each for each in shown if each is not None)
    return second if second and len(second) == len(shown) else None


def _stands(alarm: AlarmTold) -> bool:
    """Whether it is so; one that was suspended is not to be told."""
    return alarm.state.active and not alarm.state.suspended


def _flags(said: str) -> Sequence[bool]:
    return [each == "True" for each in said.split(",")] if said else ()


def _cycle_s(table: str, plan: str) -> float | None:
    """The cycle of a plan by the table of S0028, in which each is written as plan-seconds."""
    for each in table.split(","):
        number, _, seconds = each.partition("-")
        if plan and number.isdecimal() and int(number) == int(plan) and seconds.isdecimal():
            return float(seconds)
    return None
