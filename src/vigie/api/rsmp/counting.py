"""What each detector of a junction has told in the last minute: how many passed, how long somebody stood on it, and
when it told anything last."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from vigie.core.times import MINUTE_US
from vigie.services.signals.control.site import UNKNOWN, Site
from vigie.services.signals.control.steering import buttons_of, loops_of

SECONDS_MAX = 60


@dataclass(frozen=True, slots=True)
class Counted:
    """One detector. vehicles: that left it in the last minute; occupancy_pct: of that time; None where it has none to
    tell. asks: whether somebody waits at a button; None of what is none. at_us: the last second of which it told
    anything that counts; None for never since the post looks. silent: whether it has told nothing while others did.
    faulty: whether its controller has found its fault: what it tells is not heard."""

    vehicles: int | None = None
    occupancy_pct: float | None = None
    asks: bool | None = None
    at_us: int | None = None
    silent: bool = False
    faulty: bool = False


@dataclass(slots=True)
class Tally:
    """The seconds that a junction told last, of the detectors of one document. faulty: the places of those whose fault
    its controller has found."""

    site: Site
    faulty: frozenset[int] = frozenset()
    _seconds: deque[tuple[int, Sequence[int], Sequence[int]]] = field(
        default_factory=lambda: deque[tuple[int, Sequence[int], Sequence[int]]](maxlen=SECONDS_MAX)
    )
    _at_us: dict[int, int] = field(default_factory=dict[int, int])

    def add(self, start_us: int, counts: Sequence[int], occupancies: Sequence[int]) -> None:
        """Takes a second in. counts: by detector; occupancies: of its loops, in their order."""
        self._seconds.append((start_us, counts, occupancies))
        for at, count in enumerate(counts):
            if count != UNKNOWN:
                self._at_us[at] = start_us

    @property
    def last_us(self) -> int | None:
        """When the last second began that was told."""
        return self._seconds[-1][0] if self._seconds else None

    @property
    def heard_s(self) -> int:
        """How many seconds of the minute were told that ends with the last."""
        return sum(1 for each in self._seconds if self._seconds[-1][0] - each[0] < MINUTE_US)

    def counted(self) -> Iterator[Counted]:
        """All detectors of the document, in its order; none where no second was told."""
        if not self._seconds:
            return
        last_us = self._seconds[-1][0]
        seconds = [each for each in self._seconds if last_us - each[0] < MINUTE_US]
        loops, buttons = {at: n for n, at in enumerate(loops_of(self.site))}, set(buttons_of(self.site))
        for at in range(len(self.site.junction.detectors)):
            own = [counts[at] for _, counts, _ in seconds if counts[at] != UNKNOWN]
            told_us, is_faulty = self._at_us.get(at), at in self.faulty
            if at in buttons:
                yield Counted(
                    asks=own[-1] > 0 if own and not is_faulty else None,
                    at_us=told_us,
                    silent=not own,
                    faulty=is_faulty,
                )
            elif at in loops:
                shares = [each for _, _, told in seconds for each in told[loops[at] : loops[at] + 1] if each >= 0]
                yield Counted(
                    sum(max(each, 0) for each in own) if own else None,
                    round(sum(shares) / len(shares), 1) if shares and own else None,
                    at_us=told_us,
                    silent=not own,
                    faulty=is_faulty,
                )
            else:
                # An area tells a post nothing: sites have no word for it.
                yield Counted()
