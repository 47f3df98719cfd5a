"""Permits for works in streets: what is asked for, which acts of which authority it takes, and what becomes of it.

Three acts are apart in law, whoever signs them. An occupation of the road that digs or is fixed into the ground takes a
*permission de voirie* of the road's manager, any other a *permis de stationnement* of whoever has the police of
circulation (Code de la voirie routière, L113-2; Code général des collectivités territoriales, L2213-6). What changes
how people drive or park takes a traffic order of that police (CGCT, L2213-1 and L2213-2). Who has a right to be in the
road by law (L113-3), or manages it, needs no permit: then somebody says so of that act (`not_needed`).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

from vigie.core.calendar import Calendar
from vigie.core.cases import CHANGE, CaseKind, Level, Lies, Move, Private
from vigie.core.lives import ROADWORKS as LIFE
from vigie.core.refusals import Refusal
from vigie.core.scope import Verb, lies_in
from vigie.core.times import from_us, to_us
from vigie.services.roads.works.windows import Hours, Moment, Window, minute_of, spans_of

Id = Annotated[str, Meta(min_length=1, max_length=200)]
Line = Annotated[str, Meta(max_length=200)]
Metres = Annotated[float, Meta(ge=0, le=100_000)]

Way = Literal["along", "against"]
Occupancy = Literal["pavement", "parking", "lane", "alternating", "one_way", "closure"]
Nature = Literal["network", "surface", "building", "lighting", "event", "crane", "other"]
Passing = Literal["pedestrians", "cycles", "buses", "emergency"]
ActKind = Literal["permission_de_voirie", "permis_de_stationnement", "traffic_order"]
ActState = Literal["needed", "asked", "granted", "refused", "not_needed"]

ACTS: tuple[ActKind, ...] = get_args(ActKind)
LIVE = frozenset({"requested", "granted", "under_way", "suspended"})
"""The states in which works are to be reckoned with."""
GRANTED = frozenset({"granted", "under_way", "suspended"})

DECIDED_WITHIN_MONTHS = 2
"""What was not decided by then may be begun on the day that was asked for (Code de la voirie routière, L115-1)."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What an occupancy does to traffic. order: it takes a traffic order. turns_away: who drives must go another way.
    buses: whether they cannot pass ("closed"), can with delay ("slowed"), or are not hindered (""). reach: how many
    sides of the carriageway it takes: none beside it (pavement, parking), one, or both. sends_over: who walks is
    sent to the other side."""

    order: bool
    turns_away: bool = False
    buses: Literal["", "slowed", "closed"] = ""
    reach: int = 0
    sends_over: bool = False


EFFECTS: Mapping[Occupancy, Effect] = {
    "pavement": Effect(order=False, sends_over=True),
    "parking": Effect(order=True),
    "lane": Effect(order=True, reach=1),
    "alternating": Effect(order=True, buses="slowed", reach=1),
    "one_way": Effect(order=True, turns_away=True, buses="closed", reach=2),
    "closure": Effect(order=True, turns_away=True, buses="closed", reach=2),
}


class Stretch(Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a street of the inventory: from so many metres along its line to so many, to its end where that is not
    said. way: the way of travel that is taken, `either` for both."""

    street: Id
    from_m: Metres = 0.0
    to_m: Metres | None = None
    way: Literal["either", "along", "against"] = "either"

    def __post_init__(self) -> None:
        """Raises ValueError for one that has no length."""
        if self.to_m is not None and self.to_m <= self.from_m:
            raise ValueError(f"a stretch ends after it begins: {self.from_m:g} m to {self.to_m:g} m")


class Leg(Struct, frozen=True, forbid_unknown_fields=True):
    """A street of a diversion, and which way it is driven."""

    street: Id
    way: Way = "along"


class Phase(Struct, frozen=True, forbid_unknown_fields=True):
    """A time in which works take up the same. begins, ends: by the town's clock. hours: when within that the street is
    taken, such as `mon-fri 08:00-17:00`; empty for day and night. passes: who gets through all the same."""

    begins: Moment
    ends: Moment
    stretches: Annotated[tuple[Stretch, ...], Meta(min_length=1, max_length=50)]
    occupancy: Occupancy
    hours: Hours = ""
    passes: Annotated[tuple[Passing, ...], Meta(max_length=4)] = ()

    def __post_init__(self) -> None:
        """Raises ValueError for one that never is."""
        if minute_of(self.begins) >= minute_of(self.ends):
            raise ValueError(f"a phase ends after it begins: {self.begins} to {self.ends}")
        spans_of(self.hours)

    @property
    def window(self) -> Window:
        """When it is."""
        return Window(minute_of(self.begins), minute_of(self.ends), self.hours)


class Act(Struct, frozen=True, forbid_unknown_fields=True):
    """An act, and how it stands. authority: who signs it. until: the last day on which it holds. area: the part of the
    town for whose streets it is; works whose streets lie in one alone need not say it."""

    kind: ActKind
    state: ActState = "needed"
    authority: Line = ""
    number: Line = ""
    until: Annotated[str, Meta(pattern=r"^(\d{4}-\d\d-\d\d)?$")] = ""
    area: Annotated[str, Meta(max_length=300)] = ""

    def __post_init__(self) -> None:
        """Raises ValueError for a day that is none."""
        if self.until:
            date.fromisoformat(self.until)


class Answered(Struct, frozen=True, forbid_unknown_fields=True):
    """What was answered in writing to a clash, by its key."""

    clash: Annotated[str, Meta(min_length=1, max_length=300)]
    text: Annotated[str, Meta(min_length=1, max_length=2_000, pattern=r"\S")]


class Roadworks(Struct, frozen=True, forbid_unknown_fields=True):
    """The document of works in streets.

    owner_name: who has them done. organisation: whether that is one, whose name is published; a person's is kept where
    it can be erased. nature: of what they are. networks: whose, such as gas or lighting. cuts_surface: whether they
    open the surface. anchored: whether something is fixed into the ground. urgent: whether they bear no delay (L115-1,
    last paragraph). diversion: the streets by which traffic goes round them, while it is turned away. acts: as they
    stand. answers: to what they clash with.
    """

    owner_name: Line = ""
    nature: Nature = "other"
    networks: Annotated[tuple[Line, ...], Meta(max_length=20)] = ()
    cuts_surface: bool = False
    anchored: bool = False
    urgent: bool = False
    organisation: bool = False
    phases: Annotated[tuple[Phase, ...], Meta(min_length=1, max_length=20)] = ()
    diversion: Annotated[tuple[Leg, ...], Meta(max_length=300)] = ()
    acts: Annotated[tuple[Act, ...], Meta(max_length=10)] = ()
    answers: Annotated[tuple[Answered, ...], Meta(max_length=100)] = ()

    @property
    def published_name(self) -> str:
        """Who has them done, as it stands in what is published: an organisation."""
        return self.owner_name if self.organisation else ""

    @property
    def streets(self) -> tuple[str, ...]:
        """The streets that they take up, in the order in which they are first said."""
        return tuple(dict.fromkeys(each.street for phase in self.phases for each in phase.stretches))

    @property
    def begins(self) -> str:
        """When the first phase begins."""
        return min(phase.begins for phase in self.phases)

    @property
    def ends(self) -> str:
        """When the last phase ends."""
        return max(phase.ends for phase in self.phases)


def acts_needed(works: Roadworks) -> tuple[ActKind, ...]:
    """The acts that works take, by what they take up."""
    occupies: ActKind = "permission_de_voirie" if works.cuts_surface or works.anchored else "permis_de_stationnement"
    orders = any(EFFECTS[phase.occupancy].order for phase in works.phases)
    return (occupies, "traffic_order") if orders else (occupies,)


def acts_missing(works: Roadworks, areas: Mapping[str, str] = MappingProxyType({})) -> tuple[ActKind, ...]:
    """Those of the acts needed that are not granted everywhere, and of which nobody has said that they are not needed.

    An act that holds no longer than before the works end counts for nothing; one that was refused counts, whatever
    stands beside it. areas: of the streets; where they are several, an act counts for the one that it says.
    """
    return tuple(kind for kind in acts_needed(works) if not _is_settled(works, kind, areas))


def acts_wanted(works: Roadworks, areas: Mapping[str, str]) -> tuple[tuple[ActKind, str], ...]:
    """The acts needed, each with the area for whose streets it is; "" where they lie in one alone. areas: of the
    streets."""
    found = list[tuple[ActKind, str]]()
    for kind in acts_needed(works):
        where = _where(works, kind, areas)
        found.extend((kind, area if len(where) > 1 else "") for area in where)
    return tuple(found)


def _where(works: Roadworks, kind: ActKind, areas: Mapping[str, str]) -> list[str]:
    """The areas of the streets that take an act."""
    taking = [each for each in works.phases if kind != "traffic_order" or EFFECTS[each.occupancy].order]
    return sorted({areas.get(own.street, "") for each in taking for own in each.stretches}) if areas else [""]


def _is_settled(works: Roadworks, kind: ActKind, areas: Mapping[str, str]) -> bool:
    where = _where(works, kind, areas)
    last_day = works.ends[:10] if works.phases else ""
    for area in where:
        acts = [
            each
            for each in works.acts
            if each.kind == kind and (not each.area or not areas or lies_in(area, each.area))
        ]
        settling = [
            each
            for each in acts
            if (each.area or len(where) == 1)
            and (each.state == "not_needed" or (each.state == "granted" and (not each.until or each.until >= last_day)))
        ]
        if not settling or any(each.state == "refused" for each in acts):
            return False
    return True


def guarded(state: str, event: str) -> bool:
    """Whether an event asks that works have all they need: those that put a permit in force, and changes of one that
    is."""
    return event in ("grant", "resume") or (event == CHANGE and state in ("granted", "under_way"))


def _allows(works: Roadworks, state: str, event: str) -> Refusal | None:
    missing = acts_missing(works) if guarded(state, event) else ()
    return Refusal("roads.works_acts", {"act": missing[0], "count": len(missing)}) if missing else None


def _due(works: Roadworks, state: str, opened_us: int, calendar: Calendar) -> int | None:
    """A request is due for a decision; a permit, when its works are to be over."""
    if not works.phases:
        return None
    if state in GRANTED:
        return instant_of(works.ends, calendar.zone)
    return min(_decided_by(opened_us, calendar.zone), max(opened_us, instant_of(works.begins, calendar.zone)))


def _decided_by(asked_us: int, zone: ZoneInfo) -> int:
    """The same day two months later, at the same time; the last of a month that has none of that number."""
    asked = from_us(asked_us).astimezone(zone)
    year, month = divmod(asked.year * 12 + asked.month - 1 + DECIDED_WITHIN_MONTHS, 12)
    day = min(asked.day, monthrange(year, month + 1)[1])
    return to_us(asked.replace(year=year, month=month + 1, day=day))


def instant_of(moment: str, zone: ZoneInfo) -> int:
    """When the town's clock shows a minute."""
    return to_us(datetime.fromisoformat(moment).replace(tzinfo=zone))


def moment_at(at_us: int, zone: ZoneInfo) -> str:
    """What minute the town's clock shows at an instant."""
    return from_us(at_us).astimezone(zone).replace(tzinfo=None).isoformat(timespec="minutes")


def late_by(works: Roadworks, state: str, now: str) -> Literal["begin", "end"] | None:
    """What should have been said of works by now, a minute by the town's clock."""
    if state in GRANTED and works.phases:
        if works.ends <= now:
            return "end"
        if state == "granted" and works.begins <= now:
            return "begin"
    return None


ROADWORKS = CaseKind(
    name="roadworks",
    service="roads",
    life=LIFE,
    moves={
        "grant": Move(),
        "refuse": Move(reason=True),
        "begin": Move(Verb.WORK),
        "suspend": Move(Verb.WORK, reason=True),
        "resume": Move(Verb.WORK),
        "finish": Move(Verb.WORK),
        "withdraw": Move(reason=True),
        "reopen": Move(reason=True),
        "archive": Move(by_post=True),
    },
    form=Roadworks,
    categories={"roadworks": "roads"},
    levels={priority: Level(60 * 24, working=False) for priority in (1, 2, 3, 4)},
    settles_days=30,
    # An act's authority and number are an office's, networks are kinds: a person is named where they have works done,
    # and may be in what people write to each other of clashes.
    private={
        "owner_name": Private("who has works done", lambda works: works.published_name),
        "answers": Private("what was agreed about a clash", lambda works: ()),
    },
    allows=_allows,
    lies=lambda works: Lies(works.streets, through=tuple(dict.fromkeys(leg.street for leg in works.diversion))),
    due=_due,
)
