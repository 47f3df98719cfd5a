"""Admission: readings become a batch, or are refused row by row with the reason.

What speaks in names (`admit`) has its names resolved first; what speaks in numbers already (`admit_columns`) is what
that leads to. The rules are one function over columns, the same for both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from vigie.core.kinds import Sort
from vigie.core.observations import FUTURE_US_MAX, Batch, Bytes, Floats, Int64s, Mask, Outcome, Rejected
from vigie.core.readings import Readings, Value
from vigie.core.times import DAY_US, rfc3339
from vigie.engine.registry import NO_POINT, SORTS, Registry
from vigie.engine.reticence import Reticences

AGE_US_MAX = 30 * DAY_US
"""A value older than the raw history is refused: there is nowhere to keep it."""

TEXT_LENGTH_MAX = 500

ANY_REPORTER = -1
"""The reporter that may speak for every asset: the post's own imports and tests."""

_NUMBER, _FLAG, _CHOICE, _PLACE, _TEXT = (
    SORTS.index(sort) for sort in (Sort.NUMBER, Sort.FLAG, Sort.CHOICE, Sort.PLACE, Sort.TEXT)
)


@dataclass(frozen=True, slots=True)
class Admitted:
    """What is let in, the place of each row in what was sent, and what is not let in."""

    batch: Batch
    rows: np.ndarray[tuple[int], np.dtype[np.int64]]
    rejected: list[Rejected]


@dataclass(frozen=True, slots=True)
class Columns:
    """Readings in numbers, in columns of one length.

    asset: numbers, 0 for one that is not known. point: codes of names (`Registry.point_codes`). observed_us:
    microseconds since the epoch. value: a number, a flag as 0 or 1, a choice as its code, a place's longitude; value2:
    a place's latitude, NaN for anything else. Texts do not travel in columns.
    """

    asset: Int64s
    point: Int64s
    observed_us: Int64s
    value: Floats
    value2: Floats

    def __len__(self) -> int:
        return len(self.asset)


@dataclass(frozen=True, slots=True)
class _Resolved:
    """Readings as the rules see them. kind, ordinal: what stands for 0 where there is none. known: whether the asset
    has such a point. wrong: whose value is not of its point's sort."""

    columns: Columns
    kind: Int64s
    ordinal: Int64s
    known: Mask
    sort: NDArray[np.int8]
    quality: Bytes
    texts: dict[int, str]
    wrong: Mask


class Admission:
    """The rules at the door. Reads the registry, and remembers whose clock was too far ahead: of such a device nothing
    is taken, and yet it lives."""

    def __init__(self, registry: Registry, reticences: Reticences | None = None) -> None:
        self._registry, self._reticences = registry, reticences
        widest = registry.point_number.shape[1]
        shape = (len(registry.kinds), widest)
        self._sort = np.zeros(shape, np.int8)
        self._low, self._high = np.zeros(shape), np.zeros(shape)
        self._by_post = np.zeros(shape, np.bool_)
        for code, kind in enumerate(registry.kinds):
            for ordinal, point in enumerate(kind.points.values()):
                self._sort[code, ordinal] = SORTS.index(point.sort)
                self._low[code, ordinal], self._high[code, ordinal] = point.low, point.high
                self._by_post[code, ordinal] = point.by_post
        self._point_names = list(registry.point_codes)
        # By asset number: when a reading was last refused as one of the future, and how far ahead it was.
        self._ahead_at_us, self._ahead_us = np.zeros(1024, np.int64), np.zeros(1024, np.int64)

    def admit(self, readings: Readings, reporter: int | Int64s, now_us: int) -> Admitted:
        """Turns readings into a batch. reporter: the number of the device that speaks, or ANY_REPORTER; one for all
        rows or one a row."""
        registry = self._registry
        count = len(readings)
        if not count:
            return Admitted(Batch.empty(), np.empty(0, np.int64), list(readings.refused))
        number, code = registry.numbers.get, registry.point_codes.get
        unknown = registry.unknown_point
        asset = np.fromiter([number(name, 0) for name in readings.assets], np.int64, count)
        point = np.fromiter([code(name, unknown) for name in readings.points], np.int64, count)
        observed_us = np.array(readings.observed_us, np.int64)
        unvalued = Columns(asset, point, observed_us, np.empty(0), np.empty(0))
        resolved = self._resolved(unvalued)
        value, value2, texts, wrong = self._values(readings.values, resolved)
        for row, said in readings.quality.items():
            resolved.quality[row] = said
        columns = replace(unvalued, value=value, value2=value2)
        resolved = replace(resolved, columns=columns, texts=texts, wrong=wrong)

        def detail(outcome: Outcome, row: int) -> str:
            said = (readings.assets[row], readings.points[row], str(readings.values[row]))
            return _detail(outcome, *said, readings.observed_us[row], now_us)

        admitted = self._ruled(resolved, reporter, now_us, np.array(readings.rows, np.int64), detail)
        if not readings.refused:
            return admitted
        return replace(admitted, rejected=sorted([*readings.refused, *admitted.rejected], key=lambda each: each.row))

    def admit_columns(self, columns: Columns, reporter: int | Int64s, now_us: int) -> Admitted:
        """The same for readings in numbers; a row's place is its place here."""
        resolved = self._resolved(columns)
        value, sort = columns.value, resolved.sort
        # What is no code or no flag would have had no name: it is of the wrong sort, as a name that is none.
        named = (sort == _CHOICE) | (sort == _FLAG)
        high = self._high[resolved.kind, resolved.ordinal]
        wrong = named & ~((value >= 0) & (value <= high) & (value == np.floor(value)))
        wrong |= (sort == _TEXT) | (sort != _PLACE) & ~np.isnan(columns.value2)

        def detail(outcome: Outcome, row: int) -> str:
            asset, point = int(columns.asset[row]), int(columns.point[row])
            known = point < len(self._point_names)
            name = self._point_names[point] if known else f"number {point}"
            said = str(float(value[row]))
            return _detail(outcome, self._registry.ids[asset], name, said, int(columns.observed_us[row]), now_us)

        return self._ruled(replace(resolved, wrong=wrong), reporter, now_us, np.arange(len(columns)), detail)

    def refused_ahead(self, assets: Int64s) -> tuple[Int64s, Int64s]:
        """When a reading of each asset was last refused because it was of the future, 0 for never; and by how many
        microseconds it was ahead."""
        self._fit(int(assets.max(initial=0)))
        return self._ahead_at_us[assets], self._ahead_us[assets]

    def _note_ahead(self, asset: Int64s, by_us: Int64s, now_us: int) -> None:
        self._fit(int(asset.max()))
        self._ahead_at_us[asset], self._ahead_us[asset] = now_us, by_us

    def _fit(self, number: int) -> None:
        if number >= len(self._ahead_us):
            more = 2 * number - len(self._ahead_us)
            self._ahead_at_us, self._ahead_us = (
                np.pad(each, (0, more)) for each in (self._ahead_at_us, self._ahead_us)
            )

    def _resolved(self, columns: Columns) -> _Resolved:
        """What the registry knows of the assets and points that are named."""
        registry, count = self._registry, len(columns)
        kind = np.maximum(registry.kind[columns.asset].astype(np.int64), 0)
        ordinal = registry.ordinal[kind, columns.point]
        known = ordinal != NO_POINT
        ordinal = np.maximum(ordinal, 0)
        nothing = np.zeros(count, np.bool_)
        return _Resolved(
            columns, kind, ordinal, known, self._sort[kind, ordinal], np.zeros(count, np.uint8), {}, nothing
        )

    def _ruled(
        self,
        said: _Resolved,
        reporter: int | Int64s,
        now_us: int,
        places: Int64s,
        detail: Callable[[Outcome, int], str],
    ) -> Admitted:
        """The rules, in the order in which the first that is broken is told."""
        registry, columns, sort = self._registry, said.columns, said.sort
        asset, observed, value, value2 = columns.asset, columns.observed_us, columns.value, columns.value2
        numeric, place = sort != _TEXT, sort == _PLACE
        good = np.ones(len(columns), np.bool_)
        refused: list[tuple[Outcome, Mask]] = []

        def refuse(outcome: Outcome, rows: Mask) -> None:
            nonlocal good
            rows = rows & good
            if rows.any():
                refused.append((outcome, rows))
                good = good & ~rows

        refuse(Outcome.UNKNOWN_ASSET, (asset == 0) | registry.gone[asset])
        of_device = np.asarray(reporter) != ANY_REPORTER
        refuse(Outcome.NOT_YOURS, (registry.reporter[asset] != reporter) & of_device)
        refuse(Outcome.UNKNOWN_POINT, ~said.known)
        refuse(Outcome.NOT_YOURS, self._by_post[said.kind, said.ordinal] & of_device)
        ahead = good & (observed > now_us + FUTURE_US_MAX)
        if ahead.any():
            self._note_ahead(asset[ahead], observed[ahead] - now_us, now_us)
        refuse(Outcome.FUTURE, ahead)
        refuse(Outcome.TOO_OLD, observed < now_us - AGE_US_MAX)
        refuse(Outcome.WRONG_TYPE, said.wrong)
        refuse(Outcome.NOT_FINITE, numeric & ~np.isfinite(value) | place & ~np.isfinite(value2))
        outside = (value < self._low[said.kind, said.ordinal]) | (value > self._high[said.kind, said.ordinal])
        outside &= numeric & ~place
        outside |= place & ((np.abs(value) > 180) | (np.abs(value2) > 90))
        outside[[row for row, text in said.texts.items() if len(text) > TEXT_LENGTH_MAX]] = True
        refuse(Outcome.OUT_OF_RANGE, outside)
        if self._reticences is not None:
            withheld = self._reticences.withheld(asset, said.kind, said.ordinal, observed, value, good)
            for outcome, rows in withheld.items():
                refuse(outcome, rows)

        rejected = [
            Rejected(int(places[row]), outcome, detail(outcome, row))
            for outcome, rows in refused
            for row in np.flatnonzero(rows).tolist()
        ]
        batch = Batch(registry.base[asset] + said.ordinal, observed, value, value2, said.quality, said.texts)
        if not rejected:
            return Admitted(batch, places, rejected)
        return Admitted(batch.take(good), places[good], sorted(rejected, key=lambda each: each.row))

    def _values(self, said: Sequence[Value], resolved: _Resolved) -> tuple[Floats, Floats, dict[int, str], Mask]:
        """The values in columns; wrong marks the rows whose type is not their point's."""
        count, sort = len(said), resolved.sort
        value2 = np.full(count, np.nan)
        texts: dict[int, str] = {}
        if set(map(type, said)) <= {float, int}:
            return np.array(said, np.float64), value2, texts, sort != _NUMBER
        value, wrong = np.full(count, np.nan), np.zeros(count, np.bool_)
        kinds = self._registry.kinds
        for row, (each, expected) in enumerate(zip(said, sort.tolist(), strict=True)):
            if type(each) is float or type(each) is int:
                value[row] = each
                wrong[row] = expected != _NUMBER
            elif type(each) is bool:
                value[row] = each
                wrong[row] = expected != _FLAG
            elif type(each) is str:
                if expected == _CHOICE:
                    kind, ordinal = int(resolved.kind[row]), int(resolved.ordinal[row])
                    choices = tuple(kinds[kind].points.values())[ordinal].choices
                    wrong[row] = each not in choices
                    value[row] = np.nan if wrong[row] else choices.index(each)
                elif expected == _TEXT:
                    texts[row] = each
                else:
                    wrong[row] = True
            else:
                value[row], value2[row] = cast("tuple[float, float]", each)
                wrong[row] = expected != _PLACE
        return value, value2, texts, wrong


def _detail(outcome: Outcome, asset: str, point: str, value: str, observed_us: int, now_us: int) -> str:
    """What the sender should know to mend it."""
    value = value[:60]
    match outcome:
        case Outcome.UNKNOWN_ASSET | Outcome.NOT_YOURS:
            return f"{asset[:80]!r} is no asset that this device reports for"
        case Outcome.UNKNOWN_POINT:
            return f"{asset!r} has no point {point[:80]!r}"
        case Outcome.FUTURE:
            return f"observed at {rfc3339(observed_us)}, and it is {rfc3339(now_us)}: set the clock"
        case Outcome.TOO_OLD:
            return f"observed at {rfc3339(observed_us)}: raw history is kept 30 days"
        case Outcome.OFF_HOURS | Outcome.PRIVATE:
            why = "outside its working hours" if outcome is Outcome.OFF_HOURS else "private"
            return f"{point} of {asset!r} at {rfc3339(observed_us)} is not kept: that is {why}"
        case Outcome.OUT_OF_RANGE:
            return f"{point} of {asset!r} cannot be {value}"
        case _:
            return f"{point} of {asset!r} takes no {value!r}"
