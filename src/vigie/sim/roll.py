"""The roll of a simulated city: which asset of the post is which device, and what devices say, in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from vigie.core.observations import Floats, Int64s, Mask
from vigie.engine.admission import Columns
from vigie.engine.registry import Registry
from vigie.sim.city.inventory import ids
from vigie.sim.life import Reports


@dataclass(frozen=True, slots=True)
class Rows:
    """Readings on their way to the post, in columns of one length.

    asset, point: numbers as `vigie.engine.admission.Columns` has them. observed_us: when it was so, by the device's own
    clock. value, value2: as in a batch. heard_us: when its gateway has it, in true time.
    """

    asset: Int64s
    point: Int64s
    observed_us: Int64s
    value: Floats
    value2: Floats
    heard_us: Int64s

    def __len__(self) -> int:
        return len(self.asset)

    def take(self, rows: Mask | Int64s) -> Rows:
        """The rows chosen."""
        return Rows(*(getattr(self, each.name)[rows] for each in fields(self)))

    @property
    def columns(self) -> Columns:
        """What a gateway tells of them."""
        return Columns(self.asset, self.point, self.observed_us, self.value, self.value2)

    @staticmethod
    def joined(parts: Sequence[Rows]) -> Rows:
        """The rows of all, one after the other."""
        if len(parts) == 1:
            return parts[0]
        return Rows(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(Rows)))


def _none() -> Rows:
    whole, real = np.empty(0, np.int64), np.empty(0)
    return Rows(whole, whole, whole, real, real, whole)


NO_ROWS = _none()


class Roll:
    """Who is who. A device that the post does not know of is passed over: so a city is thinned.

    index: of each asset, by its number, its place among the devices of its kind.
    """

    def __init__(self, registry: Registry, counts: Mapping[str, int]) -> None:
        """counts: kind -> how many devices of it live."""
        self._codes = registry.point_codes
        self._numbers: dict[str, Int64s] = {}
        self.index = np.full(registry.count, -1, np.int64)
        for kind, count in counts.items():
            own = np.array([registry.numbers.get(asset, 0) for asset in ids(kind, count)], np.int64)
            self._numbers[kind] = own
            self.index[own] = np.arange(count)
        self.index[0] = -1
        self._whole = all((own > 0).all() for own in self._numbers.values())

    def rows(self, said: Sequence[Reports]) -> Rows:
        """What devices said, in the order in which they said it; heard at the instant when it was so."""
        if not said:
            return NO_ROWS
        sizes = [len(each) for each in said]
        nothing = np.full(max(sizes), np.nan)
        observed_us = np.concatenate([each.observed_us for each in said])
        rows = Rows(
            np.concatenate([self._numbers[each.kind.kind][each.index] for each in said]),
            np.repeat(np.array([self._codes[each.point.name] for each in said], np.int64), sizes),
            observed_us,
            np.concatenate([each.value for each in said]),
            np.concatenate([nothing[: len(each)] if each.value2 is None else each.value2 for each in said]),
            observed_us,
        )
        return rows if self._whole else rows.take(rows.asset > 0)
