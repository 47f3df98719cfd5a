"""What a change must keep to: limits that an engineer sets, and whether the seeds prove that they are kept.

A limit is kept for sure only where the whole 95 % interval of what is over it lies at or below zero. A mean that keeps
it by chance is not enough, and one that breaks it by chance is not broken.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from math import ceil, inf
from statistics import fmean, stdev
from typing import Any, cast

import msgspec

from vigie.core.student import student
from vigie.services.signals.whatif.figures import FIGURES, JUNCTION_QUEUE, Sort
from vigie.services.signals.whatif.paired import DIGITS, SEEDS_MIN, interval


class ThresholdsWrong(ValueError):
    """A file of thresholds that cannot be taken; says what is wrong with it, and what was probably meant."""


class Limit(msgspec.Struct, frozen=True):
    """What a figure must keep to, all that is given at once.

    at_most: the figure itself, in its unit. more_at_most: what it may have more than before, in its unit.
    more_percent_at_most: the same in percent of before; less than 0 asks for a gain. let_pass: so much more than before
    is no matter, whatever it is in percent: what is small doubles by chance.
    """

    at_most: float | None = None
    more_at_most: float | None = None
    more_percent_at_most: float | None = None
    let_pass: float = 0.0


BOUNDS = ("at_most", "more_at_most", "more_percent_at_most")
"""The bounds that a limit may have, by their names."""

Thresholds = Mapping[str, Limit]
"""The limit of each figure that has one."""

SAFE: Thresholds = {"violations": Limit(at_most=0)}
"""Of what the safety kernel forbids there is none, unless a file says otherwise."""

USUAL: Thresholds = {
    "mean_delay_s": Limit(more_percent_at_most=0),
    "max_wait_s": Limit(more_percent_at_most=10),
    "bus_delay_s": Limit(more_percent_at_most=0),
    "tram_delay_s": Limit(more_percent_at_most=0),
    "ped_p95_wait_s": Limit(more_percent_at_most=10),
    "ped_max_wait_s": Limit(at_most=120),
    JUNCTION_QUEUE: Limit(more_percent_at_most=20, let_pass=1),
    "unfinished": Limit(more_at_most=0),
    "walkers_left": Limit(more_at_most=0),
    **SAFE,
}
"""What is kept to where nobody says anything: nobody loses for the others' gain."""


class Held(StrEnum):
    """Whether a limit is kept. proved: surely. broken: surely not, or not on a day that was seen. not_shown: neither is
    sure. nobody: there is nobody whom it is about."""

    PROVED = "proved"
    NOT_SHOWN = "not shown"
    BROKEN = "broken"
    NOBODY = "nobody"


class Judged(msgspec.Struct, frozen=True):
    """One bound of a limit, judged. junction: empty for the whole network. over: what is over the limit on the mean,
    in the figure's unit, less than 0 where it is kept; low and high: the ends of its 95 % interval, None of one seed.
    seeds_wanted: so many seeds would prove it if the mean stays, None where more are of no use."""

    figure: str
    junction: str
    bound: str
    limit: float
    held: Held
    before: float | None = None
    after: float | None = None
    over: float | None = None
    low: float | None = None
    high: float | None = None
    seeds_wanted: int | None = None


SEEDS_WANTED_MAX = 1_000
BOUND_MAX = 1e12
"""No figure of a network comes near it."""
SHOWN_MAX = 40


def thresholds_of(text: str) -> Thresholds:
    """Reads a TOML file: a table for each figure, with its bounds. Raises ThresholdsWrong."""
    try:
        said = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # What is nested too deep, and a number of thousands of digits, are TOML that Python does not read.
        raise ThresholdsWrong(f"it is no TOML: {error}") from None
    found: dict[str, Limit] = {**SAFE}
    for name, table in said.items():
        if name not in FIGURES:
            raise ThresholdsWrong(f"there is no figure {name!r}. {_meant(name, FIGURES)}")
        if not isinstance(table, dict):
            raise ThresholdsWrong(f"{name} is no table: write [{name}], and below it at_most = {table!r}")
        found[name] = _limit(name, cast("dict[str, Any]", table))
    if not said:
        raise ThresholdsWrong("it sets no threshold")
    return found


def _limit(figure: str, table: Mapping[str, Any]) -> Limit:
    names = Limit.__struct_fields__
    for key, value in table.items():
        if key not in names:
            raise ThresholdsWrong(f"[{figure}] has no key {key!r}. {_meant(key, names)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= BOUND_MAX:
            raise ThresholdsWrong(f"{key} of [{figure}] is {_short(value)}, which is no number that it may be")
        if value < (-100 if key == "more_percent_at_most" else -inf if key == "more_at_most" else 0):
            raise ThresholdsWrong(f"{key} of [{figure}] is {value}: nothing can be so little")
    limit = Limit(**table)
    if all(getattr(limit, bound) is None for bound in BOUNDS):
        raise ThresholdsWrong(f"[{figure}] sets no bound: give {', '.join(BOUNDS)}")
    if limit.let_pass and any(
        value is not None and value < 0 for value in (limit.more_at_most, limit.more_percent_at_most)
    ):
        raise ThresholdsWrong(f"[{figure}] asks for a gain, and by let_pass for none: leave one of the two out")
    return limit


def _short(value: object) -> str:
    said = repr(value)
    return said if len(said) <= SHOWN_MAX else f"{said[:SHOWN_MAX]}..."


def _meant(name: str, names: Sequence[str] | Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, names, 1)
    return f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(names)}."


def judge(
    figure: str, limit: Limit, before: Sequence[float], after: Sequence[float], junction: str = ""
) -> list[Judged]:
    """Each bound of a limit, by what came of each seed; of no seed, there is nobody to have such a figure. What one
    side alone has is not shown to keep any."""
    found: list[Judged] = []
    for bound in BOUNDS:
        value: float | None = getattr(limit, bound)
        if value is None:
            continue
        if not (before and after):
            held = Held.NOT_SHOWN if before or after else Held.NOBODY
            was, became = (round(fmean(each), DIGITS) if each else None for each in (before, after))
            found.append(Judged(figure, junction, bound, value, held, was, became))
            continue
        over = [new - _allowed(limit, bound, value, old) for old, new in zip(before, after, strict=True)]
        ends = interval(over)
        held = _held(FIGURES[figure].sort, bound, over, ends)
        was, became, middle = (round(fmean(each), DIGITS) for each in (before, after, over))
        low, high = (round(ends[0], DIGITS), round(ends[1], DIGITS)) if ends else (None, None)
        wanted = _seeds_wanted(over) if held is Held.NOT_SHOWN else None
        found.append(Judged(figure, junction, bound, value, held, was, became, middle, low, high, wanted))
    return found


def _allowed(limit: Limit, bound: str, value: float, before: float) -> float:
    if bound == "at_most":
        return value
    more = value if bound == "more_at_most" else before * value / 100
    return before + (max(more, limit.let_pass) if limit.let_pass else more)


def _held(sort: Sort, bound: str, over: Sequence[float], ends: tuple[float, float] | None) -> Held:
    # What should not be at all, and a longest that may not be longer, are broken by the one day on which they are.
    if any(each > 0 for each in over) and (sort is Sort.COUNT or (sort is Sort.LONGEST and bound == "at_most")):
        return Held.BROKEN
    if ends is None:
        return Held.NOT_SHOWN
    if sort is Sort.COUNT or ends[1] <= 0:
        return Held.PROVED
    return Held.BROKEN if ends[0] > 0 else Held.NOT_SHOWN


def _seeds_wanted(over: Sequence[float]) -> int | None:
    """How many seeds would prove it, if mean and scatter stay as they are."""
    if len(over) < SEEDS_MIN:
        return 10
    middle, scatter = fmean(over), stdev(over)
    if middle >= 0:
        return None
    # The factor falls with the seeds; one step of it is near enough for a hint.
    first = ceil((student(len(over) - 1) * scatter / middle) ** 2)
    wanted = max(len(over) + 1, ceil((student(max(1, first - 1)) * scatter / middle) ** 2))
    return wanted if wanted <= SEEDS_WANTED_MAX else None


def holds(judged: Sequence[Judged]) -> bool:
    """Whether all limits are proved; one that is about nobody is not."""
    return all(each.held is Held.PROVED for each in judged)
