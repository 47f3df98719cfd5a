"""Admission: readings in external names become a batch, or are refused row by row with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from vigie.core.kinds import Sort
from vigie.core.observations import Batch, Mask, Outcome, Rejected
from vigie.core.readings import Readings, Value
from vigie.core.times import DAY_US, MINUTE_US, rfc3339
from vigie.engine.registry import NO_POINT, SORTS, Registry

FUTURE_US_MAX = 5 * MINUTE_US
"""A value from further ahead than this is refused: the device's clock is wrong."""

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


class Admission:
    """The rules at the door. Reads the registry; changes nothing."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        widest = registry.point_number.shape[1]
        shape = (len(registry.kinds), widest)
        self._sort = np.zeros(shape, np.int8)
        self._low, self._high = np.zeros(shape), np.zeros(shape)
        for code, kind in enumerate(registry.kinds):
            for ordinal, point in enumerate(kind.points.values()):
                self._sort[code, ordinal] = SORTS.index(point.sort)
                self._low[code, ordinal], self._high[code, ordinal] = point.low, point.high

    def admit(self, readings: Readings, reporter: int | NDArray[np.int64], now_us: int) -> Admitted:
        """Turns readings into a batch. reporter: the number of the device that speaks, or ANY_REPORTER; one for all
        rows or one a row."""
        registry = self._registry
        count = len(readings)
        rejected = list(readings.refused)
        if not count:
            return Admitted(Batch.empty(), np.empty(0, np.int64), rejected)
        number, code = registry.numbers.get, registry.point_codes.get
        unknown = registry.unknown_point
        asset = np.fromiter([number(name, 0) for name in readings.assets], np.int64, count)
        point = np.fromiter([code(name, unknown) for name in readings.points], np.int64, count)
        kind = registry.kind[asset].astype(np.int64)
        ordinal = registry.ordinal[np.maximum(kind, 0), point]
        observed = np.array(readings.observed_us, np.int64)

        refusal: dict[Outcome, Mask] = {}
        good = np.ones(count, np.bool_)

        def refuse(outcome: Outcome, rows: Mask) -> None:
            nonlocal good
            rows = rows & good
            if rows.any():
                refusal[outcome] = rows
                good = good & ~rows

        refuse(Outcome.UNKNOWN_ASSET, (asset == 0) | registry.gone[asset])
        refuse(Outcome.NOT_YOURS, (registry.reporter[asset] != reporter) & (np.asarray(reporter) != ANY_REPORTER))
        refuse(Outcome.UNKNOWN_POINT, ordinal == NO_POINT)
        refuse(Outcome.FUTURE, observed > now_us + FUTURE_US_MAX)
        refuse(Outcome.TOO_OLD, observed < now_us - AGE_US_MAX)

        safe_kind, safe_ordinal = np.maximum(kind, 0), np.maximum(ordinal, 0)
        sort = self._sort[safe_kind, safe_ordinal]
        value, value2, texts, wrong = self._values(readings.values, sort, safe_kind, safe_ordinal, good)
        refuse(Outcome.WRONG_TYPE, wrong)
        numeric = sort != _TEXT
        infinite = numeric & ~np.isfinite(value) | (sort == _PLACE) & ~np.isfinite(value2)
        refuse(Outcome.NOT_FINITE, infinite)
        outside = (value < self._low[safe_kind, safe_ordinal]) | (value > self._high[safe_kind, safe_ordinal])
        outside = numeric & (sort != _PLACE) & outside
        outside |= (sort == _PLACE) & ((np.abs(value) > 180) | (np.abs(value2) > 90))
        outside |= (
            np.fromiter((len(texts.get(row, "")) > TEXT_LENGTH_MAX for row in range(count)), np.bool_, count)
            if texts
            else False
        )
        refuse(Outcome.OUT_OF_RANGE, outside)

        for outcome, rows in refusal.items():
            for row in np.flatnonzero(rows).tolist():
                rejected.append(Rejected(readings.rows[row], outcome, _detail(outcome, readings, row, now_us)))
        quality = np.zeros(count, np.uint8)
        for row, said in readings.quality.items():
            quality[row] = said
        whole = Batch(registry.base[asset] + safe_ordinal, observed, value, value2, quality, texts)
        places = np.array(readings.rows, np.int64)
        if good.all():
            return Admitted(whole, places, rejected)
        return Admitted(whole.take(good), places[good], sorted(rejected, key=lambda each: each.row))

    def _values(
        self, said: Sequence[Value], sort: Any, kind: Any, ordinal: Any, good: Mask
    ) -> tuple[Any, Any, dict[int, str], Mask]:
        """The values in columns; wrong marks the rows whose type is not their point's."""
        count = len(said)
        value2 = np.full(count, np.nan)
        wrong = np.zeros(count, np.bool_)
        texts: dict[int, str] = {}
        if set(map(type, said)) <= {float, int}:
            wrong = sort != _NUMBER
            return np.array(said, np.float64), value2, texts, wrong
        value = np.full(count, np.nan)
        registry = self._registry
        for row, (each, expected) in enumerate(zip(said, sort.tolist(), strict=True)):
            if not good[row]:
                continue
            if type(each) is float or type(each) is int:
                value[row] = each
                wrong[row] = expected != _NUMBER
            elif type(each) is bool:
                value[row] = each
                wrong[row] = expected != _FLAG
            elif type(each) is str:
                if expected == _CHOICE:
                    choices = tuple(registry.kinds[int(kind[row])].points.values())[int(ordinal[row])].choices
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


def _detail(outcome: Outcome, readings: Readings, row: int, now_us: int) -> str:
    """What the sender should know to mend it."""
    asset, point = readings.assets[row], readings.points[row]
    value = str(readings.values[row])[:60]
    match outcome:
        case Outcome.UNKNOWN_ASSET | Outcome.NOT_YOURS:
            return f"{asset[:80]!r} is no asset that this device reports for"
        case Outcome.UNKNOWN_POINT:
            return f"{asset!r} has no point {point[:80]!r}"
        case Outcome.FUTURE:
            return f"observed at {rfc3339(readings.observed_us[row])}, and it is {rfc3339(now_us)}: set the clock"
        case Outcome.TOO_OLD:
            return f"observed at {rfc3339(readings.observed_us[row])}: raw history is kept 30 days"
        case Outcome.OUT_OF_RANGE:
            return f"{point} of {asset!r} cannot be {value}"
        case _:
            return f"{point} of {asset!r} takes no {value!r}"
