"""What a site tells of its seconds, put together: its groups, its counts and its inputs come in messages of their own.

A second is closed when the next begins, so that the order of what is told of it does not matter. What a site says is
bounded before it is held.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from vigie.core.times import SECOND_US
from vigie.protocols.rsmp import Quality
from vigie.protocols.rsmp.events import StatusTold
from vigie.protocols.rsmp.inputs import INPUT_MAX, active
from vigie.protocols.rsmp.messages import Value
from vigie.protocols.rsmp.times import instant
from vigie.services.signals.control.site import UNKNOWN
from vigie.services.signals.junction import DETECTORS_MAX

SECONDS_MAX = 60
"""Seconds of a site that may wait for a step; above, the oldest are missed."""

OF_SECOND_US = SECOND_US // 2
"""What a site fetched so much later than its counts is of the next second."""

GROUPS_CHARS_MAX = 255
COUNT_CHARS_MAX = len("65535,")

_GROUPS, _INPUTS, _START = ("S0001", "signalgroupstatus"), ("S0003", "inputstatus"), ("S0205", "start")
_VEHICLES, _OCCUPANCY = ("S0205", "vehicles"), ("S0207", "occupancy")
_LOGICS = ("S0002", "detectorlogicstatus")
_CHARS_MAX: Mapping[tuple[str, str], int] = {
    _GROUPS: GROUPS_CHARS_MAX,
    _INPUTS: INPUT_MAX,
    _START: 40,
    _VEHICLES: DETECTORS_MAX * COUNT_CHARS_MAX,
    _OCCUPANCY: DETECTORS_MAX * COUNT_CHARS_MAX,
    _LOGICS: DETECTORS_MAX,
}
"""What is heard, and how long a text of it may be; a longer one says nothing."""

_COUNT = re.compile(r"[0-9]{1,5}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A second as a site told it: its groups, what its loops counted, and which detectors are active, as S0001, S0205,
    S0207 and S0002 say it. start_us: when it began, by the site's clock. missed: whether seconds before it were not
    told."""

    start_us: int
    groups: str
    vehicles: str
    occupancies: str
    logics: str
    missed: bool


@dataclass(frozen=True, slots=True)
class _Open:
    """The second that is told now. said: what was said of it; told_us: when its beginning was."""

    start_us: int
    told_us: int
    missed: bool
    said: dict[tuple[str, str], str]


@dataclass(slots=True)
class Ear:
    """What a site has told. seconds: those that are whole and wait for a step. on: the inputs that it was asked to set
    one by one, and not yet to unset."""

    seconds: list[Spoken] = field(default_factory=list[Spoken])
    on: frozenset[int] = frozenset()
    _said: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    _start_us: int = 0
    _open: _Open | None = None

    def hear(self, told: StatusTold) -> bool:
        """Takes in what a site tells of its controller; whether a second is whole by it."""
        heard = {key: each for each in told.values if (key := (each.code, each.name)) in _CHARS_MAX}
        if not heard:
            return False
        counted = heard.get(_START)
        # What was kept through a loss is how things stand until something newer comes; and no second of now.
        is_now = counted is not None and counted.quality is not Quality.OLD
        start_us = start_of(counted.value) if counted is not None and is_now else None
        gap_s = round((start_us - self._start_us) / SECOND_US) if start_us is not None else 0
        closed = gap_s != 0 and self._close()
        of_open = [self._open.said] if self._open is not None and told.at_us < self._open.told_us + OF_SECOND_US else []
        for said in (self._said, *of_open):
            for key, each in heard.items():
                if isinstance(each.value, str) and len(each.value) <= _CHARS_MAX[key]:
                    said[key] = each.value
                else:
                    said.pop(key, None)
        if start_us is not None and gap_s != 0:
            self._start_us = start_us
            self._open = _Open(start_us, told.at_us, gap_s != 1, dict(self._said))
        return closed

    def drain(self) -> list[Spoken]:
        """The seconds that wait; they wait no more."""
        seconds, self.seconds = self.seconds, []
        return seconds

    def lose(self) -> None:
        """Its link is lost. What it shows when it is back it says then."""
        self._said.clear()
        self._open = None

    @property
    def inputs(self) -> frozenset[int] | None:
        """The inputs that are active; None where it does not say."""
        said = self._said.get(_INPUTS)
        return active(said) if said is not None else None

    def _close(self) -> bool:
        """Ends the second that is told, if there is one; whether there was."""
        if self._open is None:
            return False
        said = self._open.said
        groups, vehicles, occupancies, logics = (said.get(key, "") for key in (_GROUPS, _VEHICLES, _OCCUPANCY, _LOGICS))
        if len(self.seconds) >= SECONDS_MAX:
            del self.seconds[0]
            self.seconds[0] = replace(self.seconds[0], missed=True)
        self.seconds.append(Spoken(self._open.start_us, groups, vehicles, occupancies, logics, self._open.missed))
        self._open = None
        return True


def counted(said: str) -> Sequence[int]:
    """A list of counts; what is none stands for nothing that is known."""
    return [int(each) if _COUNT.fullmatch(each) else UNKNOWN for each in said.split(",")] if said else ()


def start_of(said: Value) -> int | None:
    """When a second began; None for what is no instant, in a list that leaves open how it is written."""
    try:
        return instant(said) if isinstance(said, str) else None
    except ValueError:
        return None
