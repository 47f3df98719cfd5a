"""Programmes: what light a street should give at each minute of the year, as a lighting manager says it.

A night is named by the day on which it begins: what a rule says of a Saturday holds until Sunday's dawn. A programme
speaks for some lamps (`Target`) and says levels for windows of some nights (`Rule`); outside them it says nothing, and
what lies under it counts. Where several speak, the one of the higher `Rank` is heard; see `layers.precedence`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

MINUTES_A_DAY = 1_440
NOON_MIN = 720

Minute = Annotated[int, Meta(ge=0, lt=MINUTES_A_DAY)]
Offset = Annotated[int, Meta(ge=-180, le=180)]
Level = Annotated[int, Meta(ge=0, le=100)]
Weekday = Annotated[int, Meta(ge=0, le=6)]
MonthDay = Annotated[str, Meta(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
Date = Annotated[str, Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
Words = Annotated[str, Meta(min_length=1, max_length=200)]

RULES_MAX = 40
WINDOWS_MAX = 24
NAMED_MAX = 5_000
DATES_MAX = 400

CLASSES = (
    *(f"M{n}" for n in range(1, 7)),
    *(f"C{n}" for n in range(6)),
    *(f"P{n}" for n in range(1, 8)),
)  # fmt: skip
"""The lighting classes of EN 13201-2: motor traffic, conflict areas, pedestrians and low speeds."""


class Clock(msgspec.Struct, frozen=True, tag="clock", tag_field="by", forbid_unknown_fields=True):
    """A time of the city's wall clock, in minutes after midnight. Before noon it is on the day after the night's."""

    minute: Minute


class Dusk(msgspec.Struct, frozen=True, tag="dusk", tag_field="by", forbid_unknown_fields=True):
    """The moment at which the lights come on in the evening, and so many minutes after it."""

    offset_min: Offset = 0


class Dawn(msgspec.Struct, frozen=True, tag="dawn", tag_field="by", forbid_unknown_fields=True):
    """The moment at which the lights go out in the morning, and so many minutes after it."""

    offset_min: Offset = 0


Moment = Clock | Dusk | Dawn


class Window(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A level from one moment of the night to another; nothing in nights in which the second is not after the first."""

    start: Moment
    end: Moment
    level: Level


class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Days from one to another, both included."""

    first: Date
    last: Date


class Season(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of every year, both days included; it may pass the year's end."""

    first: MonthDay
    last: MonthDay


class When(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The nights that a rule is for: those for which all that is said here holds; nothing said is no limit.

    weekdays: 0 is Monday. public_holiday, school_holiday: whether the night begins on one. eve: whether the day after
    it is a public holiday.
    """

    weekdays: Annotated[tuple[Weekday, ...], Meta(max_length=7)] = ()
    public_holiday: bool | None = None
    eve: bool | None = None
    school_holiday: bool | None = None
    seasons: Annotated[tuple[Season, ...], Meta(max_length=12)] = ()
    dates: Annotated[tuple[Span, ...], Meta(max_length=DATES_MAX)] = ()


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What some nights are like. Of a programme's rules the first that is for a night counts, and no other."""

    name: Words
    windows: Annotated[tuple[Window, ...], Meta(max_length=WINDOWS_MAX)] = ()
    when: When = When()


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The lamps of the programme's area that it speaks for: those named by any of the first three, or all where none
    names any; less those named by the last two. streets: by name. classes: of EN 13201. assets: by id."""

    streets: Annotated[tuple[Words, ...], Meta(max_length=NAMED_MAX)] = ()
    classes: Annotated[tuple[str, ...], Meta(max_length=len(CLASSES))] = ()
    assets: Annotated[tuple[str, ...], Meta(max_length=NAMED_MAX)] = ()
    except_classes: Annotated[tuple[str, ...], Meta(max_length=len(CLASSES))] = ()
    except_assets: Annotated[tuple[str, ...], Meta(max_length=NAMED_MAX)] = ()


class Switching(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When the lights come on and go out.

    sun_deg: the height of the sun's centre at which they do. evening_min, morning_min: minutes after that. always: they
    burn by day too (a tunnel). photocell_min: by so much a photocell on the spot may advance or delay either.
    """

    sun_deg: Annotated[float, Meta(ge=-18, le=5)] = -4.0
    evening_min: Offset = 0
    morning_min: Offset = 0
    always: bool = False
    photocell_min: Annotated[int, Meta(ge=0, le=60)] = 0


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The commune's written decision to darken (CGCT L2212-2): what a check asks for, word for word as it was taken.

    hours: the hours it says. signs: how what is dark is announced on the spot. dark_from, dark_to: the same hours as
    times of the clock, between which it lets roads be dark; where both are stated, nothing may be dark outside them.
    """

    number: Words
    date: Date
    signatory: Words
    hours: Words
    signs: Words
    dark_from: Minute | None = None
    dark_to: Minute | None = None


class Rank(StrEnum):
    """Whose word a programme is; one that stands lower here is heard over those above it."""

    CLASS = "class"
    AREA = "area"
    STREET = "street"
    EVENT = "event"


class Programme(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One programme. area: the path of the part of the town it is for, "" for all of it; it speaks for no lamp
    elsewhere, whatever it names. switching: None leaves it to what lies under it; at the bottom it is `Switching()`.

    answer: what the manager answers in writing to the warnings of `checks`.
    """

    name: Words
    rank: Rank
    area: Annotated[str, Meta(max_length=300)] = ""
    target: Target = Target()
    rules: Annotated[tuple[Rule, ...], Meta(max_length=RULES_MAX)] = ()
    switching: Switching | None = None
    decision: Decision | None = None
    answer: Annotated[str, Meta(max_length=2_000)] = ""
