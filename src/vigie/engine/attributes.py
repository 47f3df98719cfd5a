"""What the inventory says of assets, in columns, remembered until it is changed.

A town's lamps are read from the store in about a second: too long for the engine's own thread, and for each step of a
slider. So they are read in another thread, and what was read holds for one version of the registry.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vigie.core.kinds import AssetKind, Attribute
from vigie.core.observations import Int64s
from vigie.core.service import Numbers, Service
from vigie.engine.ports import FactStore
from vigie.engine.registry import Registry

_KEPT_MAX = 16

Said = tuple[Int64s, Mapping[str, NDArray[Any]]]
_Key = tuple[str, tuple[str, ...]]


class Attributes:
    """What is remembered of the attributes of whole kinds."""

    def __init__(
        self, registry: Registry, facts: FactStore, services: Sequence[Service], *, on_disk: Callable[[int], bool]
    ) -> None:
        """services: those whose sweeps ask for attributes, which are read together (`read`). on_disk: whether all that
        made a version of the registry is in the store; asked from any thread."""
        self._registry, self._facts, self._on_disk = registry, facts, on_disk
        self._kept: OrderedDict[_Key, tuple[int, Said]] = OrderedDict()
        asked: dict[type[AssetKind], dict[str, None]] = {}
        for service in services:
            for kind, attributes in service.sweep.attributes.items() if service.sweep is not None else ():
                asked.setdefault(kind, {}).update(dict.fromkeys(each.name for each in attributes))
        self._asked = {kind: tuple(names) for kind, names in asked.items()}
        self._swept: dict[type[AssetKind], Said] = {}
        self._swept_version = -1 if asked else registry.version

    def of(self, kind: type[AssetKind], names: tuple[str, ...]) -> Said:
        """The attributes of all assets of a kind. May be called from any thread.

        The registry moves before the fact that says so is committed, so what is read meanwhile may be without it: it is
        told, and remembered only where all of that version was on disk before the reading began.
        """
        version, key = self._registry.version, (kind.kind, names)
        kept = self._kept.get(key)
        if kept is not None and kept[0] == version:
            return kept[1]
        whole = self._on_disk(version)
        said = self._facts.attributes(kind, names)
        if whole:
            self._kept[key] = (version, said)
            while len(self._kept) > _KEPT_MAX:
                self._kept.popitem(last=False)
        return said

    @property
    def are_warm(self) -> bool:
        """Whether what sweeps ask for is there as the inventory is now."""
        return not self._asked or self._swept_version == self._registry.version

    def read(self, version: int) -> None:
        """Reads what sweeps ask for. May be called from any thread. version: the registry's, at a moment at which all
        of it was on disk."""
        self._swept = {kind: self._facts.attributes(kind, names) for kind, names in self._asked.items()}
        self._swept_version = version

    def swept(self, kind: type[AssetKind], attribute: Attribute, assets: Numbers) -> NDArray[Any]:
        """One attribute of some assets, of those that sweeps ask for. Raises KeyError where none does."""
        return _each(self._swept[kind], attribute, assets)

    def each(self, kind: type[AssetKind], attribute: Attribute, assets: Numbers) -> NDArray[Any]:
        """One attribute of some assets, as the inventory is now: read from the store where it has changed. For kinds
        of which there are few."""
        return _each(self.of(kind, (attribute.name,)), attribute, assets)


def _each(read: Said, attribute: Attribute, assets: Numbers) -> NDArray[Any]:
    known, said = read
    column = said[attribute.name]
    found = np.full(len(assets), np.nan if column.dtype == np.float64 else "", column.dtype)
    rows = np.searchsorted(known, assets)
    there = rows < len(known)
    there[there] = known[rows[there]] == assets[there]
    found[there] = column[rows[there]]
    return found
