"""What the old inventory would have used on the same nights, what is saved, and how sure that is.

The counterfactual is an adjusted baseline (IPMVP Core Concepts, EVO 10000): where a cabinet's former year was metered,
that (option C), brought to the burning hours of these nights; elsewhere old watts times these nights' hours (option B
on the lamps' side). Uncertainty is propagated by its sources, to first order, as JCGM 100:2008 (GUM) 5.1 and 5.2: each
source moves what is used and what would have been by its own share, and a source of both moves the saving by the
difference. The coverage factor is Student's, at the degrees of freedom of Welch and Satterthwaite (GUM G.4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vigie.core.observations import Floats, Int64s, Mask
from vigie.core.student import student
from vigie.services.lighting.energy.model import Baseline, Interval

COMMON = 0.5
"""The share of the variance of a meter's error that all meters of a town have in common, being of one make and
calibrated on one bench. Nobody knows it of a town; half is between what is best and what is worst."""

DRIFT = 0.5
"""A meter moves by half of its class within the years between the former lamps and the new ones, at most."""

LAMP_OWN = 0.05
"""How far a lamp's watts lie beside what is printed on it, lamp by lamp, as a standard deviation."""

BY_POWER, BY_LEVEL, FILLED = 0.02, 0.05, 0.10
"""Standard deviations, common to all lamps: of energy that lamps metered themselves; of energy reckoned from their
level; of what was not heard."""

METER_FILLED = 0.3
"""Standard deviation of what a meter was not heard to count, cabinet by cabinet."""

CABLES, CABLES_SD, CABINET_W, CABINET_SD = 0.015, 0.006, 10.0, 0.4
"""What a meter shows beyond the lamps: the heat of cables, 0.5 to 2.5 % of the old load within the voltage that
NF C 15-100 lets fall on the way, and the cabinet's own controller and contactor (5 to 17 W); and how sure that is."""

_FREE = np.inf
_FREE_MIN = 3.0
"""Fewer degrees of freedom than three are taken for three."""


@dataclass(frozen=True)
class Former:
    """The old inventory, in rows of lamps and of cabinets.

    watts: printed on each old lamp, NaN where unknown. hours: how long it would have burnt on these nights. nights: how
    many. cabinet_kwh: what was metered at each cabinet in its former year (NaN where it was not); cabinet_scale: these
    nights' hours over that year's; cabinet_sun: by what share that moves for each hour that an evening is longer;
    same_meter: it is the meter that is there now.
    """

    watts: Floats
    hours: Floats
    nights: int
    cabinet_kwh: Floats
    cabinet_scale: Floats
    cabinet_sun: Floats
    same_meter: Mask


@dataclass(frozen=True)
class Now:
    """What is used now by a group: of each of its metered cabinets the kWh and the share of it that was heard, and of
    its other lamps what they used by power, by level and unheard."""

    cabinets: Int64s
    metered_kwh: Floats
    known_share: Floats
    power_kwh: float
    level_kwh: float
    filled_kwh: float

    @property
    def kwh(self) -> float:
        """All of it."""
        return float(self.metered_kwh.sum()) + self.power_kwh + self.level_kwh + self.filled_kwh


@dataclass(frozen=True)
class Old:
    """What of the old inventory a group is held against: lamps (rows) whose use is reckoned from watts, those of them
    behind a meter that counts now, the cabinets where it was metered, and what the other metered ones need
    themselves."""

    rows: Int64s
    behind: Mask
    cabinets: Int64s
    own_kwh: float


@dataclass(frozen=True)
class Survey:
    """Watts of old lamps of which nobody knows their own: the mean, its standard uncertainty, the spread from lamp to
    lamp, and the degrees of freedom of what was surveyed."""

    mean_w: float
    mean_sd_w: float
    spread_w: float
    freedom: float

    @staticmethod
    def of(baseline: Baseline, watts: Floats) -> Survey | None:
        """What the town states, or else what its known lamps had; None where that is less than two."""
        if baseline.lamp_w is not None:
            count, unknown = max(baseline.surveyed, 1), int(np.isnan(watts).sum())
            # Those that were surveyed are among those of which nothing else is known, and are as the survey says: the
            # error of N lamps' sum is N^2 s^2 (1/n - 1/N) (Cochran, Sampling Techniques, 2.6), of which `saving` adds
            # N s^2 as their own spread. What is from papers is about other lamps.
            less = 2 / unknown if baseline.surveyed and unknown else 0.0
            mean_sd = baseline.lamp_w_sd * float(np.sqrt(max(1 / count - less, 0.0)))
            freedom = count - 1.0 if count > 1 else _FREE
            return Survey(baseline.lamp_w, mean_sd, baseline.lamp_w_sd, freedom)
        known = watts[~np.isnan(watts)]
        if len(known) < 2:
            return None
        spread = float(known.std(ddof=1))
        return Survey(float(known.mean()), spread / np.sqrt(len(known)), spread, len(known) - 1.0)


class _Sources:
    """Independent sources of uncertainty: by how much one standard deviation of each moves what is used, and what would
    have been."""

    def __init__(self) -> None:
        self.now: list[float] = []
        self.before: list[float] = []
        self.freedom: list[float] = []

    def add(self, now: float = 0.0, before: float = 0.0, freedom: float = _FREE) -> None:
        self.now.append(now)
        self.before.append(before)
        self.freedom.append(freedom)

    def spread(self, moved: Floats) -> float:
        """Half of the width of the 95 % interval of what is moved so by each source."""
        variance = moved**2
        total = float(variance.sum())
        if total <= 0:
            return 0.0
        weight = float((variance**2 / np.array(self.freedom)).sum())
        freedom = total**2 / weight if weight > 0 else _FREE
        return student(max(freedom, _FREE_MIN)) * float(np.sqrt(total))


def saving(
    baseline: Baseline, survey: Survey | None, former: Former, old: Old, now: Now
) -> tuple[Interval, Interval] | None:
    """The kWh of the old inventory, and the share of it that is saved, each with its interval.

    None where nothing is known of the old lamps, or they used nothing.
    """
    sources = _Sources()
    rows, own = old.rows, old.cabinets
    before = _by_watts(sources, baseline, survey, former, rows)
    if before is None:
        return None
    behind = _watts_kwh(baseline, survey, former, rows[old.behind], former.hours[rows[old.behind]])
    sources.add(before=CABLES_SD * behind)
    sources.add(before=CABINET_SD * old.own_kwh)
    metered = former.cabinet_kwh[own] * former.cabinet_scale[own]
    total = before + CABLES * behind + old.own_kwh + float(metered.sum())
    if total <= 0:
        return None
    _by_meters(sources, baseline, former, own, metered, now)
    sun_h = np.sqrt(2) * baseline.switching_sd_min / 60
    moved = former.nights * _watts_kwh(baseline, survey, former, rows, np.ones(len(rows)))
    sources.add(before=sun_h * (moved + float((metered * former.cabinet_sun[own]).sum())))
    by_before, by_now = np.array(sources.before) / total, np.array(sources.now) / max(now.kwh, 1e-9)
    used = now.kwh / total
    wide, both = (float(np.exp(sources.spread(each))) for each in (by_before, by_now - by_before))
    return (
        Interval(total, total / wide, total * wide),
        Interval(1 - used, 1 - used * both, 1 - used / both),
    )


def _watts_kwh(baseline: Baseline, survey: Survey | None, former: Former, rows: Int64s, hours: Floats) -> float:
    """What old lamps would use in so many hours each."""
    watts = former.watts[rows]
    watts = np.where(np.isnan(watts), survey.mean_w if survey else 0.0, watts)
    return float((watts * hours).sum()) * baseline.gear * (1 - baseline.out) / 1_000


def _by_watts(
    sources: _Sources, baseline: Baseline, survey: Survey | None, former: Former, rows: Int64s
) -> float | None:
    """The part that is reckoned from watts, and its sources."""
    hours, watts = former.hours[rows], former.watts[rows]
    unknown = np.isnan(watts)
    if unknown.any() and survey is None:
        return None
    kwh = _watts_kwh(baseline, survey, former, rows, hours)
    each = baseline.gear * (1 - baseline.out) / 1_000
    gear_freedom = baseline.measured - 1.0 if baseline.measured > 1 else _FREE
    sources.add(before=kwh * baseline.gear_sd / baseline.gear, freedom=gear_freedom)
    sources.add(before=kwh * baseline.out_sd / max(1 - baseline.out, 1e-9))
    filled = watts.copy()
    if survey is not None and unknown.any():
        blind = hours[unknown]
        sources.add(before=each * survey.mean_sd_w * float(blind.sum()), freedom=survey.freedom)
        sources.add(before=each * survey.spread_w * float(np.sqrt((blind**2).sum())))
        filled[unknown] = survey.mean_w
    sources.add(before=each * LAMP_OWN * float(np.sqrt(((filled * hours) ** 2).sum())))
    return kwh


def _by_meters(sources: _Sources, baseline: Baseline, former: Former, own: Int64s, metered: Floats, now: Now) -> None:
    """The sources that meters and lamps are now, and that meters were then.

    An error between the limits of its class is as likely anywhere between (GUM 4.3.7). One meter that counted before
    and after is wrong by the same share of both, but for what it has drifted since.
    """
    error = baseline.meter_class / 100 / np.sqrt(3)
    common, single = error * np.sqrt(COMMON), error * np.sqrt(1 - COMMON)
    same = former.same_meter[own]
    known = dict(zip(now.cabinets.tolist(), now.metered_kwh.tolist(), strict=True))
    then = dict(zip(own[same].tolist(), metered[same].tolist(), strict=True))
    sources.add(common * sum(known.values()), common * sum(then.values()))
    for cabinet in {**known, **then}:
        sources.add(single * known.get(cabinet, 0.0), single * then.get(cabinet, 0.0))
    sources.add(before=common * float(metered[~same].sum()))
    sources.add(before=single * float(np.sqrt((metered[~same] ** 2).sum())))
    sources.add(before=DRIFT * common * sum(then.values()))
    sources.add(before=DRIFT * single * float(np.sqrt((metered[same] ** 2).sum())))
    unheard = METER_FILLED * (1 - now.known_share) * now.metered_kwh
    sources.add(float(np.sqrt((unheard**2).sum())))
    sources.add(BY_POWER * now.power_kwh)
    sources.add(BY_LEVEL * now.level_kwh)
    sources.add(FILLED * now.filled_kwh)
