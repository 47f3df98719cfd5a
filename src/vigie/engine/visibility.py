"""Which assets a Scope shows: one boolean for each asset number, the same for the API, tiles, tables and sockets.

An asset is seen by its own area. If its kind says that it follows its place, it is also seen by those who may see the
area that it is in at the moment; what may be done with it depends on its own area alone.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vigie.core.kinds import Action, AssetKind
from vigie.core.observations import Mask
from vigie.core.scope import Placement, Scope, Verb
from vigie.core.service import Numbers
from vigie.engine.registry import NO_POINT, Registry
from vigie.engine.standing import Standing

SCOPES_MAX = 256
"""So many scopes' masks are kept; who asks most seldom is reckoned again."""


@dataclass(slots=True)
class _Kept:
    """What is kept of one question. own: by the asset's own area. seen: that, and where followers are now."""

    table: Mask
    own: Mask
    seen: Mask
    registry_version: int
    placings: int


class Visibility:
    """Masks over all asset numbers, retired assets included, kept for the scopes that are asked for.

    A mask is the live one: it is not to be written to, nor held beyond the call that asked for it.
    """

    def __init__(self, registry: Registry, standing: Standing) -> None:
        self._registry, self._standing = registry, standing
        self._kept: OrderedDict[tuple[str, bool, bool], _Kept] = OrderedDict()
        kinds = registry.kinds
        self._kinds = [(kind.service, kind.verb, kind.public) for kind in kinds]
        self._follows = np.array([kind.follows_place for kind in kinds], np.bool_)

    def mask(self, scope: Scope, verb: Verb | None = None) -> Mask:
        """What the scope shows, as `Scope.sees` says it; with a verb, what it allows that to be done with."""
        if verb is None:
            return self._asked(scope, public=True, follows=True).seen
        return self._asked(scope.may(verb), public=False, follows=False).seen

    def orderable(self, scope: Scope, kind: type[AssetKind], action: Action) -> Mask:
        """Of which assets the scope allows this order, by their own areas. Where it takes the right of another service
        than the kind's, that is asked for beside the right to see them."""
        if not action.service:
            return self.mask(scope, Verb.ORDER)
        registry = self._registry
        may = np.array([may_order(scope, area, kind, action) for area in registry.areas], np.bool_)
        mask = may[registry.area[: registry.count]] & (
            registry.kind[: registry.count] == registry.kind_codes[kind.kind]
        )
        mask[0] = False
        return mask

    def covered(self, scope: Scope) -> Mask:
        """What a grant of the scope shows, as `Scope.covers` says it. Of an asset that is seen only because anybody
        may, nothing is told but what its kind marks public."""
        return self._asked(scope, public=False, follows=True).seen

    def seen_in(self, scope: Scope, assets: Numbers, area: NDArray[np.int32], *, public: bool = True) -> Mask:
        """Whether each asset would be seen, were it in this area (a code) at the moment. What says where it is belongs
        to its own area all the same; anything else is moved by hand, and then its own area is another."""
        kept = self._asked(scope, public=public, follows=True)
        kind = self._registry.kind[assets]
        there = kept.table[area, kind]
        moves = self._standing.place_slot[assets] != NO_POINT
        return np.where(moves, kept.own[assets] | (self._follows[kind] & there), there)

    def _asked(self, scope: Scope, *, public: bool, follows: bool) -> _Kept:
        standing, registry = self._standing, self._registry
        standing.locate()
        key = (scope.key, public, follows)
        kept = self._kept.get(key)
        if kept is None or kept.registry_version != registry.version or len(kept.table) != len(registry.areas):
            kept = self._reckoned(scope, public=public)
            self._kept[key] = kept
            if len(self._kept) > SCOPES_MAX:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        if follows and kept.placings != standing.placings:
            kept.placings = standing.placings
            movers = standing.movers
            kind = registry.kind[movers]
            here = self._follows[kind] & kept.table[standing.area[movers], kind]
            kept.seen[movers] = kept.own[movers] | here
        return kept

    def _reckoned(self, scope: Scope, *, public: bool) -> _Kept:
        registry = self._registry
        table = scope.table(registry.areas, self._kinds, public=public)
        own = np.zeros(registry.count, np.bool_)
        own[1:] = table[registry.area[1 : registry.count], registry.kind[1 : registry.count]]
        return _Kept(table, own, own.copy(), registry.version, -1)


def may_order(scope: Scope, area: str, kind: type[AssetKind], action: Action) -> bool:
    """Whether the scope allows this order to such an asset in this area."""
    may = scope.may(Verb.ORDER)
    if not action.service:
        return may.covers(Placement(area, kind.service, kind.verb))
    sees = scope.covers(Placement(area, kind.service, kind.verb))
    return sees and may.covers(Placement(area, action.service, Verb.SEE))
