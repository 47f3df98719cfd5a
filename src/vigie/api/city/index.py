"""What a search looks in: the words of ids, names and streets, in sorted columns.

A word of a question fits whatever begins with it; all of them must fit. Accents and capitals make no difference. The
words lie sorted with the numbers of their assets behind each other, so that all that begins alike is one slice.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from vigie.core.observations import Int64s, Mask
from vigie.engine.registry import Registry

WORDS_MAX = 8
"""So many words of a question count."""

CHANGED_MAX = 2_000
"""So many assets may have changed before the index is made anew; until then they are looked through one by one."""

_WORD = re.compile(r"[^\W_]+")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l"})
_LAST = "\U0010ffff"


def folded(text: str) -> str:
    """The text without accents and capitals."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LIGATURES))
    return "".join(sign for sign in plain if not unicodedata.combining(sign))


def words_of(text: str) -> list[str]:
    """The words of a text, folded; what is no letter and no figure parts them."""
    return _WORD.findall(folded(text))


class Words:
    """Which of some numbered texts have which words. `fits` costs two look-ups, whatever their number."""

    def __init__(self, texts: Iterable[tuple[int, str]], count: int) -> None:
        """texts: number and text each, numbers below `count`."""
        found: dict[str, list[int]] = {}
        for number, text in texts:
            for word in words_of(text):
                found.setdefault(word, []).append(number)
        self._words = sorted(found)
        ends = np.cumsum([len(found[word]) for word in self._words], dtype=np.int64)
        self._start = np.concatenate([np.zeros(1, np.int64), ends])
        self._numbers = np.fromiter(
            (number for word in self._words for number in found[word]), np.int32, int(self._start[-1])
        )
        self._count = count

    def fits(self, word: str) -> Mask:
        """For each number, whether a word of its text begins so."""
        low, high = bisect_left(self._words, word), bisect_left(self._words, word + _LAST)
        mask = np.zeros(self._count, np.bool_)
        mask[self._numbers[self._start[low] : self._start[high]]] = True
        return mask


class Beginnings:
    """Texts by how they begin as wholes."""

    def __init__(self, texts: Iterable[tuple[int, str]]) -> None:
        ordered = sorted((folded(text), number) for number, text in texts if text)
        self._texts = [text for text, _ in ordered]
        self._numbers = np.array([number for _, number in ordered], np.int64)

    def of(self, text: str) -> Int64s:
        """The numbers of the texts that begin with this one, in the order of the texts."""
        low, high = bisect_left(self._texts, text), bisect_left(self._texts, text + _LAST)
        return self._numbers[low:high]


class AssetIndex:
    """The index of all assets as they were when it was made, and what changed of them since."""

    def __init__(self, names: Sequence[str], ids: Sequence[str], streets: Sequence[str], street: NDArray[np.int32]):
        """Columns of a registry, copied: names, ids and the street's code by asset number; streets by their code."""
        self._names, self._street = names, street
        self.count = len(names)
        numbers = range(1, self.count)
        self._words = Words(((no, f"{ids[no]} {names[no]}") for no in numbers), self.count)
        self._begin = Beginnings((no, text) for no in numbers for text in (ids[no], names[no]) if text)
        self._streets = Words(enumerate(streets), len(streets))
        self._changed: Int64s = np.empty(0, np.int64)
        self.version = -1

    @staticmethod
    def of(registry: Registry) -> AssetIndex:
        """The index of a registry as it is."""
        count = registry.count
        index = AssetIndex(
            list(registry.names[:count]),
            list(registry.ids[:count]),
            list(registry.streets),
            registry.street[:count].copy(),
        )
        index.version = registry.version
        return index

    def catch_up(self, registry: Registry) -> int:
        """Notes which assets are not as they were; returns how many. They are looked through one by one from now on."""
        if self.version != registry.version:
            same = [old is new for old, new in zip(self._names, registry.names, strict=False)]
            differs = ~np.array(same, np.bool_) | (registry.street[: self.count] != self._street)
            fresh = np.arange(self.count, registry.count)
            self._changed = np.concatenate([np.flatnonzero(differs), fresh])
            self.version = registry.version
        return len(self._changed)

    def fits(self, registry: Registry, words: Sequence[str]) -> Mask:
        """For each asset of the registry, whether its id, name and street have words that begin with all of these."""
        mask = np.zeros(registry.count, np.bool_)
        if not words:
            return mask
        known = np.ones(self.count, np.bool_)
        for word in words[:WORDS_MAX]:
            known &= self._words.fits(word) | self._streets.fits(word)[self._street]
        mask[: self.count] = known
        for no in self._changed.tolist():
            own = words_of(f"{registry.ids[no]} {registry.names[no]} {registry.streets[int(registry.street[no])]}")
            mask[no] = all(any(each.startswith(word) for each in own) for word in words[:WORDS_MAX])
        return mask

    def beginning(self, registry: Registry, text: str) -> Int64s:
        """The assets whose id or name begins with the folded text, in the order of what begins so; some of them twice,
        where both do."""
        found = self._begin.of(text)
        if not len(self._changed):
            return found
        changed: list[int] = self._changed.tolist()
        fresh = [
            no
            for no in changed
            if folded(registry.ids[no]).startswith(text) or folded(registry.names[no]).startswith(text)
        ]
        return np.concatenate([found[~np.isin(found, self._changed)], np.array(fresh, np.int64)])
