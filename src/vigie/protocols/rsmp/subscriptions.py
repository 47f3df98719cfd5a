"""What a supervisor has subscribed to at a site: what is due when, and what a change brings.

Source: RSMP core 3.2.2, "Structure for a status subscription request message". Intervals are measured by the steady
clock, and keep their beat: what was not looked at in time is told once, not as often as it was missed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vigie.core.times import SECOND_US
from vigie.protocols.rsmp.cores import Core
from vigie.protocols.rsmp.limits import SUBSCRIPTIONS_MAX
from vigie.protocols.rsmp.line import NotTaken

Key = tuple[str, str, str]
"""Component, code, name."""

EVERY_S_MIN, EVERY_S_MAX = 0.1, 86_400.0 * 366


@dataclass(slots=True)
class Subscription:
    """One value that is subscribed to. every_us: 0 for no interval."""

    every_us: int
    on_change: bool
    due_us: int


def interval_us(every_s: str, *, on_change: bool) -> int:
    """The interval that a wish names. Raises NotTaken for one that would never bring anything, or is no number."""
    try:
        seconds = float(every_s)
    except ValueError:
        seconds = -1.0
    if seconds != 0 and not EVERY_S_MIN <= seconds <= EVERY_S_MAX:
        raise NotTaken(f"{every_s[:50]!r} is no interval in seconds")
    if not seconds and not on_change:
        raise NotTaken("an interval of 0 without sending on change would never bring anything")
    return round(seconds * SECOND_US)


class Subscriptions:
    """Those of one site."""

    def __init__(self) -> None:
        self._by_key: dict[Key, Subscription] = {}

    def __len__(self) -> int:
        return len(self._by_key)

    def add(self, key: Key, every_us: int, *, on_change: bool, core: Core, now_us: int) -> bool:
        """Whether it is a new one, which is told at once. Raises NotTaken over the limit."""
        held = self._by_key.get(key)
        if held is None:
            if len(self._by_key) >= SUBSCRIPTIONS_MAX:
                raise NotTaken(f"more than {SUBSCRIPTIONS_MAX} subscriptions")
            self._by_key[key] = Subscription(every_us, on_change, now_us + every_us)
            return True
        if core.changes_rates:
            if held.every_us != every_us:
                held.every_us, held.due_us = every_us, now_us + every_us
            held.on_change = on_change
        return False

    def tells_changes(self, key: Key) -> bool:
        """Whether a change of it is told at once."""
        held = self._by_key.get(key)
        return held is not None and held.on_change

    def remove(self, key: Key) -> None:
        """Ends it, if it is one."""
        self._by_key.pop(key, None)

    def keep(self, keys: Iterable[str] | None) -> None:
        """The connection has ended: only statuses with these codes are still followed; None for all."""
        if keys is not None:
            codes = frozenset(keys)
            self._by_key = {key: each for key, each in self._by_key.items() if key[1] in codes}

    def changed(self, keys: Iterable[Key], core: Core | None, now_us: int) -> list[Key]:
        """Which of these changes are to be told."""
        told: list[Key] = []
        for key in keys:
            held = self._by_key.get(key)
            if held is not None and held.on_change:
                told.append(key)
                if held.every_us and core is not None and core.change_restarts_interval:
                    held.due_us = now_us + held.every_us
        return told

    def due(self, now_us: int) -> list[Key]:
        """Those whose interval has passed."""
        due: list[Key] = []
        for key, held in self._by_key.items():
            if held.every_us and held.due_us <= now_us:
                due.append(key)
                held.due_us += (1 + (now_us - held.due_us) // held.every_us) * held.every_us
        return due
