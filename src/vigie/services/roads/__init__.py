"""Road services and what moves on the roads: crews' vehicles, buses, trams, bollards, bike stations."""

from collections.abc import Mapping, Sequence
from typing import Any

from vigie.core.cases import Answer, CaseEffect, Opened, Trouble
from vigie.core.kinds import (
    Action,
    AssetKind,
    ConditionKind,
    Default,
    Hazard,
    Hold,
    Keeper,
    Outlet,
    Param,
    Proof,
    Shape,
    Sort,
    attribute,
    choice,
    flag,
    number,
    place,
)
from vigie.core.observations import Mask
from vigie.core.service import CaseRule, City, Figure, How, Numbers, Refusal, Reticence, Service
from vigie.core.times import SECOND_US
from vigie.core.watch import Watch, points_of, watching
from vigie.services.roads import orders, preventive, privacy, reports
from vigie.services.roads.crews import check_skills
from vigie.services.roads.events import ROAD_EVENTS_SILENT, ROAD_EVENTS_UNSTEADY, RoadEvent
from vigie.services.roads.fences import FENCE
from vigie.services.roads.preventive import PREVENTIVE
from vigie.services.roads.rounds.circuits import CIRCUIT
from vigie.services.roads.telling import MAIL_UNSENT
from vigie.services.roads.winter.calling import called
from vigie.services.roads.winter.stations import ICE_RISK, SWEEP
from vigie.services.roads.works.buried import BURIED, BURIED_OVERDUE, Overdue
from vigie.services.roads.works.coordination import COORDINATION
from vigie.services.roads.works.occasions import OCCASION
from vigie.services.roads.works.permits import ROADWORKS
from vigie.services.roads.works.untold import ROADWORKS_UNTOLD

ESCORT_S_MAX = 900
"""A way is cleared for no longer, unless it is ordered anew."""

_WAY = "way"
"""What both orders to a vehicle decide."""

TOLD_WITHIN_S = 30
"""Of a vehicle whose way is to be cleared must be known where it is, and that is no older."""

TOOL_VALID_S = 300
"""What a vehicle says of its tool holds so long: many say it when it changes, and again now and then."""


class Vehicle(AssetKind, name="vehicle", service="roads", shown="activity", verb="see_crew", follows_place=True):
    """A service vehicle with a tracker. Its position is personal data of its driver. mission: it is on its way to save
    somebody, and may go first at signals, if it is an emergency vehicle (`emergency`) at all. hours: outside them
    nothing is taken in of where it is and what it does; none: it is always followed. private: its driver is not to be
    followed, until it says otherwise. escorted: somebody has ordered that the way be cleared for it, which the post
    does at junctions. brush: that of a sweeper is down; salting: its spreader throws, as much as `dosage` says;
    collecting: it takes up what stands at the kerb."""

    registration = attribute(public=False)
    task = attribute()
    emergency = attribute(Sort.CHOICE, choices=("yes", "no"))
    hours = attribute(public=False, check=privacy.check)

    position = place(valid_s=120)
    heading = number(unit="deg", low=0, high=360, valid_s=120)
    activity = choice("parked", "driving", "working", valid_s=600)
    brush = flag(valid_s=TOOL_VALID_S, traces=True)
    salting = flag(valid_s=TOOL_VALID_S, traces=True)
    dosage = number(unit="g/m2", low=0, high=500, valid_s=TOOL_VALID_S, traces=True)
    collecting = flag(valid_s=TOOL_VALID_S, traces=True)
    mission = flag(valid_s=120)
    private = flag(valid_s=30 * 86_400, traces=True)
    escorted = flag(valid_s=ESCORT_S_MAX, traces=True, by_post=True)

    escort = Action(
        params=(
            Param("until", Sort.INSTANT, default=Default.LONGEST, ahead_s=ESCORT_S_MAX),
            Param("route", Sort.TEXT, default=Default.EMPTY, lists="junction"),
        ),
        proof=Proof("escorted", equals=True),
        hazard=Hazard.CONFIRM,
        # Who it is for and why is said when it is given; what could not begin at once would be of another drive.
        answered=True,
        expires_s=30,
        proof_s=30,
        settles=_WAY,
        holds=Hold(until="until", point="escorted", held=True, free=False, ends="end_escort", keeper=Keeper.POST),
        by_post=True,
        service="signals",
    )
    end_escort = Action(
        proof=Proof("escorted", equals=False), proof_s=30, settles=_WAY, by_post=True, service="signals", always=True
    )


class Crew(AssetKind, name="crew", service="roads", verb="see_crew"):
    """People who go out together, at the place that they start from. hours: when they work. skills: what they are able
    and allowed to do, with the day on which that ends where it does, such as `electrical until 2027-03-01; tree work`.
    capacity: how much their vehicle carries. vehicle: its id."""

    hours = attribute(check=privacy.check)
    skills = attribute(check=check_skills)
    capacity = attribute(Sort.NUMBER, unit="kg")
    vehicle = attribute()


class Bus(AssetKind, name="bus", service="roads", shown="delay", public=True, follows_place=True):
    """A bus in service."""

    line = attribute()

    position = place(valid_s=60, public=True)
    heading = number(unit="deg", low=0, high=360, valid_s=60, public=True)
    delay = number(unit="s", low=-3_600, high=14_400, valid_s=300, public=True)


class Tram(AssetKind, name="tram", service="roads", shown="delay", public=True, follows_place=True):
    """A tram in service."""

    line = attribute()

    position = place(valid_s=60, public=True)
    heading = number(unit="deg", low=0, high=360, valid_s=60, public=True)
    delay = number(unit="s", low=-3_600, high=14_400, valid_s=300, public=True)


class TransitLine(AssetKind, name="transit_line", service="roads", shape=Shape.LINE, public=True):
    """The course of a bus or tram line."""

    line = attribute()
    mode = attribute(Sort.CHOICE, choices=("bus", "tram"))


class Stop(AssetKind, name="stop", service="roads", public=True):
    """A stop of one or more lines."""

    lines = attribute()


class Bollard(AssetKind, name="bollard", service="roads", shown="state"):
    """A retractable bollard that closes a street."""

    state = choice("raised", "lowered", "moving", "fault", valid_s=900)

    move = Action(
        params=(Param("to", Sort.CHOICE, choices=("raised", "lowered")),),
        proof=Proof("state", param="to"),
        hazard=Hazard.TWO_PERSON,
        proof_s=60,
    )


class BikeStation(AssetKind, name="bike_station", service="roads", shown="bikes", public=True):
    """A station of shared bicycles."""

    bikes = number(low=0, high=500, valid_s=14_400, public=True)
    docks = number(low=0, high=500, valid_s=14_400, public=True)


BOLLARD_FAULT = ConditionKind(name="bollard_fault", service="roads", outlet=Outlet.ALARM, priority=2)

_RETICENCE = Reticence(
    kind=Vehicle,
    points=(
        Vehicle.position,
        Vehicle.heading,
        Vehicle.activity,
        Vehicle.brush,
        Vehicle.salting,
        Vehicle.dosage,
        Vehicle.collecting,
    ),
    attribute=Vehicle.hours,
    switch=Vehicle.private,
    rule=privacy.withheld,
)

ESCORT_LOST = ConditionKind(name="escort_lost", service="roads", outlet=Outlet.ALARM, priority=2)
"""A vehicle whose way is being cleared does not say where it is any more. Found where the way is cleared."""

NOT_SEEN = Refusal("roads.not_seen")


def seen_now(params: Mapping[str, Any], assets: Numbers, city: City, now_us: int) -> Sequence[tuple[Mask, Refusal]]:
    """Nobody's way is cleared of whom is not known where they are."""
    told = city.newest(Vehicle, Vehicle.position, assets)
    return [(now_us - told.observed_us > TOLD_WITHIN_S * SECOND_US, NOT_SEEN)]


_WATCHES = (Watch(Bollard, Bollard.state, BOLLARD_FAULT, ("fault",)),)


def _mends() -> Answer:
    """The work orders that troubles ask for; then what residents' reports do, which may be of the same assets."""
    reported = reports.Reports()

    def answer(troubles: Sequence[Trouble], cases: Sequence[Opened], now_us: int) -> list[CaseEffect]:
        effects = orders.propose(troubles, cases, now_us)
        reported.propose(cases, effects)
        return effects

    return answer


service = Service(
    name="roads",
    assets=(Vehicle, Crew, Bus, Tram, TransitLine, Stop, Bollard, BikeStation, RoadEvent),
    conditions=(
        BOLLARD_FAULT,
        ESCORT_LOST,
        ICE_RISK,
        MAIL_UNSENT,
        ROAD_EVENTS_SILENT,
        ROAD_EVENTS_UNSTEADY,
        ROADWORKS_UNTOLD,
        BURIED_OVERDUE,
    ),
    reacts=points_of(*_WATCHES),
    step=watching(*_WATCHES),
    sweep=SWEEP,
    reticence=(_RETICENCE,),
    cases=(orders.WORK_ORDER, reports.REPORT, ROADWORKS, BURIED),
    opens=CaseRule(_mends, orders.kept, {PREVENTIVE: preventive.coming, CIRCUIT: called}, Overdue),
    plans=(CIRCUIT, PREVENTIVE, OCCASION, COORDINATION, FENCE),
    guards={Vehicle.escort: (seen_now,)},
    figures=(
        Figure("at_work", Vehicle, Vehicle.activity, How.COUNT, when=("working",)),
        Figure("bikes", BikeStation, BikeStation.bikes, How.SUM),
    ),
)
