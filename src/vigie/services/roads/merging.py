"""Whether two residents speak of the same thing: by how far apart they say it is, and by their words.

A telephone is off by some ten metres, and whoever reports stands beside the thing. So two reports of one category are
weighed: the square of the distance against what telephones err by, house numbers that both name, and the words that
both use. What is too far apart is never the same, nor are two things that people have told apart themselves, by what is
written on them; and of several that are near the likeliest is taken.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from vigie.core.ground import M_PER_DEGREE
from vigie.core.times import DAY_US

APART_M = 12.0
"""What two reports of one thing differ by along each axis, by the noise of two telephones and of where people stand."""
REACH_M = 60.0
"""What lies farther apart is two things."""
CELL_MAX = 64
"""A report is weighed against so many at most of those in each square of `REACH_M`, the newest: what strangers pour
onto one place costs no more."""

_BESIDE = 2.0
"""What speaks for it, where two say that they stand at the same place and nothing else."""
_SAME_NUMBER, _OTHER_NUMBER = 2.0, -3.0
_NUMBERS_APART = 4
"""Houses whose numbers differ by no more are neighbours: two who stand there may each read another."""
_SAME_ASSET, _OTHER_ASSET = 0.5, -0.5
_SAME_WORDS, _OTHER_WORDS = 2.0, -0.5
_A_DAY = 0.02
"""What a day between them counts for: most of what is reported twice is so within a week."""
ENOUGH = 1.0

_SHORT = frozenset(
    "a au aux avec ce cette dans de des du en est et il la le les ma mon par pas pour qui que sur un une"
    " the of in on at is it and to an there has been not my our".split()
)
_WHAT: Mapping[str, str] = {
    "out": "eteint panne hors dead plus marche noir dark broken",
    "flicker": "clignote flicker blink vacille",
    "by day": "jour journee day",
    "pole": "mat poteau pole penche tordu choc voiture leaning accidente",
    "bags": "sac sacs poubelle ordure bag bags rubbish trash garbage",
    "mattress": "matelas sommier mattress lit bed",
    "sofa": "canape sofa couch fauteuil armchair",
    "rubble": "gravat rubble chantier builder platre",
    "appliance": "frigo refrigerateur fridge laver electromenager washing",
    "hole": "nid poule trou pothole hole defonce",
    "cycleway": "cyclable bike cycle velo",
    "pavement": "affaisse sinking sunken",
    "insult": "injur insult hate haine raciste racist",
    "cabinet": "armoire coffret cabinet",
    "bill": "affich bills poster colle stuck",
    "wall": "mur wall facade tague",
}
_BEGINS = {what: tuple(words.split()) for what, words in _WHAT.items()}
"""What is wrong, by what its words begin with in French and in English, without accents: two who name different things
of one sort speak of two."""
_SAME_WHAT, _OTHER_WHAT = 1.5, -2.0

_MARKED = r"(?:n ?°|no\.?|nr\.?|numero|number|#)"
_OWN = re.compile(
    r"\b(?:lampadaire|candelabre|reverbere|poteau|mat|lamp|lamp ?post|pole|column|armoire|cabinet)s?"
    r"(?: (?!au\b|aux\b|du\b|de\b|face\b|devant\b|at\b|near\b|by\b|opposite\b|outside\b)[a-z]+)?,? "
    + _MARKED
    + r" ?(\d{1,6})\b(?! ?,? ?(?:bis |ter )?(?:rue|av|avenue|bd|boulevard|place|allee|impasse|chemin|quai|route|cours"
    r"|square|street|road)\b)",
    re.ASCII,
)
"""What is written on a thing, not on the house beside it: "lampadaire éteint n° 12", but not "devant le n° 12"."""
_NUMBER = re.compile(r"(?<![\d,.])\d{1,4}(?![\d,.])", re.ASCII)
_STEM = 5


@dataclass(frozen=True, slots=True)
class Seen:
    """One report. asset: the number of what it is about, 0 where none is known. named: whether people said so
    themselves; else it is what lies nearest."""

    id: str
    category: str
    lon: float
    lat: float
    at_us: int
    asset: int = 0
    words: str = ""
    named: bool = False


@dataclass(frozen=True, slots=True)
class _Said:
    """What a report's words say. own: what is written on the thing, "" for nothing."""

    stems: frozenset[str]
    numbers: frozenset[int]
    what: frozenset[str]
    own: str


class _Read:
    """A report, read once. x_m, y_m: east and north."""

    __slots__ = ("_said", "seen", "x_m", "y_m")

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        # A degree of longitude is as long as it is at this latitude, to the metre within the reach of two reports.
        self.x_m = seen.lon * M_PER_DEGREE * math.cos(math.radians(round(seen.lat, 1)))
        self.y_m = seen.lat * M_PER_DEGREE
        self._said: _Said | None = None

    @property
    def said(self) -> _Said:
        """Its words, read when somebody is near."""
        if self._said is None:
            self._said = _said(self.seen.words)
        return self._said

    @property
    def cell(self) -> tuple[str, int, int]:
        """The square in which it lies, of its category."""
        return self.seen.category, int(self.x_m // REACH_M), int(self.y_m // REACH_M)


@dataclass
class Known:
    """The reports that a new one may be the same as, by where they lie."""

    _cells: dict[tuple[str, int, int], dict[str, _Read]] = field(
        default_factory=lambda: defaultdict[tuple[str, int, int], dict[str, _Read]](dict)
    )
    _held: dict[str, _Read] = field(default_factory=dict[str, _Read])
    weighed: int = 0
    """How many pairs have been weighed."""

    def __contains__(self, report: str) -> bool:
        return report in self._held

    def __iter__(self) -> Iterator[Seen]:
        return iter([each.seen for each in self._held.values()])

    def add(self, seen: Seen) -> None:
        """Later ones may be the same as this."""
        read = _Read(seen)
        self._cells[read.cell][seen.id] = read
        self._held[seen.id] = read

    def drop(self, report: str) -> None:
        """None will be the same as this any more."""
        read = self._held.pop(report, None)
        if read is not None:
            cell = self._cells[read.cell]
            del cell[report]
            if not cell:
                del self._cells[read.cell]

    def same(self, seen: Seen, apart: Collection[str] = ()) -> str | None:
        """The earlier report that speaks of the same thing, the likeliest of those that may; None for none. apart: what
        people have told apart from it."""
        read, before = _Read(seen), (seen.at_us, seen.id)
        _, column, row = read.cell
        best, most = None, ENOUGH
        for x in (column - 1, column, column + 1):
            for y in (row - 1, row, row + 1):
                cell = self._cells.get((seen.category, x, y), {})
                self.weighed += min(len(cell), CELL_MAX)
                for other in islice(reversed(cell.values()), CELL_MAX):
                    if (other.seen.at_us, other.seen.id) >= before or other.seen.id in apart:
                        continue
                    if (weight := _alike(read, other)) > most:
                        best, most = other.seen.id, weight
        return best


def _alike(one: _Read, other: _Read) -> float:
    """How much speaks for their being one thing; above `ENOUGH` they are held to be."""
    apart_m2 = (one.x_m - other.x_m) ** 2 + (one.y_m - other.y_m) ** 2
    if apart_m2 > REACH_M**2:
        return -math.inf
    if one.seen.named and other.seen.named and one.seen.asset != other.seen.asset:
        return -math.inf
    mine, theirs = one.said, other.said
    if mine.own and theirs.own and mine.own != theirs.own:
        return -math.inf
    weight = _BESIDE - apart_m2 / (2 * APART_M**2) - _A_DAY * abs(one.seen.at_us - other.seen.at_us) / DAY_US
    if mine.numbers and theirs.numbers:
        far = min(abs(a - b) for a in mine.numbers for b in theirs.numbers)
        weight += _SAME_NUMBER if far == 0 else _OTHER_NUMBER if far > _NUMBERS_APART else 0.0
    if one.seen.asset and other.seen.asset:
        weight += _SAME_ASSET if one.seen.asset == other.seen.asset else _OTHER_ASSET
    if mine.what and theirs.what:
        weight += _SAME_WHAT if mine.what & theirs.what else _OTHER_WHAT
    fewer = min(len(mine.stems), len(theirs.stems))
    if fewer:
        share = len(mine.stems & theirs.stems) / fewer
        weight += _SAME_WORDS * share if share else _OTHER_WORDS
    return weight


def _said(words_said: str) -> _Said:
    plain = "".join(
        sign for sign in unicodedata.normalize("NFKD", words_said.lower()) if not unicodedata.combining(sign)
    )
    words = re.findall(r"[a-z]{2,}", plain)
    own = _OWN.search(plain)
    return _Said(
        frozenset(word[:_STEM] for word in words if word not in _SHORT),
        frozenset(int(number) for number in _NUMBER.findall(plain)),
        frozenset(what for what, begins in _BEGINS.items() if any(word.startswith(begins) for word in words)),
        own[1].lstrip("0") if own else "",
    )
