"""What of a connection is history: kept through a loss, and told after the picture with which the connection opens.

Laws: what a site can be told to have is remembered; of what it makes up only so much, and the rest is never taken for
late. What was taken for late since the last watchdog is remembered up to a bound, the newest of it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from vigie.core.times import SECOND_US
from vigie.protocols.rsmp.events import AggregatedTold, AlarmTold
from vigie.protocols.rsmp.limits import NEWEST_MAX, PASSED_CHARS_MAX, PASSED_MAX

_MARGIN_US = SECOND_US
"""A site that tells two events of one instant apart stamps the second a little later than it was."""

Passed = AlarmTold | AggregatedTold


class Lateness:
    """Of one connection. begun_us: what the site's clock showed at its first watchdog, or what it was set back to."""

    def __init__(self) -> None:
        self.begun_us = 0
        self._newest_us: dict[tuple[str, str], int] = {}
        self._passed: deque[Passed] = deque()
        self._passed_chars = 0

    def judge(self, component: str, code: str, at_us: int, *, listed: bool) -> bool:
        """Whether it is history. A connection opens with the picture of how things stand; what follows and is stamped
        before the site's first watchdog was kept through a loss, and is history where it is no newer than the picture.
        code: empty for the aggregated status. listed: whether the component and the code are known beforehand."""
        key = component, code
        newest_us = self._newest_us.get(key)
        if newest_us is None and not listed and len(self._newest_us) >= NEWEST_MAX:
            return False
        if newest_us is not None and at_us <= newest_us and at_us <= self.begun_us + _MARGIN_US:
            return True
        self._newest_us[key] = at_us
        return False

    def put(self, event: Passed) -> None:
        """It was told as history."""
        self._passed.append(event)
        self._passed_chars += _chars(event)
        while len(self._passed) > PASSED_MAX or self._passed_chars > PASSED_CHARS_MAX:
            self._passed_chars -= _chars(self._passed.popleft())

    def mistaken(self, since_us: int, until_us: int) -> list[Passed]:
        """The site's clock was found to have been set back: what was told as history and has an instant of this time
        was none. It is to be told again, as how things stand."""
        return [replace(each, late=False, receipt="") for each in self._passed if since_us <= each.at_us <= until_us]

    def clear(self) -> None:
        """A watchdog has come: what was told as history until now is history."""
        self._passed.clear()
        self._passed_chars = 0


def _chars(event: Passed) -> int:
    if not isinstance(event, AlarmTold):
        return 0
    return sum(len(name) + len(value) for name, value in event.values.items())
