"""Traffic: how well the next hour is foretold, on Berlin's counts of March 2024."""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from pathlib import Path

import holidays
import numpy as np

from bench.harness import Measured, measurement
from vigie.core.calendar import day_number
from vigie.core.observations import Floats, Int64s
from vigie.services.signals.flow.forecast import forecasts, learn
from vigie.services.signals.flow.usual import HOURS

COUNTS = Path(__file__).resolve().parents[2] / "shared" / "feeds" / "berlin-counts" / "berlin_mq_hr_2024_03.csv.gz"
FIRST, DAYS = day_number("2024-03-01"), 31
LEARNED, NORMAL, EASTER = slice(0, 21), slice(21, 28), slice(28, 31)
"""Three weeks are learned from; the fourth is normal, and then come Good Friday, Saturday and Easter Sunday."""

WEEK_H, RULE = 168, 0.7


@dataclass(frozen=True)
class _Errors:
    """Mean absolute errors in vehicles an hour, over the same hours. inside: how many hours in a hundred lay in the
    interval that was told. rms: the root of the mean square, ours."""

    ours: float
    persistence: float
    last_week: float
    rule: float
    inside: float
    rms: float

    @property
    def gain(self) -> float:
        """Percent below the better of persistence and same hour last week."""
        return 100 * (1 - self.ours / min(self.persistence, self.last_week))

    @property
    def gain_on_rule(self) -> float:
        """Percent below last week and 0.7 times this hour's deviation."""
        return 100 * (1 - self.ours / self.rule)

    def told(self, which: str) -> str:
        """A line."""
        return (
            f"{which}: {self.ours:.1f} vehicles an hour; persistence {self.persistence:.1f}, "
            f"last week {self.last_week:.1f}, rule {self.rule:.1f}; "
            f"rms {self.rms:.1f}; {self.inside:.0f} % inside an interval for 80 %"
        )


def read_counts() -> Floats:
    """Vehicles an hour, (day, 24, cross-section). Raises OSError where the file is missing."""
    rows: dict[tuple[str, int], float] = {}
    with gzip.open(COUNTS, "rt", encoding="latin-1") as file:
        for row in csv.DictReader(file, delimiter=";"):
            hour = (int(row["tag"][:2]) - 1) * HOURS + int(row["stunde"])
            vehicles = float(row["q_kfz_mq_hr"])
            # The clock change left an hour out, which the file has all the same in some rows; -1 is no value.
            rows[row["mq_name"], hour] = vehicles if vehicles >= 0 else np.nan
    names = {name: at for at, name in enumerate(sorted({name for name, _ in rows}))}
    counts = np.full((DAYS * HOURS, len(names)), np.nan)
    for (name, hour), vehicles in rows.items():
        counts[hour, names[name]] = vehicles
    return counts.reshape(DAYS, HOURS, -1)


def _compared() -> dict[str, _Errors]:
    counts = read_counts()
    days: Int64s = np.arange(FIRST, FIRST + DAYS, dtype=np.int64)
    found = holidays.country_holidays("DE", subdiv="BE", years=2024)
    public = {day_number(day.isoformat()) for day in found}
    learned = learn(counts[LEARNED], days[LEARNED], public)
    made = forecasts(learned, counts, days, public)
    there = counts.reshape(DAYS * HOURS, -1)
    before, last_week = np.full(there.shape, np.nan), np.full(there.shape, np.nan)
    before[1:], last_week[WEEK_H:] = there[:-1], there[:-WEEK_H]
    rule = np.full(there.shape, np.nan)
    rule[1:] = last_week[1:] + RULE * (there[:-1] - last_week[:-1])
    every = ~np.isnan(there + before + last_week + rule + made.vehicles)

    def errors(which: slice) -> _Errors:
        hours = slice(which.start * HOURS, which.stop * HOURS)
        at = every[hours]
        truth = there[hours][at]

        def mean(of: Floats) -> float:
            return float(np.abs(of[hours][at] - truth).mean())

        inside = (made.low[hours][at] <= truth) & (truth <= made.high[hours][at])
        rms = float(np.sqrt(((made.vehicles[hours][at] - truth) ** 2).mean()))
        return _Errors(mean(made.vehicles), mean(before), mean(last_week), mean(rule), float(100 * inside.mean()), rms)

    return {"22 to 28 March": errors(NORMAL), "29 to 31 March (Easter)": errors(EASTER)}


@measurement("traffic.forecast_gain")
def forecast_gain() -> Measured:
    """How much better the next hour is foretold than by the better of this hour and the same hour last week: the worse
    of normal days and Easter. Raises OSError where the counts are missing."""
    compared = _compared()
    gain = min(each.gain for each in compared.values())
    told = [each.told(which) for which, each in compared.items()]
    return Measured("traffic.forecast_gain", "%", [gain], 25, True, _SIZE, "1", told=told)


@measurement("traffic.forecast_gain_on_rule")
def forecast_gain_on_rule() -> Measured:
    """The same against last week and 0.7 times this hour's deviation from it. Raises OSError where the counts are
    missing."""
    gain = min(each.gain_on_rule for each in _compared().values())
    return Measured("traffic.forecast_gain_on_rule", "%", [gain], 5, True, _SIZE, "1")


_SIZE = "191 cross-sections of Berlin, learned on 1 to 21 March 2024, the worse of 22 to 28 March and Easter"
