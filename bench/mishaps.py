"""What befalls gateways in a year: thrown from a seed, and where the rates come from.

How often things go wrong is no more than a guess that means to be on the dark side. Mobile networks: more than a fifth
of the connections that stand still are away for more than 10 minutes a day (Baltrunas, Elmokashfi, Kvalbein, "Measuring
the Reliability of Mobile Broadband Networks", IMC 2014); here each gateway is away about once a fortnight, for an hour
on average, and once a year for days, until somebody goes there. A clock that nobody sets goes by its quartz, 20 ppm or
some 50 s a month, as one gateway in ten does here; the others are set by the network. Beside that each gateway's clock
is wrong once a year by minutes, one time in ten by an hour, as after a summer time that did not come, until the
post has told it and a working day has passed.

Gateways are of four makes, each with an almanac of its own: what NOAA publishes for computing sunrise is good to a
minute, and dusk is told to gateways in minutes from their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from vigie.core.times import DAY_US, HOUR_US, MINUTE_US
from vigie.services.lighting.programmes.model import Clock, Programme, Rank, Rule, When, Window

LOST_A_YEAR, LOST_H, LONG_LOST, LONG_LOST_DAYS = 26.0, 1.0, 0.04, (1.0, 5.0)
"""How often a gateway is out of reach, for how long on average, and for which share it lasts days."""
RESTARTS_A_YEAR, DOWN_US = 4.0, 2 * MINUTE_US
BLANK_A_YEAR, ROBBED_A_YEAR = 0.25, 0.25
"""How often a gateway comes back empty, as one that was exchanged does, and how often somebody takes away what it
holds and the post is not told."""
WRONG_A_YEAR, WRONG_MIN, WRONG_SPREAD, HOUR_WRONG = 1.0, 5.0, 1.0, 0.1
"""How often a clock is set wrong, by how many minutes (the median, and the spread of its logarithm), and for which
share it is an hour."""
DRIFTING, DRIFT_PPM, DRIFT_NOTED_DAYS, SET_DAYS = 0.1, 20.0, 5, 30
REPORT_US, REPORTS_MAX = 15 * MINUTE_US, 24
"""By day a gateway may have no more to say than its meters' quarters of an hour. What was not told to be wrong after so
many reports never is."""
WATCHED_US = 45 * MINUTE_US
MAKES, ALMANAC_SD_S = 4, 20.0


class What(StrEnum):
    """What happens."""

    CHANGE = "change"
    LOST = "lost"
    BACK = "back"
    RESTART = "restart"
    BLANK = "blank"
    ROBBED = "robbed"
    WRONG = "wrong"
    DRIFT = "drift"
    REPORT = "report"
    RIGHT = "right"
    LOOK = "look"


@dataclass(frozen=True, order=True)
class Event:
    """Something that happens. who: a gateway, or the area whose programme changes. value: by how much a clock is ahead,
    in microseconds."""

    at_us: int
    what: What
    who: str = ""
    value: int = 0


def thrown(rng: np.random.Generator, names: Sequence[str], from_us: int, until_us: int) -> list[Event]:
    """What happens to some gateways between two instants."""
    years = (until_us - from_us) / (365 * DAY_US)
    found: list[Event] = []

    def times(a_year: float) -> list[int]:
        return sorted(rng.integers(from_us, until_us, rng.poisson(a_year * years)).tolist())

    for name in names:
        for at_us in times(LOST_A_YEAR):
            hours = 24 * rng.uniform(*LONG_LOST_DAYS) if rng.random() < LONG_LOST else rng.exponential(LOST_H)
            found += [Event(at_us, What.LOST, name), Event(at_us + int(hours * HOUR_US), What.BACK, name)]
        found += [Event(at_us, What.RESTART, name) for at_us in times(RESTARTS_A_YEAR)]
        found += [Event(at_us, What.BLANK, name) for at_us in times(BLANK_A_YEAR)]
        found += [Event(at_us, What.ROBBED, name) for at_us in times(ROBBED_A_YEAR)]
        for at_us in times(WRONG_A_YEAR):
            minutes = 60.0 if rng.random() < HOUR_WRONG else WRONG_MIN * rng.lognormal(0, WRONG_SPREAD)
            by_us = int(minutes * MINUTE_US) * (1 if rng.random() < 0.5 else -1)
            found.append(Event(at_us, What.WRONG, name, by_us))
            # It was heard before with a right clock, which the post still believes for a while.
            found += [Event(at_us - back_us, What.REPORT, name) for back_us in range(REPORT_US, WATCHED_US, REPORT_US)]
        if rng.random() < DRIFTING:
            ppm = rng.choice((-1, 1)) * DRIFT_PPM
            for at_us in range(from_us, until_us, DRIFT_NOTED_DAYS * DAY_US):
                since_us = (at_us - from_us) % (SET_DAYS * DAY_US) + DRIFT_NOTED_DAYS * DAY_US
                found.append(Event(at_us, What.DRIFT, name, int(since_us * ppm / 1e6)))
    return found


def own_suns(rng: np.random.Generator, count: int) -> list[tuple[int, int]]:
    """By how many seconds some gateways have sunrise and sunset later: as their make has it."""
    makes = [(round(rng.normal(0, ALMANAC_SD_S)), round(rng.normal(0, ALMANAC_SD_S))) for _ in range(MAKES)]
    return [makes[int(rng.integers(MAKES))] for _ in range(count)]


def changes(rng: np.random.Generator, areas: Sequence[str], from_us: int, until_us: int) -> list[Event]:
    """Each month some commune changes its programme, at any hour of any day."""
    month_us = (until_us - from_us) / 12
    return [
        Event(from_us + int((month + rng.random()) * month_us), What.CHANGE, areas[int(rng.integers(len(areas)))])
        for month in range(12)
    ]


def policy(rng: np.random.Generator, area: str) -> Programme:
    """What a commune may decide: to dim from some hour to another, and to do so later before days of rest."""
    late, early, level = (int(rng.integers(first, last)) for first, last in ((88, 96), (18, 25), (3, 9)))
    rules = [Rule("Toutes les nuits", (Window(Clock(late * 15), Clock(early * 15), level * 10),))]
    if rng.random() < 0.5:
        rules.insert(
            0, Rule("Fins de semaine", (Window(Clock(60), Clock(early * 15), level * 10),), When(weekdays=(4, 5)))
        )
    return Programme(area.rpartition("/")[2], Rank.AREA, area, rules=tuple(rules))
