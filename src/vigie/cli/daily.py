"""vigie signals design-day: a day cut into a few periods by what was counted, with fixed plans for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from vigie.cli.common import JsonOption, fail, progress
from vigie.cli.consoles import out
from vigie.cli.designing import DesignedPlan, DesignedWave, beside, plan_told, wave_told
from vigie.cli.scenarios import (
    ZONE,
    BeginOption,
    EndOption,
    SumocfgOption,
    ZoneOption,
    known_zone,
    scenario_errors,
)
from vigie.services.signals.dayplans import need_fit, written
from vigie.services.signals.design.day import CHANGE_H, DAY_S, HOUR_S, PERIODS_MAX, PERIODS_MIN
from vigie.services.signals.flow.usual import Day
from vigie.services.signals.whatif.paired import Paired
from vigie.sim.traffic.counts import Places, loops_in, read_days
from vigie.sim.traffic.daily import DayPlans, Flows, PeriodPlans, day_plans, driven, flows_of
from vigie.sim.traffic.designed import counted
from vigie.sim.traffic.evaluate import seeds_of
from vigie.sim.traffic.netfile import read_network
from vigie.sim.traffic.network import Light, lights_of
from vigie.sim.traffic.scenario import read_scenario

SHOWN_MAX = 20


class Period(msgspec.Struct):
    """A period of a day, by the clock; where it goes over midnight it ends before it begins. number: of its plans,
    among those of the same junctions. wave: of a corridor."""

    begin: str
    end: str
    number: int
    plans: tuple[DesignedPlan, ...]
    wave: DesignedWave | None


class DesignedDay(msgspec.Struct):
    """A day's plans as `vigie signals design-day --json` says them. days: working, saturday or sunday, empty where the
    counts are of no certain days. junctions: those that change at these times. off_h: how far critical flows are from
    what their plan was made for, in vehicles an hour; whole_off_h: if one plan ran all day. guessed: lanes that nobody
    counts. unused: places that count no lane before these lights. week: when which plan begins on each day of a week,
    as an order has it (`vigie.services.signals.dayplans`), for all days of the same junctions; empty where that cannot
    be said, and why."""

    days: str
    junctions: tuple[str, ...]
    periods: tuple[Period, ...]
    off_h: float
    whole_off_h: float
    guessed: tuple[str, ...]
    unused: tuple[str, ...]
    week: str = ""
    no_week: str = ""


class TriedDay(msgspec.Struct):
    """What a day's plans came to in the scenario's traffic. begin, end: by the clock, the part of its time that is of
    the period whose plans were driven. delay: the mean of all vehicles of the network, in seconds."""

    days: str
    begin: str
    end: str
    seeds: tuple[int, ...]
    delay: Paired


def design_day_command(
    sumocfg: SumocfgOption,
    counts: Annotated[
        Path, typer.Option(help="A CSV with the columns place, from, to, and vehicles or flow_h (vehicles an hour).")
    ],
    corridor: Annotated[
        list[str] | None, typer.Option(help="A junction of a green wave; again for each, in their order.")
    ] = None,
    periods: Annotated[
        int, typer.Option(min=PERIODS_MIN, max=PERIODS_MAX, help="The day has so many periods at most.")
    ] = PERIODS_MAX,
    change: Annotated[
        float,
        typer.Option(
            "--change-cost",
            min=0,
            help="What a change of plan costs: as much as an hour in which a critical flow is "
            "so many vehicles an hour from what its plan was made for.",
        ),
    ] = CHANGE_H,
    zone: ZoneOption = ZONE,
    begin: BeginOption = None,
    end: EndOption = None,
    seed: Annotated[int, typer.Option(min=0, help="SUMO's seed of the run that lanes are counted in.")] = 1,
    check_seeds: Annotated[
        str | None,
        typer.Option(
            help="Drive the scenario under the network's own plans and under those of its time of the day, on "
            "these seeds."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Cuts a day into a few periods by what was counted, and designs each its plans as `design` does: of each junction
    by itself, or of a corridor, which changes its plans at the same times.

    One run of the scenario says how who drives on a road shares out over its lanes, and what comes where nobody counts.
    """
    with scenario_errors(sumocfg):
        scenario = read_scenario(sumocfg, begin, end)
        days = read_days(counts, known_zone(zone))
        network = read_network(scenario.network)
        lights = lights_of(network)
        places = Places(network, loops_in(scenario.additional))
        fresh = seeds_of(check_seeds) if check_seeds is not None else ()
        if seed in fresh:
            raise fail(f"seed {seed} is the one that lanes are counted in: name others as --check-seeds")
        with progress() as say:
            say(f"counting {scenario.name}", 0, 1)
            usual_h = counted(scenario, lights, seed)
            say(f"counting {scenario.name}", 1, 1)
            told: list[DesignedDay] = []
            tried: list[TriedDay] = []
            for at, (kind, own) in enumerate(days.items()):
                say("designing", at, len(days))
                flows = flows_of(network, places, lights, own, usual_h)
                own_days = day_plans(lights, flows, corridor or (), periods, change)
                if fresh:
                    came = driven(scenario, own_days, fresh, say)
                    tried.append(TriedDay(_word(kind), _clock(came.begin_s), _clock(came.end_s), fresh, came.delay))
                told += [_told(kind, made, lights, flows) for made in own_days]
    told = in_weeks(told)
    if as_json:
        typer.echo(msgspec.json.encode({"days": told, "tried": tried}))
    else:
        _say_days(told, tried)


def _told(kind: Day | None, made: DayPlans, lights: Sequence[Light], flows: Flows) -> DesignedDay:
    lanes = {each.lane for light in lights if light.name in made.junctions for each in light.site.approaches}
    guessed, unused = tuple(lane for lane in flows.guessed if lane in lanes), flows.unused
    return DesignedDay(
        _word(kind), made.junctions, tuple(period_told(each) for each in made.periods),
        round(made.cut.off_h, 1), round(made.cut.whole_off_h, 1), guessed, unused,
    )  # fmt: skip


def _word(kind: Day | None) -> str:
    return "" if kind is None else kind.name.lower()


def period_told(made: PeriodPlans) -> Period:
    """A period as it is told."""
    own = made.period
    return Period(
        _clock(own.begin_s % DAY_S),
        _clock(own.end_s),
        0,
        tuple(plan_told(each) for each in made.designed),
        wave_told(made.wave),
    )


def in_weeks(days: Sequence[DesignedDay]) -> list[DesignedDay]:
    """The same, the plans of each junctions numbered from 1 in the order in which they come, plans that are the same
    once, and with the line that says when each begins."""
    numbers: dict[tuple[str, ...], dict[bytes, int]] = defaultdict(dict)
    found: list[DesignedDay] = []
    for each in days:
        own = numbers[each.junctions]
        keys = [
            msgspec.json.encode([(plan.cycle_s, plan.offset_s, plan.steps) for plan in period.plans])
            for period in each.periods
        ]
        periods = tuple(
            msgspec.structs.replace(period, number=own.setdefault(key, len(own) + 1))
            for period, key in zip(each.periods, keys, strict=True)
        )
        found.append(msgspec.structs.replace(each, periods=periods))
    for junctions in numbers:
        same = [each for each in found if each.junctions == junctions]
        try:
            week, why = _week(same), ""
        except ValueError as error:
            week, why = "", str(error)
        for each in same:
            each.week, each.no_week = week, why
    return found


def _week(days: Sequence[DesignedDay]) -> str:
    """When which plan begins. Raises ValueError where not every day was counted, or no table has room for it."""
    of = {each.days: tuple(sorted(map(_begins, each.periods))) for each in days}
    kinds = [each.name.lower() for each in _WEEKDAYS]
    missing = dict.fromkeys(kind for kind in kinds if kind not in of and "" not in of)
    if missing:
        raise ValueError(f"nothing was counted on {' and '.join(_DAYS[kind] for kind in missing)}")
    week = tuple(of[kind if kind in of else ""] for kind in kinds)
    need_fit(week)
    return written(week)


def _begins(period: Period) -> tuple[int, int]:
    """When a period begins, in minutes from midnight, and which plan with it."""
    hour, minute, *seconds = period.begin.split(":")
    if seconds:
        raise ValueError(f"a period begins at {period.begin}, and tables know minutes")
    return int(hour) * 60 + int(minute), period.number


def _clock(second: int) -> str:
    """By the clock; the end of a day is 24:00."""
    second = second if second <= DAY_S else second - DAY_S
    return f"{second // HOUR_S:02}:{second // 60 % 60:02}" + (f":{second % 60:02}" if second % 60 else "")


_WEEKDAYS = (*[Day.WORKING] * 5, Day.SATURDAY, Day.SUNDAY)
_DAYS = {"": "every day", "working": "working days", "saturday": "Saturdays", "sunday": "Sundays"}


def _say_days(days: Sequence[DesignedDay], tried: Sequence[TriedDay]) -> None:
    for each in days:
        _say(each)
    for junctions, each in {each.junctions: each for each in days}.items():
        _say_week(junctions, each)
    for each in tried:
        out.print(
            f"from {each.begin} to {each.end}, {_DAYS[each.days]}: mean delay {beside(each.delay)}", soft_wrap=True
        )
    _say_places(days)


def _say(day: DesignedDay) -> None:
    table = Table(title=f"{_DAYS[day.days]}: {', '.join(day.junctions)}", title_justify="left")
    for name in ("from", "to", "plan", "junction", "vehicles/h", "cycle s", "greens s", "offset s", "wait s"):
        table.add_column(name, justify="left" if name in ("junction", "greens s") else "right")
    for period in day.periods:
        table.add_section()
        for at, row in enumerate(period.plans):
            greens = " ".join(str(step.seconds) for step in row.steps if not step.clears)
            when = ("", "", "") if at else (period.begin, period.end, str(period.number))
            table.add_row(
                *when, row.junction, f"{row.vehicles_h:,.0f}", str(row.cycle_s), greens, str(row.offset_s),
                f"{row.wait_s:.1f}",
            )  # fmt: skip
    out.print(table)
    for period in day.periods:
        if period.wave is not None:
            wave = f"{period.wave.there_s} s of {period.wave.cycle_s} there, {period.wave.back_s} s back"
            out.print(f"{period.begin} to {period.end}: green wave {wave}", soft_wrap=True)
    out.print(
        f"critical flows are {day.off_h:.0f} vehicles an hour from what their plan is made for; with one plan all day "
        f"they were {day.whole_off_h:.0f}",
        soft_wrap=True,
    )


def _say_week(junctions: Sequence[str], day: DesignedDay) -> None:
    """The line that an order takes, or why there is none."""
    who = ", ".join(junctions)
    said = f"{who}: {day.week}" if day.week else f"{who}: no plans by the clock, since {day.no_week}"
    out.print(said, soft_wrap=True, markup=False)


def _say_places(days: Sequence[DesignedDay]) -> None:
    """What the counts say nothing of, and which of them say nothing."""
    guessed = {lane for each in days for lane in each.guessed}
    if guessed:
        out.print(
            f"{len(guessed):,} lanes before these lights are not counted, and have their part of what is (--json names "
            "them)",
            soft_wrap=True,
        )
    unused = dict.fromkeys(place for each in days for place in each.unused)
    for place in list(unused)[:SHOWN_MAX]:
        out.print(
            f"{place} is not used: it counts no lane before these lights, nor its road", soft_wrap=True, markup=False
        )
    if len(unused) > SHOWN_MAX:
        out.print(f"and {len(unused) - SHOWN_MAX:,} more places are not used (--json lists all)")
