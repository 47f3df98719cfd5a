"""What is asked of works, and what they answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from vigie.api.acts.forms import Asked
from vigie.api.cases.forms import CaseRow
from vigie.api.city.forms import Form, Instant
from vigie.services.roads.works.permits import Act, ActKind, Answered, Leg, Nature, Occupancy, Passing, Roadworks, Way

Corners = Sequence[tuple[float, float]]

WORKS_MAX = 500


class WorksQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which works."""

    start: Annotated[Instant | None, Meta(description="Works of which a phase ends after this instant, RFC 3339.")] = (
        msgspec.field(name="from", default=None)
    )
    end: Annotated[Instant | None, Meta(description="Works of which a phase begins before this instant, RFC 3339.")] = (
        msgspec.field(name="to", default=None)
    )
    area: Annotated[str, Meta(max_length=300, description="The part of the town, with all below it.")] = ""
    street: Annotated[str, Meta(max_length=200, description="The id of a stretch of a street.")] = ""
    state: Annotated[
        str,
        Meta(
            max_length=200, description="States, apart by commas; requested, granted, under way, suspended unless said."
        ),
    ] = ""
    nature: Annotated[str, Meta(max_length=200, description="Natures, apart by commas.")] = ""
    limit: Annotated[int, Meta(ge=1, le=WORKS_MAX, description="How many at most.")] = 100
    cursor: Annotated[str, Meta(max_length=300, description="`next` of the page before.")] = ""


class StretchForm(Form, frozen=True, kw_only=True):
    """A part of a street that is taken up. name: what the street is called. to_m: null for its end. line: longitude and
    latitude of its corners, in degrees; empty where the inventory has no line of it."""

    street: str
    name: str
    from_m: float
    to_m: float | None
    way: Literal["either", "along", "against"]
    line: Corners


class PhaseForm(Form, frozen=True, kw_only=True):
    """A phase. begins, ends: by the town's clock. hours: when within that, empty for day and night. now: whether by
    these it is at this minute, whatever has become of the works."""

    begins: str
    ends: str
    hours: str
    now: bool
    occupancy: Occupancy
    passes: Sequence[Passing]
    stretches: Sequence[StretchForm]


class WorksRow(Form, frozen=True, kw_only=True):
    """Works. owner_name: who has them done; a person's for who works on it alone. begins, ends: of all phases, by the
    town's clock. late: what should have been said by now, that they have begun or are over. clashes: how many there are
    now; refusing: those of them that refuse a permit still. needs: the acts that are not granted yet."""

    case: CaseRow
    owner_name: str
    nature: Nature
    cuts_surface: bool
    urgent: bool
    begins: str
    ends: str
    late: Literal["begin", "end"] | None
    phases: Sequence[PhaseForm]
    clashes: int
    refusing: int
    needs: Sequence[ActKind]
    acts: Sequence[Act]


class ClashForm(Form, frozen=True, kw_only=True):
    """One thing that works clash with. key: by which it is answered. rule: a text's key (`finding.`), detail: what to
    put into it. refuses: it refuses the permit, unless it is answered. article: of the law. streets: the first fifty in
    which it is so, count: how many there are. other: the id of the other works, where you may see them; where you may
    not, neither their number nor the streets are told. answer: what was answered in writing, null where nothing was,
    empty for whoever may not read it. answerable: whether an answer is heard at all."""

    key: str
    rule: str
    refuses: bool
    article: str
    detail: dict[str, str | float]
    streets: Sequence[str]
    count: int
    other: str | None
    answer: str | None
    answerable: bool


class LegForm(Form, frozen=True, kw_only=True):
    """A street of a diversion, and which way it is driven. line: as in a stretch, whole, in the way of travel."""

    street: str
    name: str
    way: Way
    line: Corners


class WantedAct(Form, frozen=True, kw_only=True):
    """An act that works take. area: for whose streets, empty where they lie in one area alone."""

    kind: ActKind
    area: str


class WorksDetail(WorksRow, frozen=True, kw_only=True):
    """The same with what they clash with now, and the diversion. needed: all acts that they take; wanted: each with the
    area for whose streets it is."""

    networks: Sequence[str]
    anchored: bool
    needed: Sequence[ActKind]
    wanted: Sequence[WantedAct]
    clashing: Sequence[ClashForm]
    answers: Sequence[Answered]
    diversion: Sequence[LegForm]


class WorksPage(Form, frozen=True, kw_only=True):
    """Works, by when they begin. next: the cursor of the next part, null after the last. total: how many in all."""

    items: Sequence[WorksRow]
    next: str | None
    total: int


class DraftForm(Asked, frozen=True, kw_only=True):
    """Works as somebody writes them. case: the id of those that they are, where they were asked for already."""

    document: Roadworks
    case: Annotated[str, Meta(max_length=100)] = ""


class ChecksForm(Form, frozen=True, kw_only=True):
    """What works clash with, and the acts that they take; needs: those that are not granted yet."""

    clashing: Sequence[ClashForm]
    needed: Sequence[ActKind]
    needs: Sequence[ActKind]


class DetourForm(Form, frozen=True, kw_only=True):
    """A way round, for one way of travel through what is closed. closed: the streets that would be driven through.
    found: whether a way leads round. length_m: of it, null where there is none; closed_m: of what is closed."""

    closed: Sequence[Leg]
    closed_m: float
    found: bool
    length_m: float | None
    legs: Sequence[LegForm]


class Detours(Form, frozen=True, kw_only=True):
    """The ways round. diversion: all their streets, as the document of the works has them; none where works turn nobody
    away."""

    items: Sequence[DetourForm]
    diversion: Sequence[Leg]


class YearQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which calendar."""

    year: Annotated[int, Meta(ge=2000, le=2200, description="The year.")]
    area: Annotated[str, Meta(max_length=300, description="The part of the town, with all below it.")] = ""
    format: Annotated[Literal["json", "csv"], Meta(description="csv: one table, as with `Accept: text/csv`.")] = "json"


class CalendarWorks(Form, frozen=True, kw_only=True):
    """Works in the calendar. owner_name: who has them done, where that is an organisation; empty for a person."""

    id: str
    number: int
    title: str
    state: str
    owner_name: str
    nature: Nature


class WeekForm(Form, frozen=True, kw_only=True):
    """A street in a week. monday: its first day. works: the numbers of those that take it up."""

    street: str
    name: str
    area: str
    monday: str
    works: Sequence[int]


class YearForm(Form, frozen=True, kw_only=True):
    """The works of a year, street by street and week by week. asked_by: the last day on which they were to be told,
    null where no calendar of that year is in force. The first 20,000 weeks are told; left_out: the others."""

    year: int
    asked_by: str | None
    works: Sequence[CalendarWorks]
    weeks: Sequence[WeekForm]
    left_out: int
