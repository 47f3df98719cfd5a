"""A vehicle's request to go first (M0022) and how it stands (S0033), from 1.1 of the list on: both ends of it.

The life of a request is the table of the list (1.2.1, S0033); what has come to its end is told once, and then no more.
At the site (`Priorities`) one request is served at a time, and it ends by itself where nobody cancels it. At the
supervisor (`Requests`) whatever was asked for is cancelled when it is wanted no more.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from vigie.core.times import SECOND_US
from vigie.protocols.rsmp.messages import Records, Value
from vigie.protocols.rsmp.times import stamp

ORDER, STATUS = "M0022", "S0033"

MOVES: Mapping[str, frozenset[str]] = {
    "received": frozenset({"queued", "activated", "rejected", "cooldown"}),
    "queued": frozenset({"activated", "timeout"}),
    "activated": frozenset({"completed", "stale"}),
    "completed": frozenset(),
    "timeout": frozenset(),
    "rejected": frozenset(),
    "cooldown": frozenset(),
    "stale": frozenset(),
}
"""From each state, those that may follow."""


def _later() -> Mapping[str, frozenset[str]]:
    """From each state, those that may be told next: not every state is told. Of a request of which nothing was, any."""
    found = {state: frozenset[str]() for state in MOVES}
    for state in reversed([*MOVES]):
        found[state] = MOVES[state].union(*(found[after] for after in MOVES[state]))
    return {"": frozenset(MOVES), **found}


_LATER = _later()

ENDS = frozenset(state for state, after in MOVES.items() if not after)

LEVEL_MAX, ETA_S_MAX = 14, 255
REQUESTS_MAX = 32
"""Requests of one site that are held at either end; a site rejects what is above."""

AHEAD_S = 25.0
"""A site begins to serve so long before somebody comes: most junctions have come to any stage by then."""

QUEUED_S_MAX = 120.0
"""For so long a request may wait after it was to begin."""

SERVED_S_MAX = 60.0
"""For so long one is served that nobody cancels."""

COOLS_S = 45.0
"""After one was served, whoever asks for the same waits for so long that all others go: but for the highest level."""

DRIFT_S = 3.0
"""Somebody who comes so much sooner or later than was said is said to."""

AGAIN_S = 30.0
"""So long after a request that came to nothing another is made for the same vehicle."""


class Want(NamedTuple):
    """What a supervisor wants for a vehicle. at: what is to be let go, by the names of M0022 (`inputId`, say)."""

    at: tuple[tuple[str, str], ...]
    level: int
    eta_s: float
    vehicle: str


@dataclass(slots=True)
class _Made:
    """A request that was made. due_us: when the vehicle comes, as was said last. ended_us: when it came to its end.
    message: the number of the message that made it."""

    number: str
    want: Want
    due_us: int
    state: str = ""
    ended_us: int = 0
    message: str = ""


class Requests:
    """The supervisor's end, of one site. seed: what the numbers of requests begin with: they are no vehicle's name."""

    def __init__(self, seed: str) -> None:
        self._seed, self._count = seed, 0
        self._made: dict[int, _Made] = {}

    def turn(self, wants: Mapping[int, Want], now_us: int) -> list[dict[str, str]]:
        """What is to be sent now, as arguments of M0022. wants: of each vehicle that comes, by any number of its
        own."""
        sent: list[dict[str, str]] = []
        for vehicle, made in list(self._made.items()):
            if made.ended_us:
                # Also of a vehicle that was wanted no more meanwhile.
                if now_us - made.ended_us >= AGAIN_S * SECOND_US:
                    del self._made[vehicle]
            elif vehicle not in wants or wants[vehicle].at != made.want.at:
                sent.append({"requestId": made.number, "type": "cancel", "level": str(made.want.level)})
                del self._made[vehicle]
        room = REQUESTS_MAX - sum(not each.ended_us for each in self._made.values())
        for vehicle, want in wants.items():
            made = self._made.get(vehicle)
            due_us = now_us + round(want.eta_s * SECOND_US)
            eta = str(min(max(round(want.eta_s), 0), ETA_S_MAX))
            if made is None and room > 0:
                room -= 1
                self._count += 1
                number = f"{self._seed}-{self._count}"
                self._made[vehicle] = _Made(number, want, due_us)
                sent.append(
                    {"requestId": number, **dict(want.at), "type": "new", "level": str(want.level), "eta": eta,
                     "vehicleType": want.vehicle}
                )  # fmt: skip
            elif made is not None and not made.ended_us and _differs(made, want, due_us, now_us):
                made.want, made.due_us = want, due_us
                sent.append({"requestId": made.number, "type": "update", "level": str(want.level), "eta": eta})
        return sent

    def hear(self, records: Iterable[Mapping[str, str]], now_us: int) -> None:
        """What the site says of its requests."""
        states = {each["r"]: each["s"] for each in records if "r" in each and "s" in each}
        for made in self._made.values():
            state = states.get(made.number, "")
            if state in _LATER[made.state]:
                made.state = state
                made.ended_us = now_us if state in ENDS else 0

    def posted(self, number: str, message: str) -> None:
        """A new request was sent, in the message of this number."""
        for made in self._made.values():
            if made.number == number:
                made.message = message

    def unsent(self, number: str, now_us: int) -> None:
        """A new request could not be sent."""
        self._reject([made for made in self._made.values() if made.number == number], now_us)

    def refused(self, message: str, now_us: int) -> None:
        """The site has refused a message."""
        self._reject([made for made in self._made.values() if made.message == message], now_us)

    @staticmethod
    def _reject(made: Iterable[_Made], now_us: int) -> None:
        for each in made:
            # Whatever the site has told of one is more than that.
            if not each.state:
                each.state, each.ended_us = "rejected", now_us

    @property
    def states(self) -> Mapping[int, str]:
        """How the request of each vehicle stands; empty where the site has not said."""
        return {vehicle: made.state for vehicle, made in self._made.items()}


def _differs(made: _Made, want: Want, due_us: int, now_us: int) -> bool:
    """Whether the site is to be told: that somebody is due who was due already is nothing new."""
    if made.want.level != want.level:
        return True
    drift_us = max(due_us, now_us) - max(made.due_us, now_us)
    return abs(drift_us) >= DRIFT_S * SECOND_US


@dataclass(slots=True)
class _Asked:
    """A request at the site. at: what it is to let go. changed_us: when its state last did."""

    number: str
    at: tuple[tuple[str, str], ...]
    level: int
    due_us: int
    changed_us: int
    state: str = "received"


_AT = ("signalGroupId", "inputId", "connectionId", "approachId", "laneInId", "laneOutId", "priorityId")


@dataclass(slots=True)
class Priorities:
    """The site's end. serves: whether it can let go what a request names."""

    serves: frozenset[tuple[str, str]] = frozenset()
    _asked: OrderedDict[str, _Asked] = field(default_factory=OrderedDict[str, _Asked])
    _told: set[str] = field(default_factory=set[str])
    _served_us: dict[tuple[tuple[str, str], ...], int] = field(default_factory=dict[tuple[tuple[str, str], ...], int])

    def order(self, values: Mapping[str, str], now_us: int) -> bool:
        """Takes M0022, whose arguments the list has checked; whether it can be done."""
        number, known = values["requestId"], self._asked.get(values["requestId"])
        at = tuple((name, values[name]) for name in _AT if name in values)
        due_us = now_us + round(float(values.get("eta", 0)) * SECOND_US)
        if values["type"] == "new":
            if known is not None or len(self._asked) >= REQUESTS_MAX:
                return False
            self._asked[number] = _Asked(number, at, int(values["level"]), due_us, now_us)
            return True
        if known is not None and at and at != known.at:
            return False
        if known is None or known.state in ENDS:
            # What has come to its end by itself may be cancelled all the same: the two have crossed on their way.
            return values["type"] == "cancel"
        if values["type"] == "update":
            known.level = int(values["level"])
            known.due_us = due_us if "eta" in values else known.due_us
        else:
            self._end(known, now_us)
        return True

    def turn(self, now_us: int, *, works: bool) -> tuple[tuple[str, str], ...]:
        """A second on: what is to be let go now, empty for nothing. works: whether the controller runs its own plan, in
        colours; else it serves nobody."""
        for number in self._told:
            del self._asked[number]
        self._told.clear()
        waiting = list[_Asked]()
        for each in self._asked.values():
            age_s, due_s = (now_us - each.changed_us) / SECOND_US, (each.due_us - now_us) / SECOND_US
            if each.state == "received":
                self._move(each, self._judged(each, now_us, works=works), now_us)
            elif each.state == "queued" and (not works or (due_s < AHEAD_S and age_s > QUEUED_S_MAX)):
                self._move(each, "timeout", now_us)
            elif each.state == "activated" and (not works or age_s > SERVED_S_MAX):
                self._move(each, "stale", now_us)
            if each.state == "queued" and due_s <= AHEAD_S:
                waiting.append(each)
        served = next((each for each in self._asked.values() if each.state == "activated"), None)
        if served is None and waiting:
            served = max(waiting, key=lambda each: (each.level, -each.due_us))
            self._move(served, "activated", now_us)
        if served is None:
            return ()
        self._served_us[served.at] = now_us
        return served.at

    def told(self) -> Records:
        """How all requests stand, as S0033 says it; those that have come to their end for the last time."""
        self._told.update(each.number for each in self._asked.values() if each.state in ENDS)
        return [{"r": each.number, "t": stamp(each.changed_us), "s": each.state} for each in self._asked.values()]

    def _judged(self, asked: _Asked, now_us: int, *, works: bool) -> str:
        if not works or not asked.at or not set(asked.at) <= self.serves:
            return "rejected"
        served_us = self._served_us.get(asked.at)
        cools = served_us is not None and now_us - served_us < COOLS_S * SECOND_US
        return "cooldown" if cools and asked.level < LEVEL_MAX else "queued"

    def _end(self, asked: _Asked, now_us: int) -> None:
        """Nobody needs it any more."""
        ends = {"activated": "completed", "queued": "timeout", "received": "rejected"}
        self._move(asked, ends[asked.state], now_us)

    @staticmethod
    def _move(asked: _Asked, state: str, now_us: int) -> None:
        assert state in MOVES[asked.state], f"{asked.state} to {state}"
        asked.state, asked.changed_us = state, now_us


def records(value: Value) -> Sequence[Mapping[str, str]]:
    """S0033 as it was told; nothing where it is no list."""
    return value if isinstance(value, list) else ()
