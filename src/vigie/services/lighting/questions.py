"""What lighting can be asked: what a night is like under a draft, why a lamp is as it is, what a year uses."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from vigie.core.arrays import ints
from vigie.core.calendar import EPOCH_DAY
from vigie.core.plans import Finding, Known, Question
from vigie.core.times import SECOND_US, to_us
from vigie.services.lighting.compliance.report import Compliance, ComplianceAsked, compliance, compliance_table
from vigie.services.lighting.maintenance.report import (
    Batches,
    BatchesAsked,
    Round,
    RoundAsked,
    batches,
    batches_table,
    plan_round,
)
from vigie.services.lighting.ondemand.model import OnDemand
from vigie.services.lighting.ondemand.rules import on_call
from vigie.services.lighting.ondemand.tonight import Tonight, TonightAsked, tonight
from vigie.services.lighting.plans import (
    check_on_demand,
    check_programme,
    layers_of,
    nights_of,
    on_demand_of,
    park_of,
    tariff_of,
    this_year,
)
from vigie.services.lighting.programmes.layers import PLAIN, Sunlit, groups, schedule
from vigie.services.lighting.programmes.model import Programme, Rank
from vigie.services.lighting.programmes.moment import Reasons, reasons
from vigie.services.lighting.programmes.nights import Nights
from vigie.services.lighting.programmes.year import Tariff, Year, year_of


class Draft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A programme that is being written. plan: the id of the plan that it would take the place of, "" for a new one."""

    body: Programme
    plan: Annotated[str, Meta(max_length=100)] = ""


class NightAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """night: the date that it begins on. draft: what to count as in force; None for what is."""

    night: date
    draft: Draft | None = None


class Named(msgspec.Struct, frozen=True):
    """A programme by its id, "" for the draft of one that has none yet."""

    id: str
    name: str
    rank: Rank


class Night(msgspec.Struct, frozen=True):
    """A night of every lamp that you may see.

    no, group: the number of each lamp, and which of the groups it is in. spans: of each group [from, to, level,
    programme], in seconds since the epoch and %, in the order of time; outside them its lamps are off. programme is an
    index into programmes, -1 where none speaks and the lamps are simply on from dusk to dawn. holiday: what the day is
    called, "" for a day as others.
    """

    night: date
    holiday: str
    no: list[int]
    group: list[int]
    spans: list[list[tuple[int, int, int, int]]]
    programmes: list[Named]


class WhyAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """lamp: its id. at: the instant, now where none is said."""

    lamp: Annotated[str, Meta(max_length=200)]
    at: datetime | None = None
    draft: Draft | None = None


class YearAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """year: this one where none is said. draft: is summed beside what is in force."""

    year: Annotated[int, Meta(ge=2000, le=2100)] | None = None
    draft: Draft | None = None


class Years(msgspec.Struct, frozen=True):
    """A year under what is in force, and under the draft. tariff: what the sums were made with; None where nobody has
    stated one, and then nothing is said in euros or CO2."""

    year: int
    in_force: Year
    draft: Year | None
    tariff: Tariff | None


class CheckAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be checked."""

    draft: Draft


class Checked(msgspec.Struct, frozen=True):
    """Everything that is wrong; nothing where it may be approved as it is. lamps: how many it speaks for."""

    findings: list[Finding]
    lamps: int


class RuleDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule of light on demand that is being written. plan: as in `Draft`."""

    body: OnDemand
    plan: Annotated[str, Meta(max_length=100)] = ""


class RuleAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be checked."""

    draft: RuleDraft


class NoSuchLamp(LookupError):
    """There is no such lamp, or it may not be seen."""


def night(asked: NightAsked, known: Known) -> Night:
    """Tells the level of every lamp at each moment of a night, as it is in force or as a draft would have it."""
    day = (asked.night - EPOCH_DAY).days
    layers, park = layers_of(known, *_draft(asked.draft)), park_of(known)
    sunlit = Sunlit(Nights(np.array([day]), known.calendar))
    group_of = np.zeros(len(park), np.int64)
    found = groups(park, layers)
    # Only those that speak for a lamp which who asks may see: what another commune decides is not told here.
    own = sorted({index for group in found for index in group.layers})
    place = np.full(len(layers) + 1, PLAIN)
    place[own] = np.arange(len(own))
    spans: list[list[tuple[int, int, int, int]]] = []
    for number, group in enumerate(found):
        group_of[group.rows] = number
        plan = schedule(group, layers, sunlit)
        columns = (plan.start_us // SECOND_US, plan.end_us // SECOND_US, plan.level, place[plan.layer])
        spans.append(list(zip(*map(ints, columns), strict=True)))
    return Night(
        night=asked.night,
        holiday=known.calendar.public.get(day, ""),
        no=ints(park.no),
        group=ints(group_of),
        spans=spans,
        programmes=[Named(each.id, each.programme.name, each.programme.rank) for each in (layers[n] for n in own)],
    )


def why(asked: WhyAsked, known: Known) -> Reasons:
    """Tells why a lamp should be as it should at a moment: every programme that speaks for it, and which is heard; and
    what may raise it on demand.

    Raises NoSuchLamp.
    """
    park = park_of(known)
    row = park.row(asked.lamp)
    if row is None:
        raise NoSuchLamp(asked.lamp)
    at_us = known.now_us if asked.at is None else to_us(asked.at)
    found = reasons(park, row, layers_of(known, *_draft(asked.draft)), known.calendar, at_us)
    return msgspec.structs.replace(found, on_demand=on_call(park, row, on_demand_of(known), known.calendar, at_us))


def year(asked: YearAsked, known: Known) -> Years:
    """Tells what a year uses: lamp-hours, energy, euros and CO2, by area and by programme, in force and under a
    draft."""
    park, tariff = park_of(known), tariff_of(known)
    number = asked.year or this_year(known)
    nights = nights_of(number, known)
    draft = None
    if asked.draft is not None:
        draft = year_of(park, layers_of(known, *_draft(asked.draft)), nights, tariff)
    return Years(number, year_of(park, layers_of(known), nights, tariff), draft, tariff)


def checked(asked: CheckAsked, known: Known) -> Checked:
    """Tells what is wrong with a draft: what refuses it, and what is to be answered in writing."""
    body, plan = _draft(asked.draft)
    assert body is not None
    return Checked(check_programme(body, plan, known), int(park_of(known).named(body).sum()))


def rule_checked(asked: RuleAsked, known: Known) -> Checked:
    """Tells what is wrong with a draft of light on demand, among the programmes in force."""
    body = asked.draft.body
    return Checked(check_on_demand(body, asked.draft.plan, known), int(park_of(known).named(body).sum()))


def tonight_told(asked: TonightAsked, known: Known) -> Tonight:
    """Tells what light on demand has done in this night, rule by rule, and what is left of it: as far as lamps go that
    you may see."""
    rules = [(plan, body) for plan, body in on_demand_of(known) if asked.plan in ("", plan)]
    return tonight(rules, park_of(known), known)


def _draft(draft: Draft | None) -> tuple[Programme | None, str]:
    return (None, "") if draft is None else (draft.body, draft.plan)


QUESTIONS = (
    Question("night", NightAsked, Night, night),
    Question("why", WhyAsked, Reasons, why),
    Question("year", YearAsked, Years, year),
    Question("check", CheckAsked, Checked, checked),
    Question("check_rule", RuleAsked, Checked, rule_checked),
    Question("tonight", TonightAsked, Tonight, tonight_told),
    Question("compliance", ComplianceAsked, Compliance, compliance, compliance_table),
    Question("batches", BatchesAsked, Batches, batches, batches_table),
    Question("round", RoundAsked, Round, plan_round),
)
