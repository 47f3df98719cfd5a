"""What a supervisor has asked of a site and waits for: which answer belongs to which request.

An answer names no request: it has the component and the codes of one. So it belongs to the oldest that asked for just
these values, one that still waits before one that was given up; or else to the oldest that asked for these codes and
still waits. A request whose answer is late stays known for a while, so that an answer that comes after all is its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vigie.core.times import SECOND_US
from vigie.protocols.rsmp.limits import GIVEN_UP_MAX

ANSWER_S = 30.0
"""How long an answer may take after the request; the core names no figure, and this one for acknowledgements."""

_REMEMBERED = 10

Names = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. names: the codes and names in it. values: those of an order, by code and name; None where statuses are
    asked for."""

    number: str
    component: str
    names: Names
    since_us: int
    values: dict[tuple[str, str], str] | None = field(default=None, repr=False)
    given_up: bool = False


class Asking:
    """The requests of one connection, in their order."""

    def __init__(self, answer_s: float) -> None:
        self._patience_us = round(answer_s * SECOND_US)
        self._by_number: dict[str, Asked] = {}

    @property
    def waiting(self) -> int:
        """How many wait for their answer; those that were given up do not."""
        return sum(not each.given_up for each in self._by_number.values())

    def put(self, asked: Asked) -> None:
        """It was sent."""
        self._by_number[asked.number] = asked

    def drop(self, number: str) -> bool:
        """It was refused. Whether it still waited."""
        asked = self._by_number.pop(number, None)
        return asked is not None and not asked.given_up

    def answer(self, component: str, names: Names, values: dict[tuple[str, str], str] | None) -> Asked | None:
        """The request that an answer belongs to, which waits no more; None for an answer to nothing."""
        same = [
            each
            for each in self._by_number.values()
            if each.component == component and each.names == names and (each.values is None) == (values is None)
        ]
        exact = sorted((each for each in same if each.values == values), key=lambda each: each.given_up)
        found = next(iter((*exact, *(each for each in same if not each.given_up))), None)
        if found is not None:
            del self._by_number[found.number]
        return found

    def overdue(self, now_us: int) -> list[Asked]:
        """Those that are given up now: whether the site did them is not known."""
        late: list[Asked] = []
        for number, each in list(self._by_number.items()):
            age_us = now_us - each.since_us
            if age_us >= _REMEMBERED * self._patience_us:
                del self._by_number[number]
            elif age_us >= self._patience_us and not each.given_up:
                late.append(each)
                self._by_number[number] = Asked(
                    each.number, each.component, each.names, each.since_us, each.values, given_up=True
                )
        given_up = [number for number, each in self._by_number.items() if each.given_up]
        for number in given_up[: max(0, len(given_up) - GIVEN_UP_MAX)]:
            del self._by_number[number]
        return late

    def clear(self) -> list[Asked]:
        """The connection has ended: those that still waited."""
        left, self._by_number = self._by_number, {}
        return [each for each in left.values() if not each.given_up]
