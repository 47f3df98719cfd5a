"""Local times become instants, and whatever a clock change or a mixed zone leaves open is decided by a stated rule.

The laws:

1. A time that names its offset is that instant. A naive time is read in the feed's zone.
2. A naive time in the hour that comes twice (autumn) is two instants. By the order of the file it is told which: for
   each asset, what comes after its clock went back is the second. Where nothing goes back, the first is assumed.
3. A naive time in the hour that does not exist (spring) is refused, unless the mapping says that the publisher changed
   its clock late: then it is read with the offset from before the change.
4. Where a feed mixes two zones, the rows of one time are a batch, batches are published in order, and the feed's zone
   is the rule. A batch that is later than the one after it is read in the other zone; if it then still is later, it
   is refused. A run of such batches escapes only if it follows on a pause at least as long as the zones lie apart:
   those pauses are counted.

Nothing is decided in silence: `Times` counts each case.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from vigie.core.times import SECOND_US, to_us
from vigie.protocols.feeds.mapping import ISO, Skipped, TimeRule, Twice, zone_of

YEARS = range(1970, 2200)
"""A time outside of these is a slip of writing, and instants near the ends of the calendar cannot be moved."""

Instant = int | str
"""Microseconds since the epoch, or why there is none."""


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """How the times of a file were understood: rows of each case. They add up to the rows that have a time.

    plain: naive, and one instant. with_offset: they name it themselves. twice_first, twice_second: in the hour that
    comes twice, told by order or by rule. twice_assumed: in that hour, and nothing shows which; the first was taken.
    skipped: in the hour that does not exist, read with the offset from before. other_zone: written in the other zone.
    refused: no time, or one that no rule allows. pauses: places in the file where a run of the other zone could hide.
    """

    zone: str
    other: str = ""
    plain: int = 0
    with_offset: int = 0
    twice_first: int = 0
    twice_second: int = 0
    twice_assumed: int = 0
    skipped: int = 0
    other_zone: int = 0
    refused: int = 0
    pauses: int = 0


@dataclass(frozen=True, slots=True)
class _Naive:
    """What a naive time may mean: its instants, two of them in the hour that comes twice."""

    local: datetime
    first_us: int
    second_us: int
    exists: bool

    @property
    def is_twice(self) -> bool:
        return self.exists and self.first_us != self.second_us


def read_times(texts: Sequence[str], keys: Sequence[str], rule: TimeRule, zone: str) -> tuple[list[Instant], Times]:
    """The instant of each row, in the file's order. keys: the asset that each row speaks of.

    zone: of naive times, unless the rule names one. Raises FeedError for a zone that nobody knows.
    """
    reader = _Reader(rule, zone_of(rule.zone or zone))
    said = [reader.read(text) for text in texts]
    counts = dict.fromkeys(Times.__struct_fields__[2:], 0)
    if rule.other_zone:
        instants, counts["pauses"] = _mixed(said, texts, zone_of(rule.other_zone), counts)
    else:
        instants = _single(said, keys, rule, counts)
    after_us = rule.covers_s * SECOND_US
    moved: list[Instant] = [each if isinstance(each, str) else each + after_us for each in instants]
    counts["refused"] = sum(isinstance(each, str) for each in moved)
    return moved, Times(zone=rule.zone or zone, other=rule.other_zone, **counts)


class _Reader:
    """Reads texts, each different one once."""

    def __init__(self, rule: TimeRule, zone: ZoneInfo) -> None:
        self._format, self._zone = rule.format, zone
        self._known: dict[str, _Naive | int | str] = {}

    def read(self, text: str) -> _Naive | int | str:
        """What a time may mean: a naive one, an instant, or why it is none."""
        found = self._known.get(text)
        if found is None:
            found = self._known[text] = self._parse(text)
        return found

    def _parse(self, text: str) -> _Naive | int | str:
        if not text:
            return "it has no time"
        try:
            read = datetime.fromisoformat(text) if self._format == ISO else datetime.strptime(text, self._format)  # noqa: DTZ007
            if read.year not in YEARS:
                return f"{text[:40]!r} is no time that anything was observed at"
            if read.tzinfo is not None:
                return to_us(read)
            return naive_in(read, self._zone)
        except (ValueError, OverflowError):
            return f"{text[:40]!r} is no time as {self._format} writes it"


def naive_in(local: datetime, zone: ZoneInfo) -> _Naive:
    """What a naive time means in a zone (PEP 495: in a gap, fold 0 has the offset from before the change)."""
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    before, after = first.utcoffset() or timedelta(0), second.utcoffset() or timedelta(0)
    return _Naive(local, _at(local, before), _at(local, after), before >= after)


def _at(local: datetime, offset: timedelta) -> int:
    return to_us(local.replace(tzinfo=UTC)) - offset // timedelta(microseconds=1)


def _single(
    said: Sequence[_Naive | int | str], keys: Sequence[str], rule: TimeRule, counts: dict[str, int]
) -> list[Instant]:
    """Instants in one zone."""
    instants: list[Instant] = []
    twice: list[int] = []
    for row, each in enumerate(said):
        if isinstance(each, str):
            instants.append(each)
        elif isinstance(each, int):
            counts["with_offset"] += 1
            instants.append(each)
        elif not each.exists:
            instants.append(_in_gap(each, rule, counts))
        else:
            if each.is_twice:
                twice.append(row)
            else:
                counts["plain"] += 1
            instants.append(each.first_us)
    if twice:
        _settle(said, keys, twice, rule.twice, instants, counts)
    return instants


def _in_gap(each: _Naive, rule: TimeRule, counts: dict[str, int]) -> Instant:
    if rule.skipped is Skipped.REJECT:
        return f"{each.local} does not exist: the clock was put forward over it"
    counts["skipped"] += 1
    return each.first_us


def _settle(
    said: Sequence[_Naive | int | str],
    keys: Sequence[str],
    twice: Sequence[int],
    how: Twice,
    instants: list[Instant],
    counts: dict[str, int],
) -> None:
    """Decides for the rows of the hour that comes twice."""
    locals_ = [each.local for each in said if isinstance(each, _Naive)]
    groups: dict[tuple[str, object], list[int]] = defaultdict(list)
    for row in twice if locals_[0] <= locals_[-1] else reversed(twice):  # a feed may be written newest first
        each = said[row]
        assert isinstance(each, _Naive)
        groups[keys[row], each.local.date()].append(row)
    for rows in groups.values():
        own = [each for row in rows if isinstance(each := said[row], _Naive)]
        back = next((i for i in range(1, len(own)) if own[i].local <= own[i - 1].local), None)
        for i, (row, each) in enumerate(zip(rows, own, strict=True)):
            if how is Twice.REJECT:
                instants[row] = f"{each.local} comes twice, and nothing says which it is"
            elif how is Twice.ORDER and back is None:
                counts["twice_assumed"] += 1
            elif how is Twice.SECOND or (how is Twice.ORDER and back is not None and i >= back):
                counts["twice_second"] += 1
                instants[row] = each.second_us
            else:
                counts["twice_first"] += 1


def _mixed(
    said: Sequence[_Naive | int | str], texts: Sequence[str], other: ZoneInfo, counts: dict[str, int]
) -> tuple[list[Instant], int]:
    """Instants of a feed that mixes two zones, and how many pauses could hide a run of the other one. Law 4."""
    instants: list[Instant] = [each.first_us if isinstance(each, _Naive) else each for each in said]
    batches: list[list[int]] = []
    for row, each in enumerate(said):
        if isinstance(each, _Naive):
            if batches and texts[batches[-1][0]] == texts[row]:
                batches[-1].append(row)
            else:
                batches.append([row])
        elif isinstance(each, int):
            counts["with_offset"] += 1
    next_us: int | None = None
    next_local: datetime | None = None
    pauses = 0
    for rows in reversed(batches):
        each = said[rows[0]]
        assert isinstance(each, _Naive)
        at: Instant = each.first_us
        if next_us is not None and each.first_us > next_us:
            there = naive_in(each.local, other)
            fitting = [us for us in (there.second_us, there.first_us) if us <= next_us]
            at = fitting[0] if fitting else f"{each.local} is later than the row after it, in both zones"
            if fitting:
                counts["other_zone"] += len(rows)
        else:
            counts["plain"] += len(rows)
            if next_us is not None and next_local is not None:
                apart = abs(next_local.replace(tzinfo=other).utcoffset() or timedelta(0))
                pauses += next_us - each.first_us >= apart // timedelta(microseconds=1)
        for row in rows:
            instants[row] = at
        if isinstance(at, int):
            next_us, next_local = at, each.local
    return instants, pauses
