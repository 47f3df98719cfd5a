"""Which orders a device's word may be about, found by its asset: automations give many small ones, and each report of a
lamp would else be held against all of them."""

from __future__ import annotations

from vigie.core.arrays import ints
from vigie.core.service import Numbers
from vigie.engine.command import Command

SMALL_MAX = 256
"""An order to more assets is looked at whoever speaks: they are few, and to note each of their targets is dear."""


class Index:
    """Orders by their assets."""

    def __init__(self) -> None:
        self._wide: dict[str, Command] = {}
        self._small: dict[int, dict[str, Command]] = {}
        self._turn: dict[str, int] = {}
        self._turns = 0

    def add(self, command: Command) -> None:
        """Follows an order."""
        self._turns += 1
        self._turn[command.id] = self._turns
        if len(command.order.assets) > SMALL_MAX:
            self._wide[command.id] = command
            return
        for asset in ints(command.order.assets):
            self._small.setdefault(asset, {})[command.id] = command

    def remove(self, command: Command) -> None:
        """Follows it no more."""
        del self._turn[command.id]
        if self._wide.pop(command.id, None) is not None:
            return
        for asset in ints(command.order.assets):
            own = self._small[asset]
            del own[command.id]
            if not own:
                del self._small[asset]

    def of(self, assets: Numbers) -> list[Command]:
        """The orders that may be to any of these assets, in the order in which they were given."""
        found = dict(self._wide)
        if self._small:
            for asset in {*ints(assets)}:
                found |= self._small.get(asset, {})
        return sorted(found.values(), key=lambda each: self._turn[each.id])
