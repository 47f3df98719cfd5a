"""What is not taken in, so that nobody is followed who is not to be: the services' rules, asked of each reading before
anything is kept of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import Any, NamedTuple

import numpy as np

from vigie.core.arrays import ints
from vigie.core.kinds import Point
from vigie.core.observations import Floats, Int64s, Mask, Outcome
from vigie.core.service import Numbers, Reticence, Service
from vigie.engine.attributes import Attributes
from vigie.engine.picture import NEVER_US, Picture
from vigie.engine.registry import Registry

Words = Mapping[int, Sequence[tuple[int, bool]]]
"""By asset number: when it said of itself that it is private, or is not."""


class Unfollowed(NamedTuple):
    """Why an asset is not followed, and of which of its points nothing is taken in."""

    why: Outcome
    points: tuple[Point[Any], ...]


class Reticences:
    """The rules of all services, by kind."""

    def __init__(
        self, registry: Registry, picture: Picture, attributes: Attributes, zone: tzinfo, services: Sequence[Service]
    ) -> None:
        self._registry, self._picture, self._attributes, self._zone = registry, picture, attributes, zone
        self._rules = {registry.kind_codes[each.kind.kind]: each for own in services for each in own.reticence}
        shape = registry.point_number.shape
        self._asked, self._switch = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
        for code, rule in self._rules.items():
            for point in rule.points:
                self._asked[code, registry.ordinal[code, registry.point_codes[point.name]]] = True
            self._switch[code, registry.ordinal[code, registry.point_codes[rule.switch.name]]] = True

    def withheld(
        self, asset: Numbers, kind: Int64s, ordinal: Int64s, observed_us: Int64s, value: Floats, good: Mask
    ) -> Mapping[Outcome, Mask]:
        """Which readings are dropped, by why. good: those that nothing else is against; what a switch among them says
        counts for all."""
        asked = np.flatnonzero(self._asked[kind, ordinal] & good)
        if not len(asked):
            return {}
        words: defaultdict[int, list[tuple[int, bool]]] = defaultdict(list)
        for row in ints(np.flatnonzero(self._switch[kind, ordinal] & good)):
            words[int(asset[row])].append((int(observed_us[row]), bool(value[row])))
        found: dict[Outcome, Mask] = {}
        for code, rule in self._rules.items():
            rows = asked[kind[asked] == code]
            if len(rows):
                for at, why in self._dropped(rule, asset[rows], observed_us[rows], words):
                    found.setdefault(why, np.zeros(len(good), np.bool_))[rows[at]] = True
        return found

    def now(self, asset: int, now_us: int) -> Unfollowed | None:
        """Why an asset is not followed now; None: it is."""
        rule = self._rules.get(int(self._registry.kind[asset]))
        if rule is None:
            return None
        dropped = self._dropped(rule, np.array([asset], np.int64), np.array([now_us], np.int64), {})
        return next((Unfollowed(why, rule.points) for _, why in dropped), None)

    def _dropped(
        self, rule: Reticence, asset: Numbers, observed_us: Int64s, words: Words
    ) -> Iterator[tuple[int, Outcome]]:
        """Which of these rows are dropped, and why. words: what comes together with them."""
        self._picture.fit()
        slots = self._registry.slots_of(rule.kind, rule.switch, asset)
        said_us, said = self._picture.observed_us[slots], self._picture.value[slots]
        texts = self._attributes.each(rule.kind, rule.attribute, asset)
        # Of most nothing of the kind is known, and they are past at once.
        concerned = (said_us != NEVER_US) | (texts != "") | np.isin(asset, np.fromiter(words, np.int64, len(words)))
        for row in ints(np.flatnonzero(concerned)):
            known = [*words.get(int(asset[row]), ())]
            if said_us[row] != NEVER_US:
                known.append((int(said_us[row]), bool(said[row])))
            why = rule.rule(str(texts[row]), known, int(observed_us[row]), self._zone)
            if why is not None:
                yield row, why
