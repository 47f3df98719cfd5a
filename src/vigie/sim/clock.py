"""Time and chance handed in: a clock that stands until it is moved, and dice that fall the same way each time."""

from __future__ import annotations

from random import Random


class VirtualClock:
    """A clock of `vigie.engine.ports.Clock` that somebody moves on."""

    def __init__(self, at_us: int) -> None:
        """at_us: microseconds since the epoch, UTC."""
        self._at_us = at_us

    def now_us(self) -> int:
        """Where it was moved to: microseconds since the epoch, UTC."""
        return self._at_us

    def move_to(self, at_us: int) -> None:
        """Moves it on. Raises ValueError for an instant before the one it stands at."""
        if at_us < self._at_us:
            raise ValueError(f"a clock at {self._at_us} us cannot go back to {at_us} us")
        self._at_us = at_us


class SeededDice:
    """Dice of `vigie.engine.ports.Dice`: the same seed gives the same bytes in the same order. Never for secrets."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def bytes(self, length: int) -> bytes:
        """The next bytes."""
        return self._random.randbytes(length)
