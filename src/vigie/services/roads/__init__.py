"""Road services and what moves on the roads: crews' vehicles, buses, trams, bollards, bike stations."""

from vigie.core.kinds import (
    Action,
    AssetKind,
    ConditionKind,
    Hazard,
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
from vigie.core.service import Figure, How, Reticence, Service
from vigie.core.watch import Watch, points_of, watching
from vigie.services.roads import privacy


class Vehicle(AssetKind, name="vehicle", service="roads", shown="activity", verb="see_crew", follows_place=True):
    """A service vehicle with a tracker. Its position is personal data of its driver. mission: it is on its way to save
    somebody, and may go first at signals, if it is an emergency vehicle (`emergency`) at all. hours: outside them
    nothing is taken in of where it is and what it does; none: it is always followed. private: its driver is not to be
    followed, until it says otherwise."""

    registration = attribute(public=False)
    task = attribute()
    emergency = attribute(Sort.CHOICE, choices=("yes", "no"))
    hours = attribute(public=False, check=privacy.check)

    position = place(valid_s=120)
    heading = number(unit="deg", low=0, high=360, valid_s=120)
    activity = choice("parked", "driving", "working", valid_s=600)
    mission = flag(valid_s=120)
    private = flag(valid_s=30 * 86_400, traces=True)


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
    points=(Vehicle.position, Vehicle.heading, Vehicle.activity),
    attribute=Vehicle.hours,
    switch=Vehicle.private,
    rule=privacy.withheld,
)

_WATCHES = (Watch(Bollard, Bollard.state, BOLLARD_FAULT, ("fault",)),)

service = Service(
    name="roads",
    assets=(Vehicle, Bus, Tram, TransitLine, Stop, Bollard, BikeStation),
    conditions=(BOLLARD_FAULT,),
    reacts=points_of(*_WATCHES),
    step=watching(*_WATCHES),
    reticence=(_RETICENCE,),
    figures=(
        Figure("at_work", Vehicle, Vehicle.activity, How.COUNT, when=("working",)),
        Figure("bikes", BikeStation, BikeStation.bikes, How.SUM),
    ),
)
