"""What a caller sees of the city, as columns over the asset numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vigie.core.observations import Floats, Mask
from vigie.core.scope import Scope
from vigie.core.service import Numbers
from vigie.engine.loop import Engine


@dataclass(frozen=True, slots=True)
class Sight:
    """What a scope shows, as it is now: not to be held while something is awaited, but as a `kept` one.

    seen: whether the asset may be seen at all, retired ones included. covered: whether a grant shows it, and so
    everything about it; of what is seen only because its kind is public, nothing is told but what is public of it.
    """

    seen: Mask
    covered: Mask

    @property
    def kept(self) -> Sight:
        """The same, for whoever goes on with it later."""
        return Sight(self.seen.copy(), self.covered.copy())


def sight_of(engine: Engine, scope: Scope) -> Sight:
    """What a scope shows now."""
    return Sight(engine.visibility.mask(scope), engine.visibility.covered(scope))


def places(engine: Engine, sight: Sight, assets: Numbers | None = None) -> tuple[Floats, Floats]:
    """Where assets are for whoever sees so: where they said they were, if that may be read, or else where the inventory
    has them. Longitude and latitude in degrees, by asset number; or of these assets, in their order."""
    registry, standing = engine.registry, engine.standing
    standing.locate()
    at = slice(0, registry.count) if assets is None else assets
    moving = sight.covered[at] | standing.kinds.place_public[np.maximum(registry.kind[at], 0)]
    return np.where(moving, standing.lon[at], registry.lon[at]), np.where(moving, standing.lat[at], registry.lat[at])
