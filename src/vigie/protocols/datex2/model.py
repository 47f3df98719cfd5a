"""What is said of the roads in DATEX II: situations, each of one or more records, as the post writes and reads them.

Only what the post has a use for, in the terms of version 3.7 (CEN 16157-7). A word of an enumeration is a text: one
that the standard does not have is kept as it was told.
"""

from __future__ import annotations

from dataclasses import dataclass

Words = tuple[tuple[str, str], ...]
"""The same in some languages: language and text each; the language is "" where it is not said."""

Position = tuple[float, float]
"""Longitude and latitude in degrees, WGS84."""


@dataclass(frozen=True, slots=True)
class Hours:
    """A part of each day, in seconds from midnight by the local clock. An end that is not after the begin is on the
    next day."""

    begins_s: int
    ends_s: int


@dataclass(frozen=True, slots=True)
class Days:
    """Days of the week and months, by their English names; without any, all of them."""

    days: tuple[str, ...] = ()
    months: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Period:
    """A time within another: from and until an instant, where that is said, and then only at these hours, on these
    days."""

    begins_us: int | None = None
    ends_us: int | None = None
    hours: tuple[Hours, ...] = ()
    days: tuple[Days, ...] = ()


@dataclass(frozen=True, slots=True)
class Validity:
    """When a record holds: from an instant, until another or for as long as nobody says, and within that at the periods
    but for the exceptions; without periods, all the time."""

    begins_us: int
    ends_us: int | None = None
    periods: tuple[Period, ...] = ()
    exceptions: tuple[Period, ...] = ()
    status: str = "definedByValidityTimeSpec"
    overrunning: bool | None = None


@dataclass(frozen=True, slots=True)
class AlertC:
    """A place in a table of ALERT-C, as it was told. locations: codes, the primary first, each with its distance to the
    place in metres, where that is said. The post has no such table, and writes no such places."""

    country: str
    table: str
    version: str
    direction: str
    locations: tuple[tuple[int, int | None], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is: a point, a line of two or more in the order of travel, or what is told in words alone.

    direction, alert_c: as they were told; they are read, and not written.
    """

    points: tuple[Position, ...] = ()
    road_name: str = ""
    road_number: str = ""
    town: str = ""
    description: Words = ()
    carriageway: str = ""
    lanes: tuple[str, ...] = ()
    direction: str = ""
    alert_c: tuple[AlertC, ...] = ()


@dataclass(frozen=True, slots=True)
class Comment:
    """Words for everybody. kind: what of (`commentType`), "" where it is not said."""

    words: Words
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Whom it is known from."""

    country: str = ""
    identification: str = ""
    name: Words = ()
    kind: str = ""
    reliable: bool | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One thing about a situation: works, what they do to the traffic, the way round them, an accident.

    form: its class in DATEX II (see `vigie.protocols.datex2.vocabulary.FORMS`). kinds: what of that class it is.
    cause: why (`causeType`). constriction: of what happens on the road; lanes_restricted, lanes_open: how many.
    compliance, directions, vehicles: of measures: whether they bind, which way, and whom. identifier, urgent,
    under_traffic: of works. route: of a diversion, its stretches in the order of travel; route_words: the same, in
    words. withdrawn: whether its keeper says that it was cancelled or is over, though they tell of it still, as version
    2 has it (`lifeCycleManagement`); it is read, and not written.
    """

    id: str
    version: str
    form: str
    created_us: int
    changed_us: int
    validity: Validity
    places: tuple[Place, ...]
    kinds: tuple[str, ...] = ()
    observed_us: int | None = None
    probability: str = "certain"
    severity: str = ""
    source: Source | None = None
    cause: str = ""
    comments: tuple[Comment, ...] = ()
    constriction: str = ""
    lanes_restricted: int | None = None
    lanes_open: int | None = None
    compliance: str = ""
    directions: tuple[str, ...] = ()
    vehicles: tuple[str, ...] = ()
    identifier: str = ""
    urgent: bool | None = None
    under_traffic: bool | None = None
    route: tuple[Place, ...] = ()
    route_words: Words = ()
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """What goes together: works with all that they bring about."""

    id: str
    records: tuple[Record, ...]
    severity: str = ""
    changed_us: int | None = None
    status: str = "real"


@dataclass(frozen=True, slots=True)
class Publication:
    """All situations that somebody tells of, as they are at an instant: what is not among them is over.

    published_us: None where it is not said, which no publication may do. country, creator: who tells it, by the code of
    the country and by their name there. language: of words that do not say theirs.
    """

    published_us: int | None
    country: str
    creator: str
    language: str
    situations: tuple[Situation, ...]
