"""Readings: what a device said, in external names, in columns of one length.

A protocol turns bytes into readings; the engine's admission turns readings into a batch, or says row by row why not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from vigie.core.kinds import Quality
from vigie.core.observations import Rejected

Value = float | int | bool | str | tuple[float, float]
"""A number, a flag, the name of a choice or a text, a place (longitude, latitude)."""


@dataclass(frozen=True, slots=True)
class Readings:
    """Row i says: point `points[i]` of asset `assets[i]` had `values[i]` at `observed_us[i]`.

    rows: the place of each reading in what was sent. refused: what could not be read at all.
    quality: row index here -> quality, for those that are not GOOD.
    """

    assets: list[str]
    points: list[str]
    values: list[Value]
    observed_us: list[int]
    rows: list[int]
    quality: dict[int, Quality] = field(default_factory=dict[int, Quality])
    refused: list[Rejected] = field(default_factory=list[Rejected])

    def __len__(self) -> int:
        return len(self.assets)

    @property
    def sent(self) -> int:
        """How many readings were sent, readable or not."""
        return len(self.assets) + len(self.refused)

    @staticmethod
    def joined(parts: Sequence[Readings]) -> Readings:
        """The readable rows of all, one after the other; `rows` is the place among them. What could not be read stays
        with its part."""
        assets: list[str] = []
        points: list[str] = []
        values: list[Value] = []
        observed_us: list[int] = []
        quality: dict[int, Quality] = {}
        for part in parts:
            start = len(assets)
            for row, said in part.quality.items():
                quality[start + row] = said
            assets += part.assets
            points += part.points
            values += part.values
            observed_us += part.observed_us
        return Readings(assets, points, values, observed_us, list(range(len(assets))), quality)
